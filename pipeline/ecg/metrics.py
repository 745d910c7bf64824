"""The ECG's rows of the metrics catalogue."""

from __future__ import annotations

from pipeline.records import Metric

_PART_IV = "AHA/ACCF/HRS 2009 part IV, doi 10.1161/CIRCULATIONAHA.108.191096"
_PART_III = "AHA/ACCF/HRS 2009 part III, doi 10.1161/CIRCULATIONAHA.108.191095"
_PART_V = "AHA/ACCF/HRS 2009 part V, doi 10.1161/CIRCULATIONAHA.108.191097"
_PART_I = "AHA/ACC/HRS 2007 part I, doi 10.1161/CIRCULATIONAHA.106.180200"
_TASK_FORCE = "Task Force ESC/NASPE 1996, Circulation 93:1043, doi 10.1161/01.CIR.93.5.1043"
_PENG = "Peng et al., Chaos 1995, doi 10.1063/1.166141"
_RICHMAN = "Richman and Moorman, Am J Physiol 2000, doi 10.1152/ajpheart.2000.278.6.H2039"
_OWN = "definition of this project"
_MEDIAN = "; median over normal beats, interval from its standard error"
_MEDIAN_BEAT = "; in the median beat"
_FRONTAL = f"of the limb leads in the frontal plane{_MEDIAN_BEAT}"
_RR = "RR intervals of all detected beats"
_NN = "RR intervals between normal beats"
_MIDDLE = "up to a thousand"
_HISTOGRAM = "their 7.8125 ms histogram"
_SPECTRUM = f"power spectrum (Welch) of {_NN}, interpolated"


def _metric(
    name: str, label: str, unit: str, digits: int, method: str, reference: str, loinc: str | None = None
) -> Metric:
    return Metric(name=name, label=label, unit=unit, digits=digits, method=method, reference=reference, loinc=loinc)


ECG_METRICS: tuple[Metric, ...] = (
    _metric("heart_rate", "Heart rate", "1/min", 0, f"60 000 over the mean of the {_RR}", _PART_I, "8867-4"),
    _metric("rr_mean", "Mean RR", "ms", 0, f"mean of the {_RR}", _TASK_FORCE),
    _metric("rr_range", "RR range", "ms", 0, f"longest minus shortest of the {_RR}", _TASK_FORCE),
    _metric("longest_rr", "Longest RR", "ms", 0, f"longest of the {_RR}", _OWN),
    _metric("pr", "PR", "ms", 0, f"earliest P onset to earliest QRS onset over leads{_MEDIAN}", _PART_I, "8625-6"),
    _metric("qrs", "QRS", "ms", 0, f"earliest QRS onset to latest QRS end over leads{_MEDIAN}", _PART_III, "8633-0"),
    _metric("qt", "QT", "ms", 0, f"earliest QRS onset to latest T end over leads{_MEDIAN}", _PART_IV, "8634-8"),
    _metric("qtcf", "QTc Fridericia", "ms", 0, "QT / RR^(1/3)", _PART_IV, "76634-5"),
    _metric("qtc_framingham", "QTc Framingham", "ms", 0, "QT + 154 (1 - RR)", _PART_IV),
    _metric("qtcb", "QTc Bazett", "ms", 0, "QT / RR^(1/2)", _PART_IV, "76635-2"),
    _metric("qtc_hodges", "QTc Hodges", "ms", 0, "QT + 1.75 (heart rate - 60)", _PART_IV),
    _metric("jt", "JT", "ms", 0, "QT minus QRS", _PART_IV),
    _metric("jtc", "JTc", "ms", 0, "QTc Fridericia minus QRS", _PART_IV),
    _metric("axis", "QRS axis", "°", 0, f"net QRS area {_FRONTAL}", _PART_III),
    _metric("p_axis", "P axis", "°", 0, f"net P area {_FRONTAL}", _PART_III),
    _metric("t_axis", "T axis", "°", 0, f"net T area {_FRONTAL}", _PART_III),
    _metric("sokolow_lyon", "Sokolow-Lyon", "mV", 2, f"S in V1 plus the taller R of V5 and V6{_MEDIAN_BEAT}", _PART_V),
    _metric("cornell", "Cornell", "mV", 2, f"R in aVL plus S in V3{_MEDIAN_BEAT}", _PART_V),
    _metric("pvc_count", "Ventricular ectopics", "", 0, "beats of another, wider shape, early", _OWN),
    _metric("pac_count", "Supraventricular ectopics", "", 0, "early beats of the usual shape", _OWN),
    _metric("pvc_burden", "Ventricular burden", "%", 2, "share of ventricular ectopic beats in all beats", _OWN),
    _metric("pac_burden", "Supraventricular burden", "%", 2, "share of supraventricular ectopic beats in all", _OWN),
    _metric("pvc_per_hour", "Ventricular ectopics an hour", "1/h", 1, "their number over the time that was read", _OWN),
    _metric("pac_per_hour", "Supraventricular ectopics an hour", "1/h", 1, "number over the time that was read", _OWN),
    _metric("af_share", "Beats in suspected AF", "%", 1, "irregular without pattern and without P waves", _OWN),
    _metric("rmssd", "RMSSD", "ms", 1, f"root mean square of successive differences of {_NN}", _TASK_FORCE),
    _metric("sdnn", "SDNN", "ms", 1, f"standard deviation of {_NN}", _TASK_FORCE),
    _metric("pnn50", "pNN50", "%", 1, f"share of successive differences of {_NN} above 50 ms", _TASK_FORCE),
    _metric("hf", "HF power", "ms²", 0, f"0.15-0.4 Hz, {_SPECTRUM}", _TASK_FORCE),
    _metric("lf", "LF power", "ms²", 0, f"0.04-0.15 Hz, {_SPECTRUM}", _TASK_FORCE),
    _metric("vlf", "VLF power", "ms²", 0, f"0.0033-0.04 Hz, {_SPECTRUM}", _TASK_FORCE),
    _metric("lf_hf", "LF/HF", "", 2, "ratio of LF to HF power", _TASK_FORCE),
    _metric("dfa_alpha1", "DFA alpha 1", "", 2, f"fluctuation of {_NN} over 4 to 16 beats", _PENG),
    _metric(
        "sample_entropy", "Sample entropy", "", 2, f"m = 2, r = 0.2 standard deviations of {_MIDDLE} {_NN}", _RICHMAN
    ),
    _metric("triangular_index", "Triangular index", "", 1, f"{_NN} over the height of {_HISTOGRAM}", _TASK_FORCE),
    _metric("sdann", "SDANN", "ms", 1, f"standard deviation of five-minute means of {_NN}", _TASK_FORCE),
    _metric("ulf", "ULF power", "ms²", 0, f"up to 0.0033 Hz, periodogram of all {_NN}, interpolated", _TASK_FORCE),
)

_BY_NAME = {metric.name: metric for metric in ECG_METRICS}


def ecg_metric(name: str) -> Metric:
    """The row of a name that is in the table."""
    return _BY_NAME[name]
