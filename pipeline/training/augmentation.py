"""Random changes of training images: geometry, grey levels, and what other machines draw on the screen."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

Generator = torch.Generator


def _uniform(n: int, low: float, high: float, rng: Generator) -> Tensor:
    return torch.rand(n, generator=rng) * (high - low) + low


def _chance(n: int, probability: float, rng: Generator) -> Tensor:
    return (torch.rand(n, generator=rng) < probability).float()


def random_grid(n: int, size: int, rng: Generator, *, flip: float) -> Tensor:
    """Sampling grid (n, size, size, 2): rotation, scale, aspect, shift, mirror, smooth warp."""
    angle = _uniform(n, -0.40, 0.40, rng)
    scale = torch.exp(_uniform(n, math.log(0.75), math.log(1.6), rng))
    stretch = torch.exp(_uniform(n, -0.13, 0.13, rng))
    mirror = 1 - 2 * _chance(n, flip, rng)
    cos, sin = torch.cos(angle), torch.sin(angle)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = cos * scale * stretch * mirror
    theta[:, 0, 1] = -sin * scale / stretch * mirror
    theta[:, 1, 0] = sin * scale * stretch
    theta[:, 1, 1] = cos * scale / stretch
    theta[:, 0, 2] = _uniform(n, -0.18, 0.18, rng)
    theta[:, 1, 2] = _uniform(n, -0.18, 0.18, rng)
    grid = functional.affine_grid(theta, [n, 1, size, size], align_corners=False)
    coarse = torch.randn(n, 2, 5, 5, generator=rng) * _uniform(n, 0.0, 0.03, rng).view(n, 1, 1, 1)
    warp = functional.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
    return grid + warp.permute(0, 2, 3, 1)


def random_grey(images: Tensor, rng: Generator) -> Tensor:
    """Gain, compression, TGC, haze, shadow, speckle, blur and drawn text on images (n, 1, h, w) in 0..1."""
    n, _, height, width = images.shape

    def each(low: float, high: float) -> Tensor:
        return _uniform(n, low, high, rng).view(n, 1, 1, 1)

    def some(probability: float) -> Tensor:
        return _chance(n, probability, rng).view(n, 1, 1, 1)

    inside = (images > 0.01).float()
    x = (images - each(0.0, 0.12) * some(0.4)).clamp(0, 1)
    x = x.clamp(min=1e-4) ** torch.exp(each(-0.75, 0.75))
    profile = torch.randn(n, 1, 5, 1, generator=rng) * 0.25
    x = x * torch.exp(functional.interpolate(profile, (height, 1), mode="bicubic", align_corners=True))
    shade = torch.randn(n, 1, 4, 6, generator=rng) * 0.35
    x = x * torch.exp(functional.interpolate(shade, (height, width), mode="bicubic", align_corners=True) * some(0.5))
    haze = torch.rand(n, 1, 4, 4, generator=rng) * each(0.0, 0.25) * some(0.4)
    x = x + functional.interpolate(haze, (height, width), mode="bilinear", align_corners=True) * inside
    noise = torch.randn(n, 1, height, width, generator=rng)
    soft = functional.avg_pool2d(noise, (3, 5), stride=1, padding=(1, 2)) * 3.5
    speckle = torch.where(some(0.5) > 0, soft, noise)
    x = x * (1 + speckle * each(0.0, 0.22) * some(0.5))
    blurred = functional.avg_pool2d(functional.avg_pool2d(x, 3, 1, 1), 3, 1, 1)
    mix = each(0.0, 1.0) * some(0.5)
    x = x * (1 - mix) + blurred * mix
    x = x * each(0.75, 1.15)
    return _draw_text(x, rng).clamp(0, 1)


def _draw_text(images: Tensor, rng: Generator) -> Tensor:
    """Bright little boxes near the border of a quarter of the images, as burned-in text looks to the net."""
    n, _, height, width = images.shape
    for i in range(n):
        if torch.rand(1, generator=rng).item() > 0.25:
            continue
        for _ in range(4):
            top = int(torch.randint(0, height - 8, (1,), generator=rng))
            left = int(torch.randint(0, width // 6, (1,), generator=rng))
            if torch.rand(1, generator=rng).item() < 0.5:
                left = width - 24 - left
            images[i, :, top : top + 5, left : left + 20 : 2] = 0.8
    return images
