"""Packs open in Blender as artists expect: named, upright, textured, marked, and once only."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assets3d.cameras import Cameras
from assets3d.mesh.glb import glb_bytes, read_glb
from assets3d.mesh.turntable import ELEVATION_DEG, _framed
from tests.blender.packs import FPS, TURNTABLE_PX, bench, make_packs
from tests.blender.test_motion_opens import BLENDER, ROOT, in_blender

pytestmark = pytest.mark.slow

SCRIPT = ROOT / "tools/blender_import.py"
LOOK = Path(__file__).with_name("look_pack.py")


@dataclass(frozen=True)
class Program:
    """A Blender: the command before a script's path, and between it and its arguments."""

    before: tuple[str, ...]
    between: tuple[str, ...]

    def __call__(self, script: Path, *arguments: str | Path) -> tuple[int, list[str]]:
        """Run a script; return its exit status and what it printed."""
        command = [*self.before, script, *self.between, *arguments]
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=600
        )
        return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.fixture(scope="module", params=["bpy", "blender"])
def blender(request) -> Program:
    """Return the `bpy` package, or the distribution's Blender where there is one."""
    if request.param == "blender":
        found = shutil.which("blender")
        if found is None:
            pytest.skip("no blender on the PATH")
        return Program((found, "-b", "--python-exit-code", "1", "-P"), ("--",))
    if not BLENDER.is_file():
        reason = "Blender is not installed (make blender)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return Program((str(BLENDER),), ())


