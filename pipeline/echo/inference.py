"""The network at work on a clip: scaling, two looks at the heart, smoothing in time, back to the frame.

A first look at a few whole frames finds the heart; every frame is then seen twice in windows around it
(two magnifications within the range of the training), and the probabilities are averaged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, nn
from torch.nn import functional

from pipeline.cancellation import CancelToken
from pipeline.echo.manifest import ModelManifest, damaged
from pipeline.echo.network import STRIDE, ChamberNet, channels_last
from pipeline.records import Array

SCALING_PX = 288
"""Resolution at which the grey scale is measured: that of the stored training stills."""
SCALING_QUANTILE = 0.995
DARKEST_TOP = 24.0
"""A frame darker than this is not stretched further: there would only be noise to see."""
SCOUT_FRAMES = 12
HEART_FILL = 0.70
"""Part of the closer window that the heart spans; CAMUS stills have 0.5 to 0.8."""
WIDE_OVER_CLOSE = 232 / 192
MIN_HEART_PX = 60
TIME_WINDOW = 5
TIME_DEGREE = 2


@dataclass(frozen=True, slots=True)
class Window:
    """A physically square part of a frame; lengths in column pixels, `aspect` = row / column spacing."""

    centre_row: float
    centre_column: float
    side: float
    aspect: float

    def scaled(self, factor: float) -> Window:
        return Window(self.centre_row, self.centre_column, self.side * factor, self.aspect)


def whole_frame(height: int, width: int, aspect: float) -> Window:
    """The window that letterboxes a frame."""
    return Window(height / 2, width / 2, max(height * aspect, float(width)), aspect)


def cut(images: Tensor, window: Window, size: int) -> Tensor:
    """Sample the window out of images (n, 1, height, width) as (n, 1, size, size); outside is black."""
    height, width = images.shape[-2:]
    factor = size / window.side
    source = images
    if factor < 1:  # without a low-pass the speckle would alias
        shape = (max(1, round(height * window.aspect * factor)), max(1, round(width * factor)))
        source = functional.interpolate(images, shape, mode="bilinear", antialias=True)
    steps = (torch.arange(size) + 0.5) / size - 0.5
    rows = (window.centre_row + steps * window.side / window.aspect) / height * 2 - 1
    columns = (window.centre_column + steps * window.side) / width * 2 - 1
    return _sample(source, rows, columns)


def restore_labels(maps: Tensor, window: Window, height: int, width: int) -> Array:
    """Probabilities (n, 4, size, size) of a window as labels uint8 (n, height, width) of the frame; 0 outside."""
    rows = (torch.arange(height) + 0.5 - window.centre_row) * window.aspect / window.side * 2
    columns = (torch.arange(width) + 0.5 - window.centre_column) / window.side * 2
    inside_rows, inside_columns = _inside(rows), _inside(columns)
    labels = np.zeros((len(maps), height, width), np.uint8)
    resized = _sample(maps, rows[inside_rows], columns[inside_columns])
    labels[:, inside_rows, inside_columns] = _likeliest(resized).numpy()
    return labels


def _likeliest(maps: Tensor) -> Tensor:
    """Index uint8 (n, h, w) of the largest of maps (n, 4, h, w): as argmax, which is slow along this axis."""
    best = 1 - maps[:, 1:].sum(1)  # what the window's edge lacks is background
    labels = torch.zeros(best.shape, dtype=torch.uint8)
    for label in range(1, maps.shape[1]):
        labels.masked_fill_(maps[:, label] > best, label)
        torch.maximum(best, maps[:, label], out=best)
    return labels


def _inside(positions: Tensor) -> slice:
    hits = torch.nonzero(positions.abs() < 1).flatten()
    return slice(int(hits[0]), int(hits[-1]) + 1) if len(hits) else slice(0, 0)


def _sample(source: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    if not len(rows) or not len(columns):
        return source.new_zeros(*source.shape[:2], len(rows), len(columns))
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], -1)
    return functional.grid_sample(source, grid.expand(len(source), -1, -1, -1), align_corners=False)


def brightest(images: Tensor, aspect: float) -> float:
    """The grey level that becomes 1: the 99.5th percentile over letterboxed frames (n, 1, height, width)."""
    height, width = images.shape[-2:]
    boxed = cut(images, whole_frame(height, width, aspect), SCALING_PX)
    return max(DARKEST_TOP, float(np.quantile(boxed.numpy(), SCALING_QUANTILE)))


def heart_window(labels: Tensor, window: Window) -> Window | None:
    """Where the heart of a typical labelled frame (n, size, size) spans HEART_FILL; None without heart."""
    size = labels.shape[-1]
    boxes = []
    for frame in labels > 0:
        if int(frame.sum()) < MIN_HEART_PX:
            continue
        rows, columns = torch.nonzero(frame.any(1)).flatten(), torch.nonzero(frame.any(0)).flatten()
        boxes.append([float(rows[0]), float(rows[-1]) + 1, float(columns[0]), float(columns[-1]) + 1])
    if not boxes:
        return None
    top, bottom, left, right = (float(v) / size - 0.5 for v in np.median(boxes, axis=0))
    return Window(
        window.centre_row + (top + bottom) / 2 * window.side / window.aspect,
        window.centre_column + (left + right) / 2 * window.side,
        max(bottom - top, right - left) * window.side / HEART_FILL,
        window.aspect,
    )


def time_weights(n_frames: int, frame: int) -> tuple[int, list[float]]:
    """First frame and weights of a local parabola's value at a frame.

    Differs from a mean: a parabola through the neighbours does not flatten end-diastole or end-systole.
    Source: Savitzky and Golay 1964, doi 10.1021/ac60214a047.
    """
    if n_frames < TIME_WINDOW:
        return frame, [1.0]
    start = min(max(frame - TIME_WINDOW // 2, 0), n_frames - TIME_WINDOW)
    basis = np.vander(np.arange(TIME_WINDOW) - (frame - start), TIME_DEGREE + 1)
    return start, [float(w) for w in np.linalg.pinv(basis)[-1]]


def _finishable(n_known: int, n_frames: int) -> int:
    """How many frames have all the neighbours that their smoothing needs, once n_known frames are seen."""
    if n_known == n_frames:
        return n_frames
    return n_known - TIME_WINDOW // 2 if n_known >= TIME_WINDOW else 0


class ChamberInference:
    """A fused network and the way a clip goes through it."""

    def __init__(self, network: ChamberNet, input_px: int) -> None:
        self._network = network
        self._size = input_px
        self._wide = round(input_px * WIDE_OVER_CLOSE / 2) * 2

    def run(
        self, frames: Array, spacing_mm: tuple[float, float], *, batch_size: int, cancel: CancelToken | None
    ) -> Iterator[tuple[Array, Array]]:
        """Labels uint8 (n, height, width) and certainty float64 (n,), in batches, in the order of time."""
        aspect = spacing_mm[0] / spacing_mm[1]
        n_frames, height, width = frames.shape
        top, window = self._scout(frames, aspect)
        recent: dict[int, Tensor] = {}
        next_out = 0
        for start in range(0, n_frames, batch_size):
            if cancel is not None:
                cancel.check()
            maps = self._look(_scaled(frames[start : start + batch_size], top), window)
            recent |= {start + i: one for i, one in enumerate(maps)}
            known = start + len(maps)
            last = _finishable(known, n_frames)
            if last <= next_out:
                continue
            chosen = range(next_out, last)
            yield self._finish(recent, chosen, n_frames, window, (height, width))
            next_out = last
            keep = min(next_out - TIME_WINDOW // 2, n_frames - TIME_WINDOW)
            recent = {frame: one for frame, one in recent.items() if frame >= keep}

    @torch.inference_mode()
    def _scout(self, frames: Array, aspect: float) -> tuple[float, Window]:
        """The clip's grey scale and where its heart is, from a few frames spread over it."""
        n_frames, height, width = frames.shape
        some = np.unique(np.linspace(0, n_frames - 1, min(n_frames, SCOUT_FRAMES)).round().astype(int))
        images = _scaled(frames[some], 1.0)
        top = brightest(images, aspect)
        whole = whole_frame(height, width, aspect)
        labels = self._probabilities((images / top).clamp(0, 1), whole, self._size).argmax(1)
        return top, heart_window(labels, whole) or whole.scaled(1 / WIDE_OVER_CLOSE)

    @torch.inference_mode()
    def _look(self, images: Tensor, window: Window) -> Tensor:
        """Probabilities (n, 4, wide, wide): the mean of the close and the wide look where both see."""
        close = self._probabilities(images, window, self._size)
        wide = self._probabilities(images, window.scaled(self._wide / self._size), self._size)
        both = functional.interpolate(wide, (self._wide, self._wide), mode="bilinear")
        edge = (self._wide - self._size) // 2
        inner = both[..., edge : edge + self._size, edge : edge + self._size]
        inner.add_(close).mul_(0.5)
        return both

    def _probabilities(self, images: Tensor, window: Window, size: int) -> Tensor:
        x = cut(images, window, size).contiguous(memory_format=torch.channels_last)
        logits: Tensor = self._network(x)
        return logits.softmax(1)

    @torch.inference_mode()
    def _finish(
        self, maps: dict[int, Tensor], chosen: range, n_frames: int, window: Window, shape: tuple[int, int]
    ) -> tuple[Array, Array]:
        smoothed = []
        for frame in chosen:
            start, weights = time_weights(n_frames, frame)
            smoothed.append(sum((w * maps[start + i] for i, w in enumerate(weights)), torch.zeros(())))
        wide = window.scaled(self._wide / self._size)
        labels = restore_labels(torch.stack(smoothed), wide, *shape)
        return labels, np.array([_certainty(maps[frame]) for frame in chosen])


