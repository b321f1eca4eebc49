import json

import numpy as np
import pytest

from benchmarks import motion, motion_runs
from benchmarks.motion_scripts import GAITS, STYLES, random_script, scripts_of_each, steady_cases
from motion.clip import Clip
from motion.files.bvh import write_bvh
from motion.script import parse_script
from motion.skeleton import QUADRUPED
from motion.weights import random_weights, write_safetensors


def test_every_script_is_one_the_controller_knows():
    assert set(scripts_of_each(60.0)) == {*GAITS, *STYLES}
    for entries in (*scripts_of_each(60.0).values(), *steady_cases(8.0).values()):
        parse_script(entries)
    for seed in range(5):
        parse_script(random_script(seed, 60.0))


def test_scripts_of_each_last_as_long_as_asked():
    for name, entries in scripts_of_each(60.0).items():
        seconds = sum(entry.seconds or 5.0 for entry in parse_script(entries).entries)
        assert seconds == pytest.approx(60.0), name


def test_random_scripts_differ_by_seed_and_have_every_kind():
    assert random_script(3, 60.0) == random_script(3, 60.0)
    assert random_script(3, 60.0) != random_script(4, 60.0)
    verbs = {next(iter(entry)) for seed in range(20) for entry in random_script(seed, 600.0)}
    assert verbs == {*GAITS, *STYLES, "move"}


def test_merging_renews_only_the_parts_found(tmp_path):
    path = tmp_path / "motion.json"
    path.write_text('{"network": {"ms": 1}, "steady": {"old": 1}}')
    motion.merge(path, {"steady": {"new": 2}})
    found = json.loads(path.read_text())
    assert found["network"] == {"ms": 1}
    assert found["steady"] == {"new": 2}


def test_numbers_that_are_none_become_null():
    tidied = motion_runs.tidy({"a": float("nan"), "b": [np.float64(1 / 3)], "c": True})
    assert tidied == {"a": None, "b": [0.333333], "c": True}


def test_a_bvh_is_measured(tmp_path, capsys):
    rotations = np.zeros((20, 27, 4))
    rotations[..., 3] = 1
    clip = Clip(QUADRUPED, np.tile(QUADRUPED.offsets_m[0], (20, 1)), rotations, 60.0)
    write_bvh(tmp_path / "still.bvh", clip)
    out = tmp_path / "motion.json"
    assert motion.main([str(tmp_path / "still.bvh"), "--out", str(out)]) == 0
    numbers = json.loads(out.read_text())["files"]["still.bvh"]
    assert numbers["foot_skating_m_s"] == 0.0
    assert numbers["stance_share"] == 1.0
    assert "still.bvh" in capsys.readouterr().out


@pytest.mark.slow
def test_quick_runs_every_part_of_any_weights(tmp_path, capsys):
    write_safetensors(tmp_path / "w.safetensors", random_weights(0, hidden=32, experts=2))
    out = tmp_path / "motion.json"
    given = ["--quick", "--weights", str(tmp_path / "w.safetensors"), "--out", str(out)]
    motion.main(given)
    found = json.loads(out.read_text())
    assert set(motion.PARTS) <= set(found)
    assert found["export"]["cpu_s"] > 0
    assert found["long"]["all_finite"] in (True, False)
    assert "steady" in capsys.readouterr().out


def test_weights_are_told_apart_by_their_bytes(tmp_path):
    for name, text in (("a", b"1"), ("b", b"2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "wc0_w.bin").write_bytes(text)
    first, second = (motion.weights_id(tmp_path / name) for name in "ab")
    assert first.split()[1] != second.split()[1]
    assert motion.weights_id(None).startswith("controller.safetensors ")
