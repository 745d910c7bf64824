"""Which signals of a recording are ECG leads, and which of them can stand in one array."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.ecg.leads import canonical_lead
from pipeline.ecg.readers.scaling import mv_per_unit
from pipeline.errors import InputError
from pipeline.records import Remark

# Labels of other signals: a word that starts with one of the first, or is one of the second.
OTHER_STEMS = (
    "resp",
    "pleth",
    "spo2",
    "sao2",
    "nibp",
    "temp",
    "airflow",
    "snore",
    "pulse",
    "marker",
    "trigger",
    "accel",
)
OTHER_WORDS = (
    *("eeg", "emg", "eog", "gsr", "eda", "rsp", "ppg", "co2", "abp", "art", "cvp", "pap", "icp", "bp", "hr"),
    *("flow", "thor", "thorax", "abd", "abdomen", "pos", "position", "light", "status", "event"),
)
_EEG_ELECTRODE = re.compile(r"(fp|af|f|fc|ft|c|cp|tp|t|p|po|o|a)\d{1,2}|(fp|af|f|fc|c|cp|p|po|o)z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Positions of the kept signals, their common rate, and remarks on the dropped ones."""

    kept_idx: tuple[int, ...]
    sampling_rate_hz: float
    remarks: tuple[Remark, ...]


def select_leads(
    labels: Sequence[str], units: Sequence[str], rates_hz: Sequence[float], *, labelled_only: bool
) -> Selection:
    """Choose the ECG leads of a recording.

    A signal is kept when its unit is a voltage, its label names no other kind of signal and its rate
    is the commonest among those (the higher one of two equally common).

    Parameters
    ----------
    labelled_only
        For formats that mix modalities: when at least one signal is labelled as an ECG, keep only such;
        else keep every other voltage and say so.

    Raises
    ------
    InputError
        E_INPUT_KIND when nothing is left.
    """
    ecg = [i for i, label in enumerate(labels) if mv_per_unit(units[i]) is not None and not _is_other(label)]
    if not ecg:
        raise InputError("The recording holds no ECG signal.", code="E_INPUT_KIND")
    remarks = []
    if labelled_only:
        labelled = [i for i in ecg if _is_labelled_ecg(labels[i])]
        if not labelled:
            text = "No signal is labelled as an ECG: all signals in volts were taken as leads."
            remarks.append(Remark(code="W_ECG_UNLABELLED", text=text))
        ecg = labelled or ecg
    if len(ecg) < len(labels):
        text = f"{len(labels) - len(ecg)} signals that are no ECG were left out."
        remarks.append(Remark(code="W_ECG_CHANNELS", text=text))
    rate_hz = _commonest_rate([rates_hz[i] for i in ecg])
    kept = tuple(i for i in ecg if rates_hz[i] == rate_hz)
    if len(kept) < len(ecg):
        text = f"{len(ecg) - len(kept)} leads have another sampling rate than {rate_hz:g} Hz and were left out."
        remarks.append(Remark(code="W_ECG_RATES", text=text))
    return Selection(kept_idx=kept, sampling_rate_hz=rate_hz, remarks=tuple(remarks))


def _is_other(label: str) -> bool:
    if canonical_lead(label) is not None:
        return False
    words = re.findall(r"[a-z0-9]+", label.casefold())
    return any(word in OTHER_WORDS or word.startswith(OTHER_STEMS) or _EEG_ELECTRODE.fullmatch(word) for word in words)


def _is_labelled_ecg(label: str) -> bool:
    return canonical_lead(label) is not None or any(word in label.casefold() for word in ("ecg", "ekg"))


def _commonest_rate(rates_hz: Sequence[float]) -> float:
    counts = Counter(rates_hz)
    return max(counts, key=lambda rate_hz: (counts[rate_hz], rate_hz))
