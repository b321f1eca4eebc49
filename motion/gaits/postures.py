"""The trunk: how hips, spine, neck, head and tail are held and how they move with the gait.

Angles are in radians; pitch is positive nose up, yaw positive to the left, lean positive where the
left side sinks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from motion.features import JUMP, STAND
from motion.gaits.cycles import Cycle, gait_weights
from motion.gaits.timeline import Curves, smooth_step
from motion.skeleton import LEGS, PAWS, QUADRUPED

_GRAVITY_MPS2 = 9.81

# Rows: idle, move, jump, sit, stand (rearing), lie. Columns: height of the hips, pitch of hips,
# spine, neck, head and tail (each relative to the bone before, from rest), place of the fore and
# the hind paws along the body from the hips, pitch of the last segment of fore and hind legs from
# hanging straight down (forward positive).
_TABLE = np.array(
    [
        [0.462, 0.00, 0.00, 0.10, -0.04, 0.00, 0.402, -0.082, 0.61, 0.19],
        [0.452, 0.00, 0.00, -0.02, 0.04, 0.25, 0.402, -0.082, 0.61, 0.19],
        [0.445, 0.00, 0.00, -0.05, 0.05, 0.35, 0.402, -0.082, 0.61, 0.19],
        [0.268, 0.52, 0.06, -0.12, -0.38, 0.55, 0.412, 0.070, 0.50, 1.25],
        [0.425, 1.02, -0.05, -0.35, -0.55, 0.60, 0.420, 0.085, 0.60, 0.25],
        [0.185, 0.16, 0.00, 0.12, -0.10, 0.35, 0.605, 0.055, 1.48, 1.45],
    ]
)
# Sizes of the gait's movements, rows: walk, pace, trot, canter. Columns: bounce once and twice a
# stride (m), sideways sway (m), pelvis yaw, roll, pitch once a stride, spine flexion, head nod.
_SWINGS = np.array(
    [
        [0.000, 0.007, 0.010, 0.070, 0.050, 0.000, 0.00, 0.050],
        [0.000, 0.009, 0.018, 0.050, 0.070, 0.000, 0.00, 0.035],
        [0.000, 0.018, 0.005, 0.055, 0.030, 0.000, 0.00, 0.020],
        [0.022, 0.000, 0.004, 0.020, 0.020, 0.060, 0.15, 0.100],
    ]
)
# Where in the stride twice-a-stride bounce is lowest, rows as above.
_LOW_PHASE = np.array([0.32, 0.27, 0.225, 0.1])


@dataclass(frozen=True)
class Trunk:
    """Everything but the legs.

    Attributes:
        turns: (T, 27, 3, 3) world rotations from rest; legs still move rigidly with their parents.
        places_m: (T, 27, 3) in the world, likewise.
        last_pitch: (T, 2) wanted pitch of the last segment of fore and hind legs.
        home_m: (T, 4, 2) x, z in the world of the paws at ease.
        rise_m: (T,) height of the body's flight.
        tucked: (T,) weight of fore paws that hang in front of the chest, in rearing.
    """

    turns: NDArray[np.float64]
    places_m: NDArray[np.float64]
    last_pitch: NDArray[np.float64]
    home_m: NDArray[np.float64]
    rise_m: NDArray[np.float64]
    tucked: NDArray[np.float64]


def make_trunk(curves: Curves, cycle: Cycle, lively: NDArray[np.float64]) -> Trunk:
    """Pose the trunk along a timeline.

    Args:
        curves: the timeline.
        cycle: the gait clock.
        lively: (T,) radians, the slow clock of breathing, looking about and wagging.
    """
    held = curves.postures @ _TABLE
    swing = _swings(curves, cycle)
    rise = _flight(curves, cycle)
    rotations = _joint_rotations(curves, cycle, held, swing, lively)
    yaw = Rotation.from_euler("y", curves.ground[:, 2:]).as_matrix()
    hips = np.zeros((len(held), 3))
    hips[:, [0, 2]] = curves.ground[:, :2]
    hips += (
        yaw @ np.stack([swing["sway"], np.zeros_like(rise), np.zeros_like(rise)], 1)[..., None]
    )[..., 0]
    breath = 0.0035 * np.sin(2.0 * lively)
    hips[:, 1] = (
        held[:, 0] - _lowered(curves) + swing["bounce"] + rise + breath - _crouch(curves, cycle)
    )
    turns, places = _chain(yaw, hips, rotations)
    tucked = smooth_step((curves.postures[:, STAND] - 0.25) / 0.6)
    return Trunk(turns, places, held[:, 8:10], _homes(curves, held), rise, tucked)


def _swings(curves: Curves, cycle: Cycle) -> dict[str, NDArray[np.float64]]:
    """Return the gait's own movements, scaled by how much the animal is stepping."""
    weights = gait_weights(curves.speed_mps)
    moving = smooth_step(curves.speed_mps / 0.5) * cycle.activity
    upright = curves.postures[:, :2].sum(axis=1)
    size = (weights @ _SWINGS) * (moving * upright)[:, None]
    turn = 2.0 * np.pi * cycle.phase
    low = 2.0 * np.pi * (weights @ _LOW_PHASE)
    mirror = np.where(weights[:, 3] > 0, cycle.lead, 1.0)
    # a right lead is the left one mirrored and half a stride on
    once = turn - np.where(mirror > 0, 0.0, np.pi) * 1.0
    return {
        "bounce": size[:, 0] * np.cos(once - 2 * np.pi * 0.68)
        - size[:, 1] * np.cos(2 * (turn - low)),
        "sway": size[:, 2] * np.cos(turn - 2 * np.pi * 0.3),
        "yaw": -size[:, 3] * np.cos(turn),
        "roll": size[:, 4] * np.cos(turn - 2 * np.pi * 0.3),
        "pitch": size[:, 5] * np.cos(once - 2 * np.pi * 0.75),
        "flex": size[:, 6] * np.cos(once - 2 * np.pi * 0.68),
        "nod": size[:, 7]
        * np.where(
            weights[:, 3] > 0.5,
            -np.cos(once - 2 * np.pi * 0.75),
            np.cos(2 * turn - 2 * low),
        ),
    }


