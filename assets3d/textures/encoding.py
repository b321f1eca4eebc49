"""From a material's floats to whole numbers, so that the files of its maps agree with each other.

The height is rounded first and the normals are taken from the rounded height: what a program
derives from the height file is then what the normal file says, up to the rounding of the latter.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.fields import bands_of_normals, normals_of_height
from assets3d.textures.map_files import Codes, codes_of
from assets3d.textures.material import Material
from assets3d.textures.torus import row_bands

#: Steps of a 16-bit height.
_STEPS = 65535


@dataclass(frozen=True)
class HeightRange:
    """The metres that 0 and 65535 of a 16-bit height stand for; the other codes lie evenly."""

    lowest_m: float
    highest_m: float

    @property
    def range_m(self) -> float:
        """Metres between black and white: a displacement's scale."""
        return self.highest_m - self.lowest_m

    @property
    def rest_level(self) -> float:
        """Where height 0, the tile's mean, lies between black (0) and white (1)."""
        return -self.lowest_m / self.range_m if self.range_m > 0.0 else 0.0

    def codes(self, height_m: NDArray[np.floating]) -> NDArray[np.uint16]:
        """Return uint16 codes of heights; all 0 where the tile is flat."""
        if self.range_m <= 0.0:
            return np.zeros(height_m.shape, np.uint16)
        codes = np.zeros(height_m.shape, np.uint16)
        for rows in row_bands(height_m.shape):
            share = (height_m[rows].astype(np.float64) - self.lowest_m) / self.range_m
            codes[rows] = np.rint(np.clip(share, 0.0, 1.0) * _STEPS)
        return codes

    def heights_m(self, codes: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Return the metres that codes stand for."""
        return (self.lowest_m + codes * (self.range_m / _STEPS)).astype(np.float32)


def height_range(height_m: NDArray[np.floating]) -> HeightRange:
    """Return the range that spends all codes on the heights there are."""
    return HeightRange(float(height_m.min()), float(height_m.max()))


def rounded_to_16_bits(height_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round heights in place to the codes of a 16-bit file; return them."""
    span = height_range(height_m)
    for rows in row_bands(height_m.shape):
        height_m[rows] = span.heights_m(span.codes(height_m[rows]))
    return height_m


def quantised(material: Material) -> Material:
    """Return the material with its height rounded to 16 bits and the normals of that height.

    Doing it twice changes nothing more: a material that is so already is returned itself.
    """
    height_m, pixel_m = material.height_m, material.pixel_m
    if _is_rounded(height_m) and _are_normals_of(material.normals, height_m, pixel_m):
        return material
    height_m = rounded_to_16_bits(height_m.copy())
    return dataclasses.replace(
        material, height_m=height_m, normals=normals_of_height(height_m, pixel_m)
    )


def _is_rounded(height_m: NDArray[np.float32]) -> bool:
    span = height_range(height_m)
    return all(
        np.array_equal(span.heights_m(span.codes(height_m[rows])), height_m[rows])
        for rows in row_bands(height_m.shape)
    )


def _are_normals_of(
    normals: NDArray[np.float32], height_m: NDArray[np.float32], pixel_m: float
) -> bool:
    bands = bands_of_normals(height_m, pixel_m)
    return all(np.array_equal(band, normals[rows]) for rows, band in bands)


def normal_codes(normals: NDArray[np.floating], bits: int) -> Codes:
    """Return OpenGL codes (H, W, 3) of unit vectors; blue stays above one half, as glTF wants."""
    result = np.zeros(normals.shape, np.uint8 if bits == 8 else np.uint16)
    for rows in row_bands(normals.shape):
        result[rows] = codes_of(normals[rows] * 0.5 + 0.5, bits)
    np.maximum(result[..., 2], 2 ** (bits - 1), out=result[..., 2])
    return result


def directx_codes(opengl: Codes) -> Codes:
    """Return the same normals with green turned: exactly the highest code less the other one."""
    result = opengl.copy()
    result[..., 1] = np.iinfo(opengl.dtype).max - opengl[..., 1]
    return result


def normals_of_codes(codes: Codes) -> NDArray[np.float32]:
    """Return the unit vectors that OpenGL codes (H, W, 3) stand for."""
    vectors = codes.astype(np.float64) * (2.0 / np.iinfo(codes.dtype).max) - 1.0
    vectors /= np.maximum(np.linalg.norm(vectors, axis=2, keepdims=True), 1e-12)
    return vectors.astype(np.float32)
