from __future__ import annotations

import numpy as np
import pytest

from pipeline.cancellation import CancelToken
from pipeline.ecg.analysis import analyse_ecg
from pipeline.ecg.metrics import ECG_METRICS, ecg_metric
from pipeline.errors import AnalysisError, RunCancelledError
from pipeline.records import Metadata

SPECTRAL = ("hf", "lf", "vlf", "lf_hf")


def _by_name(analysis):
    return {measurement.name: measurement for measurement in analysis.measurements}


@pytest.fixture
def plain(sinus, prepare):
    return analyse_ecg(prepare(sinus), Metadata(sex="female"))


def test_every_metric_is_there_once_measured_or_with_a_reason(plain):
    assert sorted(m.name for m in plain.measurements) == sorted(m.name for m in ECG_METRICS)
    for measurement in plain.measurements:
        assert (measurement.value is None) == (measurement.status == "withheld")
        assert (measurement.reason is None) == (measurement.status == "measured")
        assert measurement.reference


def test_the_catalogue():
    assert len({m.name for m in ECG_METRICS}) == len(ECG_METRICS)
    codes = {"heart_rate": "8867-4", "pr": "8625-6", "qrs": "8633-0", "qt": "8634-8"}
    codes |= {"qtcf": "76634-5", "qtcb": "76635-2"}
    assert {m.name: m.loinc for m in ECG_METRICS if m.loinc} == codes
    assert ecg_metric("qtcf").label == "QTc Fridericia"


def test_numbers_of_the_phantom(plain):
    found = _by_name(plain)
    assert found["heart_rate"].value == pytest.approx(75, abs=0.3)
    assert found["heart_rate"].band.startswith("normal")
    assert found["rr_mean"].value == pytest.approx(800, abs=2)
    assert found["pr"].value == pytest.approx(167, abs=15)
    assert found["qrs"].value == pytest.approx(93, abs=15)
    assert found["qt"].value == pytest.approx(423, abs=30)
    assert found["qtcf"].value == pytest.approx(found["qt"].value / 0.8 ** (1 / 3), abs=2)
    assert found["axis"].value == pytest.approx(45, abs=12)
    assert found["pvc_count"].value == 0
    assert [s.code for s in plain.rhythm] == ["sinus"]


def test_every_number_names_its_file_and_beats(plain):
    found = _by_name(plain)
    for name in ("heart_rate", "pr", "qrs", "qt", "qtcf", "axis"):
        assert found[name].source.file_sha256 == "ab" * 32
        assert found[name].source.beat_idx
        assert set(found[name].source.beat_idx) <= set(range(12))
    assert found["axis"].source.lead == "I, II"


def test_intervals_hold_the_value(plain):
    for measurement in plain.measurements:
        if measurement.interval is not None:
            low, high = measurement.interval
            assert low <= measurement.value <= high


def test_ten_seconds_give_only_what_ten_seconds_can(plain):
    found = _by_name(plain)
    assert found["rmssd"].status == "measured"
    assert "indicative" in found["sdnn"].method
    for name in (*SPECTRAL, "pnn50", "triangular_index"):
        assert "too short" in found[name].reason


def test_fibrillation_withholds_pr_and_variability(fibrillating, prepare):
    analysis = analyse_ecg(prepare(fibrillating), Metadata())
    found = _by_name(analysis)
    assert "no PR" in found["pr"].reason
    assert "fibrillation" in found["rmssd"].reason
    assert found["af_share"].value == 100
    assert "af_suspected" in {s.code for s in analysis.rhythm}
    assert "W_ECG_AF_SUSPECTED" in {r.code for r in analysis.remarks}


def test_missing_p_waves_withhold_pr(make_ecg, prepare):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), with_p=False, noise_mv=0.01)
    assert _by_name(analyse_ecg(prepare(phantom), Metadata()))["pr"].reason == "No P wave was found in most beats."


def test_a_wide_qrs_is_flagged_and_jt_given(make_ecg, prepare):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), letters="V" * 12, noise_mv=0.01)
    analysis = analyse_ecg(prepare(phantom), Metadata())
    found = _by_name(analysis)
    assert found["qrs"].value >= 120
    assert found["jt"].value == pytest.approx(found["qt"].value - found["qrs"].value, abs=0.1)
    assert "wide QRS" in found["qtcf"].method
    assert "W_ECG_WIDE_QRS" in {r.code for r in analysis.remarks}
    assert "wide_qrs" in {s.code for s in analysis.rhythm}


