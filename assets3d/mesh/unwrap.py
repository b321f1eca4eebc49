"""Texture coordinates: xatlas within a time limit, else a box projection of our own.

xatlas can take minutes on a bad mesh and cannot be interrupted, so it runs in a process of its own
that is killed at the limit.
"""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assets3d.mesh.box_atlas import box_atlas
from assets3d.mesh.mesh import Mesh

_log = logging.getLogger(__name__)

#: Texels left free round each chart, so that mip levels do not mix neighbours.
PADDING_TEXELS = 4


def unwrap(
    mesh: Mesh,
    texture_px: int,
    time_limit_s: float = 30.0,
    method: Literal["xatlas", "box"] = "xatlas",
) -> tuple[NDArray[np.float32], str]:
    """Return (F, 3, 2) texture coordinates per face corner (0..1, from the lower left), and how.

    Charts do not overlap. The method is "box" where xatlas failed or passed its time limit.
    """
    if method == "xatlas":
        found = _xatlas_within(mesh, texture_px, time_limit_s)
        if found is not None:
            return found, "xatlas"
    return box_atlas(mesh, texture_px, PADDING_TEXELS), "box"


def _xatlas_within(mesh: Mesh, texture_px: int, limit_s: float) -> NDArray[np.float32] | None:
    question = io.BytesIO()
    np.savez(question, vertices=mesh.vertices, faces=mesh.faces, texture_px=texture_px)
    command = [sys.executable, "-m", "assets3d.mesh.xatlas_process"]
    try:
        answer = subprocess.run(
            command, input=question.getvalue(), capture_output=True, timeout=limit_s, check=True
        )
    except subprocess.TimeoutExpired:
        _log.warning("unwrap: xatlas passed its limit of %g s, using a box projection", limit_s)
        return None
    except (subprocess.CalledProcessError, OSError) as error:
        _log.warning("unwrap: xatlas failed (%s), using a box projection", error)
        return None
    uvs = np.load(io.BytesIO(answer.stdout), allow_pickle=False)
    if uvs.shape != (len(mesh.faces), 3, 2) or not np.isfinite(uvs).all():
        _log.warning("unwrap: xatlas gave shape %s, using a box projection", uvs.shape)
        return None
    return np.clip(uvs, 0.0, 1.0).astype(np.float32)
