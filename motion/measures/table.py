"""All measures of a motion in one table: of the pose, the control and the foot lock."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from motion.clip import Clip, world_pose
from motion.control.rollout import Rollout, clip_from_rollout
from motion.measures.control import (
    HORIZONS_S,
    expert_use,
    hips_outside_band,
    settling_times_s,
    steady_states,
    trajectory_errors,
)
from motion.measures.pose import (
    bone_length_errors_m,
    feet_of,
    foot_skating_m_s,
    horizontal_speed_m_s,
    jerk_m_s3,
    joint_motion_deg,
    longest_freeze_s,
    penetration_m,
    skating_ratio,
    standing,
)
from motion.skeleton import PAW_HEIGHT_M, PAWS, QUADRUPED

#: Commanded speed above which legs have to move.
_MOVING_M_S = 0.2


class Locked(Protocol):
    """What the foot lock gives, as far as it is measured."""

    @property
    def contacts(self) -> NDArray[np.bool_]:
        """(T, F) which feet were held."""

    @property
    def largest_move_m(self) -> float:
        """The farthest a joint was moved."""


def measure(
    clip: Clip, rollout: Rollout | None = None, locked: Locked | None = None
) -> dict[str, float]:
    """Return every measure of a clip by name, in the units that the names end in.

    Args:
        clip: what is exported.
        rollout: the run that it was made of, which adds the measures of control.
        locked: what the foot lock did, which adds how far it had to move joints.
    """
    result = clip_measures(clip)
    if rollout is not None:
        result |= rollout_measures(rollout)
    if locked is not None:
        result["lock_largest_move_m"] = float(locked.largest_move_m)
        result["lock_stance_share"] = float(locked.contacts.mean())
    return result


def clip_measures(clip: Clip) -> dict[str, float]:
    """Return what a clip alone tells, one number each, feet apart where that matters."""
    places, _ = world_pose(clip)
    feet = feet_of(clip)
    paths = places[:, list(feet.joints)]
    skating = foot_skating_m_s(paths, feet.contact_height_m, clip.fps)
    stance = standing(paths, places[:, 0], feet.contact_height_m, clip.fps).mean(axis=0)
    joints = tuple(joint for leg in feet.legs for joint in leg)
    result = {
        "seconds": clip.seconds,
        "mean_speed_m_s": float(horizontal_speed_m_s(places[:, 0], clip.fps).mean()),
        "foot_skating_m_s": float(skating.mean()),
        "skating_ratio": skating_ratio(paths, clip.fps),
        "stance_share": float(stance.mean()),
        "penetration_max_m": float(penetration_m(paths, feet.contact_height_m).max()),
        "leg_motion_deg": float(joint_motion_deg(clip, joints).mean()),
        "jerk_m_s3": jerk_m_s3(places, clip.fps),
    }
    result |= {f"foot_skating_m_s.{n}": float(v) for n, v in zip(feet.names, skating, strict=True)}
    result |= {f"stance_share.{n}": float(v) for n, v in zip(feet.names, stance, strict=True)}
    return result


def rollout_measures(rollout: Rollout) -> dict[str, float]:
    """Return what a run tells about its control, one number each."""
    steady = steady_states(rollout)
    metres, degrees = trajectory_errors(rollout)
    mean, entropy, used = expert_use(rollout.experts)
    lengths = bone_length_errors_m(rollout.positions_m, QUADRUPED)
    paws = rollout.positions_m[:, list(PAWS)]
    own = foot_skating_m_s(paws, np.full(len(PAWS), PAW_HEIGHT_M), rollout.fps)
    moving = rollout.wanted[:, 0] > _MOVING_M_S
    # Asked to move is moving once the start is over: a second of grace after every change.
    asked = np.convolve(moving, np.ones(round(rollout.fps)), "full")[: len(moving)]
    frozen = longest_freeze_s(clip_from_rollout(rollout, "run"), asked >= round(rollout.fps))
    result = {
        "speed_error_mean": _mean([s.speed_error for s in steady]),
        "speed_error_max": _max([s.speed_error for s in steady]),
        "heading_error_deg_mean": _mean([s.heading_error_deg for s in steady]),
        "heading_error_deg_max": _max([s.heading_error_deg for s in steady]),
        "turn_error_deg_s_max": _max([s.turn_error_deg_s for s in steady]),
        "settling_s_mean": _mean(settling_times_s(rollout)),
        "network_skating_m_s": float(own.mean()),
        "bone_length_error_mean_m": float(lengths.mean()),
        "bone_length_error_max_m": float(lengths.max()),
        "longest_freeze_s": frozen,
        "hips_outside_band": hips_outside_band(rollout),
        "hips_min_m": float(rollout.positions_m[:, 0, 1].min()),
        "hips_max_m": float(rollout.positions_m[:, 0, 1].max()),
        "expert_entropy_nats": entropy,
        "experts_used": used,
    }
    for seconds, distance, angle in zip(HORIZONS_S, metres, degrees, strict=True):
        result[f"foresight_rms_m.{seconds}s"] = float(distance)
        result[f"foresight_rms_deg.{seconds}s"] = float(angle)
    return result | {f"expert_mean.{k}": float(v) for k, v in enumerate(mean)}


def _mean(values: list[float]) -> float:
    kept = [value for value in values if np.isfinite(value)]
    return float(np.mean(kept)) if kept else float("nan")


def _max(values: list[float]) -> float:
    kept = [value for value in values if np.isfinite(value)]
    return float(np.max(kept)) if kept else float("nan")
