"""The check stage: the pipeline succeeded only if every asset did.

python -m stages.check --in runs/gallery
python -m stages.check --in runs/gallery --ended 0    # the last line of `make assets`

It runs last, after the gallery, so a failure costs nobody else's asset. A stage that fails runs
again at the next `dvc repro`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stages import _failures, deliver
from stages._progress import failure_lines, say
from stages._step import ITEM_STEPS

#: In the gallery's folder: one line of counts.
SUMMARY_FILE = "summary.txt"


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what failed; return 1 if anything did."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.check",
        description="Fail if any asset failed; the last stage of the pipeline.",
        epilog="example: .venv/bin/python -m stages.check --in runs/gallery",
    )
    parser.add_argument("--in", dest="gallery", type=Path, required=True, help="its folder")
    parser.add_argument("--ended", type=int, help="only say how it ended: the status of dvc repro")
    options = parser.parse_args(arguments)
    if options.ended is not None:
        say(how_it_ended(options.gallery, options.ended))
        return options.ended
    _failures.ask_again([options.gallery.parent / step for step in ITEM_STEPS])
    failures = _failures.read_failures(options.gallery).failed
    undelivered = deliver.read_failed(options.gallery.parent / "deliver.json")
    deliver.ask_again(undelivered)
    failures += undelivered
    page = f"open {options.gallery / 'index.html'}"
    if not failures:
        say(f"check: {read_summary(options.gallery)}; {page}")
        return 0
    for line in failure_lines(failures):
        say(line)
    again = sum(1 for failure in failures if failure.cause == "passing")
    hint = f", {again} will be tried again by the next dvc repro" if again else ""
    say(f"check: {len(failures)} failed{hint}; {page}")
    return 1


def read_summary(gallery: Path) -> str:
    """Return the gallery's line: how many assets, failed, with warnings."""
    return (gallery / SUMMARY_FILE).read_text(encoding="utf-8").strip()


def how_it_ended(gallery: Path, status: int) -> str:
    """Return the last line that a person reads, after all that DVC had to say.

    Args:
        gallery: its folder; where a stage stopped the run, it is that of an earlier run or none.
        status: what `dvc repro` returned.
    """
    whole = (gallery / SUMMARY_FILE).is_file() and (gallery / "index.html").is_file()
    if status and not _failures.read_failures(gallery).failed:
        return (
            "stopped before the end, the reason stands above; earlier results are where they were"
        )
    if not whole:
        return "stopped before the gallery, see above"
    return f"{read_summary(gallery)}: open {(gallery / 'index.html').as_posix()}"


if __name__ == "__main__":
    sys.exit(main())