def _flight(curves: Curves, cycle: Cycle) -> NDArray[np.float64]:
    """Return the height of a jump: a throw's parabola between push-off and landing."""
    along = ((cycle.phase % 1.0) - 0.35) / 0.5
    seconds = 0.5 / np.maximum(cycle.hz, 0.5)
    apex = 0.125 * _GRAVITY_MPS2 * seconds**2
    parabola = np.where((along > 0) & (along < 1), 4.0 * along * (1.0 - along), 0.0)
    return np.asarray(np.clip(curves.postures[:, JUMP], 0, 1) ** 2 * apex * parabola)


def _lowered(curves: Curves) -> NDArray[np.float64]:
    """Return how much lower a faster gait carries the hips, so that legs reach further."""
    return np.asarray(gait_weights(curves.speed_mps) @ [0.0, 0.006, 0.010, 0.034])


def _crouch(curves: Curves, cycle: Cycle) -> NDArray[np.float64]:
    """Return how far the hips sink before push-off and in the landing."""
    along = (cycle.phase - 0.35) % 1.0  # 0.5..1 is on the ground
    dip = np.where(along > 0.5, np.sin(np.pi * (along - 0.5) / 0.5) ** 2, 0.0)
    return np.asarray(0.075 * curves.postures[:, JUMP] * dip)


