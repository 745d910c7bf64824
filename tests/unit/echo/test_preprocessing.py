"""Clips become grey cines of the sector, or are refused by the gate."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cancellation import CancelToken
from pipeline.echo.preprocessing import prepare_clip
from pipeline.errors import QualityError, RunCancelledError
from pipeline.gates import Limits
from pipeline.records import Calibration, EchoClip, PatientHeader, Remark

SPACED = Calibration(spacing_mm=(0.5, 0.4), method="ultrasound region")


@pytest.fixture(scope="module")
def phantoms() -> Any:
    spec = importlib.util.spec_from_file_location("reader_phantoms", Path(__file__).with_name("reader_phantoms.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def clip_of(frames: np.ndarray, **changes: Any) -> EchoClip:
    times = np.arange(len(frames)) * 0.04
    clip = EchoClip(frames=frames, frame_times_s=times, calibration=SPACED, region_px=None)
    return dataclasses.replace(clip, **changes)


def codes(remarks: tuple[Remark, ...]) -> list[str]:
    return [remark.code for remark in remarks]


def test_sector_is_cut_out_and_letters_are_gone(phantoms: Any) -> None:
    grey, truth = phantoms.fan_frames(8, 192, 256), phantoms.sector_mask(192, 256)
    cine = prepare_clip(clip_of(grey, view="A2C"), "ab" * 32)
    top, left, bottom, right = cine.crop_px
    assert cine.frames.shape == (8, bottom - top, right - left)
    assert cine.original_size_px == (192, 256)
    assert (cine.view, cine.file_sha256, cine.calibration) == ("A2C", "ab" * 32, SPACED)
    inside = truth[top:bottom, left:right]
    kept = cine.frames[:, inside] == grey[:, top:bottom, left:right][:, inside]
    assert kept.mean() > 0.99  # grey levels are untouched
    assert (cine.frames[:, ~inside] > 0).mean() < 0.1
    assert bottom <= 192 - 8
    assert not cine.remarks


def test_facts_are_carried_over(phantoms: Any) -> None:
    told = Remark(code="W_FEWER_FRAMES", text="x")
    header = PatientHeader(patient_id="p")
    clip = clip_of(
        phantoms.fan_frames(),
        r_wave_times_s=(0.1,),
        heart_rate_bpm=60.0,
        header=header,
        remarks=(told,),
        timing_known=False,
    )
    cine = prepare_clip(clip, "x")
    assert (cine.r_wave_times_s, cine.heart_rate_bpm, cine.header, cine.timing_known) == ((0.1,), 60.0, header, False)
    np.testing.assert_array_equal(cine.frame_times_s, clip.frame_times_s)
    assert codes(cine.remarks) == ["W_FEWER_FRAMES", "W_VIEW_ASSUMED"]
    assert cine.view == "A4C"


def test_colour_becomes_luminance(phantoms: Any) -> None:
    grey = phantoms.fan_frames()
    cine = prepare_clip(clip_of(np.repeat(grey[..., None], 3, axis=3)), "x")
    np.testing.assert_array_equal(cine.frames, prepare_clip(clip_of(grey), "x").frames)
    rgb = np.zeros((1, 80, 80, 3), np.uint8)
    rgb[:, :, :30], rgb[:, :, 30:60], rgb[:, :, 60:] = (200, 0, 0), (0, 200, 0), (0, 0, 200)
    frame = prepare_clip(clip_of(rgb), "x").frames[0]
    np.testing.assert_allclose([frame[0, 0], frame[0, 40], frame[0, 70]], [59.8, 117.4, 22.8], atol=1)


def test_colour_doppler_is_told(phantoms: Any) -> None:
    rgb = np.repeat(phantoms.fan_frames()[..., None], 3, axis=3)
    assert "W_COLOUR_OVERLAY" not in codes(prepare_clip(clip_of(rgb), "x").remarks)
    rgb[:, 30:60, 50:80, 2] = 0
    rgb[:, 30:60, 50:80, 0] = 200
    cine = prepare_clip(clip_of(rgb), "x")
    assert "W_COLOUR_OVERLAY" in codes(cine.remarks)
    assert cine.quality["coloured_fraction"] > 0.03


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        (np.empty((0, 96, 96), np.uint8), "no frames"),
        (np.random.default_rng(0).integers(0, 255, (3, 63, 200), np.uint8), "smaller than 64"),
        (np.random.default_rng(0).integers(0, 255, (3, 200, 63), np.uint8), "smaller than 64"),
        (np.zeros((3, 96, 96), np.uint8), "black"),
        (np.random.default_rng(0).integers(0, 9, (3, 96, 96), np.uint8), "black"),
        (np.full((3, 96, 96), 90, np.uint8), "flat"),
        (np.where(np.random.default_rng(0).random((3, 96, 96)) < 0.9, 255, 40).astype(np.uint8), "saturated"),
    ],
)
def test_gate_refuses(frames: np.ndarray, text: str) -> None:
    with pytest.raises(QualityError, match=text) as caught:
        prepare_clip(clip_of(frames), "x")
    assert caught.value.code == "E_QUALITY_ECHO"


def test_smallest_image_passes() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (3, 64, 64), np.uint8)
    assert prepare_clip(clip_of(noise), "x").frames.shape == (3, 64, 64)


def test_single_and_frozen_clips_are_told(phantoms: Any) -> None:
    still = phantoms.fan_frames(1, 192, 256)
    single = prepare_clip(clip_of(still, view="A4C"), "x")
    assert codes(single.remarks) == ["W_SINGLE_FRAME"]
    assert single.quality["motion"] == 0.0
    frozen = prepare_clip(clip_of(np.repeat(still, 5, axis=0), view="A4C"), "x")
    assert codes(frozen.remarks) == ["W_NO_MOTION"]


def test_quality_figures(phantoms: Any) -> None:
    flat = np.zeros((2, 100, 100), np.uint8)
    flat[0, :, :50], flat[1, :, :50], flat[:, :, 50:] = 100, 110, 200
    quality = prepare_clip(clip_of(flat), "x").quality
    assert quality["mean_level"] == pytest.approx(152.5)
    assert quality["motion"] == pytest.approx(5.0)
    assert quality["black_fraction"] == quality["saturated_fraction"] == 0.0
    assert quality["contrast"] == pytest.approx(np.std([100, 110, 200, 200]), abs=1e-3)


def test_the_clip_is_not_changed_and_can_be_cancelled(phantoms: Any) -> None:
    for frames in (phantoms.fan_frames(), np.repeat(phantoms.fan_frames()[..., None], 3, axis=3)):
        before = frames.copy()
        frames.setflags(write=False)
        cine = prepare_clip(clip_of(frames), "x")
        np.testing.assert_array_equal(frames, before)
        assert cine.frames.flags.writeable
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(RunCancelledError):
        prepare_clip(clip_of(frames), "x", cancel=cancel)


def test_the_demo_cine_is_cut_to_its_sector() -> None:
    import pydicom.data

    from pipeline.echo.readers import read_echo

    path = pydicom.data.get_testdata_file("color3d_jpeg_baseline.dcm", download=False)
    cine = prepare_clip(read_echo(Path(str(path)), Limits()), "x")
    np.testing.assert_allclose(cine.crop_px, (45, 84, 403, 597), atol=3)
    assert cine.frames.shape[0] == 120
    assert 0.55 < cine.quality["sector_fraction"] < 0.65
    assert cine.frames[:, :20, :100].max() == 0  # beside the apex
    assert cine.quality["motion"] > 1


def test_the_small_cine_is_cut_without_its_region() -> None:
    import pydicom.data

    from pipeline.echo.readers import read_echo

    path = pydicom.data.get_testdata_file("examples_ybr_color.dcm", download=False)
    cine = prepare_clip(read_echo(Path(str(path)), Limits()), "x")
    np.testing.assert_allclose(cine.crop_px, (20, 42, 206, 302), atol=6)
    assert cine.calibration.spacing_mm is None
