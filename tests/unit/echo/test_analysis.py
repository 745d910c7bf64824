"""The echo branch's numbers on hearts that are known, and the reasons where there is no number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.echo.analysis import NO_TIMES, analyse_echo
from pipeline.echo.beam import edge_distance_px, is_cut, visible_sector
from pipeline.echo.cardiac_cycle import NOT_BEATING, TOO_SHORT
from pipeline.echo.chambers import ATRIUM_CUT
from pipeline.echo.detection import detect_chambers
from pipeline.echo.metrics import ECHO_METRICS
from pipeline.echo.subject import NO_BODY_SURFACE
from pipeline.errors import AnalysisError
from pipeline.records import Calibration, EchoAnalysis, EchoCine, EchoDetection, Measurement, Metadata

EDV, ESV = 119.7, 49.8
EF = 100 * (1 - ESV / EDV)
UNCALIBRATED = Calibration(spacing_mm=None, method="none", reason="The calibrated region lies outside the image.")


def detected(phantoms: Any, heart: Any, **changes: Any) -> tuple[EchoCine, EchoDetection]:
    cine = phantoms.cine(heart.labels, heart.times_s, **changes)
    return cine, detect_chambers(cine, phantoms.segmenter(heart.labels))


def analysed(*pairs: tuple[EchoCine, EchoDetection], metadata: Metadata | None = None) -> EchoAnalysis:
    cines, detections = zip(*pairs, strict=True)
    return analyse_echo(cines, detections, metadata or Metadata())


def value(analysis: EchoAnalysis, name: str) -> Measurement:
    return next(m for m in analysis.measurements if m.name == name)


@pytest.fixture(scope="module")
def usual(phantoms: Any, usual_heart: Any) -> tuple[EchoCine, EchoDetection]:
    return detected(phantoms, usual_heart)


def test_known_heart(usual: Any) -> None:
    found = analysed(usual, metadata=Metadata(sex="female", bsa_m2=1.8))
    numbers = {m.name: m.value for m in found.measurements}
    assert numbers["lvef"] == pytest.approx(EF, abs=1.0)
    assert numbers["edv"] == pytest.approx(EDV, rel=0.02)
    assert numbers["esv"] == pytest.approx(ESV, rel=0.02)
    assert numbers["sv"] == pytest.approx(EDV - ESV, rel=0.03)
    assert numbers["edv_index"] == pytest.approx(EDV / 1.8, rel=0.02)
    assert numbers["lv_length_ed"] == pytest.approx(90, abs=1.0)
    assert numbers["lv_length_es"] == pytest.approx(75, abs=1.0)
    assert numbers["la_area"] == pytest.approx(np.pi / 2 * 34 * 17.8 / 100, rel=0.04)
    assert numbers["la_volume"] == pytest.approx(0.8488 * (np.pi / 2 * 34 * 17.8) ** 2 / 34 / 1000, rel=0.05)
    assert numbers["la_volume_index"] == pytest.approx(numbers["la_volume"] / 1.8, rel=0.01)
    assert numbers["echo_heart_rate"] == pytest.approx(72, rel=0.03)
    assert -25 < numbers["gls"] < -12
    assert "above normal" in str(value(found, "edv").band)


def test_end_diastole_and_end_systole_within_one_frame(usual: Any, usual_heart: Any) -> None:
    beats = [beat for beat in analysed(usual).cines[0].beats if beat.excluded is None]
    assert len(beats) >= 2
    for beat in beats:
        near = slice(max(0, beat.ed_idx - 6), beat.ed_idx + 7)
        assert abs(near.start + np.argmax(usual_heart.volumes_ml[near]) - beat.ed_idx) <= 1
        near = slice(beat.es_idx - 6, beat.es_idx + 7)
        assert abs(near.start + np.argmin(usual_heart.volumes_ml[near]) - beat.es_idx) <= 1


def test_every_metric_is_in_the_catalogue_and_traceable(usual: Any) -> None:
    found = analysed(usual)
    catalogue = {metric.name for metric in ECHO_METRICS}
    assert {m.name for m in found.measurements} == catalogue - {"lvef_a4c", "lvef_a2c"}
    for m in found.measurements:
        assert (m.value is None) == (m.status == "withheld") == (m.reason is not None)
        assert m.source.file_sha256 == "a" * 64
        assert m.source.model_sha256 == "5" * 64
        assert m.source.frame_idx
        assert m.reference
    lvef = value(found, "lvef")
    assert lvef.source.contour == "lv_cavity"
    assert len(lvef.source.frame_idx) == 2 * len(lvef.source.beat_idx)
    assert "single plane A4C" in lvef.method
    assert lvef.interval is not None
    assert lvef.interval[0] < float(lvef.value or 0) < lvef.interval[1]


def test_class_is_withheld_when_the_interval_crosses_a_cut_off(usual: Any) -> None:
    """EF 58 % with the model's error reaches below 54 %."""
    assert value(analysed(usual, metadata=Metadata(sex="female")), "lvef").band is None


