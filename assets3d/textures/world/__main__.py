"""Draw sheets of the material world: `python -m assets3d.textures.world --out DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path

from assets3d.textures.world.catalogue import FAMILIES
from assets3d.textures.world.sheet import close_look, contact_sheet


def main() -> None:
    """Parse the command line and write the sheets."""
    parser = argparse.ArgumentParser(prog="python -m assets3d.textures.world", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the PNG files")
    parser.add_argument("--family", nargs="*", choices=list(FAMILIES), help="only these")
    parser.add_argument("--seeds", type=int, default=6, help="materials per family")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--size-px", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3, help="tiles per side of each picture")
    parser.add_argument("--show-px", type=int, help="side of each picture on the sheet")
    parser.add_argument(
        "--close", action="store_true", help="one tile per file: colour, lit, height"
    )
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    for name in given.family or FAMILIES:
        if given.close:
            for seed in seeds:
                close_look(name, seed, given.size_px).save(given.out / f"{name}_{seed}.png")
        else:
            sheet = contact_sheet(
                name, seeds, given.size_px, repeats=given.repeats, show_px=given.show_px
            )
            sheet.save(given.out / f"{name}.png")


if __name__ == "__main__":
    main()
