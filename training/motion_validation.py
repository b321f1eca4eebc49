"""Scores that count: the network run by the controller, not one step after the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from motion.control.controller import Predictor
from motion.control.rollout import Rollout
from motion.script import parse_script, roll_out
from motion.skeleton import PAWS

#: Short scripts, one for each gait and style.
SCRIPTS: dict[str, list[dict[str, object]]] = {
    "walk": [{"walk": "8 s"}],
    "pace": [{"pace": "8 s"}],
    "trot": [{"trot": "8 s"}],
    "canter": [{"canter": "8 s"}],
    "turn": [{"walk": "8 s", "turn": "40 deg/s"}],
    "sit": [{"idle": "1 s"}, {"sit": "6 s"}],
    "lie": [{"idle": "1 s"}, {"lie": "6 s"}],
    "rear": [{"idle": "1 s"}, {"rear": "6 s"}],
}


def rolled_scores(network: Predictor) -> dict[str, float]:
    """Return speed error (share), skating (m/s) and hips (m) of short roll-outs."""
    scores: dict[str, float] = {}
    for name, script in SCRIPTS.items():
        rollout = roll_out(network, parse_script(script))
        late = slice(-240, None)
        hips = rollout.positions_m[late, 0, 1]
        scores[f"{name}_hips_m"] = float(hips.mean())
        scores[f"{name}_skating_m_s"] = float(skating_m_s(rollout)[late].mean())
        wanted = rollout.wanted[-1, 0]
        if wanted > 0:
            scores[f"{name}_speed_error"] = float(speed_m_s(rollout)[late].mean() / wanted - 1.0)
    return scores


def speed_m_s(rollout: Rollout) -> NDArray[np.float64]:
    """Return (T - 1,) speeds of the root over ground."""
    return np.asarray(np.linalg.norm(np.diff(rollout.ground[:, :2], axis=0), axis=1) * rollout.fps)


def skating_m_s(rollout: Rollout) -> NDArray[np.float64]:
    """Return (T - 1,) mean over the paws of |v| (2 - 2^(h / 2.5 cm)), h above the paw's rest."""
    paws = rollout.positions_m[:, PAWS]
    speed = np.linalg.norm(np.diff(paws[..., [0, 2]], axis=0), axis=-1) * rollout.fps
    height = np.clip((paws[1:, :, 1] - 0.02) / 0.025, 0.0, 1.0)
    return np.asarray((speed * (2.0 - 2.0**height)).mean(axis=1))
