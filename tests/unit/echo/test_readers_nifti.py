"""NIfTI clips: axes, spacing, times, number types, and headers that lie."""

from __future__ import annotations

import gzip
import importlib.util
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.echo.readers import inspect_echo, read_echo
from pipeline.errors import InputError, PipelineError
from pipeline.gates import Limits

LIMITS = Limits()


@pytest.fixture(scope="module")
def phantoms() -> Any:
    spec = importlib.util.spec_from_file_location("reader_phantoms", Path(__file__).with_name("reader_phantoms.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_axes_spacing_and_times(phantoms: Any, tmp_path: Path, name: str) -> None:
    grey = phantoms.fan_frames()
    path = phantoms.nifti(tmp_path / name, grey)
    report = inspect_echo(path, LIMITS)
    assert (report.format, report.summary) == ("nifti", "6 frames, 128 x 96, 50.0/s, NIfTI")
    clip = read_echo(path, LIMITS)
    np.testing.assert_array_equal(clip.frames, grey)
    assert clip.calibration.spacing_mm == pytest.approx((0.2, 0.3))
    np.testing.assert_allclose(clip.frame_times_s, np.arange(6) * 0.02, atol=1e-8)
    assert clip.timing_known
    assert not clip.remarks


@pytest.mark.parametrize(
    ("zooms", "units", "step_s"),
    [
        ((0.3, 0.2, 20.0), ("mm", "msec"), 0.02),
        ((0.3, 0.2, 1.0), ("mm", "sec"), None),  # a slice distance, not a second between frames
        ((0.3, 0.2, 0.02), ("mm", "unknown"), None),
    ],
)
def test_third_axis_is_time_only_where_it_can_be(
    phantoms: Any, tmp_path: Path, zooms: tuple[float, ...], units: tuple[str, str], step_s: float | None
) -> None:
    clip = read_echo(phantoms.nifti(tmp_path / "a.nii", phantoms.fan_frames(), zooms=zooms, units=units), LIMITS)
    assert clip.timing_known is (step_s is not None)
    np.testing.assert_allclose(clip.frame_times_s, np.arange(6) * (step_s or 1 / 30), atol=1e-8)
    assert [r.code for r in clip.remarks] == ([] if step_s else ["W_TIMING_ASSUMED"])


def test_four_axes_and_a_still(phantoms: Any, tmp_path: Path) -> None:
    import nibabel

    grey = phantoms.fan_frames()
    image = nibabel.Nifti1Image(grey.transpose(2, 1, 0)[:, :, None], np.eye(4))
    image.header.set_zooms((0.3, 0.2, 1.0, 0.05))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, tmp_path / "a.nii")
    clip = read_echo(tmp_path / "a.nii", LIMITS)
    np.testing.assert_array_equal(clip.frames, grey)
    np.testing.assert_allclose(clip.frame_times_s, np.arange(6) * 0.05, atol=1e-8)
    nibabel.save(nibabel.Nifti1Image(grey[0].T, np.eye(4)), tmp_path / "b.nii")
    still = read_echo(tmp_path / "b.nii", LIMITS)
    np.testing.assert_array_equal(still.frames, grey[:1])
    assert still.timing_known
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6, 7), np.uint8), np.eye(4)), tmp_path / "c.nii")
    with pytest.raises(InputError) as caught:
        read_echo(tmp_path / "c.nii", LIMITS)
    assert caught.value.code == "E_INPUT_UNSUPPORTED"


def test_nifti_2_and_big_endian(phantoms: Any, tmp_path: Path) -> None:
    import nibabel

    grey = phantoms.fan_frames()
    nibabel.save(nibabel.Nifti2Image(grey.transpose(2, 1, 0), np.eye(4)), tmp_path / "a.nii")
    np.testing.assert_array_equal(read_echo(tmp_path / "a.nii", LIMITS).frames, grey)
    header = nibabel.Nifti1Header(endianness=">")
    data = grey.transpose(2, 1, 0).astype(">i2")
    header.set_data_dtype(np.int16)
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4), header), tmp_path / "b.nii")
    assert (tmp_path / "b.nii").read_bytes()[:4] == struct.pack(">i", 348)
    np.testing.assert_array_equal(read_echo(tmp_path / "b.nii", LIMITS).frames, grey)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "float32", "float64"])
def test_other_numbers_keep_or_stretch_their_range(phantoms: Any, tmp_path: Path, dtype: str) -> None:
    grey = phantoms.fan_frames()
    same = read_echo(phantoms.nifti(tmp_path / "a.nii", grey.astype(dtype)), LIMITS)
    np.testing.assert_array_equal(same.frames, grey)
    wide = read_echo(phantoms.nifti(tmp_path / "b.nii", (grey.astype(float) * 100).astype(dtype)), LIMITS)
    assert np.abs(wide.frames - np.rint(grey * (255.0 / grey.max()))).max() <= 1
    assert [r.code for r in wide.remarks] == ["W_GREY_STRETCHED"]


