"""Train MANN on procedural gaits or on a folder of BVH files, and write its binary folder.

    python -m training.motion --gaits --export assets3d/weights/motion
    python -m training.motion --data FOLDER_OF_BVH --preset reference --device cuda --export out/

Data: every BVH below the folder with the quadruped's 27 bones; styles from a sidecar CSV (see
training/motion_labels.py) or guessed. Each call trains for --minutes, leaves the network in
OUT/export (or --export) and goes on from there the next time. Presets: `reference` is the
published recipe (512 hidden units, 8 experts, batch 32, dropout 0.3, Adam with warm restarts);
`small` fits a CPU and is unrolled in its last part: it is fed its own poses for some frames, as
the controller will do.
"""

from __future__ import annotations

import argparse
import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from assets3d.errors import InputError
from motion.network import Network
from motion.weights import expanded, trimmed, write_folder, write_safetensors
from training.checkpoint import Progress
from training.motion_card import stick_sheet, write_motion_card
from training.motion_data import Dataset, bvh_dataset, gait_dataset, scaling
from training.motion_network import MotionNetwork
from training.motion_noise import Noise, disturbed, fed_back
from training.motion_validation import rolled_scores
from training.run import command_line, fresh, run, settings_from

#: Root motion decides where the animal goes, paws whether they slide.
ROOT_WEIGHT, PAW_WEIGHT = 8.0, 3.0


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        unrolled: share of the training, at its end, with unrolled batches.
        frames: length of an unrolled batch.
        noise: None for the reference, which relies on dropout.
    """

    hidden: int
    experts: int
    batch: int
    rate: float
    dropout: float
    noise: Noise | None
    unrolled: float = 0.0
    frames: int = 8
    restarts: bool = False
    weight_decay: float = 0.0
    decay: float = 0.999


PRESETS = {
    "small": Recipe(192, 8, 96, 1.5e-3, 0.0, Noise(), unrolled=0.42, weight_decay=1e-3),
    "reference": Recipe(512, 8, 32, 1e-4, 0.3, None, restarts=True, decay=0.0),
}


class MotionTask:
    """Predict the next frame from noisy inputs, later from the network's own frames."""

    def __init__(
        self, data: Dataset, held_out: Dataset, recipe: Recipe, *, seed: int, device: str, note: str
    ) -> None:
        self.recipe, self.device, self.note = recipe, device, note
        scale = scaling(data)
        self.network: MotionNetwork = fresh(
            lambda: MotionNetwork(scale, recipe.hidden, recipe.experts, recipe.dropout), seed
        )
        self.networks: nn.Module = self.network
        self.inputs = torch.from_numpy(data.inputs)
        self.outputs = torch.from_numpy(data.outputs)
        self.windows = torch.from_numpy(data.windows(recipe.frames))
        self.held_inputs = torch.from_numpy(held_out.inputs[::7]).to(device)
        self.held_outputs = torch.from_numpy(held_out.outputs[::7]).to(device)
        self.spread = torch.from_numpy(scale.input_std)
        self.columns = _column_weights().to(device)

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """Draw a batch; see `training.run.Task`."""
        recipe = self.recipe
        frames = 1
        if progress > 1.0 - recipe.unrolled:
            frames = recipe.frames
        batch = max(4, recipe.batch // (1 if frames == 1 else frames // 3))
        chosen = torch.randint(len(self.windows), (batch,), generator=generator)
        at = self.windows[chosen]
        inputs = self.inputs[at]
        if recipe.noise is not None:
            inputs = disturbed(inputs, self.spread, recipe.noise, generator)
        inputs = inputs.to(self.device)
        total = torch.zeros((), device=self.device)
        network = self.network
        for frame in range(frames):
            predicted = network(network.normalised(inputs))
            wanted = self.outputs[at + frame].to(self.device)
            total = total + self._error(network, predicted, wanted)
            if frame + 1 < frames:
                metres = predicted * network.output_std + network.output_mean
                following = self.inputs[at + frame + 1].to(self.device)
                inputs = fed_back(inputs, metres, following)
        return total / frames, batch * frames

    def _error(
        self, network: MotionNetwork, predicted: torch.Tensor, wanted: torch.Tensor
    ) -> torch.Tensor:
        target = (wanted - network.output_mean) / network.output_std
        return ((predicted - target) ** 2 * self.columns).mean()

    def rate(self, step: int) -> float:
        """Return the learning rate of warm restarts."""
        batches = max(1, len(self.inputs) // self.recipe.batch)
        return self.recipe.rate * restart_factor(step, batches)

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """Score one step on held-out frames, and roll-outs by the controller."""
        assert isinstance(networks, MotionNetwork)
        predicted = networks(networks.normalised(self.held_inputs))
        scores = {"one_step": float(self._error(networks, predicted, self.held_outputs))}
        return scores | rolled_scores(Network(expanded(networks.weights())))

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Draw roll-outs as stick figures."""
        assert isinstance(networks, MotionNetwork)
        return stick_sheet(Network(expanded(networks.weights())))

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write controller.safetensors, its card, and the 58 binary files under binary/."""
        assert isinstance(networks, MotionNetwork)
        weights = networks.weights()
        write_safetensors(folder / "controller.safetensors", trimmed(weights), half=True)
        write_motion_card(folder, self.recipe.hidden, self.note, note, progress)
        if folder.parent.name != "weights":  # the repository keeps no 22 MB of padding
            (folder / "binary").mkdir(exist_ok=True)
            write_folder(folder / "binary", expanded(weights))


def restart_factor(step: int, batches: int, *, first: int = 10, longest: float = 0.9) -> float:
    """Return the cosine of warm restarts: cycles of 10, 20, 40, ... epochs of `batches` steps.

    Loshchilov & Hutter, "SGDR", ICLR 2017; the phase stops at 0.9 as in the published trainer.
    """
    epoch, cycle = step / batches, float(first)
    while epoch >= cycle:
        epoch, cycle = epoch - cycle, 2.0 * cycle
    return 0.5 * (1.0 + math.cos(math.pi * min(epoch / cycle, longest)))


def _column_weights() -> torch.Tensor:
    from motion.features import OUTPUT_SIZE
    from motion.skeleton import PAWS

    weights = torch.ones(OUTPUT_SIZE)
    weights[-3:] = ROOT_WEIGHT
    for paw in PAWS:
        weights[36 + 12 * paw : 48 + 12 * paw] = PAW_WEIGHT
    return weights


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = command_line(__doc__.split("\n")[0], "motion", data=None)
    for action in parser._actions:
        if action.dest == "preset":
            action.choices, action.default = sorted(PRESETS), "small"
            action.help = "the recipe"
    parser.set_defaults(preset="small", batch=None, rate=None, decay=None, precision="float32")
    parser.add_argument("--gaits", action="store_true", help="train on procedural gaits")
    parser.add_argument("--gait-minutes", type=float, default=36.0, help="length of their clips")
    parser.add_argument("--frames", type=int, default=None, help="length of unrolled batches")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = read_options(arguments)
    if options.gaits == (options.data is not None):
        raise SystemExit("wanted either --gaits or --data FOLDER_OF_BVH")
    if options.export is None:
        options.export = options.out / "export"  # a training that leaves no network is no use
    recipe = PRESETS[options.preset]
    changes = {
        name: getattr(options, name)
        for name in ("batch", "rate", "decay", "frames")
        if getattr(options, name) is not None
    }
    recipe = replace(recipe, **changes)
    options.rate, options.decay, options.weight_decay = (
        recipe.rate,
        recipe.decay,
        recipe.weight_decay,
    )
    try:
        data, held_out, note = _datasets(options)
    except InputError as error:
        raise SystemExit(str(error)) from None
    settings = replace(settings_from(options), weight_decay=recipe.weight_decay)
    task = MotionTask(data, held_out, recipe, seed=options.seed, device=options.device, note=note)
    if recipe.restarts:
        settings = replace(settings, schedule=task.rate)
    run(task, settings)


def _datasets(options: argparse.Namespace) -> tuple[Dataset, Dataset, str]:
    """Return training frames, held-out frames and a sentence about them."""
    if options.gaits:
        data = gait_dataset(options.gait_minutes, options.seed)
        note = (
            f"{len(data.inputs)} frames: {options.gait_minutes:g} minutes of procedural gaits "
            "(motion/gaits) at 60 Hz and their mirror images; no captured motion"
        )
        return data, gait_dataset(1.5, options.seed + 1), note
    data = bvh_dataset(options.data)
    # The last tenth of the files, mirrored ones included, is held out.
    cut = int(data.starts[max(1, round(0.9 * (len(data.starts) - 1)) // 2 * 2)])
    cut = cut if cut < len(data.inputs) else len(data.inputs) - len(data.inputs) // 10
    kept = data.starts[data.starts < cut]
    training = Dataset(data.inputs[:cut], data.outputs[:cut], np.append(kept, cut))
    rest = len(data.inputs) - cut
    held = Dataset(data.inputs[cut:], data.outputs[cut:], np.array([0, rest]))
    return training, held, f"{cut} frames of BVH files and their mirror images"


if __name__ == "__main__":
    main()
