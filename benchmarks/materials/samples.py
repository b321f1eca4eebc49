"""The materials that are measured: seeds no training has seen, and pictures that do not tile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets3d.randomness import step_seed
from assets3d.textures.material import Material
from assets3d.textures.world.captions import plain_caption
from assets3d.textures.world.catalogue import FAMILIES, sample_material
from assets3d.textures.world.picture import lit_picture
from training.seeds import FIRST_BENCHMARK_SEED

#: What a picture that does not tile shows of a tile, along x and y: courses and boards are cut.
CROP_X, CROP_Y = 0.83, 0.79


@dataclass(frozen=True)
class Sample:
    """One material of the procedural world."""

    family: str
    seed: int

    @property
    def name(self) -> str:
        """Family and seed, for progress lines."""
        return f"{self.family}/{self.seed}"

    @property
    def caption(self) -> str:
        """What it is called."""
        return plain_caption(self.family, self.seed)

    def material(self, size_px: int) -> Material:
        """Return its true maps."""
        return sample_material(self.family, self.seed, size_px)

    def tile(self, size_px: int) -> NDArray[np.uint8]:
        """Return a lit picture (S, S, 3) that tiles exactly."""
        return lit_picture(self.material(size_px), self.seed)

    def cropped(self, size_px: int) -> NDArray[np.uint8]:
        """Return a lit picture about `size_px` wide that does not tile, seen straight from above.

        It is less than one tile, so that nothing in it repeats exactly, as in a photograph.
        """
        tile = self.tile(round(size_px / CROP_X))
        top, left = np.random.default_rng(step_seed(self.seed, "crop")).integers(0, len(tile), 2)
        turned = np.roll(tile, (-top, -left), axis=(0, 1))
        return np.ascontiguousarray(turned[: round(CROP_Y * len(tile)), :size_px])


def samples(count: int, families: Iterable[str] = tuple(FAMILIES)) -> list[Sample]:
    """Return `count` materials, the families in turn."""
    names = list(families)
    return [Sample(names[i % len(names)], FIRST_BENCHMARK_SEED + i) for i in range(count)]
