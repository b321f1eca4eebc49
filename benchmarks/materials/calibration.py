"""How often the limits of `assets3d.textures.seams` are right: perfect tiles, cut ones, part seams.

Every family of the material world, tiles rolled at random. `cropped` keeps 240x236 of each 256x256
px, as the limits were calibrated; some of these show no seam. `partial` has a seam along an eighth
of one edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from assets3d.randomness import step_seed
from assets3d.textures.material import Material
from assets3d.textures.seams import THRESHOLDS, Kind, SeamReport, exceeded, seam_report
from assets3d.textures.torus import rolled
from assets3d.textures.world.catalogue import FAMILIES
from assets3d.textures.world.picture import lit_picture
from benchmarks.materials.samples import Sample, samples

SIZES_PX = (256, 512, 1024)
#: What of a tile's width and height is left.
CROP = 240 / 256, 236 / 256
#: Of an edge has a seam.
PART = 1 / 8
_STATES = ("perfect", "cropped", "partial")
Found = dict[Kind, dict[str, list[SeamReport]]]


def section(per_family: int, sizes_px: Sequence[int] = SIZES_PX) -> dict[str, Any]:
    """Return, by size and kind of map, which shares pass and are detected."""
    found = {}
    for size in sizes_px:
        reports: Found = {kind: {state: [] for state in _STATES} for kind in THRESHOLDS}
        every = samples(per_family * len(FAMILIES))
        for sample in tqdm(every, desc=f"calibration, {size} px", disable=None):
            for kind, values in _maps(sample, size).items():
                for state, report in reports_of(values, kind, sample.seed).items():
                    reports[kind][state].append(report)
        kinds: dict[str, Any] = {kind: shares(kind, states) for kind, states in reports.items()}
        found[f"{size}_px"] = {"tiles": len(every)} | kinds
    return found


def reports_of(values: NDArray[Any], kind: Kind, seed: int) -> dict[str, SeamReport]:
    """Measure a tile rolled at random: as it is, cut, and with a seam along a part of its edge."""
    generator = np.random.default_rng(step_seed(seed, "calibration"))
    size = len(values)
    turned = rolled(values, *generator.integers(0, size, 2))
    cut = turned[: round(CROP[1] * size), : round(CROP[0] * size)]
    part = turned.copy()
    first = int(generator.integers(0, size))
    rows = (first + np.arange(round(PART * size))) % size
    # Up to the middle the rows show what lies elsewhere: the wrap is cut there, nothing beside it.
    part[rows, : size // 2] = rolled(turned, 0, round(0.36 * size))[rows, : size // 2]
    return {
        state: seam_report(each, kind)
        for state, each in zip(_STATES, (turned, cut, part), strict=True)
    }


def shares(kind: Kind, states: dict[str, list[SeamReport]]) -> dict[str, Any]:
    """Return the shares of perfect tiles that pass and of others that do not, and percentiles."""
    perfect = [asdict(report) for report in states["perfect"]]
    result: dict[str, Any] = {
        "perfect_pass": {
            name: _share(row[name] <= limit for row in perfect)
            for name, limit in asdict(THRESHOLDS[kind]).items()
        },
        "perfect_below_twice": _share(
            not exceeded(report, kind, slack=2.0) for report in states["perfect"]
        ),
        "perfect_p98": {
            name: round(float(np.quantile([row[name] for row in perfect], 0.98)), 3)
            for name in perfect[0]
        },
    }
    for state in ("cropped", "partial"):
        flagged = [exceeded(report, kind) for report in states[state]]
        result[f"{state}_detected"] = {
            **{
                name: _share(name in names for names in flagged)
                for name in ("seam_nb", "seam_local")
            },
            "either": _share(bool(names) for names in flagged),
        }
    return result


def _maps(sample: Sample, size_px: int) -> dict[Kind, NDArray[Any]]:
    material: Material = sample.material(size_px)
    return {
        "colour": lit_picture(material, sample.seed),
        "normal": material.normals,
        "height": material.height_m,
        "scalar": material.roughness,
    }


def _share(flags: Any) -> float:
    return round(float(np.mean(list(flags))), 4)
