"""The gates of the ECG and what comes out of them."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.cancellation import CancelToken
from pipeline.ecg.preprocessing import prepare_ecg
from pipeline.errors import QualityError, RunCancelledError
from pipeline.records import SIGNAL_FAULTS, EcgRecord, Remark

RATE_HZ = 500.0


def record_of(
    duration_s: float = 10.0, leads: tuple[str, ...] = ("I", "II", "V1"), rate_hz: float = RATE_HZ
) -> EcgRecord:
    phase_s = np.mod(np.arange(round(duration_s * rate_hz)) / rate_hz, 0.8)
    beats = np.exp(-((phase_s - 0.3) ** 2) / (2 * 0.012**2)) + 0.2 * np.exp(-((phase_s - 0.55) ** 2) / 0.003)
    rows = [(0.6 + 0.3 * i) * beats for i in range(len(leads))]
    return EcgRecord(
        signal_mv=np.stack(rows).astype(np.float32) if phase_s.size else np.zeros((len(leads), 0), np.float32),
        sampling_rate_hz=rate_hz,
        leads=leads,
        scaling="phantom in mV",
    )


def changed(record: EcgRecord, row: int, values: np.ndarray | float) -> EcgRecord:
    signal = record.signal_mv.copy()
    signal[row] = values
    return replace(record, signal_mv=signal)


def test_a_good_record_passes_unchanged() -> None:
    record = record_of()
    before = record.signal_mv.copy()
    ecg = prepare_ecg(record, "ab" * 32)
    assert ecg.record is record
    assert ecg.file_sha256 == "ab" * 32
    assert ecg.filtered_mv.dtype == np.float32
    assert ecg.filtered_mv.shape == record.signal_mv.shape
    assert ecg.filter_text == "0.5-150 Hz zero-phase"
    assert ecg.lead_usable.all()
    assert (ecg.lead_quality > 0.9).all()
    assert ecg.remarks == ()
    np.testing.assert_array_equal(record.signal_mv, before)


@pytest.mark.parametrize(
    ("duration_s", "said"), [(0.5, "0.5 s long"), (1.99, "1.99 s long"), (0.002, "one sample long"), (0.0, "0 s long")]
)
def test_a_short_record_is_refused_with_its_length(duration_s: float, said: str) -> None:
    with pytest.raises(QualityError, match="at least 2 s are needed") as caught:
        prepare_ecg(record_of(duration_s), "")
    assert caught.value.code == "E_QUALITY_ECG"
    assert said in caught.value.text


def test_two_seconds_are_enough() -> None:
    assert prepare_ecg(record_of(2.0), "").lead_usable.all()


def test_slow_sampling_is_refused_below_100_and_remarked_below_250() -> None:
    with pytest.raises(QualityError, match="sampled at 90 Hz"):
        prepare_ecg(record_of(rate_hz=90.0), "")
    assert [remark.code for remark in prepare_ecg(record_of(rate_hz=200.0), "").remarks] == ["W_ECG_RATE"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_record_without_finite_samples_is_refused(value: float) -> None:
    record = record_of()
    with pytest.raises(QualityError, match="Every sample of the ECG is missing"):
        prepare_ecg(replace(record, signal_mv=np.full_like(record.signal_mv, value)), "")


def test_a_flat_record_is_refused_with_the_reason() -> None:
    record = record_of()
    with pytest.raises(QualityError, match=r"No lead of the ECG can be measured.*flat"):
        prepare_ecg(replace(record, signal_mv=np.zeros_like(record.signal_mv)), "")


def test_one_bad_lead_is_named_and_the_others_stay() -> None:
    ecg = prepare_ecg(changed(record_of(), 1, 0.0), "")
    assert ecg.lead_usable.tolist() == [True, False, True]
    assert ecg.lead_quality[1] == 0.0
    assert ecg.remarks == (
        Remark(
            code="W_ECG_LEAD_UNUSABLE",
            text="Lead II was left out: it is flat, as from a disconnected electrode.",
        ),
    )


def test_a_lead_without_samples_is_zeros_after_filtering() -> None:
    ecg = prepare_ecg(changed(record_of(), 2, np.nan), "")
    assert np.isfinite(ecg.filtered_mv).all()
    assert np.isnan(ecg.record.signal_mv[2]).all()
    assert not ecg.lead_usable[2]


def test_single_infinities_count_as_missing() -> None:
    record = record_of()
    signal = record.signal_mv.copy()
    signal[0, 1000:1010] = np.inf
    ecg = prepare_ecg(replace(record, signal_mv=signal), "")
    assert np.isfinite(ecg.filtered_mv).all()
    assert np.abs(ecg.filtered_mv).max() < 2.0
    assert ecg.lead_usable.all()


def test_remarks_of_the_record_come_first() -> None:
    remark = Remark(code="W_ECG_TRUNCATED", text="cut short")
    ecg = prepare_ecg(changed(replace(record_of(), remarks=(remark,)), 0, 0.0), "")
    assert [r.code for r in ecg.remarks] == ["W_ECG_TRUNCATED", "W_ECG_LEAD_UNUSABLE"]


def test_mains_noise_is_told_on_the_strip() -> None:
    record = record_of()
    hum = 0.1 * np.sin(2 * np.pi * 50.0 * np.arange(record.signal_mv.shape[1]) / RATE_HZ)
    ecg = prepare_ecg(replace(record, signal_mv=(record.signal_mv + hum).astype(np.float32)), "")
    assert ecg.filter_text == "0.5-150 Hz zero-phase, 50 Hz notch"


def test_progress_rises_to_one_and_cancel_is_heard() -> None:
    fractions: list[float] = []
    token = CancelToken()
    prepare_ecg(record_of(), "", progress=lambda fraction, _: fractions.append(fraction))
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    token.cancel()
    with pytest.raises(RunCancelledError):
        prepare_ecg(record_of(), "", cancel=token)


def test_the_quality_map_has_one_column_a_second() -> None:
    found = prepare_ecg(changed(record_of(), 1, 0.0), "").quality
    assert found is not None
    assert found.quality.shape == found.fault.shape == (3, 10)
    assert (found.quality[1] == 0.0).all()
    assert (found.quality[0] > 0.8).all()
    assert found.reasons == (None, "it is flat, as from a disconnected electrode", None)
    assert [SIGNAL_FAULTS[n] for n in np.unique(found.fault[1])] == ["flat"]
    assert not found.fault[[0, 2]].any()


@pytest.mark.parametrize(("rate_hz", "n_leads"), [(100.0, 3), (2000.0, 3), (500.0, 1), (500.0, 40)])
def test_unusual_rates_and_numbers_of_leads_are_measured(rate_hz: float, n_leads: int) -> None:
    leads = tuple(f"channel {i}" for i in range(n_leads))
    ecg = prepare_ecg(record_of(rate_hz=rate_hz, leads=leads), "")
    assert ecg.lead_usable.all()
    assert ecg.filtered_mv.shape[0] == n_leads


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_a_record_in_another_unit_than_declared_is_refused(factor: float) -> None:
    record = record_of()
    with pytest.raises(QualityError, match="No lead of the ECG can be measured"):
        prepare_ecg(replace(record, signal_mv=record.signal_mv * np.float32(factor)), "")
