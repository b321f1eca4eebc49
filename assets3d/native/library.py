"""Load the native kernel with ctypes; compile it first when it is missing or outdated."""

from __future__ import annotations

import ctypes
import logging
import os
from functools import cache
from typing import Any

from numpy.typing import NDArray

from assets3d.errors import PassingError
from assets3d.native import build

#: Forces one instruction set (0 baseline, 1 AVX2, 2 AVX-512), for tests and for comparisons.
ISA_VARIABLE = "ASSETS3D_ISA"

_log = logging.getLogger(__name__)


class CameraStruct(ctypes.Structure):
    """A3dCamera of frame.h."""

    _fields_ = (
        ("view", ctypes.c_float * 12),
        *((name, ctypes.c_float) for name in ("fx", "fy", "cx", "cy")),
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
        ("near_plane", ctypes.c_float),
        ("max_alpha", ctypes.c_float),
        ("alpha_cut", ctypes.c_float),
        ("transmittance_stop", ctypes.c_float),
        ("blur", ctypes.c_float),
        ("field_margin", ctypes.c_float),
    )


class MeshSceneStruct(ctypes.Structure):
    """A3dMeshScene of mesh_renderer.cpp."""

    _fields_ = (
        *(
            (name, ctypes.c_void_p)
            for name in ("vertices", "faces", "normals", "colours", "uvs", "texture")
        ),
        *(
            (name, ctypes.c_int32)
            for name in ("vertex_count", "face_count", "texture_width", "texture_height")
        ),
        ("view", ctypes.c_float * 12),
        *((name, ctypes.c_float) for name in ("fx", "fy", "cx", "cy")),
        *((name, ctypes.c_int32) for name in ("width", "height", "supersample", "lit")),
        ("near_plane", ctypes.c_float),
        ("background", ctypes.c_float * 3),
        ("has_background", ctypes.c_int32),
    )


class MeshPictureStruct(ctypes.Structure):
    """A3dMeshPicture of mesh_renderer.cpp."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("rgba", "depth", "normal", "face"))


class MannLayerStruct(ctypes.Structure):
    """A3dMannLayer of mann.h."""

    _fields_ = (
        ("panels", ctypes.c_void_p),
        *((name, ctypes.c_int32) for name in ("inputs", "outputs", "panel_count", "unused")),
    )


class MannStruct(ctypes.Structure):
    """A3dMann of mann.h."""

    _fields_ = (
        ("layers", MannLayerStruct * 3),
        ("gate_weights", ctypes.c_void_p * 3),
        ("gate_biases", ctypes.c_void_p * 3),
        *(
            (name, ctypes.c_void_p)
            for name in ("gating", "input_mean", "input_std", "output_mean", "output_std")
        ),
        *(
            (name, ctypes.c_int32)
            for name in ("inputs", "gates", "gating_hidden", "experts", "storage")
        ),
        ("small", ctypes.c_void_p),
        ("small_bytes", ctypes.c_int64),
        ("threshold", ctypes.c_float),
    )


_SIGNATURES = {
    "a3d_instruction_set": (ctypes.c_char_p, [ctypes.c_int]),
    "a3d_forward": (
        ctypes.c_void_p,
        [
            *(ctypes.POINTER(CameraStruct), ctypes.c_void_p, ctypes.c_int64),
            *(ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_void_p),
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int),
        ],
    ),
    "a3d_backward": (
        ctypes.c_int,
        [
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64),
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64),
        ],
    ),
    "a3d_count_pairs": (ctypes.c_int64, [ctypes.c_void_p]),
    "a3d_release": (None, [ctypes.c_void_p]),
    "a3d_render_mesh": (
        ctypes.c_int,
        [ctypes.POINTER(MeshSceneStruct), ctypes.POINTER(MeshPictureStruct), ctypes.c_int],
    ),
    "a3d_mann": (
        ctypes.c_int,
        [
            *(ctypes.POINTER(MannStruct), ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p),
            *(ctypes.c_void_p, ctypes.c_int, ctypes.c_int),
        ],
    ),
    "a3d_read_loop": (ctypes.c_float, [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int]),
    "a3d_fma_loop": (ctypes.c_double, [ctypes.c_int64, ctypes.c_int]),
}


@cache
def kernel() -> ctypes.CDLL:
    """Return the loaded library; built on first use, by rename, so two processes may race.

    Raises:
        PassingError: one line, when it is missing and cannot be compiled or loaded.
    """
    try:
        if not build.is_current():
            _log.info("compiling the native kernel")
            build.build()
        library = ctypes.CDLL(str(build.LIBRARY))
    except (RuntimeError, OSError) as error:
        if not build.LIBRARY.is_file():
            raise PassingError(f"native kernel: {error}") from None
        # Installed read-only with fresher sources than the library, say: what is there still works.
        library = ctypes.CDLL(str(build.LIBRARY))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def instruction_set() -> int:
    """Return the index the kernel shall use: -1 for the best, else what ASSETS3D_ISA names."""
    return int(os.environ.get(ISA_VARIABLE, "-1"))


def instruction_sets() -> dict[int, str]:
    """Return the instruction sets this processor can run, by index."""
    names = {index: kernel().a3d_instruction_set(index) for index in (0, 1, 2)}
    return {index: name.decode() for index, name in names.items() if name}


def pointer(array: NDArray[Any], *types: type) -> ctypes.c_void_p:
    """Return where a contiguous array begins; the caller keeps the array while it is used.

    Args:
        array: of one of the types, where any are named.
        types: numpy scalar types.
    """
    assert array.flags.c_contiguous and (not types or array.dtype in types)
    return ctypes.c_void_p(array.ctypes.data)
