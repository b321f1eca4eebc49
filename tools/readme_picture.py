"""Put the example manifest's results into one picture for the README.

    python tools/readme_picture.py --out docs/pictures/props.png

One row per asset: its picture, the cutout, three of the four views, and the mesh from four sides.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from assets3d.images.picture import read_picture, resize_premultiplied, write_png
from assets3d.images.sheet import contact_sheet

CELL_PX = 128


def row(runs: Path, asset: str) -> list[np.ndarray]:
    """Return the seven pictures of one asset made from a prompt."""
    pictures = [read_picture(runs / "image" / asset / "image.png")]
    pictures.append(read_picture(runs / "cutout" / asset / "cutout.png"))
    views = [runs / "views" / asset / f"view_{index:03d}.png" for index in (1, 2)]
    pictures += [read_picture(path) for path in views]
    with Image.open(runs / "mesh" / asset / "turntable.webp") as turntable:
        for part in (0, 1, 2):
            turntable.seek(part * turntable.n_frames // 3)
            pictures.append(np.asarray(turntable.convert("RGBA")))
    return [resize_premultiplied(picture, CELL_PX) for picture in pictures]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/props.png"))
    options = parser.parse_args()
    assets = sorted(path.name for path in (options.runs / "image").iterdir() if path.is_dir())
    made = [asset for asset in assets if (options.runs / "mesh" / asset).is_dir()]
    pictures = [picture for asset in made for picture in row(options.runs, asset)]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_png(options.out, contact_sheet(pictures, columns=7))


if __name__ == "__main__":
    main()
