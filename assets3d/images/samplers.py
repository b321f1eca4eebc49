"""Samplers by the names that people know them by, as schedulers of diffusers.

A wanted sampler is a familiar name ("DPM++ 2M Karras", "euler-trailing", "dpmpp_2m_sde"), a class
of diffusers with words after it ("DPMSolverMultistepScheduler-Karras-SDE"), or a mapping of one of
these under `class` and further options. What a name does not say, the checkpoint's own scheduler
says: noise schedule, kind of prediction, spacing of the steps.

Names that no class of diffusers means are refused with the nearest one that there is; another
sampler makes another picture, so none is put in silently. Importing this module imports no torch.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assets3d.errors import InputError

FIELD = "image.scheduler"
Wanted = str | Mapping[str, Any]

#: Words after a name -> options; `sgm_uniform` is ComfyUI's word for what diffusers calls trailing.
SCHEDULES: dict[str, dict[str, Any]] = {
    "Karras": {"use_karras_sigmas": True},
    "Exponential": {"use_exponential_sigmas": True},
    "Beta": {"use_beta_sigmas": True},
    "sgm_uniform": {"timestep_spacing": "trailing"},
    "trailing": {"timestep_spacing": "trailing"},
    "leading": {"timestep_spacing": "leading"},
    "linspace": {"timestep_spacing": "linspace"},
}
#: Samplers of flow-matching models, for messages.
FLOW_NAMES = "Euler, Heun, DPM++ 2M, UniPC, DEIS"
#: Further words that may follow a class of diffusers.
CLASS_WORDS: dict[str, dict[str, Any]] = {
    **SCHEDULES,
    "SDE": {"algorithm_type": "sde-dpmsolver++"},
}


@dataclass(frozen=True)
class Sampler:
    """One familiar sampler.

    Attributes:
        name: as the known user interfaces write it.
        scheduler: the class of diffusers; None where it has none.
        options: what that class is given besides the checkpoint's own settings.
        flow: the class for flow-matching models (SD3), where it is another one.
        schedules: words of `SCHEDULES` that the table lists with this name.
        nearest: where `scheduler` is None, the sampler that comes closest.
        note: for people.
        aliases: other spellings.
    """

    name: str
    scheduler: str | None
    options: Mapping[str, Any] = field(default_factory=dict)
    flow: str | None = None
    schedules: tuple[str, ...] = ()
    nearest: str = ""
    note: str = ""
    aliases: tuple[str, ...] = ()


_SIGMAS = ("Karras", "Exponential")
_MULTISTEP, _SINGLESTEP = "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler"
_SDE = {"algorithm_type": "sde-dpmsolver++"}
_SINGLE = {"lower_order_final": True}  # so that any number of steps works
_TWICE = "counts evaluations: for n steps of the interfaces give 2n"

SAMPLERS: tuple[Sampler, ...] = (
    Sampler(
        "Euler",
        "EulerDiscreteScheduler",
        {"steps_offset": 1},
        "FlowMatchEulerDiscreteScheduler",
        (*_SIGMAS, "sgm_uniform"),
    ),
    Sampler(
        "Euler a",
        "EulerAncestralDiscreteScheduler",
        {"steps_offset": 1},
        schedules=("sgm_uniform",),
        aliases=("Euler ancestral",),
    ),
    Sampler("LMS", "LMSDiscreteScheduler", schedules=("Karras",)),
    Sampler("Heun", "HeunDiscreteScheduler", {}, "FlowMatchHeunDiscreteScheduler", ("Karras",)),
    Sampler("DDIM", "DDIMScheduler"),
    Sampler("DDPM", "DDPMScheduler"),
    Sampler("PLMS", "PNDMScheduler", {"skip_prk_steps": True}, aliases=("PNDM",)),
    Sampler("DPM2", "KDPM2DiscreteScheduler", schedules=("Karras",), aliases=("DPM 2",)),
    Sampler(
        "DPM2 a",
        "KDPM2AncestralDiscreteScheduler",
        schedules=("Karras",),
        aliases=("DPM 2 ancestral", "DPM2 ancestral"),
    ),
    Sampler(
        "DPM++ 2S a",
        None,
        schedules=("Karras",),
        nearest="DPM++ SDE",
        note="also two evaluations a step, and fresh noise in each",
        aliases=("dpmpp 2s ancestral", "dpmpp 2s a"),
    ),
    Sampler("DPM++ 2S", _SINGLESTEP, _SINGLE, schedules=("Karras",), note=_TWICE),
    Sampler("DPM++ 2M", _MULTISTEP, schedules=_SIGMAS, aliases=("DPM++", "dpmpp 2m")),
    Sampler(
        "DPM++ SDE",
        _SINGLESTEP,
        {**_SDE, **_SINGLE},
        schedules=("Karras",),
        note=_TWICE,
        aliases=("dpmpp sde",),
    ),
    Sampler("DPM++ 2M SDE", _MULTISTEP, _SDE, schedules=_SIGMAS, aliases=("dpmpp 2m sde",)),
    Sampler(
        "DPM++ 3M SDE",
        _MULTISTEP,
        {**_SDE, "solver_order": 3},
        schedules=_SIGMAS,
        aliases=("dpmpp 3m sde",),
    ),
    Sampler("DPM fast", None, nearest="DPM++ 2S", note="single steps too, of second order"),
    Sampler("DPM adaptive", None, nearest="DPM++ 2M", note="a fixed number of steps instead"),
    Sampler("UniPC", "UniPCMultistepScheduler", schedules=("Karras",), aliases=("uni pc",)),
    Sampler("DEIS", "DEISMultistepScheduler", schedules=("Karras",)),
    Sampler("Restart", None, nearest="Heun", note="the same steps without going back to noise"),
    Sampler("LCM", "LCMScheduler", note="for LCM and LCM-LoRA only"),
    Sampler("TCD", "TCDScheduler", note="for TCD models only"),
)


@dataclass(frozen=True)
class Choice:
    """A class of diffusers, its options, and the class for flow-matching models."""

    scheduler: str
    options: Mapping[str, Any]
    flow: str | None = None


def choose(wanted: str) -> Choice:
    """Return what a sampler's name means; knows nothing of the installed diffusers.

    Args:
        wanted: a familiar name, or a class name with words after it ("...Scheduler-Karras-SDE").

    Raises:
        InputError: an unknown name or word, or a sampler that diffusers lacks.
    """
    kind, *words = wanted.split("-")
    if kind.endswith("Scheduler"):
        options: dict[str, Any] = {}
        for word in words:
            options |= _word(word, wanted)
        return Choice(kind, options)
    name = _plain(wanted)
    sampler, rest = _longest(name)
    if sampler is None:
        raise InputError(
            f"{FIELD}: found {wanted!r}{_near(wanted, names())}, wanted one of "
            f"{', '.join(s.name for s in SAMPLERS)} or a scheduler class of diffusers"
        )
    if sampler.scheduler is None:
        raise InputError(
            f"{FIELD}: diffusers has no {sampler.name!r} ({wanted}), "
            f"the nearest it has is {' '.join([sampler.nearest, *rest])!r}"
        )
    options = dict(sampler.options)
    for word in rest:
        options |= SCHEDULES[word]
    return Choice(sampler.scheduler, options, sampler.flow)


def new_scheduler(own: Any, wanted: Wanted) -> Any:
    """Return the scheduler `wanted` with the noise schedule of the pipeline's `own`.

    Args:
        own: the scheduler that came with the checkpoint.
        wanted: see the module; in a mapping, options there win over those of the name.

    Raises:
        InputError: no such sampler, class or option, or one that is not for this kind of model.
    """
    given = {"class": wanted} if isinstance(wanted, str) else dict(wanted)
    name = str(given.pop("class", type(own).__name__))
    choice = choose(name)
    flows = type(own).__name__.startswith("FlowMatch")
    scheduler = choice.flow if flows and choice.flow else choice.scheduler
    kind = _class(scheduler)
    known = [p for p in inspect.signature(kind.__init__).parameters if p != "self"]
    # Options of the name that only the other class has (steps_offset) say nothing to flow matching.
    meant = {k: v for k, v in choice.options.items() if scheduler != choice.flow or k in known}
    options = {**meant, **given}
    if flows and not scheduler.startswith("FlowMatch"):
        options = {**_flow_options(own, name, known), **options}
    if flows and (
        options.get("stochastic_sampling") or "sde" in str(options.get("algorithm_type"))
    ):
        # Pipelines of such models do not hand the generator on: the noise would have no seed.
        raise InputError(
            f"{FIELD}: {name} draws fresh noise in every step, which flow-matching pipelines of "
            f"diffusers do not seed, wanted one of {FLOW_NAMES}"
        )
    for option in options:
        if option not in known:
            hint = _near(option, known)
            raise InputError(f"{FIELD}.{option}: {kind.__name__} has no such option{hint}")
    try:
        return kind.from_config(own.config, **{**_latent_options(own, kind, known), **options})
    except (ValueError, NotImplementedError) as error:
        raise InputError(f"{FIELD}: {name} cannot be set up ({error})") from None


def names() -> tuple[str, ...]:
    """Return every familiar name, with the schedules that are usual with it."""
    rows = ((s.name, *(f"{s.name} {word}" for word in s.schedules)) for s in SAMPLERS)
    return tuple(name for row in rows for name in row)


def _plain(name: str) -> str:
    """Return a name in lower case, its words separated by single spaces."""
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


def _longest(name: str) -> tuple[Sampler | None, list[str]]:
    """Return the sampler whose spelling begins `name`, and the schedules that the rest names."""
    spellings = {
        _plain(s): sampler for sampler in SAMPLERS for s in (sampler.name, *sampler.aliases)
    }
    schedules = {_plain(word): word for word in SCHEDULES}
    for spelling in sorted(spellings, key=len, reverse=True):
        if name != spelling and not name.startswith(f"{spelling} "):
            continue
        rest = name[len(spelling) :].strip()
        found = [word for plain, word in schedules.items() if plain == rest]
        if found or not rest:
            return spellings[spelling], found
    return None, []


def _word(word: str, wanted: str) -> dict[str, Any]:
    for known, options in CLASS_WORDS.items():
        if _plain(known) == _plain(word):
            return options
    raise InputError(
        f"{FIELD}: found the word {word!r} in {wanted!r}{_near(word, CLASS_WORDS)}, "
        f"wanted one of {', '.join(CLASS_WORDS)}"
    )


def _class(name: str) -> Any:
    import diffusers

    kind = getattr(diffusers, name, None)
    if isinstance(kind, type) and issubclass(kind, diffusers.SchedulerMixin):
        return kind
    if name == "DPMSolverSDEScheduler":  # its noise would not come from the asset's generator
        raise InputError(f"{FIELD}: {name} needs the package torchsde, the nearest is 'DPM++ SDE'")
    raise InputError(
        f"{FIELD}: found {name!r}, wanted a scheduler class of diffusers or one of "
        f"{', '.join(s.name for s in SAMPLERS)}"
    )


def _flow_options(own: Any, name: str, known: Iterable[str]) -> dict[str, Any]:
    """Return what makes a solver of noise models follow a flow, where it can."""
    if "use_flow_sigmas" not in known:
        raise InputError(
            f"{FIELD}: {name} cannot sample a flow-matching model, wanted one of {FLOW_NAMES}"
        )
    return {
        "use_flow_sigmas": True,
        "prediction_type": "flow_prediction",
        "flow_shift": own.config.get("shift", 1.0),
    }


def _latent_options(own: Any, kind: type, known: Iterable[str]) -> dict[str, Any]:
    """Return what latent models want of a class whose defaults are for pixels.

    Only where the checkpoint's own scheduler, being of another class, says nothing about it.
    """
    if isinstance(own, kind):
        return {}
    defaulted = own.config.get("_use_default_values", ())
    wanted = {"clip_sample": False, "set_alpha_to_one": False}
    return {
        key: value
        for key, value in wanted.items()
        if key in known and (key not in own.config or key in defaulted)
    }


def _near(name: str, known: Iterable[str]) -> str:
    spelling = {_plain(word): word for word in known}
    found = difflib.get_close_matches(_plain(name), list(spelling), 1)
    return f" (did you mean {spelling[found[0]]}?)" if found else ""
