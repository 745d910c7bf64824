"""Stretches of a long ECG from its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.holter import RATE_HZ, make_holter, write_wfdb
from pipeline.ecg.filters import fill_gaps
from pipeline.ecg.long_preparation import long_filter
from pipeline.ecg.readers import inspect_ecg, read_ecg
from pipeline.ecg.readers.stream import open_stream
from pipeline.errors import InputError
from pipeline.gates import Limits
from pipeline.records import Array
from pipeline.review.ecg_window import BINS_A_SECOND, ecg_extremes, ecg_samples, extremes

DURATION_S = 3700


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wfdb(tmp_path_factory.mktemp("wfdb"), make_holter(DURATION_S, seed=3))


@pytest.fixture(scope="module")
def sha256(path: Path) -> str:
    return inspect_ecg(path, Limits()).sha256


@pytest.fixture(scope="module")
def whole_mv(path: Path) -> Array:
    """The whole record, filtered in one piece."""
    record = read_ecg(path, Limits())
    stream = open_stream(path, inspect_ecg(path, Limits()), Limits())
    assert stream is not None
    lead_filter = long_filter(stream)[0]
    return np.stack([lead_filter.apply(fill_gaps(lead)[0]) for lead in record.signal_mv])


def test_a_stretch_is_filtered_as_if_the_record_were_one_piece(path, sha256, whole_mv):
    first, end = int(100 * RATE_HZ), int(160 * RATE_HZ)
    assert ecg_samples(path, sha256, first, end) == pytest.approx(whole_mv[:, first:end], abs=2e-3)
    assert ecg_samples(path, sha256, -50, 200).shape[1] == 200
    assert ecg_samples(path, sha256, 10**9, 10**9 + 5).shape[1] == 0


def test_extremes_are_those_of_the_filtered_record(path, sha256, whole_mv):
    low, high = ecg_extremes(path, sha256, 1)
    n_seconds = DURATION_S - 3600
    assert low.shape == (len(whole_mv), n_seconds * BINS_A_SECOND)
    seconds = whole_mv[:, 3600 * int(RATE_HZ) :].reshape(len(whole_mv), n_seconds, -1)
    assert low.reshape(len(low), n_seconds, -1).min(axis=2) == pytest.approx(seconds.min(axis=2), abs=2e-3)
    assert high.reshape(len(low), n_seconds, -1).max(axis=2) == pytest.approx(seconds.max(axis=2), abs=2e-3)


def test_columns_hold_every_sample_at_an_odd_rate():
    values = np.random.default_rng(1).normal(size=(2, 257 * 3 + 40)).astype(np.float32)
    low, high = extremes(values, 257)
    assert low.shape == (2, 3 * BINS_A_SECOND + 2)
    assert low.min(axis=1) == pytest.approx(values.min(axis=1))
    assert high.max(axis=1) == pytest.approx(values.max(axis=1))
    assert np.all(low <= high)


def test_a_file_that_is_another_now_is_refused(path, sha256, tmp_path):
    with pytest.raises(InputError, match="not the one that was measured"):
        ecg_samples(path, "0" * 64, 0, 100)
    with pytest.raises(InputError) as caught:
        ecg_samples(tmp_path / "gone.hea", sha256, 0, 100)
    assert caught.value.code == "E_INPUT_MISSING"
