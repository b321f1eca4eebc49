"""What can be chosen about how a texture is made seamless, and the pixels that follow from it.

Lengths are pixels at the working size, the side of the tile that the model draws. What is not given
is a fraction of that side, so that one manifest entry fits a 128-px and a 1024-px model. Importing
this module imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from assets3d.errors import InputError

Mode = Literal["roll", "canvas", "circular", "patch"]
Ramp = Literal["linear", "smooth"]
Overlay = Literal["x-then-y", "three"]
Axes = Literal["both", "x", "y"]

#: What words are put into before the model reads them; SDXL's own style for textures.
STYLE = "texture {prompt} top down close-up"
#: What textures are steered away from where the guidance is above 1.
NEGATIVE_PROMPT = "ugly, deformed, noisy, blurry"
#: How loudly a picture speaks through an IP-Adapter in picture mode.
IMAGE_PROMPT_WEIGHT = 0.8
#: The smallest side of a tile, and of a picture that one is made of.
MIN_SIDE_PX = 64
#: Pixels per cell of every latent model's grid.
CELL_PX = 8
# The seam lies on the border of two cells; less than half of each is nothing to the model.
_MIN_HALF_WIDTH_PX = 4


@dataclass(frozen=True)
class SeamlessSettings:
    """How a texture is made seamless; every length may be left to the working size S.

    Attributes:
        mode: `roll` brings the seams into the middle, repaints them and rolls back; `canvas` does
            so on a canvas with a second copy of the tile beyond the seams, the procedure of the
            saved ComfyUI graphs; `circular` draws on a torus from the start, from words only;
            `patch` cuts and blends without any model.
        half_width_px: from a seam to where the repainted cross ends, ramp included (S/16).
        ramp_px: from where the cross begins to fade to where it ends (half of the half-width).
        ramp: whether it fades along a line or a smooth step.
        denoise: 0..1, how far the cross may leave what was there.
        period_px: `canvas`: from one copy of the tile to the next (S).
        canvas_px: `canvas`: side of the canvas (the period and S/4).
        overlay: `canvas`: how the strips beyond the seams are carried to the opposite edges:
            `x-then-y` one after the other, exact; `three` all from the same picture, as the graphs
            do, which leaves a piece of seam in a corner.
        paste_back: `canvas`: take only the cross from what was drawn; else the whole tile passes
            through the model's autoencoder once more.
        axes: `circular`: which opposite edges shall fit.
        flatten: take uneven light out of a given picture first.
        style: what the prompt is put into, at {prompt}.
    """

    mode: Mode = "roll"
    half_width_px: int | None = None
    ramp_px: int | None = None
    ramp: Ramp = "smooth"
    denoise: float = 1.0
    period_px: int | None = None
    canvas_px: int | None = None
    overlay: Overlay = "x-then-y"
    paste_back: bool = True
    axes: Axes = "both"
    flatten: bool = True
    style: str = STYLE

    def __post_init__(self) -> None:
        _check_one_of("mode", self.mode, get_args(Mode))
        _check_one_of("ramp", self.ramp, get_args(Ramp))
        _check_one_of("overlay", self.overlay, get_args(Overlay))
        _check_one_of("axes", self.axes, get_args(Axes))
        denoise = self.denoise
        if (
            isinstance(denoise, bool)
            or not isinstance(denoise, int | float)
            or not 0 < denoise <= 1
        ):
            raise InputError(f"denoise: found {denoise!r}, wanted more than 0, at most 1")
        if not isinstance(self.style, str) or "{prompt}" not in self.style:
            raise InputError(f"style: found {self.style!r}, wanted words with {{prompt}} in them")


def workflow_exact(size_px: int = 1024) -> SeamlessSettings:
    """Return the saved graphs' own numbers: at 1024 px period 1020, canvas 1276, three overlays.

    The mask file that the graphs name is lost; 64 px with a ramp of 32 px stand in for it.
    """
    period = size_px - 4
    return SeamlessSettings(
        mode="canvas",
        period_px=period,
        canvas_px=period + size_px // 4,
        half_width_px=size_px // 16,
        ramp_px=size_px // 32,
        ramp="linear",
        overlay="three",
        paste_back=False,
    )


@dataclass(frozen=True)
class Geometry:
    """Lengths in px for one working size, checked against each other.

    Attributes:
        size_px: side S of the tile.
        half_width_px: from a seam to the end of the cross.
        ramp_px: the part of the half-width over which the cross fades.
        period_px: from one copy of the tile on the canvas to the next.
        canvas_px: side of the canvas.
    """

    size_px: int
    half_width_px: int
    ramp_px: int
    period_px: int
    canvas_px: int


def geometry_of(settings: SeamlessSettings, size_px: int) -> Geometry:
    """Return the lengths for a working size.

    Raises:
        InputError: a length that the others do not allow.
    """
    if size_px < MIN_SIDE_PX or size_px % CELL_PX:
        raise InputError(
            f"size_px: found {size_px}, wanted a multiple of {CELL_PX} of at least {MIN_SIDE_PX}"
        )
    half_width = _length("half_width_px", settings.half_width_px, max(4, size_px // 64 * 4))
    ramp = _length("ramp_px", settings.ramp_px, half_width // 2)
    period = _length("period_px", settings.period_px, size_px)
    canvas = _length("canvas_px", settings.canvas_px, period + size_px // 32 * 8)
    geometry = Geometry(size_px, half_width, ramp, period, canvas)
    if settings.mode == "canvas":
        _check_canvas(geometry, settings.overlay)
    if settings.mode in ("roll", "canvas"):
        _check_cross(geometry, settings.mode, follows=settings.ramp_px is None)
    return geometry


def _check_canvas(geometry: Geometry, overlay: Overlay) -> None:
    """Compare period and canvas with the tile; only the graphs' own overlays take odd periods."""
    size, period, canvas = geometry.size_px, geometry.period_px, geometry.canvas_px
    cell = CELL_PX if overlay == "x-then-y" else 1
    if not size // 2 < period <= size or period % cell:
        kind = f"a multiple of {cell}" if cell > 1 else "a length"
        raise InputError(
            f"period_px: found {period}, wanted {kind} above {size // 2}, at most the tile's {size}"
        )
    if canvas % cell or not period + CELL_PX <= canvas <= 2 * period:
        kind = f"a multiple of {cell}" if cell > 1 else "a length"
        raise InputError(
            f"canvas_px: found {canvas}, wanted {kind} from {period + CELL_PX} to {2 * period} "
            f"for the period {period}"
        )


