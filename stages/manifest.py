"""The manifest: what a person wants, one entry per asset, every mistake named and kept apart.

A bad entry is a failure of that asset alone; only a file that is not YAML stops everything.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, ScalarNode

from assets3d.errors import InputError
from stages.specs import KINDS, Spec

_ID = re.compile(r"[a-z][a-z0-9_-]*")
_MAX_ID = 64  # an id becomes a folder and a file name


@dataclass(frozen=True)
class Manifest:
    """The assets that can be tried, and one line for each entry that cannot.

    Attributes:
        assets: id -> spec, in the order of the file.
        problems: id -> what is wrong with the entry and what was wanted.
        order: every id in the order of the file.
    """

    assets: dict[str, Spec]
    problems: dict[str, str]
    order: tuple[str, ...] = ()


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
    assets: dict[str, Spec] = {}
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
    return Manifest(assets, problems, tuple(first_line))


def check_entry(name: str, entry: object) -> Spec:
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
    kind = entry.get("kind", "prop")
    if kind not in KINDS:
        raise InputError(f"kind: found {_shown(kind)}, wanted one of {', '.join(KINDS)}")
    model = KINDS[kind]
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        problems = (_problem(problem, model) for problem in error.errors())
        raise InputError("; ".join(problems)) from None


def _entries(text: str, path: Path) -> Iterator[tuple[str, int, Any]]:
    """Yield (id, line, value or InputError), duplicate ids included, which a plain load hides."""
    try:
        loader = yaml.CSafeLoader(text) if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader(text)
        root = loader.get_single_node()
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"manifest: {path} is not YAML: {_yaml_problem(error)}") from None
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
        return InputError(f"entry: cannot be read ({_yaml_problem(error)})")


def _yaml_problem(error: Exception) -> str:
    """Return where the file stops being YAML, and why, in the words of the reader."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())
    mark, opened = error.problem_mark, error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    if opened is None or opened.line == mark.line:
        return where
    return f"{where} ({error.context} that begins in line {opened.line + 1})"


def _problem(error: Any, model: type[Spec]) -> str:
    """Turn one pydantic error into `field: found ..., wanted ...`; lists are numbered from 1."""
    place = [part + 1 if isinstance(part, int) else part for part in error["loc"]]
    field = ".".join(map(str, place)) or "entry"
    if error["type"] == "extra_forbidden":
        fields = _fields_at(model, error["loc"][:-1])
        nearest = difflib.get_close_matches(str(place[-1]), fields, n=1, cutoff=0.5)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known: {', '.join(fields)}"
        return f"{field}: unknown field, {hint}"
    if error["type"] == "value_error":
        return f"{field}: {error['ctx']['error']}"
    if error["type"] == "missing":
        return f"{field}: found none, wanted one"
    if error["type"] == "model_type":
        fields = _fields_at(model, error["loc"])
        return f"{field}: found {_shown(error['input'])}, wanted fields {', '.join(fields)}"
    wanted = error["msg"].removeprefix("Input should be ")
    if error["type"] in ("tuple_type", "list_type"):
        wanted = f"a list, such as [{error['input']}]" if error["input"] is not None else "a list"
    return f"{field}: found {_shown(error['input'])}, wanted {wanted}"


def _fields_at(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """Return the names of the fields of the model at a place of an entry."""
    for part in place:
        if isinstance(part, int):
            continue
        inner = _models_in(model.model_fields[part].annotation)
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that a type names: X itself, X | None, tuple[X, ...]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
