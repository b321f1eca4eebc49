"""One entry of the registry (configs/models.yaml), checked field by field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assets3d.errors import InputError
from assets3d.hub import DIFFUSERS_FILES

#: `owner/name` on the Hub.
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
#: What an entry can be; a checkpoint is what a step's `model` names.
KINDS = (
    "checkpoint",
    "inpainting",
    "lora",
    "embedding",
    "ip_adapter",
    "controlnet",
    "t2i_adapter",
    "vae",
    "clip_vision",
    "upscaler",
    "tokenizer",
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_COMMERCIAL: dict[bool | None, str] = {True: "yes", False: "no", None: "unverified"}


@dataclass(frozen=True)
class Part:
    """A file or a folder from another repository; exactly one of the two is named."""

    source: str
    file: str | None = None
    folder: str | None = None
    revision: str | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Patterns of the repository's files that the part is."""
        if self.file is not None:
            return (self.file,)
        return (f"{self.folder}/*.json", f"{self.folder}/*.safetensors")


@dataclass(frozen=True)
class Entry:
    """A registered model.

    Attributes:
        name: its name in the registry.
        source: "embedded", "rembg" or a Hugging Face repository `owner/name`.
        step: the pipeline step that it is for; None for every step.
        kind: one of `KINDS`.
        revision: the commit wanted; None takes the newest at the first fetch.
        files: patterns of the repository's files.
        parts: role -> file or folder from another repository.
        single_file: names of the same model in a ComfyUI or WebUI tree.
        verified: whether somebody could look at the repository.
        licence: of the weights.
        commercial: True, False, or None where nobody read the licence.
        conditions: under which conditions, in words.
        download_gb: what a fetch brings; None where unknown.
        gpu_gb: the weights in half precision, without working memory; None where unknown.
    """

    name: str
    source: str
    step: str | None = None
    kind: str = "checkpoint"
    revision: str | None = None
    files: tuple[str, ...] = DIFFUSERS_FILES
    parts: Mapping[str, Part] = field(default_factory=dict)
    single_file: tuple[str, ...] = ()
    verified: bool = False
    licence: str = "unverified"
    commercial: bool | None = None
    conditions: str = ""
    download_gb: float | None = None
    gpu_gb: float | None = None

    @property
    def on_hub(self) -> bool:
        """Whether the files come from a Hugging Face repository."""
        return HUB_ID.fullmatch(self.source) is not None

    @property
    def one_file(self) -> str | None:
        """The only file of the repository that counts, None when it is a folder of files."""
        alone = len(self.files) == 1 and "*" not in self.files[0]
        return self.files[0] if alone else None

    @property
    def commercial_word(self) -> str:
        """Return "yes", "no" or "unverified"."""
        return _COMMERCIAL[self.commercial]


def read_entry(name: str, values: Mapping[str, Any]) -> Entry:
    """Check one entry of the registry.

    Raises:
        InputError: naming the entry, the field, what was found and what was wanted.
    """
    where = f"models.yaml: {name}"
    if not isinstance(values, Mapping) or "source" not in values:
        raise InputError(f"{where}: found no source, wanted embedded, rembg or owner/name")
    known = set(Entry.__dataclass_fields__) - {"name"}
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(str(key), sorted(known), 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
            raise InputError(f"{where}.{key}: unknown field, {hint}")
    source = str(values["source"])
    if source not in ("embedded", "rembg") and not HUB_ID.fullmatch(source):
        raise InputError(f"{where} has source {source!r}, wanted embedded, rembg or owner/name")
    fields = dict(values)
    fields["files"] = _names(values.get("files", DIFFUSERS_FILES), f"{where}.files")
    fields["single_file"] = _names(values.get("single_file", ()), f"{where}.single_file")
    parts = values.get("parts") or {}
    if not isinstance(parts, Mapping):
        raise InputError(f"{where}.parts: found {parts!r}, wanted role: {{source, file or folder}}")
    fields["parts"] = {
        role: _read_part(part, f"{where}.parts.{role}") for role, part in parts.items()
    }
    entry = Entry(name=name, **fields)
    _check_values(entry, where)
    return entry


def _read_part(values: Any, where: str) -> Part:
    try:
        part = Part(**values)
    except TypeError:
        raise InputError(
            f"{where}: found {values!r}, wanted source, file or folder, revision"
        ) from None
    if not HUB_ID.fullmatch(str(part.source)) or (part.file is None) == (part.folder is None):
        raise InputError(f"{where}: wanted a source owner/name and either file or folder")
    _check_revision(part.revision, where)
    return part


def _names(values: Any, where: str) -> tuple[str, ...]:
    listed = isinstance(values, list | tuple)
    if not listed or not all(isinstance(value, str) for value in values):
        raise InputError(f"{where}: found {values!r}, wanted a list of file names")
    return tuple(values)


def _check_values(entry: Entry, where: str) -> None:
    if entry.kind not in KINDS:
        raise InputError(f"{where}.kind: found {entry.kind!r}, wanted one of {', '.join(KINDS)}")
    if entry.commercial not in (True, False, None):
        raise InputError(f"{where}.commercial: found {entry.commercial!r}, wanted true/false/null")
    for field_name in ("download_gb", "gpu_gb"):
        value = getattr(entry, field_name)
        if value is not None and not (isinstance(value, int | float) and value >= 0):
            raise InputError(f"{where}.{field_name}: found {value!r}, wanted gigabytes or null")
    _check_revision(entry.revision, where)


def _check_revision(revision: str | None, where: str) -> None:
    if revision is not None and not _COMMIT.fullmatch(str(revision)):
        raise InputError(
            f"{where}.revision: found {revision!r}, wanted a commit of 40 hexadecimal digits "
            "or null (branches move)"
        )
