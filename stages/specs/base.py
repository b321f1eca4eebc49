"""What all kinds of assets have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

#: The pack of assets that name none.
DEFAULT_PACK = "assets"


class Spec(BaseModel):
    """One asset of the manifest; exactly one of the fields of `STARTS` says where it enters.

    Attributes:
        seed: changes every random choice of this asset and of no other.
        pack: the pack that it is delivered in; letters, digits, _ and -, as in ids.
        licence: what the licence of the person's own files is, such as CC-BY-4.0.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: The fields of which an entry has exactly one: what the asset is made from.
    STARTS: ClassVar[tuple[str, ...]] = ()
    #: The fields that name a person's files or folders.
    FILES: ClassVar[tuple[str, ...]] = ()
    #: Those of them that name a folder, and those that name a file or a folder.
    FOLDERS: ClassVar[tuple[str, ...]] = ()
    EITHER: ClassVar[tuple[str, ...]] = ()

    #: Narrowed by every kind of asset to its own name.
    kind: str
    seed: StrictInt = Field(0, ge=0, lt=2**63)
    pack: StrictStr = Field(DEFAULT_PACK, pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)
    licence: StrictStr | None = None

    @property
    def enters(self) -> str:
        """The field that the asset is made from; a step lists those that it is for."""
        return next(name for name in self.STARTS if getattr(self, name) is not None)

    @property
    def sources(self) -> Mapping[str, Path]:
        """The person's files and folders by the field that names them."""
        named = {name: getattr(self, name) for name in self.FILES}
        return {name: Path(value) for name, value in named.items() if value is not None}

    def wants(self, field: str) -> str:
        """Say what must lie where a field points: "file", "folder" or "file or folder"."""
        if field in self.EITHER:
            return "file or folder"
        return "folder" if field in self.FOLDERS else "file"

    @property
    def words(self) -> str:
        """What the asset is, for a person."""
        return f"{self.enters}: {getattr(self, self.enters)}"

    @field_validator("licence")
    @classmethod
    def _licence_has_words(cls, value: str | None) -> str | None:
        return not_empty(value)

    @model_validator(mode="after")
    def _one_start(self) -> Spec:
        found = [name for name in self.STARTS if getattr(self, name) is not None]
        if len(found) != 1:
            wanted = f"wanted exactly one of {', '.join(self.STARTS)}"
            raise ValueError(f"found {' and '.join(found) or 'none'}, {wanted}")
        return self


def not_empty(value: str | None) -> str | None:
    """Refuse a text without a word in it."""
    if value is not None and not value.strip():
        raise ValueError("is empty, wanted a text")
    return value


def a_number(value: object) -> object:
    """Refuse what pydantic would read as a number although it is none: "1" and true."""
    if isinstance(value, bool | str):
        raise ValueError(f"found {value!r}, wanted a number")
    return value
