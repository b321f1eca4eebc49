"""Views on disk: round trip, other programs' dialects, and every way a folder can be wrong."""

import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from assets3d.cameras import four_views, orbit_cameras
from assets3d.errors import InputError
from assets3d.views.posed import Views, read_cameras, write_views


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    views = Views(rng.integers(0, 256, (4, 8, 8, 4), dtype=np.uint8), four_views(8))
    write_views(views, tmp_path)
    return tmp_path


def edit(folder, change):
    path = folder / "transforms.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_round_trip(folder):
    cameras, paths = read_cameras(folder)
    assert [p.name for p in paths] == [f"view_{i:03d}.png" for i in range(4)]
    wanted = four_views(8)
    assert np.allclose(cameras.world_from_camera, wanted.world_from_camera)
    assert np.allclose(cameras.intrinsics_px, wanted.intrinsics_px)


def test_the_nerf_dialect_with_one_field_of_view(folder):
    def change(content):
        for frame in content["frames"]:
            for key in ("fl_x", "fl_y", "cx", "cy"):
                del frame[key]
            frame["file_path"] = frame["file_path"].removesuffix(".png")
        content["camera_angle_x"] = float(np.radians(49.1))

    edit(folder, change)
    assert np.allclose(read_cameras(folder)[0].intrinsics_px, four_views(8).intrinsics_px)


def test_intrinsics_written_for_other_pixels_are_scaled(folder):
    def change(content):
        content["w"] = content["h"] = 16
        for frame in content["frames"]:
            for key in ("fl_x", "fl_y", "cx", "cy"):
                frame[key] *= 2

    edit(folder, change)
    assert np.allclose(read_cameras(folder)[0].intrinsics_px, four_views(8).intrinsics_px)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("frames"), "has no frames"),
        (lambda c: c["frames"][1].pop("file_path"), "frame 1"),
        (lambda c: c["frames"][1].update(file_path="gone.png"), "gone.png"),
        (lambda c: c["frames"][1].update(file_path="../a.png"), "outside of .* wanted a picture"),
        (lambda c: c["frames"][1].update(file_path="x/../../a"), "outside of"),
        (lambda c: c["frames"][1].update(file_path="/a.png"), "outside of"),
        (lambda c: c["frames"][2].pop("transform_matrix"), "frame 2"),
        (lambda c: c["frames"][2].update(transform_matrix=[[2, 0, 0, 0]] * 4), "not a rigid"),
        (lambda c: c["frames"][0].pop("fl_x"), "focal length"),
        (lambda c: c["frames"][0].update(fl_x="wide"), "'wide'"),
    ],
)
def test_a_wrong_field_is_named(folder, change, message):
    edit(folder, change)
    with pytest.raises(InputError, match=message):
        read_cameras(folder)


def test_views_of_different_sizes_are_named(folder):
    Image.new("RGBA", (9, 8)).save(folder / "view_002.png")
    with pytest.raises(InputError, match=r"view_000.png is 8x8 and view_002.png is 9x8"):
        read_cameras(folder)


def test_pictures_of_one_name_in_two_folders_are_both_measured(folder):
    for name, width in (("a", 9), ("b", 8)):
        (folder / name).mkdir()
        Image.new("RGBA", (width, 8)).save(folder / name / "view.png")
    names = ("a/view.png", "./b/view.png")
    edit(
        folder,
        lambda c: [f.update(file_path=n) for f, n in zip(c["frames"][1:], names, strict=False)],
    )
    with pytest.raises(InputError, match=r"view_000.png is 8x8 and a/view.png is 9x8"):
        read_cameras(folder)


def test_a_giant_and_a_damaged_view_are_named(folder):
    def chunk(kind, content):
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 6, 0, 0, 0)
    giant = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"")
    (folder / "view_001.png").write_bytes(giant)
    with pytest.raises(InputError, match=r"views: view_001.png is 20000x20000 px, wanted at most"):
        read_cameras(folder)
    (folder / "view_001.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"views: view_001.png cannot be read .* wanted a whole"):
        read_cameras(folder)


def test_no_poses_and_broken_json(folder):
    (folder / "transforms.json").write_text("{")
    with pytest.raises(InputError, match="not JSON"):
        read_cameras(folder)
    (folder / "transforms.json").unlink()
    with pytest.raises(InputError, match=r"no transforms.json"):
        read_cameras(folder)


def test_the_record_refuses_other_shapes():
    with pytest.raises(ValueError, match="wanted"):
        Views(np.zeros((2, 8, 8, 3), np.uint8), orbit_cameras([0, 1], 0, 8))
