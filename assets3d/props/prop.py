"""The Prop record: what a prop is made of, what it is called, and its field in normalised units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assets3d.cameras import FOV_Y_DEG, ORBIT_RADIUS, orbit_cameras
from assets3d.props.sdf import Field, Points

#: The long side of a normalised prop's bounding box: 80 % of the standard cameras' frame.
LONG_SIDE = 1.096

#: Deep props come so near the camera that they would leave its frame; they are made smaller until
#: their outline fills at most this part of the four standard views.
FRAME_FILL = 0.90

#: Families are written inside a cube of this half size, in their own units.
AUTHOR_HALF_SIZE = 2.0

Rgb = tuple[float, float, float]
Axis = Literal["x", "y", "z"]


@dataclass(frozen=True)
class Paint:
    """A second colour on a part: wherever `region` is negative."""

    region: Field
    colour: Rgb
    material: str = ""


@dataclass(frozen=True)
class Part:
    """One solid of a prop.

    Attributes:
        field: its signed distance, author's units.
        colour: sRGB-encoded base colour 0..1.
        material: a key of `materials.MATERIALS`.
        paint: further colours on its surface; later ones lie on top.
        grain: the axis along which wood grain or brush strokes run.
    """

    field: Field
    colour: Rgb
    material: str = "plain"
    paint: tuple[Paint, ...] = ()
    grain: Axis = "y"


@dataclass(frozen=True)
class Words:
    """What a caption may say of a prop; every word is true of its geometry or main part.

    Attributes:
        colour: the palette name of parts[0]'s colour, or "" where the material names it.
        material: a key of `materials.MATERIALS` named in the caption, or "".
        adjectives: e.g. "tall", "round"; any of them may be used.
        details: phrases that follow "with", e.g. "white dots".
        wear: a key of `wear.WEARS` that shows clearly, or "".
        size: "small" or "big" where the height is near an end of the family's range, or "".
        count: how many of its kind stand side by side.
    """

    colour: str = ""
    material: str = ""
    adjectives: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    wear: str = ""
    size: str = ""
    count: int = 1


@dataclass(frozen=True)
class Draft:
    """What a family function returns: parts in the author's units (parts[0] is the main one)."""

    parts: tuple[Part, ...]
    words: Words


@dataclass(frozen=True)
class Prop:
    """A normalised prop: centred at the origin, facing +Z, +Y up.

    The long side of its bounding box is `LONG_SIDE`, or less where it would not fit the frame.

    Attributes:
        family: a key of `FAMILIES`.
        seed: the seed it was sampled with.
        caption: its plainest caption.
        words: what other captions may say.
        nouns: the family's names, the first is the plainest.
        height_m: a sensible real height.
        parts: solids in the author's units.
        centre: of the bounding box, author's units.
        scale: normalised units per author's unit.
        half_size: half the bounding box, normalised units.
    """

    family: str
    seed: int
    caption: str
    words: Words
    nouns: tuple[str, ...]
    height_m: float
    parts: tuple[Part, ...]
    centre: tuple[float, float, float]
    scale: float
    half_size: tuple[float, float, float]

    def author_points(self, points: Points) -> Points:
        """Convert normalised points to the author's units."""
        inverse = 1.0 / self.scale
        x, y, z = (p * inverse + c for p, c in zip(points, self.centre, strict=True))
        return x, y, z

    def distance(self, points: Points) -> Tensor:
        """Return the signed distance of normalised points (three tensors of one shape)."""
        local = self.author_points(points)
        distance = self.parts[0].field(local)
        for part in self.parts[1:]:
            distance = torch.minimum(distance, part.field(local))
        return distance * self.scale

    def nearest_part(self, points: Points) -> Tensor:
        """Return the index (int64) of the part that each point lies on or nearest to."""
        local = self.author_points(points)
        nearest = self.parts[0].field(local)
        index = torch.zeros_like(nearest, dtype=torch.int64)
        for number, part in enumerate(self.parts[1:], start=1):
            distance = part.field(local)
            closer = distance < nearest
            nearest = torch.where(closer, distance, nearest)
            index.masked_fill_(closer, number)
        return index


