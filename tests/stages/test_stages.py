"""Stages as commands, with stand-in models: reuse, isolation, damage, kills, full disks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

ASSETS = {
    "crate": {"prompt": "a crate", "seed": 1},
    "cup": {"image": "inputs/cup.png", "seed": 2},
    "chest": {"prompt": "a chest", "seed": 3},
    "scan": {"splats": "inputs/scan.ply", "seed": 4},
    "statue": {"views": "inputs/statue", "seed": 5},
}


@pytest.fixture
def filled(project):
    project.write_manifest(ASSETS)
    (project.root / "inputs/cup.png").write_bytes(b"a cup")
    (project.root / "inputs/scan.ply").write_bytes(b"a scan")
    (project.root / "inputs/statue").mkdir()
    (project.root / "inputs/statue/0.png").write_bytes(b"a statue")
    return project


def counts(line: str) -> tuple[int, int, int]:
    """Return built, reused, failed of a summary line."""
    return tuple(int(n) for n in re.findall(r"(?:built|reused|failed) (\d+)", line)[:3])


def test_assets_enter_where_their_kind_allows_and_are_reused(filled):
    first = filled.stages()
    assert {step: counts(line)[0] for step, line in first.items()} == {
        "image": 2,
        "cutout": 4,
        "views": 3,
        "splats": 5,
        "mesh": 5,
    }
    before = {step: filled.files(step) for step in first}
    again = filled.stages()
    assert all(counts(line)[::2] == (0, 0) for line in again.values())
    assert before == {step: filled.files(step) for step in again}


def test_the_same_bytes_from_an_empty_store_and_from_two_workers(filled):
    filled.stages()
    first = filled.files("mesh")
    for text in ("workers: 1\n", "workers: 2\n"):
        filled.run("sh", "-c", "rm -rf runs/.store runs/image runs/cutout runs/views runs/mesh")
        (filled.root / "configs/pipeline.yaml").write_text(text)
        filled.stages()
        assert filled.files("mesh") == first


def test_one_changed_seed_builds_one_asset(filled):
    filled.stages()
    filled.write_manifest({**ASSETS, "chest": {"prompt": "a chest", "seed": 33}})
    assert [counts(line)[0] for line in filled.stages().values()] == [1, 1, 1, 1, 1]


def test_a_changed_height_builds_the_mesh_only(filled):
    filled.stages()
    filled.write_manifest({**ASSETS, "chest": {"prompt": "a chest", "seed": 3, "height_m": 2}})
    assert [counts(line)[0] for line in filled.stages().values()] == [0, 0, 0, 0, 1]


def test_a_removed_asset_vanishes(filled):
    filled.stages()
    filled.write_manifest({k: v for k, v in ASSETS.items() if k != "chest"})
    filled.stages()
    assert not any(name.startswith("chest") for name in filled.files("mesh"))
    assert not (filled.root / "runs/image/chest").exists()


@pytest.mark.parametrize(
    ("fault", "cause", "words"),
    [
        ("full_disk", "passing", "No space left on device"),
        ("memory", "passing", "no memory"),
        ("network", "passing", "no network"),
        ("bad_input", "input", "wanted a picture"),
        ("bug", "bug", "ZeroDivisionError"),
    ],
)
def test_one_broken_asset_never_stops_the_others(filled, fault, cause, words):
    for step, last in filled.stages(faults=f"cutout/3={fault}").items():
        failed = 1 if step == "cutout" else 0
        assert counts(last)[2] == failed, last
    (failure,) = json.loads((filled.root / "runs/cutout/failures.json").read_text())["failed"]
    assert (failure["asset"], failure["step"], failure["cause"]) == ("chest", "cutout", cause)
    assert words in failure["message"]
    assert (filled.root / "runs/mesh/crate/crate.glb").is_file()
    assert not (filled.root / "runs/mesh/chest").exists()
    assert not list((filled.root / "runs/.store/.building").iterdir())


def test_a_failure_is_reported_once(filled):
    done = filled.stage("image", faults="image/3=bug")
    assert done.stderr.count("chest") == 1
    later = [filled.stage(step).stderr for step in ("cutout", "views", "splats", "mesh")]
    assert not any("chest" in text for text in later)
    assert "skipped 1 (failed earlier)" in later[0]


def test_bad_entries_fail_alone(filled):
    text = (filled.root / "configs/assets.yaml").read_text()
    filled.write_manifest(text + "bad: {promt: x}\n../evil: {prompt: x}\n")
    done = filled.stage("image")
    assert done.returncode == 0
    assert "bad: manifest: promt: unknown field, did you mean prompt?" in done.stderr
    assert "../evil: manifest: id: found '../evil'" in done.stderr
    assert counts(done.stderr.splitlines()[-1]) == (2, 0, 2)


def test_a_missing_photograph_is_one_line(filled):
    (filled.root / "inputs/cup.png").unlink()
    filled.stage("image")
    done = filled.stage("cutout")
    assert "cup: cutout: image: found nothing at inputs/cup.png" in done.stderr
    assert counts(done.stderr.splitlines()[-1])[2] == 1


def test_an_unreadable_manifest_stops_the_stage_in_one_line(filled):
    filled.write_manifest("a: [1")
    done = filled.stage("image")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_killed_in_the_middle_the_next_run_finishes_the_rest(filled):
    filled.stage("image")
    killed = filled.stage("cutout", faults="cutout/3=kill")
    assert killed.returncode == -9
    assert not (filled.root / "runs/cutout").exists()
    assert list((filled.root / "runs/.store/.building").iterdir())
    done = filled.stage("cutout")
    assert counts(done.stderr.splitlines()[-1]) == (2, 2, 0)  # crate and cup were finished
    assert not list((filled.root / "runs/.store/.building").iterdir())


def test_killed_while_it_tries_again_a_step_stays_marked(filled):
    """Its last folder is put back as it was: without the mark DVC would see nothing to do."""
    filled.stage("image")
    filled.stage("cutout", faults="cutout/3=full_disk")
    mark = filled.root / "configs/retry/cutout/pending"
    filled.stage("views")
    assert mark.is_file()
    assert filled.stage("cutout", faults="cutout/3=kill").returncode == -9
    assert mark.is_file()
    assert filled.stage("cutout").returncode == 0
    assert not mark.exists()


def test_a_killed_worker_is_a_passing_failure(filled):
    (filled.root / "configs/pipeline.yaml").write_text("workers: 2\n")
    filled.stage("image")
    done = filled.stage("cutout", faults="cutout/3=kill")
    assert done.returncode == 0
    content = json.loads((filled.root / "runs/cutout/failures.json").read_text())
    assert {f["cause"] for f in content["failed"]} == {"passing"}
    assert counts(filled.stage("cutout").stderr.splitlines()[-1])[2] == 0


def test_a_damaged_item_is_built_again_and_never_written_through(filled):
    filled.stages()
    picture = filled.root / "runs/image/chest/image.png"
    whole, inode = picture.read_bytes(), picture.stat().st_ino
    picture.chmod(0o644)
    picture.write_bytes(whole[:-3])  # hard-linked: the store has the damage too
    done = filled.stage("image")
    assert counts(done.stderr.splitlines()[-1]) == (1, 1, 0)
    assert picture.read_bytes() == whole
    assert picture.stat().st_ino != inode


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounting a small disk needs root"
)
def test_a_truly_full_disk(filled):
    runs = filled.root / "runs"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(runs)], check=False
    )
    if mounted.returncode:
        pytest.skip("cannot mount here")
    try:
        (runs / "ballast").write_bytes(b"x" * 40_000)
        first = filled.stage("image")
        assert "Traceback" not in first.stderr
        if first.returncode == 0:
            content = json.loads((runs / "image/failures.json").read_text())
            assert {f["cause"] for f in content["failed"]} == {"passing"}
        else:
            assert "No space left on device" in first.stderr
        (runs / "ballast").unlink()
        subprocess.run(["mount", "-o", "remount,size=8m", str(runs)], check=True)
        assert counts(filled.stages()["mesh"])[2] == 0
    finally:
        subprocess.run(["umount", str(runs)], check=True)


def test_with_nothing_to_build_no_heavy_package_is_imported(filled):
    filled.stages()
    code = (
        "import sys, runpy\n"
        "sys.argv = ['x'] + sys.argv[1:]\n"
        "name = sys.argv.pop(1)\n"
        "try:\n    runpy.run_module(name, run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code, end\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'rembg', 'onnxruntime', 'scipy', 'cv2'}\n"
        "sys.stderr.write(f'heavy: {sorted(heavy & set(sys.modules))}')\n"
    )
    for step, before in (("image", ()), ("views", ("cutout",)), ("mesh", ("cutout", "splats"))):
        done = filled.run(
            *(sys.executable, "-c", code, f"stages.{step}"),
            *("--manifest", "configs/assets.yaml", "--profile", "configs/profiles/standin.yaml"),
            *("--out", f"runs/{step}"),
            *(["--in", *(f"runs/{name}" for name in before)] if before else []),
        )
        assert "built 0" in done.stderr
        assert done.stderr.endswith("heavy: []"), done.stderr


def test_records_say_how_an_item_was_made_and_not_when(filled):
    filled.stages()
    record = json.loads((filled.root / "runs/mesh/chest/record.json").read_text())
    assert set(record) == {
        *("step", "key", "spec", "seed", "params", "inputs", "models", "versions"),
        *("numbers", "warnings", "files"),
    }
    assert record["spec"]["id"] == "chest"
    assert set(record["files"]) == {p.name for p in (filled.root / "runs/mesh/chest").iterdir()} - {
        "record.json"
    }
    assert str(filled.root) not in json.dumps(record)
