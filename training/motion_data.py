"""Training sets for the motion network: procedural gaits, or a folder of BVH files."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from assets3d.errors import InputError
from motion.features import IDLE, INPUT_BONES, INPUT_SAMPLES, LIE, MOVE, OUTPUT_BONES, SIT, STAND
from motion.gaits import make_gaits
from motion.gaits.timeline import Part, random_timeline
from training.motion_features import Pairs, clip_pairs
from training.motion_labels import guessed_labels, read_labels

logger = logging.getLogger(__name__)
#: Procedural trunks hardly sway against their path, so little smoothing is enough.
GAIT_SMOOTHING_S = 0.12
#: A column's spread counts as at least this share of the spread of its kind.
STD_FLOOR = 0.05


@dataclass(frozen=True)
class Dataset:
    """Frames of all clips, one after the other.

    Attributes:
        inputs: (N, 480); outputs: (N, 363), float32.
        starts: first frame of each clip, and N.
    """

    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]
    starts: NDArray[np.int64]

    def windows(self, length: int) -> NDArray[np.int64]:
        """Return the frames at which a window of that many frames lies within one clip."""
        spans = [
            np.arange(begin, max(begin, end - length + 1))
            for begin, end in zip(self.starts[:-1], self.starts[1:], strict=True)
        ]
        return np.concatenate(spans)


@dataclass(frozen=True)
class Scaling:
    """Mean and spread by which inputs and outputs are normalised."""

    input_mean: NDArray[np.float32]
    input_std: NDArray[np.float32]
    output_mean: NDArray[np.float32]
    output_std: NDArray[np.float32]


def joined(pairs: list[Pairs]) -> Dataset:
    """Join clips and their mirror images."""
    both = [each for clip in pairs for each in (clip, clip.mirrored())]
    starts = np.concatenate([[0], np.cumsum([len(each) for each in both])])
    return Dataset(
        np.concatenate([each.inputs for each in both]),
        np.concatenate([each.outputs for each in both]),
        starts,
    )


def gait_dataset(minutes: float, seed: int) -> Dataset:
    """Make procedural gaits of that length in all, in clips of a minute and a half."""
    seconds = 90.0
    pairs = []
    count = max(1, round(minutes * 60.0 / seconds))
    for number in tqdm(range(count), desc="gaits", delay=2, disable=None):
        generator = np.random.default_rng([seed, number])
        parts = random_timeline(generator, min(seconds, minutes * 60.0))
        if number % 4 == 0:
            parts = _quiet(generator)
        made = make_gaits(parts, seed=seed * 1000 + number)
        pairs.append(clip_pairs(made.clip, made.styles, smoothing_s=GAIT_SMOOTHING_S))
    return joined(pairs)


def _quiet(generator: np.random.Generator) -> list[Part]:
    """Return a timeline that dwells: long rests in each still style, joined by short walks."""
    parts = [Part(4.0, IDLE)]
    for style in generator.permutation([IDLE, SIT, STAND, LIE] * 3):
        ramp = float(generator.uniform(0.3, 1.0))
        parts.append(Part(float(generator.uniform(2.5, 6.0)), int(style), ramp_s=ramp))
        if generator.uniform() < 0.5:
            speed, turn = generator.uniform(0.0, 1.4), generator.uniform(-1.2, 1.2)
            parts.append(Part(2.5, MOVE, float(speed), float(turn), ramp_s=ramp))
    return parts


def bvh_dataset(folder: Path) -> Dataset:
    """Read every BVH below a folder, with labels from the sidecar CSV or guessed.

    Raises:
        InputError: no BVH there, or one with other bones; the line names the file.
    """
    from motion.editing.rebase import rebased
    from motion.editing.resample import resample
    from motion.files.bvh import read_bvh

    paths = sorted(folder.rglob("*.bvh"))
    if not paths:
        raise InputError(f"{folder}: no .bvh file, wanted at least one")
    pairs = []
    for path in tqdm(paths, desc="bvh", delay=2, disable=None):
        clip = rebased(read_bvh(path), source=path.name)
        sidecar = path.with_suffix(".csv")
        styles = read_labels(sidecar, len(clip)) if sidecar.exists() else None
        if abs(clip.fps - 60.0) > 0.05:
            if styles is not None:
                raise InputError(f"{path.name}: {clip.fps:g} fps with labels, wanted 60 fps")
            clip = resample(clip, 60.0)
        if len(clip) < 120:
            raise InputError(f"{path.name}: {len(clip)} frames, wanted at least 120")
        if styles is None:
            styles = guessed_labels(clip)
            shares = ", ".join(f"{share:.0%}" for share in styles.mean(axis=0))
            logger.info("%s: no %s, styles guessed: %s", path.name, sidecar.name, shares)
        pairs.append(clip_pairs(clip, styles))
    return joined(pairs)


def scaling(data: Dataset) -> Scaling:
    """Measure mean and spread; a constant column gets spread 1, a nearly constant one a floor."""
    return Scaling(
        data.inputs.mean(axis=0, dtype=np.float64).astype(np.float32),
        _spread(data.inputs, INPUT_BONES, (INPUT_SAMPLES, 13)),
        data.outputs.mean(axis=0, dtype=np.float64).astype(np.float32),
        _spread(data.outputs, OUTPUT_BONES, (slice(0, 36), 6)),
    )


def _spread(
    values: NDArray[np.float32], bones: slice, samples: tuple[slice, int]
) -> NDArray[np.float32]:
    std = values.std(axis=0, dtype=np.float64)
    constant = std < 1e-6
    floored = std.copy()
    for kind in range(4):  # position, forward, up, velocity of all bones
        columns = np.arange(bones.start, bones.stop).reshape(-1, 4, 3)[:, kind].ravel()
        floored[columns] = np.maximum(std[columns], STD_FLOOR * _rms(std[columns]))
    rows = np.arange(samples[0].start, samples[0].stop).reshape(-1, samples[1])
    for first in (0, 2, 4):  # position, direction, velocity of all samples
        columns = rows[:, first : first + 2].ravel()
        floored[columns] = np.maximum(std[columns], STD_FLOOR * _rms(std[columns]))
    floored[constant] = 1.0
    return floored.astype(np.float32)


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2)))
