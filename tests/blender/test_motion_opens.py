"""Clips open in Blender as a person expects: upright, facing -Y, on the ground, at 60 fps."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motion.clip import Clip, world_pose
from motion.files.bvh import write_bvh
from motion.files.gltf import write_clip_glb
from motion.gaits import make_gaits
from motion.gaits.timeline import Part
from motion.skeleton import PAWS

ROOT = Path(__file__).resolve().parents[2]
BLENDER = ROOT / ".venv-blender/bin/python"
FPS = 60

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clip() -> Clip:
    return make_gaits([Part(1.0, speed_mps=1.0)], fps=FPS, name="walk").clip


def looked_at(path: Path) -> dict[str, Any]:
    if not BLENDER.is_file():
        reason = "Blender is not installed (make blender)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    script = Path(__file__).with_name("look.py")
    done = subprocess.run(
        [BLENDER, script, path, str(FPS)], capture_output=True, text=True, timeout=300
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("LOOK ")]
    assert lines, done.stdout + done.stderr
    return json.loads(lines[0].removeprefix("LOOK "))


def in_blender(places: np.ndarray) -> np.ndarray:
    """Blender has +Z up and looks along +Y: glTF's front, +Z, is its -Y."""
    return np.stack([places[..., 0], -places[..., 2], places[..., 1]], axis=-1)


def check_heads(found: dict[str, Any], clip: Clip, atol: float) -> None:
    places, _ = world_pose(clip)
    assert {frame["frame"] for frame in found["frames"]} >= {0, len(clip) - 1}
    for frame in found["frames"]:
        index = min(frame["frame"], len(clip) - 1)
        for name, head in frame["heads"].items():
            if name in clip.skeleton.names:
                wanted = in_blender(places[index, clip.skeleton.index(name)])
                np.testing.assert_allclose(head, wanted, atol=atol, err_msg=f"{name} {index}")
        heads = frame["heads"]
        assert heads["Head"][2] > 0.35  # upright
        assert heads["Head"][1] < heads["Hips"][1] - 0.3  # facing -Y


def test_glb(clip, tmp_path):
    write_clip_glb(tmp_path / "walk.glb", clip)
    found = looked_at(tmp_path / "walk.glb")
    assert found["fps"] == FPS
    assert set(clip.skeleton.names) <= set(found["bones"])
    ((first, last),) = found["actions"].values()
    assert (first, last) == pytest.approx((0, len(clip) - 1), abs=1e-3)  # keys on whole frames
    check_heads(found, clip, 1e-3)
    for frame in found["frames"]:
        low, high = frame["bounds"]
        assert -0.01 < low[2] < 0.03  # the paws are on the ground
        assert 0.5 < high[2] < 1.0


def test_bvh(clip, tmp_path):
    write_bvh(tmp_path / "walk.bvh", clip)
    found = looked_at(tmp_path / "walk.bvh")
    assert found["fps"] == pytest.approx(FPS, rel=1e-3)
    (span,) = found["actions"].values()
    assert span[1] - span[0] == len(clip) - 1
    for frame in found["frames"]:
        heads = frame["heads"]
        assert heads["Head"][2] > 0.35
        assert heads["Head"][1] < heads["Hips"][1] - 0.3
    places, _ = world_pose(clip)
    lowest = in_blender(places)[..., list(PAWS), 2].min()
    assert lowest > 0.0
