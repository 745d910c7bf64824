"""From beats and boundaries to measurements with proof, or the reason for their absence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.clinical.reference_ranges import axis_band, heart_rate_band, pr_band, qrs_band, qtc_band
from pipeline.ecg import hrv
from pipeline.ecg.intervals import (
    WIDE_QRS_MS,
    BeatIntervals,
    frontal_axis_deg,
    qtc_bazett_ms,
    qtc_framingham_ms,
    qtc_fridericia_ms,
    qtc_hodges_ms,
)
from pipeline.ecg.metrics import ecg_metric
from pipeline.measurements import measured, withheld
from pipeline.records import Array, Delineation, Measurement, PreparedEcg, Remark, Sex, Source

_LISTED_BEATS = 50  # beats named in a source; of more, those nearest to the value
_LEAST_SHARE = 0.5  # of the normal beats that must show a wave before its interval is given
_MEDIAN_ERROR = 1.2533  # standard error of a median over that of a mean, for a bell curve
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
    has_p: Array  # bool (n_beats,)
    delineation: Delineation
    intervals: BeatIntervals
    sex: Sex | None
    paced: bool

    @property
    def rate_hz(self) -> float:
        return self.ecg.record.sampling_rate_hz

    @property
    def record_s(self) -> float:
        return float(self.signal_mv.shape[1] / self.rate_hz)

    @property
    def rr_s(self) -> Array:
        return np.diff(self.peaks) / self.rate_hz

    @property
    def normal(self) -> Array:
        """Bool (n_beats,): the beats that intervals are measured in; all where none is of the usual shape."""
        normal = self.classes == "N"
        return normal if normal.any() else np.ones(self.classes.size, bool)


def ecg_measurements(findings: EcgFindings) -> tuple[Measurement, ...]:
    """All measurements, in the order of the metrics table."""
    return (
        *_rate(findings),
        *(_interval(findings, name) for name in ("pr", "qrs", "qt")),
        *_corrected(findings),
        _jt(findings),
        _axis(findings),
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
    if findings.paced:
        remarks.append(Remark(code="W_ECG_PACED", text="The metadata says that the heart is paced."))
    return tuple(remarks)


def interval_median(findings: EcgFindings, name: str) -> float | None:
    """Median of "pr", "qrs" or "qt" over the normal beats, ms; None where most of them lack the wave."""
    values = _interval_values(findings, name)[findings.normal]
    known = np.isfinite(values)
    if known.sum() < max(1.0, _LEAST_SHARE * values.size):
        return None
    if name == "pr" and findings.af_beats.mean() > 0.5:
        return None
    return float(np.median(values[known]))


def _interval_values(findings: EcgFindings, name: str) -> Array:
    return np.asarray(getattr(findings.intervals, f"{name}_ms"))


def _source(findings: EcgFindings, beats: Array, lead: str | None = None) -> Source:
    listed = tuple(int(i) for i in beats[:_LISTED_BEATS])
    return Source(file_sha256=findings.ecg.file_sha256, beat_idx=listed, lead=lead)


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
        if name == "pr" and findings.af_beats.mean() > 0.5:
            return withheld(metric, "Atrial fibrillation is suspected: there is no PR interval.")
        return withheld(metric, _MISSING_WAVE[name])
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
    rr_s = float(findings.rr_s.mean())
    beats, values = _known_beats(findings, "qt")
    limits = _spread(values, qt_ms, _MEDIAN_ERROR)
    source = _source(findings, beats[np.argsort(np.abs(values - qt_ms), kind="stable")])
    qrs_ms = interval_median(findings, "qrs")
    wide = qrs_ms is not None and qrs_ms >= WIDE_QRS_MS
    found = []
    for name, formula in _QTC:
        metric = ecg_metric(name)
        value_ms = formula(qt_ms, rr_s)
        note = "; wide QRS: read the JT interval beside it" if wide else ""
        method = f"{metric.method}, RR {1000 * rr_s:.0f} ms{note}"
        interval = None if limits is None else (formula(limits[0], rr_s), formula(limits[1], rr_s))
        band = qtc_band(value_ms, findings.sex)
        found.append(measured(metric, value_ms, source=source, interval=interval, band=band, method=method))
    return found


def _jt(findings: EcgFindings) -> Measurement:
    metric = ecg_metric("jt")
    qt_ms, qrs_ms = interval_median(findings, "qt"), interval_median(findings, "qrs")
    if qt_ms is None or qrs_ms is None:
        return withheld(metric, "QT or QRS could not be measured.")
    if qrs_ms < WIDE_QRS_MS:
        return withheld(metric, "Given only where the QRS lasts 120 ms or more.")
    return measured(metric, qt_ms - qrs_ms, source=_source(findings, _known_beats(findings, "qt")[0]))


# --- axis --------------------------------------------------------------------------------------------


def _axis(findings: EcgFindings) -> Measurement:
    metric = ecg_metric("axis")
    lead_i, lead_avf = _lead(findings, "I"), _lead(findings, "aVF")
    if lead_avf is None and lead_i is not None:
        lead_ii = _lead(findings, "II")
        lead_avf = None if lead_ii is None else lead_ii - 0.5 * lead_i
    if lead_i is None or lead_avf is None:
        return withheld(metric, "The leads I and aVF are not both there and usable.")
    beats, _ = _known_beats(findings, "qrs")
    if beats.size == 0:
        return withheld(metric, _MISSING_WAVE["qrs"])
    onset = np.nanmedian(findings.delineation.qrs_on[:, beats], axis=0)
    end = np.nanmedian(findings.delineation.qrs_off[:, beats], axis=0)
    axis_deg = frontal_axis_deg(lead_i, lead_avf, onset, end, findings.rate_hz)
    if not np.isfinite(axis_deg):
        return withheld(metric, "The QRS is as much up as down in both leads: no axis.")
    source = _source(findings, beats, "I, aVF")
    return measured(metric, axis_deg, source=source, band=axis_band(axis_deg))


def _lead(findings: EcgFindings, name: str) -> Array | None:
    """One usable lead (n_samples,) by its name, None where it is not there or not usable."""
    for row, lead in enumerate(findings.ecg.record.leads):
        if lead.strip().lower() == name.lower() and bool(findings.ecg.lead_usable[row]):
            return np.asarray(findings.signal_mv[row])
    return None


# --- ectopics and variability ------------------------------------------------------------------------


def _counts(findings: EcgFindings) -> list[Measurement]:
    found = []
    for name, letter in (("pvc_count", "V"), ("pac_count", "S")):
        beats = np.flatnonzero(findings.classes == letter)
        found.append(measured(ecg_metric(name), float(beats.size), source=_source(findings, beats)))
    beats = np.flatnonzero(findings.af_beats)
    share_pct = 100.0 * float(findings.af_beats.mean())
    found.append(measured(ecg_metric("af_share"), share_pct, source=_source(findings, beats)))
    return found


def _variability(findings: EcgFindings) -> list[Measurement]:
    intervals = hrv.normal_intervals(findings.peaks, findings.rate_hz, findings.classes)
    ectopic_share = float(np.isin(findings.classes, ("V", "S")).mean())
    reasons = {
        name: hrv.refusal(
            name,
            intervals,
            record_s=findings.record_s,
            ectopic_share=ectopic_share,
            af_share=float(findings.af_beats.mean()),
            paced=findings.paced,
        )
        for name in hrv.LEAST_RECORD_S
    }
    values = _allowed_values(intervals, {name for name, reason in reasons.items() if reason is None})
    source = _source(findings, np.flatnonzero(findings.classes == "N"))
    found = []
    for name, reason in reasons.items():
        metric = ecg_metric(name)
        if reason is not None:
            found.append(withheld(metric, reason))
            continue
        indicative = name == "sdnn" and findings.record_s < hrv.SDNN_INDICATIVE_S
        method = f"{metric.method}; indicative only: {findings.record_s:.0f} s" if indicative else None
        found.append(measured(metric, values[name], source=source, method=method))
    return found


def _allowed_values(intervals: hrv.NormalIntervals, allowed: set[str]) -> dict[str, float]:
    """Values of the indices that may be given."""
    direct: dict[str, Callable[[hrv.NormalIntervals], float]] = {
        "rmssd": hrv.rmssd_ms,
        "sdnn": hrv.sdnn_ms,
        "pnn50": hrv.pnn50_pct,
        "triangular_index": hrv.triangular_index,
    }
    values = {name: formula(intervals) for name, formula in direct.items() if name in allowed}
    if allowed & {"hf", "lf", "vlf", "lf_hf"}:
        powers = hrv.band_powers_ms2(intervals)
        values.update({name: power for name, power in powers.items() if name in allowed})
        values["lf_hf"] = powers["lf"] / powers["hf"] if powers["hf"] > 0 else float("nan")
    return values
