"""Files of maps hold what was written, at the depth their head says."""

import struct

import numpy as np
import pytest
from PIL import Image

from assets3d.errors import InputError
from assets3d.textures.map_files import codes_of, png_bytes, read_map, tiff_bytes, values_of


def random_codes(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("shape", "kind"), [((6, 5), 0), ((6, 5, 3), 2), ((6, 5, 4), 6)])
def test_png_round_trip_and_head(shape, kind, dtype, tmp_path):
    codes = random_codes(shape, dtype)
    content = png_bytes(codes)
    width, height, bits, colour = struct.unpack_from(">IIBB", content, 16)
    assert (width, height, bits, colour) == (5, 6, 8 * codes.itemsize, kind)
    assert content == png_bytes(codes)
    (tmp_path / "a.png").write_bytes(content)
    found = read_map(tmp_path / "a.png")
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, codes)


def test_other_readers_see_the_same_colours(tmp_path):
    codes = random_codes((6, 5, 3), np.uint8)
    (tmp_path / "a.png").write_bytes(png_bytes(codes))
    with Image.open(tmp_path / "a.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), codes)
        assert picture.info == {}  # no times, profiles or programs


def test_tiff_round_trip(tmp_path):
    values = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32)
    (tmp_path / "a.tiff").write_bytes(tiff_bytes(values))
    np.testing.assert_array_equal(read_map(tmp_path / "a.tiff"), values)
    with Image.open(tmp_path / "a.tiff") as picture:
        assert picture.mode == "F"
        np.testing.assert_array_equal(np.asarray(picture), values)


@pytest.mark.parametrize("bits", [8, 16])
def test_codes_and_values(bits):
    codes = np.arange(2**bits).astype(np.uint8 if bits == 8 else np.uint16)
    np.testing.assert_array_equal(codes_of(values_of(codes), bits), codes)
    np.testing.assert_array_equal(codes_of(np.array([-1.0, 2.0]), bits), [0, 2**bits - 1])


@pytest.mark.parametrize(
    "content", [b"", b"no picture", png_bytes(np.zeros((4, 4), np.uint8))[:30]]
)
def test_damaged_files_are_refused(content, tmp_path):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=r"map: a\.png cannot be read"):
        read_map(tmp_path / "a.png")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"map: b\.png is not there"):
        read_map(tmp_path / "b.png")


@pytest.mark.parametrize("values", [np.zeros((4, 4), np.float32), np.zeros(4, np.uint8)])
def test_wrong_arrays_are_refused(values):
    with pytest.raises(ValueError, match="png_bytes"):
        png_bytes(values)
    with pytest.raises(ValueError, match="tiff_bytes"):
        tiff_bytes(values[0])