def _certainty(probabilities: Tensor) -> float:
    """Mean largest probability over the heart's pixels, 0 without any."""
    best, labels = probabilities.max(0)
    heart = labels > 0
    return float(best[heart].mean()) if bool(heart.any()) else 0.0


def _scaled(frames: Array, top: float) -> Tensor:
    images = torch.from_numpy(frames.astype(np.float32))[:, None]
    return images if top == 1.0 else (images / top).clamp(0, 1)


def build_inference(manifest: ModelManifest, weights: bytes) -> ChamberInference:
    """A network out of checked bytes; raises HardStopError when they cannot be one."""
    refused = damaged({"file": manifest.file, "expected_sha256": manifest.sha256, "found_sha256": manifest.sha256})
    if manifest.input_px <= 0 or manifest.input_px % STRIDE:
        raise refused
    try:
        tensors = {name: value.float() for name, value in load_tensors(weights).items()}
        network = ChamberNet(manifest.widths)
        network.load_state_dict({k: _as_counter(k, v) for k, v in tensors.items()})
    except (SafetensorError, RuntimeError, ValueError, TypeError):
        raise refused from None
    if not all(math.isfinite(float(value.sum())) for value in tensors.values()):
        raise refused
    return ChamberInference(fused(network.eval()), manifest.input_px)


def _as_counter(name: str, value: Tensor) -> Tensor:
    return value.long() if name.endswith("num_batches_tracked") else value


def fused(network: ChamberNet) -> ChamberNet:
    """Fold each batch normalisation into its convolution: the same sums with fewer passes over memory."""
    for block in [m for m in network.modules() if isinstance(m, nn.Sequential)]:
        for i in range(len(block) - 1):
            convolution, norm = block[i], block[i + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                block[i] = nn.utils.fuse_conv_bn_eval(convolution, norm)
                block[i + 1] = nn.Identity()
    return channels_last(network).requires_grad_(False)
