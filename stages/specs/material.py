"""Materials: from words or a picture to maps that tile."""

from __future__ import annotations

import difflib
from typing import ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from assets3d.errors import InputError
from assets3d.textures.seamless.settings import (
    NEGATIVE_PROMPT,
    STYLE,
    SeamlessSettings,
    geometry_of,
)
from stages.specs.base import Spec, a_number, not_empty

#: What profiles do that say nothing.
DEFAULT_MODE = "roll"
#: Fields in pixels of the finished tile.
LENGTHS = ("period_px", "canvas_px", "half_width_px", "ramp_px")
# Field -> the modes that read it; None is the profile's own, which may be any.
_CROSS = frozenset({"roll", "canvas", None})
_READ_BY: dict[str, frozenset[str | None]] = {
    "period_px": frozenset({"canvas"}),
    "canvas_px": frozenset({"canvas"}),
    "half_width_px": _CROSS,
    "ramp_px": _CROSS,
    "denoise": _CROSS | {"workflow-exact"},
    "axes": frozenset({"circular"}),
}
# Fields that say how a picture is drawn or read: a computed material has nothing of it.
_OF_PICTURES = (
    *("style", "negative_prompt", "mode", *_READ_BY, "sampling", "maps", "light_deg", "delight"),
)
# Fields that only a given picture has use for.
_OF_IMAGES = ("shows", "ip_adapter_weight")


