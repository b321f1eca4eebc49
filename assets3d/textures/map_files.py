"""Files of maps: 8 and 16 bits a channel as PNG, floats as TIFF; the same codes, the same bytes.

Pillow writes no 16-bit colour PNG, and the wheels of OpenCV are built without OpenEXR; OpenCV's
PNG and float TIFF serve every size and depth. Codes are whole numbers in RGB(A) order, row 0 at the
top; no colour profile, time or program is written into the files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.textures.torus import row_bands

Codes = NDArray[np.uint8] | NDArray[np.uint16]

#: Deflate level: 6 takes half as long again for a hundredth of the size, 3 gives a tenth away.
_PNG_LEVEL = 4
_TIFF_DEFLATE = 8


def png_bytes(codes: Codes) -> memoryview:
    """Encode (H, W), (H, W, 3) or (H, W, 4) uint8 or uint16 RGB(A) codes as a PNG of that depth."""
    return _encoded(".png", _opencv_order(_checked(codes)), _png_settings())


def write_png_consuming(path: Path, codes: Codes) -> None:
    """Write what `png_bytes` returns, without holding it; the codes are overwritten.

    At 8192 px the codes of a normal map take 0.4 GB, and the growing bytes of their PNG as much.
    """
    import cv2

    if _checked(codes).ndim == 3:
        for rows in row_bands(codes.shape):
            codes[rows] = _opencv_order(codes[rows])
    if not cv2.imwrite(str(path), codes, _png_settings()):
        raise OSError(f"{path.name}: cannot be written")


def _checked(codes: Codes) -> Codes:
    if codes.dtype not in (np.uint8, np.uint16) or codes.ndim not in (2, 3):
        raise ValueError(f"png_bytes: {codes.dtype} {codes.shape}, wanted uint8 or uint16 codes")
    return codes


def _png_settings() -> list[int]:
    import cv2

    return [
        cv2.IMWRITE_PNG_COMPRESSION,
        _PNG_LEVEL,
        cv2.IMWRITE_PNG_STRATEGY,
        cv2.IMWRITE_PNG_STRATEGY_FILTERED,
    ]


def tiff_bytes(values: NDArray[np.float32]) -> memoryview:
    """Encode (H, W) float32 values as a 32-bit float TIFF, one channel, losslessly packed."""
    import cv2

    if values.dtype != np.float32 or values.ndim != 2:
        raise ValueError(f"tiff_bytes: {values.dtype} {values.shape}, wanted float32 (H, W)")
    return _encoded(".tiff", values, [cv2.IMWRITE_TIFF_COMPRESSION, _TIFF_DEFLATE])


def read_map(path: Path) -> Codes | NDArray[np.float32]:
    """Read a PNG or TIFF as stored: (H, W) or (H, W, 3|4), uint8, uint16 or float32, RGB(A).

    Raises:
        InputError: when the file is not there or is no such picture.
    """
    import cv2

    try:
        raw = np.frombuffer(path.read_bytes(), np.uint8)
        stored: Any = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED) if len(raw) else None
    except FileNotFoundError:
        raise InputError(f"map: {path.name} is not there, wanted a PNG or TIFF") from None
    except cv2.error:
        stored = None
    if stored is None or stored.dtype not in (np.uint8, np.uint16, np.float32):
        raise InputError(f"map: {path.name} cannot be read, wanted a whole PNG or float TIFF")
    return _opencv_order(stored)


def codes_of(values: NDArray[np.floating], bits: int) -> Codes:
    """Round values 0..1 to whole numbers 0..2^bits - 1, `bits` being 8 or 16."""
    highest = np.float32(2**bits - 1)
    codes = np.zeros(values.shape, np.uint8 if bits == 8 else np.uint16)
    bands = row_bands(values.shape) if values.ndim > 1 else (slice(None),)
    for rows in bands:  # at 8192 px each whole copy of a colour takes 0.8 GB
        codes[rows] = np.rint(np.clip(values[rows], 0.0, 1.0) * highest)
    return codes


def values_of(codes: Codes) -> NDArray[np.float32]:
    """Return the values 0..1 that codes stand for."""
    return codes.astype(np.float32) / np.float32(np.iinfo(codes.dtype).max)


def _opencv_order(codes: NDArray) -> NDArray:
    """Swap red and blue: OpenCV's colours run from blue to red."""
    if codes.ndim == 2:
        return codes
    return np.ascontiguousarray(codes[..., [2, 1, 0, 3][: codes.shape[2]]])


def _encoded(extension: str, values: NDArray, settings: list[int]) -> memoryview:
    import cv2

    done, content = cv2.imencode(extension, values, settings)
    if not done:
        raise ValueError(f"map: {values.dtype} {values.shape} cannot be written as {extension}")
    return content.reshape(-1).data  # not copied: 0.3 GB for normals of 8192 px
