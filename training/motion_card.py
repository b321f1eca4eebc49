"""What goes beside a trained controller: its card, and a sheet of stick figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from motion.control.controller import Predictor
from motion.script import parse_script, roll_out
from motion.skeleton import QUADRUPED
from training.checkpoint import Progress

_SHEET: tuple[list[dict[str, object]], ...] = (
    [{"walk": "4 s"}],
    [{"trot": "4 s"}],
    [{"canter": "5 s"}],
    [{"idle": "1 s"}, {"sit": "4 s"}],
    [{"idle": "1 s"}, {"lie": "4 s"}],
)
_CELL = (150, 110)
_LIMITS = """an animal of one size that moves as this project's formulas say, not as one was filmed;
  speeds to 4.6 m/s, turns to 120 degrees a second (less when fast), travel within about 35 degrees
  of where it looks: it cannot walk backwards or far sideways; level ground only"""


def write_motion_card(folder: Path, hidden: int, data: str, note: str, progress: Progress) -> None:
    """Write README.md and training.json beside the weights."""
    rows = "\n".join(f"| {name} | {value} |" for name, value in progress.scores.items())
    text = f"""# Quadruped controller

The network of motion/network (480 inputs, 363 outputs, 8 experts) with {hidden} instead of 512
hidden units; padded with zeros it gives the 58 binary files of the published layout, exactly.
Experts' matrices are stored as float16.

- **Data**: {data}.
- **Compute**: {note}.
- **Made by**: `python -m training.motion --gaits --export assets3d/weights/motion` (resumable).
- **Gating list**: 441.
- **Limits**: {_LIMITS}.
- **Licence**: see `LICENSE_WEIGHTS` at the root of the repository.

Scores of 8-second roll-outs by the controller (`one_step`: error of normalised outputs one frame
ahead on a held-out timeline; the benchmark, `python -m benchmarks.motion`, tells more):

| score | value |
|---|---|
{rows}
"""
    (folder / "README.md").write_text(text)
    record = {"steps": progress.step, "samples": progress.samples, "scores": progress.scores}
    record["minutes"] = round(progress.seconds / 60.0, 1)
    (folder / "training.json").write_text(json.dumps(record, indent=1) + "\n")


def stick_sheet(network: Predictor) -> NDArray[np.uint8]:
    """Draw the ends of short roll-outs as stick figures from the animal's left, (H, W, 3)."""
    columns = 10
    width, height = _CELL
    image = Image.new("RGB", (columns * width, len(_SHEET) * height), "white")
    draw = ImageDraw.Draw(image)
    for row, script in enumerate(_SHEET):
        rollout = roll_out(network, parse_script(script))
        frames = len(rollout) - 4 * columns + 4 * np.arange(columns)
        for column, frame in enumerate(frames):
            x, z, yaw = rollout.ground[frame]
            places = rollout.positions_m[frame] - [x, 0.0, z]
            along = places[:, 0] * np.sin(yaw) + places[:, 2] * np.cos(yaw)
            points = np.stack([along + 0.55, 1.05 - places[:, 1]], axis=1) * 100.0
            points += [column * width, row * height]
            _draw_bones(draw, points)
    return np.asarray(image)


def _draw_bones(draw: ImageDraw.ImageDraw, points: NDArray[np.float64]) -> None:
    for joint, parent in enumerate(QUADRUPED.parents):
        name = QUADRUPED.names[joint]
        colour = (
            "#d22" if name.startswith("Right") else "#05c" if name.startswith("Left") else "#000"
        )
        if parent >= 0 and np.isfinite(points[[parent, joint]]).all():
            ends = np.clip(points[[parent, joint]], -1e4, 1e4)
            draw.line([tuple(ends[0]), tuple(ends[1])], fill=colour, width=2)
