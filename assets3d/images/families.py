"""Image families: what a kind of checkpoint wants, so that a profile need only name it.

`image.family: sdxl-lightning-4` in a profile fills in `model` (and `lora`), `scheduler`, `steps`,
`guidance` and `size_px`, each unless it is given. Sources and licences are in configs/models.yaml.
Importing this module imports no torch.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from assets3d.images.samplers import Wanted

FIELD = "image.family"


@dataclass(frozen=True)
class PipelineClass:
    """How one pipeline class of diffusers is called.

    Attributes:
        name: the class.
        negative_prompt: whether it takes one.
        options: further arguments, the same in every call.
        multiple_px: what width and height must be multiples of.
    """

    name: str
    negative_prompt: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    multiple_px: int = 8

    @property
    def arguments(self) -> tuple[str, ...]:
        """Every argument that a call passes, besides what steering adds."""
        common = ("prompt", "num_inference_steps", "guidance_scale", "width", "height")
        negative = ("negative_prompt",) if self.negative_prompt else ()
        return (*common, "generator", "output_type", *negative, *self.options)


_SD = PipelineClass("StableDiffusionPipeline")
_SDXL = PipelineClass("StableDiffusionXLPipeline")
_LCM = PipelineClass("LatentConsistencyModelPipeline", negative_prompt=False)
_SD3 = PipelineClass("StableDiffusion3Pipeline", multiple_px=16)
_HUNYUAN = PipelineClass(
    "HunyuanDiTPipeline",
    # It would otherwise change the size asked for to one of ten.
    options={"use_resolution_binning": False},
    multiple_px=16,
)
_CLASSES = {kind.name: kind for kind in (_SD, _SDXL, _LCM, _SD3, _HUNYUAN)}


@dataclass(frozen=True)
class Family:
    """One preset.

    Attributes:
        name: its name in profiles.
        pipeline: the class that the checkpoint must be for.
        scheduler: see `samplers`.
        steps: sampling steps.
        guidance: classifier-free guidance; 0 is off. Of a model that was taught its guidance (LCM
            as a whole checkpoint), that number.
        size_px: side of the square that it was trained for.
        text_width: numbers per token that its U-Net reads; None where it has no such U-Net.
        model: name in configs/models.yaml; by default the preset's own.
        lora: name there of the LoRA that is put over the model.
        note: for people.
    """

    name: str
    pipeline: PipelineClass
    scheduler: Wanted
    steps: int
    guidance: float
    size_px: int
    text_width: int | None = None
    model: str = ""
    lora: str = ""
    note: str = ""

    @property
    def defaults(self) -> dict[str, Any]:
        """What the preset fills in, by the profile's names."""
        scheduler = self.scheduler if isinstance(self.scheduler, str) else dict(self.scheduler)
        lora = {"lora": self.lora} if self.lora else {}
        return {
            "model": self.model or self.name,
            **lora,
            "scheduler": scheduler,
            "steps": self.steps,
            "guidance": self.guidance,
            "size_px": self.size_px,
        }


_TRAILING = "Euler sgm_uniform"


def _sd(name: str, width: int, scheduler: Wanted, steps: int, **options: Any) -> Family:
    return Family(name, _SD, scheduler, steps, text_width=width, **options)


def _sdxl(name: str, scheduler: Wanted, steps: int, **options: Any) -> Family:
    options = {"size_px": 1024, "text_width": 2048, **options}
    return Family(name, _SDXL, scheduler, steps, **options)


def _lightning(steps: int, *, lora: bool) -> Family:
    name = f"sdxl-lightning-{steps}" + ("-lora" if lora else "")
    base = {"model": "sdxl-base", "lora": name} if lora else {}
    return _sdxl(name, _TRAILING, steps, guidance=0.0, **base)