def test_a_narrow_qrs_gives_no_jt(plain):
    assert _by_name(plain)["jt"].reason == "Given only where the QRS lasts 120 ms or more."


def test_paced_rhythm_refuses_variability(sinus, prepare):
    analysis = analyse_ecg(prepare(sinus), Metadata(paced=True))
    assert "paced" in _by_name(analysis)["rmssd"].reason


def test_unusable_leads_are_not_looked_at(make_ecg, prepare):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), noise_mv=0.01)
    usable = np.ones(12, bool)
    usable[[0, 3]] = False
    analysis = analyse_ecg(prepare(phantom, usable=usable), Metadata())
    assert np.isnan(analysis.delineation.qrs_on[[0, 3]]).all()
    assert "Lead I and one of the leads II and aVF" in _by_name(analysis)["axis"].reason


def test_one_beat_gives_a_qrs_but_no_rate(make_ecg, prepare):
    phantom = make_ecg(np.array([1.0]), duration_s=2.0, noise_mv=0.01)
    found = _by_name(analyse_ecg(prepare(phantom), Metadata()))
    for name in ("heart_rate", "rr_mean", "qtcf"):
        assert found[name].reason == "Fewer than two beats were found."
    assert found["qrs"].status == "measured"
    assert found["pr"].status == "withheld"


def test_a_flat_record_is_an_analysis_error(make_ecg, prepare):
    phantom = make_ecg(np.array([1.0]), duration_s=5.0)
    phantom.signal_mv[:] = 0.0
    with pytest.raises(AnalysisError, match="No heart beat"):
        analyse_ecg(prepare(phantom), Metadata())


def test_no_usable_lead_is_an_analysis_error(sinus, prepare):
    with pytest.raises(AnalysisError, match="No lead"):
        analyse_ecg(prepare(sinus, usable=np.zeros(12, bool)), Metadata())


def test_missing_samples_of_the_record_are_not_measured(make_ecg, prepare):
    phantom = make_ecg(np.arange(0.5, 9.6, 0.8), noise_mv=0.01, n_leads=3)
    ecg = prepare(phantom)
    ecg.record.signal_mv[:, 2000:2300] = np.nan
    analysis = analyse_ecg(ecg, Metadata())
    inside = (analysis.r_peaks_idx > 2020) & (analysis.r_peaks_idx < 2280)
    assert not inside.any()


def test_the_input_is_left_alone_and_the_result_repeats(sinus, prepare):
    ecg = prepare(sinus)
    before = ecg.filtered_mv.copy()
    first, second = analyse_ecg(ecg, Metadata()), analyse_ecg(ecg, Metadata())
    np.testing.assert_array_equal(ecg.filtered_mv, before)
    assert first.measurements == second.measurements
    assert first.rhythm == second.rhythm


def test_five_minutes_give_the_spectrum(make_ecg, prepare):
    time_s, times = 0.5, []
    while time_s < 304:
        times.append(time_s)
        time_s += 0.8 + 0.03 * np.sin(2 * np.pi * 0.1 * time_s) + 0.015 * np.sin(2 * np.pi * 0.25 * time_s)
    phantom = make_ecg(np.array(times), rate_hz=250.0, n_leads=2, noise_mv=0.01)
    found = _by_name(analyse_ecg(prepare(phantom), Metadata()))
    assert found["lf"].value == pytest.approx(450, rel=0.15)
    assert found["hf"].value == pytest.approx(112, rel=0.25)
    assert found["lf_hf"].value == pytest.approx(found["lf"].value / found["hf"].value, abs=0.01)
    assert "at least 20 min" in found["triangular_index"].reason


def test_progress_rises_and_a_cancel_stops(sinus, prepare):
    seen = []
    analyse_ecg(prepare(sinus), Metadata(), progress=lambda fraction, text: seen.append(fraction))
    assert seen == sorted(seen)
    assert 0 < seen[0] <= seen[-1] <= 1
    token = CancelToken()
    token.cancel()
    with pytest.raises(RunCancelledError):
        analyse_ecg(prepare(sinus), Metadata(), cancel=token)
