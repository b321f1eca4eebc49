"""The fixed protocol: which props, which cameras, how splats are scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from assets3d.cameras import Cameras, orbit_cameras
from assets3d.props import FAMILIES, HELD_OUT_FAMILIES, render_prop, sample_prop
from assets3d.splats.gaussians import Gaussians
from assets3d.views.posed import Views
from benchmarks.metrics import mask_iou, masked_psnr

#: Training seeds lie below this.
FIRST_SEED = 1_000_000
SIZE_PX = 256
#: The profile whose ways are scored.
PROFILE = Path(__file__).parents[2] / "configs" / "profiles" / "embedded.yaml"
UNSEEN_ELEVATIONS_DEG = (-15.0, 15.0, 35.0, 60.0)


@dataclass(frozen=True)
class Case:
    """One prop of the benchmark."""

    family: str
    seed: int
    held_out: bool

    @property
    def name(self) -> str:
        """Family and seed, for progress lines."""
        return f"{self.family}/{self.seed}"

    @property
    def group(self) -> str:
        """Trained families and held-out ones are reported apart."""
        return "held_out" if self.held_out else "known"

    @property
    def prop(self):
        """The prop itself, sampled anew (props are small)."""
        return sample_prop(self.family, self.seed)

    def views(self, cameras: Cameras) -> Views:
        """Render the prop's true pictures."""
        return Views(render_prop(self.prop, cameras).rgba, cameras)


def cases(count: int) -> list[Case]:
    """Return `count` props of the trained families, then a quarter as many held-out ones."""
    known = [name for name in sorted(FAMILIES) if name not in HELD_OUT_FAMILIES]
    held_out = sorted(HELD_OUT_FAMILIES)
    found = list(_in_turn(known, count, held_out=False))
    if held_out:
        found += _in_turn(held_out, max(count // 4, len(held_out)), held_out=True)
    return found


def known_cases(count: int) -> list[Case]:
    """Return `count` props of the trained families alone."""
    return [case for case in cases(count) if not case.held_out]


def embedded_profile(step: str) -> dict[str, Any]:
    """Return a step's section of the embedded profile, so that the pipeline's own way is scored."""
    return yaml.safe_load(PROFILE.read_text(encoding="utf-8"))[step]


def sampling(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a diffusion step that its library function takes."""
    return {key: section[key] for key in ("steps", "guidance", "size_px")}


def unseen_cameras(size_px: int = SIZE_PX) -> Cameras:
    """Return the 16 scoring cameras: each azimuth at two elevations, each elevation four times."""
    k = np.arange(16)
    elevations = np.array(UNSEEN_ELEVATIONS_DEG)[(k + k // 8 * 2) % 4]
    return orbit_cameras(22.5 + 45.0 * k, elevations, size_px)


def fit_cameras(size_px: int = SIZE_PX) -> Cameras:
    """Return the 24 input cameras of the fit: three rings of eight, no scoring camera in them."""
    k = np.arange(24)
    elevations = np.array([-20.0, 20.0, 55.0])[k // 8]
    return orbit_cameras(45.0 * (k % 8) + 15.0 * (k // 8), elevations, size_px)


def render_splats(gaussians: Gaussians, cameras: Cameras) -> NDArray[np.uint8]:
    """Return (V, H, W, 4) uint8 straight-alpha pictures of splats."""
    from assets3d.splats.preview import render_rgba

    rgba, _ = render_rgba(gaussians, cameras)
    straight = rgba[..., :3] / np.maximum(rgba[..., 3:], 1e-6)
    values = np.concatenate([straight, rgba[..., 3:]], axis=-1)
    return (np.clip(values, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def score_pictures(found: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> dict[str, float]:
    """Mean PSNR and mask IoU over (V, H, W, 4) pictures."""
    pairs = list(zip(found, wanted, strict=True))
    return {
        "psnr_db": float(np.mean([masked_psnr(a, b) for a, b in pairs])),
        "mask_iou": float(np.mean([mask_iou(a[..., 3] / 255, b[..., 3] / 255) for a, b in pairs])),
    }


def _in_turn(families: list[str], count: int, *, held_out: bool) -> Iterator[Case]:
    for index in range(count):
        yield Case(families[index % len(families)], FIRST_SEED + index, held_out)
