"""From splats on known surfaces to meshes: shape, place, size, colour, and the same bytes again."""

import dataclasses

import numpy as np
import pytest

from assets3d.cameras import four_views
from assets3d.errors import InputError
from assets3d.mesh.from_splats import Report, Settings, mesh_from_splats
from assets3d.mesh.glb import glb_bytes, read_glb, write_glb
from assets3d.mesh.measures import agreement
from assets3d.mesh.prune import pruned
from assets3d.mesh.topology import face_components, is_closed
from assets3d.native.mesh_renderer import render_mesh
from assets3d.splats.gaussians import Gaussians, from_parts
from assets3d.splats.normalise import scale_and_move
from assets3d.views.posed import Views
from tests.mesh.scenes import box, enclosed_volume, sphere, surfels, torus, welded

QUICK = Settings(
    depth_views=40, depth_px=224, voxels=2e5, longest_voxels=140, colour_views=14,
    unwrap_limit_s=120.0,
)  # fmt: skip
GREY = np.array([0.5, 0.5, 0.5])


def made(gaussians, height_m=1.0, faces=1500, **more):
    return mesh_from_splats(
        gaussians, faces=faces, texture_px=256, height_m=height_m, settings=QUICK, **more
    )


@pytest.mark.parametrize(
    "shape", [sphere(cells=50), torus(cells=50), box(0.5, 0.3, 0.4, cells=51)], ids=str.__class__
)
def test_a_closed_outward_mesh_of_the_right_size_and_place(shape):
    height = float(np.ptp(shape.vertices[:, 1]))
    report = Report()
    # Any frame: the splats lie elsewhere and are seven times as large.
    splats = scale_and_move(surfels(shape, GREY, 6000, spread=0.7), 7.0, np.array([3.0, -2.0, 1.0]))
    mesh = made(splats, height_m=height, report=report)
    solid = welded(mesh)
    assert is_closed(solid.faces)
    assert enclosed_volume(solid) == pytest.approx(enclosed_volume(shape), rel=0.12)
    low, high = mesh.bounds
    assert low[1] == pytest.approx(0.0, abs=1e-6)
    assert high[1] == pytest.approx(height, abs=1e-5)
    np.testing.assert_allclose((low + high)[[0, 2]], 0.0, atol=1e-5)
    np.testing.assert_allclose(high - low, np.ptp(shape.vertices, axis=0), atol=0.05)
    assert 0.97 * 1500 <= len(mesh.faces) <= 1500
    assert report.atlas == "xatlas"
    assert set(report.seconds) == {"prune", "fuse", "clean and simplify", "unwrap", "bake"}


def test_a_ring_keeps_its_hole():
    mesh = made(surfels(torus(cells=50), GREY, 6000))
    rgba = render_mesh(mesh, four_views(64)).rgba
    assert rgba.shape == (4, 64, 64, 4)
    solid = welded(mesh)
    edges = len(solid.faces) * 3 // 2
    assert len(solid.vertices) - edges + len(solid.faces) == 0  # genus one


def test_a_thin_blade_survives():
    blade = box(0.05, 0.54, 0.012, cells=120)
    mesh = made(surfels(blade, GREY, 6000), height_m=1.08)
    assert face_components(welded(mesh).faces)[0] == 1
    extent = np.ptp(mesh.vertices, axis=0)
    assert extent[0] == pytest.approx(0.1, abs=0.03)
    assert 0.012 < extent[2] < 0.06


def test_flat_colour_survives_to_the_file(tmp_path):
    rgb = np.array([200, 90, 40]) / 255.0
    mesh = made(surfels(sphere(cells=50), rgb, 5000))
    write_glb(tmp_path / "a.glb", mesh, "ball")
    texture = read_glb(tmp_path / "a.glb").mesh.base_colour.astype(int)
    assert np.abs(texture - [200, 90, 40]).max() <= 2


def test_colours_land_where_they_belong():
    """Red to +X, green to the top, blue to the front, with no turning or mirroring on the way."""
    shape = sphere(0.5, cells=50)
    mesh = made(surfels(shape, lambda p: np.clip(p + 0.5, 0, 1), 8000))
    centred = dataclasses.replace(mesh, vertices=mesh.vertices - np.float32([0, 0.5, 0]))
    drawn = render_mesh(centred, four_views(96))
    front = drawn.rgba[0, ..., :3].astype(int)
    assert front[48, 70, 0] > front[48, 26, 0] + 60  # +X is right in the front view
    assert front[30, 48, 1] > front[66, 48, 1] + 60  # +Y is up
    back = drawn.rgba[2, ..., :3].astype(int)
    assert front[48, 48, 2] > back[48, 48, 2] + 150  # +Z faces the front camera
    assert back[48, 26, 0] > back[48, 70, 0] + 60


