"""Splat PLY files in and out: 3DGS's own 62 floats per splat, or the compact 14 that LGM writes.

The only module that imports plyfile, which is GPL-3. Files hold pre-activation values (3DGS, Kerbl
et al. 2023): opacity as a logit, scale as a logarithm, colour as the zeroth spherical harmonic.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.splats.gaussians import Gaussians, from_parts

#: Value of the zeroth spherical harmonic, 1 / (2 sqrt(pi)).
SH_0 = 0.28209479177387814
#: Opacities nearer to 0 or 1 than this are written as this (the logit must stay finite).
OPACITY_MARGIN = 1e-6
#: Added to a scale before the logarithm, as LGM does.
SCALE_OFFSET = 1e-8

_POSITION = ("x", "y", "z")
_COLOUR = ("f_dc_0", "f_dc_1", "f_dc_2")
_SCALE = ("scale_0", "scale_1", "scale_2")
_ROTATION = ("rot_0", "rot_1", "rot_2", "rot_3")
_WANTED = (*_POSITION, *_COLOUR, "opacity", *_SCALE, *_ROTATION)
_INRIA_NAMES = (
    *_POSITION,
    *("nx", "ny", "nz"),
    *_COLOUR,
    *(f"f_rest_{i}" for i in range(45)),
    "opacity",
    *_SCALE,
    *_ROTATION,
)
LAYOUTS: dict[str, tuple[str, ...]] = {"inria": _INRIA_NAMES, "compact": _WANTED}


def read_ply(path: Path) -> Gaussians:
    """Read a splat PLY of any layout and spherical-harmonic degree; properties are found by name.

    Positions and scales stay in the file's own frame and units (`normalise` brings them into ours).
    Colour is the view-independent part, clipped to 0..1 as the 3DGS renderer does; higher harmonics
    are left out. Quaternions are normalised, which is their activation.

    Raises:
        InputError: not a PLY, cut short, no splats, a property missing, values that are not finite.
    """
    columns = _read_columns(Path(path))
    name = Path(path).name
    raw = {key: np.asarray(columns[key], dtype=np.float64) for key in _WANTED}
    for key, values in raw.items():
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise InputError(
                f"splats: {name} has {bad} NaN or infinite values in {key}, wanted none"
            )
    rotation = _stack(raw, _ROTATION)
    length = np.linalg.norm(rotation, axis=1, keepdims=True)
    if (length < 1e-12).any():
        raise InputError(f"splats: {name} has zero quaternions in rot_0..3, wanted rotations")
    with np.errstate(over="ignore"):
        scale = np.exp(_stack(raw, _SCALE)).astype(np.float32)
        opacity = 1.0 / (1.0 + np.exp(-raw["opacity"]))
    position = _stack(raw, _POSITION).astype(np.float32)
    if not (np.isfinite(scale).all() and np.isfinite(position).all()):
        raise InputError(
            f"splats: {name} has sizes beyond float32, wanted logarithms in scale_0..2"
        )
    rgb = np.clip(SH_0 * _stack(raw, _COLOUR) + 0.5, 0.0, 1.0)
    return from_parts(position, opacity, scale, rotation / length, rgb)


def write_ply(
    path: Path, gaussians: Gaussians, layout: Literal["inria", "compact"] = "inria"
) -> None:
    """Write binary little-endian PLY; the same splats give the same bytes.

    `inria` writes 62 floats (normals and higher harmonics zero), which strict importers want;
    `compact` writes the 14 that carry information.
    """
    from plyfile import PlyData, PlyElement

    columns = _file_columns(gaussians)
    names = LAYOUTS[layout]
    rows = np.zeros(len(gaussians), dtype=[(name, "<f4") for name in names])
    for name in names:
        if name in columns:
            rows[name] = columns[name]
    element = PlyElement.describe(rows, "vertex")
    PlyData([element], text=False, byte_order="<").write(os.fspath(path))


def _read_columns(path: Path) -> NDArray:
    from plyfile import PlyData, PlyParseError

    try:
        # Mapped, or plyfile would read value by value: minutes for a scan of a million splats.
        data = PlyData.read(os.fspath(path), mmap="c")
    except FileNotFoundError:
        raise InputError(f"splats: {path.name} does not exist, wanted a PLY file") from None
    except UnicodeDecodeError:
        raise InputError(f"splats: {path.name} is no PLY file, wanted one") from None
    except (PlyParseError, ValueError, EOFError, IndexError) as error:
        raise InputError(
            f"splats: {path.name} cannot be read as PLY ({error}), wanted a whole splat PLY"
        ) from None
    except MemoryError:
        raise InputError(
            f"splats: {path.name} announces more splats than memory can hold, wanted a whole PLY"
        ) from None
    if "vertex" not in data:
        raise InputError(f"splats: {path.name} has no vertex element, wanted one splat per vertex")
    vertices = data["vertex"].data
    missing = [key for key in _WANTED if key not in (vertices.dtype.names or ())]
    if missing:
        raise InputError(
            f"splats: {path.name} has no property {missing[0]}, wanted a splat PLY with "
            f"{', '.join(_WANTED)}"
        )
    if len(vertices) == 0:
        raise InputError(f"splats: {path.name} holds no splats, wanted at least one")
    return vertices


def _file_columns(gaussians: Gaussians) -> dict[str, NDArray]:
    opacity = gaussians.opacity.astype(np.float64)
    opacity = np.clip(opacity, OPACITY_MARGIN, 1.0 - OPACITY_MARGIN)
    scale = np.log(gaussians.scale.astype(np.float64) + SCALE_OFFSET)
    colour = (gaussians.rgb.astype(np.float64) - 0.5) / SH_0
    columns = {"opacity": np.log(opacity / (1.0 - opacity))}
    columns |= {name: gaussians.position[:, i] for i, name in enumerate(_POSITION)}
    columns |= {name: colour[:, i] for i, name in enumerate(_COLOUR)}
    columns |= {name: scale[:, i] for i, name in enumerate(_SCALE)}
    columns |= {name: gaussians.rotation[:, i] for i, name in enumerate(_ROTATION)}
    return columns


def _stack(columns: dict[str, NDArray], names: tuple[str, ...]) -> NDArray:
    return np.stack([columns[name] for name in names], axis=1)
