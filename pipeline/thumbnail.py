"""A small picture of a case for the list: a frame of its clip, or the beginning of its ECG."""

from __future__ import annotations

import io
import itertools

import numpy as np

from pipeline.records import Array, PreparedEcg, StudyResults

SIZE_PX = (96, 72)  # width, height
STRIP_S = 3.0
MARGIN_PX = 6
BACKGROUND, TRACE = 12, 235


def thumbnail(results: StudyResults) -> bytes | None:
    """PNG, grey, 96 x 72 pixels; None where neither clip nor ECG was read. Holds no text of the screen's border."""
    if results.cines:
        return _png(_frame(results.cines[0].frames))
    if results.ecg is not None:
        return _png(_strip(results.ecg))
    return None


def _frame(frames: Array) -> Array:
    """The first frame, whole, on black."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(frames[0]))
    picture.thumbnail(SIZE_PX)
    canvas = np.zeros(SIZE_PX[::-1], np.uint8)
    top, left = (SIZE_PX[1] - picture.height) // 2, (SIZE_PX[0] - picture.width) // 2
    canvas[top : top + picture.height, left : left + picture.width] = np.asarray(picture)
    return canvas


def _strip(ecg: PreparedEcg) -> Array:
    """Three seconds of the first usable lead: from the lowest to the highest sample in each column."""
    lead_idx = int(np.argmax(ecg.lead_usable))
    n_samples = min(int(STRIP_S * ecg.record.sampling_rate_hz), ecg.filtered_mv.shape[1])
    canvas = np.full(SIZE_PX[::-1], BACKGROUND, np.uint8)
    if n_samples < SIZE_PX[0]:
        return canvas
    values = np.nan_to_num(np.asarray(ecg.filtered_mv[lead_idx, :n_samples], float))
    low, high = float(values.min()), float(values.max())
    rows = MARGIN_PX + (high - values) / ((high - low) or 1.0) * (SIZE_PX[1] - 2 * MARGIN_PX - 1)
    edges = np.linspace(0, n_samples, SIZE_PX[0] + 1).astype(int)
    for column, (start, end) in enumerate(itertools.pairwise(edges)):
        part = rows[max(start - 1, 0) : end]
        canvas[int(part.min()) : int(part.max()) + 2, column] = TRACE
    return canvas


def _png(grey: Array) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()
