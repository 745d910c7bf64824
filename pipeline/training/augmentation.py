"""Random changes of training images: geometry, grey levels, and what other machines draw on the screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

Generator = torch.Generator


@dataclass(frozen=True, slots=True)
class Geometry:
    """How far the geometry may go; angles in radians, the rest as parts of the window."""

    mirrored: float = 0.5
    """Share of images with left and right exchanged: both displays are in use."""
    inverted: float = 0.06
    """Share with the apex at the bottom."""
    centred: float = 0.7
    """Share cut around the heart, as the segmenter's windows are; the others are looks at the whole image."""
    fill: tuple[float, float] = (0.5, 0.95)
    """Part of a centred window that the heart spans."""
    whole: tuple[float, float] = (0.75, 1.6)
    """Side of the other windows over the side of the image."""
    angle: float = 0.40
    stretch: float = 0.13
    shift: float = 0.10
    warp: float = 0.03


def _uniform(n: int, low: float, high: float, rng: Generator) -> Tensor:
    return torch.rand(n, generator=rng) * (high - low) + low


def _chance(n: int, probability: float, rng: Generator) -> Tensor:
    return (torch.rand(n, generator=rng) < probability).float()


def heart_boxes(labels: Tensor) -> Tensor:
    """Boxes (n, 4) around what is labelled in (n, size, size): centre x and y, half width and height, in -1..1."""
    size = labels.shape[-1]
    boxes = torch.zeros(len(labels), 4)
    for i, heart in enumerate(labels > 0):
        rows, columns = (torch.nonzero(heart.any(axis)).flatten() for axis in (1, 0))
        left, right, top, bottom = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
        boxes[i] = torch.stack([left + right, top + bottom, right - left, bottom - top]) / size
    boxes[:, :2] -= 1
    return boxes


def random_grid(
    boxes: Tensor, shape: tuple[int, int], rng: Generator, *, geometry: Geometry, strength: float = 1.0
) -> Tensor:
    """Sampling grid (n, height, width, 2) in a square image: window, rotation, aspect, shift, mirror, smooth warp.

    `strength` in 0..1 scales rotation, aspect, shift and warp.
    """
    n, (height, width) = len(boxes), shape
    ratio = width / height
    centred = _chance(n, geometry.centred, rng)
    # Half the side of a window whose height and width both hold the heart
    close = torch.maximum(boxes[:, 3], boxes[:, 2] / ratio) / _uniform(n, *geometry.fill, rng)
    whole = torch.exp(_uniform(n, math.log(geometry.whole[0]), math.log(geometry.whole[1]), rng))
    scale = centred * close + (1 - centred) * whole
    angle = _uniform(n, -geometry.angle, geometry.angle, rng) * strength
    stretch = torch.exp(_uniform(n, -geometry.stretch, geometry.stretch, rng) * strength)
    mirror = 1 - 2 * _chance(n, geometry.mirrored, rng)
    turn = 1 - 2 * _chance(n, geometry.inverted, rng)
    cos, sin = torch.cos(angle), torch.sin(angle)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = cos * scale * stretch * mirror * ratio
    theta[:, 0, 1] = -sin * scale / stretch * turn
    theta[:, 1, 0] = sin * scale * stretch * mirror * ratio
    theta[:, 1, 1] = cos * scale / stretch * turn
    for axis in (0, 1):
        shift = _uniform(n, -geometry.shift, geometry.shift, rng) * strength * (2 - centred)
        theta[:, axis, 2] = boxes[:, axis] * centred + shift * scale
    grid = functional.affine_grid(theta, [n, 1, height, width], align_corners=False)
    coarse = torch.randn(n, 2, 5, 5, generator=rng) * _uniform(n, 0.0, geometry.warp, rng).view(n, 1, 1, 1) * strength
    warp = functional.interpolate(coarse, size=shape, mode="bicubic", align_corners=True)
    return grid + warp.permute(0, 2, 3, 1)


def random_grey(images: Tensor, rng: Generator) -> Tensor:
    """Gain, compression, TGC, haze, shadow, speckle, blur, sector and screen furniture on (n, 1, h, w) in 0..1."""
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
    coarse = functional.avg_pool2d(noise, (5, 9), stride=1, padding=(2, 4)) * 6.0
    grain = torch.where(some(0.5) > 0, soft, torch.where(some(0.5) > 0, coarse, noise))
    x = x * (1 + grain * each(0.0, 0.22) * some(0.5))
    blurred = functional.avg_pool2d(functional.avg_pool2d(x, 3, 1, 1), 3, 1, 1)
    mix = each(0.0, 1.0) * some(0.5)
    x = x * (1 - mix) + blurred * mix
    x = x * each(0.75, 1.15)
    return _draw_furniture(_narrow_sector(x, rng), rng).clamp(0, 1)


def _narrow_sector(images: Tensor, rng: Generator) -> Tensor:
    """Black outside a random sector on a fifth of the images: probes differ in opening angle and depth."""
    n, _, height, width = images.shape
    y = torch.linspace(0, 1, height).view(1, height, 1)
    x = torch.linspace(-0.5, 0.5, width).view(1, 1, width) * (width / height)
    tip_x, tip_y = _uniform(n, -0.12, 0.12, rng).view(n, 1, 1), _uniform(n, -0.45, -0.05, rng).view(n, 1, 1)
    opening, depth = _uniform(n, 0.45, 0.9, rng).view(n, 1, 1), _uniform(n, 0.95, 1.4, rng).view(n, 1, 1)
    angle = torch.atan2((x - tip_x).expand(n, height, width), (y - tip_y).expand(n, height, width))
    reach = torch.hypot(x - tip_x, y - tip_y)
    seen = (angle.abs() < opening) & (reach < depth - tip_y)
    seen |= ~(_chance(n, 0.2, rng).view(n, 1, 1) > 0)
    return images * seen[:, None]


def _draw_furniture(images: Tensor, rng: Generator) -> Tensor:
    """Text, an ECG strip and the edge of a colour box on some images, as they look to the network."""
    n, _, height, width = images.shape
    for i in range(n):
        text, strip, box = torch.rand(3, generator=rng).tolist()
        if text < 0.25:
            for _ in range(4):
                top, left = _position(height - 8, rng), _position(width // 6, rng)
                if torch.rand(1, generator=rng).item() < 0.5:
                    left = width - 24 - left
                images[i, :, top : top + 5, max(left, 0) : left + 20 : 2] = 0.8
        if strip < 0.12:
            base = height - 6 - _position(height // 10, rng)
            columns = torch.arange(width)
            beat = 14 + _position(40, rng)
            spike = (columns % beat < 2) * (8 + _position(12, rng))
            images[i, 0, (base - spike).clamp(0, height - 1), columns] = 0.9
        if box < 0.08:
            top, left = _position(height // 2, rng), _position(width // 2, rng)
            bottom, right = min(top + height // 3, height - 1), min(left + width // 3, width - 1)
            images[i, :, top:bottom, [left, right]] = 0.7
            images[i, :, [top, bottom], left:right] = 0.7
    return images


def _position(limit: int, rng: Generator) -> int:
    return int(torch.randint(0, max(limit, 1), (1,), generator=rng))
