"""What this machine can run: read without torch, said in plain words, with a way out."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from stages import _doctor, _fit
from stages._machine import Gpu, Machine, read_gpus, read_torch_build
from stages._project import Project

ROOT = Path(__file__).resolve().parents[2]
LAPTOP = Machine(8, 16.0, (), "CPU")


def card(memory_gb, build="CUDA 12.8"):
    return Machine(8, 32.0, (Gpu("a card", memory_gb),), build)


@pytest.fixture
def project(monkeypatch):
    monkeypatch.chdir(ROOT)
    return Project({"profile": "full"})


def test_the_drivers_and_torchs_words_are_read():
    text = "NVIDIA GeForce RTX 3060, 12288\nTesla, T4, 15360\nno card here\n"
    assert [g.name for g in read_gpus(text)] == ["NVIDIA GeForce RTX 3060", "Tesla, T4"]
    assert read_gpus(text)[0].memory_gb == pytest.approx(12.88, abs=0.01)
    assert read_torch_build("cuda: Optional[str] = '12.8'\nhip = None\n") == "CUDA 12.8"
    assert read_torch_build("cuda: Optional[str] = None\n") == "CPU"


def test_small_cards_are_told_the_switch_that_helps(project):
    need = _fit.read_need(project, "full")
    assert (need.on_gpu, need.step) == (True, "image")
    assert {"sdxl-lightning-4", "imagedream", "lgm"} <= set(need.models)
    assert 10.0 < need.memory_gb < 14.0  # docs/gpu.md tells people 12
    assert _fit.fits(need, card(16.0))
    sizes = {10.0: "vae_tiling: true", 7.9: "offload: model", 5.5: "offload: sequential"}
    for memory_gb, switch in sizes.items():
        assert not _fit.fits(need, card(memory_gb))
        assert switch in _fit.advice(project, need, card(memory_gb))
    hopeless = _fit.advice(project, need, card(2.0))
    assert "write" not in hopeless
    assert "the views step 5 GB whatever is offloaded" in hopeless


def test_machines_without_a_usable_card_are_told_why(project):
    need = _fit.read_need(project, "full")
    assert "needs an NVIDIA card with about 12 GB" in _fit.advice(project, need, LAPTOP)
    wrong = card(24.0, "CPU")
    assert not _fit.fits(need, wrong)
    assert "torch is built for the CPU" in _fit.advice(project, need, wrong)
    assert _fit.fits(_fit.read_need(project, "embedded"), LAPTOP)


def _said(monkeypatch, project, machine, here=()):
    monkeypatch.setattr(_doctor, "read_machine", lambda: machine)
    monkeypatch.setattr(_doctor, "is_here", lambda name: name in here)
    return {f.what: (f.state, f.text) for f in _doctor.examine(project)}


def test_the_doctor_says_it_of_each_profile(project, monkeypatch):
    said = _said(monkeypatch, project, LAPTOP)
    assert said["machine"] == (
        "good",
        "8 cores, 16 GB of memory, no NVIDIA card: all is computed on the CPU",
    )
    assert said["profile embedded"][0] == "good"
    assert said["profile full (chosen)"][0] == "missing"
    said = _said(monkeypatch, project, card(24.0))
    state, text = said["profile full (chosen)"]
    assert state == "missing"
    assert "not here yet: sdxl-lightning-4" in text
    assert "assets3d models fetch" in text
    everything = _fit.read_need(project, "full").models
    said = _said(monkeypatch, project, card(24.0), everything)
    assert said["profile full (chosen)"][0] == "good"


def test_a_profile_that_cannot_be_read_is_a_line(project, monkeypatch):
    said = _said(monkeypatch, Project({"profile": "fulll"}), LAPTOP)
    state, text = said["profile fulll (chosen)"]
    assert state == "missing"
    assert "no file" in text


def test_the_working_memory_follows_the_switches(project, tmp_path, monkeypatch):
    whole = _fit.read_need(project, "full").memory_gb
    assert _fit.read_need(project, "full", {"dtype": "float32"}).memory_gb > 1.5 * whole
    assert _fit.read_need(project, "full", {"size_px": 512}).memory_gb == pytest.approx(whole - 3.0)
    section = yaml.safe_load((ROOT / "configs/profiles/full.yaml").read_text())["image"]
    assert not {"offload", "vae_tiling"} & section.keys() or whole < 12.0


def test_nothing_of_this_imports_torch():
    code = "import sys, stages._doctor, stages._fit; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
