"""How good a motion is: of the pose, of the control, and all of it in one table."""

from motion.measures.pose import feet_of, foot_skating_m_s, largest_move_m, penetration_m
from motion.measures.table import clip_measures, measure, rollout_measures

__all__ = [
    "clip_measures",
    "feet_of",
    "foot_skating_m_s",
    "largest_move_m",
    "measure",
    "penetration_m",
    "rollout_measures",
]
