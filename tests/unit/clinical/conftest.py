"""Findings made by hand for the clinical rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.measurements import measured, withheld
from pipeline.records import (
    CineAnalysis,
    CrossCheck,
    Delineation,
    EcgAnalysis,
    EchoAnalysis,
    EchoBeat,
    FusedFindings,
    Measurement,
    Metadata,
    Metric,
    RhythmStatement,
    Source,
    WallSegment,
)

UNITS = {"lvef": "%", "edv": "mL", "heart_rate": "1/min", "echo_heart_rate": "1/min", "lv_length_ed": "mm"}


def number(
    name: str,
    value: float,
    *,
    interval: tuple[float, float] | None = None,
    band: str | None = None,
    unit: str | None = None,
) -> Measurement:
    """A measured value under a catalogue name."""
    metric = Metric(
        name=name, label=name.upper(), unit=unit or UNITS.get(name, "ms"), digits=0, method="m", reference="r"
    )
    return measured(metric, float(value), source=Source(), interval=interval, band=band)


def absent(name: str) -> Measurement:
    metric = Metric(name=name, label=name.upper(), unit=UNITS.get(name, "ms"), digits=0, method="m", reference="r")
    return withheld(metric, "not calibrated")


def statement(code: str) -> RhythmStatement:
    return RhythmStatement(
        code=code, text=f"{code} is suspected.", evidence="RR", start_s=0.0, end_s=10.0, reference="r"
    )


def echo_of(*measurements: Measurement, n_beats: int = 1, n_excluded: int = 0, segments: bool = True) -> EchoAnalysis:
    beats = [EchoBeat(ed_idx=0, es_idx=5, end_idx=10, edv=1.0, esv=0.5, ef_pct=50.0) for _ in range(n_beats)]
    beats += [
        EchoBeat(ed_idx=0, es_idx=5, end_idx=10, edv=1.0, esv=0.5, ef_pct=50.0, excluded="ectopic")
        for _ in range(n_excluded)
    ]
    wall = (WallSegment(name="basal septal", radial_excursion_pct=20.0, longitudinal_strain_pct=-15.0),)
    curve = np.ones(30)
    cine = CineAnalysis(
        view="A4C",
        volume_curve=curve,
        volume_unit="mL",
        smoothed_curve=curve,
        beats=tuple(beats),
        segments=wall if segments else (),
        heart_rate_bpm=70.0,
    )
    return EchoAnalysis(measurements=measurements, cines=(cine,))


def ecg_of(*measurements: Measurement, rhythm: tuple[str, ...] = ("sinus",)) -> EcgAnalysis:
    waves = np.full((1, 3), np.nan)
    return EcgAnalysis(
        measurements=measurements,
        r_peaks_idx=np.array([100, 500, 900]),
        beat_classes=("N", "N", "V"),
        af_beats=np.array([False, False, False]),
        delineation=Delineation(p_on=waves, p_off=waves, qrs_on=waves, qrs_off=waves, t_on=waves, t_off=waves),
        rhythm=tuple(statement(code) for code in rhythm),
    )


def findings_of(
    *measurements: Measurement,
    facts: Metadata | None = None,
    same_patient: str = "agree",
    rhythm: tuple[str, ...] = (),
    disagreeing: tuple[str, ...] = (),
) -> FusedFindings:
    outcomes: dict[str, Any] = {"same_patient": same_patient} | dict.fromkeys(disagreeing, "disagree")
    checks = tuple(CrossCheck(name=n, outcome=o, text=f"{n} differs.", tolerance="t") for n, o in outcomes.items())
    return FusedFindings(
        measurements=measurements,
        cross_checks=checks,
        rhythm=tuple(statement(code) for code in rhythm),
        metadata=facts or Metadata(),
    )


@pytest.fixture
def make_number() -> Callable[..., Measurement]:
    return number


@pytest.fixture
def make_absent() -> Callable[[str], Measurement]:
    return absent


@pytest.fixture
def make_echo() -> Callable[..., EchoAnalysis]:
    return echo_of


@pytest.fixture
def make_ecg() -> Callable[..., EcgAnalysis]:
    return ecg_of


@pytest.fixture
def make_findings() -> Callable[..., FusedFindings]:
    return findings_of
