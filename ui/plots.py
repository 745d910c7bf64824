"""What can be plotted of a case: a table of plots, each built from the results when it is chosen. Knows no Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.records import Array, CineAnalysis, EcgAnalysis, EchoCine, PreparedEcg, StudyResults
from ui.bulls_eye_map import score_text

BEAT_CLASSES = (  # AAMI letter, name, theme colour, shape of its mark
    ("N", "Normal (N)", "accent", "o"),
    ("S", "Supraventricular (S)", "warn", "t1"),
    ("V", "Ventricular (V)", "bad", "s"),
    ("F", "Fusion (F)", "good", "d"),
    ("Q", "Unclassified (Q)", "muted", "x"),
)
MIN_BEATS = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """One curve, row of marks or set of bars; `x` is None where samples follow each other at `rate_hz`."""

    name: str
    y: Array  # float (n_points,), NaN where there is no value
    x: Array | None = None  # float64 (n_points,), ascending
    rate_hz: float = 1.0
    colour: str = "accent"  # a role of the theme
    mark: str = ""  # shape of the marks; empty for a line
    is_bars: bool = False

    def x_at(self, idx: Array) -> Array:
        """Positions of points on the x axis, float64."""
        return np.asarray(idx, float) / self.rate_hz if self.x is None else self.x[idx]

    def span(self, low: float, high: float) -> tuple[int, int]:
        """The points from `low` to `high`, both included, as a slice."""
        n_points = len(self.y)
        if self.x is None:
            first, end = np.ceil(low * self.rate_hz - 1e-9), np.floor(high * self.rate_hz + 1e-9) + 1
            return int(np.clip(first, 0, n_points)), int(np.clip(end, 0, n_points))
        return int(np.searchsorted(self.x, low, "left")), int(np.searchsorted(self.x, high, "right"))

    def nearest(self, x: float) -> int:
        """The point nearest to a position; the curve must not be empty."""
        last = len(self.y) - 1
        if self.x is None:
            return int(np.clip(round(x * self.rate_hz), 0, last))
        after = int(np.clip(np.searchsorted(self.x, x), 0, last))
        before = max(after - 1, 0)
        return before if abs(self.x[before] - x) <= abs(self.x[after] - x) else after


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plot:
    """What is drawn: curves over one pair of axes, or the sentence that says what is missing."""

    title: str
    x_name: str = ""
    x_unit: str = ""
    y_name: str = ""
    y_unit: str = ""
    curves: tuple[Curve, ...] = ()
    names: tuple[str, ...] = ()  # of the bars, which stand at 0, 1, 2 …
    note: str = ""
    missing: str | None = None

    def limits(self) -> tuple[float, float, float, float]:
        """Lowest and highest x, lowest and highest y of all curves, with a margin."""
        places = [curve.x_at(np.array([0, len(curve.y) - 1])) for curve in self.curves if len(curve.y)]
        values = [curve.y for curve in self.curves if np.isfinite(curve.y).any()]
        if any(curve.is_bars for curve in self.curves):
            places, values = [np.array([-0.6, len(self.names) - 0.4])], [*values, np.zeros(1)]
        return (*_widened(places, 0.01), *_widened(values, 0.06))


def _widened(arrays: list[Array], share: float) -> tuple[float, float]:
    if not arrays:
        return 0.0, 1.0
    low = min(float(np.fmin.reduce(a)) for a in arrays)
    high = max(float(np.fmax.reduce(a)) for a in arrays)
    margin = (high - low) * share or 0.5
    return low - margin, high + margin


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotEntry:
    """One line of the chooser; `place` counts clips or leads."""

    key: str
    group: str
    label: str
    make: Callable[[StudyResults, int], Plot]
    place: int = 0


NOT_MEASURED = "The chambers of this clip were not measured."


def entries_of(results: StudyResults) -> tuple[PlotEntry, ...]:
    """Every plot of a case, grouped by clip and ECG."""
    made = []
    for place, cine in enumerate(results.cines):
        group = f"Echo · {cine.view}" if len(results.cines) == 1 else f"Echo · clip {place + 1} · {cine.view}"
        made += [
            PlotEntry(key=f"{name}:{place}", group=group, label=label, make=make, place=place)
            for name, label, make in ECHO_PLOTS
        ]
    if results.ecg is not None:
        shown = (*ECG_PLOTS, *(LONG_PLOTS if results.ecg.overview is not None else ()))
        made += [PlotEntry(key=name, group="ECG", label=label, make=make) for name, label, make in shown]
        made += [
            PlotEntry(key=f"lead:{place}", group="ECG", label=f"Lead {lead}", make=_lead_plot, place=place)
            for place, lead in enumerate(results.ecg.record.leads)
        ]
    return tuple(made)


# --- echo -------------------------------------------------------------------------------------------------


def _cine_analysis(results: StudyResults, place: int) -> CineAnalysis | str:
    """The analysis of a clip, or why there is none."""
    found, whole = results.clip_analyses[place], results.echo_analysis
    if found is not None:
        return found
    own = results.detections[place].low_confidence_reason if place < len(results.detections) else None
    return own or (whole.skipped_reason if whole is not None else None) or NOT_MEASURED


def _frame_positions(cine: EchoCine) -> tuple[str, str, Array]:
    """Name, unit and values of the x axis: seconds, or frame numbers where the frames' times are not known."""
    if cine.timing_known:
        return "Time", "s", np.asarray(cine.frame_times_s, float)
    return "Frame", "", np.arange(1.0, len(cine.frames) + 1)


