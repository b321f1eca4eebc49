"""Levels of detail: the same object under the same texture with fewer triangles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assets3d.export.collapse import collapsed
from assets3d.export.distance import deviation
from assets3d.mesh.mesh import Mesh

#: The size on the screen for which errors are told in pixels: the object's long side.
SCREEN_PX = 512
#: The fewest triangles of a level: below, nothing is left of an object.
_FEWEST = 32
#: An error, times the share of the triangles, at which another way is tried: 1 % for half of them.
_TRIED_AGAIN = 0.005


@dataclass(frozen=True)
class Level:
    """One level of detail.

    Attributes:
        mesh: with the texture coordinates and the texture of the first.
        wanted: how many triangles it was to have at most.
        error_share: the largest distance between its surface and the first level's, either way, as
            a share of the object's long side.
        mean_share: the mean of that distance.
    """

    mesh: Mesh
    wanted: int
    error_share: float = 0.0
    mean_share: float = 0.0

    @property
    def error_px(self) -> float:
        """The largest error on a screen where the object's long side is `SCREEN_PX` long."""
        return self.error_share * SCREEN_PX


def levels(mesh: Mesh, shares: Sequence[float]) -> list[Level]:
    """Return the mesh itself and one level for each share of its triangles.

    Each level is made from the one before it, and measured against the mesh itself. A level whose
    texture has too many cuts may keep more triangles than `wanted`. One that lies far off is made
    a second time with faces that count more evenly, and the nearer one is kept: a mug's rim was
    1.04 % of its size off with half of the faces, and is 0.6 %.

    Args:
        mesh: textured, in metres.
        shares: falling, 0..1, such as (0.5, 0.25).
    """
    low, high = mesh.bounds
    size = max(float((high - low).max()), 1e-30)
    made = [Level(mesh, len(mesh.faces))]
    for share in shares:
        wanted = max(_FEWEST, int(len(mesh.faces) * share))
        coarser = collapsed(made[-1].mesh, wanted)
        apart = deviation(mesh, coarser)
        if apart.largest_m * share > _TRIED_AGAIN * size:
            other = collapsed(made[-1].mesh, wanted, evenly=True)
            found = deviation(mesh, other)
            # More triangles than the first way left are no bargain.
            if found.largest_m < apart.largest_m and len(other.faces) <= max(
                wanted, len(coarser.faces)
            ):
                coarser, apart = other, found
        made.append(Level(coarser, wanted, apart.largest_m / size, apart.mean_m / size))
    return made
