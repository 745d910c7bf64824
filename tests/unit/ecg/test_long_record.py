"""ECGs of more than an hour: read piece by piece, measured hour by hour, resumed from finished hours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.holter import RATE_HZ, Holter, make_holter, write_edf, write_wfdb
from pipeline.cancellation import CancelToken
from pipeline.ecg.hourly import LongBeats, course, known_intervals
from pipeline.ecg.long_analysis import analyse_long
from pipeline.ecg.long_beats import HourBeats
from pipeline.ecg.long_preparation import clean_seconds, is_long, prepare_long
from pipeline.ecg.quality import SecondFeatures
from pipeline.ecg.readers import edf, inspect_ecg, read_ecg, wfdb_record
from pipeline.ecg.readers.stream import EcgStream, open_stream
from pipeline.errors import QualityError, RunCancelledError
from pipeline.gates import Limits
from pipeline.partial_results import PartialResults
from pipeline.records import Array, EcgAnalysis, EcgEpisode, Metadata, PatientHeader, PreparedEcg
from pipeline.store import codec

DURATION_S = 4200


def quiet_stream(signal: Array, rate_hz: float = RATE_HZ, hours: float = 1.1) -> EcgStream:
    """The given second over and over."""
    n = int(hours * 3600 * rate_hz)

    def read(first: int, end: int) -> Array:
        return signal[:, np.arange(first, end) % signal.shape[1]].astype(np.float32)

    names = ("II", "V1", "V5")[: signal.shape[0]]
    return EcgStream(
        leads=names, sampling_rate_hz=rate_hz, n_samples=n, scaling="", header=PatientHeader(), remarks=(), read=read
    )


@pytest.fixture(scope="module")
def holter() -> Holter:
    return make_holter(DURATION_S, seed=5)


@pytest.fixture(scope="module")
def wfdb_file(holter: Holter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wfdb(tmp_path_factory.mktemp("wfdb"), holter)


@pytest.fixture(scope="module")
def edf_file(holter: Holter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_edf(tmp_path_factory.mktemp("edf"), holter)


def stream_of(path: Path) -> EcgStream:
    found = open_stream(path, inspect_ecg(path, Limits()), Limits())
    assert found is not None
    return found


def kept_parts() -> tuple[PartialResults, dict[int, bytes]]:
    kept: dict[int, bytes] = {}
    return PartialResults({}, kept.__setitem__), kept


@pytest.fixture(scope="module")
def prepared(wfdb_file: Path) -> tuple[PreparedEcg, dict[int, bytes]]:
    parts, kept = kept_parts()
    return prepare_long(stream_of(wfdb_file), "ab" * 32, parts=parts), kept


@pytest.fixture(scope="module")
def analysed(wfdb_file: Path, prepared: tuple[PreparedEcg, dict[int, bytes]]) -> tuple[EcgAnalysis, dict[int, bytes]]:
    parts, kept = kept_parts()
    return analyse_long(stream_of(wfdb_file), prepared[0], Metadata(), parts=parts), kept


# --- streams -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", ["wfdb_file", "edf_file"])
def test_a_stretch_is_the_same_as_in_the_whole(made: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(made)
    whole, stream = read_ecg(path, Limits()), stream_of(path)
    n = whole.signal_mv.shape[1]
    assert (stream.leads, stream.n_samples, stream.scaling) == (whole.leads, n, whole.scaling)
    assert stream.sampling_rate_hz == whole.sampling_rate_hz
    for first, end in ((0, 1), (0, 777), (123_457, 223_459), (n - 251, n), (499_999, 500_002)):
        np.testing.assert_array_equal(stream.read(first, end), whole.signal_mv[:, first:end])


def test_interrupted_edf_reads_empty_between_its_records(edf_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records 10 and later stand 5.5 s later than they would without the interruption."""
    n_found = DURATION_S
    starts = np.arange(n_found, dtype=np.int64) * RATE_HZ + np.where(np.arange(n_found) < 10, 0, 1375)
    monkeypatch.setattr(edf, "_starts", lambda *_: starts)
    whole, stream = edf.read(edf_file, Limits()), edf.stream(edf_file, Limits())
    for first, end in ((2000, 5000), (2600, 3000), (2499, 2501), (3874, 3876), (3900, 4000)):
        np.testing.assert_array_equal(stream.read(first, end), whole.signal_mv[:, first:end])
    assert np.isnan(stream.read(2600, 3000)).all()


