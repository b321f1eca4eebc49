"""Bring a mesh to its face budget by quadric edge collapse (Garland and Heckbert 1997)."""

from __future__ import annotations

import numpy as np

from assets3d.mesh.clean import drop_degenerate_faces, fix_winding, make_closed
from assets3d.mesh.mesh import Mesh

#: How far a result may lie above its budget before another pass.
TOLERANCE = 0.02


def simplified(mesh: Mesh, faces: int) -> Mesh:
    """Return the mesh with at most `faces` faces (within 2 %); a smaller mesh comes back unchanged.

    The result is closed and winds outwards when the input did. Vertex attributes are dropped: they
    are made afterwards.
    """
    import fast_simplification

    if len(mesh.faces) <= faces:
        return Mesh(mesh.vertices, mesh.faces)
    current = mesh
    target = faces
    for _ in range(4):
        vertices, triangles = fast_simplification.simplify(
            current.vertices.astype(np.float32),
            current.faces.astype(np.int32),
            target_count=max(4, target),
        )
        current = Mesh(vertices.astype(np.float32), triangles.astype(np.int32))
        current = fix_winding(make_closed(drop_degenerate_faces(current)))
        if len(current.faces) <= faces * (1.0 + TOLERANCE):
            break
        # Closing pinched places can add a few faces again.
        target = target - (len(current.faces) - faces)
    return current
