"""The export stage: every kind of asset, every engine, the licence gate, and what a record says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from assets3d.errors import InputError
from assets3d.export.surface import read_material
from assets3d.mesh import validate
from assets3d.mesh.glb import glb_bytes, read_glb
from assets3d.mesh.glb_builder import unpacked
from assets3d.splats.ply import read_ply, write_ply
from assets3d.textures.world.catalogue import sample_material
from motion.files.bvh import write_bvh
from motion.files.gltf import write_clip_glb
from motion.gaits import make_gaits
from motion.gaits.timeline import Part
from stages import export, maps
from stages._executor import LocalExecutor
from stages._failures import read_failures
from stages._harness import run_step
from stages._provenance import provenance_of
from stages.deliver import refused_of
from stages.manifest import Manifest, check_entry
from tests.export.shapes import shape
from tests.mesh.scenes import surfels

PARAMS = {
    **{"model": "none", "engine": "generic", "budget": "desktop", "lods": [0.5, 0.25]},
    **{"hull": "convex", "splats": ["ply", "glb"], "variants": [], "renderer": "native"},
    **{"thumbnail_px": 48, "turntable_frames": 4, "turntable_px": 32, "turntable_fps": 4},
    **{"threads": 1, "commercial": False},
}
MAPS = {"model": "none", "backend": "luminance", "preview_px": 64, "threads": 1}
MODEL = {
    **{"name": "sdxl", "source": "hub/sdxl", "revision": "a" * 40, "licence": "OpenRAIL++"},
    **{"commercial": "yes", "sha256": "b" * 64},
}


def record_of(step: str, **fields: Any) -> dict[str, Any]:
    made = {"step": step, "key": "c" * 64, "spec": {"enters": "prompt"}, "seed": 1, "params": {}}
    rest = {"inputs": {}, "models": {}, "versions": {}, "numbers": {}, "warnings": []}
    return {**made, **rest, **fields}


def write_record(folder: Path, step: str, **fields: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "record.json").write_text(json.dumps(record_of(step, **fields)))


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    """Return the folders of the steps before, with a prop called `thing` in them."""
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / "runs"
    mesh = shape("box", 900)
    lowest = float(mesh.bounds[0, 1])
    mesh = replace(mesh, vertices=mesh.vertices - np.float32([0.0, lowest, 0.0]))
    write_record(runs / "image/thing", "image", models={"model": MODEL}, warnings=["odd words"])
    for step in ("cutout", "views"):
        write_record(runs / step / "thing", step)
    write_record(runs / "splats/thing", "splats")
    splats = surfels(mesh, (0.2, 0.4, 0.6), count=300)
    in_their_frame = splats.values.copy()
    in_their_frame[:, :3] = in_their_frame[:, :3] / 0.5 + [1.0, 2.0, 3.0]
    in_their_frame[:, 4:7] /= 0.5
    write_ply(runs / "splats/thing/splats.ply", replace(splats, values=in_their_frame))
    numbers = {"metres_per_unit": 0.5, "pivot": [1.0, 2.0, 3.0]}
    write_record(runs / "mesh/thing", "mesh", numbers=numbers)
    (runs / "mesh/thing/thing.glb").write_bytes(glb_bytes(mesh, "thing"))
    return runs


def exported(runs: Path, entry: dict[str, Any], **params: Any) -> Path:
    spec = check_entry("thing", entry)
    before = [p for p in sorted(runs.iterdir()) if p.name not in ("export", ".store", ".state")]
    out = runs / "export"
    manifest = Manifest({"thing": spec}, {})
    summary = run_step(export.STEP, {**PARAMS, **params}, manifest, before, out, LocalExecutor())
    assert summary.failed == 0, (out / "failures.json").read_text()
    return out / "thing"


def package_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "package.json").read_text())
    for name in content["files"].values():
        assert (folder / name).is_file(), name
    return content


def is_clean(path: Path) -> bool:
    if validate.missing():
        return True
    verdict = validate.validate_glb(path)
    return (verdict.errors, verdict.warnings) == (0, 0)


def test_a_prop(runs):
    folder = exported(runs, {"prompt": "a box", "seed": 5})
    package = package_of(folder)
    roles = {"model", "lod1", "lod2", "hull", "splats_ply", "splats_glb", "thumbnail", "turntable"}
    assert set(package["files"]) == roles
    assert (package["kind"], package["name"], package["engine"]) == ("prop", "Thing", "generic")
    assert package["status"] == "warned"
    assert package["warnings"] == ["image: odd words"]
    assert (package["commercial"], package["licences"]) == (True, ["sdxl: OpenRAIL++"])
    assert package["pivot"] == "base centre"
    triangles = [level["triangles"] for level in package["lods"]]
    assert triangles[0] == package["triangles"]
    assert triangles[1] <= triangles[0] / 2
    assert triangles[2] <= triangles[0] / 4
    for level in package["lods"][1:]:
        assert level["error_px_at_512"] == pytest.approx(512 * level["error_share"], abs=0.01)
    for role in ("model", "lod1", "lod2", "hull"):
        path = folder / package["files"][role]
        assert is_clean(path)
        facts = read_facts(path)
        assert (facts["prompt"], facts["seed"], facts["commercial"]) == ("a box", 5, "yes")
        assert facts["models"][0]["revision"] == "a" * 40
    # The splats lie on the mesh.
    splats = read_ply(folder / "thing_splats.ply")
    np.testing.assert_allclose(splats.position.min(axis=0), package["bounds_m"][0], atol=0.02)
    with Image.open(folder / "thumbnail.png") as still:
        assert (still.size, still.mode) == ((48, 48), "RGBA")
        assert still.getextrema()[3] == (0, 255)
    with Image.open(folder / "turntable.webp") as turning:
        assert (turning.size, turning.n_frames) == ((32, 32), 4)
    record = json.loads((folder / "record.json").read_text())
    assert [step["step"] for step in record["history"]] == [
        *("image", "cutout", "views", "splats", "mesh")
    ]
    assert record["warnings"] == []  # the step before has said it
    assert record["numbers"]["lod1_error_px"] == package["lods"][1]["error_px_at_512"]


def read_facts(path: Path) -> dict[str, Any]:
    facts: dict[str, Any] = unpacked(path.read_bytes(), path.name)[0]["asset"]["extras"]
    return facts


def test_unreal_and_godot_find_the_hull_in_the_model(runs):
    folder = exported(runs, {"prompt": "a box"}, engine="unreal", splats=[])
    package = package_of(folder)
    assert package["files"]["model"] == "SM_Thing.glb"
    assert package["files"]["lod1"] == "SM_Thing_LOD1.glb"
    document = read_glb(folder / "SM_Thing.glb").document
    assert [node["name"] for node in document["nodes"]] == ["SM_Thing", "UCX_SM_Thing_00"]
    assert document["materials"][0]["name"] == "M_Thing"
    assert is_clean(folder / "SM_Thing.glb")
    folder = exported(runs, {"prompt": "a box", "lods": 0}, engine="godot", splats=[])
    names = [node["name"] for node in read_glb(folder / "thing.glb").document["nodes"]]
    assert names == ["thing", "thing_00-convcolonly"]
    assert "lod1" not in package_of(folder)["files"]


def test_what_an_entry_says_goes_before_the_profile(runs):
    entry = {"prompt": "a box", "lods": 1, "hull": "none"}
    package = package_of(exported(runs, entry, splats=["ply"]))
    assert {"lod1", "splats_ply"} <= set(package["files"])
    assert not {"lod2", "hull", "splats_glb"} & set(package["files"])


def test_a_budget_that_is_passed_is_a_warning(runs):
    folder = exported(runs, {"prompt": "a box"}, budget="mobile", splats=[])
    assert not [w for w in package_of(folder)["warnings"] if "budget" in w]
    mesh = shape("box", 900)
    many = replace(mesh, faces=np.tile(mesh.faces, (8, 1)))
    (runs / "mesh/thing/thing.glb").write_bytes(glb_bytes(many, "thing"))
    write_record(runs / "mesh/thing", "mesh", key="d" * 64, numbers=numbers_of(runs))
    package = package_of(exported(runs, {"prompt": "a box"}, budget="mobile", lods=[], splats=[]))
    assert "budget mobile: triangles is 7200, wanted at most 5000" in package["warnings"]
    assert package["budget"]["bars"][0] == ["triangles", 7200, 5000]


def numbers_of(runs: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((runs / "mesh/thing/record.json").read_text())["numbers"]
    return found


@pytest.mark.parametrize(
    ("model", "revision"),
    [
        (MODEL, "a" * 40),
        ({**MODEL, "revision": None}, f"sha256:{'b' * 16}"),
        ({**MODEL, "revision": None, "sha256": None}, None),
    ],
)
def test_weights_without_a_commit_are_named_by_their_hash(model, revision):
    record = {"models": {"model": model}, "inputs": {}, "spec": {"enters": "prompt"}}
    spec = {"id": "box", "kind": "prop", "enters": "prompt", "prompt": "x", "seed": 1}
    found = provenance_of({**spec, "licence": None}, {"image": record})
    assert found.models[0].revision == revision


@pytest.mark.parametrize(
    ("models", "entry", "words"),
    [
        ({"commercial": "no", "licence": "NC"}, {}, "sdxl is not for commercial use (NC)"),
        ({"commercial": "unverified"}, {}, "nobody checked the licence of sdxl"),
        ({}, {"licence": "CC-BY-NC-4.0"}, "licence: found 'CC-BY-NC-4.0', which is not for"),
    ],
)
def test_the_gate_for_what_must_not_be_sold(runs, models, entry, words):
    write_record(runs / "image/thing", "image", models={"model": {**MODEL, **models}})
    entry = {"prompt": "a box", **entry}
    folder = exported(runs, entry, splats=[], lods=[])
    assert package_of(folder)["commercial"] is not True
    spec = check_entry("thing", entry)
    out = runs / "export"
    before = [runs / step for step in ("image", "cutout", "views", "splats", "mesh")]
    params = {**PARAMS, "splats": [], "lods": [], "commercial": True}
    manifest = Manifest({"thing": spec}, {})
    assert run_step(export.STEP, params, manifest, before, out, LocalExecutor()).failed == 1
    failure = json.loads((out / "failures.json").read_text())["failed"][0]
    assert (failure["asset"], failure["cause"]) == ("thing", "input")
    assert words in failure["message"]
    assert "commercial: true" in failure["message"]
    assert refused_of(read_failures(out).failed) == {"thing": failure["message"]}
    assert not (out / "thing").exists()


def test_a_material(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    entry = {"kind": "material", "procedural": "bricks", "size_px": 128, "packs": ["blender"]}
    entry["directx"] = True
    manifest = Manifest({"thing": check_entry("thing", entry)}, {})
    runs = tmp_path / "runs"
    run_step(maps.STEP, MAPS, manifest, [], runs / "maps", LocalExecutor())
    folder = exported(runs, entry, engine="unreal")
    package = package_of(folder)
    assert package["files"]["texture_N"] == "T_Thing_N.png"
    assert package["files"]["texture_blender_height"] == "blender/thing_height.tiff"
    assert package["normal_green"] == "down"
    assert (package["texture_px"], package["made_by"]) == (128, "formula")
    plain, packed = (
        cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        for path in (runs / "maps/thing/thing_height.png", folder / "T_Thing_H.png")
    )
    np.testing.assert_array_equal(plain, packed)
    document, _ = unpacked((folder / "M_Thing_ball.glb").read_bytes(), "ball")
    assert document["materials"][0]["name"] == "M_Thing"
    assert document["images"][0]["name"] == "T_Thing_basecolor"
    assert "TANGENT" in document["meshes"][0]["primitives"][0]["attributes"]
    assert is_clean(folder / "M_Thing_ball.glb")
    with Image.open(folder / "thumbnail.png") as still:
        assert (still.mode, still.getextrema()[3]) == ("RGBA", (0, 255))
    plain_folder = exported(runs, entry, engine="generic")
    assert {"texture_normal_gl", "texture_roughness", "texture_normal_dx"} <= set(
        package_of(plain_folder)["files"]
    )
    assert "texture_normal_dx" not in package["files"]  # T_Thing_N is that
    # What is read from the files is what they were written from.
    found = read_material(runs / "maps/thing", "thing")
    made = sample_material("bricks", 0, 128)
    assert np.abs(found.height_m - made.height_m).max() < np.ptp(made.height_m) / 60000
    assert np.abs(found.base_colour - made.base_colour).max() <= 0.5 / 255 + 1e-6
    (runs / "maps/thing/thing_height.png").unlink()
    with pytest.raises(InputError, match=r"map: thing_height\.png is not there"):
        read_material(runs / "maps/thing", "thing")


def test_a_clip(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / "runs"
    clip = make_gaits([Part(0.5, speed_mps=1.0)], name="walk").clip
    spec = {"enters": "script"}
    write_record(runs / "motion/thing", "motion", spec=spec, models={"model": MODEL})
    write_bvh(runs / "motion/thing/thing.bvh", clip)
    write_clip_glb(runs / "motion/thing/thing.glb", clip)
    Image.new("RGB", (8, 8)).save(runs / "motion/thing/preview.webp")
    entry = {"kind": "motion", "script": [{"walk": "1 s"}]}
    folder = exported(runs, entry, engine="unreal")
    package = package_of(folder)
    assert package["files"]["clip"] == "SK_Thing.glb"
    (facts,) = package["clips"]
    assert facts["name"] == "AS_Thing_walk"
    assert facts["seconds"] == pytest.approx(clip.seconds, abs=1e-3)
    assert facts["fps"] == pytest.approx(clip.fps, rel=1e-3)
    document, _ = unpacked((folder / "SK_Thing.glb").read_bytes(), "clip")
    assert document["animations"][0]["name"] == "AS_Thing_walk"
    assert package["words"] == "script: walk 1 s"
    assert package["made_by"] == "network"
    assert is_clean(folder / "SK_Thing.glb")
    # A capture was made by no network, though the step's record names one.
    write_record(
        runs / "motion/thing",
        "motion",
        spec={"enters": "bvh"},
        inputs={"bvh": "e" * 64},
        models={"model": MODEL},
    )
    package = package_of(exported(runs, {"kind": "motion", "bvh": "take.bvh"}))
    assert (package["made_by"], package["licences"]) == ("a person's file", [])


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"engine": "unrael"}, "engine: found 'unrael', wanted one of generic, blender"),
        ({"budget": "tiny"}, "budget: found 'tiny'"),
        ({"lods": [0.25, 0.5]}, "lods: found [0.25, 0.5], wanted falling shares"),
        ({"hull": "round"}, "hull: found 'round', wanted one of convex, parts, none"),
        ({"variants": ["draco"]}, "variants: found 'draco', wanted some of meshopt, webp, ktx2"),
    ],
)
def test_slips_in_a_profile_are_one_line(params, words):
    with pytest.raises(InputError) as caught:
        export.settings_of({**PARAMS, **params}, {})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"pack": "My Pack"}, "pack: found 'My Pack'"),
        ({"lods": 9}, "lods: found 9"),
        ({"hull": "round"}, "hull: found 'round'"),
        ({"licence": " "}, "licence"),
    ],
)
def test_slips_in_an_entry_are_one_line(entry, words):
    with pytest.raises(InputError, match=words):
        check_entry("thing", {"prompt": "a box", **entry})


@pytest.mark.parametrize(
    ("texture_models", "made_by"), [({}, "formula"), ({"m": MODEL}, "network")]
)
def test_a_material_that_words_choose_is_made_by_no_network(texture_models, made_by):
    """The maps step's record names the back end that other materials are read by."""
    from stages._provenance import provenance_of

    shared = {"inputs": {}, "versions": {}, "seed": 0, "warnings": [], "key": "0" * 64}
    spec = {"enters": "prompt", "prompt": "rock", "id": "rock", "kind": "material"}
    records = {
        "texture": shared | {"spec": spec, "models": texture_models},
        "maps": shared | {"spec": spec, "models": {"backend": MODEL}},
    }
    assert provenance_of(spec | {"seed": 0, "licence": None}, records).made_by == made_by
