"""What the network's 480 inputs and 363 outputs are: sizes, slices, names, and records of them.

Both vectors are interleaved: one block a trajectory sample, then one block a bone. A root is
(x_m, z_m, yaw_rad), a frame on the ground that looks along (sin yaw, cos yaw); ground vectors are
(x, z).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motion.skeleton import BONE_COUNT, QUADRUPED

Array = NDArray[np.float64]

FPS = 60.0
STYLES = ("idle", "move", "jump", "sit", "stand", "lie")
IDLE, MOVE, JUMP, SIT, STAND, LIE = range(6)

SAMPLES, PRESENT = 12, 6
#: Past samples are 10 frames apart, future samples 12: the network was trained that way.
SAMPLE_TIMES_S = np.array([k / 6 - 1 for k in range(6)] + [i / 5 for i in range(6)])

SAMPLE_SIZE, BONE_SIZE = 13, 12
OUT_SAMPLES, OUT_SAMPLE_SIZE = 6, 6
INPUT_SIZE = SAMPLES * SAMPLE_SIZE + BONE_COUNT * BONE_SIZE
OUTPUT_SIZE = OUT_SAMPLES * OUT_SAMPLE_SIZE + BONE_COUNT * BONE_SIZE + 3

#: The parts of the vectors; the first two are reshaped to one row a sample or bone.
INPUT_SAMPLES = slice(0, SAMPLES * SAMPLE_SIZE)
INPUT_BONES = slice(SAMPLES * SAMPLE_SIZE, INPUT_SIZE)
OUTPUT_SAMPLES = slice(0, OUT_SAMPLES * OUT_SAMPLE_SIZE)
OUTPUT_BONES = slice(OUT_SAMPLES * OUT_SAMPLE_SIZE, OUTPUT_SIZE - 3)
OUTPUT_ROOT = slice(OUTPUT_SIZE - 3, OUTPUT_SIZE)

#: Columns of a sample's row; the output's rows end after the velocity.
POSITION, DIRECTION, VELOCITY, SPEED, STYLE = (
    slice(0, 2),
    slice(2, 4),
    slice(4, 6),
    6,
    slice(7, 13),
)

_GROUND_PARTS = ("position_x", "position_z", "direction_x", "direction_z", "velocity_x")
_SAMPLE_COLUMNS = (*_GROUND_PARTS, "velocity_z", "speed", *STYLES)
_BONE_COLUMNS = tuple(
    f"{part}_{axis}" for part in ("position", "forward", "up", "velocity") for axis in "xyz"
)
_BONE_NAMES = tuple(f"{bone}.{column}" for bone in QUADRUPED.names for column in _BONE_COLUMNS)
#: What each number is, such as "sample6.speed", "LeftHandSite.velocity_x", "root.yaw_rate".
INPUT_NAMES = (
    tuple(f"sample{k}.{column}" for k in range(SAMPLES) for column in _SAMPLE_COLUMNS) + _BONE_NAMES
)
OUTPUT_NAMES = (
    tuple(f"sample{k}.{column}" for k in range(6, SAMPLES) for column in _SAMPLE_COLUMNS[:6])
    + _BONE_NAMES
    + ("root.velocity_x", "root.yaw_rate", "root.velocity_z")
)


@dataclass(frozen=True)
class Samples:
    """Trajectory samples, S = 12 for the input, 6 (the present and the future) for the output.

    Attributes:
        positions_m, directions, velocities_m_s: (…, S, 2) x and z; directions are unit.
        speeds_m_s: (…, S); styles: (…, S, 6), each summing to 1. None in the output.
    """

    positions_m: Array
    directions: Array
    velocities_m_s: Array
    speeds_m_s: Array | None = None
    styles: Array | None = None


@dataclass(frozen=True)
class Pose:
    """27 bones: (…, 27, 3) each. forward and up are the bone's own Z and Y axes, unit."""

    positions_m: Array
    forward: Array
    up: Array
    velocities_m_s: Array


@dataclass(frozen=True)
class Output:
    """One prediction, taken apart and still in the network's own frames.

    Attributes:
        samples: 6 samples of the next frame, relative to the next root.
        pose: the next frame's bones, relative to the current root.
        root_motion: (…, 3) x m/s, yaw deg/s, z m/s, relative to the current root.
    """

    samples: Samples
    pose: Pose
    root_motion: Array
