"""What steers the picture of a prop besides its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr, field_validator, model_validator

from stages.specs.base import a_number, not_empty

#: A model's file: a registered name, a path, or a file name in `models_dir`. Its hash is in the
#: asset's key with the model, its name is not.
_FILE: Any = Field(exclude=True)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    _numbers = field_validator("weight", "strength", mode="before", check_fields=False)(a_number)
    _texts = field_validator(
        "file", "image", "mask", "prompt", "model", "token", check_fields=False
    )(not_empty)


class LoraSpec(_Part):
    """A LoRA.

    Attributes:
        file: the LoRA's file.
        weight: 1 as it was trained; negative is the opposite.
    """

    file: StrictStr = _FILE
    weight: float = Field(1.0, ge=-4, le=4, allow_inf_nan=False)


class EmbeddingSpec(_Part):
    """A learned word (textual inversion).

    Attributes:
        file: the embedding's file.
        token: the word that stands for it in the prompts; by default the file's name.
    """

    file: StrictStr = _FILE
    token: StrictStr

    @model_validator(mode="before")
    @classmethod
    def _token_from_file(cls, value: Any) -> Any:
        if isinstance(value, dict) and "token" not in value and isinstance(value.get("file"), str):
            return {**value, "token": Path(value["file"]).name.removesuffix(".safetensors")}
        return value


class ImagePromptSpec(_Part):
    """A picture as part of the prompt (IP-Adapter).

    Attributes:
        image: the picture.
        weight: 0 leaves it out, 1 lets it speak as loudly as the words.
        kind: plus for objects and styles, plus-face for faces.
        model: the adapter, if not the profile's or the registered one.
    """

    image: StrictStr = Field(exclude=True)
    weight: float = Field(0.6, ge=0, le=2, allow_inf_nan=False)
    kind: Literal["plus", "plus-face"] = "plus"
    model: StrictStr | None = Field(None, exclude=True)


class ControlSpec(_Part):
    """A map that fixes lines, depth or pose (ControlNet or T2I-Adapter).

    Attributes:
        kind: what the map shows.
        image: the map.
        weight: 0 leaves it out, 1 as the network was trained.
        model: the network, if not the profile's or the registered one.
    """

    kind: Literal["lineart", "depth", "openpose"]
    image: StrictStr = Field(exclude=True)
    weight: float = Field(1.0, ge=0, le=2, allow_inf_nan=False)
    model: StrictStr | None = Field(None, exclude=True)


class EditSpec(_Part):
    """A picture of which a part is drawn anew.

    Attributes:
        image: the picture.
        mask: a picture of the same size, white where it is drawn anew.
        prompt: what that part shall show.
        strength: how far it may leave what was there.
    """

    image: StrictStr = Field(exclude=True)
    mask: StrictStr = Field(exclude=True)
    prompt: StrictStr
    strength: float = Field(1.0, gt=0, le=1, allow_inf_nan=False)

    def __str__(self) -> str:
        return f"{self.prompt} in {self.image}"
