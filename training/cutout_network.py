"""The embedded cutout network: a small encoder and decoder, 1.2 M parameters.

It works at half the size that it is fed (160 px for U²-Net's 320), and its widest convolutions on
80 px and below; pooling over the whole picture and dilated convolutions tell it what the background
is. BatchNorm is folded into the convolutions when the network is exported.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from training.onnx_halves import store_weights_as_halves

#: ImageNet's mean and deviation, as rembg feeds U²-Net and its kin.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZE_PX = 320
WIDTHS = (24, 40, 80, 112)
#: Of the decoder at 160, 80, 40 and 20 px.
DECODER_WIDTHS = (8, 16, 32, 64)
DILATIONS = (1, 2, 4)


class ConvolutionUnit(nn.Sequential):
    """Convolution, normalisation, ReLU."""

    def __init__(self, channels: int, wanted: int, kernel: int = 3, stride: int = 1, dilation=1):
        padding = dilation * (kernel // 2)
        super().__init__(
            nn.Conv2d(channels, wanted, kernel, stride, padding, dilation, bias=False),
            nn.BatchNorm2d(wanted, momentum=0.03),
            nn.ReLU(inplace=True),
        )


class ResidualUnit(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, channels: int, dilation: int = 1):
        super().__init__()
        self.first = ConvolutionUnit(channels, channels, dilation=dilation)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels, momentum=0.03)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> the same."""
        return F.relu(x + self.norm(self.second(self.first(x))))


class WholePicture(nn.Module):
    """Add what the mean and the greatest value over the whole picture say to every place."""

    def __init__(self, channels: int):
        super().__init__()
        self.mix = nn.Sequential(
            nn.Conv2d(2 * channels, channels // 2, 1),
            nn.ReLU(),
            nn.Conv2d(channels // 2, channels, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> the same."""
        pooled = torch.cat([x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)], 1)
        return F.relu(x + self.mix(pooled))


class CutoutNetwork(nn.Module):
    """Normalised picture (B, 3, S, S) -> logits (B, 1, S, S), S a multiple of 16 (160 px)."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        w, x, y, z = DECODER_WIDTHS
        self.fine = ConvolutionUnit(3, w)
        self.encoder = nn.ModuleList(
            [
                nn.Sequential(ConvolutionUnit(3, a, 5, stride=2), ConvolutionUnit(a, a)),
                nn.Sequential(ConvolutionUnit(a, b, stride=2), ResidualUnit(b)),
                nn.Sequential(ConvolutionUnit(b, c, stride=2), ResidualUnit(c), ResidualUnit(c, 2)),
                nn.Sequential(
                    ConvolutionUnit(c, d, stride=2),
                    *(nn.Sequential(ResidualUnit(d, gap), WholePicture(d)) for gap in DILATIONS),
                ),
            ]
        )
        self.lateral = nn.ModuleList(
            nn.Conv2d(i, o, 1) for i, o in ((w, w), (a, x), (b, y), (c, z))
        )
        self.reduce = nn.ModuleList(nn.Conv2d(i, o, 1) for i, o in ((x, w), (y, x), (z, y), (d, z)))
        self.merge = nn.ModuleList(ConvolutionUnit(i, i) for i in DECODER_WIDTHS)
        self.logits = nn.Conv2d(w, 1, 1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Return logits; positive is the object."""
        skips = [self.fine(picture)]
        found = picture
        for stage in self.encoder:
            found = stage(found)
            skips.append(found)
        found = skips.pop()
        for level in reversed(range(len(self.merge))):
            found = F.interpolate(
                self.reduce[level](found), scale_factor=2.0, mode="bilinear", align_corners=False
            )
            found = self.merge[level](F.relu(found + self.lateral[level](skips[level])))
        return self.logits(found)


class Exported(nn.Module):
    """What the ONNX file does: (1, 3, 320, 320) as rembg feeds it -> (1, 1, 320, 320) in 0..1."""

    def __init__(self, network: CutoutNetwork):
        super().__init__()
        self.network = network

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Average to half the size, cut out, enlarge the logits (sharper than probabilities)."""
        logits = self.network(F.avg_pool2d(picture, 2))
        logits = F.interpolate(logits, scale_factor=2.0, mode="bilinear", align_corners=False)
        return torch.sigmoid(logits)


def as_rembg_feeds(pictures: torch.Tensor) -> torch.Tensor:
    """Normalise uint8 (B, H, W, 3) to float32 (B, 3, H, W) as rembg does.

    Each picture is divided by its greatest value, then ImageNet's mean and deviation are applied.
    """
    pictures = pictures.permute(0, 3, 1, 2).float()
    greatest = pictures.amax((1, 2, 3), keepdim=True).clamp(min=1e-6)
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, DEVIATION))
    return (pictures / greatest - mean) / deviation


#: Half a step of an 8-bit alpha.
_MOST_APART = 0.5 / 255.0


def export_onnx(network: CutoutNetwork, path: Path) -> float:
    """Write the ONNX file, its weights as 16-bit floats; return how far onnxruntime is from torch.

    The exporter folds the normalisation into weights that are rounded after it.

    Raises:
        ValueError: they differ by more than half an 8-bit step.
    """
    import onnxruntime

    wrapped = Exported(network).eval().half().float().cpu()
    generator = torch.Generator().manual_seed(0)
    picture = torch.randn(1, 3, SIZE_PX, SIZE_PX, generator=generator)
    torch.onnx.export(
        wrapped,
        (picture,),
        str(path),
        dynamo=False,
        opset_version=18,
        input_names=["picture"],
        output_names=["alpha"],
    )
    store_weights_as_halves(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"picture": picture.numpy()})
    with torch.no_grad():
        difference = float((torch.from_numpy(found) - wrapped(picture)).abs().max())
    if not difference <= _MOST_APART:
        raise ValueError(
            f"{path.name}: differs from torch by {difference:.1e}, wanted <= {_MOST_APART:.1e}"
        )
    return difference