def test_scaling_rgb_and_nan(phantoms: Any, tmp_path: Path) -> None:
    import nibabel

    grey = phantoms.fan_frames()
    image = nibabel.Nifti1Image(grey.transpose(2, 1, 0), np.eye(4))
    image.header["scl_slope"], image.header["scl_inter"] = 0.5, 3.0
    nibabel.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[112:120] = struct.pack("<ff", 0.5, 3.0)
    (tmp_path / "a.nii").write_bytes(content)
    np.testing.assert_array_equal(read_echo(tmp_path / "a.nii", LIMITS).frames, np.rint(grey * 0.5 + 3))
    rgb = phantoms.smooth_frames()
    packed = np.ascontiguousarray(rgb.transpose(2, 1, 0, 3)).view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    nibabel.save(nibabel.Nifti1Image(packed, np.eye(4)), tmp_path / "b.nii")
    np.testing.assert_array_equal(read_echo(tmp_path / "b.nii", LIMITS).frames, rgb)
    holes = grey.astype(np.float32)
    holes[0, :5] = np.nan
    clip = read_echo(phantoms.nifti(tmp_path / "c.nii", holes), LIMITS)
    assert clip.frames[0, :5].max() == 0
    np.testing.assert_array_equal(clip.frames[1:], grey[1:])


@pytest.mark.parametrize("zoom", [0.0, -1.0, 9.0, float("nan")])
def test_implausible_spacing_is_withheld(phantoms: Any, tmp_path: Path, zoom: float) -> None:
    path = phantoms.nifti(tmp_path / "a.nii", phantoms.fan_frames())
    content = bytearray(path.read_bytes())
    content[80:84] = struct.pack("<f", zoom)
    path.write_bytes(content)
    calibration = read_echo(path, LIMITS).calibration
    assert calibration.spacing_mm is None
    assert calibration.reason == "The NIfTI header's pixel size is not plausible."


def changed(path: Path, at: int, value: bytes) -> Path:
    content = bytearray(path.read_bytes())
    content[at : at + len(value)] = value
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("at", "value", "code"),
    [
        (40, struct.pack("<8h", 4, 32767, 32767, 1, 32767, 1, 1, 1), "E_HARD_004"),
        (40, struct.pack("<8h", 7, *[32767] * 7), "E_INPUT_UNSUPPORTED"),
        (40, struct.pack("<8h", 3, -5, 96, 6, 1, 1, 1, 1), "E_INPUT_CORRUPT"),
        (40, struct.pack("<h", 900), "E_INPUT_UNSUPPORTED"),
        (70, struct.pack("<h", 32), "E_INPUT_UNSUPPORTED"),  # complex numbers
        (70, struct.pack("<h", 999), "E_INPUT_CORRUPT"),
        (108, struct.pack("<f", float("nan")), "E_INPUT_CORRUPT"),
        (108, struct.pack("<f", 1e12), "E_INPUT_CORRUPT"),
        (108, struct.pack("<f", 0.0), "E_INPUT_CORRUPT"),
    ],
)
def test_headers_that_lie(phantoms: Any, tmp_path: Path, at: int, value: bytes, code: str) -> None:
    path = changed(phantoms.nifti(tmp_path / "a.nii", phantoms.fan_frames()), at, value)
    for reader in (inspect_echo, read_echo):
        with pytest.raises(PipelineError) as caught:
            reader(path, LIMITS)
        assert caught.value.code == code


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_lie_about_frames_reserves_no_memory(phantoms: Any, tmp_path: Path, name: str) -> None:
    import tracemalloc

    plain = changed(
        phantoms.nifti(tmp_path / "b.nii", phantoms.fan_frames()), 40, struct.pack("<4h", 3, 500, 500, 9000)
    )
    content = plain.read_bytes()
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as caught:
            read_echo(path, LIMITS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.code == "E_INPUT_TRUNCATED"
    assert peak < 128 << 20  # declared: 2.25 GB


def test_compressed_bomb_is_unpacked_no_further_than_declared(phantoms: Any, tmp_path: Path) -> None:
    grey = phantoms.fan_frames()
    content = phantoms.nifti(tmp_path / "a.nii", grey).read_bytes()
    packed = tmp_path / "b.nii.gz"
    packed.write_bytes(gzip.compress(content + bytes(64 << 20)))
    np.testing.assert_array_equal(read_echo(packed, LIMITS).frames, grey)  # the tail is never unpacked
    assert [r.code for r in read_echo(packed, LIMITS).remarks] == []


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_cut_files(phantoms: Any, tmp_path: Path, name: str) -> None:
    grey = phantoms.fan_frames()
    path = phantoms.nifti(tmp_path / name, grey)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    clip = read_echo(path, LIMITS)
    assert 0 < len(clip.frames) < 6
    np.testing.assert_array_equal(clip.frames, grey[: len(clip.frames)])
    assert len(clip.frame_times_s) == len(clip.frames)
    assert [r.code for r in clip.remarks] == ["W_FEWER_FRAMES"]
    path.write_bytes(content[:600] if name == "a.nii" else content[:700])
    with pytest.raises(InputError) as caught:
        read_echo(path, LIMITS)
    assert caught.value.code == "E_INPUT_TRUNCATED"