def test_wfdb_record_without_a_length_cannot_be_read_in_pieces(tmp_path: Path) -> None:
    path = write_wfdb(tmp_path, make_holter(60))
    path.write_text(path.read_text().replace(f" {60 * RATE_HZ}\n", "\n", 1))
    assert wfdb_record.stream(path, Limits()) is None


def test_an_hour_is_not_long_and_one_second_more_is() -> None:
    signal = np.zeros((1, 250))
    assert not is_long(quiet_stream(signal, hours=1.0))
    assert is_long(quiet_stream(signal, hours=1.0 + 1 / 3600))


# --- preparation -------------------------------------------------------------------------------------


def test_overview_holds_the_extremes_of_each_second(prepared: tuple[PreparedEcg, dict[int, bytes]]) -> None:
    ecg = prepared[0]
    assert ecg.overview is not None
    assert ecg.overview.n_samples == DURATION_S * RATE_HZ
    assert ecg.overview.low_mv.shape == ecg.overview.high_mv.shape == (3, DURATION_S)
    seconds = ecg.filtered_mv.reshape(3, -1, RATE_HZ)
    np.testing.assert_array_equal(ecg.overview.high_mv[:, :600], seconds.max(axis=2))
    np.testing.assert_array_equal(ecg.overview.low_mv[:, :600], seconds.min(axis=2))


def test_beginning_is_filtered_as_the_whole_would_be(
    prepared: tuple[PreparedEcg, dict[int, bytes]], wfdb_file: Path
) -> None:
    from pipeline.ecg.preprocessing import prepare_ecg

    whole = prepare_ecg(read_ecg(wfdb_file, Limits()), "ab" * 32)
    np.testing.assert_allclose(prepared[0].filtered_mv, whole.filtered_mv[:, : 600 * RATE_HZ], atol=1e-4)
    assert prepared[0].filter_text == whole.filter_text


def test_noise_is_not_clean_and_pauses_are(prepared: tuple[PreparedEcg, dict[int, bytes]], holter: Holter) -> None:
    overview = prepared[0].overview
    assert overview is not None
    for start_s, end_s in holter.noisy_s:
        assert not overview.clean[int(start_s) + 1 : int(end_s) - 1].any()
    rr_s = np.diff(holter.times_s)
    for before in np.flatnonzero(rr_s > 2.3):
        assert overview.clean[int(holter.times_s[before]) : int(holter.times_s[before + 1]) + 1].all()
    assert overview.clean.mean() > 0.97


def test_a_day_is_kept_small(prepared: tuple[PreparedEcg, dict[int, bytes]]) -> None:
    """What is kept of each hour, and of the whole beside its beginning, must not hold samples."""
    assert max(len(payload) for payload in prepared[1].values()) < 120_000
    assert len(codec.encode(prepared[0].overview)) < 0.1 * 3 * DURATION_S * RATE_HZ


@pytest.mark.parametrize(
    ("signal", "rate_hz"), [(np.zeros((2, 250)), 250.0), (np.full((2, 250), np.nan), 250.0), (np.zeros((2, 90)), 90.0)]
)
def test_unusable_long_records_are_refused(signal: Array, rate_hz: float) -> None:
    with pytest.raises(QualityError) as refused:
        prepare_long(quiet_stream(signal, rate_hz), "ab" * 32)
    assert refused.value.code == "E_QUALITY_ECG"


