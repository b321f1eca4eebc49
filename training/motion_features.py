"""From a clip to the network's training pairs, exactly as the controller builds them at run time.

Root: the hips on the ground, looking from hips to neck, both smoothed so that it does not sway with
the stride. Beyond a clip's ends the root's path is continued by point reflection.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from motion.clip import Clip, world_pose
from motion.editing.ground import SMOOTHING_S
from motion.features import (
    FPS,
    PRESENT,
    SAMPLE_TIMES_S,
    Pose,
    Samples,
    input_vector,
    output_vector,
    root_of_pose,
)
from motion.features.mirror import mirrored_input, mirrored_output
from motion.skeleton import REST_AXES

#: Frames from the present to each of the 12 samples.
SAMPLE_FRAMES = np.round(SAMPLE_TIMES_S * FPS).astype(int)
_MARGIN = int(np.abs(SAMPLE_FRAMES).max()) + 2


@dataclass(frozen=True)
class Pairs:
    """Inputs (N, 480) and outputs (N, 363), float32, of consecutive frames of one clip."""

    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.inputs)

    def mirrored(self) -> Pairs:
        """Return the same frames of the mirrored animal."""
        return Pairs(mirrored_input(self.inputs), mirrored_output(self.outputs))


def smooth_root(
    positions_m: NDArray[np.float64], smoothing_s: float = SMOOTHING_S
) -> NDArray[np.float64]:
    """Return the (T, 3) root track x_m, z_m, yaw_rad of bones (T, 27, 3) at 60 frames a second."""
    root = root_of_pose(positions_m)
    ahead = np.stack([np.sin(root[:, 2]), np.cos(root[:, 2])], axis=1)
    smooth = gaussian_filter1d(
        np.concatenate([root[:, :2], ahead], axis=1), smoothing_s * FPS, axis=0, mode="nearest"
    )
    yaw = np.unwrap(np.arctan2(smooth[:, 2], smooth[:, 3]))
    return np.column_stack([smooth[:, :2], yaw])


def clip_pairs(
    clip: Clip, styles: NDArray[np.float64], *, smoothing_s: float = SMOOTHING_S
) -> Pairs:
    """Build the training pairs of a clip.

    Args:
        clip: on the quadruped's bones and rest pose, 60 frames a second, T >= 3 frames.
        styles: (T, 6) labels, each row sums to 1.
        smoothing_s: spread of the Gaussian over the root's path; a wide one makes the network
            slow to answer commands.

    Returns:
        Pairs of frames 1 to T - 2: the first has no velocity, the last no next frame.

    Raises:
        ValueError: another rate than 60, or labels of another length.
    """
    if abs(clip.fps - FPS) > 1e-2:
        raise ValueError(f"clip {clip.name}: {clip.fps} frames a second, wanted {FPS}")
    if len(styles) != len(clip):
        raise ValueError(f"clip {clip.name}: {len(styles)} style labels for {len(clip)} frames")
    positions, turns = world_pose(clip)
    axes = turns @ REST_AXES
    velocities = np.diff(positions, axis=0, prepend=positions[:1]) * FPS
    pose = Pose(positions, axes[..., 2], axes[..., 1], velocities)
    root = smooth_root(positions, smoothing_s)
    frames = np.arange(1, len(clip) - 1)
    everything = _trajectory(root, styles, np.append(frames, frames[-1] + 1))
    now, following = _rows(everything, slice(0, -1)), _rows(everything, slice(1, None))
    ahead = Samples(
        following.positions_m[:, PRESENT:],
        following.directions[:, PRESENT:],
        following.velocities_m_s[:, PRESENT:],
    )
    return Pairs(
        input_vector(now, _pose_at(pose, frames), root[frames], root[frames - 1]),
        output_vector(ahead, _pose_at(pose, frames + 1), root[frames], root[frames + 1]),
    )


def _trajectory(
    root: NDArray[np.float64], styles: NDArray[np.float64], frames: NDArray[np.int64]
) -> Samples:
    """Return the world samples (N, 12) of frames, all at once."""
    padded = np.pad(root, ((_MARGIN, 2 * _MARGIN), (0, 0)), mode="reflect", reflect_type="odd")
    labels = np.pad(styles, ((_MARGIN, 2 * _MARGIN), (0, 0)), mode="edge")
    at = frames[:, None] + SAMPLE_FRAMES[None] + _MARGIN
    step = np.diff(padded[:, :2], axis=0, prepend=padded[:1, :2])
    # The present's velocity is the motion that brought the animal here, as at run time.
    chords = np.linalg.norm(padded[12:, :2] - padded[:-12, :2], axis=1)
    speeds = sum(chords[at + 12 * k] for k in range(5))
    yaw = padded[at, 2]
    return Samples(
        padded[at, :2],
        np.stack([np.sin(yaw), np.cos(yaw)], axis=-1),
        step[at] * FPS,
        np.asarray(speeds),
        labels[at],
    )


def _rows(samples: Samples, rows: slice) -> Samples:
    assert samples.speeds_m_s is not None and samples.styles is not None
    return Samples(
        samples.positions_m[rows],
        samples.directions[rows],
        samples.velocities_m_s[rows],
        samples.speeds_m_s[rows],
        samples.styles[rows],
    )


def _pose_at(pose: Pose, frames: NDArray[np.int64]) -> Pose:
    return Pose(
        pose.positions_m[frames],
        pose.forward[frames],
        pose.up[frames],
        pose.velocities_m_s[frames],
    )
