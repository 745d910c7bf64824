"""The network at work on a clip: grey scale, where the heart is, one look a frame, smoothing in time.

A first look at a few whole frames finds the heart. The frames of a clip are then seen once, in a narrow window
around it, and smoothed over their neighbours. Stills have no neighbours: they are seen several times instead, at
five magnifications and mirrored, and the probabilities are averaged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import Tensor, nn

from pipeline.cancellation import CancelToken
from pipeline.echo.lookahead import in_order
from pipeline.echo.manifest import ModelManifest
from pipeline.echo.network import N_CLASSES, STRIDE, ChamberNet, channels_last
from pipeline.echo.windows import (
    Extent,
    Window,
    around_heart,
    cut,
    enlarged,
    find_heart,
    lay_back,
    part_of_frame,
    whole_frame,
)
from pipeline.model_files import CHAMBERS
from pipeline.records import Array

SCALING_PX = 288
"""Resolution at which the grey scale is measured: that of the stored training stills."""
SCALING_QUANTILE = 0.995
DARKEST_TOP = 24.0
"""A frame darker than this is not stretched further: there would only be noise to see."""
SCOUT_FRAMES = 8
TIME_WINDOW = 5
TIME_DEGREE = 2
LONGEST_SPAN_S = 0.17
"""A parabola over more of the cycle than this flattens end-diastole and end-systole: slower clips are not smoothed."""


@dataclass(frozen=True, slots=True)
class Look:
    """One way to see a frame: the network's input in pixels, the part that the heart spans of it, mirrored or not."""

    shape: tuple[int, int]
    fill: float
    mirrored: bool = False


CLIP_LOOK = Look((160, 128), 0.78)
SMALL_LOOKS = tuple(Look((192, 160), fill, mirrored) for fill in (0.80, 0.70, 0.58) for mirrored in (False, True))
LARGE_LOOKS = tuple(Look((256, 224), fill, mirrored) for fill in (0.72, 0.60) for mirrored in (False, True))
STILL_SOFTENING = 0.01
"""Blur of a still's maps, as a part of the heart's height (about 1.3 mm): a contour follows no single speckle."""


def brightest(frames: Array, aspect: float) -> float:
    """The grey level that becomes 1: the 99.5th percentile over letterboxed frames uint8 (n, height, width)."""
    window = whole_frame(frames.shape[1], frames.shape[2], aspect)
    counts = np.zeros(256, np.int64)
    for frame in frames:
        counts += np.bincount(cut(frame, window, (SCALING_PX, SCALING_PX)).ravel(), minlength=256)
    return max(DARKEST_TOP, quantile_of(counts, SCALING_QUANTILE))


def quantile_of(counts: Array, part: float) -> float:
    """The quantile of values 0, 1, … that occur so many times, int64 (n_values,), between neighbours linearly."""
    below = np.cumsum(counts)
    place = part * (int(below[-1]) - 1)
    low, high = (int(np.searchsorted(below, math.floor(place) + more, side="right")) for more in (0, 1))
    return low + (place - math.floor(place)) * (high - low)


def time_span(frame_step_s: float) -> int:
    """Over how many frames a clip is smoothed whose frames lie so far apart: TIME_WINDOW, or 1 for a slow clip."""
    return TIME_WINDOW if (TIME_WINDOW - 1) * frame_step_s <= LONGEST_SPAN_S else 1


