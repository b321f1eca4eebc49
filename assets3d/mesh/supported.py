"""Which separate pieces of a mesh are parts of the object, and which merely float beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras
from assets3d.mesh.clean import compacted
from assets3d.mesh.depth import all_round_cameras
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.topology import face_components, face_cross
from assets3d.splats.silhouettes import INSIDE
from assets3d.views.posed import Views

#: A piece stays when it alone shows at least this share of a true picture's outline, ...
FRONT_SHARE = 0.02
#: ... or when it covers this share of the object's silhouette from any side, ...
SIDE_SHARE = 0.12
#: ... for which less is enough where there is no true picture to ask.
FREE_SIDE_SHARE = 0.03

_CAMERAS, _SIZE_PX = 14, 128


def supported_pieces(mesh: Mesh, sources: Views | None = None) -> Mesh:
    """Return the mesh without the pieces that no picture of the object needs.

    The largest piece always stays.

    Args:
        mesh: without texture, in the frame of the splats.
        sources: true pictures in the same frame.
    """
    count, labels = face_components(mesh.faces)
    if count <= 1:
        return mesh
    centre = mesh.bounds.astype(np.float64).mean(axis=0)
    centred = Mesh((mesh.vertices - centre).astype(np.float32), mesh.faces)
    radius = float(np.linalg.norm(centred.vertices, axis=1).max())
    side = _cover(centred, labels, count, all_round_cameras(_CAMERAS, _SIZE_PX, radius))
    whole = np.maximum(side.any(axis=0).sum(axis=(1, 2)), 1)
    keep = (side.sum(axis=(2, 3)) / whole).max(axis=1) >= (
        FREE_SIDE_SHARE if sources is None else SIDE_SHARE
    )
    if sources is not None:
        front = _cover(mesh, labels, count, sources.cameras)
        alone = front & (front.sum(axis=0) == 1) & (sources.rgba[..., 3] / 255.0 >= INSIDE)
        outline = np.maximum((sources.rgba[..., 3] / 255.0 >= INSIDE).sum(axis=(1, 2)), 1)
        keep |= (alone.sum(axis=(2, 3)) / outline).max(axis=1) >= FRONT_SHARE
    area = np.linalg.norm(face_cross(mesh.vertices, mesh.faces), axis=1)
    keep[np.argmax(np.bincount(labels, area, minlength=count))] = True
    return compacted(mesh.vertices, mesh.faces[keep[labels]])


def _cover(
    mesh: Mesh, labels: NDArray[np.int32], count: int, cameras: Cameras
) -> NDArray[np.bool_]:
    """Return (count, V, H, W): the pixels that each piece covers, whatever hides it."""
    from assets3d.native.mesh_renderer import render_mesh

    pieces = [compacted(mesh.vertices, mesh.faces[labels == piece]) for piece in range(count)]
    return np.stack([render_mesh(piece, cameras).rgba[..., 3] > 0 for piece in pieces])