@pytest.fixture(scope="module")
def packs(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("packs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return make_packs(root, ("generic", "unreal"))


def bring(blender: Program, manifest: Path, out: Path, *more: str) -> tuple[int, list[str]]:
    """Run the importer; return its exit status and its own lines."""
    status, lines = blender(SCRIPT, manifest, "--out", out, *more)
    own = [line.removeprefix("blender_import: ") for line in lines if "blender_import: " in line]
    assert own, "\n".join(lines)
    return status, own


def looked_at(blender: Program, *arguments: str | Path) -> dict[str, Any]:
    _, lines = blender(LOOK, *arguments)
    found = [line for line in lines if line.startswith("LOOK ")]
    assert found, "\n".join(lines)
    return json.loads(found[0].removeprefix("LOOK "))


def entries(manifest: Path) -> dict[str, dict[str, Any]]:
    return {entry["id"]: entry for entry in json.loads(manifest.read_text())["assets"]}


def front_camera(manifest: Path) -> Cameras:
    """Return the camera of our turntable's first frame, in the asset's own frame."""
    mesh = read_glb(manifest.parent / entries(manifest)["bench"]["files"]["model"]).mesh
    (camera, _) = _framed(mesh, np.array([0.0, 180.0]), ELEVATION_DEG, TURNTABLE_PX)
    low, high = mesh.bounds.astype(np.float64)
    pose = camera.world_from_camera.copy()
    pose[:, :3, 3] = pose[:, :3, 3] * np.linalg.norm(high - low) / 2.0 + (low + high) / 2.0
    return Cameras(pose, camera.intrinsics_px, TURNTABLE_PX, TURNTABLE_PX)


@dataclass(frozen=True)
class Opened:
    """A pack in Blender: its manifest, what was found, and the bench as drawn there."""

    manifest: Path
    blend: Path
    found: dict[str, Any] = field(repr=False)
    drawn: np.ndarray = field(repr=False)

    @property
    def pack(self) -> dict[str, Any]:
        (pack,) = self.found["collections"]
        return pack

    def asset(self, name: str) -> dict[str, Any]:
        (asset,) = [child for child in self.pack["children"] if child["name"] == name]
        return asset


@pytest.fixture(scope="module")
def generic(blender, packs, tmp_path_factory) -> Opened:
    return opened(blender, packs["generic"], tmp_path_factory.mktemp("generic"), "bench")


@pytest.fixture(scope="module")
def unreal(blender, packs, tmp_path_factory) -> Opened:
    return opened(blender, packs["unreal"], tmp_path_factory.mktemp("unreal"), "SM_Bench")


def opened(blender: Program, manifest: Path, folder: Path, shown: str) -> Opened:
    status, lines = bring(blender, manifest, folder / "pack.blend")
    assert status == 0
    assert "yard: 3 imported, 0 unchanged, 0 failed" in lines[-1]
    camera = front_camera(manifest)
    turned = np.eye(4)
    turned[:3, :3] = in_blender(np.eye(3)).T
    said = {
        **{"collection": "bench", "object": shown, "size_px": TURNTABLE_PX},
        "focal_px": float(camera.intrinsics_px[0, 0]),
        "world_from_camera": (turned @ camera.world_from_camera[0]).tolist(),
    }
    (folder / "camera.json").write_text(json.dumps(said))
    found = looked_at(blender, folder / "pack.blend", folder / "camera.json", folder / "drawn.png")
    drawn = np.asarray(Image.open(folder / "drawn.png"))
    return Opened(manifest, folder / "pack.blend", found, drawn)


def test_collections_and_names(generic):
    assert generic.pack["name"] == "yard"
    assert [child["name"] for child in generic.pack["children"]] == ["bench", "bricks", "wolf"]
    bench_objects = generic.asset("bench")["objects"]
    assert {name: thing["hidden"] for name, thing in bench_objects.items()} == {
        "bench": False,
        "bench_lod1": True,
        "bench_lod2": True,
        "bench_hull_00": True,
    }
    wolf = generic.asset("wolf")["objects"]
    assert {name: thing["type"] for name, thing in wolf.items()} == {
        "wolf": "ARMATURE",
        "wolf_mesh": "MESH",
    }
    assert not any(thing["hidden"] for thing in wolf.values())
    # Nothing is left of what importers bring along, and levels share the model's material.
    assert generic.found["blocks"]["objects"] == sorted({*bench_objects, "bricks", *wolf})
    assert generic.found["blocks"]["materials"] == ["bench", "bricks", "wolf"]
    for name in ("bench", "bench_lod1", "bench_lod2"):
        assert bench_objects[name]["materials"] == ["bench"]


def test_counts_and_bounds(generic):
    entry = entries(generic.manifest)["bench"]
    asset = generic.asset("bench")
    things = asset["objects"]
    for name, level in zip(("bench", "bench_lod1", "bench_lod2"), entry["lods"], strict=True):
        assert things[name]["triangles"] == level["triangles"]
    assert things["bench_hull_00"]["triangles"] == entry["hulls"][0]["triangles"]
    wanted = np.sort(in_blender(np.array(entry["bounds_m"])), axis=0)
    found = np.array([things["bench"]["low"], things["bench"]["high"]]) - asset["offset"]
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    assert wanted[0, 2] == pytest.approx(0.0, abs=1e-3)  # it stands on the ground
    for name, thing in things.items():
        bounds = np.array([thing["low"], thing["high"]]) - asset["offset"]
        np.testing.assert_allclose(bounds, wanted, atol=0.03, err_msg=name)
        assert thing["scale"] == [1.0, 1.0, 1.0]
        np.testing.assert_allclose(thing["turned"], 0.0, atol=1e-6)  # applied, not turned
    wolf = generic.asset("wolf")
    body = wolf["objects"]["wolf_mesh"]
    wanted = np.sort(in_blender(np.array(entries(generic.manifest)["wolf"]["bounds_m"])), axis=0)
    found = np.array([body["low"], body["high"]]) - wolf["offset"]
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_assets_stand_apart(generic):
    spans = sorted(
        (
            min(t["low"][0] for t in child["objects"].values() if "low" in t),
            max(t["high"][0] for t in child["objects"].values() if "low" in t),
        )
        for child in generic.pack["children"]
    )
    assert all(one[1] < other[0] for one, other in pairwise(spans))


def test_upright_and_facing(generic):
    """The nose is up, on the right and in front: +X and -Y in Blender."""
    places = bench().vertices
    tip = in_blender(places[np.argmax(places[:, 2])])  # glTF's front is +Z
    assert tip[1] < 0.0
    asset = generic.asset("bench")
    found = np.array(asset["objects"]["bench"]["low"]) - asset["offset"]
    assert found[1] == pytest.approx(tip[1], abs=1e-3)
    for pose in generic.found["poses"]:
        heads = pose["heads"]
        assert heads["Head"][2] > 0.35
        assert heads["Head"][1] < heads["Hips"][1] - 0.3


def test_the_picture_is_that_of_our_turntable(generic, unreal):
    for one in (generic, unreal):
        folder = one.manifest.parent
        with Image.open(folder / entries(one.manifest)["bench"]["files"]["turntable"]) as turning:
            frames = []
            for index in range(2):
                turning.seek(index)
                frames.append(np.asarray(turning.convert("RGBA")))
        ours, back = frames
        inside, wanted = one.drawn[..., 3] > 127, ours[..., 3] > 127
        union = (inside | wanted).sum()
        assert union > 0.1 * wanted.size
        assert (inside & wanted).sum() / union > 0.97
        both = inside & wanted
        assert likeness(one.drawn, ours, both) > 0.9
        behind = back[..., 3] > 127
        assert likeness(one.drawn, back, inside & behind) < 0.5  # so the test can fail


def likeness(one: np.ndarray, other: np.ndarray, where: np.ndarray) -> float:
    """Return the correlation of the colours, which are the texture's more than the light's."""
    pairs = [p[..., :3][where].astype(np.float64).ravel() for p in (one, other)]
    return float(np.corrcoef(*pairs)[0, 1])


def test_textures_are_linked(generic):
    images = generic.found["images"]
    # The ORM picture says again what the three say; curvature is for painting programs.
    maps = ("basecolor", "normal_gl", "height", "roughness", "ao", "metallic")
    assert {n for n in images if n.startswith("bricks_")} == {f"bricks_{m}.png" for m in maps}
    for name, image in images.items():
        assert image["there"], name
        assert image["size"] != [0, 0]
        if name.startswith("bricks"):
            assert not image["packed"]
            assert image["path"].startswith("//")  # the folder can be moved
            assert image["colours"] == ("sRGB" if "basecolor" in name else "Non-Color")


def test_the_material(generic):
    folder = generic.manifest.parent
    facts = json.loads((folder / "bricks/material.json").read_text())
    made = generic.found["materials"]["bricks"]
    for link in (
        "bricks_basecolor.png.Color > BSDF_PRINCIPLED.Base Color",
        "bricks_normal_gl.png.Color > NORMAL_MAP.Color",
        "NORMAL_MAP.Normal > BSDF_PRINCIPLED.Normal",
        "bricks_roughness.png.Color > BSDF_PRINCIPLED.Roughness",
        "bricks_metallic.png.Color > BSDF_PRINCIPLED.Metallic",
        "bricks_ao.png.Color > GROUP.Occlusion",
        "bricks_height.png.Color > DISPLACEMENT.Height",
        "DISPLACEMENT.Displacement > OUTPUT_MATERIAL.Displacement",
    ):
        assert link in made["links"]
    values, height = made["values"], facts["height"]
    assert values["DISPLACEMENT.Midlevel"] == pytest.approx(height["rest_level"])
    assert values["DISPLACEMENT.Scale"] == pytest.approx(height["range_m"])
    assert values["MAPPING.Scale"][:2] == pytest.approx([1.0 / facts["tile_m"]] * 2)
    assert generic.asset("bricks")["objects"]["bricks"]["materials"] == ["bricks"]
    assert generic.asset("bricks")["asset"] is None  # the material is, not the ball that wears it


def test_marks_and_previews(generic):
    marked = {
        "bench": generic.asset("bench")["asset"],
        "wolf": generic.asset("wolf")["asset"],
        "bricks": generic.found["materials"]["bricks"]["asset"],
    }
    told = entries(generic.manifest)
    for name, asset in marked.items():
        assert told[name]["words"] in asset["description"]
        assert set(asset["tags"]) >= {told[name]["kind"], "yard", "generic"}
        assert asset["author"] == f"assets3d ({told[name]['made_by']})"
        assert asset["licence"] in (None, ", ".join(told[name]["licences"]))
        if "thumbnail" in told[name]["files"]:
            assert min(asset["preview"]) >= 64
            assert 0.1 < asset["opaque"] < 1.0  # something on nothing


def test_the_clip(generic):
    (facts,) = entries(generic.manifest)["wolf"]["clips"]
    assert generic.found["fps"] == FPS == facts["fps"]
    frames = facts["seconds"] * FPS
    ((name, action),) = generic.found["actions"].items()
    assert name == "wolf_walk"
    assert action["range"] == pytest.approx([0.0, frames], abs=1e-2)
    assert generic.found["frames"] == [0, round(frames)]
    ((track, ((strip, of, first, last),)),) = generic.found["tracks"]
    assert (track, strip, of) == ("walk", "walk", "wolf_walk")
    assert (first, last) == pytest.approx((0.0, frames), abs=1e-2)
    # At the clip's first frame the feet are on the ground, above the asset's origin.
    first_pose = generic.found["poses"][0]
    assert -0.01 < first_pose["bounds"][0][2] < 0.03
    hips = np.array(first_pose["heads"]["Hips"]) - generic.found["armature_at"]
    assert np.hypot(*hips[:2]) < 0.2


def test_unreal_names_and_a_directx_normal_map(unreal):
    things = unreal.asset("bench")["objects"]
    assert {name: thing["hidden"] for name, thing in things.items()} == {
        "SM_Bench": False,
        "SM_Bench_LOD1": True,
        "SM_Bench_LOD2": True,
        "UCX_SM_Bench_00": True,  # once, though it lies in the model and in a file of its own
    }
    assert things["SM_Bench"]["materials"] == ["M_Bench"]
    assert list(unreal.found["actions"]) == ["AS_Wolf_walk"]
    links = unreal.found["materials"]["bricks"]["links"]
    assert "T_Bricks_N.png.Color > SEPARATE_COLOR.Color" in links
    assert "SEPARATE_COLOR.Green > MATH.Value" in links
    assert "SEPARATE_COLOR.Green > BSDF_PRINCIPLED.Roughness" in links
    assert "SEPARATE_COLOR.Blue > BSDF_PRINCIPLED.Metallic" in links
    assert "SEPARATE_COLOR.Red > GROUP.Occlusion" in links
    assert "MATH.Value > COMBINE_COLOR.Green" in links
    assert "COMBINE_COLOR.Color > NORMAL_MAP.Color" in links


def test_twice_is_once(blender, generic, tmp_path):
    copy = generic.blend.with_name("again.blend")
    shutil.copyfile(generic.blend, copy)
    status, lines = bring(blender, generic.manifest, copy)
    assert status == 0
    assert "yard: 0 imported, 3 unchanged, 0 failed" in lines[-1]
    found = looked_at(blender, copy)
    assert found["blocks"] == generic.found["blocks"]
    assert found["collections"] == generic.found["collections"]
    assert found["images"] == generic.found["images"]


def test_a_changed_asset_takes_the_place_of_the_old_one(blender, packs, tmp_path):
    """What an artist made of the old one wears the new one; nothing else is touched."""
    folder = shutil.copytree(packs["generic"].parent, tmp_path / "yard")
    blend = tmp_path / "pack.blend"
    bring(blender, folder / "manifest.json", blend)
    artist = tmp_path / "artist.py"
    artist.write_text(
        "import sys, bpy\n"
        "bpy.ops.wm.open_mainfile(filepath=sys.argv[-1])\n"
        "mine = bpy.data.objects.new('mine', bpy.data.meshes['bench'])\n"
        "wall = bpy.data.objects.new('wall', bpy.data.meshes.new('wall'))\n"
        "wall.data.materials.append(bpy.data.materials['bricks'])\n"
        "for thing in (mine, wall):\n"
        "    bpy.context.scene.collection.objects.link(thing)\n"
        "bpy.ops.wm.save_mainfile()\n"
    )
    blender(artist, blend)
    mesh = bench()
    mesh.vertices[:, 1] *= 2.0
    replaced(folder, "bench", "model", lambda _: glb_bytes(mesh, "bench"))
    brighter = "bricks", "texture_basecolor", lambda path: grey_png(path)
    replaced(folder, *brighter)
    status, lines = bring(blender, folder / "manifest.json", blend)
    assert status == 0
    assert "yard: 2 imported, 1 unchanged, 0 failed" in lines[-1]
    found = looked_at(blender, blend)
    assert found["blocks"]["objects"] == sorted(
        [
            *("bench", "bench_hull_00", "bench_lod1", "bench_lod2"),
            *("bricks", "mine", "wall", "wolf", "wolf_mesh"),
        ]
    )
    assert found["blocks"]["materials"] == ["bench", "bricks", "wolf"]
    assert found["blocks"]["meshes"] == [  # so `mine` wears the new bench: there is no other
        *("bench", "bench_hull_00", "bench_lod1", "bench_lod2", "bricks", "wall", "wolf"),
    ]
    (pack,) = found["collections"]
    things = next(c for c in pack["children"] if c["name"] == "bench")["objects"]
    assert things["bench"]["high"][2] == pytest.approx(2.0 * things["bench_lod1"]["high"][2], 0.05)
    assert things["bench"]["low"][0] == pytest.approx(things["bench_lod1"]["low"][0], abs=0.02)


def grey_png(path: Path) -> bytes:
    Image.new("RGB", (128, 128), (90, 90, 90)).save(path)
    return path.read_bytes()


def replaced(folder: Path, asset: str, role: str, content: Callable[[Path], bytes]) -> None:
    """Deliver another version of one file: the file and its hash in the manifest."""
    manifest = folder / "manifest.json"
    pack = json.loads(manifest.read_text())
    (entry,) = [entry for entry in pack["assets"] if entry["id"] == asset]
    path = folder / entry["files"][role]
    path.write_bytes(content(path))
    entry["sha256"][entry["files"][role]] = sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(pack))


def test_what_cannot_be_read_stops_nothing_else(blender, packs, tmp_path):
    folder = shutil.copytree(packs["generic"].parent, tmp_path / "yard")
    (folder / "bricks/bricks_orm.png").unlink()
    with (folder / "wolf/wolf.glb").open("ab") as stream:
        stream.write(b"    ")
    replaced(folder, "bench", "lod2", lambda _: b"no GLB at all")
    blend = tmp_path / "pack.blend"
    status, lines = bring(blender, folder / "manifest.json", blend)
    assert status == 1
    text = "\n".join(lines)
    assert "bricks: texture_orm: found no file bricks/bricks_orm.png" in text
    assert "wolf: clip: found wolf/wolf.glb with sha256" in text
    assert "bench: " in text
    assert len(lines) == 4
    assert "yard: 0 imported, 0 unchanged, 3 failed" in lines[-1]
    blocks = looked_at(blender, blend)["blocks"]
    assert not any(names for kind, names in blocks.items() if kind != "images"), blocks
