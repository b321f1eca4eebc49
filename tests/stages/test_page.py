"""The gallery's page: what failed first, every picture, every file, every record."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from stages._failures import Failure, Failures, write_failures
from stages._page import page
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
    content = {"numbers": {}, "warnings": [], "models": {}, **record}
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


def test_the_page_names_every_picture_file_and_record(reports, tmp_path):
    text = page(reports, tmp_path / "runs/gallery")
    assert text.count("../cutout/chest/view_") == 2 * 16
    assert "given view 16 of 16" in text
    for link in ("../mesh/crate/crate.glb", "../mesh/crate/record.json"):
        assert f'href="{link}"' in text
        assert (tmp_path / "runs/gallery" / link).resolve().is_file()
    assert re.findall(r'<a class="\w+" href="#(\w+)">', text) == [r.name for r in reports]
    assert "0.50 × 0.80 × 0.25 m (width, height, depth), 4999 triangles" in text
    assert text.count("embedded (MIT)") == 1
    assert "a &lt;crate&gt;" in text
    assert "<crate>" not in text


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


def test_a_photograph_of_any_name_is_linked(tmp_path):
    picture = tmp_path / "my #1 mug, 100%?.png"
    picture.write_bytes(b"x")
    (tmp_path / "assets.yaml").write_text(f"mug: {{image: {json.dumps(str(picture))}}}\n")
    shown = page(gather(read_manifest(tmp_path / "assets.yaml"), []), tmp_path)
    assert 'src="my%20%231%20mug%2C%20100%25%3F.png"' in shown
