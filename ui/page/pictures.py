"""The pictures of the page: frames with their outlines, the volume curve, the rhythm strip."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage

from pipeline.records import Array, CineAnalysis, EcgAnalysis, EchoBeat, EchoCine, EchoDetection, PreparedEcg
from ui.page.sheet import Sheet
from ui.theme import LIGHT
from ui.wording import number

STRUCTURES = (
    ("lv_endocardium", "cavity", False),
    ("lv_epicardium", "myocardium", False),
    ("left_atrium", "atrium", True),
)
SPEED_MM_S, GAIN_MM_MV = 25.0, 10.0
RHYTHM_LEADS = ("II", "MLII", "I", "V1")
GREY, FAINT = "#555555", "#dddddd"
ROW_HALF_MM = 11.0


def frame(
    sheet: Sheet, box: QRectF, cine: EchoCine, detection: EchoDetection | None, frame_idx: int, title: str
) -> None:
    """One frame, pixels of unequal size put right, with the outlines found in it and a scale of 5 cm."""
    sheet.fill(box, "#000000")
    picture = np.ascontiguousarray(cine.frames[frame_idx])
    height, width = picture.shape
    row_mm, column_mm = cine.calibration.spacing_mm or (1.0, 1.0)
    scale = min(box.width() / (width * column_mm), box.height() / (height * row_mm))
    size = (width * column_mm * scale, height * row_mm * scale)
    left, top = box.center().x() - size[0] / 2, box.center().y() - size[1] / 2
    image = QImage(picture.data, width, height, width, QImage.Format.Format_Grayscale8)
    sheet.painter.drawImage(sheet.rect(QRectF(left, top, *size)), image)
    if detection is not None:
        step = np.array([size[0] / width, size[1] / height])
        for name, role, closed in STRUCTURES:
            points = getattr(detection, name)[frame_idx]
            if np.all(np.isfinite(points)):
                outline = (points + 0.5) * step + np.array([left, top])
                sheet.curve(outline, getattr(LIGHT, role), 0.3, closed=closed)
    sheet.text(QRectF(box.left() + 1.5, box.top() + 1, box.width() - 3, 4), title, 7, colour="#ffffff", bold=True)
    if cine.calibration.spacing_mm is None:
        words = "pixels only: no millimetres"
        sheet.text(QRectF(box.left() + 1.5, box.bottom() - 5, box.width() - 3, 4), words, 6, colour="#f2b632")
    else:
        _scale_bar(sheet, box, scale)


def _scale_bar(sheet: Sheet, box: QRectF, page_mm_per_mm: float) -> None:
    x, y = box.right() - 2.5, box.bottom() - 2.5
    length = 50.0 * page_mm_per_mm
    sheet.line(x, y, x, y - length, "#ffffff", 0.3)
    place = QRectF(x - 11, y - length / 2 - 2, 10, 4)
    sheet.text(place, "5 cm", 6, colour="#ffffff", align=Qt.AlignmentFlag.AlignRight)


def volume_curve(sheet: Sheet, box: QRectF, cine: EchoCine, analysis: CineAnalysis) -> None:
    """Volume against time with end-diastole and end-systole of every beat."""
    curve = np.asarray(analysis.smoothed_curve, float)
    seen = np.isfinite(curve)
    times = np.asarray(cine.frame_times_s, float)
    if seen.sum() < 2 or times[-1] <= 0:
        sheet.text(box, "No volume curve could be measured.", 7, colour=GREY)
        return
    plot = box.adjusted(13, 5, -2, -5)
    low, high = float(curve[seen].min()), float(curve[seen].max())
    span = (high - low) or 1.0
    x = plot.left() + plot.width() * times / times[-1]
    y = plot.bottom() - plot.height() * (curve - low) / span
    sheet.line(plot.left(), plot.bottom(), plot.right(), plot.bottom(), GREY)
    sheet.line(plot.left(), plot.top(), plot.left(), plot.bottom(), GREY)
    right = Qt.AlignmentFlag.AlignRight
    for value, place in ((high, plot.top()), (low, plot.bottom())):
        words = f"{number(value, 0)} {analysis.volume_unit}"
        sheet.text(QRectF(box.left(), place - 2, 12, 4), words, 6, colour=GREY, align=right)
    sheet.text(QRectF(plot.right() - 20, plot.bottom() + 0.5, 20, 4), f"{times[-1]:.1f} s", 6, colour=GREY, align=right)
    for run in _runs(seen):
        sheet.curve(np.column_stack((x[run], y[run])), LIGHT.accent, 0.3)
    for beat in analysis.beats:
        _beat_marks(sheet, plot, beat, x, y)


def _beat_marks(sheet: Sheet, plot: QRectF, beat: EchoBeat, x: Array, y: Array) -> None:
    colour = GREY if beat.excluded else "#000000"
    for idx in (beat.ed_idx, beat.es_idx):
        if np.isfinite(y[idx]):
            sheet.dot(float(x[idx]), float(y[idx]), 0.7, colour)
    words = "left out" if beat.excluded else "" if beat.ef_pct is None else f"EF {number(beat.ef_pct, 0)} %"
    left, right = float(x[beat.ed_idx]), float(x[min(beat.end_idx, len(x) - 1)])
    place = QRectF(left, plot.top() - 4.5, max(right - left, 12), 4)
    sheet.text(place, words, 6, colour=colour)


def _runs(seen: Array) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.r_[False, seen, False].astype(int)))
    return [slice(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def rhythm_strip(sheet: Sheet, box: QRectF, ecg: PreparedEcg, analysis: EcgAnalysis | None) -> None:
    """The beginning of one lead at 25 mm/s and 10 mm/mV on squares of true size."""
    _squares(sheet, box)
    names = list(ecg.record.leads)
    lead_idx = next((names.index(name) for name in RHYTHM_LEADS if name in names and _usable(ecg, name)), None)
    if lead_idx is None:
        lead_idx = int(np.argmax(ecg.lead_usable))
    rate = ecg.record.sampling_rate_hz
    n_shown = min(int(box.width() / SPEED_MM_S * rate), ecg.filtered_mv.shape[1])
    values = np.asarray(ecg.filtered_mv[lead_idx, :n_shown], float)
    middle = box.center().y() + 2.0
    x = box.left() + np.arange(n_shown) / rate * SPEED_MM_S
    y = np.clip(middle - values * GAIN_MM_MV, box.top() + 0.5, box.bottom() - 0.5)
    sheet.curve(np.column_stack((x, y)), "#101010", 0.22)
    for peak in analysis.r_peaks_idx if analysis is not None else ():
        if peak < n_shown:
            sheet.line(float(x[peak]), box.bottom() - 2.5, float(x[peak]), box.bottom() - 0.8, LIGHT.accent, 0.3)
    words = f"{names[lead_idx]}   25 mm/s   10 mm/mV   {ecg.filter_text}"
    sheet.fill(QRectF(box.left(), box.top(), sheet.width_of(words, 6.5) + 3, 4), "#ffffff")
    sheet.text(QRectF(box.left() + 1, box.top(), box.width() - 2, 4), words, 6.5, colour="#222222")


def _usable(ecg: PreparedEcg, name: str) -> bool:
    return bool(ecg.lead_usable[ecg.record.leads.index(name)])


def _squares(sheet: Sheet, box: QRectF) -> None:
    for every, colour, width in ((1.0, "#f7dcd3", 0.06), (5.0, "#eab3a3", 0.12)):
        for x in np.arange(box.left(), box.right() + 0.01, every):
            sheet.line(float(x), box.top(), float(x), box.bottom(), colour, width)
        for y in np.arange(box.top(), box.bottom() + 0.01, every):
            sheet.line(box.left(), float(y), box.right(), float(y), colour, width)