def test_six_segments(usual: Any) -> None:
    segments = analysed(usual).cines[0].segments
    assert len(segments) == 6
    assert all(s.radial_excursion_pct is not None and s.radial_excursion_pct > 10 for s in segments)


def test_without_calibration_ratios_stand_and_lengths_do_not(phantoms: Any, usual_heart: Any) -> None:
    found = analysed(detected(phantoms, usual_heart, calibration=UNCALIBRATED), metadata=Metadata(bsa_m2=1.8))
    assert value(found, "lvef").value == pytest.approx(EF, abs=1.0)
    rate = value(found, "echo_heart_rate")
    assert rate.value == pytest.approx(72, rel=0.03)
    assert rate.interval is not None
    assert rate.interval[0] < 72 < rate.interval[1]
    assert rate.interval[1] - rate.interval[0] < 8
    assert value(found, "gls").status == "measured"
    for name in ("edv", "esv", "sv", "edv_index", "lv_length_ed", "la_area", "la_volume", "la_volume_index"):
        assert value(found, name).reason == UNCALIBRATED.reason
    assert found.cines[0].volume_unit == "px³"
    assert np.nanmax(found.cines[0].volume_curve) == pytest.approx(EDV * 1000 / 0.5**3, rel=0.02)


def test_without_body_surface_no_index(usual: Any) -> None:
    assert {
        value(analysed(usual), n).reason for n in ("edv_index", "esv_index", "la_volume_index", "lv_mass_index")
    } == {NO_BODY_SURFACE}


def test_without_frame_times_no_rate(phantoms: Any, usual_heart: Any) -> None:
    found = analysed(detected(phantoms, usual_heart, timing_known=False))
    assert value(found, "echo_heart_rate").reason == NO_TIMES
    assert found.cines[0].heart_rate_bpm is None
    assert value(found, "lvef").value == pytest.approx(EF, abs=1.0)


def test_two_views_make_it_biplane(phantoms: Any, usual: Any) -> None:
    narrow = phantoms.beating(ed=(90.0, 20.0), es=(75.0, 15.0))
    other = detected(phantoms, narrow, view="A2C", file_sha256="b" * 64)
    found = analysed(usual, other)
    edv, esv = (2 / 3 * np.pi * length * a * b / 1000 for length, a, b in ((90, 25.2, 20), (75, 17.8, 15)))
    assert value(found, "edv").value == pytest.approx(edv, rel=0.02)
    assert value(found, "lvef").value == pytest.approx(100 * (1 - esv / edv), abs=1.0)
    assert "biplane" in value(found, "lvef").method
    assert value(found, "lvef_a4c").value == pytest.approx(EF, abs=1.0)
    assert value(found, "lvef_a2c").value == pytest.approx(100 * (1 - 75 * 15**2 / (90 * 20**2)), abs=1.0)
    assert len(found.cines) == 2
    assert not any(r.code == "W_ECHO_FORESHORTENED" for r in found.remarks)


def test_axes_of_different_length_are_remarked(phantoms: Any, usual: Any) -> None:
    short = detected(phantoms, phantoms.beating(ed=(72.0, 24.0), es=(62.0, 17.0)), view="A2C")
    assert "W_ECHO_FORESHORTENED" in {remark.code for remark in analysed(usual, short).remarks}


def test_uncalibrated_second_view_is_not_combined(phantoms: Any, usual: Any, usual_heart: Any) -> None:
    other = detected(phantoms, usual_heart, view="A2C", calibration=UNCALIBRATED)
    assert "single plane A4C" in value(analysed(usual, other), "lvef").method


def test_low_confidence_skips_function(usual: Any) -> None:
    cine, detection = usual
    found = analysed((cine, replace(detection, low_confidence_reason="Too little can be seen.")))
    assert found.skipped_reason == "Too little can be seen."
    assert {m.reason for m in found.measurements} == {"Too little can be seen."}
    assert found.cines == ()


