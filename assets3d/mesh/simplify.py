"""Bring a mesh to its face budget by quadric edge collapse (Garland and Heckbert 1997)."""

from __future__ import annotations

import numpy as np

from assets3d.mesh.clean import drop_degenerate_faces, fix_winding, make_closed, taubin
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
    current, target = mesh, faces
    for _ in range(5):
        vertices, triangles = fast_simplification.simplify(
            current.vertices.astype(np.float32),
            current.faces.astype(np.int32),
            target_count=max(4, target),
        )
        current = Mesh(vertices.astype(np.float32), triangles.astype(np.int32))
        current = fix_winding(make_closed(drop_degenerate_faces(current)))
        excess = len(current.faces) - faces
        if excess <= faces * TOLERANCE:
            break
        if excess > 0.1 * faces:
            # Slivers block every collapse, for each would turn one of them over: relax them.
            mesh = current = taubin(mesh, iterations=1)
        else:
            target -= excess  # closing pinched places can add a few faces again
    return current
