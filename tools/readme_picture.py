"""Put the example manifest's results into the pictures of the README.

    python tools/readme_picture.py --out docs/pictures

props.png: one row per prompt, none left out: the picture drawn, the object freed from its
background, two of the imagined views, the splats, the mesh from two sides.
motion.png: a scripted clip, as the motion stage drew it, no wider than a page.
materials.png: one row per material: nine tiles under a low light, a sphere, the maps.

    python tools/readme_picture.py --showcase --runs runs --out docs/pictures

showcase.png: every prompt of configs/showcase.yaml, unpicked: the picture drawn and the mesh from
beside the front; white where a step failed. (Build it first: the head of that file says how.)
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from assets3d.images.picture import read_picture, resize_premultiplied, write_png
from assets3d.images.sheet import contact_sheet

CELL_PX = 136
COLUMNS = ("picture drawn", "cutout", "view: right", "view: back", "splats", "mesh", "mesh")
CLIP, CLIP_WIDTH_PX = "wolf_patrol", 1400
MATERIAL_HEIGHT_PX = 210
SHOWCASE, SHOWCASE_COLUMNS = Path("configs/showcase.yaml"), 4


def row(runs: Path, asset: str) -> list[np.ndarray]:
    """Return the pictures of one asset made from a prompt, in the order of `COLUMNS`."""
    pictures = [read_picture(runs / "image" / asset / "image.png")]
    pictures.append(read_picture(runs / "cutout" / asset / "cutout.png"))
    views = [runs / "views" / asset / f"view_{index:03d}.png" for index in (1, 2)]
    pictures += [read_picture(path) for path in views]
    pictures += _frames(runs / "splats" / asset / "spin.webp", (1 / 8,))
    pictures += _frames(runs / "mesh" / asset / "turntable.webp", (1 / 8, 5 / 8))
    return [resize_premultiplied(picture, CELL_PX) for picture in pictures]


def write_showcase(runs: Path, manifest: Path, path: Path) -> None:
    """Write the sheet of all prompts of a manifest, in its order; the prompt stands below."""
    import yaml

    pictures, labels = [], []
    for asset, entry in yaml.safe_load(manifest.read_text()).items():
        drawn, turntable = runs / "image" / asset / "image.png", runs / "mesh" / asset
        found = [read_picture(drawn)] if drawn.exists() else []
        if turntable.is_dir():
            found += _frames(turntable / "turntable.webp", (1 / 12,))
        found += [np.full((CELL_PX, CELL_PX, 3), 255, np.uint8)] * (2 - len(found))
        pair = [resize_premultiplied(picture, CELL_PX) for picture in found]
        pictures.append(contact_sheet(pair, 2, gap_px=0))
        labels.append(entry["prompt"])
    write_png(path, contact_sheet(pictures, SHOWCASE_COLUMNS, labels))


def _frames(path: Path, turns: tuple[float, ...]) -> list[np.ndarray]:
    """Return an animation's frames at these parts of a whole turn."""
    found = []
    with Image.open(path) as animation:
        for turn in turns:
            animation.seek(round(turn * getattr(animation, "n_frames", 1)))
            found.append(np.asarray(animation.convert("RGBA")))
    return found


def write_props(runs: Path, path: Path) -> None:
    """Write the picture of the props; the id stands under the first picture of each row."""
    assets = sorted(folder.name for folder in (runs / "image").iterdir() if folder.is_dir())
    made = [asset for asset in assets if (runs / "mesh" / asset).is_dir()]
    pictures = [picture for asset in made for picture in row(runs, asset)]
    labels = [label for asset in made for label in (asset, *COLUMNS[1:])]
    write_png(path, contact_sheet(pictures, len(COLUMNS), labels))


def write_motion(runs: Path, path: Path) -> None:
    """Write the picture of the clip."""
    with Image.open(runs / "motion" / CLIP / "sheet.png") as sheet:
        height = round(sheet.height * CLIP_WIDTH_PX / sheet.width)
        small = sheet.convert("RGB").resize((CLIP_WIDTH_PX, height), Image.Resampling.LANCZOS)
        write_png(path, np.asarray(small))


def write_materials(runs: Path, path: Path) -> None:
    """Write the picture of the materials."""
    folders = sorted(folder for folder in (runs / "maps").iterdir() if folder.is_dir())
    pictures = []
    for folder in folders:
        for name in ("plane.png", "sphere.png", "sheet.png"):
            picture = read_picture(folder / name)
            width = round(picture.shape[1] * MATERIAL_HEIGHT_PX / picture.shape[0])
            pictures.append(resize_premultiplied(picture, (width, MATERIAL_HEIGHT_PX)))
    labels = [label for folder in folders for label in (folder.name, "", "maps")]
    write_png(path, contact_sheet(pictures, 3, labels))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--showcase", action="store_true", help="showcase.png alone")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.showcase:
        write_showcase(options.runs, SHOWCASE, options.out / "showcase.png")
        return
    write_props(options.runs, options.out / "props.png")
    write_motion(options.runs, options.out / "motion.png")
    write_materials(options.runs, options.out / "materials.png")


if __name__ == "__main__":
    main()
