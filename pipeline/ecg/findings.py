"""From beats and boundaries to measurements with proof, or the reason for their absence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.clinical.reference_ranges import heart_rate_band, pr_band, qrs_band, qtc_band
from pipeline.ecg import hrv
from pipeline.ecg.burden import burden
from pipeline.ecg.intervals import (
    WIDE_QRS_MS,
    BeatIntervals,
    qtc_bazett_ms,
    qtc_framingham_ms,
    qtc_fridericia_ms,
    qtc_hodges_ms,
    usual_median,
)
from pipeline.ecg.lead_swap import swap_remarks
from pipeline.ecg.median_beat import usual_beats
from pipeline.ecg.metrics import ecg_metric
from pipeline.ecg.pacing import Pacing
from pipeline.ecg.shape import BeatShape
from pipeline.ecg.shape_measurements import shape_measurements
from pipeline.ecg.sources import beat_source
from pipeline.ecg.variability import variability
from pipeline.measurements import measured, withheld
from pipeline.records import Array, Measurement, PreparedEcg, Remark, Sex, Source

_MEDIAN_ERROR = 1.2533  # standard error of a median over that of a mean, for a bell curve
_FEWEST_RR = 3
_IRREGULAR_SHARE = 0.1  # standard deviation of RR over its mean
_MISSING_WAVE = {
    "pr": "No P wave was found in most beats.",
    "qrs": "The QRS boundaries could not be found in most beats.",
    "qt": "The end of the T wave could not be found in most beats.",
}
_QTC: tuple[tuple[str, Callable[[float, float], float]], ...] = (
    ("qtcf", qtc_fridericia_ms),
    ("qtc_framingham", qtc_framingham_ms),
    ("qtcb", qtc_bazett_ms),
    ("qtc_hodges", qtc_hodges_ms),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgFindings:
    """Everything found in one ECG before it becomes measurements."""

    ecg: PreparedEcg
    signal_mv: Array  # (n_leads, n_samples), NaN where not usable
    peaks: Array  # int64 (n_beats,)
    classes: Array  # str (n_beats,)
    af_beats: Array  # bool (n_beats,)
    flutter_beats: Array  # bool (n_beats,)
    has_p: Array  # bool (n_beats,)
    intervals: BeatIntervals
    shape: BeatShape
    sex: Sex | None
    paced_note: str | None  # that the heart is paced, as the user or the file says
    pacing: Pacing  # as the trace shows

    @property
    def paced(self) -> bool:
        """Whether the heart is paced, by what was given or by spikes before at least a part of the beats."""
        return self.paced_note is not None or bool(self.pacing.beats.any())

    @property
    def rate_hz(self) -> float:
        return self.ecg.record.sampling_rate_hz

    @property
    def record_s(self) -> float:
        return float(self.signal_mv.shape[1] / self.rate_hz)

    @property
    def no_pr_reason(self) -> str | None:
        """Why there is no PR interval in this rhythm."""
        for beats, rhythm in ((self.af_beats, "fibrillation"), (self.flutter_beats, "flutter")):
            if beats.mean() > 0.5:
                return f"Atrial {rhythm} is suspected: there is no PR interval."
        return None

    @property
    def rr_s(self) -> Array:
        return np.diff(self.peaks) / self.rate_hz

    @property
    def normal(self) -> Array:
        """Bool (n_beats,): the beats that intervals are measured in; all where none is of the usual shape."""
        return usual_beats(self.classes)


def ecg_measurements(findings: EcgFindings) -> tuple[Measurement, ...]:
    """All measurements, in the order of the metrics table."""
    return (
        *_rate(findings),
        *(_interval(findings, name) for name in ("pr", "qrs", "qt")),
        *_corrected(findings),
        *_jt(findings),
        *shape_measurements(findings.shape, findings.ecg, np.flatnonzero(findings.normal)),
        *_counts(findings),
        *_variability(findings),
    )


def ecg_remarks(findings: EcgFindings) -> tuple[Remark, ...]:
    """What a reader of the ECG's numbers must know."""
    remarks = []
    qrs_ms = interval_median(findings, "qrs")
    if qrs_ms is not None and qrs_ms >= WIDE_QRS_MS:
        text = "The QRS is wide: QTc overstates repolarisation, the JT interval is given beside it."
        remarks.append(Remark(code="W_ECG_WIDE_QRS", text=text))
    if findings.af_beats.any():
        text = "Atrial fibrillation is suspected: rate and QT vary from beat to beat."
        remarks.append(Remark(code="W_ECG_AF_SUSPECTED", text=text))
    elif _is_irregular(findings):
        text = "The rhythm is irregular: QTc rests on the mean RR and is less certain."
        remarks.append(Remark(code="W_ECG_QTC_IRREGULAR", text=text))
    if findings.paced_note is not None:
        remarks.append(Remark(code="W_ECG_PACED", text=findings.paced_note))
    elif findings.paced:
        text = f"A paced rhythm is suspected. {findings.pacing.evidence} What pacing forbids is withheld."
        remarks.append(Remark(code="W_ECG_PACED", text=text))
    return (*remarks, *swap_remarks(findings.shape.limb_swap, findings.shape.chest_swap))


