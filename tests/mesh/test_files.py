"""GLB, OBJ and STL hold what was written."""

import json
import os

import numpy as np
import pytest
import trimesh

from assets3d.errors import InputError
from assets3d.mesh import validate
from assets3d.mesh.from_splats import with_corners
from assets3d.mesh.glb import glb_bytes, linear_from_srgb, read_glb, srgb_from_linear, write_glb
from assets3d.mesh.mesh import Mesh
from assets3d.mesh.normals import corner_normals, vertex_normals
from assets3d.mesh.obj import write_obj
from assets3d.mesh.stl import write_stl
from assets3d.mesh.unwrap import unwrap
from tests.mesh.scenes import enclosed_volume, sphere, torus, welded


@pytest.fixture(scope="module")
def textured() -> Mesh:
    mesh = torus(cells=24)
    uvs, _ = unwrap(mesh, 64, method="box")
    split = with_corners(mesh, uvs, corner_normals(mesh.vertices, mesh.faces))
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return Mesh(split.vertices, split.faces, split.uvs, split.normals, base_colour=picture)


def coloured() -> Mesh:
    mesh = sphere(cells=16)
    colours = np.random.default_rng(0).random(mesh.vertices.shape).astype(np.float32)
    normals = vertex_normals(mesh.vertices, mesh.faces)
    return Mesh(mesh.vertices, mesh.faces, normals=normals, colours=colours)


def test_glb_round_trip(textured, tmp_path):
    write_glb(tmp_path / "a.glb", textured, "thing", {"seed": 3})
    found = read_glb(tmp_path / "a.glb")
    for name in ("vertices", "faces", "normals", "base_colour"):
        np.testing.assert_array_equal(getattr(found.mesh, name), getattr(textured, name))
    np.testing.assert_allclose(found.mesh.uvs, textured.uvs, atol=1e-7)
    assert found.document["asset"]["extras"] == {"seed": 3}
    assert found.document["nodes"] == [{"name": "thing", "mesh": 0}]
    assert not list(tmp_path.glob("*.part"))


def test_glb_uses_everything_it_holds(textured):
    length = int.from_bytes(glb_bytes(textured, "thing")[12:16], "little")
    document = json.loads(glb_bytes(textured, "thing")[20 : 20 + length])
    primitive = document["meshes"][0]["primitives"][0]
    used = {*primitive["attributes"].values(), primitive["indices"]}
    assert used == set(range(len(document["accessors"])))
    views = {a["bufferView"] for a in document["accessors"]} | {document["images"][0]["bufferView"]}
    assert views == set(range(len(document["bufferViews"])))
    material = document["materials"][0]["pbrMetallicRoughness"]
    assert (material["metallicFactor"], material["roughnessFactor"]) == (0.0, 0.9)


def test_glb_bytes_repeat(textured):
    assert glb_bytes(textured, "thing") == glb_bytes(textured, "thing")


def test_other_readers_see_the_same_picture(textured, tmp_path):
    write_glb(tmp_path / "a.glb", textured, "thing")
    found = next(iter(trimesh.load_scene(tmp_path / "a.glb").geometry.values()))
    np.testing.assert_allclose(found.vertices, textured.vertices, atol=1e-6)
    np.testing.assert_allclose(found.visual.uv, textured.uvs, atol=1e-6)
    picture = np.asarray(found.visual.material.baseColorTexture.convert("RGB"))
    np.testing.assert_array_equal(picture, textured.base_colour)


def test_vertex_colours_are_linear_in_the_file(tmp_path):
    mesh = coloured()
    write_glb(tmp_path / "a.glb", mesh, "thing")
    np.testing.assert_allclose(read_glb(tmp_path / "a.glb").mesh.colours, mesh.colours, atol=1e-5)
    levels = np.linspace(0.0, 1.0, 256, dtype=np.float32)
    np.testing.assert_allclose(srgb_from_linear(linear_from_srgb(levels)), levels, atol=1e-6)
    assert linear_from_srgb(np.float32(0.5)) == pytest.approx(0.2140, abs=1e-3)


@pytest.mark.parametrize("damage", [lambda b: b[:-7], lambda b: b[:9], lambda b: b"no" + b[2:]])
def test_damaged_glb_is_refused(textured, tmp_path, damage):
    (tmp_path / "a.glb").write_bytes(damage(glb_bytes(textured, "thing")))
    with pytest.raises(InputError, match=r"a\.glb"):
        read_glb(tmp_path / "a.glb")


def test_texture_without_coordinates_is_refused():
    mesh = sphere(cells=12)
    with pytest.raises(ValueError, match="uvs"):
        glb_bytes(Mesh(mesh.vertices, mesh.faces, base_colour=np.zeros((4, 4, 3), np.uint8)), "a")


@pytest.mark.parametrize("kind", ["textured", "coloured", "bare"])
def test_khronos_validator_is_content(kind, textured, tmp_path):
    if reason := validate.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    mesh = {"textured": textured, "coloured": coloured(), "bare": sphere(cells=12)}[kind]
    write_glb(tmp_path / "a.glb", mesh, "thing", {"prompt": "a thing"})
    verdict = validate.validate_glb(tmp_path / "a.glb")
    assert (verdict.errors, verdict.warnings) == (0, 0), verdict.messages


def test_obj_round_trip(textured, tmp_path):
    write_obj(tmp_path / "a.obj", textured, "thing")
    found = trimesh.load(tmp_path / "a.obj", process=False, force="mesh")
    corners = found.vertices[found.faces], found.visual.uv[found.faces]
    np.testing.assert_allclose(corners[0], textured.vertices[textured.faces], atol=1e-5)
    np.testing.assert_allclose(corners[1], textured.uvs[textured.faces], atol=1e-5)
    picture = np.asarray(found.visual.material.image.convert("RGB"))
    np.testing.assert_array_equal(picture, textured.base_colour)


def test_stl_is_in_millimetres_and_z_up(textured, tmp_path):
    write_stl(tmp_path / "a.stl", textured)
    found = trimesh.load(tmp_path / "a.stl", force="mesh")
    assert found.is_watertight
    assert found.volume == pytest.approx(enclosed_volume(welded(textured)) * 1e9, rel=1e-4)
    extent = np.ptp(textured.vertices, axis=0) * 1000.0
    np.testing.assert_allclose(found.extents, extent[[0, 2, 1]], rtol=1e-5)