FAMILIES: tuple[Family, ...] = (
    _sd("sd15", 768, "DPM++ 2M Karras", 25, guidance=7.5, size_px=512),
    _sd(
        "sd21",
        1024,
        "DPM++ 2M Karras",
        25,
        guidance=7.5,
        size_px=768,
        note="predicts velocity; its own repository was deleted, the registry names a mirror",
    ),
    _sd("sd-turbo", 1024, _TRAILING, 1, guidance=0.0, size_px=512, note="1 to 4 steps"),
    _sdxl("sdxl-base", "Euler", 30, guidance=6.0),
    _sdxl(
        "sdxl-turbo",
        "Euler a sgm_uniform",
        1,
        guidance=0.0,
        size_px=512,
        note="1 to 4 steps",
    ),
    _sdxl(
        "sdxl-lightning-1",
        {"class": _TRAILING, "prediction_type": "sample"},
        1,
        guidance=0.0,
        note="predicts the sample, not the noise; there is no LoRA of it",
    ),
    *(_lightning(steps, lora=False) for steps in (2, 4, 8)),
    *(_lightning(steps, lora=True) for steps in (2, 4, 8)),
    Family(
        "lcm-dreamshaper-v7",
        _LCM,
        "LCM",
        4,
        guidance=1.5,
        size_px=768,
        text_width=768,
        note="2 to 8 steps; no negative prompt; guidance up to 8 for more contrast",
    ),
    _sd(
        "lcm-lora-sd15",
        768,
        "LCM",
        4,
        guidance=1.5,
        size_px=512,
        model="sd15",
        lora="lcm-lora-sd15",
        note="2 to 8 steps, guidance 1 to 2",
    ),
    _sdxl(
        "lcm-lora-sdxl",
        "LCM",
        4,
        guidance=1.5,
        model="sdxl-base",
        lora="lcm-lora-sdxl",
        note="2 to 8 steps, guidance 1 to 2",
    ),
    Family(
        "sd3-medium",
        _SD3,
        "Euler",
        28,
        7.0,
        1024,
        note="flow matching: Euler, Heun, DPM++ 2M, UniPC; runs without the T5 encoder too",
    ),
    Family(
        "hunyuan-dit",
        _HUNYUAN,
        "DDPM",
        50,
        5.0,
        1024,
        note="prompts in English or Chinese; predicts velocity",
    ),
)
_BY_NAME = {family.name: family for family in FAMILIES}


def find_family(name: str) -> Family:
    """Return the preset of this name.

    Raises:
        InputError: there is none.
    """
    family = _BY_NAME.get(name)
    if family is None:
        found = difflib.get_close_matches(str(name), list(_BY_NAME), 1)
        hint = f" (did you mean {found[0]}?)" if found else ""
        raise InputError(f"{FIELD}: found {name!r}{hint}, wanted one of {', '.join(_BY_NAME)}")
    return family


def with_family(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return a profile's image section in which the family has filled what is not given.

    Raises:
        InputError: an unknown family.
    """
    if "family" not in section:
        return dict(section)
    return {**find_family(section["family"]).defaults, **section}


def check_folder(family: Family, folder: Path) -> None:
    """Refuse a diffusers folder of another kind than the preset is for, before anything is loaded.

    Raises:
        InputError: another pipeline class, or a U-Net that reads other text.
    """
    found = str(_read(folder / "model_index.json").get("_class_name"))
    width = None
    if found == family.pipeline.name and family.text_width is not None:
        width = _read(folder / "unet/config.json").get("cross_attention_dim")
    _check(family, found, width, f"{folder.name}/")


def check_pipeline(family: Family, pipeline: Any, where: str) -> None:
    """Refuse a loaded pipeline of another kind than the preset is for; see `check_folder`."""
    unet = getattr(pipeline, "unet", None)
    width = None if unet is None else unet.config.get("cross_attention_dim")
    _check(family, type(pipeline).__name__, width, where)


def _check(family: Family, found: str, width: int | None, where: str) -> None:
    wanted = f"{FIELD}: {family.name} wants a "
    if found != family.pipeline.name:
        fitting = [f.name for f in FAMILIES if f.pipeline.name == found]
        raise InputError(
            f"{wanted}{family.pipeline.name}, found {found} in {where}{_fits(fitting)}"
        )
    if width != family.text_width:
        same = [f for f in FAMILIES if (f.pipeline.name, f.text_width) == (found, width)]
        raise InputError(
            f"{wanted}U-Net that reads text of width {family.text_width}, found {width} in "
            f"{where}{_fits([f.name for f in same])}"
        )


def pipeline_class(pipeline: object) -> PipelineClass:
    """Return how a loaded pipeline is called; of classes that no family uses, how most are."""
    name = type(pipeline).__name__
    return _CLASSES.get(name, PipelineClass(name))


def _fits(names: list[str]) -> str:
    return f", which is for {' or '.join(names[:3])}" if names else ""


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{FIELD}: no {path.name} in {path.parent.name}/") from None
    except ValueError as error:
        raise InputError(f"{FIELD}: {path.name} is not JSON ({error})") from None
