"""The sections of the quality benchmark: what each scores, on which cases, and with which code."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.quality.cutouts import photographs_once
from benchmarks.quality.photographs import photographs
from benchmarks.quality.protocol import cases, embedded_profile, known_cases
from stages._keys import code_hashes, file_hash, item_key

_WEIGHTS = Path(__file__).parents[2] / "assets3d" / "weights"
#: The motion network's kernel is compiled into the same library and plays no part here.
_UNUSED = "assets3d/native/mann"
#: What every section's numbers depend on.
_COMMON = ("benchmarks.metrics", "benchmarks.quality.protocol")


class AnyCase(Protocol):
    """One thing to score; cases of a group are summarised together."""

    @property
    def name(self) -> str:
        """Name it in the results."""
        ...

    @property
    def group(self) -> str:
        """Say which cases it is summarised with."""
        ...


Row = dict[str, float]


@dataclass(frozen=True)
class Section:
    """One part of the benchmark.

    Attributes:
        place: module:function that scores one case; imported only when asked for.
        cases: the cases for a `--count`.
        uses: modules that the scores depend on, besides those that `place` imports.
        weights: the embedded models that they depend on.
        steps: the sections of the embedded profile that they depend on.
    """

    place: str
    cases: Callable[[int], Sequence[AnyCase]]
    uses: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()

    @property
    def score(self) -> Callable[[AnyCase], Row]:
        """Import and return the function that scores a case."""
        module, function = self.place.split(":")
        return getattr(importlib.import_module(module), function)

    def code(self) -> str:
        """Return a digest of all that decides the scores: code, embedded weights, profile."""
        found = code_hashes([self.place.split(":")[0], *self.uses, *_COMMON])
        for folder in self.weights:
            files = sorted(p for p in (_WEIGHTS / folder).rglob("*") if p.is_file())
            found |= {f"{folder}/{p.relative_to(_WEIGHTS / folder)}": file_hash(p) for p in files}
        used = {file: value for file, value in found.items() if not file.startswith(_UNUSED)}
        return item_key({**used, "profile": {step: embedded_profile(step) for step in self.steps}})


SECTIONS = {
    "splats": Section("benchmarks.quality.splats:four_true_views", cases, steps=("splats",)),
    "fit": Section("benchmarks.quality.splats:fit_24_views", cases),
    "mesh": Section(
        "benchmarks.quality.meshes:mesh_from_true_views",
        cases,
        ("benchmarks.quality.splats",),
        steps=("splats",),
    ),
    "front": Section(
        "benchmarks.quality.meshes:mesh_from_true_front",
        cases,
        ("benchmarks.quality.splats", "benchmarks.quality.generated_views"),
        ("cutout", "views"),
        ("views", "splats"),
    ),
    "cutout": Section(
        "benchmarks.quality.cutouts:cutout_of_scene",
        cases,
        ("training.cutout_scenes", "training.cutout_textures"),
        ("cutout",),
    ),
    "photograph_cutouts": Section(
        "benchmarks.quality.cutouts:cutout_of_photograph",
        lambda count: photographs_once(),
        weights=("cutout",),
    ),
    "views": Section(
        "benchmarks.quality.generated_views:views_from_true_front",
        cases,
        weights=("cutout", "views"),
        steps=("views",),
    ),
    "image": Section(
        "benchmarks.quality.recognition:words_followed",
        known_cases,
        weights=("image", "cutout"),
        steps=("image",),
    ),
    "photographs": Section(
        "benchmarks.quality.photographs:front_of_the_mesh",
        lambda count: photographs(),
        ("stages.cutout", "stages.views", "stages.splats", "stages.mesh"),
        ("cutout", "views"),
        ("cutout", "views", "splats", "mesh"),
    ),
}
