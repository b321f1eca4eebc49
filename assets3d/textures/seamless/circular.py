"""Drawing on a torus from the start: every convolution of U-Net and autoencoder wraps around.

A U-Net of this kind knows no position but through the zeros that its convolutions are padded with,
so with circular padding the picture is periodic and no seam ever comes to be. Rolling the noise by
whole strides of the U-Net rolls the picture (the same idea as the community script "Asymmetric
Tiling" of diffusers). Transformers carry positions of their own and are refused. Importing this
module imports no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from assets3d.errors import InputError
from assets3d.textures.seamless.beginning import begun_in_calm
from assets3d.textures.seamless.repaint import Painter, Picture
from assets3d.textures.seamless.settings import Axes

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


def drawn(painter: Painter, size_px: int, axes: Axes = "both") -> Picture:
    """Return a tile (S, S, 3) drawn from words whose opposite edges fit along `axes`.

    It begins where it is calm (`beginning`).

    Raises:
        InputError: a transformer, maps that steer, or a size that the U-Net's strides do not
            divide: the picture would be stretched within.
    """
    if painter.steering is not None and painter.steering.controls:
        raise InputError("control: found maps in mode circular, wanted none, or mode roll")
    check_wraps(painter.pipeline)
    multiple = wrapping_multiple_px(painter.pipeline)
    if size_px % multiple:
        raise InputError(
            f"size_px: found {size_px} in mode circular, wanted a multiple of {multiple}"
        )
    with circular_padding(painter.pipeline, axes):
        tile = painter.draw(size_px)
    return begun_in_calm(tile, axes)


@contextmanager
def circular_padding(pipeline: Any, axes: Axes = "both") -> Iterator[None]:
    """Let the U-Net and the autoencoder work on a torus inside a `with`; then they are as before.

    Args:
        pipeline: one with a U-Net; pipelines that share its networks wrap too.
        axes: `x` wraps left to right only, `y` top to bottom only.

    Raises:
        InputError: a transformer.
    """
    check_wraps(pipeline)
    from diffusers.models.downsampling import Downsample2D
    from torch import nn

    changed: list[nn.Module] = []
    tiling = getattr(pipeline.vae, "use_tiling", False)
    try:
        for network in (pipeline.unet, pipeline.vae):
            padded_outside = {
                id(part.conv)
                for part in network.modules()
                if isinstance(part, Downsample2D) and part.use_conv and part.padding == 0
            }
            for part in network.modules():
                if not isinstance(part, nn.Conv2d):
                    continue
                if id(part) in padded_outside:
                    forward = _wrapping_last(part, axes)
                elif part.padding not in (0, (0, 0), "valid"):
                    forward = _wrapping(part, axes)
                else:
                    continue
                part._conv_forward = forward  # type: ignore[method-assign, assignment]
                changed.append(part)
        if tiling:  # tiles have borders of their own
            pipeline.vae.disable_tiling()
        yield
    finally:
        for part in changed:
            del part.__dict__["_conv_forward"]
        if tiling:
            pipeline.vae.enable_tiling()


def check_wraps(pipeline: Any) -> None:
    """Refuse a model whose network knows positions.

    Raises:
        InputError: it has no U-Net.
    """
    if getattr(pipeline, "unet", None) is None:
        raise InputError(
            f"mode: found circular with {type(pipeline).__name__}, whose transformer knows where "
            "the border is, wanted a model with a U-Net, or mode roll"
        )


def wrapping_multiple_px(pipeline: Any) -> int:
    """Return what sides must be multiples of, so that no stride of the U-Net is cut."""
    return pipeline.vae_scale_factor * 2 ** (len(pipeline.unet.config.block_out_channels) - 1)


_ConvForward = Callable[["Tensor", "Tensor", "Tensor | None"], "Tensor"]


def _wrapping(convolution: nn.Conv2d, axes: Axes) -> _ConvForward:
    """Return what a padded convolution computes when its padding wraps."""
    from torch.nn.functional import conv2d, pad

    left, right, top, bottom = convolution._reversed_padding_repeated_twice

    def forward(values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        x_mode = "circular" if axes in ("both", "x") else "constant"
        y_mode = "circular" if axes in ("both", "y") else "constant"
        values = pad(values, (left, right, 0, 0), mode=x_mode)
        values = pad(values, (0, 0, top, bottom), mode=y_mode)
        return conv2d(
            values, weight, bias, convolution.stride, 0, convolution.dilation, convolution.groups
        )

    return forward


def _wrapping_last(convolution: nn.Conv2d, axes: Axes) -> _ConvForward:
    """Return the same for one whose caller pads a column and a row of zeros at the end.

    The autoencoder's halving layers do.
    """
    from torch.nn.functional import conv2d

    def forward(values: torch.Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        values = values.clone()
        if axes in ("both", "x"):
            values[..., :, -1] = values[..., :, 0]
        if axes in ("both", "y"):
            values[..., -1, :] = values[..., 0, :]
        return conv2d(
            values, weight, bias, convolution.stride, 0, convolution.dilation, convolution.groups
        )

    return forward
