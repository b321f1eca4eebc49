"""The shape of the multi-view U-Net, in our JSON and in the reference's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from assets3d.errors import InputError

#: Switches of the reference's configuration that change the network and that we do not have.
_REFERENCE_SWITCHES = ("use_scale_shift_norm", "resblock_updown", "num_classes", "n_embed")


@dataclass(frozen=True)
class MultiViewUNetConfig:
    """Shape of the network; the defaults are MVDream's, ImageDream adds `ip_dim` 16.

    `attention_resolutions` are downsampling factors (1 = full latent size). `context_dim` 0 leaves
    cross-attention out. `ip_dim` is the number of image tokens at the end of the context, 0: none.
    `frames` counts all frames of a sample, ImageDream's image frame included.
    """

    in_channels: int = 4
    out_channels: int = 4
    model_channels: int = 320
    channel_mult: tuple[int, ...] = (1, 2, 4, 4)
    num_res_blocks: int = 2
    attention_resolutions: tuple[int, ...] = (4, 2, 1)
    num_head_channels: int = 64
    transformer_depth: int = 1
    context_dim: int = 1024
    camera_dim: int = 16
    ip_dim: int = 0
    ip_embedding_dim: int = 1280
    feed_forward_mult: int = 4
    frames: int = 4

    def __post_init__(self) -> None:
        for mult in self.channel_mult:
            channels = mult * self.model_channels
            if channels % 32 or channels % self.num_head_channels:
                raise InputError(
                    f"views unet: {channels} channels at multiplier {mult}, wanted a multiple of 32"
                    f" and of num_head_channels {self.num_head_channels}"
                )

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values (tuples become lists)."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MultiViewUNetConfig:
        """Read our own JSON or the reference's config.json, whose further keys only name defaults.

        Raises:
            InputError: the file asks for a variant of the network that is not this one.
        """
        for name in _REFERENCE_SWITCHES:
            if values.get(name):
                raise InputError(f"views unet: {name} is {values[name]!r}, wanted it unset")
        known: dict[str, Any] = {}
        for field in fields(cls):
            if values.get(field.name) is not None:
                value = values[field.name]
                known[field.name] = tuple(value) if isinstance(value, list) else value
        if "frames" not in known and known.get("ip_dim"):
            known["frames"] = 5
        return cls(**known)