def _check_cross(geometry: Geometry, mode: Mode, follows: bool) -> None:
    """Compare the cross with the tile; `follows`: the ramp is half of the half-width."""
    if mode == "canvas":
        widest = _widest_on_canvas(geometry)
    else:
        # The ends of the arms are repainted in a second roll, a quarter of the side from its
        # border, and have a ramp of their own beyond the half-width.
        room = geometry.size_px // 32 * 8 - 1
        widest = (2 * room + 1) // 3 if follows else room - geometry.ramp_px
    width, ramp = geometry.half_width_px, geometry.ramp_px
    if not _MIN_HALF_WIDTH_PX <= width <= widest:
        raise InputError(
            f"half_width_px: found {width}, wanted {_MIN_HALF_WIDTH_PX} to {widest} for "
            f"{_told(geometry, mode, follows)}"
        )
    if ramp >= width:  # on the seam itself nothing of the old may be left
        raise InputError(f"ramp_px: found {ramp}, wanted less than the half-width of {width}")


def _widest_on_canvas(geometry: Geometry) -> int:
    """Return the widest cross whose far half still lies in the opaque part of the strips.

    The strips that are carried to the opposite edges fade out under the cross's near half, scaled
    by canvas/tile: size + width <= canvas/size * (size - width).
    """
    scale = geometry.canvas_px / geometry.size_px
    return int(geometry.size_px * (scale - 1.0) / (scale + 1.0))


def _told(geometry: Geometry, mode: Mode, follows: bool) -> str:
    if mode == "roll":
        ramp = "half of it" if follows else str(geometry.ramp_px)
        return f"a tile of {geometry.size_px} px and a ramp of {ramp}"
    return f"a tile of {geometry.size_px} px on a canvas of {geometry.canvas_px}"


def _length(field: str, found: Any, otherwise: int) -> int:
    if found is None:
        return otherwise
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise InputError(f"{field}: found {found!r}, wanted whole pixels")
    return found


def _check_one_of(field: str, found: Any, known: Iterable[str]) -> None:
    if found not in known:
        raise InputError(f"{field}: found {found!r}, wanted one of {', '.join(known)}")
