"""From the records of the steps to one account of how an asset was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from assets3d.export.provenance import ModelUse, Provenance, input_verdict
from stages._records import read_record

#: Ends every line that `refusal` returns.
_GATE = "and the profile says `commercial: true`"
#: Of a hash: enough to tell weights apart, and to find them in record.json.
_DIGITS = 16

Records = Mapping[str, Mapping[str, Any]]


def read_records(folders: Mapping[str, Path]) -> Records:
    """Return step -> record.json of the steps that an asset went through.

    Raises:
        InputError: when one is missing or broken.
    """
    records = {step: read_record(folder) for step, folder in folders.items()}
    for step, record in records.items():
        if record is None:
            raise InputError(f"{step}/record.json: missing or broken, wanted it from that step")
    return {step: record for step, record in records.items() if record is not None}


def provenance_of(spec: Mapping[str, Any], records: Records) -> Provenance:
    """Return how an asset was made.

    Args:
        spec: the manifest fields `id`, `kind`, `enters`, `seed`, `licence`, and, where the asset
            has them, `prompt`, `procedural`, `script`.
        records: by step, in the order of the steps.
    """
    inputs = _inputs(records)
    return Provenance(
        asset=spec["id"],
        kind=spec["kind"],
        words=_words(spec),
        prompt=spec.get("prompt") or "",
        seed=spec["seed"],
        models=tuple(use for step in records for use in _models(step, records)),
        inputs=inputs,
        input_licence=spec["licence"],
        input_commercial=input_verdict(spec["licence"]),
    )


def history(records: Records) -> list[dict[str, Any]]:
    """Return what is needed to make an asset again, step by step."""
    kept = ("step", "key", "spec", "seed", "params", "inputs", "models", "versions", "numbers")
    return [{name: record[name] for name in kept} for record in records.values()]


def earlier_warnings(records: Records) -> tuple[str, ...]:
    """Return every step's warnings, each with its step's name."""
    return tuple(f"{s}: {w}" for s, record in records.items() for w in record["warnings"])


def refusal(provenance: Provenance) -> str | None:
    """Return why an asset must not be sold, or None; whatever nobody checked may not be either."""
    if provenance.commercial == "yes":
        return None
    if provenance.input_commercial == "no":
        return (
            f"licence: found {provenance.input_licence!r}, which is not for commercial use, {_GATE}"
        )
    use = next(use for use in provenance.models if use.commercial != "yes")
    why = "is not for commercial use" if use.commercial == "no" else "nobody checked the licence of"
    words = f"{use.name} {why}" if use.commercial == "no" else f"{why} {use.name}"
    return f"{use.step}: {words} ({use.licence}), {_GATE}"


def is_refusal(message: str) -> bool:
    """Say whether a failure of the export step is the licence gate's."""
    return message.endswith(_GATE)


def _words(spec: Mapping[str, Any]) -> str:
    enters = spec["enters"]
    if enters == "script":
        commands = (" ".join(f"{k} {v}" for k, v in step.items()) for step in spec["script"])
        return "script: " + ", ".join(commands)
    value = spec.get(enters)
    # File names are no part of an asset: a renamed photograph changes nothing.
    return f"{enters}: {value}" if enters in ("prompt", "procedural") else f"from {enters}"


def _models(step: str, records: Records) -> Sequence[ModelUse]:
    record = records[step]
    # These steps' records name the network that others of their assets are made with.
    if step == "motion" and not _drives(record):
        return ()
    if step == "maps" and _is_computed(records.get("texture")):
        return ()
    return [
        ModelUse(
            step,
            model["name"],
            model["source"],
            _revision(model),
            model["licence"],
            model["commercial"],
        )
        for model in record["models"].values()
    ]


def _revision(model: Mapping[str, Any]) -> str | None:
    """Return the commit, or where there is none the first digits of the hash in the record."""
    digest = model.get("sha256")
    return model["revision"] or (f"sha256:{digest[:_DIGITS]}" if digest else None)


def _is_computed(texture: Mapping[str, Any] | None) -> bool:
    """Say whether words chose a material of the procedural world: no network drew or read it."""
    return texture is not None and texture["spec"]["enters"] == "prompt" and not texture["models"]


def _drives(record: Mapping[str, Any]) -> bool:
    """Say whether the profile's network made a clip: no capture, nor a person's own network."""
    own = any(name.partition("/")[0] == "weights" for name in record["inputs"])
    return record["spec"]["enters"] == "script" and not own


def _inputs(records: Records) -> dict[str, str]:
    """Return the person's files; whatever a step read of another one bears that one's name."""
    return {
        name: digest
        for record in records.values()
        for name, digest in record["inputs"].items()
        if "/" not in name or name.partition("/")[0] not in records
    }
