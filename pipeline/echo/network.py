"""The segmentation network: a small U-Net that works at a quarter of the resolution and below."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

N_CLASSES = 4
STRIDE = 32
"""Input height and width must be multiples of this (two strided convolutions, three poolings of 2)."""


class ConvUnit(nn.Sequential):
    """A convolution with batch normalisation and ReLU."""

    def __init__(self, n_in: int, n_out: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(inplace=True),
        )


class ConvPair(nn.Sequential):
    """Two 3 x 3 convolutions, each with batch normalisation and ReLU."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(*ConvUnit(n_in, n_out), *ConvUnit(n_out, n_out))


class ChamberNet(nn.Module):
    """U-Net after Ronneberger et al. 2015 with two strided convolutions in front and a sub-pixel head.

    Differs from the source: the levels begin at a quarter of the resolution, one convolution at half
    resolution refines the outline, and pixel shuffling (Shi et al. 2016) restores the rest; skips are
    added, not concatenated; batch normalisation throughout. Convolutions at full and half resolution
    cost most of a U-Net's time on a CPU and add little on ultrasound, whose detail is speckle.
    """

    def __init__(self, widths: tuple[int, ...] = (40, 72, 112, 144), fine: int = 16) -> None:
        super().__init__()
        self.widths = widths
        self.stem = ConvUnit(1, fine, kernel=5, stride=2)
        self.down = ConvUnit(fine, widths[0], stride=2)
        self.encoder = nn.ModuleList(ConvPair(a, b) for a, b in zip((widths[0], *widths), widths, strict=False))
        self.lateral = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.decoder = nn.ModuleList(ConvPair(a, a) for a in widths[:-1])
        self.to_fine = nn.Conv2d(widths[0], fine, 1)
        self.refine = ConvUnit(fine, fine)
        self.head = nn.Conv2d(fine, N_CLASSES * 4, 1)
        self.pool = nn.MaxPool2d(2)
        self.grow = nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=False)

    def features(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Half-resolution features, and the decoder's from the finest (a quarter) to the coarsest."""
        fine = self.stem(images)
        x = self.down(fine)
        skips: list[Tensor] = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else self.pool(x))
            skips.append(x)
        decoded: list[Tensor] = []
        for level in range(len(self.widths) - 2, -1, -1):
            x = self.decoder[level](skips[level] + self.grow(self.lateral[level](x)))
            decoded.insert(0, x)
        return fine, decoded

    def restore(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Logits at full resolution from the two finest features."""
        return pixels_shuffled(self.head(self.refine(fine + self.grow(self.to_fine(coarse)))))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, 4, height, width) for images (n, 1, height, width) scaled to about 0..1."""
        fine, decoded = self.features(images)
        return self.restore(fine, decoded[0])


def pixels_shuffled(maps: Tensor) -> Tensor:
    """Maps (n, 4 c, h, w) as (n, c, 2 h, 2 w): what `torch.nn.PixelShuffle` does, in one copy of channels-last maps."""
    n, channels, height, width = maps.shape
    parts = maps.permute(0, 2, 3, 1).reshape(n, height, width, channels // 4, 2, 2)
    return parts.permute(0, 3, 1, 4, 2, 5).reshape(n, channels // 4, 2 * height, 2 * width)


def channels_last(network: nn.Module) -> nn.Module:
    """The same network with the memory order that convolutions on a CPU are fastest in."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.to(memory_format=torch.channels_last)
    return network