def test_noise_is_judged_by_the_usual_second() -> None:
    features = SecondFeatures(
        missing_share=np.array([0, 0, 0, 0.9, 0, 0]),
        range_mv=np.array([1.0, 0.06, 1.0, 1.0, 20.0, 0.001]),
        noise_mv=np.array([0.01, 0.02, 0.5, 0.01, 0.01, 0.0]),
        wander_mv=np.zeros(6),
        clipped_share=np.zeros(6),
        raw_range_mv=np.ones(6),
        mains_mv=np.zeros(6),
    )
    assert clean_seconds(features).tolist() == [True, True, False, False, False, False]  # the second one is a pause


# --- analysis ----------------------------------------------------------------------------------------


def value(analysis: EcgAnalysis, name: str) -> float:
    found = next(m.value for m in analysis.measurements if m.name == name)
    assert isinstance(found, (int, float))
    return float(found)


def episodes(analysis: EcgAnalysis, kind: str) -> list[EcgEpisode]:
    assert analysis.long is not None
    return [episode for episode in analysis.long.episodes if episode.kind == kind]


def test_beats_outside_noise_and_gaps_are_found(analysed: tuple[EcgAnalysis, dict[int, bytes]], holter: Holter) -> None:
    found_s = analysed[0].r_peaks_idx / RATE_HZ
    quiet = np.ones(holter.times_s.size, bool)
    for start_s, end_s in (*holter.noisy_s, *holter.missing_s):
        quiet &= (holter.times_s < start_s - 1) | (holter.times_s > end_s + 1)
    nearest = np.abs(found_s[np.clip(np.searchsorted(found_s, holter.times_s), 1, found_s.size - 1)] - holter.times_s)
    before = np.abs(found_s[np.clip(np.searchsorted(found_s, holter.times_s) - 1, 0, None)] - holter.times_s)
    assert np.mean(np.minimum(nearest, before)[quiet] < 0.15) > 0.99
    inside = [(found_s > a + 1) & (found_s < b - 1) for a, b in (*holter.noisy_s, *holter.missing_s)]
    assert not np.any(inside)
    assert np.all(np.diff(found_s) > 0.1)


def test_noise_is_no_pause(analysed: tuple[EcgAnalysis, dict[int, bytes]], holter: Holter) -> None:
    rr_s = np.diff(holter.times_s)
    true_s = holter.times_s[:-1][rr_s > 2.3]
    found = episodes(analysed[0], "pause")
    assert len(found) == true_s.size
    np.testing.assert_allclose([episode.start_s for episode in found], true_s, atol=0.05)
    assert value(analysed[0], "longest_rr") == pytest.approx(1000 * rr_s.max(), abs=30)


def test_fibrillation_is_found_where_it_is(analysed: tuple[EcgAnalysis, dict[int, bytes]], holter: Holter) -> None:
    inside = [t for t, kind in zip(holter.times_s, holter.kinds, strict=True) if kind == "A"]
    (episode,) = episodes(analysed[0], "af")
    assert episode.start_s == pytest.approx(inside[0], abs=15)
    assert episode.end_s == pytest.approx(inside[-1], abs=15)
    assert any(s.code == "af_suspected" and abs(s.start_s - inside[0]) < 15 for s in analysed[0].rhythm)


