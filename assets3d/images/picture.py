"""Pictures as arrays: reading any common file, premultiplied resizing, backgrounds, PNG.

A picture is uint8 (height, width, 3 or 4), sRGB-encoded, straight alpha, row 0 at the top.
"""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from assets3d.errors import InputError, PassingError

_log = logging.getLogger(__name__)

#: The longest side that is read; a larger picture is a mistake or an attack on the memory.
MAX_SIDE_PX = 16_384

#: What is read. Formats that call other programs (EPS) or hold no pictures (HDF5) are left out.
FORMATS = "PNG JPEG WEBP GIF BMP TIFF AVIF JPEG2000 TGA PPM ICO PCX QOI PSD DDS".split()

_WANTED = "wanted a whole PNG, JPEG, WebP, AVIF, GIF, TIFF or BMP picture"

# What Pillow's readers raise on damaged files, besides OSError.
_DAMAGE = (ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, ArithmeticError)

_pillow_limit = threading.Lock()


def read_picture(path: str | Path, *, field: str = "image") -> NDArray[np.uint8]:
    """Read a picture file into uint8 (H, W, 3), or (H, W, 4) when some pixel is not fully opaque.

    EXIF rotation is applied, an embedded colour profile is converted to sRGB, and CMYK, 16 bit,
    greyscale and palettes become 8-bit RGB. Of an animation the first frame is taken.

    Args:
        path: the file.
        field: the manifest's field that named it, for the error message.

    Raises:
        InputError: no such file, not a picture, cut off, or over `MAX_SIDE_PX`.
        PassingError: the disk or the memory failed.
    """
    path = Path(path)
    with _opened(path, field) as picture:
        picture.load()
        return _as_array(picture, f"{field}: {path.name}")


def picture_size(path: str | Path, *, field: str = "image") -> tuple[int, int]:
    """Return (width, height) of a picture file as stored, in px, without decoding it.

    Raises:
        InputError, PassingError: as for `read_picture`, as far as the file's head shows it.
    """
    with _opened(Path(path), field) as picture:
        return picture.size


@contextmanager
def _opened(path: Path, field: str) -> Iterator[Image.Image]:
    """Open a picture; turn every error, those of the block too, into one line."""
    try:
        with _no_pixel_limit(), Image.open(path, formats=FORMATS) as picture:
            if max(picture.size) > MAX_SIDE_PX:
                raise InputError(
                    f"{field}: {path.name} is {picture.width}x{picture.height} px, "
                    f"wanted at most {MAX_SIDE_PX} px a side"
                )
            yield picture
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise InputError(f"{field}: {path.name} is not there, wanted a picture file") from None
    except MemoryError:
        raise PassingError(f"{field}: not enough memory to read {path.name}") from None
    except OSError as error:
        if error.errno is not None:  # the operating system's, not the decoder's
            raise PassingError(
                f"{field}: {path.name} could not be read ({error.strerror})"
            ) from None
        raise InputError(f"{field}: {path.name} {_cause(error)}, {_WANTED}") from None
    except _DAMAGE as error:
        raise InputError(f"{field}: {path.name} {_cause(error)}, {_WANTED}") from None