def test_a_true_picture_shows_through():
    splats = surfels(sphere(0.548, cells=50), GREY, 6000)
    cameras = four_views(128)[0]
    rgba = np.zeros((1, 128, 128, 4), np.uint8)
    rgba[..., 0], rgba[..., 3] = 255, 255
    mesh = made(splats, sources=Views(rgba, cameras))
    centred = dataclasses.replace(mesh, vertices=(mesh.vertices - np.float32([0, 0.5, 0])) * 1.096)
    drawn = render_mesh(centred, four_views(64)).rgba
    assert drawn[0, 32, 32, 0] > 230
    assert abs(int(drawn[2, 32, 32, 0]) - 128) <= 3


def test_nothing_lies_outside_a_true_outline():
    """A cutout with a narrow half and a hole carves them, though the splats know of neither."""
    cameras = four_views(128)[0]
    y, x = np.mgrid[0:128, 0:128] - 63.5
    inside = (np.hypot(x, y) < 50) & ((y < 0) | (np.abs(x) < 20)) & (np.hypot(x, y + 20) > 8)
    rgba = np.full((1, 128, 128, 4), 255, np.uint8)
    rgba[0, ..., 3] = 255 * inside
    source = Views(rgba, cameras)
    splats = surfels(sphere(0.548, cells=50), GREY, 6000)
    plain_report, report = Report(), Report()
    before = agreement(made(splats, report=plain_report), source, plain_report)[0]
    mesh = made(splats, faces=3000, sources=source, report=report)
    found, _ = agreement(mesh, source, report)
    assert before < 0.75
    assert found > 0.93
    assert is_closed(welded(mesh).faces)


def test_the_same_splats_give_the_same_bytes():
    splats = surfels(torus(cells=40), lambda p: np.clip(p + 0.5, 0, 1), 3000)
    one, two = (made(splats, faces=600) for _ in range(2))
    assert glb_bytes(one, "a") == glb_bytes(two, "a")


def test_threads_do_not_change_the_bytes():
    splats = surfels(torus(cells=40), GREY, 3000)
    one, two = (
        mesh_from_splats(
            splats, faces=600, texture_px=128, height_m=1.0,
            settings=dataclasses.replace(QUICK, threads=threads),
        )
        for threads in (1, 2)
    )  # fmt: skip
    assert glb_bytes(one, "a") == glb_bytes(two, "a")


def test_pruning_drops_what_is_not_the_object():
    good = surfels(sphere(0.5, cells=30), GREY, 2000)
    upright = np.array([[1.0, 0.0, 0.0, 0.0]])
    bad = {
        "faint": from_parts([[0, 0, 0.5]], [0.01], [[0.02] * 3], upright, [GREY]),
        "huge": from_parts([[0, 0, 0.5]], [0.9], [[0.6] * 3], upright, [GREY]),
        "needle": from_parts([[0, 0, 0.5]], [0.9], [[0.3, 0.01, 0.01]], upright, [GREY]),
        "floater": from_parts([[0, 0, 1.2]], [0.9], [[0.02] * 3], upright, [GREY]),
    }
    for name, splat in bad.items():
        kept = pruned(Gaussians(np.concatenate([good.values, splat.values])))
        assert len(kept) == len(good), name
    assert len(pruned(good)) == len(good)


def test_floaters_leave_no_specks():
    rng = np.random.default_rng(0)
    count = 60
    place = rng.normal(size=(count, 3))
    place *= 0.8 / np.linalg.norm(place, axis=1, keepdims=True)
    dust = from_parts(
        place, np.full(count, 0.9), np.full((count, 3), 0.015),
        np.tile([1.0, 0, 0, 0], (count, 1)), np.tile([1.0, 0, 0], (count, 1)),
    )  # fmt: skip
    ball = surfels(sphere(0.5, cells=40), GREY, 5000)
    mesh = made(Gaussians(np.concatenate([ball.values, dust.values])))
    assert face_components(welded(mesh).faces)[0] == 1
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), 1.0, atol=0.03)
    assert np.abs(mesh.base_colour.astype(int) - 128).max() <= 12


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"texture_px": 1000}, "texture_px"),
        ({"faces": 2}, "faces"),
        ({"height_m": 0.0}, "height_m"),
        ({"height_m": float("nan")}, "height_m"),
    ],
)
def test_wrong_wishes_are_named(change, field):
    wishes = {"faces": 500, "texture_px": 128, "height_m": 1.0} | change
    with pytest.raises(InputError, match=field):
        mesh_from_splats(surfels(sphere(cells=16), GREY, 200), **wishes)


def test_invisible_splats_are_refused():
    splats = surfels(sphere(cells=16), GREY, 200)
    values = splats.values.copy()
    values[:, 3] = 0.001
    with pytest.raises(InputError, match="splats"):
        made(Gaussians(values))
