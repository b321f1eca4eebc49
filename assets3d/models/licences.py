"""Which licence a model has: the gate of commercial profiles, and the table for people."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from assets3d.errors import InputError
from assets3d.models.entry import Entry
from assets3d.models.files import ModelFiles

_log = logging.getLogger(__name__)

_COLUMNS = ("model", "for", "licence", "commercial use", "download", "GPU memory", "repository")


def check_commercial(model: ModelFiles, where: str) -> None:
    """Refuse a model whose results may not be sold, or where nobody knows.

    A file of the person's own that the registry does not know is theirs to judge: it passes, with
    a warning.

    Raises:
        InputError: not for commercial use, or nobody read its licence.
    """
    if model.commercial == "no" or model.registered or model.source == "hub":
        _refuse_unsold(model.name, model.licence, model.commercial, where)
    elif model.commercial != "yes":
        _log.warning("%s: the licence of %s is not known, it is yours to judge", where, model.name)


def check_commercial_entry(entry: Entry, where: str) -> None:
    """Refuse a registered model like `check_commercial`, before its files are looked for.

    Raises:
        InputError: not for commercial use, or nobody read its licence.
    """
    _refuse_unsold(entry.name, entry.licence, entry.commercial_word, where)


def _refuse_unsold(name: str, licence: str, commercial: str, where: str) -> None:
    says = "and the profile says `commercial: true`"
    if commercial == "no":
        raise InputError(
            f"{where}: {name} is not for commercial use ({licence}) {says}, "
            "wanted another model (`assets3d models table`)"
        )
    if commercial != "yes":
        raise InputError(
            f"{where}: nobody has read the licence of {name} ({licence}) {says}, "
            "wanted `commercial: true` or `false` in its entry of configs/models.yaml"
        )


def table(entries: Iterable[Entry]) -> str:
    """Return the registry as a Markdown table, in its own order."""
    lines = [_row(_COLUMNS), _row("---" for _ in _COLUMNS)]
    for entry in entries:
        lines.append(
            _row(
                (
                    f"`{entry.name}`",
                    _purpose(entry),
                    entry.licence,
                    _commercial(entry),
                    gigabytes(entry.download_gb),
                    gigabytes(entry.gpu_gb),
                    _repository(entry),
                )
            )
        )
    return "\n".join(lines) + "\n"


def gigabytes(value: float | None) -> str:
    """Return a size for people: "6.9 GB", "180 MB", "unknown", or "-" for nothing."""
    if value is None:
        return "unknown"
    if value == 0:
        return "-"
    return f"{value:g} GB" if value >= 0.5 else f"{1000 * value:g} MB"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _purpose(entry: Entry) -> str:
    step = entry.step or "every step"
    return step if entry.kind == "checkpoint" else f"{step}: {entry.kind.replace('_', ' ')}"


def _commercial(entry: Entry) -> str:
    words = {True: "yes", False: "**no**", None: "not known, ask its author"}[entry.commercial]
    return f"{words} ({entry.conditions})" if entry.conditions else words


def _repository(entry: Entry) -> str:
    if not entry.on_hub:
        return {"embedded": "in this repository", "rembg": "rembg's own"}[entry.source]
    others = sorted({part.source for part in entry.parts.values()} - {entry.source})
    text = " + ".join([entry.source, *others])
    return text if entry.verified else f"{text} (unverified)"