def surface_points(field: Field, half_size: float = AUTHOR_HALF_SIZE) -> NDArray[np.float64]:
    """Return (M, 3) points of a surface that lies inside a cube round the origin.

    A coarse grid finds a rough box; the points of a finer grid near the surface are then moved onto
    it along the gradient. Corners and tips attract many of them, so the box of the result is that
    of the solid within about 0.5 %.

    Raises:
        ValueError: if nothing solid lies inside the cube.
    """
    low, high = np.full(3, -half_size), np.full(3, half_size)
    for count, last in ((20, False), (30, True)):
        axes = [torch.linspace(float(a), float(b), count) for a, b in zip(low, high, strict=True)]
        grid = torch.meshgrid(*axes, indexing="ij")
        x, y, z = (g.reshape(-1) for g in grid)
        spacing = float(np.linalg.norm((high - low) / (count - 1)))
        distance = field((x, y, z))
        near = distance < spacing * (0.75 if last else 0.51)
        if last:
            near &= distance > -0.3 * spacing
        if not bool(near.any()):
            raise ValueError("surface_points: the solid is empty or lies outside the cube")
        points = (x[near], y[near], z[near])
        if last:
            points = _onto_surface(field, points)
        found = torch.stack(points, 1).double().numpy()
        low, high = found.min(0) - spacing * 0.51, found.max(0) + spacing * 0.51
    return found


def _onto_surface(field: Field, points: Points, rounds: int = 6) -> Points:
    for _ in range(rounds):
        gx, gy, gz = field_gradient(field, points, 1e-3)
        # Dividing by the squared length makes full steps where the field is scaled to be safe.
        square = (gx * gx + gy * gy + gz * gz).clamp_min_(0.1)
        step = field(points) / square
        points = (points[0] - gx * step, points[1] - gy * step, points[2] - gz * step)
    settled = field(points).abs() < 2e-3
    return points[0][settled], points[1][settled], points[2][settled]


def field_gradient(field: Field, points: Points, step: float) -> Points:
    """Return gradients of a field from four taps at the corners of a tetrahedron."""
    x, y, z = points
    a = field((x + step, y - step, z - step))
    b = field((x - step, y - step, z + step))
    c = field((x - step, y + step, z - step))
    d = field((x + step, y + step, z + step))
    inverse = 0.25 / step
    return (a - b - c + d) * inverse, (c + d - a - b) * inverse, (b + d - a - c) * inverse


def field_normal(field: Field, points: Points, step: float) -> Points:
    """Return unit gradients of a field, the outward normals of its surface."""
    nx, ny, nz = field_gradient(field, points, step)
    inverse = torch.addcmul(torch.addcmul(nx * nx, ny, ny), nz, nz).clamp_min_(1e-24).rsqrt_()
    return nx * inverse, ny * inverse, nz * inverse


def normalised(
    draft: Draft, family: str, seed: int, nouns: tuple[str, ...], height_m: float
) -> Prop:
    """Measure a draft and return it as a centred prop of standard size (caption still empty)."""
    return measured(draft, family, seed, nouns, height_m)[0]


def measured(
    draft: Draft, family: str, seed: int, nouns: tuple[str, ...], height_m: float
) -> tuple[Prop, NDArray[np.float64]]:
    """Like `normalised`, and return the (M, 3) surface points that it was measured by."""
    prop = Prop(
        family,
        seed,
        "",
        draft.words,
        nouns,
        height_m,
        draft.parts,
        (0.0, 0.0, 0.0),
        1.0,
        (2.0,) * 3,
    )
    with torch.inference_mode():
        points = surface_points(prop.distance)
    low, high = points.min(0), points.max(0)
    centre = (low + high) / 2.0
    scale = min(LONG_SIDE / float((high - low).max()), _frame_scale(points - centre))
    cx, cy, cz = (float(v) for v in centre)
    hx, hy, hz = (float(v) for v in (high - low) / 2.0 * scale)
    prop = replace(prop, centre=(cx, cy, cz), scale=scale, half_size=(hx, hy, hz))
    return prop, (points - centre) * scale


def _frame_scale(points: NDArray[np.float64]) -> float:
    """Return the largest scale at which centred points stay in the frames of the standard cameras.

    They fill at most `FRAME_FILL` of the four views, and no view of the orbit cuts them off. A
    point at x to the side and z towards the camera, scaled by s, is seen at s·x / (radius − s·z).
    """
    half_frame = np.tan(np.radians(FOV_Y_DEG) / 2.0)
    points = points[:: max(1, len(points) // 2000)]
    scale = np.inf
    for fill, elevations in ((FRAME_FILL, (0.0,)), (1.0, (-15.0, 20.0, 40.0, 60.0))):
        azimuths, grid = np.meshgrid(
            np.arange(0.0, 360.0, 90.0 if fill < 1.0 else 45.0), elevations
        )
        cameras = orbit_cameras(azimuths.ravel(), grid.ravel(), 2)
        local = np.einsum("vji,nj->vni", cameras.world_from_camera[:, :3, :3], points)
        side = np.abs(local[..., :2]).max(-1)
        limit = fill * half_frame
        scale = min(
            scale, float((limit * ORBIT_RADIUS / (side + limit * local[..., 2]).clip(1e-9)).min())
        )
    return scale
