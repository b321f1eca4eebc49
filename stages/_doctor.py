"""What this machine can run, what the installation has and what it lacks, one line each."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from assets3d.errors import AssetError
from stages import _fit
from stages._machine import Machine, read_machine
from stages._models import EMBEDDED_ROOT
from stages._models_verbs import is_here
from stages._project import Project

_PACKAGES = ("torch", "diffusers", "transformers", "rembg", "onnxruntime", "pyrender", "xatlas")
_FREE_GIB = 2.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `lacking` has a fallback, `missing` has none."""

    state: Literal["good", "lacking", "missing"]
    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.state:8} {self.what}: {self.text}"


def examine(project: Project) -> list[Finding]:
    """Look at the machine, the profiles, the packages, graphics, weights, disk and DVC."""
    machine = read_machine()
    return [
        _python(),
        _machine(machine),
        *_profiles(project, machine),
        *_packages(),
        _kernel(),
        _graphics(),
        *_weights(),
        _disk(project.runs),
        _links(project.runs),
        _dvc(),
    ]


def _python() -> Finding:
    good = (3, 11) <= sys.version_info[:2] < (3, 13)
    text = f"{platform.python_version()} on {platform.system()}, {os.cpu_count()} cores"
    return Finding("good" if good else "missing", "python", text)


def _machine(machine: Machine) -> Finding:
    memory = "unknown" if machine.memory_gb is None else f"{machine.memory_gb:.0f} GB"
    text = f"{machine.cores} cores, {memory} of memory"
    if not machine.gpus:
        return Finding("good", "machine", f"{text}, no NVIDIA card: all is computed on the CPU")
    cards = ", ".join(f"{gpu.name} with {gpu.memory_gb:.0f} GB" for gpu in machine.gpus)
    if machine.gpu is None:
        text = f"{text}, {cards}, but torch is built for the {machine.torch_build or 'CPU'}"
        return Finding("lacking", "machine", f"{text} and cannot use it (docs/gpu.md)")
    return Finding("good", "machine", f"{text}, {cards}, torch is built for {machine.torch_build}")


def _profiles(project: Project, machine: Machine) -> Iterator[Finding]:
    """Say of each profile whether it runs here; the chosen one must."""
    chosen = str(project.settings.get("profile", "embedded"))
    for name in sorted({*_fit.profiles(), chosen}):
        what = f"profile {name}" + (" (chosen)" if name == chosen else "")
        bad: Literal["lacking", "missing"] = "missing" if name == chosen else "lacking"
        try:
            need = _fit.read_need(project, name)
        except AssetError as error:
            yield Finding(bad, what, str(error))
            continue
        if not _fit.fits(need, machine):
            yield Finding(bad, what, _fit.advice(project, need, machine))
            continue
        where = "of the card" if need.on_gpu else "of memory"
        text = f"runs here, takes about {need.memory_gb:.0f} GB {where}"
        absent = [model for model in need.models if not is_here(model)]
        if absent:
            size = _fit.download_gb(absent)
            text += f"; not here yet: {', '.join(absent)} ({size:.1f} GB, assets3d models fetch)"
        yield Finding(bad if absent else "good", what, text)


def _packages() -> Iterator[Finding]:
    for name in _PACKAGES:
        try:
            yield Finding("good", name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding("missing", name, "not installed, `make setup` installs it")


def _kernel() -> Finding:
    folder = EMBEDDED_ROOT.parent / "native"
    built = [p for p in folder.glob("_kernel.*") if p.suffix in (".so", ".dll", ".dylib")]
    if built:
        return Finding("good", "kernel", f"{built[0].name} is built")
    text = "not built (python -m assets3d.native.build); splats are drawn by torch, much slower"
    return Finding("lacking", "kernel", text)


def _graphics() -> Finding:
    if importlib.util.find_spec("pyrender") is None:
        return Finding("lacking", "EGL", "no pyrender, our own renderer draws turntables")
    code = "import os; os.environ['PYOPENGL_PLATFORM'] = 'egl'; import OpenGL.EGL"
    command = [sys.executable, "-c", code]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return Finding("lacking", "EGL", "does not answer, our own renderer draws turntables")
    if done.returncode == 0:
        return Finding("good", "EGL", "turntables are drawn with pyrender")
    return Finding("lacking", "EGL", "not there, our own renderer draws turntables")


def _weights() -> Iterator[Finding]:
    for name in ("image", "cutout", "views", "choose", "maps", "motion"):
        files = [p for p in (EMBEDDED_ROOT / name).rglob("*") if p.is_file()]
        size = sum(p.stat().st_size for p in files) / 2**20
        state: Literal["good", "missing"] = "good" if files else "missing"
        yield Finding(state, f"weights {name}", f"{size:.1f} MiB in assets3d/weights/{name}")


def _disk(runs: Path) -> Finding:
    folder = runs if runs.is_dir() else Path()
    free = shutil.disk_usage(folder).free / 2**30
    return Finding("good" if free > _FREE_GIB else "lacking", "disk", f"{free:.1f} GiB free")


def _links(runs: Path) -> Finding:
    folder = runs if runs.is_dir() else Path()
    with tempfile.TemporaryDirectory(dir=folder) as name:
        first = Path(name) / "a"
        first.touch()
        try:
            (Path(name) / "b").hardlink_to(first)
        except OSError:
            return Finding("lacking", "hard links", "none here: every result is stored three times")
    return Finding("good", "hard links", "store, runs/ and DVC's cache share their files")


def _dvc() -> Finding:
    try:
        version = metadata.version("dvc")
    except metadata.PackageNotFoundError:
        return Finding("missing", "dvc", "not installed, `make setup` installs it")
    if not Path(".dvc/config").is_file():
        return Finding("missing", "dvc", f"{version}, but there is no .dvc/config here")
    return Finding("good", "dvc", version)
