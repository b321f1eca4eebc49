"""Props: from words, a picture, posed views or splats to a textured mesh."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, StrictInt, StrictStr, field_validator, model_validator

from stages.specs.base import Spec, a_number, not_empty


class PropSpec(Spec):
    """A prop; exactly one of prompt, image, views, splats says where it enters.

    Attributes:
        prompt: what to make, in words.
        negative_prompt: what to keep out of the picture; only with `prompt`.
        image: a photograph or drawing of the object.
        views: a folder of posed pictures with transforms.json.
        splats: a Gaussian splatting PLY.
        up: the up axis of a person's `views` or `splats`; captures are often "-y".
        turn_deg: turns a person's `views` or `splats` about the up axis until their front faces +Z.
        height_m: height of the finished mesh.
        faces: most triangles the mesh may have.
        texture_px: side of the base colour texture, a power of two.
        formats: files wanted beside the GLB.
    """

    STARTS: ClassVar = ("prompt", "image", "views", "splats")
    FILES: ClassVar = ("image", "views", "splats")

    kind: Literal["prop"] = "prop"
    prompt: StrictStr | None = None
    negative_prompt: StrictStr = ""
    image: StrictStr | None = None
    views: StrictStr | None = None
    splats: StrictStr | None = None
    up: Literal["+x", "-x", "+y", "-y", "+z", "-z"] = "+y"
    turn_deg: float = Field(0.0, ge=-360, le=360, allow_inf_nan=False)
    height_m: float = Field(1.0, gt=0, le=1000, allow_inf_nan=False)
    faces: StrictInt = Field(5000, ge=100, le=200_000)
    texture_px: StrictInt = Field(1024, ge=16, le=8192)
    formats: tuple[Literal["obj", "stl"], ...] = ()

    _texts = field_validator("prompt", "image", "views", "splats")(not_empty)
    _numbers = field_validator("height_m", "turn_deg", mode="before")(a_number)

    @field_validator("texture_px")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError(f"found {value}, wanted a power of two")
        return value

    @model_validator(mode="after")
    def _negative_prompt_has_a_prompt(self) -> PropSpec:
        if self.negative_prompt and self.prompt is None:
            raise ValueError("negative_prompt goes with a prompt only")
        return self
