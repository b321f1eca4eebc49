"""The manifest: what a person wants, one entry per asset, every mistake named and kept apart.

A bad entry is a failure of that asset alone; only a file that is not YAML stops everything.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
    model_validator,
)
from yaml.nodes import MappingNode, ScalarNode

from assets3d.errors import InputError

Kind = Literal["prompt", "image", "views", "splats"]
KINDS: tuple[Kind, ...] = ("prompt", "image", "views", "splats")
_ID = re.compile(r"[a-z][a-z0-9_-]*")
_MAX_ID = 64  # an id becomes a folder and a file name


class AssetSpec(BaseModel):
    """One asset of the manifest; exactly one of prompt, image, views, splats says where it enters.

    Attributes:
        prompt: what to make, in words.
        negative_prompt: what to keep out of the picture; only with `prompt`.
        image: a photograph or drawing of the object.
        views: a folder of posed pictures with transforms.json.
        splats: a Gaussian splatting PLY.
        up: the up axis of a person's `views` or `splats`; captures are often "-y".
        turn_deg: turns a person's `views` or `splats` about the up axis until their front faces +Z.
        seed: changes every random choice of this asset and of no other.
        height_m: height of the finished mesh.
        faces: most triangles the mesh may have.
        texture_px: side of the base colour texture, a power of two.
        formats: files wanted beside the GLB.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: StrictStr | None = None
    negative_prompt: StrictStr = ""
    image: StrictStr | None = None
    views: StrictStr | None = None
    splats: StrictStr | None = None
    up: Literal["+x", "-x", "+y", "-y", "+z", "-z"] = "+y"
    turn_deg: float = Field(0.0, ge=-360, le=360, allow_inf_nan=False)
    seed: StrictInt = Field(0, ge=0, lt=2**63)
    height_m: float = Field(1.0, gt=0, le=1000, allow_inf_nan=False)
    faces: StrictInt = Field(5000, ge=100, le=200_000)
    texture_px: StrictInt = Field(1024, ge=16, le=8192)
    formats: tuple[Literal["obj", "stl"], ...] = ()

    @property
    def kind(self) -> Kind:
        """The step input this asset starts from."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def source(self) -> Path | None:
        """The person's file or folder, or None for a prompt."""
        return None if self.prompt is not None else Path(getattr(self, self.kind))

    @field_validator("prompt", "image", "views", "splats")
    @classmethod
    def _not_empty(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("is empty, wanted a text")
        return value

    @field_validator("height_m", "turn_deg", mode="before")
    @classmethod
    def _a_number(cls, value: object) -> object:
        if isinstance(value, bool | str):  # pydantic would read "1" and true as 1.0
            raise ValueError(f"found {value!r}, wanted a number")
        return value

    @field_validator("texture_px")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError(f"found {value}, wanted a power of two")
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> AssetSpec:
        found = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(found) != 1:
            raise ValueError(
                f"found {' and '.join(found) or 'none'}, wanted exactly one of {', '.join(KINDS)}"
            )
        if self.negative_prompt and self.prompt is None:
            raise ValueError("negative_prompt goes with a prompt only")
        return self


@dataclass(frozen=True)
class Manifest:
    """The assets that can be tried, and one line for each entry that cannot.

    Attributes:
        assets: id -> spec, in the order of the file.
        problems: id -> what is wrong with the entry and what was wanted.
    """

    assets: dict[str, AssetSpec]
    problems: dict[str, str]


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        InputError: when the file is missing, is no YAML or is no mapping of ids.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"manifest: no file {path}, wanted a YAML file of assets") from None
    except UnicodeDecodeError as error:
        raise InputError(f"manifest: {path} is not UTF-8 text ({error.reason})") from None
    assets: dict[str, AssetSpec] = {}
    problems: dict[str, str] = {}
    first_line: dict[str, int] = {}
    for name, line, entry in _entries(text, path):
        if name in first_line:
            problems[name] = (
                f"id: found twice, in lines {first_line[name]} and {line}, wanted each id once"
            )
            assets.pop(name, None)
            continue
        first_line[name] = line
        try:
            assets[name] = check_entry(name, entry)
        except InputError as error:
            problems[name] = str(error)
    return Manifest(assets, problems)


def check_entry(name: str, entry: object) -> AssetSpec:
    """Check one entry.

    Raises:
        InputError: one line with every problem of the entry.
    """
    if isinstance(entry, InputError):
        raise entry
    if not _ID.fullmatch(name) or len(name) > _MAX_ID:
        raise InputError(
            f"id: found {name!r}, wanted a-z first, then a-z, 0-9, _ or -, at most {_MAX_ID} long"
        )
    if not isinstance(entry, dict):
        raise InputError(f"entry: found {_shown(entry)}, wanted fields such as prompt: or image:")
    try:
        return AssetSpec.model_validate(entry)
    except ValidationError as error:
        raise InputError("; ".join(_problem(problem) for problem in error.errors())) from None


def _entries(text: str, path: Path) -> Iterator[tuple[str, int, Any]]:
    """Yield (id, line, value or InputError), duplicate ids included, which a plain load hides."""
    try:
        loader = yaml.CSafeLoader(text) if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader(text)
        root = loader.get_single_node()
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"manifest: {path} is not YAML: {' '.join(str(error).split())}") from None
    if root is None:
        return
    if not isinstance(root, MappingNode):
        raise InputError(f"manifest: {path} is a {root.id}, wanted a mapping of asset ids")
    for key, value in root.value:
        name = key.value if isinstance(key, ScalarNode) else str(key.value)
        yield name, key.start_mark.line + 1, _construct(loader, value)


def _construct(loader: Any, node: Any) -> Any:
    if isinstance(node, MappingNode):
        names = [key.value for key, _ in node.value if isinstance(key, ScalarNode)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            return InputError(f"{twice[0]}: found twice in one entry, wanted once")
    try:
        return loader.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as error:
        return InputError(f"entry: cannot be read ({' '.join(str(error).split())})")


def _problem(error: Any) -> str:
    """Turn one pydantic error into `field: found ..., wanted ...`."""
    field = str(error["loc"][0]) if error["loc"] else "entry"
    if error["type"] == "extra_forbidden":
        nearest = difflib.get_close_matches(field, AssetSpec.model_fields, n=1, cutoff=0.5)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known: {_known_fields()}"
        return f"{field}: unknown field, {hint}"
    if error["type"] == "value_error":
        return f"{field}: {error['ctx']['error']}"
    wanted = error["msg"].removeprefix("Input should be ")
    return f"{field}: found {_shown(error['input'])}, wanted {wanted}"


def _known_fields() -> str:
    return ", ".join(AssetSpec.model_fields)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