def _volume_plot(results: StudyResults, place: int) -> Plot:
    title = "LV volume"
    found = _cine_analysis(results, place)
    if isinstance(found, str):
        return Plot(title=title, missing=found)
    x_name, x_unit, x = _frame_positions(results.cines[place])
    if len(found.volume_curve) != len(x) or not np.isfinite(found.volume_curve).any():
        reason = results.echo_analysis.skipped_reason if results.echo_analysis else None
        return Plot(title=title, missing=reason or "No volume curve could be measured in this clip.")
    curves = [Curve(name="Raw", x=x, y=found.volume_curve, colour="muted")]
    if len(found.smoothed_curve) == len(x):
        curves.append(Curve(name="Smoothed", x=x, y=found.smoothed_curve))
    excluded = [beat.excluded for beat in found.beats if beat.excluded]
    return Plot(
        title=title,
        x_name=x_name,
        x_unit=x_unit,
        y_name="Volume" if found.volume_unit == "mL" else "Volume, relative",
        y_unit=found.volume_unit,
        curves=(*curves, *_beat_marks(found, x, curves[-1].y)),
        note=f"Beats left out of the means: {'; '.join(excluded)}." if excluded else "",
    )


def _beat_marks(found: CineAnalysis, x: Array, y: Array) -> tuple[Curve, ...]:
    """End-diastoles and end-systoles; those of beats that are left out as one row of their own."""
    kept = [beat for beat in found.beats if beat.excluded is None]
    left_out = [beat for beat in found.beats if beat.excluded is not None]
    rows = (
        ("End-diastole", [b.ed_idx for b in kept], "warn", "o"),
        ("End-systole", [b.es_idx for b in kept], "bad", "t"),
        ("Beats left out", [i for b in left_out for i in (b.ed_idx, b.es_idx)], "muted", "x"),
    )
    marks = []
    for name, places, colour, mark in rows:
        idx = np.unique([i for i in places if 0 <= i < len(x)]).astype(int)
        if len(idx):
            marks.append(Curve(name=name, x=x[idx], y=y[idx], colour=colour, mark=mark))
    return tuple(marks)


