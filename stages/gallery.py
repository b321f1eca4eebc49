"""The gallery stage: one page with every asset, failures first; contact sheets and metrics for DVC.

python -m stages.gallery --manifest configs/assets.yaml --in runs/image runs/cutout runs/views
    runs/splats runs/choose runs/mesh runs/texture runs/maps runs/motion runs/export
    --out runs/gallery --plots runs/plots --metrics runs/metrics.json

Everything works from a file, without a server, a network or scripts; with scripts there are filters
and views to turn. The folder is whole by itself: pictures are links into it that cost no room, see
`_gallery_pictures`, and what the views draw lies in data/, see `_scenes`. Only the files for other
programs stay where they are (../export/...); in a copy of the folder their names are no links.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from assets3d.errors import AssetError
from stages import _failures, _page
from stages._asset_page import asset_page
from stages._gallery_pictures import write_given
from stages._harness import STORE_FOLDER
from stages._progress import say
from stages._report import AssetReport, entry_texts, gather, metrics, summary
from stages._scenes import write_scenes
from stages._sheets import write_sheets
from stages._store import Store, discard
from stages.check import SUMMARY_FILE
from stages.manifest import read_manifest

_PAGE_SOURCES = Path(__file__).parent / "gallery_page"


def write_gallery(reports: Sequence[AssetReport], out: Path) -> None:
    """Rewrite the gallery's folder: the pages, failures.json and a line of counts."""
    store = Store(out.parent / STORE_FOLDER)
    discard(out)
    shutil.copytree(_PAGE_SOURCES, out / _page.PAGE_FOLDER, copy_function=shutil.copyfile)
    problems = write_scenes(reports, out, store)
    write_given(reports, out, store)
    (out / "index.html").write_text(_page.page(reports, out), encoding="utf-8")
    pages = out / _page.ASSETS_FOLDER
    pages.mkdir()
    for report in reports:
        text = asset_page(report, out, problem=problems.get(report.name, ""))
        (pages / _page.page_file(report.name)).write_text(text, encoding="utf-8")
    (out / SUMMARY_FILE).write_text(summary(reports) + "\n", encoding="utf-8")
    failures = [asdict(f) for report in reports for f in report.failures]
    text = json.dumps({"failed": failures, "skipped": []}, indent=1)
    (out / _failures.FAILURES_FILE).write_text(text + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage as a command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.gallery",
        description="Show every asset on one page, failures first.",
        epilog="example: .venv/bin/python -m stages.gallery --manifest configs/assets.yaml --in "
        "runs/image runs/mesh --out runs/gallery --plots runs/plots --metrics runs/metrics.json",
    )
    parser.add_argument("--manifest", type=Path, required=True, help="the assets wanted")
    parser.add_argument(
        "--in", dest="before", type=Path, nargs="+", required=True, help="the steps' folders"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to rewrite")
    parser.add_argument("--plots", type=Path, required=True, help="folder of contact sheets")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file of counts and means")
    options = parser.parse_args(arguments)
    try:
        _failures.ask_again(options.before)
        manifest = read_manifest(options.manifest)
        reports = gather(manifest, options.before, entry_texts(options.manifest))
        write_gallery(reports, options.out)
        write_sheets(reports, options.plots, Store(options.out.parent / STORE_FOLDER))
        text = json.dumps(metrics(reports), indent=1)
        options.metrics.write_text(text + "\n", encoding="utf-8")
    except (AssetError, OSError) as error:
        say(f"gallery: {error}")
        return 1
    say(f"gallery: {summary(reports)}: {options.out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
