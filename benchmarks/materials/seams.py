"""Seams of every map of materials made by each mode, and whether the maps agree with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from assets3d.images.picture import write_png
from assets3d.images.sheet import contact_sheet
from assets3d.randomness import step_seed
from assets3d.textures.encoding import (
    height_range,
    normal_codes,
    normals_of_codes,
    quantised,
)
from assets3d.textures.fields import agreement_deg, curl_share, slopes_of_normals, tilt
from assets3d.textures.maps.assemble import material_of
from assets3d.textures.material import Material
from assets3d.textures.seams import THRESHOLDS, Kind, seam_report
from assets3d.textures.torus import resized, rolled
from benchmarks.materials.backend import predictor
from benchmarks.materials.samples import samples
from benchmarks.materials.tiles import MODES, NEEDS_NETWORK, REPORTED_ONLY, tile_maker

#: What the stages write of a procedural material: nobody draws it, nothing reads its maps off.
WORLD = "world"
WAYS = (WORLD, *MODES)
#: Where the numbers must hold: share of the materials, and how far above a limit any may be.
HELD_SHARE, WORST = 0.92, 2.0
#: A rolled tile's wrap lies in its interior: no mean may be lower there by more than this.
ROLLED_SHARE = 0.9
#: What the files of one material must agree to, at 16 bits.
AGREEMENT = {"agreement_deg": 0.01, "tilt": 1e-4, "curl_share": 1e-6}
_ROLLS = 4
_FIELDS: dict[Kind, str] = {"colour": "base_colour", "normal": "normals", "height": "height_m"}
_SHOWN, _SHOWN_PX = 6, 96
Row = dict[str, Any]


def section(
    count: int,
    size_px: int,
    backend: str,
    painter: str,
    model: str,
    modes: Sequence[str] = WAYS,
    pictures: Path | None = None,
) -> dict[str, Any]:
    """Make `count` materials in each of `WAYS`; return shares and means of the seam numbers."""
    make, painted = tile_maker(painter, model)
    drawn_px = painted.get("drawn_px")
    predict = predictor(backend)
    found = {}
    agreement: list[Row] = []
    for mode in modes:
        if painter == "stand-in" and mode in NEEDS_NETWORK:
            continue
        rows: list[Row] = []
        shown: list[tuple[NDArray[np.uint8], str]] = []
        for sample in tqdm(samples(count), desc=f"seams, {mode}", disable=None):
            if mode == WORLD:
                material = quantised(sample.material(size_px))
                tile = np.round(255.0 * material.base_colour).astype(np.uint8)
            else:
                tile = make(mode, sample, size_px)
                material = quantised(material_of(tile, predict(tile), tile_m=1.0))
            # Only what the network draws is enlarged; see `tile_maker`.
            detail_px = None if mode in (WORLD, "patch") else drawn_px
            rows.append(_row(material, sample.seed, detail_px))
            agreement.append(agreement_of(material))
            if len(shown) < _SHOWN:
                shown.append((tile, sample.name))
        found[mode] = summary(rows) | {"gated": mode not in REPORTED_ONLY}
        if pictures is not None:
            _write_sheet(pictures / f"seams_{mode}.png", shown)
    worst = {name: max(row[name] for row in agreement) for name in AGREEMENT}
    return {
        "materials": count,
        "size_px": size_px,
        "measured_px": min(size_px, drawn_px or size_px),
        "back_end": backend,
        **painted,
        "gates": {"held_share": HELD_SHARE, "worst_over_limit": WORST, "rolled": ROLLED_SHARE},
        "modes": found,
        "agreement": {
            name: {
                "worst": float(f"{worst[name]:.3g}"),
                "limit": limit,
                "holds": worst[name] < limit,
            }
            for name, limit in AGREEMENT.items()
        },
    }


def joined(earlier: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return what was found, with the modes of an earlier run of the same settings beside it.

    The agreement of the maps is the worse one of both.
    """
    own = ("modes", "agreement")
    if any(earlier.get(name) != value for name, value in found.items() if name not in own):
        return found
    agreement = {
        name: max(now, earlier["agreement"][name], key=lambda row: row["worst"])
        for name, now in found["agreement"].items()
    }
    return found | {"modes": earlier["modes"] | found["modes"], "agreement": agreement}


def agreement_of(material: Material) -> Row:
    """Return what the files of a quantised material say of each other, at 16 bits.

    `agreement_deg` is the mean angle between the normal file and the height file; tilt and curl
    share are of the slopes in the normal file.
    """
    span = height_range(material.height_m)
    height_m = span.heights_m(span.codes(material.height_m))
    normals = normals_of_codes(normal_codes(material.normals, 16))
    slopes = slopes_of_normals(normals)
    return {
        "agreement_deg": agreement_deg(normals, height_m, material.pixel_m),
        "tilt": tilt(*slopes),
        "curl_share": curl_share(*slopes),
    }


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Return each statistic of each map over all materials, and whether it holds."""
    result: dict[str, Any] = {}
    for kind in _FIELDS:
        result[kind] = {}
        for name, limit in asdict(THRESHOLDS[kind]).items():
            values = np.array([row[kind][name] for row in rows])
            mean, rolled_mean = (
                float(np.mean([row[part][name] for row in rows]))
                for part in (kind, f"{kind} rolled")
            )
            held, worst = float((values < limit).mean()), float(values.max() / limit)
            result[kind][name] = {
                "limit": limit,
                "held_share": round(held, 4),
                "worst_over_limit": round(worst, 3),
                "mean": round(mean, 4),
                "rolled_mean": round(rolled_mean, 4),
                "holds": held >= HELD_SHARE
                and worst <= WORST
                and rolled_mean >= ROLLED_SHARE * mean,
            }
        result[kind]["mean_rank"] = round(float(np.mean([row[kind]["rank"] for row in rows])), 3)
    numbers = [entry for kind in _FIELDS for entry in result[kind].values()]
    result["holds"] = all(entry["holds"] for entry in numbers if isinstance(entry, dict))
    return result


def _row(material: Material, seed: int, detail_px: int | None) -> Row:
    """Return the seam numbers of each map, and their means over random rolls."""
    generator = np.random.default_rng(step_seed(seed, "rolls"))
    offsets = generator.integers(0, material.size_px, (_ROLLS, 2))
    row: Row = {}
    for kind, field in _FIELDS.items():
        values: NDArray[Any] = getattr(material, field)
        row[kind] = asdict(seam_report(values, kind, detail_px=detail_px))
        turned = [
            asdict(seam_report(rolled(values, *each), kind, detail_px=detail_px))
            for each in offsets
        ]
        row[f"{kind} rolled"] = {
            name: float(np.mean([one[name] for one in turned])) for name in row[kind]
        }
    return row


def _write_sheet(path: Path, shown: Sequence[tuple[NDArray[np.uint8], str]]) -> None:
    """Show tiles three by three; the wrap runs through the thirds of each picture."""
    pictures = [np.tile(resized(tile, _SHOWN_PX), (3, 3, 1)) for tile, _ in shown]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, contact_sheet(pictures, 3, [name for _, name in shown]))