def _segments_plot(results: StudyResults, place: int) -> Plot:
    title = "Wall segments"
    found = _cine_analysis(results, place)
    if isinstance(found, str):
        return Plot(title=title, missing=found)
    values = np.array([np.nan if s.radial_excursion_pct is None else s.radial_excursion_pct for s in found.segments])
    withheld = [f"{s.name}: {s.reason}" for s in found.segments if s.radial_excursion_pct is None]
    if not np.isfinite(values).any():
        return Plot(title=title, missing="\n".join(withheld) or "No wall segment was measured in this clip.")
    return Plot(
        title=title,
        x_name="Segment",
        y_name="Inward motion, end-diastole to end-systole",
        y_unit="%",
        curves=(Curve(name="Excursion", x=np.arange(len(values), dtype=float), y=values, is_bars=True),),
        names=tuple(s.name for s in found.segments),
        note=" ".join(filter(None, (_suggested_scores(found), f"Withheld: {'; '.join(withheld)}" if withheld else ""))),
    )


def _suggested_scores(found: CineAnalysis) -> str:
    scores = [f"{s.name} {score_text(s)}" for s in found.segments if s.score or s.score_range]
    return f"Scores, and the classes that the interval reaches: {', '.join(scores)}." if scores else ""


def _confidence_plot(results: StudyResults, place: int) -> Plot:
    title = "Detection confidence"
    if place >= len(results.detections):
        return Plot(title=title, missing="The chambers of this clip were not detected.")
    found = results.detections[place]
    x = np.arange(1.0, len(found.confidence) + 1)
    return Plot(
        title=title,
        x_name="Frame",
        y_name="Confidence, 0 to 1",
        curves=(Curve(name="Confidence", x=x, y=found.confidence),),
        note=found.low_confidence_reason or "",
    )


# --- ECG --------------------------------------------------------------------------------------------------


def _lead_plot(results: StudyResults, place: int) -> Plot:
    ecg = results.ecg
    if ecg is None or place >= len(ecg.record.leads):
        return Plot(title="Lead", missing="This lead is not in the record.")
    rate_hz = ecg.record.sampling_rate_hz
    raw, filtered = ecg.record.signal_mv[place], ecg.filtered_mv[place]
    usable = bool(ecg.lead_usable[place])
    return Plot(
        title=f"Lead {ecg.record.leads[place]}",
        x_name="Time",
        x_unit="s",
        y_name="Voltage",
        y_unit="mV",
        curves=(
            Curve(name="Raw", y=raw, rate_hz=rate_hz, colour="muted"),
            Curve(name="Filtered", y=filtered, rate_hz=rate_hz),
            *_r_marks(ecg, results.ecg_analysis, place),
        ),
        note=f"Filter: {ecg.filter_text}."
        + ("" if usable else " This lead is left out of the analysis.")
        + ("" if ecg.overview is None else " Only the beginning of the record is kept beside its file."),
    )


def _r_marks(ecg: PreparedEcg, analysis: EcgAnalysis | None, place: int) -> tuple[Curve, ...]:
    if analysis is None:
        return ()
    peaks = analysis.r_peaks_idx
    peaks = peaks[(peaks >= 0) & (peaks < ecg.filtered_mv.shape[1])]
    if len(peaks) == 0:
        return ()
    x = peaks / ecg.record.sampling_rate_hz
    return (Curve(name="R peaks", x=x, y=ecg.filtered_mv[place][peaks], colour="warn", mark="o"),)


