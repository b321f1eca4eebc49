"""The whole pipeline under a real DVC, with stand-in models."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import yaml

from stages._folder import INDEX_FILE

ASSETS = {
    "crate": {"prompt": "a crate", "seed": 1},
    "cup": {"image": "inputs/cup.png", "seed": 2},
    "chest": {"prompt": "a chest", "seed": 3},
}
ROOT = Path(__file__).resolve().parents[2]


def test_a_life_with_dvc(dvc_project):
    project, root = dvc_project, dvc_project.root
    project.write_manifest(ASSETS)
    (root / "inputs/cup.png").write_bytes(b"a cup")

    done = project.dvc("repro")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "image: built 2, reused 0, failed 0" in done.stderr
    assert "mesh: built 3, reused 0, failed 0" in done.stderr
    assert (root / "runs/gallery/index.html").is_file()
    # Store, runs/ and DVC's cache are one file.
    glb = root / "runs/mesh/chest/chest.glb"
    assert glb.stat().st_nlink == 3
    assert not glb.stat().st_mode & 0o222

    again = project.dvc("repro")
    assert again.returncode == 0
    assert "up to date" in again.stdout
    assert "Running" not in again.stdout

    # A passing failure: the others are built, check fails, and nothing else changes.
    changed = {**ASSETS, "crate": {"prompt": "a crate", "seed": 11}}
    project.write_manifest({**changed, "axe": {"prompt": "an axe", "seed": 4}})
    failed = project.dvc("repro", faults="views/4=full_disk")
    assert failed.returncode != 0
    assert "axe: views: [Errno 28] No space left on device" in failed.stderr
    assert "check: 1 failed, 1 will be tried again by the next dvc repro" in failed.stderr
    assert "mesh: built 1, reused 2, failed 0, skipped 1" in failed.stderr
    assert "axe" in (root / "runs/gallery/index.html").read_text()
    lock = (root / "dvc.lock").read_text()

    # It fails once more, then passes, each time with a plain `dvc repro`.
    failed = project.dvc("repro", faults="views/4=memory")
    assert failed.returncode != 0
    assert "views: built 0, reused 3, failed 1" in failed.stderr
    assert "Running stage 'image'" not in failed.stdout
    retried = project.dvc("repro")
    assert retried.returncode == 0, retried.stdout + retried.stderr
    assert "views: built 1, reused 3, failed 0" in retried.stderr
    assert "mesh: built 1, reused 3, failed 0" in retried.stderr
    assert "up to date" in project.dvc("repro").stdout
    # The lock file never saw this machine's marks.
    marks = [
        dep
        for text in (lock, (root / "dvc.lock").read_text())
        for dep in yaml.safe_load(text)["stages"]["views"]["deps"]
        if dep["path"] == "configs/retry/views"
    ]
    assert marks[0] == marks[1]

    # An asset taken out vanishes; a bad one fails for good, and alone.
    project.write_manifest({**changed, "bad": {"promt": "x"}})
    failed = project.dvc("repro")
    assert failed.returncode != 0
    assert "bad: manifest: promt: unknown field, did you mean prompt?" in failed.stderr
    assert not (root / "runs/mesh/axe").exists()
    assert json.loads((root / "runs/metrics.json").read_text())["failed"] == 1
    project.write_manifest(changed)
    assert project.dvc("repro").returncode == 0
    assert "finished" in project.dvc("metrics", "show").stdout
    assert project.dvc("plots", "show", "-o", "plots").returncode == 0
    assert list((root / "plots").rglob("*.png"))

    # Deleting everything that was built costs nothing but the linking.
    subprocess.run(["rm", "-rf", str(root / "runs")], check=True)
    assert project.dvc("repro").returncode == 0
    assert glb.is_file()

    # An older manifest brings its own files back to export/, though DVC remembers that run.
    delivered = root / "export/assets/crate/crate.glb"
    before = delivered.read_bytes()
    project.write_manifest({**changed, "crate": {"prompt": "a crate", "seed": 12}})
    assert project.dvc("repro").returncode == 0
    assert delivered.read_bytes() != before
    project.write_manifest(changed)
    assert project.dvc("repro").returncode == 0
    assert delivered.read_bytes() == before


def test_neither_a_slip_nor_a_kill_costs_a_result(dvc_project):
    project, root = dvc_project, dvc_project.root
    (root / "inputs/cup.png").write_bytes(b"a cup")
    project.write_manifest(ASSETS)
    assert project.dvc("repro").returncode == 0
    before = {step: project.files(step) for step in ("image", "mesh", "gallery")}

    def untouched() -> bool:
        return before == {step: project.files(step) for step in before}

    # A slip in the manifest, a slip in the profile's name: one line, and nothing is touched.
    project.write_manifest("crate: {prompt: a crate\naxe: {prompt: an axe}\n")
    stopped = project.dvc("repro")
    assert stopped.returncode != 0
    assert "preflight: manifest: configs/assets.yaml is not YAML: line 2" in stopped.stderr
    assert "Running stage 'image'" not in stopped.stdout
    assert untouched()
    project.write_manifest(ASSETS)
    settings = root / "configs/pipeline.yaml"
    right = settings.read_text()
    settings.write_text(right.replace("standin", "standing"))
    stopped = project.dvc("repro")
    assert "profile: found 'standing', wanted one of embedded, full, standin" in stopped.stderr
    assert untouched()
    settings.write_text(right)

    # A kill in the middle of a stage: its last folder is there, and the next run finishes.
    project.write_manifest({**ASSETS, "axe": {"prompt": "an axe", "seed": 4}})
    killed = project.dvc("repro", faults="mesh/4=kill")
    assert killed.returncode != 0
    assert project.files("mesh") == before["mesh"]
    done = project.dvc("repro")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mesh: built 1, reused 3, failed 0" in done.stderr
    assert "check: 4 assets, 0 failed; open runs/gallery/index.html" in done.stderr


def test_every_stage_is_described_and_tracks_what_its_command_reads():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert list(stages)[-2:] == ["gallery", "check"]
    for name, stage in stages.items():
        assert len(stage["desc"]) > 20, name
        # What persists is kept out of the run cache, and stays where its stage is stopped.
        assert ("persist" in json.dumps(stage)) == (name == "deliver"), name
        words = stage["cmd"].split()
        for folder in [w for w in words if w.startswith("runs/")]:
            outputs = json.dumps([stage.get(k, []) for k in ("outs", "metrics", "plots")])
            index = f"{folder}/{INDEX_FILE}"
            named = {folder, index} & set(stage["deps"])
            assert named or folder in outputs, (name, folder)
        if "--manifest" in words and name != "preflight":
            # A manifest that cannot be read must stop before DVC removes what this one made.
            assert "runs/preflight.json" in stage["deps"], name
        if "--profile" in words:
            assert f"configs/retry/{name}" in stage["deps"]
            assert (ROOT / f"configs/retry/{name}/.keep").is_file()
