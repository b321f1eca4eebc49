"""The deliver stage and `assets3d export`: packs, manifests, and what stands in the way."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from assets3d.export import delivery
from stages import check, deliver
from stages._failures import Failure
from stages.deliver import deliver_all, refused_of
from stages.manifest import check_entry

ASSETS = {
    "mug": {"prompt": "a mug", "pack": "kitchen"},
    "pan": {"prompt": "a pan", "pack": "kitchen"},
    "oak": {"prompt": "an oak"},
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ASSETS:
        package(tmp_path, name)
    return tmp_path


def package(root: Path, name: str, text: str = "glb") -> None:
    folder = root / "runs/export" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.glb").write_text(f"{name} {text}")
    (folder / "record.json").write_text("{}")
    entry = {
        **{"id": name, "kind": "prop", "files": {"model": f"{name}.glb"}, "engine": "generic"},
        **{"made_by": "network", "licences": ["sdxl: OpenRAIL++"], "commercial": True},
        **{"status": "ok", "warnings": []},
    }
    (folder / "package.json").write_text(json.dumps(entry))


def specs(assets: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    return {name: check_entry(name, entry) for name, entry in (assets or ASSETS).items()}


def run(assets: dict[str, dict[str, Any]] | None = None, **options: Any):
    reports = deliver_all(
        specs(assets), lambda name: Path("runs/export") / name, Path("export"), **options
    )
    return {report.pack: report for report in reports}


def manifest(pack: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(f"export/{pack}/manifest.json").read_text())
    return content


def test_packs_and_their_manifests(here):
    reports = run()
    assert {n: (r.delivered, r.changed) for n, r in reports.items()} == {
        **{"kitchen": (2, 2), "assets": (1, 1)}
    }
    kitchen = manifest("kitchen")
    assert (kitchen["format"], kitchen["pack"], kitchen["engine"]) == (1, "kitchen", "generic")
    assert [entry["id"] for entry in kitchen["assets"]] == ["mug", "pan"]
    mug = kitchen["assets"][0]
    assert mug["files"] == {"model": "mug/mug.glb", "record": "mug/record.json"}
    for path, digest in mug["sha256"].items():
        assert delivery.file_hash(Path("export/kitchen") / path) == digest
    assert mug["bytes"] == sum(Path(f"export/kitchen/{p}").stat().st_size for p in mug["sha256"])
    assert "| mug | prop |" in Path("export/kitchen/disclosure.md").read_text()
    again = run()
    assert [report.changed for report in again.values()] == [0, 0]


def test_moved_removed_and_failed_assets(here):
    run()
    # Moved to another pack, taken out, and one whose export failed: its files stay.
    shutil.rmtree("runs/export/oak")
    reports = run({"mug": {**ASSETS["mug"], "pack": "assets"}, "oak": ASSETS["oak"]})
    assert reports["kitchen"].withdrawn == 2
    assert [entry["id"] for entry in manifest("assets")["assets"]] == ["mug", "oak"]
    oak = manifest("assets")["assets"][1]
    assert (oak["status"], len(oak["warnings"])) == ("warned", 1)
    assert Path("export/assets/oak/oak.glb").is_file()
    assert not Path("export/kitchen/mug").exists()
    assert manifest("kitchen")["assets"] == []
    package(here, "oak")
    run({"oak": ASSETS["oak"]})
    assert manifest("assets")["assets"][0]["status"] == "ok"


def test_a_mistake_in_an_entry_takes_nothing_away(here):
    run()
    reports = run({"pan": ASSETS["pan"]}, mistaken=["mug", "oak"])
    assert [report.withdrawn for report in reports.values()] == [0, 0]
    assert Path("export/kitchen/mug/mug.glb").is_file()
    assert Path("export/assets/oak/oak.glb").is_file()
    assert [entry["status"] for entry in manifest("kitchen")["assets"]] == ["warned", "ok"]


def test_what_must_not_be_sold_is_taken_away_but_for_edits(here):
    run()
    Path("export/kitchen/mug/record.json").write_text("edited")
    reason = "image: sdxl is not for commercial use (NC), and the profile says `commercial: true`"
    report = run(refused={"mug": reason})["kitchen"]
    assert report.lines == (
        f"kitchen/mug must not be sold and is taken away: {reason}",
        "kitchen/mug/record.json was edited or added by hand and stays; its licence is refused",
    )
    assert (report.delivered, report.withdrawn) == (1, 1)
    assert [path.name for path in Path("export/kitchen/mug").iterdir()] == ["record.json"]
    mug, pan = manifest("kitchen")["assets"]
    assert (mug["status"], mug["commercial"], pan["status"]) == ("refused", False, "ok")
    assert mug["files"] == {"record": "mug/record.json"}
    assert (mug["bytes"], mug["sha256"]) == (6, {})
    assert mug["warnings"] == [f"licence: taken away: {reason}"]
    page = Path("export/kitchen/disclosure.md").read_text()
    assert "**no**: refused and taken away; `mug/record.json` stayed" in page
    # Again, with a mistake in its entry, and where it was never delivered: nothing new.
    assert run(refused={"mug": reason})["kitchen"].withdrawn == 0
    run({"pan": ASSETS["pan"]}, mistaken=["mug"])
    assert manifest("kitchen")["assets"][0]["status"] == "refused"
    run({"mug": ASSETS["mug"]})
    assert manifest("kitchen")["assets"][0]["status"] == "ok"
    assert Path("export/kitchen/mug/mug.glb").is_file()
    run(refused={"mug": reason})
    run({"pan": ASSETS["pan"]})  # wanted no more: the entry goes too
    assert [entry["id"] for entry in manifest("kitchen")["assets"]] == ["pan"]


def test_a_refused_asset_is_no_part_of_the_game(here):
    run({"oak": ASSETS["oak"]})
    assert "pre-generated with AI" in Path("export/assets/disclosure.md").read_text()
    failure = Failure("oak", "export", "input", "x: y, and the profile says `commercial: true`")
    assert refused_of([failure, Failure("mug", "export", "bug", "x")]) == {"oak": failure.message}
    run({"oak": ASSETS["oak"]}, refused=refused_of([failure]))
    assert "made without generative AI" in Path("export/assets/disclosure.md").read_text()
    assert not Path("export/assets/oak").exists()


def test_an_edit_is_kept_and_named(here):
    run()
    Path("export/kitchen/mug/mug.glb").write_text("edited")
    package(here, "mug", "better")
    report = run()["kitchen"]
    words = "was edited by hand and stays; the new one is mug.new.glb"
    assert report.lines == (f"kitchen/mug/mug.glb {words}",)
    assert Path("export/kitchen/mug/mug.glb").read_text() == "edited"
    assert Path("export/kitchen/mug/mug.new.glb").read_text() == "mug better"


def test_a_foreign_folder_is_refused_and_the_rest_is_delivered(here):
    Path("export/kitchen").mkdir(parents=True)
    Path("export/kitchen/recipes.txt").write_text("theirs")
    reports = run()
    assert "export/kitchen holds files that were not delivered here" in str(reports["kitchen"])
    assert reports["assets"].delivered == 1
    assert [path.name for path in Path("export/kitchen").iterdir()] == ["recipes.txt"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "No space left on device"), (errno.EROFS, "Read-only file system")],
)
def test_a_full_disk_and_a_read_only_one(here, monkeypatch, number, words):
    def fails(source, target, **_):
        raise OSError(number, os.strerror(number), str(target))

    with monkeypatch.context() as patched:
        patched.setattr(delivery.shutil, "copyfile", fails)
        reports = run()
    for report in reports.values():
        assert report.failure is not None
        assert report.failure.cause == "passing"
        assert f"{report.folder}: {words}, wanted room and leave to write" in str(report)
        assert "\n" not in str(report)
    assert not list(Path("export").rglob("*.glb"))
    assert run()["kitchen"].delivered == 2


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "mug.glb").unlink(), "mug: found no mug.glb in its package"),
        (
            lambda folder: (folder / "package.json").write_text("{"),
            "mug: found package.json broken",
        ),
        (lambda folder: (folder / "package.json").write_text("[]"), "mug: found package.json b"),
    ],
)
def test_a_package_that_lacks_a_file_stops_no_other(here, damage, words):
    run()
    package(here, "pan", "better")
    damage(here / "runs/export/mug")
    report = run()["kitchen"]
    assert words in str(report)
    assert "\n" not in str(report)
    assert report.delivered == 1
    assert Path("export/kitchen/pan/pan.glb").read_text() == "pan better"
    # What was there of the damaged one stays, and its entry says that it is an older one.
    assert Path("export/kitchen/mug/mug.glb").read_text() == "mug glb"
    assert [entry["status"] for entry in manifest("kitchen")["assets"]] == ["warned", "ok"]
    package(here, "mug")
    assert run()["kitchen"].failure is None


def test_only_some_for_another_engine(here):
    run()
    reports = run(only="m*", suffix="-unreal")
    assert list(reports) == ["kitchen"]
    assert [entry["id"] for entry in manifest("kitchen-unreal")["assets"]] == ["mug"]
    # The other packs are as they were, also after the next whole delivery.
    assert len(manifest("kitchen")["assets"]) == 2
    run()
    assert Path("export/kitchen-unreal/mug/mug.glb").is_file()


def test_the_stage_reports_and_asks_to_try_again(here, capsys, monkeypatch):
    Path("configs/retry/deliver").mkdir(parents=True)
    Path("runs/gallery").mkdir()
    Path("runs/gallery/summary.txt").write_text("3 assets, 0 failed\n")
    text = "\n".join(f"{name}: {json.dumps(entry)}" for name, entry in ASSETS.items())
    Path("configs/assets.yaml").write_text(text)
    words = ["--manifest", "configs/assets.yaml", "--in", "runs/export", "--to", "export"]
    words += ["--out", "runs/deliver.json"]
    Path("export/kitchen").mkdir(parents=True)
    Path("export/kitchen/recipes.txt").write_text("theirs")
    assert deliver.main(words) == 0
    assert "deliver: export/assets: 1 assets, 1 changed" in capsys.readouterr().err
    assert check.main(["--in", "runs/gallery"]) == 1
    assert Path("configs/retry/deliver/pending").is_file()
    said = capsys.readouterr().err
    assert "kitchen: deliver: export/kitchen holds files" in said
    shutil.rmtree("export/kitchen")
    assert deliver.main(words) == 0
    assert not Path("configs/retry/deliver/pending").exists()
    assert check.main(["--in", "runs/gallery"]) == 0
