"""The shapes of LGM's network: the published ones and the embedded one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from assets3d.errors import InputError

Variant = Literal["tiny", "small", "big", "embedded"]
Positions = Literal["world", "ray"]


@dataclass(frozen=True)
class LGMConfig:
    """Shape of the network.

    Attributes:
        down_channels: width of each level on the way down; all but the last halve the size.
        down_attention: which of them attend.
        up_channels: width of each level on the way up; all but the last double the size.
        up_attention: which of them attend.
        size_px: side of the input pictures.
        heads: of attention.
        positions: "world" as published, or "ray": the first channel is the place along the pixel's
            ray and the next two are unused. Small networks learn that in a fraction of the steps.
    """

    down_channels: tuple[int, ...]
    down_attention: tuple[bool, ...]
    up_channels: tuple[int, ...]
    up_attention: tuple[bool, ...]
    size_px: int = 256
    heads: int = 16
    positions: Positions = "world"

    def __post_init__(self) -> None:
        if self.positions not in get_args(Positions):
            raise InputError(f"lgm config: positions is {self.positions!r}, wanted world or ray")
        for channels in (*self.down_channels, *self.up_channels):
            if channels % 32 or channels % self.heads:
                raise InputError(
                    f"lgm config: {channels} channels, wanted a multiple of 32 and of {self.heads}"
                )

    @property
    def splat_size(self) -> int:
        """Side of the grid of Gaussians that each view gives."""
        halvings = len(self.down_channels) - len(self.up_channels)
        return self.size_px // 2**halvings

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values (tuples become lists)."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LGMConfig:
        """Read what `to_json` wrote.

        Raises:
            InputError: an unknown or missing key, or a value out of its range.
        """
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise InputError(f"lgm config: unknown key {unknown[0]}")
        known: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        try:
            return cls(**known)
        except TypeError as error:
            raise InputError(f"lgm config: {error}") from None


def lgm_config(variant: Variant) -> LGMConfig:
    """Return the shape of a published variant, or of the embedded one.

    The embedded one has 4 M parameters and makes 4x64x64 splats of four pictures of 128 px.
    """
    if variant == "tiny":
        return LGMConfig(
            (32, 64, 128, 256, 512),
            (False, False, False, False, True),
            (512, 256, 128),
            (True, False, False),
        )
    if variant == "embedded":
        return LGMConfig(
            (32, 32, 64, 96, 96),
            (False, False, False, True, True),
            (96, 96, 64, 32),
            (True, True, False, False),
            size_px=128,
            heads=4,
            positions="ray",
        )
    if variant not in ("small", "big"):
        raise InputError(f"lgm variant: found {variant!r}, wanted tiny, small, big or embedded")
    up: tuple[int, ...] = (1024, 1024, 512, 256)
    up_attention: tuple[bool, ...] = (True, True, True, False)
    if variant == "big":
        up, up_attention = (*up, 128), (*up_attention, False)
    return LGMConfig(
        (64, 128, 256, 512, 1024, 1024), (False, False, False, True, True, True), up, up_attention
    )
