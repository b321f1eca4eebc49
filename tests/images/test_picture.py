"""Laws of picture reading, resizing and laying on a background."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from assets3d.errors import InputError
from assets3d.images.picture import (
    on_background,
    on_grey,
    read_picture,
    resize_premultiplied,
    write_png,
)


def _gradient(height=40, width=60, channels=3, seed=0):
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (5, 6, channels), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def test_png_round_trip_keeps_every_pixel(tmp_path):
    for channels in (3, 4):
        picture = _gradient(channels=channels)
        write_png(tmp_path / "a.png", picture)
        assert np.array_equal(read_picture(tmp_path / "a.png"), picture)


def test_opaque_alpha_is_dropped(tmp_path):
    picture = np.dstack([_gradient(), np.full((40, 60), 255, np.uint8)])
    write_png(tmp_path / "a.png", picture)
    assert np.array_equal(read_picture(tmp_path / "a.png"), picture[..., :3])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_phone_photos_are_turned(tmp_path, orientation):
    upright = Image.fromarray(_gradient())
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_picture(tmp_path / "a.png"), np.asarray(upright))


def test_cmyk_jpeg(tmp_path):
    picture = Image.fromarray(_gradient())
    picture.convert("CMYK").save(tmp_path / "a.jpg", quality=98)
    found = read_picture(tmp_path / "a.jpg").astype(int)
    assert np.abs(found - np.asarray(picture)).mean() < 4


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path):
    values = np.linspace(0, 65535, 2400).reshape(40, 60).astype(np.uint16)
    for name in ("a.png", "a.tiff"):
        Image.fromarray(values).save(tmp_path / name)
        found = read_picture(tmp_path / name)
        assert np.array_equal(found[..., 0], np.round(values / 257.0).astype(np.uint8))
        assert found.shape == (40, 60, 3)


def test_float_tiff(tmp_path):
    values = np.linspace(0, 1, 2400, dtype=np.float32).reshape(40, 60)
    Image.fromarray(values).save(tmp_path / "a.tiff")
    assert np.array_equal(read_picture(tmp_path / "a.tiff")[..., 1], np.round(values * 255))
    Image.fromarray(values * 3).save(tmp_path / "b.tiff")
    with pytest.raises(InputError, match=r"image: b.tiff holds values from 0 to 3, wanted 0 to 1"):
        read_picture(tmp_path / "b.tiff")


def test_sixteen_bit_rgb_png(tmp_path):
    import cv2

    values = np.random.default_rng(1).integers(0, 65536, (8, 9, 3), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), values[..., ::-1])
    found = read_picture(tmp_path / "a.png").astype(int)
    assert np.abs(found - values / 257.0).max() <= 1.0


def test_palette_with_transparency(tmp_path):
    picture = Image.new("P", (4, 3), 1)
    picture.putpalette([255, 0, 0, 0, 200, 0])
    picture.putpixel((0, 0), 0)
    picture.save(tmp_path / "a.png", transparency=0)
    found = read_picture(tmp_path / "a.png")
    assert found.shape == (3, 4, 4)
    assert found[0, 0, 3] == 0
    assert found[1, 1].tolist() == [0, 200, 0, 255]


def test_grey_with_alpha_and_one_bit(tmp_path):
    grey = np.dstack([_gradient()[..., 0], _gradient()[..., 1]])
    Image.fromarray(grey, "LA").save(tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png")
    assert np.array_equal(found[..., 2], grey[..., 0])
    assert np.array_equal(found[..., 3], grey[..., 1])
    Image.new("1", (5, 4), 1).save(tmp_path / "b.png")
    assert (read_picture(tmp_path / "b.png") == 255).all()


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_first_frame_of_an_animation(tmp_path, suffix):
    frames = [Image.new("RGB", (16, 12), colour) for colour in ("red", "blue")]
    path = tmp_path / f"a.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    found = read_picture(path)
    assert found.shape == (12, 16, 3)
    assert found[5, 5].tolist() == [255, 0, 0]


def test_webp_with_alpha(tmp_path):
    picture = _gradient(channels=4)
    Image.fromarray(picture).save(tmp_path / "a.webp", lossless=True, exact=True)
    assert np.array_equal(read_picture(tmp_path / "a.webp"), picture)


def test_colour_profile_is_applied(tmp_path):
    # A made-up profile would need a writer, so Pillow's own XYZ profile stands in for "not sRGB".
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = _gradient()
    Image.fromarray(picture).save(tmp_path / "a.png", icc_profile=lab)
    assert np.array_equal(read_picture(tmp_path / "a.png"), picture)
    Image.fromarray(picture).save(tmp_path / "b.png", icc_profile=b"not a profile at all")
    assert np.array_equal(read_picture(tmp_path / "b.png"), picture)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "gif", "tiff"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7, 0.95])
def test_truncated_pictures_are_refused_in_one_line(tmp_path, suffix, share):
    buffer = io.BytesIO()
    names = {"jpg": "JPEG", "tiff": "TIFF"}
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, names.get(suffix, suffix.upper()))
    content = buffer.getvalue()
    (tmp_path / f"cut.{suffix}").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=rf"^image: cut\.{suffix} [^\n]*wanted a whole"):
        read_picture(tmp_path / f"cut.{suffix}")


def test_bad_files_name_the_field(tmp_path):
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(InputError, match=r"^views: a\.png cannot be read as a picture"):
        read_picture(tmp_path / "a.png", field="views")
    with pytest.raises(InputError, match=r"b\.png is not there"):
        read_picture(tmp_path / "b.png")
    with pytest.raises(InputError, match="not there"):
        read_picture(tmp_path)


def test_too_large_is_refused_before_decoding(tmp_path):
    Image.new("1", (16_385, 2)).save(tmp_path / "wide.png")
    with pytest.raises(InputError, match=r"16385x2 px, wanted at most 16384 px a side"):
        read_picture(tmp_path / "wide.png")
    Image.new("1", (16_384, 2)).save(tmp_path / "edge.png")
    assert read_picture(tmp_path / "edge.png").shape == (2, 16_384, 3)


def test_pillows_area_limit_is_ours_alone(tmp_path):
    before = Image.MAX_IMAGE_PIXELS
    header = io.BytesIO()
    Image.new("1", (30_000, 1)).save(header, "PNG")
    content = bytearray(header.getvalue())
    content[20:24] = (30_000).to_bytes(4, "big")  # a bomb: 900 Mpx claimed by a few bytes
    import zlib

    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(InputError, match="30000x30000 px"):
        read_picture(tmp_path / "bomb.png")
    assert before == Image.MAX_IMAGE_PIXELS


def test_resizing_does_not_darken_edges():
    picture = np.zeros((64, 64, 4), np.uint8)  # black where transparent
    picture[16:48, 13:51] = (240, 200, 30, 255)
    for size in (37, 20, 101, (50, 90)):
        small = resize_premultiplied(picture, size)
        seen = small[..., 3] > 8
        assert np.abs(small[seen][:, :3].astype(int) - [240, 200, 30]).max() <= 1
        assert (small[small[..., 3] == 0] == 0).all()


def test_resizing_keeps_flat_colour_and_mean():
    picture = np.full((30, 50, 3), 77, np.uint8)
    assert (resize_premultiplied(picture, (9, 80)) == 77).all()
    picture = _gradient(64, 64)
    small = resize_premultiplied(picture, 32)
    assert abs(float(small.mean()) - float(picture.mean())) < 0.2
    assert np.array_equal(resize_premultiplied(picture, 64), picture)


def test_on_background():
    picture = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [255, 255, 255, 51]]], np.uint8)
    found = on_background(picture, (0.0, 1.0, 0.0))
    assert found.tolist() == [[[10, 20, 30], [0, 255, 0], [51, 255, 51]]]
    assert on_background(np.stack([picture, picture])).shape == (2, 1, 3, 3)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        on_background(picture, (255, 255, 255))


def test_on_grey_shows_black_and_white_alike_and_hides_what_is_transparent():
    picture = np.array([[[0, 0, 0, 255], [255, 255, 255, 255], [255, 0, 0, 0]]], np.uint8)
    np.testing.assert_array_equal(on_grey(picture)[0], [[0.0] * 3, [1.0] * 3, [0.5] * 3])
    half = on_grey(np.array([[[255, 255, 255, 51]]], np.uint8))
    np.testing.assert_allclose(half, 0.2 + 0.4, atol=1e-12)
