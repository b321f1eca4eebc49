"""Several candidates of a prop: what is built again, what is kept, what a failure costs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from stages import _candidates, _garbage
from stages._executor import Builder, LocalExecutor
from stages._executor_bucket import Bucket
from stages._harness import Summary, read_params, read_settings, run_step
from stages._plan import make_plan
from stages._project import Project as Here
from stages._report import gather, metrics, summary
from stages._standins import FAULTS_VARIABLE
from stages._step import find_step
from stages._store import Store
from stages.cli import main as cli
from stages.manifest import check_entry, read_manifest
from tests.stages.conftest import BEFORE

STEPS = ("image", "cutout", "views", "splats", "choose", "mesh")
FOLDERS = (*STEPS, "export")
PROFILE = Path("configs/profiles/standin.yaml")


@pytest.fixture
def here(project, monkeypatch):
    """Return the scratch project, and be in it."""
    monkeypatch.chdir(project.root)
    return project


def run_one(step: str, faults: str = "") -> Summary:
    """Run a step in this process: that is what most of the seconds of a stage go into."""
    before = [Path("runs") / name for name in BEFORE[step]]
    params, manifest = read_params(PROFILE, step), read_manifest(Path("configs/assets.yaml"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FAULTS_VARIABLE, faults)
        out = Path("runs") / step
        return run_step(find_step(step), params, manifest, before, out, LocalExecutor())


def run(faults: str = "") -> dict[str, Summary]:
    """Run the prop steps; return step -> what it did."""
    return {step: run_one(step, faults) for step in STEPS}


def built(done: dict[str, Summary]) -> dict[str, int]:
    """Return step -> how many items were built, where any were."""
    return {step: summary.built for step, summary in done.items() if summary.built}


def record(project, step: str, name: str) -> dict:
    return json.loads((project.root / "runs" / step / name / "record.json").read_text())


def fault(step: str, number: int, seed: int = 1, what: str = "bad_input") -> str:
    """Return the fault of one candidate of an entry of this seed."""
    spec = _candidates.candidate(check_entry("mug", {"prompt": "x", "seed": seed}), number)
    return f"{step}/{spec.seed}={what}"


def reports(project):
    manifest = read_manifest(project.root / "configs/assets.yaml")
    return gather(manifest, [project.root / "runs" / step for step in FOLDERS])


MUG = {"prompt": "a mug", "seed": 1}


def test_more_candidates_and_a_pin_build_only_what_is_new(here):
    here.write_manifest({"mug": MUG, "axe": {"prompt": "an axe", "seed": 5}})
    run()
    plain = {step: here.files(step) for step in STEPS}
    assert not plain["choose"].keys() - {"failures.json", "index.json"}

    here.write_manifest({"mug": {**MUG, "candidates": 4}, "axe": {"prompt": "an axe", "seed": 5}})
    lines = run()
    assert built(lines).items() >= {"image": 3, "cutout": 3, "views": 3, "splats": 3}.items()
    assert built(lines)["choose"] == 1
    # The first candidate is the asset as it was, to the byte, and the other asset as well.
    for step in ("image", "cutout", "views", "splats"):
        now = here.files(step)
        for file, content in plain[step].items():
            name = file.replace("mug/", "mug~1/")
            assert name.endswith(".json") or now[name] == content
        assert now["mug~1/record.json"] == plain[step]["mug/record.json"]
    told = record(here, "choose", "mug")["numbers"]
    assert told["candidates"] == 4 and told["tried"] == [1, 2, 3, 4] and not told["pinned"]
    assert told["score"][told["chosen"] - 1] == max(told["score"])

    here.write_manifest({"mug": {**MUG, "candidates": 5}, "axe": {"prompt": "an axe", "seed": 5}})
    five = built(run())
    assert five.items() >= {"image": 1, "cutout": 1, "views": 1, "splats": 1}.items()
    told = record(here, "choose", "mug")["numbers"]
    pin = next(number for number in told["tried"] if number != told["chosen"])
    entry = {**MUG, "candidates": 5, "pin": pin}
    here.write_manifest({"mug": entry, "axe": {"prompt": "an axe", "seed": 5}})
    assert built(run()) == {"choose": 1, "mesh": 1}
    told = record(here, "choose", "mug")["numbers"]
    assert told["chosen"] == pin and told["pinned"]
    ply = record(here, "splats", f"mug~{pin}")["files"]["splats.ply"]["sha256"]
    assert record(here, "mesh", "mug")["inputs"]["splats/splats.ply"] == ply
    assert built(run()) == {}


def test_a_chosen_candidate_is_what_an_entry_with_its_seed_makes(here):
    here.write_manifest({"mug": {**MUG, "candidates": 3, "pin": 3}})
    run()
    kept = {step: record(here, step, "mug") for step in ("mesh",)}
    seed = record(here, "image", "mug~3")["spec"]["seed"]
    here.write_manifest({"mug": {"prompt": "a mug", "seed": seed}})
    assert built(run()) == {}
    assert {step: record(here, step, "mug") for step in kept} == kept


def test_a_photograph_is_cut_out_once(here):
    (here.root / "inputs/cup.png").write_bytes(b"a cup")
    here.write_manifest({"cup": {"image": "inputs/cup.png", "candidates": 3}})
    assert built(run()) == {"cutout": 1, "views": 3, "splats": 3, "choose": 1, "mesh": 1}


def test_a_candidate_that_fails_costs_nobody_anything(here):
    here.write_manifest({"mug": {**MUG, "candidates": 3}})
    done = run(fault("views", 2))
    assert "views: built 2, reused 0, failed 1" in str(done["views"])
    assert "splats: built 2, reused 0, failed 0, skipped 1" in str(done["splats"])
    assert record(here, "choose", "mug")["numbers"]["tried"] == [1, 3]
    (report,) = reports(here)
    assert report.state == "warned"
    (warning,) = report.warnings
    assert warning == "views: candidate 2 failed: image: found nonsense, wanted a picture"
    assert summary([report]) == "1 assets, 0 failed, 1 with warnings"
    # It comes back, and only it is built.
    assert built(run()).items() >= {"views": 1, "splats": 1, "choose": 1}.items()
    assert record(here, "choose", "mug")["numbers"]["tried"] == [1, 2, 3]


def test_all_that_fail_are_one_line_and_one_failure(here, capsys):
    here.write_manifest({"mug": {**MUG, "candidates": 2}, "axe": {"prompt": "x", "seed": 5}})
    faults = f"{fault('views', 1)},{fault('splats', 2, what='memory')}"
    done = run(faults)
    assert (
        "mug: choose: all 2 candidates failed: views: image: found nonsense, wanted a picture"
        in capsys.readouterr().err.splitlines()
    )
    assert "mesh: built 1, reused 0, failed 0, skipped 1 (failed earlier)" in str(done["mesh"])
    mug = reports(here)[0]
    assert (mug.name, mug.state, len(mug.failures)) == ("mug", "failed", 1)
    assert mug.failures[0].cause == "passing"  # the second may come back
    assert mug.warnings == []
    assert metrics(reports(here))["failed"] == 1
    assert built(run()) == {"views": 1, "splats": 2, "choose": 1, "mesh": 1}
    assert reports(here)[0].state == "whole"


def test_a_pinned_candidate_that_fails_is_no_other(here, capsys):
    here.write_manifest({"mug": {**MUG, "candidates": 3, "pin": 2}})
    run(fault("image", 2))
    line = next(x for x in capsys.readouterr().err.splitlines() if "mug: choose" in x)
    assert line.startswith("mug: choose: pin: candidate 2 failed (image: image: found nonsense")
    assert line.endswith("wanted one that was made: 1, 3")


def test_one_message_of_all_candidates_is_one_line(here, capsys):
    here.write_manifest({"cup": {"image": "inputs/none.png", "candidates": 4}})
    assert run_one("cutout").failed == 4
    (first,) = capsys.readouterr().err.splitlines()
    assert first.startswith("cup candidates 1, 2, 3, 4: cutout: image: found nothing at inputs/")


def test_the_gallery_shows_them_all_and_counts_one(here):
    here.write_manifest({"mug": {**MUG, "candidates": 3, "pin": 2}, "axe": {"prompt": "an axe"}})
    run(fault("views", 3))
    from stages._asset_page import asset_page
    from stages._page import page

    found = {report.name: report for report in reports(here)}
    folder = here.root / "runs/gallery"
    text = asset_page(found["mug"], folder)
    assert "3 candidates, 2 is kept because the entry pins it" in text
    for number in (1, 2):
        assert f"pictures/mug~{number}/splats_spin.webp" in text
        assert f"{found['mug'].candidates[number].score:.3f}" in text
    assert "views: image: found nonsense" in text
    assert "candidates" not in asset_page(found["axe"], folder)
    assert page(list(found.values()), folder).count('<article class="card') == 2
    counts = metrics(list(found.values()))
    assert (counts["assets"], counts["finished"], counts["failed"]) == (2, 2, 0)
    # What it is made of is the kept candidate's.
    assert found["mug"].folders["splats"].name == "mug~2"


def test_verbs(here, capsys):
    here.write_manifest({"axe": {"prompt": "an axe"}})
    assert cli(["new", "a red mug", "--candidates", "3", "--seed", "1"]) == 0
    assert "red_mug: {prompt: a red mug, seed: 1, candidates: 3}" in (
        here.root / "configs/assets.yaml"
    ).read_text().replace("candidates: 3, seed: 1", "seed: 1, candidates: 3")
    assert cli(["new", "a pot", "--candidates", "17"]) == 1
    assert "candidates: found 17, wanted 1 to 16" in capsys.readouterr().err
    assert cli(["build", "red_mug"]) == 0
    assert sorted(p.name for p in (here.root / "runs/build").iterdir()) == [
        *("red_mug", "red_mug~1", "red_mug~2", "red_mug~3")
    ]
    capsys.readouterr()
    assert cli(["show", "red_mug"]) == 0
    shown = capsys.readouterr().out
    assert "of 3 is kept (runs/<step>/red_mug~" in shown
    assert "    score: [" in shown and "    candidates: 3" in shown
    assert cli(["explain", "red_mug"]) == 0
    assert "nothing to rebuild" in capsys.readouterr().out

    # gc keeps all candidates while the entry has them.
    lines = _garbage.collect(Here(read_settings()), dry_run=False)
    assert "splats: removed 0 of 3 items, 0.0 MiB" in lines
    # What `build` made is there for the stages.
    assert built(run()) == dict.fromkeys(("image", "cutout", "views", "splats", "mesh"), 1)
    text = (here.root / "configs/assets.yaml").read_text()
    here.write_manifest(text.replace("candidates: 3", "candidates: 5"))
    capsys.readouterr()
    assert cli(["explain", "red_mug"]) == 0
    assert "red_mug: image: candidates 4, 5: new; then cutout" in capsys.readouterr().out
    here.write_manifest(text.replace("candidates: 3", "candidates: 2"))
    shutil.rmtree(here.root / "runs/build")
    run()
    lines = _garbage.collect(Here(read_settings()), dry_run=False)
    assert any(line.startswith("splats: removed 1 of 4 items") for line in lines)


def test_build_goes_on_without_a_failed_candidate(here, capsys, monkeypatch):
    here.write_manifest({"mug": {**MUG, "candidates": 3}})
    monkeypatch.setenv("ASSETS3D_STANDIN_FAULTS", fault("views", 2))
    assert cli(["build", "mug"]) == 0
    assert "mug~2: views: image: found nonsense" in capsys.readouterr().err
    every = ",".join(fault("views", number) for number in (1, 2, 3))
    shutil.rmtree(here.root / "runs/.store/views")
    monkeypatch.setenv("ASSETS3D_STANDIN_FAULTS", every)
    assert cli(["build", "mug"]) == 1
    assert "mug: choose: all 3 candidates failed: views: " in capsys.readouterr().err


def test_shards_keep_an_assets_candidates_together(here, capsys, monkeypatch):
    monkeypatch.setenv("ASSETS3D_STANDIN_FAULTS", fault("views", 2))
    here.write_manifest({"mug": {**MUG, "candidates": 3}, "axe": {"prompt": "an axe", "seed": 5}})
    assert cli(["build", "--shard", "1/2"]) == 0
    assert "views: built 2, reused 0, failed 1" in capsys.readouterr().err
    assert cli(["build", "--shard", "2/2"]) == 0
    assert "views: built 1, reused 0, failed 0" in capsys.readouterr().err
    monkeypatch.delenv("ASSETS3D_STANDIN_FAULTS")
    assert built(run()).items() >= {"views": 1, "splats": 1, "choose": 1}.items()


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"candidates": 0}, "candidates: found 0, wanted 1 to 16"),
        ({"candidates": 17}, "candidates: found 17, wanted 1 to 16"),
        ({"candidates": 4, "pin": 5}, "pin: found 5, wanted 1 to 4"),
        ({"candidates": 4, "pin": 0}, "pin: found 0, wanted 1 to 4"),
        ({"pin": 2}, "pin: found 2, wanted candidates beside it, such as candidates: 4"),
    ],
)
def test_wrong_entries(fields, line):
    from assets3d.errors import InputError

    with pytest.raises(InputError) as caught:
        check_entry("mug", {**MUG, **fields})
    assert str(caught.value) == line


def test_own_views_and_splats_have_nothing_to_vary():
    from assets3d.errors import InputError

    for field in ("views", "splats"):
        with pytest.raises(InputError, match="candidates goes with a prompt, an image or an edit"):
            check_entry("mug", {field: "inputs/x", "candidates": 2})


def test_a_choice_is_the_same_on_a_machine_without_our_folder(here, tmp_path):
    here.write_manifest({"mug": {**MUG, "candidates": 3}})
    run()
    manifest, params = read_manifest(Path("configs/assets.yaml")), read_params(PROFILE, "choose")
    plan = make_plan(
        find_step("choose"), params, manifest.assets, lambda step, name: Path("runs") / step / name
    )
    bucket, there = Bucket((tmp_path / "bucket").as_uri()), Store(tmp_path / "there/store")
    work = bucket.unpack(bucket.pack(plan.work[0]), tmp_path / "there/files")
    assert all(folder.is_relative_to(tmp_path / "there") for folder in work.folders.values())
    assert Builder("choose", params, there).build(work).failure is None
    ours = here.files("choose")["mug/record.json"]
    assert (there.folder("choose", work.key) / "record.json").read_bytes() == ours