def test_a_doubtful_clip_beside_a_good_one_is_left_out(usual: Any) -> None:
    cine, detection = usual
    found = analysed((cine, replace(detection, low_confidence_reason="No.")), usual)
    assert found.skipped_reason is None
    assert len(found.cines) == 1
    assert "W_ECHO_CLIP_LEFT_OUT" in {remark.code for remark in found.remarks}


@pytest.mark.parametrize(("n_frames", "reason"), [(1, TOO_SHORT), (6, TOO_SHORT)])
def test_short_clips_withhold_everything(phantoms: Any, n_frames: int, reason: str) -> None:
    found = analysed(detected(phantoms, phantoms.beating(n_frames=n_frames)))
    assert {m.reason for m in found.measurements} == {reason}
    assert all(segment.reason for segment in found.cines[0].segments)


def test_a_clip_that_ends_at_end_systole_says_so(phantoms: Any, usual: Any) -> None:
    found = analysed(detected(phantoms, phantoms.beating(n_frames=11, start_phase=0.0)))
    assert value(found, "lvef").value == pytest.approx(EF, abs=2.5)
    assert "W_ECHO_ENDS_AT_SYSTOLE" in {remark.code for remark in found.remarks}
    assert "W_ECHO_ENDS_AT_SYSTOLE" not in {remark.code for remark in analysed(usual).remarks}


def test_a_repeated_still_has_no_ejection_fraction(phantoms: Any) -> None:
    still = phantoms.beating(n_frames=40, heart_rate_bpm=0.0)
    assert value(analysed(detected(phantoms, still)), "lvef").reason == NOT_BEATING


def test_an_atrium_cut_by_the_frame_is_not_measured(phantoms: Any) -> None:
    heart = phantoms.beating(n_frames=45, base_part=0.85, atrium_mm=34)
    found = analysed(detected(phantoms, heart))
    assert value(found, "la_area").reason == value(found, "la_volume").reason == ATRIUM_CUT
    assert value(found, "lvef").status == "measured"


def test_an_atrium_cut_by_the_sector_is_seen(phantoms: Any) -> None:
    y, x = np.mgrid[:200, :200]
    frames = np.where(np.hypot(x - 100, y) < 170, 60, 0).astype(np.uint8)[None]
    edge_px = edge_distance_px(visible_sector(frames))
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    circle = np.stack([100 + 20 * np.cos(angle), 20 * np.sin(angle)], -1)
    assert not is_cut(circle + np.array([0, 120]), edge_px)
    assert is_cut(circle + np.array([0, 149]), edge_px)
    assert not is_cut(np.full((64, 2), np.nan), edge_px)


def test_a_bad_frame_does_not_make_a_beat(phantoms: Any, usual: Any) -> None:
    cine, detection = usual
    endocardium, confidence = detection.lv_endocardium.copy(), detection.confidence.copy()
    endocardium[[20, 33]] *= 1.5
    confidence[33] = 0.0
    found = analysed((cine, replace(detection, lv_endocardium=endocardium, confidence=confidence)))
    assert value(found, "lvef").value == pytest.approx(EF, abs=1.5)
    assert "W_ECHO_OUTLIERS" in {remark.code for remark in found.remarks}
    assert np.isnan(found.cines[0].volume_curve[33])


def test_nothing_to_analyse() -> None:
    with pytest.raises(AnalysisError):
        analyse_echo((), (), Metadata())


@pytest.mark.parametrize("pixel_mm", [0.22, 0.98])
def test_lengths_that_no_adult_heart_has_are_withheld(phantoms: Any, usual: Any, pixel_mm: float) -> None:
    """The phantom's 180 px would be 4 cm, or 18 cm; the ejection fraction is a ratio and stands."""
    cine, detection = usual
    wrong = replace(cine, calibration=Calibration(spacing_mm=(pixel_mm, pixel_mm), method="ultrasound region"))
    found = analysed((wrong, detection))
    assert value(found, "lvef").value == pytest.approx(EF, abs=1.0)
    for name in ("edv", "esv", "sv", "lv_length_ed", "la_area", "la_volume"):
        assert "not plausible in an adult" in str(value(found, name).reason)
    child = analysed((wrong, detection), metadata=Metadata(age_years=9.0))
    assert value(child, "edv").status == "measured"


def test_the_side_of_the_septum_is_an_assumption_that_is_told(phantoms: Any, usual: Any) -> None:
    assert "W_ECHO_SIDES_ASSUMED" in {remark.code for remark in analysed(usual).remarks}
    short = analysed(detected(phantoms, phantoms.beating(n_frames=3)))
    assert "W_ECHO_SIDES_ASSUMED" not in {remark.code for remark in short.remarks}
