"""Classes of heart beats by shape and timing: N normal, S supraventricular ectopic, V ventricular ectopic, Q unknown.

Two small ensembles of trees judge the features of each beat, all of them relative to the record's own usual beat.
Beats of one shape come from one place, so that they are ventricular or not together: what the trees say of each is
averaged over the beats that look the same. Rules follow: an early beat means nothing in fibrillation, and a run lasts
until the rate falls back (`pipeline.ecg.beat_runs`). Their limits were chosen together with those of the trees and come
with the model. F (fusion) is never claimed: in the training data it comes from one patient.

Source: the class letters are those of ANSI/AAMI EC57; the comparison of shape and RR with the patient's own usual
beat follows de Chazal et al., IEEE Trans Biomed Eng 2004, doi 10.1109/TBME.2004.827359. We differ: trees instead of
linear discriminants, any number of leads, rules about the rhythm.
"""

from __future__ import annotations

import numpy as np

from pipeline.ecg.beat_features import FEATURES, described_beats
from pipeline.ecg.beat_model import BeatModel, load_beat_model
from pipeline.ecg.beat_runs import RunRules, with_runs
from pipeline.records import Array

_EDGE_S = 0.08  # a beat nearer to an end of the record is cut off
PATTERNLESS = 0.10
"""Change of RR without a pattern, as a share of the usual RR, from which on no beat is early.

Source: LUDB (doi 10.1109/ACCESS.2020.3029211): any limit between 0.087 and 0.109 parts the 8 records of irregular
fibrillation from the 137 without fibrillation or flutter; no record of the beat classes had a part in it.
"""


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
    known, unclear = known_rows(table)
    ventricular = among_kin(model.ventricular.margin(known), shapes, model.rules.kin_alike)
    supraventricular = model.supraventricular.margin(known)
    return decided(ventricular, supraventricular, known, unclear | cut, peaks_s, model.rules)


def known_rows(table: Array) -> tuple[Array, Array]:
    """The table with rows of zeros where a feature is missing, and bool (n_beats,) of those rows."""
    unclear = np.asarray(~np.isfinite(table).all(axis=1))
    return np.where(unclear[:, None], 0.0, table), unclear


def decided(
    ventricular: Array, supraventricular: Array, known: Array, unclear: Array, peaks_s: Array, rules: RunRules
) -> Array:
    """Letters out of how far each beat lies above the limit of each class, float (n_beats,); runs are filled up."""
    patternless = np.asarray(known[:, FEATURES.index("patternless")] > PATTERNLESS)
    is_s = (supraventricular > 0) & ~patternless
    letters = np.where(ventricular > 0, "V", np.where(is_s, "S", "N"))
    letters = np.where(unclear, "Q", letters)
    return np.asarray(with_runs(letters, peaks_s, patternless, rules), "<U1")


def among_kin(margin: Array, shapes: tuple[Array, ...], alike: float | None) -> Array:
    """Mean margin (n_beats,) over the beats of the same block and shape; None leaves every beat alone."""
    result, start = margin.copy(), 0
    for rows in shapes if alike is not None else ():
        part = slice(start, start + rows.shape[0])
        start = part.stop
        if rows.shape[1]:
            kin = (rows @ rows.T > alike).astype(np.float64)
            np.fill_diagonal(kin, 1.0)
            result[part] = kin @ margin[part] / kin.sum(axis=1)
    return result
