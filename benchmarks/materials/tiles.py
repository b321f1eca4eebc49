"""A seamless picture by each mode, for materials by the dozen: with a network, or without one.

A repaint needs somebody who paints. `network` is the embedded image model: words become a tile, as
in the texture stage. `stand-in` paints a piece of another material of the same family
wherever it is let, without looking at what is around: it knows less than any model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from assets3d.images.words import read_words
from assets3d.textures.flatten import flatten_light
from assets3d.textures.seamless import canvas, roll, source
from assets3d.textures.seamless.settings import SeamlessSettings, geometry_of, workflow_exact
from assets3d.textures.seamless.texture import patch_of, seamless_texture
from assets3d.textures.torus import resized
from benchmarks.materials.samples import Sample

Picture = NDArray[np.uint8]
#: A way to a tile: mode, material and side in pixels.
MakeTile = Callable[[str, Sample, int], Picture]

#: The last one reproduces the published graphs and is reported only.
MODES = ("patch", "roll", "canvas", "circular", "workflow-exact")
REPORTED_ONLY = ("workflow-exact",)
PAINTERS = ("network", "stand-in")
#: What needs somebody who draws a whole tile: a stand-in would hand in a perfect one.
NEEDS_NETWORK = ("circular",)
#: The model of `network`, and where its weights lie.
NETWORK = "embedded"
WEIGHTS = Path(__file__).parents[2] / "assets3d" / "weights" / "image"
_PROFILE = Path(__file__).parents[2] / "configs" / "profiles" / "embedded.yaml"
#: Where the profile has no such model, what the embedded image model is sampled with.
_USUAL = {
    "scheduler": "ddim", "steps": 20, "guidance": 2.0, "size_px": 128,
    "dtype": "float32", "device": "cpu",
}  # fmt: skip


def usual_painter() -> str:
    """Return `network` where the weights of this checkout were taught materials."""
    words = read_words(WEIGHTS)
    taught = words is not None and "texture" in words.words
    return "network" if taught else "stand-in"


def tile_maker(painter: str, model: str = NETWORK) -> tuple[MakeTile, dict[str, Any]]:
    """Return what makes tiles, and what a JSON file says of it.

    Raises:
        InputError: a model that is not there.
    """
    if painter == "stand-in":
        return _by_stand_in, {"painter": painter, "not_measured": list(NEEDS_NETWORK)}
    section = yaml.safe_load(_PROFILE.read_text(encoding="utf-8"))["texture"]
    params = {**_USUAL, **section, "model": model}
    sampling = {name: params[name] for name in ("scheduler", "steps", "guidance")}
    drawn_px = {"drawn_px": params["size_px"]}
    return _ByNetwork(params), {"painter": painter, "model": model, **sampling, **drawn_px}


@dataclass
class _ByNetwork:
    """The texture stage's own way; patches are cut from pictures all the same."""

    params: dict[str, Any]
    _pipeline: list[Any] = field(default_factory=list)

    def __call__(self, mode: str, sample: Sample, size_px: int) -> Picture:
        if mode == "patch":
            return _patched(sample, size_px)
        drawn_px = self.params["size_px"]
        tile = seamless_texture(
            self._loaded(),
            sample.caption,
            seed=sample.seed,
            steps=self.params["steps"],
            guidance=self.params["guidance"],
            size_px=drawn_px,
            settings=_settings(mode, drawn_px),
        )
        return resized(tile, size_px, kernel="lanczos")

    def _loaded(self) -> Any:
        from stages.texture import Pipeline

        if not self._pipeline:
            self._pipeline.append(Pipeline(self.params).get(self.params["scheduler"]))
        return self._pipeline[0]


@dataclass
class _OtherPiece:
    """A `Repaint` that draws a piece of another material of the same family."""

    sample: Sample

    def __call__(
        self, picture: Picture, mask: Picture, *, turn: int = 0, soft: bool = False
    ) -> Picture:
        side = max(mask.shape)
        other = Sample(self.sample.family, self.sample.seed + 500_000 + turn).cropped(side)
        drawn = source.centre_square(other, side)[: mask.shape[0], : mask.shape[1]]
        return np.where(mask[..., None] > 0, drawn, picture)


def _by_stand_in(mode: str, sample: Sample, size_px: int) -> Picture:
    if mode == "patch":
        return _patched(sample, size_px)
    if mode in NEEDS_NETWORK:
        raise ValueError(f"mode {mode} is drawn by a network only")
    tile = source.centre_square(flatten_light(sample.cropped(size_px)), size_px)
    settings = _settings(mode, size_px)
    repaired = canvas.repaired if settings.mode == "canvas" else roll.repaired
    return repaired(tile, geometry_of(settings, size_px), settings, _OtherPiece(sample))


def _patched(sample: Sample, size_px: int) -> Picture:
    return patch_of(sample.cropped(round(1.15 * size_px)), size_px).tile


def _settings(mode: str, size_px: int) -> SeamlessSettings:
    return workflow_exact(size_px) if mode == "workflow-exact" else SeamlessSettings(mode)  # type: ignore[arg-type]