def interval_median(findings: EcgFindings, name: str) -> float | None:
    """Median of "pr", "qrs" or "qt" over the normal beats, ms; None where most of them lack the wave."""
    if name == "pr" and findings.no_pr_reason is not None:
        return None
    return usual_median(_interval_values(findings, name), findings.normal)


def _interval_values(findings: EcgFindings, name: str) -> Array:
    return np.asarray(getattr(findings.intervals, f"{name}_ms"))


def _source(findings: EcgFindings, beats: Array, lead: str | None = None) -> Source:
    return beat_source(findings.ecg.file_sha256, beats, lead)


def _spread(values: Array, centre: float, factor: float) -> tuple[float, float] | None:
    """95 % interval of a mean or a median from the spread over beats; None from fewer than three."""
    if values.size < 3:
        return None
    half = 1.96 * factor * float(np.std(values, ddof=1)) / float(np.sqrt(values.size))
    return centre - half, centre + half


# --- rate --------------------------------------------------------------------------------------------


def _rate(findings: EcgFindings) -> list[Measurement]:
    names = ("heart_rate", "rr_mean", "rr_range", "longest_rr")
    rr_ms = 1000.0 * findings.rr_s
    if rr_ms.size == 0:
        return [withheld(ecg_metric(name), "Fewer than two beats were found.") for name in names]
    mean_ms = float(rr_ms.mean())
    rate_bpm = 60_000.0 / mean_ms
    limits = _spread(rr_ms, mean_ms, 1.0)
    rate_limits = None
    if limits is not None and limits[0] > 0:
        rate_limits = (60_000.0 / limits[1], 60_000.0 / limits[0])
    all_beats = _source(findings, np.arange(findings.peaks.size))
    longest = int(rr_ms.argmax())
    gap = _source(findings, np.array([longest, longest + 1]))
    ends = _source(findings, np.array([longest + 1, int(rr_ms.argmin()) + 1]))
    return [
        measured(
            ecg_metric("heart_rate"),
            rate_bpm,
            source=all_beats,
            interval=rate_limits,
            band=heart_rate_band(rate_bpm),
        ),
        measured(ecg_metric("rr_mean"), mean_ms, source=all_beats, interval=limits),
        measured(ecg_metric("rr_range"), float(np.ptp(rr_ms)), source=ends),
        measured(ecg_metric("longest_rr"), float(rr_ms.max()), source=gap),
    ]


# --- intervals ---------------------------------------------------------------------------------------


def _interval(findings: EcgFindings, name: str) -> Measurement:
    metric = ecg_metric(name)
    centre = interval_median(findings, name)
    if centre is None:
        reason = findings.no_pr_reason if name == "pr" else None
        return withheld(metric, reason or _MISSING_WAVE[name])
    beats, values = _known_beats(findings, name)
    bands: dict[str, Callable[[float], str | None]] = {"pr": pr_band, "qrs": qrs_band}
    band = bands[name](centre) if name in bands else None
    source = _source(findings, beats[np.argsort(np.abs(values - centre), kind="stable")])
    return measured(metric, centre, source=source, interval=_spread(values, centre, _MEDIAN_ERROR), band=band)


