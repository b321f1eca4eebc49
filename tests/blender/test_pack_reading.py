"""What the importer refuses before Blender is asked: one line each, and nothing is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tools import blender_import
from tools.blender_import import PackError, check, import_pack, read_pack


@pytest.fixture
def manifest(tmp_path) -> Path:
    (tmp_path / "mug").mkdir()
    (tmp_path / "mug/mug.glb").write_bytes(b"glTF")
    entry = {
        **{"id": "mug", "kind": "prop", "files": {"model": "mug/mug.glb"}},
        "sha256": {"mug/mug.glb": sha256(b"glTF").hexdigest()},
    }
    return written(tmp_path, {"format": 1, "pack": "yard", "engine": "generic", "assets": [entry]})


def written(folder: Path, content: Any) -> Path:
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder / "manifest.json"


def refused(manifest: Path) -> str:
    with pytest.raises(PackError) as caught:
        for asset in read_pack(manifest).assets:
            check(asset)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_good_one(manifest):
    (asset,) = read_pack(manifest).assets
    assert (asset.pack, asset.name, asset.kind, asset.owner) == ("yard", "mug", "prop", "yard/mug")
    assert check(asset) == []
    assert asset.path("model") == manifest.parent / "mug/mug.glb"


def test_an_asset_that_must_not_be_sold_is_passed_over(manifest):
    content = json.loads(manifest.read_text())
    content["assets"].append({"id": "axe", "kind": "prop", "files": {}, "status": "refused"})
    assert [asset.name for asset in read_pack(written(manifest.parent, content)).assets] == ["mug"]


def test_no_manifest(tmp_path):
    assert "found no readable" in refused(tmp_path / "manifest.json")
    (tmp_path / "manifest.json").write_text("{")
    assert "is no JSON" in refused(tmp_path / "manifest.json")
    assert "format: found None" in refused(written(tmp_path, []))
    assert "lacks 'pack'" in refused(written(tmp_path, {"format": 1}))


def test_another_format(manifest):
    content = json.loads(manifest.read_text()) | {"format": 2}
    assert refused(written(manifest.parent, content)).startswith("format: found 2 in ")


def test_a_missing_file(manifest):
    (manifest.parent / "mug/mug.glb").unlink()
    assert refused(manifest).startswith("model: found no file mug/mug.glb, wanted it beside")


def test_an_edited_file(manifest):
    (manifest.parent / "mug/mug.glb").write_bytes(b"glTF, edited")
    assert "model: found mug/mug.glb with sha256" in refused(manifest)
    (asset,) = read_pack(manifest).assets
    assert check(asset, edited=True) == ["mug: mug/mug.glb was edited and is taken as it is"]


@pytest.mark.parametrize("file", ["../secret.glb", "/etc/hosts", "mug\\..\\..\\secret.glb"])
def test_a_file_outside_of_the_pack(manifest, file):
    content = json.loads(manifest.read_text())
    content["assets"][0]["files"]["model"] = file
    assert "wanted a file inside the pack" in refused(written(manifest.parent, content))


def test_another_kind(manifest):
    content = json.loads(manifest.read_text())
    content["assets"][0]["kind"] = "song"
    wanted = "kind: found 'song', wanted one of prop, material, motion"
    assert refused(written(manifest.parent, content)) == wanted


def test_only_another_entry_is_imported_anew(manifest):
    (before,) = read_pack(manifest).assets
    content = json.loads(manifest.read_text())
    (same,) = read_pack(written(manifest.parent, content | {"engine": "mixed"})).assets
    content["assets"][0]["words"] = "a mug"
    (after,) = read_pack(written(manifest.parent, content)).assets
    assert before.digest == same.digest != after.digest


def test_without_blender(manifest):
    if blender_import.bpy is not None:
        pytest.skip("this Python has bpy")
    with pytest.raises(PackError, match="bpy: found no Blender in this Python"):
        import_pack(manifest)
    command = [sys.executable, blender_import.__file__, manifest]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout.startswith("blender_import: bpy: found no Blender")
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("asset", "clip", "name"),
    [
        ("wolf", "walk", "wolf_walk"),
        ("wolf", "wolf", "wolf"),
        ("wolf_rounds", "AS_WolfRounds_idle", "AS_WolfRounds_idle"),
        ("wolf_rounds", "idle", "wolf_rounds_idle"),
    ],
)
def test_names_of_actions(asset, clip, name):
    assert blender_import._clip_name(asset, clip) == name
