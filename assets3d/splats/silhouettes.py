"""What the outlines of posed pictures say: signed distances, places in a row, directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assets3d.cameras import Cameras
from assets3d.errors import InputError
from assets3d.views.posed import Views

#: Alpha from which a pixel counts as the object.
INSIDE = 0.5
#: The distance transform runs on alpha enlarged by this, which places outlines to a quarter pixel.
_ENLARGE = 2
#: A view that cuts the object says nothing about what lies outside its frame, in pixels.
_UNKNOWN_PX = 1e4
#: An outline's alpha is soft over at most this many pixels on either side.
_SOFT_PX = 1.0


@dataclass(frozen=True)
class Silhouettes:
    """Per-view maps that carving samples; (V, H, W) float32 if nothing else is said.

    Attributes:
        distance_px: signed distance to the outline, positive inside.
        across: place between the two ends of the pixel's row run: 0 in the middle, 1 at the
            outline, more outside.
        half_px: half the width of that run.
        top_px: (V, W) float32 where each column's uppermost object pixel starts; far above if none.
        bottom_px: (V, W) float32 where its lowest one ends; far below if none.
        touches_border: (V,) bool, the object is cut by the frame.
    """

    distance_px: NDArray[np.float32]
    across: NDArray[np.float32]
    half_px: NDArray[np.float32]
    top_px: NDArray[np.float32]
    bottom_px: NDArray[np.float32]
    touches_border: NDArray[np.bool_]


class Sighting(NamedTuple):
    """Where a view sees points.

    Attributes:
        pixels: (..., 2) positions in the picture, x right and y down; pixel centres at +0.5.
        unit: (...) world units per pixel at each point's depth.
    """

    pixels: NDArray[np.float32]
    unit: NDArray[np.float32]

    def where(self, chosen: NDArray[np.bool_]) -> Sighting:
        """Return the sighting of some of the points."""
        return Sighting(self.pixels[chosen], self.unit[chosen])


def measure_silhouettes(views: Views) -> Silhouettes:
    """Measure every view's alpha.

    Raises:
        InputError: a view is empty, or full (nothing was cut out).
    """
    alpha = views.rgba[..., 3].astype(np.float32) / 255.0
    distances, places, halves, tops, bottoms, cut = [], [], [], [], [], []
    for index, picture in enumerate(alpha):
        inside = picture >= INSIDE
        if not inside.any():
            raise InputError(f"views: picture {index} shows nothing (alpha is empty)")
        if inside.all():
            raise InputError(f"views: picture {index} has no background, wanted a cut-out object")
        distances.append(signed_distance_px(picture))
        place, half = _row_places(picture)
        places.append(place)
        halves.append(half)
        tops.append(_first_rows(picture))
        bottoms.append(len(picture) - _first_rows(picture[::-1]))
        rim = [inside[0], inside[-1], inside[:, 0], inside[:, -1]]
        cut.append(any(edge.any() for edge in rim))
    return Silhouettes(
        distance_px=np.stack(distances),
        across=np.stack(places),
        half_px=np.stack(halves),
        top_px=np.stack(tops),
        bottom_px=np.stack(bottoms),
        touches_border=np.array(cut),
    )


def without_haze(views: Views) -> Views:
    """Return the views with alpha made definite except at outlines, for things that are solid.

    A network that is unsure of a region leaves it half transparent, and splats fitted to haze are a
    cloud that no surface follows. Pixels further than an outline is soft become what they are
    nearer to; a view that is all inside or all outside stays as it is.
    """
    rgba = views.rgba.copy()
    for picture in rgba:
        alpha = picture[..., 3].astype(np.float32) / 255.0
        inside = alpha >= INSIDE
        if not inside.any() or inside.all():
            continue
        distance = signed_distance_px(alpha)
        picture[..., 3][distance > _SOFT_PX] = 255
        picture[..., 3][distance < -_SOFT_PX] = 0
    return Views(rgba, views.cameras)


def sample(
    image: NDArray[np.float32], pixels: NDArray[np.float32], outside: float
) -> NDArray[np.float32]:
    """Sample (H, W) bilinearly at (A, B, 2) pixel positions (centres at +0.5); `outside` beyond."""
    mapped = pixels.astype(np.float32) - np.float32(0.5)
    # The stub demands a second map; OpenCV wants none where the first holds x and y.
    values = cv2.remap(  # type: ignore[call-overload]
        image, mapped, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=outside
    )
    return np.asarray(values, dtype=np.float32)


def sample_distance(
    silhouettes: Silhouettes, view: int, pixels: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Sample one view's signed distance in pixels at (A, B, 2) positions, in the frame or not."""
    field = silhouettes.distance_px[view]
    height, width = field.shape
    if silhouettes.touches_border[view]:
        return sample(field, pixels, _UNKNOWN_PX)
    low, high = np.float32(0.5), np.array([width - 0.5, height - 0.5], dtype=np.float32)
    clamped = np.clip(pixels, low, high)
    beyond = np.linalg.norm(pixels - clamped, axis=-1)
    return sample(field, clamped, 0.0) - beyond


