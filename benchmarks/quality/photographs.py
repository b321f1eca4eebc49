"""Photographs through the whole embedded pipeline: does the front of the mesh show the cutout?

The photographs are those that an installed package carries; nothing is downloaded. Only colour
photographs with one thing in front of the rest count: no microscope slides, skies, textures, scans
or grey pictures, and one of a stereo pair. The embedded networks have seen none of them, so the
cutouts are rough and the backs invented; what is scored is whether the last step keeps what the
first one found.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

_log = logging.getLogger(__name__)

#: name -> (package, file in it, what it shows). Found by looking through all pictures over 8 KiB in
#: the folders of all installed distributions.
CARRIED = {
    "coffee": ("skimage", "data/coffee.png", "a cup of coffee; skimage.data.coffee"),
    "chelsea": ("skimage", "data/chelsea.png", "a cat's head; skimage.data.cat, .chelsea"),
    "astronaut": ("skimage", "data/astronaut.png", "a woman in a suit; skimage.data.astronaut"),
    "rocket": ("skimage", "data/rocket.jpg", "a rocket at its tower; skimage.data.rocket"),
    "motorcycle": (
        "skimage",
        "data/motorcycle_left.png",
        "a motorcycle in a workshop; left picture of skimage.data.stereo_motorcycle",
    ),
}
#: The seeds decide the invented sides, which decide what the fit must reconcile with the front.
SEEDS = (0, 1, 2)
#: What the front of any photograph's mesh must reach.
IOU_BAR, PSNR_BAR_DB = 0.85, 18.0


@dataclass(frozen=True)
class Photograph:
    """One photograph and one seed."""

    title: str
    path: Path
    seed: int

    @property
    def name(self) -> str:
        """Title and seed, for progress lines."""
        return f"{self.title}/{self.seed}"

    @property
    def group(self) -> str:
        """All are summarised together."""
        return "all"


def photographs() -> list[Photograph]:
    """Return every photograph of `CARRIED` that is installed here, once with each seed."""
    found = []
    for title, (package, file, _) in CARRIED.items():
        path = _folder(package) / file
        if not path.is_file():
            _log.warning("%s: no %s in %s, left out", title, file, package)
            continue
        found += [Photograph(title, path, seed) for seed in SEEDS]
    return found


def front_of_the_mesh(photograph: Photograph) -> dict[str, float]:
    """Build the photograph's asset in a store of its own; return what the mesh step measured.

    The front of the finished mesh against the cutout: silhouette IoU, and PSNR inside both.
    """
    from stages._build_verb import build_asset
    from stages._project import Project

    with tempfile.TemporaryDirectory(prefix="photograph-") as name:
        folder = Path(name)
        entry = {"image": str(photograph.path), "seed": photograph.seed}
        (folder / "assets.yaml").write_text(json.dumps({photograph.title: entry}))
        settings = {"profile": "embedded", "manifest": str(folder / "assets.yaml")}
        built = build_asset(Project(settings, folder / "runs"), photograph.title)
        numbers = json.loads((built / "mesh" / "record.json").read_text())["numbers"]
    iou, psnr_db = numbers["front_iou"], numbers["front_psnr_db"]
    good = iou >= IOU_BAR and psnr_db >= PSNR_BAR_DB
    return {"front_iou": iou, "front_psnr_db": psnr_db, "reaches_both_bars": float(good)}


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else Path("missing")
