"""Scripts: parse one, roll it out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from motion.clip import Section
from motion.control.controller import Frame, Predictor, State, advance, start_state
from motion.control.rollout import Rollout
from motion.control.settings import ControlSettings
from motion.control.trajectory import normalised
from motion.features import FPS, INPUT_BONES, Array, Pose, turned_3d
from motion.script.director import Director
from motion.script.parser import COMMANDS, Entry, Script, opened, parse_script

__all__ = ["COMMANDS", "Entry", "Script", "parse_script", "roll_out"]


def roll_out(
    network: Predictor,
    script: Script,
    *,
    settings: ControlSettings | None = None,
    seed: int = 0,
    perturbation: float = 0.0,
    start: tuple[float, float, float] = (0.0, 0.0, 0.0),
    folder: Path = Path(),
) -> Rollout:
    """Let a network follow a script and return every frame.

    Args:
        network: as `motion.network.Network`.
        script: from `parse_script`.
        settings: the laws of control; the closed loop where absent.
        seed: of the perturbation; nothing else is random.
        perturbation: noise on the pose at the start, in standard deviations of the network's
            input (its `input_std`).
        start: x_m, z_m, yaw_rad at the start.
        folder: where relative files of paths lie.

    Raises:
        InputError: a path's file that cannot be followed.
        ValueError: a perturbation for a network that does not know its input's spread.
    """
    settings = settings or ControlSettings()
    script = opened(script, folder)
    state = start_state(start)
    if perturbation:
        state = perturbed(state, network, perturbation, np.random.default_rng(seed))
    director, frames, sections = Director(settings), list[Frame](), list[Section]()
    with tqdm(desc="roll-out", unit=" frames", delay=2, leave=False, disable=None) as bar:
        for entry in script.entries:
            first = len(frames)
            director.begin(entry, state)
            while (command := director.command(state)) is not None:
                state, frame = advance(network, settings, state, command)
                frames.append(frame)
                bar.update()
            sections.append(Section(entry.name, first, len(frames)))
    return _stacked(frames, sections)


def perturbed(
    state: State, network: object, deviations: float, random: np.random.Generator
) -> State:
    """Return the state with noise on the pose, in deviations of the network's input."""
    spread = getattr(network, "input_std", None)
    if spread is None:
        raise ValueError("perturbation: the network has no input_std")
    # A constant input has spread 1 by convention: it must stay constant. The pose's spread is that
    # of root-relative numbers, so the noise is turned into the world with the root.
    rows = np.asarray(spread, np.float64)[INPUT_BONES].reshape(-1, 4, 3)
    rows = np.where(rows == 1.0, 0.0, rows) * deviations
    noise = turned_3d(random.normal(size=rows.shape) * rows, state.trajectory.root[2])
    pose = state.pose
    shaken = Pose(
        pose.positions_m + noise[:, 0],
        normalised(pose.forward + noise[:, 1], pose.forward),
        normalised(pose.up + noise[:, 2], pose.up),
        pose.velocities_m_s + noise[:, 3],
    )
    return State(state.trajectory, shaken, state.steering, state.frames)


def _stacked(frames: list[Frame], sections: list[Section]) -> Rollout:
    def stack(name: str) -> Array:
        return np.stack([getattr(frame, name) for frame in frames])

    ground = stack("ground")
    ground[:, 2] = np.unwrap(ground[:, 2])
    return Rollout(
        ground=ground,
        positions_m=stack("positions_m"),
        axes=stack("axes"),
        experts=stack("experts"),
        trajectory=stack("trajectory"),
        styles=stack("styles"),
        wanted=stack("wanted"),
        sections=tuple(sections),
        fps=FPS,
    )
