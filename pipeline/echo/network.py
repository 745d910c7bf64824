"""The segmentation network: a small U-Net whose first convolution halves the resolution."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

N_CLASSES = 4
STRIDE = 32
"""Input height and width must be multiples of this (stem 2, four poolings of 2)."""


class ConvPair(nn.Sequential):
    """Two 3 x 3 convolutions, each with batch normalisation and ReLU."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(
            nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(n_out, n_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(inplace=True),
        )


class ChamberNet(nn.Module):
    """U-Net after Ronneberger et al. 2015, with a strided stem and a sub-pixel head.

    Differs from the source: the stem works at half resolution and the head restores it by pixel
    shuffling (Shi et al. 2016), which costs a quarter of the arithmetic; skips are added, not
    concatenated; batch normalisation throughout.
    """

    def __init__(self, widths: tuple[int, ...] = (24, 40, 72, 112, 144)) -> None:
        super().__init__()
        self.widths = widths
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        self.encoder = nn.ModuleList(ConvPair(a, b) for a, b in zip((widths[0], *widths), widths, strict=False))
        self.lateral = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.decoder = nn.ModuleList(ConvPair(a, a) for a in widths[:-1])
        self.head = nn.Conv2d(widths[0], N_CLASSES * 4, 1)
        self.pool = nn.MaxPool2d(2)
        self.grow = nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=False)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, 4, height, width) for images (n, 1, height, width) scaled to about 0..1."""
        x = self.stem(images)
        skips: list[Tensor] = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else self.pool(x))
            skips.append(x)
        for level in range(len(self.widths) - 2, -1, -1):
            x = self.decoder[level](skips[level] + self.grow(self.lateral[level](x)))
        logits: Tensor = self.shuffle(self.head(x))
        return logits


def channels_last(network: ChamberNet) -> ChamberNet:
    """The same network with the memory order that convolutions on a CPU are fastest in."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.to(memory_format=torch.channels_last)
    return network
