"""What stands on the trace: marks of the waves, intervals, letters of the beats, calipers, the echo's cursor."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor

from pipeline.review.ecg_targets import Caliper
from ui.ecg_calipers import caliper_text, marched_ms
from ui.ecg_layout import Strip
from ui.ecg_marks import MARK_NAMES, EcgMarks, Mark
from ui.ecg_samples import EcgSamples
from ui.theme import Theme
from ui.widgets.drawing import pen, sized
from ui.widgets.ecg_ink import Ink

ONSET_MM = 2.5  # half the height of the line at an onset or an end
LEAST_BEAT_PX = 26.0  # between beats that have letters; 46 between those that have numbers
LEAST_NUMBER_PX = 46.0
TICK_PX = 5.0


def class_colour(theme: Theme, letter: str) -> str:
    """The colour of an AAMI class."""
    return str(getattr(theme, f"beat_{letter.casefold()}", theme.beat_q)) if letter else theme.beat_n


def _value_mv(samples: EcgSamples, lead_idx: int, time_s: float) -> float:
    place = round(time_s * samples.rate_hz)
    values = samples.stretch(lead_idx, place, place + 1)
    return float(values[0]) if values.size and math.isfinite(float(values[0])) else 0.0


# --- marks and intervals -----------------------------------------------------------------------------


def paint_marks(ink: Ink, samples: EcgSamples, marks: EcgMarks, strip: Strip, chosen: Mark | None) -> None:
    """Onsets and ends as short lines across the trace, peaks as dots; the reader's own are thicker."""
    start_s, end_s = ink.span_s(strip)
    for mark in marks.visible(strip.lead_idx, start_s, end_s):
        is_chosen = chosen is not None and chosen.target == mark.target
        paint_mark(ink, samples, strip, chosen if is_chosen and chosen else mark, is_chosen=is_chosen)


def paint_mark(ink: Ink, samples: EcgSamples, strip: Strip, mark: Mark, *, is_chosen: bool) -> None:
    """One mark."""
    colour = getattr(ink.theme, f"wave_{mark.wave}")
    x = ink.time_x(strip, mark.time_s)
    y = ink.y(strip.baseline_mm - _value_mv(samples, mark.lead_idx, mark.time_s) * ink.paper.gain_mm_mv)
    half = ONSET_MM * ink.scale * (1.8 if is_chosen else 1.0)
    if mark.is_peak:
        radius = 3.2 if is_chosen or mark.is_edited else 2.2
        ink.painter.setPen(Qt.PenStyle.NoPen)
        ink.painter.setBrush(QColor(colour))
        ink.painter.drawEllipse(QPointF(x, y), radius, radius)
        ink.painter.setBrush(Qt.BrushStyle.NoBrush)
    else:
        ink.painter.setPen(pen(colour, width=2.0 if is_chosen or mark.is_edited else 1.0))
        ink.painter.drawLine(QPointF(x, y - half), QPointF(x, y + half))
        foot = 3.0 if mark.name.endswith("_on") else -3.0  # an onset opens to the right, an end to the left
        ink.painter.drawLine(QPointF(x, y + half), QPointF(x + foot, y + half))
    if is_chosen:
        words = f"{MARK_NAMES[mark.name]}  {1000.0 * mark.time_s:.0f} ms"
        ink.text(QPointF(x + 6, y - half - 4), words, colour, bold=True)


def paint_intervals(ink: Ink, marks: EcgMarks, strip: Strip) -> None:
    """PR, QRS and QT of each beat as brackets under the rhythm strip."""
    start_s, end_s = ink.span_s(strip)
    beats = [beat for beat in marks.beats_between(start_s, end_s) if beat < marks.n_marked]
    if not beats or _beat_px(ink, marks, strip) < LEAST_NUMBER_PX:
        return
    line_px = sized(ink.font, 0.8).pointSizeF() * 1.8
    bottom = min(ink.y(strip.baseline_mm + ink.paper.row_mm / 2), letter_y(ink, strip) - 1.0)
    for beat in beats:
        for interval in marks.intervals(beat, strip.lead_idx):
            lower = interval.name == "QT"
            y = bottom - (2.0 if lower else line_px + 3.0)
            left, right = ink.time_x(strip, interval.start_s), ink.time_x(strip, interval.end_s)
            colour = {"PR": ink.theme.wave_p, "QRS": ink.theme.wave_qrs, "QT": ink.theme.wave_t}[interval.name]
            ink.painter.setPen(pen(colour))
            ink.painter.drawLine(QPointF(left, y), QPointF(right, y))
            for x in (left, right):
                ink.painter.drawLine(QPointF(x, y - 3), QPointF(x, y))
            _paint_number(ink, interval.name, interval.text, colour, (left, right, y))


def _paint_number(ink: Ink, name: str, number: str, colour: str, place: tuple[float, float, float]) -> None:
    left, right, y = place
    ink.painter.setFont(sized(ink.font, 0.75))
    width = ink.painter.fontMetrics().horizontalAdvance(number)
    x = right + 3.0 if name == "QRS" else (left + right - width) / 2
    ink.text(QPointF(x, y - 3.0), number, colour, factor=0.75)


# --- beats -------------------------------------------------------------------------------------------


