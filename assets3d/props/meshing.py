"""Ground-truth meshes of props: marching cubes on the field, coloured by the materials."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from assets3d.mesh.mesh import Mesh
from assets3d.props.materials import albedo
from assets3d.props.prop import LONG_SIDE, Prop, field_normal

_BATCH_POINTS = 1 << 17


def prop_mesh(prop: Prop, resolution: int = 96) -> Mesh:
    """Return a watertight mesh of a prop in its normalised frame.

    Args:
        prop: the prop.
        resolution: cells along the prop's long side.

    Returns:
        Vertices, outward faces, unit normals from the field, and unlit vertex colours.
    """
    from skimage.measure import marching_cubes

    cell = LONG_SIDE / resolution
    # Two empty cells all round keep the surface closed.
    counts = [int(np.ceil(2.0 * h / cell)) + 5 for h in prop.half_size]
    starts = [-cell * (n - 1) / 2.0 for n in counts]
    axes = [
        torch.arange(n, dtype=torch.float32) * cell + s for n, s in zip(counts, starts, strict=True)
    ]
    with torch.inference_mode():
        grid = [g.reshape(-1) for g in torch.meshgrid(*axes, indexing="ij")]
        batches = zip(*(g.split(_BATCH_POINTS) for g in grid), strict=True)
        pieces = [prop.distance((x, y, z)) for x, y, z in batches]
        volume = _without_cavities(torch.cat(pieces).view(*counts).numpy(), cell)
        vertices, faces, _, _ = marching_cubes(
            volume, 0.0, spacing=(cell,) * 3, gradient_direction="descent", allow_degenerate=False
        )
        vertices = (vertices + np.array(starts)).astype(np.float32)
        x, y, z = (torch.from_numpy(np.ascontiguousarray(v)) for v in vertices.T)
        points = (x, y, z)
        normal = field_normal(prop.distance, points, 0.25 * cell)
        colours, _ = albedo(prop, points, prop.nearest_part(points), normal)
    normals = torch.stack(normal, 1).numpy()
    return Mesh(vertices, faces.astype(np.int32), normals=normals, colours=colours.numpy())


def _without_cavities(volume: NDArray[np.float32], cell: float) -> NDArray[np.float32]:
    """Fill what is closed all round: nobody can see it, so it is no part of the truth.

    A mug whose drink fills it to the rim leaves such a gap between drink and wall.
    """
    from scipy import ndimage

    labels, _ = ndimage.label(volume > 0.0)
    enclosed = (labels != 0) & (labels != labels[0, 0, 0])
    return np.where(enclosed, -np.maximum(volume, 0.5 * cell), volume).astype(np.float32)
