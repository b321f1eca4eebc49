"""The check stage: the pipeline succeeded only if every asset did.

python -m stages.check --in runs/gallery

It runs last, after the gallery, so a failure costs nobody else's asset. A stage that fails runs
again at the next `dvc repro`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stages import _failures
from stages._harness import say
from stages._step import ITEM_STEPS


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line per failure; return 1 if there is any."""
    parser = argparse.ArgumentParser(prog="python -m stages.check", description=__doc__)
    parser.add_argument("--in", dest="gallery", type=Path, required=True)
    options = parser.parse_args(arguments)
    _failures.ask_again([options.gallery.parent / step for step in ITEM_STEPS])
    failures = _failures.read_failures(options.gallery).failed
    if not failures:
        say("check: every asset was built")
        return 0
    for failure in failures:
        say(str(failure))
    again = sum(1 for failure in failures if failure.cause == "passing")
    hint = f", {again} will be tried again by the next dvc repro" if again else ""
    say(f"check: {len(failures)} failed{hint}; see {options.gallery / 'index.html'}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
