"""Payloads: what goes in comes out, and nothing damaged is believed."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from pipeline.errors import StoreError
from pipeline.records import CineAnalysis, EchoBeat, Measurement, Source
from pipeline.store import codec


def cine() -> CineAnalysis:
    beat = EchoBeat(ed_idx=0, es_idx=3, end_idx=9, edv=120.0, esv=float("nan"), ef_pct=None)
    return CineAnalysis(
        view="A4C",
        volume_curve=np.array([1.0, np.nan, 3.0]),
        volume_unit="mL",
        smoothed_curve=np.zeros((3,)),
        beats=(beat,),
        segments=(),
        heart_rate_bpm=72.0,
    )


def test_record_with_arrays_and_nan_survives() -> None:
    back = codec.decode(CineAnalysis, codec.encode(cine()))
    np.testing.assert_array_equal(back.volume_curve, cine().volume_curve)
    assert back.beats[0].edv == 120.0
    assert back.beats[0].esv is not None
    assert math.isnan(back.beats[0].esv)


def test_equal_records_give_equal_bytes() -> None:
    assert codec.encode(cine()) == codec.encode(cine())


def test_numpy_scalars_become_numbers() -> None:
    record = dataclasses.replace(cine(), heart_rate_bpm=np.float64(60.5))
    assert codec.decode(CineAnalysis, codec.encode(record)).heart_rate_bpm == 60.5


def test_canonical_form_is_the_stored_form() -> None:
    record = Measurement(
        name="a", label="A", value=3, unit="", status="measured", method="", reference="", source=Source()
    )
    fresh, stored = codec.canonical(Measurement, record), codec.decode(Measurement, codec.encode(record))
    assert fresh == stored
    assert isinstance(fresh.value, float)


@pytest.mark.parametrize("dtype", ["complex64", "object", "S3"])
def test_other_array_types_are_refused(dtype: str) -> None:
    record = dataclasses.replace(cine(), volume_curve=np.zeros(2, dtype))
    with pytest.raises(TypeError):
        codec.encode(record)


def test_flipped_bytes_never_escape_as_another_exception() -> None:
    """A flip may hit a letter of a text and still be read (the store's hash finds that); most must be refused."""
    data, refused = codec.encode(cine()), 0
    for at in range(0, len(data), 3):
        damaged = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        try:
            codec.decode(CineAnalysis, damaged)
        except StoreError:
            refused += 1
    assert refused > len(data) / 3 / 2


@pytest.mark.parametrize("length", [0, 5, 13, 20, -1])
def test_cut_payload_is_damaged(length: int) -> None:
    with pytest.raises(StoreError, match="E_STORE_DAMAGED"):
        codec.decode(CineAnalysis, codec.encode(cine())[:length])


def test_a_frame_that_declares_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = codec.encode(cine())
    monkeypatch.setattr(codec, "MAX_RAW_BYTES", 8)
    with pytest.raises(StoreError, match="declared size"):
        codec.decode(CineAnalysis, data)
