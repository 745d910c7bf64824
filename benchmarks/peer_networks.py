"""Networks that others segment echocardiograms with, in their published shapes and without weights: for timing only."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def _unit(n_in: int, n_out: int, kernel: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    padding = dilation * (kernel // 2)
    convolution = nn.Conv2d(n_in, n_out, kernel, stride, padding, dilation, bias=False)
    return [convolution, nn.BatchNorm2d(n_out)]


class Bottleneck(nn.Module):
    """ResNet's bottleneck (He et al. 2016), with dilation."""

    def __init__(self, n_in: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_unit(n_in, width, 1), nn.ReLU(inplace=True),
            *_unit(width, width, 3, stride, dilation), nn.ReLU(inplace=True),
            *_unit(width, 4 * width, 1),
        )  # fmt: skip
        changed = stride != 1 or n_in != 4 * width
        self.short = nn.Sequential(*_unit(n_in, 4 * width, 1, stride)) if changed else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Residual sum."""
        return functional.relu(self.body(x) + self.short(x))


class DeepLabV3ResNet50(nn.Module):
    """DeepLabV3 (Chen et al. 2017) on a ResNet-50 of output stride 8, as EchoNet-Dynamic uses it at 112 x 112.

    Source: Ouyang et al., Nature 580:252-256, 2020, doi 10.1038/s41586-020-2145-8.
    """

    def __init__(self, n_classes: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_unit(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
        n_in = 64
        # blocks, width, stride, dilation of the first block and of the others
        for blocks, width, stride, first, rest in (
            (3, 64, 1, 1, 1),
            (4, 128, 2, 1, 1),
            (6, 256, 1, 1, 2),
            (3, 512, 1, 2, 4),
        ):
            for i in range(blocks):
                layers.append(Bottleneck(n_in, width, stride if i == 0 else 1, first if i == 0 else rest))
                n_in = 4 * width
        self.backbone = nn.Sequential(*layers)
        kernels = ((1, 1), (3, 12), (3, 24), (3, 36))
        self.pyramid = nn.ModuleList(
            nn.Sequential(*_unit(n_in, 256, kernel, 1, dilation), nn.ReLU(inplace=True)) for kernel, dilation in kernels
        )
        self.pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), *_unit(n_in, 256, 1), nn.ReLU(inplace=True))
        self.head = nn.Sequential(
            *_unit(5 * 256, 256, 1), nn.ReLU(inplace=True), *_unit(256, 256, 3), nn.ReLU(inplace=True),
            nn.Conv2d(256, n_classes, 1),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, classes, h, w) of images (n, 3, h, w)."""
        x = self.backbone(images)
        looks = [look(x) for look in self.pyramid]
        looks.append(self.pooled(x).expand(-1, -1, *x.shape[-2:]))
        return functional.interpolate(self.head(torch.cat(looks, 1)), images.shape[-2:], mode="bilinear")


class NnUNetDefault(nn.Module):
    """The 2-D U-Net that nnU-Net plans for images of 256 x 256: seven levels of 32 to 512 channels, instance norm.

    Source: Isensee et al., Nature Methods 18:203-211, 2021, doi 10.1038/s41592-020-01008-z.
    """

    WIDTHS = (32, 64, 128, 256, 512, 512, 512)

    def __init__(self, n_classes: int = 4) -> None:
        super().__init__()
        self.encoder = nn.ModuleList()
        n_in = 1
        for level, width in enumerate(self.WIDTHS):
            self.encoder.append(
                nn.Sequential(*self._conv(n_in, width, 1 if level == 0 else 2), *self._conv(width, width))
            )
            n_in = width
        below, above = self.WIDTHS[:0:-1], self.WIDTHS[-2::-1]
        self.grow = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in zip(below, above, strict=True))
        self.decoder = nn.ModuleList(nn.Sequential(*self._conv(2 * b, b), *self._conv(b, b)) for b in above)
        self.head = nn.Conv2d(self.WIDTHS[0], n_classes, 1)

    @staticmethod
    def _conv(n_in: int, n_out: int, stride: int = 1) -> list[nn.Module]:
        norm = nn.InstanceNorm2d(n_out, affine=True)
        return [nn.Conv2d(n_in, n_out, 3, stride, 1), norm, nn.LeakyReLU(0.01, inplace=True)]

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, classes, h, w) of images (n, 1, h, w)."""
        skips = []
        x = images
        for block in self.encoder:
            x = block(x)
            skips.append(x)
        for grow, block, skip in zip(self.grow, self.decoder, skips[-2::-1], strict=True):
            x = block(torch.cat([grow(x), skip], 1))
        logits: Tensor = self.head(x)
        return logits
