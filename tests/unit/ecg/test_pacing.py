from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipeline.ecg.analysis import analyse_ecg
from pipeline.ecg.pacing import find_pacing, stated_pacing
from pipeline.records import Metadata, PatientHeader

R_S = np.arange(0.6, 9.5, 0.85)


def _with_spikes(phantom, times_s, height_mv=0.4, width_s=0.002):
    """Add a pulse of one or two milliseconds to every lead, each with its own share."""
    signal = phantom.signal_mv.copy()
    shares = np.linspace(1.0, 0.3, signal.shape[0])
    for time_s in times_s:
        first = round(time_s * phantom.sampling_rate_hz)
        signal[:, first : first + max(1, round(width_s * phantom.sampling_rate_hz))] += height_mv * shares[:, None]
    return dataclasses.replace(phantom, signal_mv=signal)


def _found(phantom, qrs_ms=90.0):
    return find_pacing(phantom.signal_mv, phantom.sampling_rate_hz, phantom.r_idx.astype(int), qrs_ms)


@pytest.mark.parametrize("rate_hz", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("n_leads", [1, 3, 12])
def test_spikes_before_every_beat_are_found(make_ecg, rate_hz, n_leads):
    phantom = make_ecg(R_S, rate_hz=rate_hz, n_leads=n_leads, noise_mv=0.01, drift_mv=0.1)
    assert not _found(phantom).beats.any()
    found = _found(_with_spikes(phantom, R_S - 0.07, width_s=max(0.002, 1 / rate_hz)))
    assert found.beats.all()
    assert not found.blurred
    assert found.distance_ms == pytest.approx(70.0, abs=6.0)
    assert "before R in 11 beats" in found.evidence


def test_a_trace_without_any_noise_has_no_spikes(make_ecg):
    assert not _found(make_ecg(R_S)).beats.any()


def test_atrial_spikes_are_found(make_ecg):
    found = _found(_with_spikes(make_ecg(R_S, noise_mv=0.01), R_S - 0.24))
    assert found.beats.all()
    assert found.distance_ms == pytest.approx(240.0, abs=6.0)


def test_only_the_paced_stretch_is_marked(make_ecg):
    r_s = np.arange(0.6, 60.0, 0.85)
    found = _found(_with_spikes(make_ecg(r_s, noise_mv=0.01, n_leads=3), r_s[20:50] - 0.06))
    assert found.beats[23:47].all()
    assert not found.beats[:16].any()
    assert not found.beats[54:].any()


def test_spikes_at_random_places_are_artefacts(make_ecg):
    rng = np.random.default_rng(2)
    assert not _found(_with_spikes(make_ecg(R_S, noise_mv=0.01), R_S - rng.uniform(0.02, 0.38, R_S.size))).beats.any()


def test_a_blurred_onset_counts_before_wide_complexes_only(make_ecg):
    wide = make_ecg(R_S, letters="V" * R_S.size, n_leads=2, noise_mv=0.004, rate_hz=360.0)
    signal = wide.signal_mv.copy()
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(11) / 10)  # in thirty milliseconds; it falls back over a hundred
    for r_s in R_S:
        first = round((r_s - 0.1) * 360)
        signal[:, first : first + 51] += 1.2 * np.concatenate([rise, np.linspace(1.0, 0.0, 40)])
    onset = dataclasses.replace(wide, signal_mv=signal)
    assert _found(onset, qrs_ms=170.0).beats.all()
    assert _found(onset, qrs_ms=170.0).blurred
    assert not _found(onset, qrs_ms=100.0).beats.any()
    assert not _found(onset, qrs_ms=None).beats.any()


@pytest.mark.parametrize(("n_beats", "rate_hz"), [(0, 500.0), (2, 500.0), (11, 125.0)])
def test_too_little_says_nothing(make_ecg, n_beats, rate_hz):
    phantom = _with_spikes(make_ecg(R_S, rate_hz=rate_hz), R_S - 0.07, width_s=0.008)
    peaks = phantom.r_idx.astype(int)[:n_beats]
    assert find_pacing(phantom.signal_mv, rate_hz, peaks, 90.0).distance_ms is None


@pytest.mark.parametrize(
    ("given", "header", "word"),
    [(None, None, None), (None, True, "file"), (True, None, "metadata"), (False, True, None)],
)
def test_what_the_user_says_stands_above_the_file(given, header, word):
    note = stated_pacing(Metadata(paced=given), PatientHeader(paced=header))
    assert (note is None) if word is None else (word in (note or ""))


@pytest.mark.parametrize(
    ("comment", "paced"),
    [("The rhythm is paced with a demand pacemaker.", True), ("no pacemaker", None), ("unspaced", None), ("", None)],
)
def test_a_comment_of_a_wfdb_header_may_name_pacing(tmp_path, comment, paced):
    from pipeline.ecg.readers import read_ecg
    from pipeline.gates import Limits

    np.zeros(2000, "<i2").tofile(tmp_path / "a.dat")
    (tmp_path / "a.hea").write_text(f"a 1 250 2000\na.dat 16 200 16 0 0 0 0 II\n# {comment}\n")
    assert read_ecg(tmp_path / "a.hea", Limits()).header.paced is paced


def test_the_analysis_suggests_pacing_and_withholds_what_it_forbids(make_ecg, prepare):
    analysis = analyse_ecg(prepare(_with_spikes(make_ecg(R_S, noise_mv=0.01), R_S - 0.07)), Metadata())
    paced = next(s for s in analysis.rhythm if s.code == "paced_suspected")
    assert (paced.start_s, paced.end_s) == (0.0, pytest.approx(9.8, abs=0.1))
    assert "before R" in paced.evidence
    assert "W_ECG_PACED" in {remark.code for remark in analysis.remarks}
    reasons = {m.name: m.reason for m in analysis.measurements if m.value is None}
    assert "paced" in reasons["rmssd"]
    assert "paced" in next(s.reason for s in analysis.statements if s.code == "conduction")