def _joint_rotations(
    curves: Curves,
    cycle: Cycle,
    held: NDArray[np.float64],
    swing: dict[str, NDArray[np.float64]],
    lively: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    """Return rotations (T, 3, 3) of the trunk's joints relative to their parents."""
    jump = curves.postures[:, JUMP]
    still = curves.postures[:, 0]
    calm = 1.0 - curves.postures[:, [1, 2]].sum(axis=1)
    leap = 0.20 * jump * np.sin(2 * np.pi * (cycle.phase - 0.12))
    curve = np.clip(curves.turn_rate_radps, -2.2, 2.2)
    bend = 0.13 * curve
    lateral = curves.turn_rate_radps * curves.speed_mps / _GRAVITY_MPS2
    lean = 0.55 * np.arctan(lateral)
    look = calm * 0.28 * np.sin(lively) + 0.14 * curve
    wag = calm * 0.22 * np.sin(3.0 * lively) - 0.9 * bend + 1.6 * swing["yaw"]
    pitch = held[:, 1] + swing["pitch"] + swing["flex"] + leap
    return {
        "Hips": _turn(-pitch, swing["yaw"] - bend, lean + swing["roll"]),
        "Spine1": _turn(
            -(held[:, 2] - 2.0 * swing["flex"]),
            2 * bend - 1.8 * swing["yaw"],
            -0.3 * lean - 1.3 * swing["roll"],
        ),
        "Neck": _turn(
            -(held[:, 3] + 0.6 * swing["nod"] - 0.35 * leap), 0.7 * bend + 0.4 * look, -0.3 * lean
        ),
        "Head": _turn(
            -(
                held[:, 4]
                - swing["pitch"]
                - 0.2 * swing["nod"]
                - 0.5 * leap
                + 0.06 * calm * np.cos(lively)
            ),
            0.6 * look + 0.4 * swing["yaw"],
            -0.3 * lean + 0.05 * still * np.sin(lively + 1.0),
        ),
        "Tail": _turn(held[:, 5] + 0.8 * swing["flex"], wag, 0.0 * wag),
        "Tail1": _turn(0.25 * held[:, 5] + 0.1 * swing["nod"], 0.8 * wag, 0.0 * wag),
    }


def _turn(
    about_x: NDArray[np.float64], about_y: NDArray[np.float64], lean: NDArray[np.float64]
) -> NDArray[np.float64]:
    angles = np.stack([about_y, about_x, -lean], axis=1)
    return np.asarray(Rotation.from_euler("YXZ", angles).as_matrix())


def _chain(
    yaw: NDArray[np.float64], hips: NDArray[np.float64], rotations: dict[str, NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Forward kinematics with identity for joints that have no entry."""
    count = len(QUADRUPED)
    turns, places = np.zeros((len(hips), count, 3, 3)), np.zeros((len(hips), count, 3))
    for joint, (name, parent) in enumerate(zip(QUADRUPED.names, QUADRUPED.parents, strict=True)):
        above = yaw if parent < 0 else turns[:, parent]
        turns[:, joint] = above @ rotations[name] if name in rotations else above
        places[:, joint] = (
            hips if parent < 0 else places[:, parent] + above @ QUADRUPED.offsets_m[joint]
        )
    return turns, places


def _homes(curves: Curves, held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T, 4, 2) where the paws stand at ease; faster gaits track closer to the middle."""
    rest = QUADRUPED.rest_positions_m
    narrow = 1.0 - 0.35 * smooth_step((curves.speed_mps - 0.5) / 2.0)
    wide = 1.0 + 0.35 * curves.postures[:, [3, 4, 5]].sum(axis=1)
    yaw = curves.ground[:, 2]
    home = np.zeros((len(held), 4, 2))
    for leg, paw in enumerate(PAWS):
        side = rest[paw, 0] * narrow * wide
        along = held[:, 6 if leg < 2 else 7]
        home[:, leg, 0] = curves.ground[:, 0] + side * np.cos(yaw) + along * np.sin(yaw)
        home[:, leg, 1] = curves.ground[:, 1] - side * np.sin(yaw) + along * np.cos(yaw)
    return home


#: Bones' lengths of each leg: upper, lower, last.
SEGMENTS_M = tuple(
    tuple(
        float(np.linalg.norm(QUADRUPED.offsets_m[joint]))
        for joint in (chain[1], chain[2], PAWS[leg])
    )
    for leg, chain in enumerate(LEGS)
)
