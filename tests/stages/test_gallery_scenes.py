"""What the viewer draws is what the files hold, and it is made once."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from PIL import Image

from assets3d.errors import InputError
from assets3d.mesh.glb import glb_bytes
from assets3d.splats.ply import write_ply
from assets3d.viewer.clip_scene import clip_scene
from assets3d.viewer.material_scene import MAPS, material_scene
from assets3d.viewer.poses import sampled
from assets3d.viewer.prop_scene import prop_scene
from assets3d.viewer.splat_block import splat_block
from stages import _scenes, _sheets
from stages._asset_page import _tenths
from stages._report import entry_texts, gather
from stages._store import Store
from stages.manifest import read_manifest
from tests.stages import gallery_files as files


def values(text: str, kind: str, width: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind).reshape(-1, width)


def points(data: dict) -> np.ndarray:
    steps = values(data["data"], "<u2", 3) / 65535
    return np.array(data["origin"]) + steps * np.array(data["size"])


def test_a_prop_keeps_its_shape_and_its_splats_lie_on_it(tmp_path):
    (tmp_path / "box.glb").write_bytes(glb_bytes(files.box(), "box"))
    write_ply(tmp_path / "splats.ply", files.splats_of(files.box()))
    scene = prop_scene(
        {"LOD0": tmp_path / "box.glb"},
        tmp_path / "box.glb",
        tmp_path / "splats.ply",
        files.METRES_PER_UNIT,
        files.PIVOT,
    )
    (level,) = scene["levels"]
    assert np.abs(points(level["positions"]) - files.CORNERS).max() < 2 / 65535
    assert values(level["indices"]["data"], "<u2", 3).tolist() == files.FACES.tolist()
    assert scene["bounds"] == [[-1, 0, -1], [1, 2, 1]]
    assert len(scene["hull"]) == 1
    splats = points(scene["splats"]["positions"])
    assert np.abs(np.abs(splats - [0, 1, 0]).max(axis=1) - 1.0).max() < 1e-3
    low, high = scene["splats"]["log_scale"]
    assert np.exp([low, high]) == pytest.approx(0.06, rel=1e-3)  # metres
    json.dumps(scene, allow_nan=False)


def test_of_many_splats_the_largest_are_kept(tmp_path):
    splats = files.splats_of(files.box(), 100)
    grown = splats.values.copy()
    grown[40:50, 4:7] *= 5.0
    write_ply(tmp_path / "splats.ply", type(splats)(grown))
    block = splat_block(tmp_path / "splats.ply", most=10)
    assert (block["count"], block["of"]) == (10, 100)
    assert np.abs(points(block["positions"]) - grown[40:50, :3]).max() < 1e-4


def test_a_clip_that_ends_between_two_frames_is_shown_to_its_end(tmp_path):
    (tmp_path / "nod.glb").write_bytes(files.nodding(90.0, seconds=13.15))
    (clip,) = clip_scene(tmp_path / "nod.glb")["clips"]
    assert clip["seconds"] == 13.15
    assert clip["frames"] == 395
    assert (clip["frames"] - 1) / clip["fps"] == pytest.approx(13.15, abs=1e-9)
    # The page says the same length as its script.
    assert [str(_tenths(s)) for s in (13.15, 13.149, 2.25, 0.35)] == ["13.2", "13.1", "2.3", "0.3"]


def test_a_clip_has_the_matrices_of_its_joints(tmp_path):
    (tmp_path / "nod.glb").write_bytes(files.nodding(90.0))
    scene = clip_scene(tmp_path / "nod.glb")
    (part,), (clip,) = scene["parts"], scene["clips"]
    assert (clip["joints"], clip["frames"], clip["fps"], clip["seconds"]) == (2, 61, 30, 2.0)
    turns = values(clip["turns"], "<i2", 18).reshape(-1, 2, 3, 3) * clip["turn_reach"] / 32767
    places = values(clip["places"], "<f4", 6).reshape(-1, 2, 3)
    corner = np.array([1.0, 2.0, 1.0])  # on joint 1, which rests at (1, 1, 0) and turns about z
    assert turns[0, 1] @ corner + places[0, 1] == pytest.approx([2.0, 2.0, 1.0], abs=1e-3)
    assert turns[60, 1] @ corner + places[60, 1] == pytest.approx([0.0, 2.0, 1.0], abs=1e-3)
    middles = values(clip["middles"], "<f4", 3)
    assert len(middles) == 61
    assert middles[0] == pytest.approx([1.0, 0.5, 0.0])
    assert values(part["joints"], "<u2", 4)[:, 0].tolist() == (files.CORNERS[:, 1] > 0).tolist()
    assert clip["sections"][0]["name"] == "down"


@pytest.mark.parametrize(("mode", "wanted"), [("LINEAR", 2.5), ("STEP", 2.0)])
def test_tracks_between_their_keys(mode, wanted):
    times, track = np.array([0.0, 1.0, 2.0]), np.array([[2.0], [4.0], [8.0]])
    at = np.array([-1.0, 0.25, 2.0, 9.0])
    found = sampled(times, track, at, mode)[:, 0]
    assert found.tolist() == [2.0, wanted, 8.0, 8.0]


def test_turns_take_the_shorter_way():
    track = np.array([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, -1.0]])
    assert sampled(np.array([0.0, 1.0]), track, np.array([0.5]), "LINEAR")[0, 3] == 1.0


def test_a_material_of_any_depth(tmp_path):
    for name, content in files.maps().items():
        (tmp_path / name).write_bytes(content)
    paths = {name: tmp_path / f"tile_{name}.png" for name in MAPS}
    scene = material_scene(paths, 1.0, 0.1)
    for name in ("colour", "normals", "packed", "heights"):
        assert scene[name].startswith("data:image/webp;base64,")
    with pytest.raises(InputError, match="ao"):
        material_scene({**paths, "ao": tmp_path / "ao.png"}, 1.0, 0.1)


@pytest.fixture
def reports(tmp_path):
    runs = files.project(tmp_path)
    path = tmp_path / "assets.yaml"
    return lambda: gather(
        read_manifest(path), [runs / step for step in files.STEPS], entry_texts(path)
    )


def test_scenes_are_made_once_and_go_with_their_assets(reports, tmp_path, monkeypatch):
    out, store = tmp_path / "runs/gallery", Store(tmp_path / "runs/.store")
    made = []
    scene = _scenes._scene
    monkeypatch.setattr(
        _scenes, "_scene", lambda sources: made.append(sources.kind) or scene(sources)
    )
    assert _scenes.write_scenes(reports(), out, store) == {}
    assert sorted(made) == ["material", "motion", "prop"]
    text = (out / "data/box.js").read_text()
    assert text.startswith('assets3d("box", {"kind":"prop"')
    assert [level["name"] for level in json.loads(text[16:-3])["levels"]] == ["LOD0", "LOD1"]
    for name in ("box", "tile", "nod"):
        (out / f"data/{name}.js").unlink()
    assert _scenes.write_scenes(reports(), out, store) == {}
    assert len(made) == 3
    assert (out / "data/box.js").read_text() == text
    (out / "data/box.js").unlink()
    few = [report for report in reports() if report.name == "box"]
    _scenes.write_scenes(few, out, store)
    assert len(list((store.root / "gallery").iterdir())) == 1


def test_sheets_are_made_again_only_where_a_picture_changed(reports, tmp_path, monkeypatch):
    out, store = tmp_path / "runs/plots", Store(tmp_path / "runs/.store")
    picture = Image.new("RGB", (8, 8), "red")
    for step in ("mesh", "export"):
        name = {"mesh": "preview.png", "export": "thumbnail.png"}[step]
        folder = tmp_path / "runs" / step / "box"
        picture.save(folder / name)
        record = json.loads((folder / "record.json").read_text())
        record["files"][name] = {"bytes": 1, "sha256": "1"}
        (folder / "record.json").write_text(json.dumps(record))
    made = []
    write = _sheets._write_sheet

    def counted(path, pictures, columns):
        made.append(list(pictures))
        write(path, pictures, columns)

    monkeypatch.setattr(_sheets, "_write_sheet", counted)
    _sheets.write_sheets(reports(), out, store)
    assert sorted(path.name for path in out.iterdir()) == ["export.png", "mesh.png"]
    assert made == [["box"]]  # the same picture in the same layout is one sheet
    _sheets.write_sheets(reports(), out, store)
    assert len(made) == 1
    record["files"]["thumbnail.png"]["sha256"] = "2"
    (folder / "record.json").write_text(json.dumps(record))
    _sheets.write_sheets(reports(), out, store)
    assert len(made) == 2


def test_a_broken_file_costs_its_view_and_no_more(reports, tmp_path):
    (tmp_path / "runs/motion/nod/nod.glb").write_bytes(b"glTF, or not")
    out, store = tmp_path / "runs/gallery", Store(tmp_path / "runs/.store")
    problems = _scenes.write_scenes(reports(), out, store)
    assert list(problems) == ["nod"]
    assert "nod.glb is not a whole binary glTF" in problems["nod"]
    assert not (out / "data/nod.js").exists()
    assert (out / "data/box.js").is_file()
    assert not list((store.root / ".building").iterdir())


def test_entries_are_shown_as_they_were_written(tmp_path):
    (tmp_path / "assets.yaml").write_text(files.MANIFEST + "empty:\n")
    texts = entry_texts(tmp_path / "assets.yaml")
    assert texts["box"] == "box: {prompt: a red box, seed: 7}"
    assert texts["nod"] == "nod:  # a block\n  kind: motion\n  script: [{walk: 1 s}]"
    assert texts["odd"] == "odd: {promt: x}"
    assert texts["empty"] == "empty:"
    (tmp_path / "assets.yaml").write_text("# nothing\n")
    assert entry_texts(tmp_path / "assets.yaml") == {}
