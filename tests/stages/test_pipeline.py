"""The whole pipeline under a real DVC, with stand-in models."""

from __future__ import annotations

ASSETS = {
    "crate": {"prompt": "a crate", "seed": 1},
    "cup": {"image": "inputs/cup.png", "seed": 2},
    "chest": {"prompt": "a chest", "seed": 3},
}


def test_repro_builds_then_has_nothing_to_do(dvc_project):
    dvc_project.write_manifest(ASSETS)
    (dvc_project.root / "inputs/cup.png").write_bytes(b"a cup")
    done = dvc_project.dvc("repro")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "image: built 2, reused 0, failed 0" in done.stderr
    assert "mesh: built 3, reused 0, failed 0" in done.stderr
    assert (dvc_project.root / "runs/gallery/index.html").is_file()
    again = dvc_project.dvc("repro")
    assert again.returncode == 0
    assert "up to date" in again.stdout
