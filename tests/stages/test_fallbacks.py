"""All fallbacks at once: no C++ compiler but ziglang's, no OpenGL, no node; a prompt still ends as
a GLB with pictures."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
#: What a machine without graphics says when pyrender or OpenGL is imported.
_NO_GRAPHICS = 'raise ImportError("no OpenGL on this machine")\n'
#: As little work as shows that each step ran.
_TINY = {
    "image": {"steps": 4},
    "splats": {"count": 1500, "steps": 20, "spin_frames": 4, "spin_px": 64},
    "mesh": {"turntable_frames": 4, "turntable_px": 64},
}


@pytest.fixture
def poor_project(project):
    """Return a project on a machine that has Python packages and nothing else."""
    pytest.importorskip("ziglang", reason="the compiler of last resort is not installed")
    root = project.root
    weights = ROOT / "assets3d" / "weights"
    if not (weights / "image").is_dir():
        pytest.skip("no embedded weights here")
    (root / "assets3d" / "weights").symlink_to(weights)
    for name in ("pyrender", "OpenGL"):
        (root / f"{name}.py").write_text(_NO_GRAPHICS)
    profile = yaml.safe_load((root / "configs/profiles/embedded.yaml").read_text())
    for step, values in _TINY.items():
        profile[step] |= values
    (root / "configs/profiles/embedded.yaml").write_text(yaml.safe_dump(profile))
    settings = yaml.safe_load((root / "configs/pipeline.yaml").read_text())
    (root / "configs/pipeline.yaml").write_text(yaml.safe_dump({**settings, "profile": "embedded"}))
    project.write_manifest(
        {"potion": {"prompt": "a purple potion", "seed": 3, "faces": 500, "texture_px": 128}}
    )
    (root / "bin").mkdir()
    return project


def _run(project, monkeypatch, *command: str):
    """Run with a PATH that holds no program but the shell's few, and no compiler's variable."""
    for name in ("sh", "env"):
        target = shutil.which(name)
        link = project.root / "bin" / name
        if target and not link.exists():
            link.symlink_to(target)
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("PYOPENGL_PLATFORM", raising=False)
    monkeypatch.setenv("PATH", str(project.root / "bin"))
    return project.run(*command, timeout=1500)


@pytest.mark.slow
def test_a_prompt_becomes_a_glb_without_compiler_graphics_and_node(poor_project, monkeypatch):
    root = poor_project.root
    probe = (
        "import shutil, assets3d\n"
        "from assets3d.mesh.turntable import egl_works\n"
        "from assets3d.mesh.validate import missing\n"
        "from assets3d.native import build\n"
        "print(assets3d.__file__, shutil.which('g++'), shutil.which('clang++'))\n"
        "print(build.is_current(), build.compiler()[1:], egl_works(), missing(), sep='|')\n"
    )
    found = _run(poor_project, monkeypatch, sys.executable, "-c", probe)
    assert found.returncode == 0, found.stderr
    where, what = found.stdout.strip().splitlines()
    assert where == f"{root / 'assets3d/__init__.py'} None None"
    assert what == "False|['-m', 'ziglang', 'c++']|False|node is not installed"

    done = _run(poor_project, monkeypatch, sys.executable, "-m", "stages.cli", "build", "potion")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((root / "assets3d/native").glob("_kernel.*"))
    folder = root / "runs/build/potion/mesh"
    record = json.loads((folder / "record.json").read_text())
    assert abs(record["numbers"]["faces"] - 500) <= 15
    assert record["numbers"]["front_iou"] > 0.6

    from assets3d.images.picture import read_picture
    from assets3d.mesh.glb import read_glb

    mesh = read_glb(folder / "potion.glb").mesh
    assert mesh.base_colour.shape == (128, 128, 3)
    assert len(mesh.faces) == record["numbers"]["faces"]
    preview = read_picture(folder / "preview.png")
    assert 0.05 < (preview[..., 3] > 127).mean() < 0.95  # our own renderer drew it