def time_weights(n_frames: int, frame: int, span: int = TIME_WINDOW) -> tuple[int, Array]:
    """First frame and weights of a local parabola's value at a frame of a clip of at least `span` frames.

    Differs from a mean: a parabola through the neighbours does not flatten end-diastole or end-systole.
    Source: Savitzky and Golay 1964, doi 10.1021/ac60214a047.
    """
    start = min(max(frame - span // 2, 0), n_frames - span)
    return start, _parabola_weights(frame - start, span)


@cache
def _parabola_weights(place: int, span: int) -> Array:
    """What each of `span` values adds to the value of their parabola at one of them."""
    basis = np.vander(np.arange(span) - place, TIME_DEGREE + 1)
    return np.asarray(np.linalg.pinv(basis)[-1], np.float32)


def _finishable(n_known: int, n_frames: int, span: int) -> int:
    """How many frames have all the neighbours that their smoothing needs, once n_known frames are seen."""
    if n_known == n_frames:
        return n_frames
    return n_known - span // 2 if n_known >= span else 0


class ChamberInference:
    """A fused network and the way a clip goes through it."""

    def __init__(self, network: nn.Module, input_px: int) -> None:
        self._network = network
        self._size = input_px

    @torch.inference_mode()
    def run(
        self,
        frames: Array,
        spacing_mm: tuple[float, float],
        *,
        frame_step_s: float,
        batch_size: int,
        cancel: CancelToken | None,
    ) -> Iterator[tuple[Array, Array]]:
        """Labels uint8 (n, height, width) and certainty float64 (n,), in batches, in the order of time."""
        aspect = spacing_mm[0] / spacing_mm[1]
        top, heart = self._scout(frames, aspect)
        if heart is None:
            yield np.zeros(frames.shape, np.uint8), np.zeros(len(frames))
        elif len(frames) < TIME_WINDOW:
            for frame in frames:
                _check(cancel)
                labels, certainty = self._still(frame, top, heart, aspect)
                yield labels[None], np.array([certainty])
        else:
            window = around_heart(heart, CLIP_LOOK.shape, CLIP_LOOK.fill, aspect)
            yield from self._clip(frames, top, window, time_span(frame_step_s), batch_size, cancel)

    @torch.inference_mode()
    def maps(self, frames: Array, frame_idx: int, spacing_mm: tuple[float, float]) -> Array:
        """Probabilities float32 (4, height, width) of one frame in the one look of a clip; background elsewhere."""
        aspect = spacing_mm[0] / spacing_mm[1]
        top, heart = self._scout(frames, aspect)
        canvas = np.zeros((N_CLASSES, *frames.shape[1:]), np.float32)
        seen = np.zeros(frames.shape[1:], np.float32)
        if heart is not None:
            window = around_heart(heart, CLIP_LOOK.shape, CLIP_LOOK.fill, aspect)
            image = cut(frames[frame_idx], window, CLIP_LOOK.shape)
            seen[lay_back(self._probabilities([image], top)[0], window, canvas)] = 1
        canvas[0] += 1 - seen
        return canvas

    def _scout(self, frames: Array, aspect: float) -> tuple[float, Extent | None]:
        """The clip's grey scale and where its heart is, from a few frames spread over it."""
        n_frames = len(frames)
        some = np.unique(np.linspace(0, n_frames - 1, min(n_frames, SCOUT_FRAMES)).round().astype(int))
        top = brightest(frames[some], aspect)
        whole, shape = whole_frame(frames.shape[1], frames.shape[2], aspect), (self._size, self._size)
        size = math.ceil(len(some) / torch.get_num_threads())

        def see(start: int) -> Array:
            return self._probabilities([cut(frames[i], whole, shape) for i in some[start : start + size]], top)

        maps = np.concatenate(list(_side_by_side(see, range(0, len(some), size))))
        return top, find_heart(maps.argmax(1), whole)

    def _still(self, frame: Array, top: float, heart: Extent, aspect: float) -> tuple[Array, float]:
        """Labels and certainty of one frame: the mean of all looks where each of them sees.

        The certainty is that of the small looks alone, which a clip's single look is like.
        """
        canvas = np.zeros((N_CLASSES, *frame.shape), np.float32)
        seen = np.zeros(frame.shape, np.float32)
        self._look(frame, top, heart, aspect, SMALL_LOOKS, canvas, seen)
        certainty = _certainty(canvas / np.maximum(seen, 1))
        self._look(frame, top, heart, aspect, LARGE_LOOKS, canvas, seen)
        return likeliest(softened(canvas / np.maximum(seen, 1), heart)), certainty

    def _look(
        self,
        frame: Array,
        top: float,
        heart: Extent,
        aspect: float,
        looks: tuple[Look, ...],
        canvas: Array,
        seen: Array,
    ) -> None:
        """Add what each look finds to a canvas (4, height, width), and to `seen` (height, width) where it looked."""
        for look in looks:
            window = around_heart(heart, look.shape, look.fill, aspect)
            image = cut(frame, window, look.shape)
            maps = self._probabilities([image[:, ::-1] if look.mirrored else image], top)[0]
            seen[lay_back(maps[..., ::-1].copy() if look.mirrored else maps, window, canvas)] += 1

    def _clip(
        self, frames: Array, top: float, window: Window, span: int, batch_size: int, cancel: CancelToken | None
    ) -> Iterator[tuple[Array, Array]]:
        n_frames, shape = len(frames), (frames.shape[1], frames.shape[2])

        def see(start: int) -> Array:
            _check(cancel)
            images = [cut(frame, window, CLIP_LOOK.shape) for frame in frames[start : start + batch_size]]
            return self._probabilities(images, top)

        recent, first, next_out = np.zeros((0, N_CLASSES, *CLIP_LOOK.shape), np.float32), 0, 0
        for maps in _side_by_side(see, range(0, n_frames, batch_size)):
            recent = np.concatenate([recent, maps])
            last = _finishable(first + len(recent), n_frames, span)
            if last <= next_out:
                continue
            yield _smoothed_labels(recent, first, range(next_out, last), n_frames, span, window, shape)
            next_out = last
            keep = min(next_out - span // 2, n_frames - span)
            recent, first = recent[max(0, keep - first) :], max(first, keep)

    @torch.inference_mode()
    def _probabilities(self, images: list[Array], top: float) -> Array:
        """Probabilities float32 (n, 4, height, width) of images uint8 (height, width)."""
        x = torch.from_numpy(np.stack(images)).float().div_(top).clamp_(max=1)[:, None]
        logits: Tensor = self._network(x.contiguous(memory_format=torch.channels_last))
        return np.asarray(logits.contiguous().softmax(1).numpy())


def _side_by_side(see: Callable[[int], Array], starts: range) -> Iterator[Array]:
    """What is seen from each start on, by as many networks at a time as torch may use threads, one thread each."""
    threads = torch.get_num_threads()
    if len(starts) == 1:
        yield see(starts[0])
        return
    try:
        yield from in_order(see, starts, threads, lambda: torch.set_num_threads(1))
    finally:
        torch.set_num_threads(threads)  # what the others set holds for the whole process


def _check(cancel: CancelToken | None) -> None:
    if cancel is not None:
        cancel.check()


def _smoothed_labels(
    maps: Array, first: int, chosen: range, n_frames: int, span: int, window: Window, shape: tuple[int, int]
) -> tuple[Array, Array]:
    """Labels (n, height, width) of the chosen frames, each smoothed over its neighbours, and their certainty.

    `maps` (n, 4, rows, columns) are those of consecutive frames, beginning at the frame `first`.
    """
    labels = np.zeros((len(chosen), *shape), np.uint8)
    seen = part_of_frame(window, shape)
    for i, frame in enumerate(chosen):
        start, weights = time_weights(n_frames, frame, span)
        near = maps[start - first : start - first + span]
        smoothed = (weights @ near.reshape(span, -1)).reshape(near.shape[1:])
        labels[i][seen] = likeliest(enlarged(smoothed, window, shape))
    return labels, np.array([_certainty(maps[frame - first]) for frame in chosen])


def softened(canvas: Array, heart: Extent) -> Array:
    """Maps float32 (n, height, width) of a frame blurred by STILL_SOFTENING of the heart's height."""
    sigma_px = STILL_SOFTENING * (heart.bottom - heart.top)
    return np.stack([cv2.GaussianBlur(one, (0, 0), sigma_px) for one in canvas])


def likeliest(maps: Array) -> Array:
    """Index uint8 (height, width) of the largest of maps (n, height, width); 0 where nothing was seen."""
    best, labels = maps[0], np.zeros(maps.shape[1:], np.uint8)
    for label in range(1, len(maps)):
        higher = cv2.compare(maps[label], best, cv2.CMP_GT)  # 0 or 255
        labels = cv2.bitwise_or(cv2.bitwise_and(labels, cv2.bitwise_not(higher)), cv2.bitwise_and(higher, label))
        best = cv2.max(best, maps[label])
    return np.asarray(labels)


def _certainty(probabilities: Array) -> float:
    """Mean largest probability over the heart's pixels of (n, height, width), 0 without any."""
    best = probabilities[1:].max(0)
    heart = best > probabilities[0]
    return float(best[heart].mean()) if heart.any() else 0.0


def build_inference(manifest: ModelManifest, weights: bytes) -> ChamberInference:
    """A network out of checked bytes; raises HardStopError when they cannot be one."""
    refused = CHAMBERS.damaged(
        {"file": manifest.file, "expected_sha256": manifest.sha256, "found_sha256": manifest.sha256}
    )
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
    channels_last(network)
    return network.requires_grad_(False)
