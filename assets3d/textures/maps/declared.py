"""Fields of a declaration in YAML, each checked when it is read, errors in one line."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from assets3d.errors import InputError


@dataclass(frozen=True)
class Fields:
    """The values of a mapping that may hold `known` fields only.

    Raises:
        InputError: no mapping, or an unknown field.

    Attributes:
        values: name -> value as YAML gave it.
        field: the name that messages begin with.
        known: the names that may occur.
    """

    values: Mapping[str, Any]
    field: str
    known: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.values, Mapping):
            raise InputError(
                f"{self.field}: found {self.values!r}, wanted {{{', '.join(self.known)}}}"
            )
        for name in self.values:
            if name not in self.known:
                near = difflib.get_close_matches(str(name), self.known, 1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(self.known)}"
                raise InputError(f"{self.field}.{name}: unknown field, {hint}")

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return a mapping, empty where it is not given; who reads it checks it."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, Mapping):
            raise InputError(f"{self.field}.{name}: found {value!r}, wanted name: value")
        return value or {}

    def file(self, name: str) -> Path:
        """Return the path of a file that exists."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            raise InputError(f"{self.field}.{name}: found {value!r}, wanted the path of a file")
        path = Path(value).expanduser()
        if not path.is_file():
            raise InputError(f"{self.field}.{name}: no file {value}, wanted an ONNX network there")
        return path

    @overload
    def word(self, name: str, usual: str, wanted: Sequence[str] = ()) -> str: ...

    @overload
    def word(self, name: str, usual: None, wanted: Sequence[str] = ()) -> str | None: ...

    def word(self, name: str, usual: str | None, wanted: Sequence[str] = ()) -> str | None:
        """Return a word, one of those wanted where there are any."""
        value = self.values.get(name)
        if value is None:
            return usual
        if not isinstance(value, str) or (wanted and value not in wanted):
            what = f"one of {', '.join(wanted)}" if wanted else "a name"
            raise InputError(f"{self.field}.{name}: found {value!r}, wanted {what}")
        return value

    def truth(self, name: str) -> bool | None:
        """Return true or false, None where it is not given."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise InputError(f"{self.field}.{name}: found {value!r}, wanted true or false")
        return value

    def whole(self, name: str, usual: int | None, least: int, most: int) -> int | None:
        """Return a whole number within limits."""
        value = self.values.get(name)
        if value is None:
            return usual
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InputError(
                f"{self.field}.{name}: found {value!r}, wanted a whole number, {least} to {most}"
            )
        return value

    def number(self, name: str, usual: float, one_of: Sequence[float] = ()) -> float:
        """Return a number, one of few where there are any."""
        value = self.values.get(name)
        if value is None:
            return usual
        if not _is_number(value) or (one_of and value not in one_of):
            what = " or ".join(f"{one:g}" for one in one_of) or "a number"
            raise InputError(f"{self.field}.{name}: found {value!r}, wanted {what}")
        return float(value)

    def numbers(
        self, name: str, usual: tuple[float, ...], *, whole: bool = False
    ) -> tuple[float, ...]:
        """Return as many numbers as `usual` has."""
        value = self.values.get(name)
        if value is None:
            return usual
        listed = isinstance(value, list | tuple) and len(value) == len(usual)
        if not listed or not all(_is_number(v) and (not whole or v == int(v)) for v in value):
            kind = "whole numbers" if whole else "numbers"
            raise InputError(
                f"{self.field}.{name}: found {value!r}, wanted a list of {len(usual)} {kind}"
            )
        return tuple(float(v) for v in value)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e9  # false for NaN as well
