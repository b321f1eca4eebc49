"""Train the shape network: from four outlines and pictures to what a thing is like between them.

    python -m training.shape_data --workers 2
    python -m training.shape --total-minutes 60 --minutes 8 --export assets3d/weights/shape

`assets3d.splats.carve` asks it what four level views leave open.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from assets3d.cameras import four_views
from assets3d.splats.shape import surroundings
from assets3d.splats.shape_network import GUESS, REACH, SIDE, VIEWS, ShapeNetwork
from training.card import gone_on_from, write_card
from training.checkpoint import Progress
from training.plots import contact_sheet
from training.run import command_line, fresh, run, settings_from
from training.shape_data import STEPS, Shapes, load_shapes

FOLDER = Path("training/out/shapes")
#: What lies this far outside of the hull is never asked for, in reaches.
BEYOND = -0.34
#: Logits per reach: within half a voxel of the surface the answer may be unsure.
SHARPNESS = 8.0
#: Weight of the soft IoU beside the cross-entropy.
IOU_WEIGHT = 0.5
VALIDATION_THINGS = 124
#: Views in the order of a mirrored thing.
MIRRORED = [0, 3, 2, 1]


class ShapeTask:
    """What is inside and what outside, as a signed distance."""

    def __init__(
        self, training: Shapes, validation: Shapes, *, batch: int, device: str, start: Path | None
    ) -> None:
        self.networks, self.before = fresh(ShapeNetwork), gone_on_from(start)
        if start is not None:
            from safetensors.torch import load_file

            found = load_file(start / "shape.safetensors")
            self.networks.load_state_dict({key: value.float() for key, value in found.items()})
        self.training, self.validation = training, validation
        self.batch, self.device = batch, device

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        rows = torch.randint(len(self.training), (self.batch,), generator=generator)
        mirrored = torch.rand(self.batch, generator=generator) < 0.5
        seen, truth = self._items(self.training, rows.tolist(), mirrored.tolist())
        return solid_loss(self.networks(seen).float(), seen, truth), self.batch

    def _items(
        self, shapes: Shapes, rows: list[int], mirrored: list[bool]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return surroundings (B, 20, R, R, R) and truth (B, R, R, R)."""
        pairs = [item(shapes, row, flip) for row, flip in zip(rows, mirrored, strict=True)]
        seen, truth = (torch.stack(tensors) for tensors in zip(*pairs, strict=True))
        return seen.to(self.device), truth.to(self.device)

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """Loss, and IoU of the solids inside of the hull: the rule's guess, the network's."""
        losses, ious = [], []
        for row in range(min(VALIDATION_THINGS, len(self.validation))):
            seen, truth = self._items(self.validation, [row], [False])
            found = networks(seen).float()
            losses.append(float(solid_loss(found, seen, truth)))
            ious.append([_iou(answer, seen, truth) for answer in (seen[:, GUESS], found)])
        rule, network = np.mean(ious, axis=0)
        return {"validation_loss": float(np.mean(losses)), "iou_rule": rule, "iou": network}

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Draw level cuts at two heights of every eighth thing: by rule, found, true."""
        shown = []
        for row in range(0, min(VALIDATION_THINGS, len(self.validation)), 8):
            seen, truth = self._items(self.validation, [row], [False])
            for height in (SIDE // 4, SIDE // 2):
                for field in (seen[:, GUESS], networks(seen).float(), truth):
                    cut = (255.0 * (0.5 + 0.5 * field[0, :, height].clamp(-1, 1))).cpu().numpy()
                    shown.append(np.repeat(cut.astype(np.uint8)[..., None], 3, 2))
        return contact_sheet(np.stack(shown), 12)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write shape.safetensors (float16) and the card."""
        halves = {key: value.half().contiguous() for key, value in networks.state_dict().items()}
        save_file(halves, folder / "shape.safetensors")
        count = sum(value.numel() for value in halves.values()) / 1e6
        write_card(
            folder,
            "Shape between four outlines",
            what=f"A U-Net of {count:.2f} M parameters on {SIDE}³ voxels: from the distances to "
            "four outlines, the pictures' colours and a guess by rule to a signed distance.",
            data=f"{len(self.training)} procedural props of `assets3d.props` with their true "
            "distance, seen from four sides, half of them with bent outlines.",
            note=note + self.before,
            progress=progress,
            limits="it only takes away from what the outlines allow; of things unlike the prop "
            f"world it knows little, and details below a {SIDE}th of the size are beyond it.",
            command="python -m training.shape",
        )


def item(shapes: Shapes, row: int, mirrored: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Return one thing's surroundings (20, R, R, R) and truth (R, R, R), mirrored or not."""
    rgba, distance_px = shapes.rgba[row], shapes.distance_px[row].astype(np.float32)
    guess, truth = (field[row].astype(np.float32) / STEPS for field in (shapes.guess, shapes.truth))
    low, spacing = shapes.low[row], float(shapes.spacing[row])
    if mirrored:
        rgba, distance_px = (a[MIRRORED][:, :, ::-1] for a in (rgba, distance_px))
        guess, truth = guess[::-1], truth[::-1]
        low = np.array([-low[0] - spacing * (len(guess) - 1), low[1], low[2]])
    seen = surroundings(
        np.ascontiguousarray(rgba),
        np.ascontiguousarray(distance_px),
        four_views(rgba.shape[1]),
        guess * np.float32(REACH * spacing),
        low,
        spacing,
    )
    return seen, torch.from_numpy(np.ascontiguousarray(truth))


def solid_loss(found: torch.Tensor, seen: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of inside and outside within the hull, and soft IoU; fields (B, R, R, R).

    A distance would be learnt as the mean of all that may be: thin parts are lost in it.
    """
    asked = (seen[:, :VIEWS].amin(1) > BEYOND).float()
    logits, wanted = SHARPNESS * found, torch.sigmoid(SHARPNESS * truth)
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    inside = asked * torch.sigmoid(logits)
    both = (inside * wanted).sum((1, 2, 3))
    either = (inside + asked * wanted).sum((1, 2, 3)) - both
    iou = (both + 1.0) / (either + 1.0)
    entropy = (entropy * asked).sum() / asked.sum().clamp(min=1.0)
    return entropy + IOU_WEIGHT * (1.0 - iou).mean()


def _iou(found: torch.Tensor, seen: torch.Tensor, truth: torch.Tensor) -> float:
    hull = seen[:, :VIEWS].amin(1) > 0.0
    inside, true = (found > 0.0) & hull, (truth > 0.0) & hull
    return float((inside & true).sum() / (inside | true).sum().clamp(min=1))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = command_line(
        __doc__.split("\n")[0], "shape", batch=4, rate=2e-3, decay=0.998, data=FOLDER
    )
    parser.add_argument("--start", type=Path, default=None, help="an exported one to go on from")
    options = parser.parse_args(arguments)
    task = ShapeTask(
        load_shapes(options.data, "training", options.limit),
        load_shapes(options.data, "validation", options.limit),
        batch=options.batch,
        device=options.device,
        start=options.start,
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()