class SamplingSpec(BaseModel):
    """How the picture is sampled, where that differs from the profile.

    Attributes:
        steps: sampling steps.
        guidance: classifier-free guidance; 1 switches it off.
        sampler: a sampler by its familiar name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: StrictInt | None = Field(None, ge=1, le=200)
    guidance: float | None = Field(None, ge=0, le=50, allow_inf_nan=False)
    sampler: StrictStr | None = None

    _numbers = field_validator("guidance", mode="before")(a_number)
    _texts = field_validator("sampler")(not_empty)

    @field_validator("sampler")
    @classmethod
    def _known_sampler(cls, value: str | None) -> str | None:
        if value is not None:
            from assets3d.images.samplers import choose

            try:
                choose(value)
            except InputError as error:
                raise ValueError(str(error)) from None
        return value


class MaterialSpec(Spec):
    """A seamless material; exactly one of prompt, image, procedural says what it is made from.

    Attributes:
        prompt: what to draw, in words.
        image: a photograph or drawing of the surface.
        procedural: a family of the material world, computed at any size with exact maps.
        shows: what that picture shows, in words, for the model that repaints its seams.
        style: the sentence that the prompt is put into, at {prompt}.
        negative_prompt: what to keep out of the picture.
        mode: how it is made seamless: `roll` repaints the seams, `canvas` repaints them as the
            published workflows do, `workflow-exact` with their very numbers, `circular` draws on
            the torus, `patch` cuts and blends without a model; by default the profile's.
        axes: the directions in which `circular` tiles.
        period_px, canvas_px, half_width_px, ramp_px: the geometry of what is repainted, in pixels
            of a tile of `size_px`; by default what fits.
        denoise: how much of the repainted part is drawn anew.
        ip_adapter_weight: how loudly a picture speaks when its seams are repainted.
        sampling: how the picture is sampled, where that differs from the profile.
        size_px: side of the tile.
        upscale: every map is this much larger than the tile.
        tile_m: side of the tile in metres; by default 1, or what suits the procedural family.
        height_m: from the lowest point to the highest; by default what the slopes seen in the
            picture give.
        maps: the back end that reads the maps off the picture; by default the profile's.
        light_deg: where the light in the picture comes from: 0 right, 90 above, 180 left; the back
            end `small` tells hills from holes by it.
        delight: take baked light out of the base colour.
        roughness_bias, roughness_gain: added to the roughness, and multiplied before.
        occlusion_bias, occlusion_gain: the same of the occlusion's darkness.
        metallic: how much of the surface is metal, where the back end does not see it.
        directx: write the normal map of the DirectX convention too.
        packs: engines to pack the maps for.
    """

    STARTS: ClassVar = ("prompt", "image", "procedural")
    FILES: ClassVar = ("image",)

    kind: Literal["material"]
    prompt: StrictStr | None = None
    image: StrictStr | None = None
    procedural: StrictStr | None = None
    shows: StrictStr = ""
    style: StrictStr = STYLE
    negative_prompt: StrictStr = NEGATIVE_PROMPT
    mode: Literal["roll", "canvas", "workflow-exact", "circular", "patch"] | None = None
    axes: Literal["both", "x", "y"] = "both"
    period_px: StrictInt | None = Field(None, ge=64, le=8192)
    canvas_px: StrictInt | None = Field(None, ge=64, le=16384)
    half_width_px: StrictInt | None = Field(None, ge=8, le=4096)
    ramp_px: StrictInt | None = Field(None, ge=0, le=4096)
    denoise: float = Field(1.0, gt=0, le=1, allow_inf_nan=False)
    ip_adapter_weight: float = Field(0.8, ge=0, le=2, allow_inf_nan=False)
    sampling: SamplingSpec = SamplingSpec(steps=None, guidance=None)
    size_px: StrictInt = Field(1024, ge=64, le=8192)
    upscale: Literal[1, 2, 4] = 1
    tile_m: float | None = Field(None, gt=0, le=1000, allow_inf_nan=False)
    height_m: float | None = Field(None, ge=0, le=100, allow_inf_nan=False)
    maps: (
        Literal["small", "luminance", "marigold", "depth-anything-v2-small", "midas", "external"]
        | None
    ) = None
    light_deg: float = Field(90.0, ge=-360, le=360, allow_inf_nan=False)
    delight: bool = False
    roughness_bias: float = Field(0.0, ge=-1, le=1, allow_inf_nan=False)
    roughness_gain: float = Field(1.0, ge=0, le=10, allow_inf_nan=False)
    occlusion_bias: float = Field(0.0, ge=-1, le=1, allow_inf_nan=False)
    occlusion_gain: float = Field(1.0, ge=0, le=10, allow_inf_nan=False)
    metallic: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    directx: bool = False
    packs: tuple[
        Literal["gltf", "godot", "unity-urp", "unity-hdrp", "unreal", "blender", "workflow"], ...
    ] = ()

    _texts = field_validator("prompt", "image", "style")(not_empty)
    _numbers = field_validator(
        *("denoise", "ip_adapter_weight", "tile_m", "height_m", "light_deg"),
        "roughness_bias",
        *("roughness_gain", "occlusion_bias", "occlusion_gain", "metallic"),
        mode="before",
    )(a_number)

    @field_validator("procedural")
    @classmethod
    def _known_family(cls, value: str | None) -> str | None:
        if value is None:
            return None
        # Imported here: the families are the library's own.
        from assets3d.textures.world.catalogue import FAMILIES

        if value not in FAMILIES:
            near = difflib.get_close_matches(value, FAMILIES, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"found {value!r}{hint}, wanted one of {', '.join(FAMILIES)}")
        return value

    @field_validator("size_px")
    @classmethod
    def _whole_cells(cls, value: int) -> int:
        if value % 64:
            raise ValueError(f"found {value}, wanted a multiple of 64")
        return value

    @field_validator("style")
    @classmethod
    def _holds_the_prompt(cls, value: str) -> str:
        if value.count("{prompt}") != 1 or value.replace("{prompt}", "").count("{"):
            raise ValueError(f"found {value!r}, wanted a sentence with {{prompt}} once")
        return value

    @model_validator(mode="after")
    def _fields_go_together(self) -> MaterialSpec:
        given = self.model_fields_set
        for name in _OF_IMAGES:
            if name in given and self.image is None:
                raise ValueError(f"{name} goes with image only")
        for name in _OF_PICTURES:
            if name in given and self.procedural is not None:
                raise ValueError(f"{name}: a procedural material is computed, wanted no {name}")
        if self.image is not None and self.mode == "circular":
            raise ValueError(
                "mode: circular draws from words, wanted roll, canvas, workflow-exact or patch"
            )
        for name, modes in _READ_BY.items():
            if name in given and self.mode not in modes:
                wanted = " or ".join(sorted(mode for mode in modes if mode))
                raise ValueError(f"{name} goes with mode: {wanted} only")
        self._check_lengths()
        if self.size_px * self.upscale > 8192:
            raise ValueError(
                f"upscale: found {self.upscale} times size_px {self.size_px}, wanted 8192 at most"
            )
        # A tile of the world has a side of its own, which only its step knows.
        tile_m = self.tile_m or (1.0 if self.image is not None else None)
        if self.height_m is not None and tile_m is not None and self.height_m > tile_m:
            raise ValueError(f"height_m: found {self.height_m:g}, wanted at most tile_m {tile_m:g}")
        return self

    def _check_lengths(self) -> None:
        """Check the lengths in the person's own pixels: whatever side the model draws, they fit."""
        asked = {name: getattr(self, name) for name in LENGTHS if name in self.model_fields_set}
        if not asked:
            return
        settings = SeamlessSettings("canvas" if self.mode == "canvas" else "roll", **asked)
        try:
            geometry_of(settings, self.size_px)
        except InputError as error:
            raise ValueError(str(error)) from None