def test_table_sums_up_to_the_whole(analysed: tuple[EcgAnalysis, dict[int, bytes]]) -> None:
    analysis = analysed[0]
    assert analysis.long is not None
    hours = analysis.long.hours
    assert [hour.start_s for hour in hours] == [0.0, 3600.0]
    assert sum(hour.n_beats for hour in hours) == len(analysis.r_peaks_idx)
    assert sum(hour.n_v for hour in hours) == value(analysis, "pvc_count")
    assert sum(hour.n_pauses for hour in hours) == len(episodes(analysis, "pause"))
    assert 58.0 < hours[0].usable_min <= 60.0
    assert analysis.long.trend_bpm.shape == (DURATION_S // 60,)
    assert hours[0].min_bpm is not None
    assert hours[0].max_bpm is not None
    assert hours[0].mean_bpm is not None
    assert 55 < hours[0].min_bpm < hours[0].mean_bpm < hours[0].max_bpm < 100


def test_finished_hours_are_not_made_again(
    wfdb_file: Path,
    prepared: tuple[PreparedEcg, dict[int, bytes]],
    analysed: tuple[EcgAnalysis, dict[int, bytes]],
) -> None:
    made: dict[int, bytes] = {}
    again = prepare_long(stream_of(wfdb_file), "ab" * 32, parts=PartialResults(prepared[1], made.__setitem__))
    assert made == {}
    assert codec.encode(again) == codec.encode(prepared[0])
    first_hour = {0: analysed[1][0]}
    parts = PartialResults(first_hour, made.__setitem__)
    resumed = analyse_long(stream_of(wfdb_file), again, Metadata(), parts=parts)
    assert list(made) == [1]
    assert codec.encode(resumed) == codec.encode(analysed[0])


def test_damaged_part_counts_as_unknown() -> None:
    parts, kept = kept_parts()
    parts.keep(0, HourBeats(**{name: np.empty(0) for name in HourBeats.__slots__}))
    assert PartialResults(kept, kept.__setitem__).known(0, HourBeats) is not None
    assert PartialResults({0: kept[0][:-5]}, kept.__setitem__).known(0, HourBeats) is None
    assert PartialResults(kept, kept.__setitem__).known(1, HourBeats) is None


@pytest.mark.parametrize("stage", ["prepare", "analyse"])
def test_cancel_stops_within_a_window(
    stage: str, wfdb_file: Path, prepared: tuple[PreparedEcg, dict[int, bytes]]
) -> None:
    cancel, seen = CancelToken(), []

    def progress(fraction: float, text: str) -> None:
        seen.append(text)
        cancel.cancel()

    stages = {
        "prepare": lambda: prepare_long(stream_of(wfdb_file), "ab" * 32, progress=progress, cancel=cancel),
        "analyse": lambda: analyse_long(
            stream_of(wfdb_file), prepared[0], Metadata(), progress=progress, cancel=cancel
        ),
    }
    with pytest.raises(RunCancelledError):
        stages[stage]()
    assert len(seen) == 1


# --- the table alone ---------------------------------------------------------------------------------


def beats_at(times_s: list[float], classes: str, *, unclean: tuple[int, ...] = (), n_seconds: int = 120) -> LongBeats:
    clean = np.ones(n_seconds, bool)
    clean[list(unclean)] = False
    peaks = np.round(np.array(times_s) * 100).astype(np.int64)
    return LongBeats(
        peaks=peaks,
        classes=np.array(list(classes)),
        af_beats=np.zeros(peaks.size, bool),
        flutter_beats=np.zeros(peaks.size, bool),
        paced_beats=np.zeros(peaks.size, bool),
        known=known_intervals(peaks, clean, 100.0),
        clean=clean,
        sampling_rate_hz=100.0,
    )


def test_interval_is_known_when_all_its_seconds_are_clean() -> None:
    beats = beats_at([0.5, 1.5, 4.5, 5.5, 8.5], "NNNNN", unclean=(3, 7))
    assert beats.known.tolist() == [True, False, True, False]
    table = course(beats)
    assert table.hours[0].n_pauses == 0
    assert table.hours[0].mean_bpm == 60.0
    assert table.hours[0].usable_min == pytest.approx(118 / 60, abs=0.05)


def test_runs_end_at_noise_and_need_three_beats() -> None:
    times = [0.5 + 0.5 * n for n in range(12)]
    table = course(beats_at(times, "NVVVNVVNSSSS", unclean=(5,)))
    kinds = [(episode.kind, episode.n_beats) for episode in table.episodes]
    assert kinds == [("ventricular_run", 3)]  # the four S beats stand around a noisy second
    assert table.episodes[0].mean_bpm == 120.0


def test_minute_without_enough_beats_has_no_rate() -> None:
    table = course(beats_at([60.5 + n for n in range(20)], "N" * 20))
    assert np.isnan(table.trend_bpm[0])
    assert table.trend_bpm[1] == pytest.approx(60.0)
