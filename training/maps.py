"""Train the maps network: from a picture of a material to its slopes, roughness, metal and colour.

    python -m training.maps_data
    python -m training.maps --total-minutes 65 --minutes 8 --export assets3d/weights/maps

Procedural materials only (`assets3d.textures.world`), lit anew for every step, see
`training.maps_scenes`. Scores are of whole tiles whose seeds are not trained on.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn

from assets3d.textures.maps.small_network import Maps, MapsNetwork
from training.card import write_card
from training.checkpoint import Progress
from training.maps_data import Tiles, load_tiles
from training.maps_scenes import Scene, make_scene, whole_scene
from training.plots import contact_sheet
from training.run import command_line, fresh, run, settings_from

#: Side of the pieces.
PIECE_PX = 96
#: Weights of the losses: of one minus the cosine between normals, of the normals' difference, of
#: slopes that are wrong on average over squares.
COSINE, NORMALS, COARSE = 2.0, 1.0, 0.3
ROUGHNESS, METALLIC, COLOUR = 0.3, 0.25, 0.3
#: Sides of the squares over which slopes are averaged for the coarse loss.
COARSE_PX = (4, 16)
#: Families whose relief is flatter than this on average do not enter the score.
ROUGH_DEG = 12.0
#: Strong light on pale colours gets rarer until this share of the training: it shows that
#: brightness means something, which takes hours to be found among all kinds of light and dirt.
PLAIN_UNTIL = 0.3
LIGHTS, VALIDATION_SEED = 2, 7


class MapsTask:
    """Regression of maps from lit pieces of procedural materials."""

    def __init__(
        self, training: list[Tiles], validation: Tiles, *, batch: int, device: str
    ) -> None:
        self.networks = fresh(MapsNetwork)
        self.tiles, self.batch, self.device = training, batch, device
        self.families = np.repeat(validation.families, LIGHTS)
        self.validation = [
            # Each tile has lights of its own, so that the score is not that of one direction.
            whole_scene(validation, place, VALIDATION_SEED + LIGHTS * place + light)
            for place in range(len(validation))
            for light in range(LIGHTS)
        ]

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        plain = max(0.0, 1.0 - progress / PLAIN_UNTIL)
        scenes = [make_scene(rng, self.tiles, PIECE_PX, plain) for _ in range(self.batch)]
        pictures, truth, counts = tensors(scenes, self.device)
        light = torch.from_numpy(np.stack([scene.light for scene in scenes])).to(self.device)
        return maps_loss(self.networks(pictures, light), truth, counts), self.batch

    def _found(self, networks: nn.Module) -> tuple[list[Maps], float]:
        """Return what the networks say of the validation scenes, and the loss."""
        networks.eval()
        found, losses = [], []
        for scene in self.validation:
            pictures, truth, counts = tensors([scene], self.device)
            maps = networks(pictures)
            losses.append(float(maps_loss(maps, truth, counts)))
            found.append(Maps(*(part[0].float().cpu() for part in maps)))
        return found, float(np.mean(losses))

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """Mean angle of the normals in degrees per family, and as a share of the flat normal's."""
        found, loss = self._found(networks)
        angles, flat, rough, colour, metal = (np.zeros(len(found)) for _ in range(5))
        for i, (maps, scene) in enumerate(zip(found, self.validation, strict=True)):
            true = torch.from_numpy(scene.slopes).permute(2, 0, 1)
            angles[i] = float(torch.rad2deg(angle(maps.slopes[None], true[None])).mean())
            flat[i] = float(torch.rad2deg(angle(torch.zeros_like(true[None]), true[None])).mean())
            rough[i] = np.sqrt(np.square(maps.roughness[0].numpy() - scene.roughness).mean())
            colour[i] = np.abs(maps.base_colour.permute(1, 2, 0).numpy() - scene.base_colour).mean()
            metal[i] = ((maps.metallic_logits[0].numpy() > 0.0) == (scene.metallic > 0.5)).mean()
        names = sorted(set(self.families.tolist()))
        mine = {name: float(angles[self.families == name].mean()) for name in names}
        their = {name: float(flat[self.families == name].mean()) for name in names}
        counted = [name for name in names if their[name] >= ROUGH_DEG] or names
        return {
            "validation_loss": loss,
            "share_of_flat": float(np.mean([mine[name] / their[name] for name in counted])),
            "angle_deg": float(angles.mean()),
            "flat_deg": float(flat.mean()),
            "roughness_rmse": float(rough.mean()),
            "metallic_right": float(metal.mean()),
            "colour_error": float(colour.mean()),
            **{f"share_{name}": mine[name] / their[name] for name in names},
        }

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Per family a row: picture, true and found normals, roughness and colour."""
        shown = []
        per_family = len(self.validation) // len(set(self.families.tolist()))
        scenes = self.validation[::per_family]
        networks.eval()
        for scene in scenes:
            maps = networks(tensors([scene], self.device)[0])
            slopes = maps.slopes[0].permute(1, 2, 0).cpu().numpy()
            rough = maps.roughness[0, 0].cpu().numpy()
            colour = maps.base_colour[0].permute(1, 2, 0).cpu().numpy()
            pictures = (
                scene.picture / 255.0,
                _normal_picture(scene.slopes),
                _normal_picture(slopes),
                np.dstack([scene.roughness] * 3),
                np.dstack([rough] * 3),
                scene.base_colour,
                colour,
            )
            shown += [
                np.round(255.0 * np.clip(p, 0.0, 1.0))[:PIECE_PX, :PIECE_PX] for p in pictures
            ]
        return contact_sheet(np.stack(shown).astype(np.uint8), 7)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write maps.safetensors (float16) and its card."""
        halves = {key: value.half().contiguous() for key, value in networks.state_dict().items()}
        save_file(halves, folder / "maps.safetensors")
        count = sum(value.numel() for value in halves.values()) / 1e6
        write_card(
            folder,
            "Maps of seamless materials",
            what=f"A U-Net on the torus of {count:.2f} M parameters: from a picture of a surface "
            "seen straight from above to slopes, roughness, metal and the colour without light. "
            "The maps of a picture that tiles tile too.",
            data=f"{sum(map(len, self.tiles))} procedural materials of "
            f"{len(set(self.families.tolist()))} families (`assets3d.textures.world`; roof tiles "
            "and leather are not among them), lit, cut and turned anew for each step. "
            "No photograph.",
            note=note,
            progress=progress,
            limits="takes the light to come from above unless it is told where from; relief that "
            "the picture does not show (no light, no dirt in the grooves) is "
            "guessed from what the known families look like; roughness mostly means that the kind "
            "of material was recognised. Angles are in degrees, `share_` is the normals' mean "
            "angle over that of a flat map.",
            command="python -m training.maps",
        )