def _rr_plot(results: StudyResults, _place: int) -> Plot:
    """Each interval stands at the beat that ends it and has that beat's class."""
    title = "RR tachogram"
    ecg, analysis = results.ecg, results.ecg_analysis
    if ecg is None or analysis is None:
        return Plot(title=title, missing="The beats of this ECG were not analysed.")
    if len(analysis.r_peaks_idx) < MIN_BEATS:
        return Plot(title=title, missing="Fewer than two beats were found, so there is no interval to plot.")
    x = analysis.r_peaks_idx[1:] / ecg.record.sampling_rate_hz
    rr_ms = np.diff(analysis.r_peaks_idx) / ecg.record.sampling_rate_hz * 1000.0
    if analysis.long is not None:
        rr_ms[~analysis.long.rr_known] = np.nan  # noise is no pause
    classes = np.array(analysis.beat_classes[1:])
    marks = [
        Curve(name=name, x=x[classes == letter], y=rr_ms[classes == letter], colour=colour, mark=mark)
        for letter, name, colour, mark in BEAT_CLASSES
        if len(classes) == len(x) and np.any(classes == letter)
    ]
    return Plot(
        title=title,
        x_name="Time",
        x_unit="s",
        y_name="RR interval",
        y_unit="ms",
        curves=(Curve(name="RR", x=x, y=rr_ms, colour="muted"), *marks),
        note="An interval stands at the beat that ends it.",
    )


# --- ECG of hours -----------------------------------------------------------------------------------------


def _trend_plot(results: StudyResults, _place: int) -> Plot:
    title = "Heart rate trend"
    course = results.ecg_analysis.long if results.ecg_analysis is not None else None
    if course is None:
        return Plot(title=title, missing="The hours of this ECG were not analysed.")
    hours = (np.arange(course.trend_bpm.size) + 0.5) / 60.0
    in_af = np.zeros(hours.size, bool)
    for episode in course.episodes:
        if episode.kind == "af":
            in_af |= (hours >= episode.start_s / 3600.0) & (hours <= episode.end_s / 3600.0)
    pauses_h = np.array([episode.start_s / 3600.0 for episode in course.episodes if episode.kind == "pause"])
    rate = course.trend_bpm.astype(float)
    marks = [
        Curve(name="Atrial fibrillation suspected", x=hours[in_af], y=rate[in_af], colour="warn", mark="o"),
        Curve(name="Pause", x=pauses_h, y=np.full(pauses_h.size, np.nanmin(rate)), colour="bad", mark="t1"),
    ]
    return Plot(
        title=title,
        x_name="Time",
        x_unit="h",
        y_name="Heart rate",
        y_unit="1/min",
        curves=(Curve(name="Mean of each minute", x=hours, y=rate), *(mark for mark in marks if mark.y.size)),
        note="A minute that is noisy or empty has no rate.",
    )


def _overview_plot(results: StudyResults, _place: int) -> Plot:
    """Of the lead of the best quality."""
    ecg = results.ecg
    if ecg is None or ecg.overview is None:
        return Plot(title="Whole record", missing="This ECG is short: its leads are shown whole.")
    lead = int(np.argmax(ecg.lead_quality))
    hours = np.arange(ecg.overview.clean.size) / 3600.0
    unclean = ~ecg.overview.clean
    low, high = ecg.overview.low_mv[lead], ecg.overview.high_mv[lead]
    curves = [
        Curve(name="Highest of each second", x=hours, y=high),
        Curve(name="Lowest of each second", x=hours, y=low, colour="muted"),
    ]
    if unclean.any():
        curves.append(Curve(name="Not analysed", x=hours[unclean], y=high[unclean], colour="bad", mark="x"))
    return Plot(
        title=f"Whole record, lead {ecg.record.leads[lead]}",
        x_name="Time",
        x_unit="h",
        y_name="Voltage",
        y_unit="mV",
        curves=tuple(curves),
        note=f"Filter: {ecg.filter_text}. Noisy or empty seconds are not analysed.",
    )


ECHO_PLOTS = (
    ("volume", "LV volume", _volume_plot),
    ("segments", "Wall segments", _segments_plot),
    ("confidence", "Detection confidence", _confidence_plot),
)
ECG_PLOTS = (("rr", "RR tachogram", _rr_plot),)
LONG_PLOTS = (("trend", "Heart rate trend", _trend_plot), ("overview", "Whole record", _overview_plot))
