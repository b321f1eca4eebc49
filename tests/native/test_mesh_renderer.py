"""The mesh renderer against geometry that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from assets3d.cameras import orbit_cameras, pixel_rays
from assets3d.errors import InputError
from assets3d.mesh.mesh import Mesh
from assets3d.native.mesh_renderer import render_mesh

QUAD = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]], np.float32)
QUAD_FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def cube(side: float = 0.6) -> Mesh:
    corners = (
        np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32) - 0.5
    )
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [f for a, b, c, d in quads for f in ((a, b, c), (a, c, d))]
    return Mesh(corners * side, np.array(faces, np.int32))


def test_plane_depth_and_normal_are_exact():
    cameras = orbit_cameras([0, 35], [0, 20], 65)
    render = render_mesh(Mesh(QUAD, QUAD_FACES), cameras)
    origins, directions = pixel_rays(cameras)
    axis = -cameras.world_from_camera[:, :3, 2]
    along = -origins[..., 2] / directions[..., 2]
    wanted = along * np.einsum("vhwk,vk->vhw", directions, axis)
    hit = render.face >= 0
    assert 0.2 < hit.mean() < 0.9
    assert np.abs(render.depth - wanted)[hit].max() < 1e-5
    assert np.allclose(render.normal[hit], [0, 0, 1], atol=1e-6)
    assert not render.depth[~hit].any()
    assert np.array_equal(render.rgba[..., 3] > 0, hit)


def test_plane_fills_exactly_its_projection():
    cameras = orbit_cameras(0, 0, 128)
    focal = cameras.intrinsics_px[0, 0]
    alpha = render_mesh(Mesh(QUAD, QUAD_FACES), cameras, supersample=4).rgba[0, ..., 3] / 255
    assert alpha.sum() == pytest.approx((focal / 1.5) ** 2, rel=5e-3)


def test_cube_silhouette_areas():
    """Seen from the front a cube is its near face; from the corner the area is that of its hull."""
    side, size = 0.6, 160
    cameras = orbit_cameras([0, 45], [0, 0], size)
    focal = cameras.intrinsics_px[0, 0]
    alpha = render_mesh(cube(side), cameras, supersample=4).rgba[..., 3] / 255
    assert alpha[0].sum() == pytest.approx((focal * side / (1.5 - side / 2)) ** 2, rel=5e-3)
    # At 45 degrees: the near edge is highest, the two side edges at distance 1.5 bound the width.
    half = side / np.sqrt(2)
    near, far = focal * side / (1.5 - half), focal * side / 1.5
    width = 2 * focal * half / 1.5
    assert alpha[1].sum() == pytest.approx(width * (near + far) / 2, rel=5e-3)


def test_cube_faces_outwards():
    render = render_mesh(cube(), orbit_cameras([0, 90, 180, 270], [10, -10, 20, 0], 32))
    cameras = orbit_cameras([0, 90, 180, 270], [10, -10, 20, 0], 32)
    _, directions = pixel_rays(cameras)
    facing = (render.normal * directions).sum(axis=-1)
    assert (facing[render.face >= 0] < 0).all()


def test_texture_is_upright_and_bilinear():
    texture = np.zeros((2, 2, 3), np.uint8)
    texture[0, 0], texture[0, 1] = (255, 0, 0), (0, 255, 0)  # the top row
    texture[1, 0], texture[1, 1] = (0, 0, 255), (255, 255, 255)
    mesh = Mesh(QUAD, QUAD_FACES, uvs=QUAD[:, :2] + 0.5, base_colour=texture)
    picture = render_mesh(mesh, orbit_cameras(0, 0, 201)).rgba[0]
    rows, columns = np.nonzero(picture[..., 3])
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1

    def at(u, v):
        return picture[int(bottom - v * (bottom - top)), int(left + u * (right - left)), :3]

    assert np.allclose(at(0.25, 0.75), [255, 0, 0], atol=6)
    assert np.allclose(at(0.75, 0.75), [0, 255, 0], atol=6)
    assert np.allclose(at(0.25, 0.25), [0, 0, 255], atol=6)
    assert np.allclose(at(0.75, 0.25), [255, 255, 255], atol=6)
    assert np.allclose(at(0.5, 0.5), [127.5, 127.5, 127.5], atol=6)


def test_texture_is_perspective_correct():
    """A slanted quad's uv equals the world position it was made from."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 256, axis=0).repeat(3, axis=2)
    mesh = Mesh(QUAD, QUAD_FACES, uvs=QUAD[:, :2] + 0.5, base_colour=ramp)
    cameras = orbit_cameras(60, 10, 96)
    render = render_mesh(mesh, cameras)
    origins, directions = pixel_rays(cameras)
    x = (origins + directions * (-origins[..., 2:] / directions[..., 2:]))[..., 0]
    inside = (render.face >= 0) & (np.abs(x) < 0.49)
    assert np.abs(render.rgba[..., 0] - (256 * (x + 0.5) - 0.5))[inside].max() < 1.5


def test_vertex_colours_smooth_normals_and_nearest_wins():
    colours = np.array([[1, 0, 0]] * 4, np.float32)
    near = QUAD * 0.5 + np.array([0, 0, 0.3], np.float32)
    mesh = Mesh(
        np.concatenate([QUAD, near]),
        np.concatenate([QUAD_FACES, QUAD_FACES + 4]),
        colours=np.concatenate([colours, colours[:, ::-1]]),
        normals=np.tile(np.array([[0.6, 0, 0.8]], np.float32), (8, 1)),
    )
    render = render_mesh(mesh, orbit_cameras(0, 0, 64))
    assert render.rgba[0, 32, 32].tolist() == [0, 0, 255, 255]
    assert render.rgba[0, 32, 10].tolist() == [255, 0, 0, 255]
    assert render.depth[0, 32, 32] == pytest.approx(1.2)
    assert np.allclose(render.normal[0, 32, 32], [0.6, 0, 0.8], atol=1e-6)


def test_light_shades_and_background_shows():
    render = render_mesh(
        cube(), orbit_cameras(30, 20, 48), shading="flat_light", background=(0.5, 0.5, 0.5)
    )
    assert (render.rgba[..., 3] == 255).all()
    assert render.rgba[0, 0, 0].tolist() == [128, 128, 128, 255]
    seen = np.unique(render.rgba[render.face >= 0], axis=0)
    assert len(seen) == 3  # three faces of a cube, three brightnesses


def test_same_on_any_number_of_threads():
    cameras = orbit_cameras(30, 20, 100)
    one, two = (render_mesh(cube(), cameras, supersample=2, threads=t) for t in (1, 2))
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a, b)


def test_empty_behind_and_bad():
    cameras = orbit_cameras(0, 0, 16)
    empty = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    behind = Mesh(QUAD + np.array([0, 0, 3], np.float32), QUAD_FACES)
    for mesh in (empty, behind):
        render = render_mesh(mesh, cameras)
        assert not render.rgba.any()
        assert (render.face == -1).all()
    with pytest.raises(InputError, match="index"):
        render_mesh(Mesh(QUAD, QUAD_FACES + 1), cameras)
    with pytest.raises(InputError, match="supersample"):
        render_mesh(cube(), cameras, supersample=0)
    with pytest.raises(InputError, match="colours"):
        render_mesh(Mesh(QUAD, QUAD_FACES, colours=QUAD[:2]), cameras)
