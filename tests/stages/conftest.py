"""A scratch project: our code, profiles and dvc.yaml, a manifest of its own, stand-in models."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
STEPS = ("image", "cutout", "views", "splats", "mesh")
BEFORE = {
    "image": (),
    "cutout": ("image",),
    "views": ("cutout",),
    "splats": ("cutout", "views"),
    "choose": ("image", "cutout", "views", "splats"),
    "mesh": ("cutout", "splats", "choose"),
}


@dataclass
class Project:
    """A folder with everything the stages and DVC need."""

    root: Path

    def write_manifest(self, assets: dict | str) -> None:
        text = assets if isinstance(assets, str) else yaml.safe_dump(assets, sort_keys=False)
        (self.root / "configs/assets.yaml").write_text(text)

    def run(self, *command: str, faults: str = "", timeout: float = 600):
        env = {
            **os.environ,
            "PYTHONPATH": str(self.root),
            "ASSETS3D_STANDIN_FAULTS": faults,
            "DVC_SITE_CACHE_DIR": str(self.root / ".dvc/site"),
            "DVC_GLOBAL_CONFIG_DIR": str(self.root / ".dvc/global"),
            "DVC_NO_ANALYTICS": "1",
            "SHELL": "/bin/sh",
        }
        return subprocess.run(
            command,
            cwd=self.root,
            env=env,
            timeout=timeout,
            text=True,
            capture_output=True,
            check=False,
        )

    def stage(self, step: str, *, faults: str = "", prefix: tuple[str, ...] = ()):
        before = [f"runs/{name}" for name in BEFORE[step]]
        return self.run(
            *(prefix or (sys.executable,)),
            *("-m", f"stages.{step}", "--manifest", "configs/assets.yaml"),
            *("--profile", "configs/profiles/standin.yaml", "--out", f"runs/{step}"),
            *(["--in", *before] if before else []),
            faults=faults,
        )

    def stages(self, *, faults: str = "") -> dict[str, str]:
        """Run all item steps; return their last lines."""
        last = {}
        for step in STEPS:
            done = self.stage(step, faults=faults)
            assert done.returncode == 0, done.stderr
            last[step] = done.stderr.strip().splitlines()[-1]
        return last

    def dvc(self, *arguments: str, faults: str = ""):
        return self.run(sys.executable, "-m", "dvc", *arguments, faults=faults)

    def files(self, step: str) -> dict[str, bytes]:
        folder = self.root / "runs" / step
        return {
            p.relative_to(folder).as_posix(): p.read_bytes()
            for p in sorted(folder.rglob("*"))
            if p.is_file()
        }


def _ignored(folder: str, names: list[str]) -> set[str]:
    bad = {"__pycache__", "weights", "_kernel.so"}
    return {name for name in names if name in bad}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a scratch project without DVC; the code is a copy, so tests may change it."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("assets3d", "motion", "stages"):
        shutil.copytree(ROOT / name, root / name, ignore=_ignored)
    shutil.copytree(ROOT / "configs", root / "configs", ignore=shutil.ignore_patterns("pending"))
    settings = yaml.safe_load((ROOT / "configs/pipeline.yaml").read_text())
    settings.update(profile="standin", python=sys.executable)
    (root / "configs/pipeline.yaml").write_text(yaml.safe_dump(settings))
    (root / "inputs").mkdir()
    (root / "inputs/README.md").write_text("inputs\n")
    (root / "runs").mkdir()
    return Project(root)


@pytest.fixture
def dvc_project(project: Project) -> Project:
    """Return a scratch project in Git and DVC, with our own dvc.yaml."""
    root = project.root
    text = (ROOT / "dvc.yaml").read_text()
    command = "${python} -m stages.inputs --out runs/inputs"
    assert command in text
    # Drawing the example inputs takes seconds and is tested elsewhere.
    tiny = "mkdir -p runs/inputs && echo photograph > runs/inputs/coffee.png"
    (root / "dvc.yaml").write_text(text.replace(command, tiny))
    shutil.copy(ROOT / ".gitignore", root)
    shutil.copy(ROOT / ".dvcignore", root)
    (root / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc/config", root / ".dvc")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return project
