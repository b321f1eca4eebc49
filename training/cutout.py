"""Train the cutout network: from a picture to the alpha of the object in it.

    python -m training.cutout --total-minutes 25 --export assets3d/weights/cutout

Scenes are made while training: rendered props and made-up shapes over procedural backgrounds, see
`training.cutout_scenes`. The file written is an ONNX network of U²-Net's shape; `--start` goes on
from such a file, at half the rate.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from training.card import gone_on_from, write_card
from training.checkpoint import Progress
from training.cutout_network import SIZE_PX, CutoutNetwork, as_rembg_feeds, export_onnx
from training.cutout_objects import crops
from training.cutout_places import PLACES
from training.cutout_scenes import Scene, make_scene
from training.cutout_start import start_from_exported
from training.cutout_textures import BACKGROUNDS
from training.data import PropPictures, load_props
from training.plots import contact_sheet
from training.run import command_line, fresh, run, settings_from

#: The network itself sees half of the exported network's size.
SCENE_PX = SIZE_PX // 2
#: Share of the training up to which scenes have how many pixels: small ones are three times as
#: fast, and enough to learn what an object is.
SCENE_SIZES_PX = ((0.45, 96), (0.75, 128), (1.0, SCENE_PX))
#: Weight of the soft IoU beside the cross-entropy, and of pixels near an edge beside the others.
IOU_WEIGHT, EDGE_WEIGHT = 0.5, 2.0
#: One that knows already what an object is goes on with these.
LATER_SIZES_PX = ((0.4, 128), (1.0, SCENE_PX))
START_SCENES, START_SEED = 48, 11
VALIDATION_SCENES, VALIDATION_SEED = 192, 7
SAMPLES = 48


class CutoutTask:
    """Binary segmentation of scenes that are drawn anew for each batch."""

    def __init__(
        self,
        training: PropPictures,
        validation: PropPictures,
        *,
        batch: int,
        device: str,
        start: Path | None = None,
    ):
        self.networks, self.before = fresh(CutoutNetwork), gone_on_from(start)
        self.sizes = SCENE_SIZES_PX if start is None else LATER_SIZES_PX
        self.crops = crops(training.rgba.reshape(-1, *training.rgba.shape[2:]))
        self.props, self.batch, self.device = len(training), batch, device
        rng = np.random.default_rng(VALIDATION_SEED)
        held_out = crops(validation.rgba.reshape(-1, *validation.rgba.shape[2:]))
        self.validation = [make_scene(rng, held_out, SCENE_PX) for _ in range(VALIDATION_SCENES)]
        if start is not None:
            rng = np.random.default_rng(START_SEED)
            scenes = [make_scene(rng, self.crops, SCENE_PX) for _ in range(START_SCENES)]
            pictures = as_rembg_feeds(torch.from_numpy(np.stack([s.picture for s in scenes])))
            start_from_exported(self.networks, start / "cutout.onnx", pictures)

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        seed = int(torch.randint(2**62, (1,), generator=generator))
        rng = np.random.default_rng(seed)
        size = next(size for end, size in self.sizes if progress <= end)
        scenes = [make_scene(rng, self.crops, size) for _ in range(self.batch)]
        pictures, alpha = self._tensors(scenes)
        return segmentation_loss(self.networks(pictures).float(), alpha), self.batch

    def _tensors(self, scenes: list[Scene]) -> tuple[torch.Tensor, torch.Tensor]:
        pictures = as_rembg_feeds(torch.from_numpy(np.stack([s.picture for s in scenes])))
        alpha = torch.from_numpy(np.stack([s.alpha for s in scenes])).float()[:, None] / 255.0
        # Channels last is half as fast again on a CPU. The weights stay as they are: the fused
        # optimiser needs states of their layout, which a checkpoint would not keep.
        pictures = pictures.to(self.device, memory_format=torch.channels_last)
        return pictures, alpha.to(self.device)

    def _found(self, networks: nn.Module) -> tuple[NDArray[np.float32], float]:
        """Return the alpha found in the validation scenes (N, S, S), and the loss."""
        networks.eval()
        found, losses = [], []
        for start in range(0, len(self.validation), 16):
            pictures, alpha = self._tensors(self.validation[start : start + 16])
            logits = networks(pictures).float()
            losses.append(float(segmentation_loss(logits, alpha)))
            found.append(torch.sigmoid(logits[:, 0]).cpu().numpy())
        return np.concatenate(found), float(np.mean(losses))

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """IoU at alpha 0.5 (mean, tenth percentile, mean per kind of background), mean error."""
        found, loss = self._found(networks)
        true = np.stack([s.alpha for s in self.validation]) / 255.0
        kinds = np.array([s.kind for s in self.validation])
        iou = intersection_over_union(found > 0.5, true > 0.5)
        scores = {
            "validation_loss": loss,
            "iou": float(iou.mean()),
            "iou_p10": float(np.percentile(iou, 10)),
            "alpha_error": float(np.abs(found - true).mean()),
        }
        drawn = [kind for kind in (*BACKGROUNDS, *PLACES) if (kinds == kind).any()]
        return scores | {f"iou_{kind}": float(iou[kinds == kind].mean()) for kind in drawn}

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Six scenes per row: picture, truth, prediction."""
        found, _ = self._found(networks)
        shown = []
        for scene, alpha in zip(self.validation[:SAMPLES], found, strict=False):
            guess = np.round(alpha * 255.0).astype(np.uint8)
            shown += [scene.picture, *(np.repeat(a[..., None], 3, 2) for a in (scene.alpha, guess))]
        return contact_sheet(np.stack(shown), 18)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write cutout.onnx (weights as 16-bit floats, sigmoid inside) and its card."""
        export_onnx(networks, folder / "cutout.onnx")
        write_card(
            folder,
            "Cutout, 320 px",
            what=self.what(),
            data=self.data(),
            note=note + self.before,
            progress=progress,
            limits=self.limits,
            command="python -m training.cutout",
        )

    limits = (
        "things that stand out from a calm background are found; a cluttered photograph "
        "may lose parts of its object or keep things beside it. Detail is that of 160 px."
    )

    def what(self) -> str:
        """Say what the network is, for its card."""
        millions = sum(p.numel() for p in self.networks.parameters()) / 1e6
        return (
            f"A network of {millions:.1f} M parameters of our own shape, from a picture "
            "(1, 3, 320, 320) as rembg feeds U²-Net to alpha (1, 1, 320, 320) in 0..1; inside it "
            "works at 160 px."
        )

    def data(self) -> str:
        """Say what it was trained on."""
        return (
            f"scenes drawn while training: {self.props} procedural props of `assets3d.props` "
            "(five pictures each), made-up shapes and things of many parts, over procedural "
            "backgrounds and places. No photograph."
        )


def segmentation_loss(logits: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """Cross-entropy, heavier near edges, and soft IoU; both arguments (B, 1, H, W)."""
    spread = F.max_pool2d(alpha, 5, 1, 2) + F.max_pool2d(-alpha, 5, 1, 2)
    weight = 1.0 + EDGE_WEIGHT * spread
    entropy = F.binary_cross_entropy_with_logits(logits, alpha, reduction="none")
    found = torch.sigmoid(logits)
    both = (found * alpha).sum((1, 2, 3))
    either = (found + alpha - found * alpha).sum((1, 2, 3))
    iou = (both + 1.0) / (either + 1.0)
    return (entropy * weight).sum() / weight.sum() + IOU_WEIGHT * (1.0 - iou).mean()


def intersection_over_union(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray:
    """Return (N,) IoU of (N, H, W) masks."""
    return (found & true).sum((1, 2)) / (found | true).sum((1, 2)).clip(min=1)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = command_line(__doc__.split("\n")[0], "cutout", rate=3e-3, limit=1500, decay=0.998)
    parser.add_argument("--start", type=Path, default=None, help="an exported one to go on from")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(options.threads)
    task = CutoutTask(
        load_props(options.data, "training", options.limit),
        load_props(options.data, "validation", options.limit),
        batch=options.batch,
        device=options.device,
        start=options.start,
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()
