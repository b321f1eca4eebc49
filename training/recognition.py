"""Train the recogniser: which family of the prop world does a cutout show?

    python -m training.recognition --total-minutes 12 --minutes 8 --export assets3d/weights/choose

`stages.choose` asks it which of several candidates looks most like what the words name. It sees
fronts of props (`training.pictures`), blurred, relit, recoloured and badly cut out.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from assets3d.images.recognition import FAMILIES_FILE, as_seen
from assets3d.images.recognition_network import Recogniser
from training.card import write_card
from training.checkpoint import Progress
from training.pictures import FOLDER, read_shards
from training.plots import contact_sheet
from training.run import command_line, fresh, run, settings_from

#: Labels are never quite certain: then a strange picture does not get a sure answer.
SMOOTHING = 0.05


class RecognitionTask:
    """Classification of cutouts by their family."""

    def __init__(self, folder: Path, limit: int | None, *, batch: int, device: str) -> None:
        self.pictures, names = _read(folder, "training", limit)
        self.validation, true = _read(folder, "validation", None)
        self.names = sorted(set(names))
        # A small data set may lack a family that validation has.
        known = np.isin(true, self.names)
        self.validation = self.validation[torch.from_numpy(known)]
        self.labels = torch.from_numpy(np.searchsorted(self.names, names))
        self.true = torch.from_numpy(np.searchsorted(self.names, true[known]))
        self.networks = fresh(lambda: Recogniser(len(self.names)))
        self.batch, self.device = batch, device

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        rows = torch.randint(len(self.labels), (self.batch,), generator=generator)
        seen = varied(self.pictures[rows].float() / 127.5 - 1.0, generator).to(self.device)
        labels = self.labels[rows].to(self.device)
        loss = F.cross_entropy(self.networks(seen), labels, label_smoothing=SMOOTHING)
        return loss, self.batch

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """The share of unseen props whose family is found, clean and spoilt."""
        networks.eval()
        clean = self.validation.float() / 127.5 - 1.0
        spoilt = varied(clean, torch.Generator().manual_seed(1))
        scores = {}
        for name, seen in (("right", clean), ("right_when_spoilt", spoilt)):
            found = networks(seen.to(self.device)).argmax(1).cpu()
            scores[name] = float((found == self.true).float().mean())
        return scores

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Draw what it is shown."""
        seen = varied(self.pictures[:64].float() / 127.5 - 1.0, torch.Generator().manual_seed(0))
        shown = (127.5 * (seen[:, :3].permute(0, 2, 3, 1).numpy() + 1.0)).clip(0, 255)
        return contact_sheet(shown.astype(np.uint8), 8)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write recogniser.safetensors (float16), families.json and the card."""
        from assets3d.props import FAMILIES
        from assets3d.props.captions import plural

        halves = {key: value.half().contiguous() for key, value in networks.state_dict().items()}
        save_file(halves, folder / "recogniser.safetensors")
        nouns = {name: FAMILIES[name].nouns if name in FAMILIES else (name,) for name in self.names}
        nouns = {name: (*said, *map(plural, said)) for name, said in nouns.items()}
        (folder / FAMILIES_FILE).write_text(json.dumps(nouns, indent=1) + "\n")
        count = sum(value.numel() for value in halves.values()) / 1e6
        write_card(
            folder,
            "Which family a cutout shows",
            what=f"Four convolutions, {count:.2f} M parameters: from a cutout, 64 px, to one of "
            f"{len(self.names)} families of the prop world. The step `choose` asks it whether a "
            "candidate looks like what its words name.",
            data=f"front views of {len(self.labels)} procedural props of `assets3d.props`, "
            "blurred, relit, recoloured, moved and with frayed edges.",
            note=note,
            progress=progress,
            limits="every picture is one of its families to it; of words that name none of them "
            "it says nothing.",
            command="python -m training.recognition",
        )


def varied(seen: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Move, scale, mirror, blur, relight and fray pictures (N, 4, S, S) in -1..1; white is 1."""
    count = len(seen)

    def drawn(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    transform = torch.zeros(count, 2, 3)
    scale = drawn(0.9, 1.15)
    mirrored = torch.where(drawn(0.0, 1.0) < 0.5, 1.0, -1.0)
    stretched = drawn(0.93, 1.07)
    transform[:, 0, 0] = scale * mirrored * stretched
    transform[:, 1, 1] = scale / stretched
    transform[:, :, 2] = drawn(-0.06, 0.06, 2)
    grid = F.affine_grid(transform, list(seen.shape), align_corners=False)
    # What comes in from outside is white and transparent, and grid_sample pads with 0.
    outside = torch.tensor([1.0, 1.0, 1.0, -1.0])[:, None, None]
    moved = F.grid_sample(seen - outside, grid, align_corners=False) + outside
    blurred = F.avg_pool2d(moved, 3, 1, 1, count_include_pad=False)
    coarse = F.interpolate(F.avg_pool2d(moved, 2), scale_factor=2.0, mode="bilinear")
    kind = drawn(0.0, 1.0, 1, 1, 1)
    moved = torch.where(kind < 0.3, blurred, torch.where(kind < 0.5, coarse, moved))
    colour, alpha = moved[:, :3], moved[:, 3:]
    patches = F.interpolate(drawn(-1.0, 1.0, 1, 8, 8), seen.shape[-2:], mode="bilinear")
    alpha = (alpha + drawn(0.0, 0.5, 1, 1, 1) * patches * (alpha.abs() < 0.99)).clamp(-1.0, 1.0)
    # Gain and tint of the object only: the ground stays white.
    inside = 0.5 * (alpha + 1.0)
    lit = (colour + 1.0) * drawn(0.75, 1.2, 1, 1, 1) * drawn(0.85, 1.15, 3, 1, 1) - 1.0
    grey = lit.mean(1, keepdim=True)
    lit = torch.where(drawn(0.0, 1.0, 1, 1, 1) < 0.1, grey, lit).clamp(-1.0, 1.0)
    noise = torch.randn(lit.shape, generator=generator) * drawn(0.0, 0.08, 1, 1, 1)
    return torch.cat([colour + inside * (lit + noise - colour), alpha], 1)


def _read(folder: Path, split: str, limit: int | None) -> tuple[torch.Tensor, NDArray[np.str_]]:
    """Return a split's fronts as the classifier sees them, uint8 (N, 4, 64, 64), and families."""
    seen, names = [], []
    for shard in read_shards(folder, split, "props", limit):
        values = (as_seen(list(shard["rgba"])) + 1.0) * 127.5
        seen.append(values.round().to(torch.uint8))
        names.append(shard["families"])
    return torch.cat(seen), np.concatenate(names)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = command_line(
        __doc__.split("\n")[0], "recognition", batch=64, rate=2e-3, decay=0.998, data=FOLDER
    )
    options = parser.parse_args(arguments)
    task = RecognitionTask(options.data, options.limit, batch=options.batch, device=options.device)
    run(task, settings_from(options))


if __name__ == "__main__":
    main()
