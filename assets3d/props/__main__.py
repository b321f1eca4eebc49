"""Draw a contact sheet of the prop world: `python -m assets3d.props --out sheet.png`."""

from __future__ import annotations

import argparse
from pathlib import Path

from assets3d.props.sheet import contact_sheet


def main() -> None:
    """Parse the command line and write the sheet."""
    parser = argparse.ArgumentParser(prog="python -m assets3d.props", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the PNG to write")
    parser.add_argument("--families", nargs="*", help="only these families")
    parser.add_argument("--seeds", type=int, default=8, help="props per family")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--size-px", type=int, default=128)
    given = parser.parse_args()
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    contact_sheet(given.families or None, seeds, given.size_px).save(given.out)


if __name__ == "__main__":
    main()