def seen(cameras: Cameras, view: int, points: NDArray[np.float32]) -> Sighting:
    """Return where a view sees points (..., 3)."""
    matrix = cameras.matrices_px[view] @ cameras.opencv_from_world[view, :3]
    matrix = matrix.astype(np.float32)
    local = points @ matrix[:, :3].T + matrix[:, 3]
    depth = np.maximum(local[..., 2], np.float32(1e-6))
    unit = depth / np.float32(cameras.intrinsics_px[view, 0])
    return Sighting(local[..., :2] / depth[..., None], unit)


def sightings(cameras: Cameras, points: NDArray[np.float32]) -> list[Sighting]:
    """Return where each view sees points (..., 3)."""
    return [seen(cameras, view, points) for view in range(len(cameras))]


def view_directions(cameras: Cameras) -> NDArray[np.float64]:
    """Return (V, 3) unit vectors from the scene towards each camera."""
    return cameras.world_from_camera[:, :3, 2]


def direction_groups(cameras: Cameras, within_deg: float = 20.0) -> list[list[int]]:
    """Group views that look along one line (opposite views share an outline), in view order."""
    groups: list[list[int]] = []
    directions = view_directions(cameras)
    limit = np.cos(np.radians(within_deg))
    for index, direction in enumerate(directions):
        for group in groups:
            if abs(direction @ directions[group[0]]) >= limit:
                group.append(index)
                break
        else:
            groups.append([index])
    return groups


def signed_distance_px(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the signed distance of a (H, W) alpha's outline in pixels, positive inside.

    The picture must have both an inside and an outside.
    """
    height, width = alpha.shape
    size = (width * _ENLARGE, height * _ENLARGE)
    inside = cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR) >= INSIDE
    # OpenCV's transform is three times as fast, but not the same bytes every time.
    within = ndimage.distance_transform_edt(inside)
    without = ndimage.distance_transform_edt(~inside)
    # Distances count from pixel centres: the outline lies half an (enlarged) pixel nearer.
    signed = np.where(inside, within - 0.5, 0.5 - without).astype(np.float32) / _ENLARGE
    small = cv2.resize(signed, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)


def _row_places(alpha: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return `across` and `half_px` of one view (see `Silhouettes`)."""
    height, width = alpha.shape
    across = np.full((height, width), 4.0, dtype=np.float32)
    half_px = np.full((height, width), 0.5, dtype=np.float32)
    columns = np.arange(width) + 0.5
    for row in np.flatnonzero((alpha >= INSIDE).any(axis=1)):
        starts, ends = _runs(alpha[row])
        middles, halves = (starts + ends) / 2.0, np.maximum((ends - starts) / 2.0, 0.5)
        gaps = np.abs(columns[:, None] - middles) - halves
        nearest = np.argmin(gaps, axis=1)
        # Beyond the outline the place grows by the gap in pixels over the run's half width.
        across[row] = np.abs(columns - middles[nearest]) / halves[nearest]
        half_px[row] = halves[nearest]
    return across, half_px


def _first_rows(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return where each column's first inside pixel starts, to a fraction of a pixel; (W,)."""
    inside = alpha >= INSIDE
    first = inside.argmax(axis=0)
    columns = np.arange(alpha.shape[1])
    before = np.where(first > 0, alpha[np.maximum(first - 1, 0), columns], 0.0)
    start = first + (1.0 - alpha[first, columns]) - before
    return np.where(inside.any(axis=0), start, -8.0 * len(alpha)).astype(np.float32)


def _runs(row: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the inside runs of one row start and end, to a fraction of a pixel."""
    inside = np.concatenate([[False], row >= INSIDE, [False]])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = edges[0::2], edges[1::2]
    padded = np.concatenate([[0.0], row.astype(np.float64), [0.0]])
    # A pixel half covered at the rim moves the edge by the part that it covers.
    start = starts - padded[starts] + (1.0 - padded[starts + 1])
    end = ends + padded[ends + 1] - (1.0 - padded[ends])
    return start, end
