"""Classes of heart beats by shape and timing: N normal, S supraventricular ectopic, V ventricular ectopic, Q unknown.

Two small ensembles of trees judge the features of each beat, all of them relative to the record's own usual beat.
Two rules follow that no patient of the training can teach: an early beat means nothing in fibrillation, and a run
that began with a supraventricular beat lasts until the rate falls back. F (fusion) is never claimed: in the training
data it comes from one patient.

Source: the class letters are those of ANSI/AAMI EC57; the comparison of shape and RR with the patient's own usual
beat follows de Chazal et al., IEEE Trans Biomed Eng 2004, doi 10.1109/TBME.2004.827359. We differ: trees instead of
linear discriminants, any number of leads, two rules about the rhythm.
"""

from __future__ import annotations

import numpy as np

from pipeline.ecg.beat_features import FEATURES, beat_features
from pipeline.ecg.beat_model import BeatModel, load_beat_model
from pipeline.records import Array

_EDGE_S = 0.08  # a beat nearer to an end of the record is cut off
_PATTERNLESS = 0.13  # change of RR without a pattern, as a share of the usual RR, from which on it is fibrillation
_EARLY, _SUDDEN, _STILL_FAST = 0.86, 0.75, 0.85  # RR over the usual RR before a run
_DROP = 0.80  # RR over the RR before at the first beat of a run that no tree has seen
_BEFORE_RUN, _LEAST_BEFORE, _SURE_RUN = 8, 3, 3  # beats
_RR_RANGE_S = (0.2, 3.0)


def classify_beats(signal_mv: Array, sampling_rate_hz: float, r_peaks_idx: Array) -> Array:
    """Class letter of every beat.

    Parameters
    ----------
    signal_mv
        float (n_leads, n_samples), mV; NaN where a sample is missing.
    r_peaks_idx
        int (n_beats,), ascending.

    Returns
    -------
    str (n_beats,) of 'N', 'S', 'V' and 'Q'; 'Q' where no lead is clear or the record's end cuts the beat.

    Raises
    ------
    HardStopError, ModelError
        The model of this installation is damaged or cannot be read.
    """
    peaks = np.asarray(r_peaks_idx, np.int64)
    if peaks.size == 0:
        return np.empty(0, "<U1")
    signal_mv = np.atleast_2d(np.asarray(signal_mv))
    table = beat_features(signal_mv, sampling_rate_hz, peaks)
    last = signal_mv.shape[1] - 1
    cut = np.minimum(peaks, last - peaks) < _EDGE_S * sampling_rate_hz
    return beat_letters(table, peaks / sampling_rate_hz, cut, load_beat_model())


def beat_letters(table: Array, peaks_s: Array, cut: Array, model: BeatModel) -> Array:
    """The decision of `classify_beats` from the feature table, beat times and bool (n_beats,) of beats cut off."""
    unclear = np.asarray(~np.isfinite(table).all(axis=1))
    known = np.where(unclear[:, None], 0.0, table)
    patternless = np.asarray(known[:, FEATURES.index("patternless")] > _PATTERNLESS)
    is_s = (model.supraventricular.margin(known) > 0) & ~patternless
    letters = np.where(model.ventricular.margin(known) > 0, "V", np.where(is_s, "S", "N"))
    letters = np.where(unclear | cut, "Q", letters)
    return np.asarray(_with_runs(letters, peaks_s, patternless), "<U1")


def _undisturbed(letters: Array, stop: int) -> list[int]:
    """The last normal beats before `stop` that follow a normal one: no pause after an ectopic beat among their RR."""
    near = range(max(1, stop - 2 * _BEFORE_RUN), stop)
    return [k for k in near if letters[k] == "N" and letters[k - 1] == "N"][-_BEFORE_RUN:]


def _with_runs(letters: Array, peaks_s: Array, patternless: Array) -> Array:
    """Beats of the usual shape inside a supraventricular run are supraventricular too.

    A run begins with an early supraventricular beat, or where the rate rises by a third from one beat to the next and
    stays there: a sinus node does not do that. It lasts until RR is back near what it was before.
    """
    found = letters.copy()
    rr_s = np.clip(np.diff(peaks_s, prepend=peaks_s[:1]), *_RR_RANGE_S)
    drop = rr_s < _DROP * np.concatenate([rr_s[:1], rr_s[:-1]])
    for candidate in np.flatnonzero(((letters == "S") | ((letters == "N") & drop)) & ~patternless):
        onset = int(candidate)
        before = _undisturbed(found, onset)
        if len(before) < _LEAST_BEFORE:
            continue
        usual_s = float(np.median(rr_s[before]))
        fast = (rr_s[onset:] < _STILL_FAST * usual_s) & ~patternless[onset:] & np.isin(found[onset:], ("N", "S"))
        length = int(np.argmin(fast)) if not fast.all() else fast.size
        sudden = length >= _SURE_RUN and bool((rr_s[onset : onset + _SURE_RUN] < _SUDDEN * usual_s).all())
        if sudden or (letters[onset] == "S" and rr_s[onset] <= _EARLY * usual_s):
            found[onset : onset + length] = "S"
    return found
