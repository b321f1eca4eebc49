"""Bring a mesh to its face budget by quadric edge collapse (Garland and Heckbert 1997)."""

from __future__ import annotations

import logging

import numpy as np

from assets3d.mesh.clean import (
    drop_degenerate_faces,
    fix_winding,
    keep_large_components,
    make_closed,
    taubin,
)
from assets3d.mesh.mesh import Mesh

_log = logging.getLogger(__name__)

_ROUNDS = 10


def simplified(mesh: Mesh, faces: int) -> Mesh:
    """Return the mesh with at most `faces` faces, as a rule 2 % fewer at most.

    A smaller mesh comes back unchanged. The result is closed and winds outwards when the input did.
    Vertex attributes are dropped: they are made afterwards. Should a mesh of many pieces not fit
    its budget, only the largest piece is kept.
    """
    if len(mesh.faces) <= faces:
        return Mesh(mesh.vertices, mesh.faces)
    found = _reduced(mesh, faces)
    if len(found.faces) > faces:
        found = _reduced(keep_large_components(mesh, 1.0), faces)
    if len(found.faces) > faces:
        _log.warning("mesh: %d faces are left, wanted at most %d", len(found.faces), faces)
    return found


def _reduced(mesh: Mesh, faces: int) -> Mesh:
    import fast_simplification

    current, target = mesh, faces
    for _ in range(_ROUNDS):
        vertices, triangles = fast_simplification.simplify(
            current.vertices.astype(np.float32),
            current.faces.astype(np.int32),
            target_count=max(4, target),
        )
        current = Mesh(vertices.astype(np.float32), triangles.astype(np.int32))
        current = fix_winding(make_closed(drop_degenerate_faces(current)))
        excess = len(current.faces) - faces
        if excess <= 0:
            break
        if excess > 0.1 * faces:
            # Slivers block every collapse, for each would turn one of them over: relax them.
            mesh = current = taubin(mesh, iterations=1)
        else:
            target -= excess  # closing pinched places can add a few faces again
    return current
