"""Classes of heart beats by shape and timing: N normal, S supraventricular ectopic, V ventricular ectopic, Q unknown.

Two small ensembles of trees judge the features of each beat, all of them relative to the record's own usual beat.
Beats of one shape come from one place, so that they are ventricular or not together: what the trees say of each is
averaged over the beats that look the same. Two rules follow that no patient of the training can teach: an early beat
means nothing in fibrillation, and a run that began with a supraventricular beat, or where the rate jumps, lasts until
the rate falls back. F (fusion) is never claimed: in the training data it comes from one patient.

Source: the class letters are those of ANSI/AAMI EC57; the comparison of shape and RR with the patient's own usual
beat follows de Chazal et al., IEEE Trans Biomed Eng 2004, doi 10.1109/TBME.2004.827359. We differ: trees instead of
linear discriminants, any number of leads, two rules about the rhythm.
"""

from __future__ import annotations

import numpy as np

from pipeline.ecg.beat_features import FEATURES, described_beats
from pipeline.ecg.beat_model import BeatModel, load_beat_model
from pipeline.records import Array

_EDGE_S = 0.08  # a beat nearer to an end of the record is cut off
_PATTERNLESS = 0.13  # change of RR without a pattern, as a share of the usual RR, from which on it is fibrillation
_EARLY, _SUDDEN, _STILL_FAST = 0.86, 0.75, 0.85  # RR over the usual RR before a run
_DROP = 0.80  # RR over the RR before at the first beat of a run that no tree has seen
_SAME_SHAPE = 0.95  # correlation of beats that are judged together
_JUMP, _JUMP_BEFORE, _JUMP_AFTER = 0.7, 10, 5  # median RR of the beats after over that of the beats before
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
    table, shapes = described_beats(signal_mv, sampling_rate_hz, peaks)
    last = signal_mv.shape[1] - 1
    cut = np.minimum(peaks, last - peaks) < _EDGE_S * sampling_rate_hz
    return beat_letters(table, shapes, peaks / sampling_rate_hz, cut, load_beat_model())


def beat_letters(table: Array, shapes: tuple[Array, ...], peaks_s: Array, cut: Array, model: BeatModel) -> Array:
    """The decision of `classify_beats` from what `described_beats` gives, beat times and bool (n_beats,) of cut beats.

    Without shapes every beat is judged alone.
    """
    unclear = np.asarray(~np.isfinite(table).all(axis=1))
    known = np.where(unclear[:, None], 0.0, table)
    patternless = np.asarray(known[:, FEATURES.index("patternless")] > _PATTERNLESS)
    is_s = (model.supraventricular.margin(known) > 0) & ~patternless
    is_v = _among_kin(model.ventricular.margin(known), shapes) > 0
    letters = np.where(is_v, "V", np.where(is_s, "S", "N"))
    letters = np.where(unclear | cut, "Q", letters)
    return np.asarray(_with_runs(letters, peaks_s, patternless), "<U1")


def _among_kin(margin: Array, shapes: tuple[Array, ...]) -> Array:
    """Mean margin (n_beats,) over the beats of the same block and shape."""
    result, start = margin.copy(), 0
    for rows in shapes:
        part = slice(start, start + rows.shape[0])
        start = part.stop
        if rows.shape[1]:
            kin = (rows @ rows.T > _SAME_SHAPE).astype(np.float64)
            np.fill_diagonal(kin, 1.0)
            result[part] = kin @ margin[part] / kin.sum(axis=1)
    return result


def _undisturbed(letters: Array, stop: int) -> list[int]:
    """The last normal beats before `stop` that follow a normal one: no pause after an ectopic beat among their RR."""
    near = range(max(1, stop - 2 * _BEFORE_RUN), stop)
    return [k for k in near if letters[k] == "N" and letters[k - 1] == "N"][-_BEFORE_RUN:]


def _before_jump(letters: Array, stop: int) -> list[int]:
    """As `_undisturbed`, but further back and without the last beats, in which the rate may be rising already."""
    return [k for k in range(max(1, stop - 2 * _BEFORE_RUN), stop) if letters[k] == "N" and letters[k - 1] == "N"][:-2]


def _jumps(rr_s: Array) -> Array:
    """Bool (n_beats,): from here on the rate is much higher than before, in one beat or within a few."""
    sudden = rr_s < _DROP * np.concatenate([rr_s[:1], rr_s[:-1]])
    padded = np.pad(rr_s, (_JUMP_BEFORE, _JUMP_AFTER), mode="edge")
    before = np.median(np.lib.stride_tricks.sliding_window_view(padded, _JUMP_BEFORE)[: rr_s.size], axis=1)
    after = np.median(np.lib.stride_tricks.sliding_window_view(padded[_JUMP_BEFORE:], _JUMP_AFTER)[: rr_s.size], axis=1)
    return np.asarray(sudden | (after < _JUMP * before))


def _with_runs(letters: Array, peaks_s: Array, patternless: Array) -> Array:
    """Beats of the usual shape inside a supraventricular run are supraventricular too.

    A run begins with an early supraventricular beat, or where the rate rises by a third within a few beats and stays
    there: a sinus node does not do that. It lasts until RR is back near what it was before.
    """
    found = letters.copy()
    rr_s = np.clip(np.diff(peaks_s, prepend=peaks_s[:1]), *_RR_RANGE_S)
    candidates = ((letters == "S") | ((letters == "N") & _jumps(rr_s))) & ~patternless
    for candidate in np.flatnonzero(candidates):
        onset = int(candidate)
        before = _undisturbed(found, onset)
        if len(before) < _LEAST_BEFORE or found[onset] != letters[onset]:
            continue
        usual_s = float(np.median(rr_s[before]))
        is_early = letters[onset] == "S" and rr_s[onset] <= _EARLY * usual_s
        earlier = _before_jump(found, onset)
        if not is_early and len(earlier) >= _LEAST_BEFORE:
            usual_s = max(usual_s, float(np.median(rr_s[earlier])))
        fast = (rr_s[onset:] < _STILL_FAST * usual_s) & ~patternless[onset:] & np.isin(found[onset:], ("N", "S"))
        length = int(np.argmin(fast)) if not fast.all() else fast.size
        sudden = length >= _SURE_RUN and bool((rr_s[onset : onset + _SURE_RUN] < _SUDDEN * usual_s).all())
        if is_early or sudden:
            found[onset : onset + length] = "S"
    return found
