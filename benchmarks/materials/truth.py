"""Maps that are read off a picture, against the truth of materials that no training has seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from assets3d.images.picture import write_png
from assets3d.images.sheet import contact_sheet
from assets3d.textures.fields import angle_deg, height_of_slopes, normals_of_slopes
from assets3d.textures.maps import luminance
from assets3d.textures.maps.assemble import material_of
from assets3d.textures.maps.measures import (
    height_errors,
    metallic_f1,
    normal_errors,
    scalar_errors,
    sign_test,
)
from assets3d.textures.torus import resized
from assets3d.textures.world.catalogue import FAMILIES, HELD_OUT_FAMILIES
from assets3d.textures.world.picture import lit_picture
from benchmarks.materials.backend import Predict, predictor
from benchmarks.materials.samples import Sample, samples

#: Held-out families: this share of the better baseline's angle. Known ones whose own relief is
#: at least so steep: this share of the flat normal's.
HELD_OUT_TARGET, KNOWN_TARGET, RELIEF_DEG = 0.9, 0.45, 12.0
#: Of a set of families the gain with the least mean angle is taken: the best that one number can.
GAINS = tuple(float(g) for g in np.linspace(0.0, 2.0, 21))
#: The roughness that the flat baseline says.
_DULL = 0.8
_SHOWN_PX = 128
Row = dict[str, Any]


def section(per_family: int, size_px: int, backend: str, pictures: Path | None = None) -> Row:
    """Score the back end and both baselines; return means per family and per set of families."""
    predict = predictor(backend)
    chosen = samples(per_family * len(FAMILIES))
    rows, shown = [], {}
    for sample in tqdm(chosen, desc="maps", disable=None):
        row, looks = score(predict, sample, size_px)
        rows.append(row)
        if sample.family not in shown:
            shown[sample.family] = (looks, f"{sample.name}: {row['normals_deg']:.1f} deg")
    if pictures is not None:
        looks, labels = zip(*shown.values(), strict=True)
        pictures.mkdir(parents=True, exist_ok=True)
        write_png(pictures / "maps.png", contact_sheet(looks, 3, labels))
    return {"size_px": size_px, "materials_per_family": per_family, "back_end": backend} | compared(
        rows
    )


def compared(rows: Sequence[Row]) -> Row:
    """Return the sets that the targets speak of, each family, and whether the targets are met."""
    flat_deg = {name: _mean(_of(rows, [name]), "flat_deg") for name in {r["family"] for r in rows}}
    held_out = [name for name in flat_deg if name in HELD_OUT_FAMILIES]
    known = [name for name in flat_deg if name not in HELD_OUT_FAMILIES]
    steep = [name for name in known if flat_deg[name] >= RELIEF_DEG]
    sets = {
        name: _set(_of(rows, families))
        for name, families in (("held_out", held_out), ("known", known), ("known_steep", steep))
        if families
    }
    if "held_out" in sets:
        found = sets["held_out"]
        better = min(found["flat_deg"], found["luminance_deg"])
        found |= _target(found["normals_deg"] / better, HELD_OUT_TARGET, "of_the_better_baseline")
    if "known_steep" in sets:
        found = sets["known_steep"]
        found |= _target(found["normals_deg"] / found["flat_deg"], KNOWN_TARGET, "of_flat")
    families = {name: _set(_of(rows, [name])) for name in sorted(flat_deg)}
    for found in families.values():
        found["of_flat"] = round(found["normals_deg"] / max(found["flat_deg"], 1e-9), 4)
    return {"sets": sets, "families": families}


def score(predict: Predict, sample: Sample, size_px: int) -> tuple[Row, NDArray[np.uint8]]:
    """Return one material's errors, and its picture, true and found normals side by side."""
    true = sample.material(size_px)
    picture = lit_picture(true, sample.seed)
    found = material_of(picture, predict(picture), tile_m=true.tile_m)
    guess = luminance.predict(picture)
    assert guess.roughness is not None
    upright = np.zeros_like(true.normals)
    upright[..., 2] = 1.0
    errors = normal_errors(found.normals, true.normals)
    height = height_errors(found.height_m, true.height_m)
    guessed_height = height_of_slopes(guess.slope_x, guess.slope_y, true.pixel_m)
    row = {
        "family": sample.family,
        "normals_deg": errors.mean_deg,
        "normals_median_deg": errors.median_deg,
        "flat_deg": float(angle_deg(upright, true.normals).mean(dtype=np.float64)),
        "luminance_deg": [
            float(
                angle_deg(
                    normals_of_slopes(gain * guess.slope_x, gain * guess.slope_y), true.normals
                ).mean(dtype=np.float64)
            )
            for gain in GAINS
        ],
        "sign_as_is": float(sign_test(found.normals, true.normals).winner == "as is"),
        "height_rmse": height.rmse_over_std,
        "height_r": height.pearson_r,
        "luminance_height_rmse": height_errors(guessed_height, true.height_m).rmse_over_std,
        "roughness_rmse": scalar_errors(found.roughness, true.roughness).rmse,
        "flat_roughness_rmse": scalar_errors(
            np.full_like(true.roughness, _DULL), true.roughness
        ).rmse,
        "luminance_roughness_rmse": scalar_errors(guess.roughness, true.roughness).rmse,
        "metallic_f1": metallic_f1(found.metallic, true.metallic),
    }
    seen = [picture, *(_picture_of(normals) for normals in (true.normals, found.normals))]
    shown = [np.pad(resized(part, _SHOWN_PX), ((0, 0), (0, 2), (0, 0))) for part in seen]
    return row, np.concatenate(shown, axis=1)


def _set(rows: Sequence[Row]) -> Row:
    """Return the means over some families' materials; the luminance's gain is the set's best."""
    by_gain = np.mean([row["luminance_deg"] for row in rows], axis=0)
    best = int(by_gain.argmin())
    result: Row = {"materials": len(rows)}
    for name in rows[0]:
        if name not in ("family", "luminance_deg"):
            result[name] = round(_mean(rows, name), 4)
    return result | {"luminance_deg": round(float(by_gain[best]), 4), "luminance_gain": GAINS[best]}


def _target(share: float, target: float, name: str) -> Row:
    return {name: round(share, 4), "target": target, "holds": share <= target}


def _of(rows: Sequence[Row], families: Sequence[str]) -> list[Row]:
    return [row for row in rows if row["family"] in families]


def _mean(rows: Sequence[Row], name: str) -> float:
    return float(np.mean([row[name] for row in rows]))


def _picture_of(normals: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(255.0 * (0.5 + 0.5 * normals)).astype(np.uint8)
