"""Where models may lie, and the registry as it is handed around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets3d.models.entry import Entry, read_entry
from assets3d.models.files import EMBEDDED_FOLDER

#: name -> entry, checked (`Entry`) or as the file has it; those are checked when they are needed.
Registry = Mapping[str, Entry | Mapping[str, Any]]


@dataclass(frozen=True)
class Places:
    """Where models may lie besides the Hub's cache.

    Attributes:
        embedded: the folder of the weights that ship with the package.
        trees: folders shared with ComfyUI or the WebUI.
        local: registered name -> the folder or file that stands for it.
        commits: repository that is named directly -> its pinned commit.
    """

    embedded: Path = EMBEDDED_FOLDER
    trees: tuple[Path, ...] = ()
    local: Mapping[str, Path] = field(default_factory=dict)
    commits: Mapping[str, str] = field(default_factory=dict)


def entry_of(name: str, registry: Registry) -> Entry | None:
    """Return a registered model, checked; None for a name that is not there.

    Raises:
        InputError: the entry is wrong.
    """
    values = registry.get(name)
    return values if values is None or isinstance(values, Entry) else read_entry(name, values)