def tensors(scenes: list[Scene], device: str) -> tuple[torch.Tensor, Maps, torch.Tensor]:
    """Return pictures (B, 3, S, S), the truth, and where it counts (B, 1, S, S) float32.

    The truth's `metallic_logits` are probabilities.
    """

    def stacked(maps: list[NDArray]) -> torch.Tensor:
        whole = torch.from_numpy(np.ascontiguousarray(np.stack(maps), dtype=np.float32))
        whole = whole.permute(0, 3, 1, 2) if whole.ndim == 4 else whole[:, None]
        # Channels last is faster on a CPU.
        return whole.to(device, memory_format=torch.channels_last)

    pictures = stacked([scene.picture for scene in scenes]) / 255.0
    truth = Maps(
        stacked([scene.slopes for scene in scenes]),
        stacked([scene.roughness for scene in scenes]),
        stacked([scene.metallic for scene in scenes]),
        stacked([scene.base_colour for scene in scenes]),
    )
    return pictures, truth, stacked([scene.counts for scene in scenes])


def angle(slopes: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Return the angle in radians between the normals of slopes (B, 2, H, W), (B, 1, H, W)."""
    dot = 1.0 + (slopes * others).sum(1, keepdim=True)
    cross = torch.stack(
        [
            slopes[:, 1] - others[:, 1],
            slopes[:, 0] - others[:, 0],
            slopes[:, 0] * others[:, 1] - slopes[:, 1] * others[:, 0],
        ],
        1,
    )
    # The small constant keeps the gradient finite where both agree.
    return torch.atan2((cross.square().sum(1, keepdim=True) + 1e-6).sqrt(), dot)


def maps_loss(found: Maps, truth: Maps, counts: torch.Tensor) -> torch.Tensor:
    """Return the weighted sum of all losses over the pixels that count.

    Args:
        found: the network's answer.
        truth: what is there; its `metallic_logits` are probabilities.
        counts: (B, 1, H, W), 0 or 1.
    """
    share = counts / counts.mean()
    # A groove's wall is as steep as it is drawn sharp: beyond 70 degrees more means nothing.
    true_slopes = truth.slopes.clamp(-3.0, 3.0)
    off = found.slopes - true_slopes
    mine, theirs = _normals(found.slopes), _normals(true_slopes)
    total = COSINE * ((1.0 - (mine * theirs).sum(1, keepdim=True)) * share).mean()
    total = total + NORMALS * ((mine - theirs).abs().sum(1, keepdim=True) * share).mean()
    for side in COARSE_PX:
        # Slopes that are right on average make a height that is right at large.
        total = total + COARSE * F.avg_pool2d(off * counts, side).abs().mean() / len(COARSE_PX)
    metallic = F.binary_cross_entropy_with_logits(
        found.metallic_logits, truth.metallic_logits, reduction="none"
    )
    total = total + ROUGHNESS * ((found.roughness - truth.roughness).abs() * share).mean()
    total = total + METALLIC * (metallic * share).mean()
    return total + COLOUR * ((found.base_colour - truth.base_colour).abs() * share).mean()


def _normals(slopes: torch.Tensor) -> torch.Tensor:
    """Return unit normals (B, 3, H, W), y down as the slopes (B, 2, H, W) are."""
    return F.normalize(torch.cat([-slopes, torch.ones_like(slopes[:, :1])], 1), dim=1)


def _normal_picture(slopes: NDArray[np.float32]) -> NDArray[np.float32]:
    from assets3d.textures.fields import normals_of_slopes

    return 0.5 + 0.5 * normals_of_slopes(slopes[..., 0], slopes[..., 1])


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = command_line(
        __doc__.split("\n")[0],
        "maps",
        rate=2e-3,
        batch=8,
        decay=0.998,
        data=Path("training/out/materials"),
    )
    options = parser.parse_args(arguments)
    cv2.setNumThreads(options.threads)
    (validation,) = load_tiles(options.data, "validation")
    task = MapsTask(
        load_tiles(options.data, "training", options.limit),
        validation,
        batch=options.batch,
        device=options.device,
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()
