"""What the network sees in training that the data does not hold: the errors of its own past.

At run time the pose is the network's own, the near past is where it really went, and the future is
half command and half prediction. All targets stay clean, so the network learns to come back.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from motion.features import BONE_COUNT, INPUT_BONES, INPUT_SAMPLES, PRESENT, SAMPLES
from motion.skeleton import LEGS, PAWS

#: How far each bone's velocity follows the trunk's: paws on the ground do not.
_FOLLOWS = tuple(
    0.0 if bone in PAWS else 0.4 if any(bone in leg[1:] for leg in LEGS) else 1.0
    for bone in range(BONE_COUNT)
)


@dataclass(frozen=True)
class Noise:
    """Sizes of what is added.

    Attributes:
        pose: greatest spread of independent noise on the pose, in the inputs' own spreads.
        mixed: greatest share of another frame's pose mixed in.
        bend: spread of how far the future's end is scaled and turned (rad).
        past_turn: spread of a false turn rate (rad/s) in the past and in the trunk's velocities.
        past_speed: spread of a false speed (share) there. Both make the network take its root
            motion from the future, which commands shape, and not go on as it went.
        style: spread of noise on style labels and speed.
    """

    pose: float = 0.25
    mixed: float = 0.1
    bend: float = 0.08
    past_turn: float = 0.4
    past_speed: float = 0.2
    style: float = 0.03


def disturbed(
    inputs: torch.Tensor, spread: torch.Tensor, noise: Noise, generator: torch.Generator
) -> torch.Tensor:
    """Return noisy copies of inputs (B, 480) in metres; `spread` (480,) is their deviation."""
    batch = len(inputs)

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=generator).to(inputs)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator).to(inputs)

    inputs = inputs.clone()
    rows = inputs[:, INPUT_SAMPLES].reshape(batch, SAMPLES, 13)
    sizes = torch.tensor([noise.bend, noise.past_speed, noise.bend, noise.past_turn]).to(inputs)
    bend = normal(batch, 4) * sizes
    inputs[:, INPUT_BONES] = _misled(inputs[:, INPUT_BONES], rows[:, PRESENT, 4:6], bend)
    inputs[:, INPUT_SAMPLES] = _bent(rows, bend).reshape(batch, -1)
    labels = torch.arange(SAMPLES)[:, None] * 13 + torch.arange(6, 13)
    inputs[:, labels.flatten()] += noise.style * normal(batch, labels.numel())
    pose = inputs[:, INPUT_BONES]
    size = noise.pose * uniform(batch, 1) ** 3
    pose = pose + size * spread[INPUT_BONES] * normal(*pose.shape)
    other = torch.roll(pose, 1, dims=0)
    inputs[:, INPUT_BONES] = pose + noise.mixed * uniform(batch, 1) ** 3 * (other - pose)
    return inputs


def _bent(rows: torch.Tensor, bend: torch.Tensor) -> torch.Tensor:
    """Scale and turn (B, 12, 13) samples about the present, the ends of the trajectory most."""
    away = (torch.arange(SAMPLES).to(rows) - PRESENT) / 5.0
    past, future = (-away).clamp(0, 1), away.clamp(0, 1)
    scale = 1.0 + bend[:, :1] * future + bend[:, 1:2] * past
    turn = bend[:, 2:3] * future + bend[:, 3:4] * past
    out = rows.clone()
    # On an arc, a place lies half as far to the side as its direction is turned.
    for first, scaled, share in ((0, True, 0.5), (2, False, 1.0), (4, True, 1.0)):
        x, z = rows[..., first], rows[..., first + 1]
        factor = scale if scaled else torch.ones_like(scale)
        sine, cosine = torch.sin(share * turn), torch.cos(share * turn)
        out[..., first] = factor * (x * cosine + z * sine)
        out[..., first + 1] = factor * (z * cosine - x * sine)
    out[:, PRESENT, 4:6] *= 1.0 + bend[:, 1:2]
    return out


def _misled(bones: torch.Tensor, velocity: torch.Tensor, bend: torch.Tensor) -> torch.Tensor:
    """Give the trunk (B, 324) the velocity it would have with the past's false turn and speed."""
    bones = bones.reshape(len(bones), BONE_COUNT, 12).clone()
    share = torch.tensor(_FOLLOWS).to(bones)
    # A past turned by -w at its end came here at w radians a second more.
    turn = -bend[:, 3:4] * share
    bones[..., 9] += turn * bones[..., 2] + bend[:, 1:2] * share * velocity[:, :1]
    bones[..., 11] += -turn * bones[..., 0] + bend[:, 1:2] * share * velocity[:, 1:]
    return bones.flatten(1)


def fed_back(inputs: torch.Tensor, outputs: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
    """Return the next frame's inputs with the pose as the controller would feed it back.

    Args:
        inputs: (B, 480) of frame i, bones relative to root(i-1).
        outputs: (B, 363) predicted, bones relative to root(i).
        following: (B, 480) of frame i + 1 in the data; its trajectory is kept.

    The motion from root(i-1) to root(i) is read from the trajectory: the present's velocity.
    """
    batch = len(inputs)
    old = inputs[:, INPUT_BONES].reshape(batch, BONE_COUNT, 4, 3)
    new = outputs[:, 36:-3].reshape(batch, BONE_COUNT, 4, 3)
    carried = _into_next_root(old[:, :, 0], inputs) + new[:, :, 3] / 60.0
    parts = [
        0.5 * (carried + new[:, :, 0]),
        torch.nn.functional.normalize(new[:, :, 1], dim=-1),
        torch.nn.functional.normalize(new[:, :, 2], dim=-1),
        new[:, :, 3],
    ]
    fed = following.clone()
    fed[:, INPUT_BONES] = torch.stack(parts, dim=2).reshape(batch, -1)
    motion = outputs[:, -3:]
    yaw = torch.deg2rad(motion[:, 1]) / 60.0
    sine, cosine = torch.sin(yaw), torch.cos(yaw)
    present = 13 * PRESENT
    fed[:, present + 4] = motion[:, 0] * cosine - motion[:, 2] * sine
    fed[:, present + 5] = motion[:, 2] * cosine + motion[:, 0] * sine
    return fed


def _into_next_root(places: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Tell places relative to root(i-1) relative to root(i).

    The step is the present's velocity; the turn is that of the newest past sample's direction,
    a sixth of a second old, spread evenly.
    """
    newest = 13 * (PRESENT - 1)
    yaw = -torch.atan2(inputs[:, newest + 2], inputs[:, newest + 3])[:, None] / 10.0
    step = inputs[:, 13 * PRESENT + 4 : 13 * PRESENT + 6] / 60.0
    sine, cosine = torch.sin(yaw), torch.cos(yaw)
    x = places[..., 0] * cosine - places[..., 2] * sine - step[:, :1]
    z = places[..., 2] * cosine + places[..., 0] * sine - step[:, 1:]
    return torch.stack([x, places[..., 1], z], dim=-1)