def _beat_px(ink: Ink, marks: EcgMarks, strip: Strip) -> float:
    """Pixels between neighbouring beats in sight; the closest decide."""
    inside = marks.beats_between(*ink.span_s(strip))
    if len(inside) < 2:
        return math.inf
    gaps_s = np.diff(marks.r_s[inside.start : inside.stop])
    return float(np.median(gaps_s)) * ink.paper.speed_mm_s * ink.scale


def letter_y(ink: Ink, strip: Strip) -> float:
    """Top of the line of letters of a rhythm strip."""
    return ink.y(0.0 if strip.letters_mm is None else strip.letters_mm)


def paint_beats(ink: Ink, marks: EcgMarks, strip: Strip, selected: int | None) -> None:
    """A tick and the class of each beat under the rhythm strip; normal letters are left out where beats are close."""
    start_s, end_s = ink.span_s(strip)
    ink.painter.setFont(sized(ink.font, 0.85, bold=True))
    metrics = ink.painter.fontMetrics()
    top = letter_y(ink, strip)
    roomy = _beat_px(ink, marks, strip) >= LEAST_BEAT_PX
    for beat in marks.beats_between(start_s, end_s):
        letter = marks.letter(beat)
        x = ink.time_x(strip, float(marks.r_s[beat]))
        colour = class_colour(ink.theme, letter)
        ink.painter.setPen(pen(colour, width=2.0 if letter not in ("", "N") else 1.0))
        ink.painter.drawLine(QPointF(x, top), QPointF(x, top + TICK_PX))
        if not letter or (letter == "N" and not roomy):
            continue
        words = letter + ("*" if marks.is_class_edited(beat) else "")
        width = metrics.horizontalAdvance(words)
        if beat == selected:
            box = QRectF(x - width / 2 - 4, top + TICK_PX, width + 8, metrics.height() + 2)
            ink.painter.setBrush(QColor(colour))
            ink.painter.drawRoundedRect(box, 3, 3)
            ink.painter.setBrush(Qt.BrushStyle.NoBrush)
            ink.painter.setPen(QColor(ink.theme.paper))
        else:
            ink.painter.setPen(QColor(colour))
        ink.painter.drawText(QPointF(x - width / 2, top + TICK_PX + 1 + metrics.ascent()), words)


# --- calipers and cursor -----------------------------------------------------------------------------


def paint_caliper(ink: Ink, caliper: Caliper, *, march: bool, is_draft: bool, active: int = -1) -> None:
    """Two lines with their distance and, where wished, the same distance again over the strip."""
    for strip in ink.strips():
        if strip.name != caliper.lead:
            continue
        start_s, end_s = ink.span_s(strip)
        half_mm = ink.paper.row_mm / 2 - 1.0
        top, bottom = ink.y(strip.baseline_mm - half_mm), ink.y(strip.baseline_mm + half_mm)
        if march:
            ink.painter.setPen(pen(ink.theme.caliper, Qt.PenStyle.DashLine))
            for time_ms in marched_ms(caliper, 1000.0 * start_s, 1000.0 * end_s).tolist():
                x = ink.time_x(strip, time_ms / 1000.0)
                ink.painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        for number, time_ms in enumerate((caliper.start_ms, caliper.end_ms)):
            if start_s <= time_ms / 1000.0 <= end_s:
                width = 2.0 if number == active else 1.0
                style = Qt.PenStyle.SolidLine if is_draft else Qt.PenStyle.DashDotLine
                ink.painter.setPen(pen(ink.theme.caliper, style, width))
                x = ink.time_x(strip, time_ms / 1000.0)
                ink.painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        _paint_caliper_levels(ink, strip, caliper, (start_s, end_s), bottom)


def _paint_caliper_levels(ink: Ink, strip: Strip, caliper: Caliper, span_s: tuple[float, float], bottom: float) -> None:
    low_s, high_s = sorted((caliper.start_ms / 1000.0, caliper.end_ms / 1000.0))
    if high_s < span_s[0] or low_s > span_s[1]:
        return
    left, right = ink.time_x(strip, max(low_s, span_s[0])), ink.time_x(strip, min(high_s, span_s[1]))
    ink.painter.setPen(pen(ink.theme.caliper, Qt.PenStyle.DotLine))
    for level_mv in (caliper.low_mv, caliper.high_mv):
        y = ink.y(strip.baseline_mm - level_mv * ink.paper.gain_mm_mv)
        ink.painter.drawLine(QPointF(left, y), QPointF(right, y))
    words = caliper_text(caliper).line
    ink.painter.setFont(sized(ink.font, 0.9, bold=True))
    width = ink.painter.fontMetrics().horizontalAdvance(words)
    x = min(max((left + right - width) / 2, 4.0), ink.seen.width() * ink.scale - width - 4.0)
    ink.text(QPointF(x, bottom - ink.painter.fontMetrics().descent()), words, ink.theme.caliper, bold=True)


def paint_cursor(ink: Ink, time_s: float) -> None:
    """The time of the echo's frame, over every strip that holds it."""
    ink.painter.setPen(pen(ink.theme.accent, width=2.0))
    for strip in ink.strips():
        if strip.start_s <= time_s < strip.end_s:
            x = ink.time_x(strip, time_s)
            half_mm = ink.paper.row_mm / 2
            ink.painter.drawLine(
                QPointF(x, ink.y(strip.baseline_mm - half_mm)), QPointF(x, ink.y(strip.baseline_mm + half_mm))
            )