def _known_beats(findings: EcgFindings, name: str) -> tuple[Array, Array]:
    """Normal beats that have the interval, and its values."""
    values = _interval_values(findings, name)
    beats = np.flatnonzero(findings.normal & np.isfinite(values))
    return beats, values[beats]


def _corrected(findings: EcgFindings) -> list[Measurement]:
    qt_ms = interval_median(findings, "qt")
    if qt_ms is None or findings.rr_s.size == 0:
        reason = _MISSING_WAVE["qt"] if qt_ms is None else "Fewer than two beats were found."
        return [withheld(ecg_metric(name), reason) for name, _ in _QTC]
    rr_s = float(_usual_rr_s(findings).mean())
    beats, values = _known_beats(findings, "qt")
    limits = _spread(values, qt_ms, _MEDIAN_ERROR)
    source = _source(findings, beats[np.argsort(np.abs(values - qt_ms), kind="stable")])
    qrs_ms = interval_median(findings, "qrs")
    wide = qrs_ms is not None and qrs_ms >= WIDE_QRS_MS
    note = "; wide QRS: read the JT interval beside it" if wide else ""
    if findings.af_beats.any() or _is_irregular(findings):
        note += "; irregular rhythm: mean RR"
    found = []
    for name, formula in _QTC:
        metric = ecg_metric(name)
        value_ms = formula(qt_ms, rr_s)
        method = f"{metric.method}, RR {1000 * rr_s:.0f} ms{note}"
        interval = None if limits is None else (formula(limits[0], rr_s), formula(limits[1], rr_s))
        band = qtc_band(value_ms, findings.sex)
        found.append(measured(metric, value_ms, source=source, interval=interval, band=band, method=method))
    return found


def _usual_rr_s(findings: EcgFindings) -> Array:
    """RR between normal beats; all RR where there are fewer than three of them."""
    normal = findings.classes == "N"
    between = findings.rr_s[normal[1:] & normal[:-1]]
    return between if between.size >= _FEWEST_RR else findings.rr_s


def _is_irregular(findings: EcgFindings) -> bool:
    """Whether RR between normal beats spread so much that one RR cannot correct a QT."""
    rr_s = _usual_rr_s(findings)
    return rr_s.size >= _FEWEST_RR and bool(np.std(rr_s, ddof=1) > _IRREGULAR_SHARE * rr_s.mean())


def _jt(findings: EcgFindings) -> list[Measurement]:
    metrics = (ecg_metric("jt"), ecg_metric("jtc"))
    qt_ms, qrs_ms = interval_median(findings, "qt"), interval_median(findings, "qrs")
    if qt_ms is None or qrs_ms is None or findings.rr_s.size == 0:
        return [withheld(metric, "QT, QRS or the rate could not be measured.") for metric in metrics]
    if qrs_ms < WIDE_QRS_MS:
        return [withheld(metric, "Given only where the QRS lasts 120 ms or more.") for metric in metrics]
    source = _source(findings, _known_beats(findings, "qt")[0])
    corrected_ms = qtc_fridericia_ms(qt_ms, float(_usual_rr_s(findings).mean()))
    values = (qt_ms - qrs_ms, corrected_ms - qrs_ms)
    return [measured(metric, value, source=source) for metric, value in zip(metrics, values, strict=True)]


# --- ectopics and variability ------------------------------------------------------------------------


def _counts(findings: EcgFindings) -> list[Measurement]:
    found = burden(findings.classes, findings.record_s, lambda beats: _source(findings, beats))
    beats = np.flatnonzero(findings.af_beats)
    share_pct = 100.0 * float(findings.af_beats.mean())
    found.append(measured(ecg_metric("af_share"), share_pct, source=_source(findings, beats)))
    return found


def _variability(findings: EcgFindings) -> list[Measurement]:
    return variability(
        hrv.normal_intervals(findings.peaks, findings.rate_hz, findings.classes),
        record_s=findings.record_s,
        classes=findings.classes,
        af_share=float((findings.af_beats | findings.flutter_beats).mean()),
        paced=findings.paced,
        source=_source(findings, np.flatnonzero(findings.classes == "N")),
    )
