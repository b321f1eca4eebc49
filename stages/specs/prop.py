"""Props: from words, a picture, an edited picture, posed views or splats to a textured mesh."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import (
    Field,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from stages.specs.base import Spec, a_number, not_empty
from stages.specs.steering import (
    ControlSpec,
    EditSpec,
    EmbeddingSpec,
    ImagePromptSpec,
    LoraSpec,
)

#: Fields that steer a picture drawn from words; those of `_EDITED` steer an edit as well.
_EDITED = ("negative_prompt", "loras", "embeddings", "ip_adapter")
_DRAWN = (*_EDITED, "control", "init_image")
#: How many candidates may be asked for.
MOST_CANDIDATES = 16


class PropSpec(Spec):
    """A prop; exactly one of prompt, image, edit, views, splats says where it enters.

    Attributes:
        prompt: what to make, in words.
        negative_prompt: what to keep out of the picture; with `prompt` or `edit`.
        loras, embeddings, ip_adapter: what steers the picture; with `prompt` or `edit`.
        control: maps that fix lines, depth or pose; only with `prompt`.
        init_image: a picture that the drawing starts from; only with `prompt`.
        strength: how much of `init_image` is drawn anew.
        image: a photograph or drawing of the object.
        edit: such a picture, of which a part is drawn anew first.
        views: a folder of posed pictures with transforms.json.
        splats: a Gaussian splatting PLY.
        up: the up axis of a person's `views` or `splats`; captures are often "-y".
        turn_deg: turns a person's `views` or `splats` about the up axis until their front faces +Z.
        height_m: height of the finished mesh.
        faces: most triangles the mesh may have.
        texture_px: side of the base colour texture, a power of two.
        formats: files wanted beside the GLB.
        candidates: how many are made, with a seed each, to keep the best of; with `prompt`, `image`
            or `edit`.
        pin: the number of the candidate that is kept, whatever the scores say.
        lods: how many coarser levels of detail are exported, each of half the triangles of the one
            before; by default the profile's.
        hull: one convex hull for collision, a few for its parts, or none; by default the profile's.
    """

    STARTS: ClassVar = ("prompt", "image", "edit", "views", "splats")
    FILES: ClassVar = ("image", "views", "splats", "init_image")
    FOLDERS: ClassVar = ("views",)

    kind: Literal["prop"] = "prop"
    prompt: StrictStr | None = None
    negative_prompt: StrictStr = ""
    loras: tuple[LoraSpec, ...] = ()
    embeddings: tuple[EmbeddingSpec, ...] = ()
    ip_adapter: ImagePromptSpec | None = None
    control: tuple[ControlSpec, ...] = ()
    init_image: StrictStr | None = None
    strength: float = Field(0.6, gt=0, le=1, allow_inf_nan=False)
    image: StrictStr | None = None
    edit: EditSpec | None = None
    views: StrictStr | None = None
    splats: StrictStr | None = None
    up: Literal["+x", "-x", "+y", "-y", "+z", "-z"] = "+y"
    turn_deg: float = Field(0.0, ge=-360, le=360, allow_inf_nan=False)
    height_m: float = Field(1.0, gt=0, le=1000, allow_inf_nan=False)
    faces: StrictInt = Field(5000, ge=100, le=200_000)
    texture_px: StrictInt = Field(1024, ge=16, le=8192)
    formats: tuple[Literal["obj", "stl"], ...] = ()
    candidates: StrictInt = 1
    pin: StrictInt | None = None
    lods: StrictInt | None = Field(None, ge=0, le=5)
    hull: Literal["convex", "parts", "none"] | None = None

    _texts = field_validator("prompt", "image", "init_image", "views", "splats")(not_empty)
    _numbers = field_validator("height_m", "turn_deg", "strength", mode="before")(a_number)

    @property
    def sources(self) -> Mapping[str, Path]:
        """The person's files; maps are numbered from 1."""
        named = dict(super().sources)
        if self.ip_adapter is not None:
            named["ip_adapter.image"] = Path(self.ip_adapter.image)
        for number, control in enumerate(self.control, 1):
            named[f"control.{number}.image"] = Path(control.image)
        if self.edit is not None:
            named["edit.image"] = Path(self.edit.image)
            named["edit.mask"] = Path(self.edit.mask)
        return named

    @field_validator("texture_px")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError(f"found {value}, wanted a power of two")
        return value

    @field_validator("candidates")
    @classmethod
    def _so_many_candidates(cls, value: int) -> int:
        if not 1 <= value <= MOST_CANDIDATES:
            raise ValueError(f"found {value}, wanted 1 to {MOST_CANDIDATES}")
        return value

    @field_validator("pin")
    @classmethod
    def _pin_is_a_candidate(cls, value: int | None, info: ValidationInfo) -> int | None:
        count = info.data.get("candidates")
        if value is None or count is None or 1 <= value <= count:
            return value
        wanted = f"1 to {count}" if count > 1 else "candidates beside it, such as candidates: 4"
        raise ValueError(f"found {value}, wanted {wanted}")

    @model_validator(mode="after")
    def _candidates_have_something_to_vary(self) -> PropSpec:
        if self.candidates > 1 and self.enters in ("views", "splats"):
            raise ValueError("candidates goes with a prompt, an image or an edit only")
        return self

    @model_validator(mode="after")
    def _steering_has_something_to_steer(self) -> PropSpec:
        if self.prompt is not None:
            return self
        fields = _DRAWN if self.edit is None else tuple(f for f in _DRAWN if f not in _EDITED)
        for name in fields:
            if getattr(self, name):
                wanted = "a prompt or an edit" if name in _EDITED else "a prompt"
                raise ValueError(f"{name} goes with {wanted} only")
        return self

    @model_validator(mode="after")
    def _strength_has_a_picture(self) -> PropSpec:
        if "strength" in self.model_fields_set and self.init_image is None:
            raise ValueError("strength goes with init_image only (an edit has its own)")
        return self
