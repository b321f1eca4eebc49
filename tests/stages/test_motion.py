"""The motion stage: every way in, the files that come out, and one line for each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets3d.mesh import validate
from motion.files.bvh import read_bvh, write_bvh
from motion.gaits import make_gaits
from motion.gaits.timeline import Part
from stages import motion as stage
from stages._executor import LocalExecutor
from stages._harness import run_step
from stages.manifest import Manifest, check_entry

PARAMS = {"model": "embedded", "preview_px": 64, "preview_fps": 5, "threads": 1}
FILES = {"{}.bvh", "{}.glb", "preview.webp", "sheet.png", "record.json"}


ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/models.yaml").write_bytes((ROOT / "configs/models.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def build(here):

    def run(**entry: Any) -> Path:
        spec = check_entry("clip", {"kind": "motion", **entry})
        manifest = Manifest({"clip": spec}, {})
        out = here / "runs/motion"
        summary = run_step(stage.STEP, PARAMS, manifest, [], out, LocalExecutor())
        assert summary.failed == 0, (out / "failures.json").read_text()
        assert {p.name for p in (out / "clip").iterdir()} == {n.format("clip") for n in FILES}
        return out / "clip"

    return run


@pytest.fixture
def captured(tmp_path):
    def write(name: str, speed_mps: float) -> str:
        clip = make_gaits([Part(0.8, speed_mps=speed_mps)], name=name).clip
        write_bvh(tmp_path / name, clip)
        return str(tmp_path / name)

    return write


def test_a_script_becomes_files_that_are_whole(build):
    folder = build(script=[{"walk": "1 s"}, {"sit": "1 s"}], clips="commands", fps=30)
    clip = read_bvh(folder / "clip.bvh")
    assert (clip.fps, len(clip)) == (pytest.approx(30, abs=1e-3), 60)
    if not validate.missing():
        verdict = validate.validate_glb(folder / "clip.glb")
        assert (verdict.errors, verdict.warnings) == (0, 0), verdict.messages


def test_a_capture_comes_out_as_it_went_in(build, captured):
    folder = build(bvh=captured("walk.bvh", 0.7), lock_feet=False)
    before, after = read_bvh(Path("walk.bvh")), read_bvh(folder / "clip.bvh")
    np.testing.assert_allclose(before.root_positions_m, after.root_positions_m, atol=1e-4)


def test_between_two_captures(build, captured):
    one, two = captured("one.bvh", 0.7), captured("two.bvh", 1.2)
    clip = read_bvh(build(between=[one, two], seconds=0.5) / "clip.bvh")
    parts = [len(read_bvh(Path(p))) for p in (one, two)]
    assert len(clip) == sum(parts) + 29
    assert np.linalg.norm(np.diff(clip.root_positions_m, axis=0), axis=1).max() < 0.1


def test_joints_of_a_text_to_motion_system(build, tmp_path):
    from motion.clip import world_pose
    from motion.humanoid.body import HUMANOID

    places = HUMANOID.rest_positions_m[None] + np.linspace(0, 0.5, 20)[:, None, None] * [0, 0, 1.0]
    np.save(tmp_path / "person.npy", places.astype(np.float32))
    clip = read_bvh(build(joints="person.npy") / "clip.bvh")
    found, _ = world_pose(clip)
    assert found[-1, 0, 2] - found[0, 0, 2] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"script": [{"gallop": "3 s"}]}, ("gallop", "walk")),
        ({"script": [{"walk": "-3 s"}]}, ("walk", "-3 s")),
        ({"script": [{"walk": "3 s", "spin": 1}]}, ("spin",)),
        ({"script": []}, ("script",)),
        ({"bvh": "a.bvh", "weights": "w"}, ("weights go with a script",)),
        ({"joints": "a.npy", "mean": "m.npy"}, ("mean and std",)),
        ({"bvh": "a.bvh", "fps": 25}, ("fps", "24")),
        ({}, ("exactly one of script, bvh, joints, between",)),
        ({"bvh": "a.bvh", "scrpt": []}, ("did you mean script?",)),
    ],
)
def test_bad_entries_are_one_line(entry, words):
    from assets3d.errors import InputError

    with pytest.raises(InputError) as caught:
        check_entry("clip", {"kind": "motion", **entry})
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_bad_file_is_one_line(here):
    (here / "cut.bvh").write_text("HIERARCHY\nROOT Hips\n{\n  OFFSET 0 0")
    manifest = Manifest({"clip": check_entry("clip", {"kind": "motion", "bvh": "cut.bvh"})}, {})
    out = here / "runs/motion"
    assert run_step(stage.STEP, PARAMS, manifest, [], out, LocalExecutor()).failed == 1
    text = (out / "failures.json").read_text()
    assert "cut.bvh" in text
    assert "line 4" in text
