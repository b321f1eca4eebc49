"""The gallery's pages: what failed first, every picture, every file, every record."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from stages._asset_page import asset_page
from stages._failures import Failure, Failures, write_failures
from stages._page import page, page_file
from stages._report import gather, metrics, summary
from stages.check import how_it_ended
from stages.gallery import write_gallery
from stages.manifest import read_manifest

_MODELS = {
    role: {"name": "embedded", "licence": "MIT", "source": "embedded", "revision": None}
    for role in ("model", "cutter")
}


def item(folder: Path, files: list[str], **record) -> None:
    folder.mkdir(parents=True)
    for name in files:
        (folder / name).write_bytes(b"x")
    named = {name: {"bytes": 1, "sha256": "0"} for name in files}
    content = {"numbers": {}, "warnings": [], "models": {}, "files": named, **record}
    (folder / "record.json").write_text(json.dumps(content))


@pytest.fixture
def reports(tmp_path):
    (tmp_path / "assets.yaml").write_text(
        "crate: {prompt: a <crate>}\n"
        "chest: {views: somewhere}\n"
        "bad: {promt: x}\n"
        "axe: {prompt: an axe}\n"
        "mug: {prompt: a mug}\n"
    )
    runs = tmp_path / "runs"
    views = [f"view_{index:03d}.png" for index in range(16)]
    item(runs / "cutout/chest", views, models=_MODELS)
    size = {"size_m": [0.5, 0.8, 0.25], "faces": 4999, "front_iou": 0.5, "pivot": [0.1, 0.2, 0.3]}
    item(runs / "mesh/crate", ["crate.glb", "turntable.png"], numbers=size)
    item(runs / "mesh/mug", ["mug.glb"], numbers=size, warnings=["thin"])
    failed = (Failure("axe", "mesh", "bug", "x"), Failure("bad", "manifest", "input", "promt"))
    write_failures(Failures(failed), runs / "mesh")
    manifest = read_manifest(tmp_path / "assets.yaml")
    return gather(manifest, [runs / "cutout", runs / "mesh"])


def test_failures_come_first_then_warnings_each_as_in_the_manifest(reports):
    assert [report.name for report in reports] == ["bad", "axe", "mug", "crate", "chest"]
    assert summary(reports) == "5 assets, 2 failed, 1 with warnings"
    assert metrics(reports)["mean"] == {"mesh": {"front_iou": 0.5}}


def test_the_page_has_a_card_for_every_asset(reports, tmp_path):
    text = page(reports, tmp_path / "runs/gallery")
    assert re.findall(r'href="assets/(\w+).html"', text) == [r.name for r in reports]
    states = re.findall(r'data-kind="(\w+)" data-status="(\w+)" data-pack="(\w*)"', text)
    assert states[0] == ("unknown", "failed", "")
    assert states[2:4] == [("prop", "warned", "assets"), ("prop", "whole", "assets")]
    assert "mesh: thin" in text
    assert "manifest: promt" in text
    assert "a &lt;crate&gt;" in text
    assert "<crate>" not in text
    # Nothing needs a server, a network or a module.
    assert not re.search(r"https?://|fetch\(|type=.module", text)


def test_an_asset_has_every_picture_file_and_record_on_its_page(reports, tmp_path):
    gallery = tmp_path / "runs/gallery"
    found = {report.name: asset_page(report, gallery) for report in reports}
    assert found["chest"].count("pictures/chest/cutout_view_") == 2 * 16
    assert "given view 16 of 16" in found["chest"]
    assert found["chest"].count("embedded (MIT)") == 1
    for link in ("../mesh/crate/crate.glb", "../mesh/crate/record.json"):
        assert f'href="{link}"' in found["crate"]
        assert (gallery / link).resolve().is_file()
    assert "0.50 × 0.80 × 0.25 m (width, height, depth)" in found["crate"]
    assert "4999 triangles" in found["crate"]
    assert ".venv/bin/assets3d build crate" in found["crate"]
    assert "assets3d build" not in found["bad"]
    assert "<crate>" not in found["crate"]


def test_an_id_that_was_refused_leads_nowhere():
    assert page_file("red-mug_2") == "red-mug_2.html"
    assert page_file("../../A B%") == "~2e~2e~2f~2e~2e~2f~41~20~42~25.html"
    assert len(page_file("x" * 300)) < 255


def test_how_a_run_ended(reports, tmp_path):
    gallery = tmp_path / "gallery"
    assert "stopped" in how_it_ended(gallery, 255)
    write_gallery(reports, gallery)
    assert how_it_ended(gallery, 255) == (
        f"5 assets, 2 failed, 1 with warnings: open {gallery.as_posix()}/index.html"
    )
    good = [report for report in reports if not report.failures]
    write_gallery(good, gallery)
    assert how_it_ended(gallery, 0).startswith("3 assets, 0 failed, 1 with warnings: open")
    assert how_it_ended(gallery, 255).startswith("stopped before the end")


def test_a_copy_of_the_gallery_alone_has_everything_that_its_pages_show(reports, tmp_path):
    gallery, copied = tmp_path / "runs/gallery", tmp_path / "sent/assets"
    write_gallery(reports, gallery)
    picture = gallery / "pictures/crate/mesh_turntable.png"
    assert picture.samefile(tmp_path / "runs/mesh/crate/turntable.png")  # no room is used twice
    shutil.copytree(gallery, copied)
    shutil.rmtree(tmp_path / "runs")
    pages = [copied / "index.html", *(copied / "assets").glob("*.html")]
    assert len(pages) == 1 + 5
    links = []
    for path in pages:
        text = path.read_text(encoding="utf-8")
        links += re.findall(r'(?:src|data-turn|data-scene|<link[^>]+href)="([^"]+)"', text)
        links += re.findall(r'<a href="([^"]+)"', text)
        # What stays behind is marked, so that the page's script can make words of it.
        assert all(
            'class="beside"' in tag for tag in re.findall(r'<a [^>]*href="\.\./[^>]*>', text)
        )
    assert len([link for link in links if link.startswith("pictures/")]) >= 2 * 16 + 2
    for link in links:
        assert not link.startswith("..")
        assert (copied / unquote(link)).is_file(), link


def test_a_photograph_of_any_name_is_shown_as_a_small_copy(tmp_path):
    picture = tmp_path / "my #1 mug, 100%?.png"
    Image.new("RGB", (2000, 1000), (200, 30, 30)).save(picture)
    (tmp_path / "bad.png").write_bytes(b"x")
    (tmp_path / "assets.yaml").write_text(
        f"mug: {{image: {json.dumps(str(picture))}}}\nbad: {{image: {tmp_path}/bad.png}}\n"
    )
    reports = gather(read_manifest(tmp_path / "assets.yaml"), [])
    gallery = tmp_path / "runs/gallery"
    write_gallery(reports, gallery)
    mug, bad = (gallery / f"assets/{name}.html" for name in ("mug", "bad"))
    assert 'src="pictures/mug/given.webp"' in mug.read_text(encoding="utf-8")
    assert "<img" not in bad.read_text(encoding="utf-8")
    with Image.open(gallery / "pictures/mug/given.webp") as small:
        assert small.size == (512, 256)
    # The photograph itself is no part of the gallery: DVC would make a link of it read-only.
    assert picture.stat().st_nlink == 1