def _cause(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "cannot be read as a picture"
    text = " ".join(str(error).split()) or type(error).__name__
    return f"is damaged or cut off ({text[:120]})"


@contextmanager
def _no_pixel_limit() -> Iterator[None]:
    """Lift Pillow's own area limit (about 13,000 px square) while our limit per side holds."""
    with _pillow_limit:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _as_array(picture: Image.Image, where: str) -> NDArray[np.uint8]:
    profile = picture.info.get("icc_profile")
    picture = _turned(picture)
    picture = _eight_bit(picture, where)
    if profile:
        picture = _to_srgb(picture, profile, where)
    has_alpha = picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info
    pixels = np.array(picture.convert("RGBA" if has_alpha else "RGB"))
    if has_alpha and pixels[..., 3].min() == 255:
        pixels = pixels[..., :3]
    return np.ascontiguousarray(pixels)


def _turned(picture: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; damaged EXIF data never costs the person the picture."""
    try:
        return ImageOps.exif_transpose(picture) or picture
    except (OSError, *_DAMAGE) as error:
        _log.warning("EXIF data could not be read (%s): the picture is taken as stored", error)
        return picture


def _eight_bit(picture: Image.Image, where: str) -> Image.Image:
    """Bring 16-bit and float greyscale to 8 bits; Pillow's own convert() would clip at 255."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.asarray(picture).astype(np.float64)
    full = 1.0 if picture.mode == "F" else 65535.0
    if not (np.isfinite(values).all() and values.min() >= 0.0 and values.max() <= full):
        raise InputError(
            f"{where} holds values from {values.min():g} to {values.max():g}, "
            f"wanted 0 to {full:g} in a picture of mode {picture.mode}"
        )
    result = Image.fromarray(np.round(values * (255.0 / full)).astype(np.uint8))
    key = picture.info.get("transparency")
    if isinstance(key, int):  # one grey value of a PNG is declared transparent
        result.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
    return result


def _to_srgb(picture: Image.Image, profile: bytes, where: str) -> Image.Image:
    """Convert from the embedded colour profile to sRGB (phones write Display P3, scanners CMYK)."""
    from PIL import ImageCms

    if picture.mode == "P" or "transparency" in picture.info:
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    if picture.mode not in ("L", "RGB", "RGBA", "CMYK"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return picture
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(picture, source, target, outputMode=mode)
        return converted if converted is not None else picture
    except (ImageCms.PyCMSError, OSError, *_DAMAGE) as error:
        _log.warning("%s: its colour profile cannot be used (%s)", where, error)
        return picture


def resize_premultiplied(
    rgba: NDArray[np.uint8],
    size: int | tuple[int, int],
    *,
    enlarge: Literal["linear", "area"] = "linear",
) -> NDArray[np.uint8]:
    """Resize a picture (H, W, 3|4) to `size`, weighting colours by their alpha.

    Straight resizing mixes the unseen colour of transparent pixels (mostly black) into the edge.
    Shrinking averages over areas. Where nothing is left of a pixel its colour is 0.

    Args:
        rgba: uint8 (H, W, 3|4), straight alpha.
        size: side of a square in px, or (width, height) in px.
        enlarge: "linear" is smooth; "area" shows the old pixels as blocks, as kiui's recenter does.
    """
    width, height = (size, size) if isinstance(size, int) else size
    if width < 1 or height < 1:
        raise ValueError(f"resize_premultiplied: size {size}, wanted at least 1 px")
    if rgba.shape[:2] == (height, width):
        return rgba.copy()
    values = rgba.astype(np.float32)
    if rgba.shape[2] == 4:
        values[..., :3] *= values[..., 3:] / 255.0
    values = _resize(values, width, height, enlarge)
    if rgba.shape[2] == 4:
        seen = values[..., 3:] >= 0.5  # what rounds to 0 has no colour
        values[..., :3] *= np.where(seen, 255.0 / np.maximum(values[..., 3:], 0.5), 0.0)
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _resize(
    values: NDArray[np.float32], width: int, height: int, enlarge: str
) -> NDArray[np.float32]:
    import cv2

    if enlarge == "area":
        return _scaled(values, (width, height), cv2.INTER_AREA)
    # Each axis by its own filter: OpenCV's area filter degrades to blocks where it enlarges.
    small = (min(width, values.shape[1]), min(height, values.shape[0]))
    if small != (values.shape[1], values.shape[0]):
        values = _scaled(values, small, cv2.INTER_AREA)
    if small != (width, height):
        values = _scaled(values, (width, height), cv2.INTER_LINEAR)
    return values


def _scaled(
    values: NDArray[np.float32], size: tuple[int, int], filter_: int
) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.resize(values, size, interpolation=filter_), dtype=np.float32)


def on_background(
    rgba: NDArray[np.uint8], rgb: Sequence[float] = (1.0, 1.0, 1.0)
) -> NDArray[np.uint8]:
    """Lay pictures (..., H, W, 3|4) over a plain colour; return uint8 (..., H, W, 3).

    Args:
        rgba: one picture or a stack, straight alpha; without alpha it is returned as it is.
        rgb: the colour, floats 0..1.
    """
    colour = np.asarray(rgb, dtype=np.float32)
    if colour.shape != (3,) or colour.min() < 0.0 or colour.max() > 1.0:
        raise ValueError(f"on_background: colour {rgb}, wanted three floats in 0..1")
    if rgba.shape[-1] == 3:
        return rgba.copy()
    alpha = rgba[..., 3:].astype(np.float32) / 255.0
    mixed = rgba[..., :3] * alpha + 255.0 * colour * (1.0 - alpha)
    return np.round(mixed).astype(np.uint8)


def on_grey(rgba: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Lay pictures (..., H, W, 4), straight alpha, over middle grey; return (..., H, W, 3) in 0..1.

    For measures: nothing is rounded, and neither a black nor a white object vanishes.
    """
    values = rgba.astype(np.float64) / 255.0
    alpha = values[..., 3:]
    return values[..., :3] * alpha + 0.5 * (1.0 - alpha)


def write_png(path: str | Path, picture: NDArray[np.uint8]) -> None:
    """Write a picture (H, W), (H, W, 3) or (H, W, 4) as PNG, without time stamps or metadata."""
    Image.fromarray(np.ascontiguousarray(picture)).save(path, format="PNG", compress_level=6)
