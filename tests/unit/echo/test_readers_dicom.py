"""DICOM ultrasound: colours, packings, times, header facts, and files that lie."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.echo.readers import inspect_echo, read_echo
from pipeline.gates import Limits
from pipeline.records import EchoClip

LIMITS = Limits()


@pytest.fixture(scope="module")
def phantoms() -> Any:
    spec = importlib.util.spec_from_file_location("reader_phantoms", Path(__file__).with_name("reader_phantoms.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped(name: str) -> Path:
    import pydicom.data

    path = pydicom.data.get_testdata_file(name, download=False)
    assert path is not None
    return Path(str(path))


def codes(clip: EchoClip) -> list[str]:
    return [remark.code for remark in clip.remarks]


# --- colours -----------------------------------------------------------------------------------------

SHIPPED = (
    "ExplVR_BigEnd.dcm", "examples_jpeg2k.dcm", "examples_palette.dcm", "examples_rgb_color.dcm",
    "examples_ybr_color.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm", "OBXXXX1A.dcm", "OBXXXX1A_2frame.dcm",
    "OBXXXX1A_rle.dcm", "OBXXXX1A_rle_2frame.dcm", "US1_J2KI.dcm", "US1_J2KR.dcm", "US1_UNCI.dcm",
    "US1_UNCR.dcm", "color-pl.dcm", "color-px.dcm", "gdcm-US-ALOKA-16.dcm", "gdcm-US-ALOKA-16_big.dcm",
)  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_files_have_the_colours_of_pydicom(name: str) -> None:
    import pydicom

    clip = read_echo(shipped(name), LIMITS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(shipped(name))
        expected = ds.pixel_array
        if ds.PhotometricInterpretation == "PALETTE COLOR":
            expected = pydicom.pixels.apply_color_lut(expected, ds)
            expected = (expected >> 8).astype(np.uint8) if expected.dtype == np.uint16 else expected
    assert clip.frames.dtype == np.uint8
    difference = np.abs(clip.frames.astype(int) - expected.reshape(clip.frames.shape))
    assert difference.max() <= 1
    assert clip.frames.std() > 5


def test_big_endian_palette_equals_the_little_endian_one() -> None:
    for tail in ("", "_2frame"):
        little = read_echo(shipped(f"OBXXXX1A{tail}.dcm"), LIMITS).frames
        big = read_echo(shipped(f"OBXXXX1A_expb{tail}.dcm"), LIMITS).frames
        np.testing.assert_array_equal(little, big)


def test_the_demo_cine_is_read_whole_and_calibrated() -> None:
    path = shipped("color3d_jpeg_baseline.dcm")
    report = inspect_echo(path, LIMITS)
    assert report.summary == "120 frames, 640 x 480, 30.0/s, JPEG baseline"
    assert (report.role, report.index, report.format, report.size_bytes) == ("echo", 0, "dicom-us", 6143990)
    clip = read_echo(path, LIMITS)
    assert clip.frames.shape == (120, 480, 640, 3)
    assert clip.calibration.spacing_mm == pytest.approx((0.510497, 0.510497), abs=1e-6)
    assert clip.region_px == (31, 84, 415, 596)
    assert clip.heart_rate_bpm is None  # the header says 0
    assert clip.frame_times_s[-1] == pytest.approx(119 * 0.033333, abs=1e-4)
    assert clip.timing_known
    assert not clip.remarks


def test_the_small_cine_has_no_millimetres() -> None:
    clip = read_echo(shipped("examples_ybr_color.dcm"), LIMITS)
    assert clip.frames.shape == (30, 240, 320, 3)
    assert clip.calibration.spacing_mm is None
    assert clip.calibration.reason == "The calibrated region lies outside the image."
    assert clip.region_px is None


def ybr_of(rgb: np.ndarray, *, partial: bool = False) -> np.ndarray:
    """The forward transform of DICOM PS3.3 C.7.6.3.1.2, in floats."""
    r, g, b = (rgb[..., i].astype(float) for i in range(3))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    cb, cr = (b - y) / 1.772, (r - y) / 1.402
    planes = (16 + y * 219 / 255, 128 + cb * 224 / 255, 128 + cr * 224 / 255) if partial else (y, 128 + cb, 128 + cr)
    return np.clip(np.rint(np.stack(planes, axis=-1)), 0, 255).astype(np.uint8)


def test_ybr_full_and_planar_rgb(phantoms: Any, tmp_path: Path) -> None:
    rgb = phantoms.smooth_frames()
    full = read_echo(phantoms.dicom(tmp_path / "a", ybr_of(rgb), photometric="YBR_FULL"), LIMITS).frames
    assert np.abs(full.astype(int) - rgb).max() <= 2
    planes = np.ascontiguousarray(rgb.transpose(0, 3, 1, 2)).reshape(rgb.shape)
    planar = read_echo(phantoms.dicom(tmp_path / "b", planes, PlanarConfiguration=1), LIMITS).frames
    np.testing.assert_array_equal(planar, rgb)


@pytest.mark.parametrize("photometric", ["YBR_FULL_422", "YBR_PARTIAL_422"])
def test_subsampled_colours(phantoms: Any, tmp_path: Path, photometric: str) -> None:
    rgb = phantoms.smooth_frames()
    rgb[:, :, 1::2] = rgb[:, :, ::2]  # pairs share their colour, so nothing is lost
    ybr = ybr_of(rgb, partial="PARTIAL" in photometric)
    pairs = np.stack([ybr[:, :, ::2, 0], ybr[:, :, 1::2, 0], ybr[:, :, ::2, 1], ybr[:, :, ::2, 2]], axis=-1)
    ds = phantoms.header(rgb.shape, photometric)
    ds.PixelData = pairs.tobytes()
    ds["PixelData"].VR = "OB"
    frames = read_echo(phantoms.save(ds, tmp_path / "a.dcm"), LIMITS).frames
    assert frames.shape == rgb.shape
    assert np.abs(frames.astype(int) - rgb).max() <= 3


def test_monochrome_both_ways(phantoms: Any, tmp_path: Path) -> None:
    grey = phantoms.fan_frames()
    plain = read_echo(phantoms.dicom(tmp_path / "a", grey), LIMITS).frames
    inverted = read_echo(phantoms.dicom(tmp_path / "b", 255 - grey, photometric="MONOCHROME1"), LIMITS).frames
    np.testing.assert_array_equal(plain, grey)
    np.testing.assert_array_equal(inverted, grey)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"])
def test_uncompressed_packings(phantoms: Any, tmp_path: Path, syntax: str) -> None:
    grey = phantoms.fan_frames()
    clip = read_echo(phantoms.dicom(tmp_path / "a", grey, syntax=syntax), LIMITS)
    np.testing.assert_array_equal(clip.frames, grey)


def test_big_endian_words_of_bytes(phantoms: Any, tmp_path: Path) -> None:
    grey = phantoms.fan_frames()
    ds = phantoms.header(grey.shape, "MONOCHROME2")
    ds.PixelData = grey.view(np.uint16).byteswap().tobytes()
    ds["PixelData"].VR = "OW"
    clip = read_echo(phantoms.save(ds, tmp_path / "a", syntax="1.2.840.10008.1.2.2"), LIMITS)
    np.testing.assert_array_equal(clip.frames, grey)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
def test_deep_grey_is_windowed(phantoms: Any, tmp_path: Path, syntax: str) -> None:
    deep = phantoms.fan_frames().astype(np.uint16) * 16
    depth = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
    whole = read_echo(phantoms.dicom(tmp_path / "a", deep, syntax=syntax, **depth), LIMITS).frames
    assert (whole.min(), whole.max()) == (0, 255)
    assert np.abs(whole.astype(int) - np.rint(deep * (255 / deep.max()))).max() <= 1
    window = {"WindowCenter": "1024.5", "WindowWidth": "2049"}
    cut = read_echo(phantoms.dicom(tmp_path / "b", deep, syntax=syntax, **depth, **window), LIMITS).frames
    expected = np.clip(np.rint(deep * (255 / 2048)), 0, 255)
    assert np.abs(cut.astype(int) - expected).max() <= 1
    assert cut.max() == 255


@pytest.mark.parametrize("is_colour", [False, True])
def test_rle_and_jpeg_ls_are_lossless(phantoms: Any, tmp_path: Path, is_colour: bool) -> None:
    import jpeg_ls

    frames = phantoms.smooth_frames() if is_colour else phantoms.fan_frames()
    photometric = "RGB" if is_colour else "MONOCHROME2"
    interleave = 2 if is_colour else 0

    def jpeg_ls_packed(frame: np.ndarray) -> bytes:
        return bytes(jpeg_ls.encode_array(frame, interleave_mode=interleave))

    for syntax, pack in (("1.2.840.10008.1.2.5", phantoms.rle), ("1.2.840.10008.1.2.4.80", jpeg_ls_packed)):
        packed = [pack(frame) for frame in frames]
        path = phantoms.packed_dicom(tmp_path / "a", packed, frames.shape, photometric, syntax)
        np.testing.assert_array_equal(read_echo(path, LIMITS).frames, frames)


def test_jpeg_colours_survive(phantoms: Any, tmp_path: Path) -> None:
    rgb = phantoms.smooth_frames()
    packed = [phantoms.jpeg(frame) for frame in rgb]
    for photometric in ("YBR_FULL_422", "YBR_FULL"):
        path = phantoms.packed_dicom(tmp_path / "a", packed, rgb.shape, photometric, "1.2.840.10008.1.2.4.50")
        assert np.abs(read_echo(path, LIMITS).frames.astype(int) - rgb).max() <= 6


def test_frames_in_several_fragments(phantoms: Any, tmp_path: Path) -> None:
    from pydicom.encaps import encapsulate

    rgb = phantoms.smooth_frames(3)
    packed = [phantoms.jpeg(frame) for frame in rgb]
    for has_table in (True, False):
        ds = phantoms.header(rgb.shape, "YBR_FULL")
        ds.PixelData = encapsulate(packed, fragments_per_frame=3, has_bot=has_table)
        ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
        clip = read_echo(phantoms.save(ds, tmp_path / "a", syntax="1.2.840.10008.1.2.4.50"), LIMITS)
        assert np.abs(clip.frames.astype(int) - rgb).max() <= 6
        assert not clip.remarks


# --- times and facts ---------------------------------------------------------------------------------


def test_frame_time_vector_wins(phantoms: Any, tmp_path: Path) -> None:
    vector = [0, 20, 30, 40, 20, 30]
    path = phantoms.dicom(tmp_path / "a", phantoms.fan_frames(), FrameTimeVector=vector)
    np.testing.assert_allclose(read_echo(path, LIMITS).frame_times_s, np.cumsum(vector) / 1000)


@pytest.mark.parametrize(
    ("tags", "step_s", "remarks"),
    [
        ({"FrameTime": "40"}, 0.04, []),
        ({"FrameTime": None, "CineRate": "50"}, 0.02, []),
        ({"FrameTime": None, "RecommendedDisplayFrameRate": "25"}, 0.04, []),
        ({"FrameTime": "0", "CineRate": "50"}, 0.02, ["W_FRAME_TIME"]),
        ({"FrameTime": "-40", "CineRate": "50"}, 0.02, ["W_FRAME_TIME"]),
        ({"FrameTime": "40", "FrameTimeVector": [0, 20, -5, 40, 20, 30]}, 0.04, ["W_FRAME_TIME"]),
        ({"FrameTime": "40", "FrameTimeVector": [0, 20]}, 0.04, ["W_FRAME_TIME"]),
        ({"FrameTime": "0"}, None, ["W_FRAME_TIME", "W_TIMING_ASSUMED"]),
        ({"FrameTime": "1e9", "CineRate": "0"}, None, ["W_FRAME_TIME", "W_FRAME_TIME", "W_TIMING_ASSUMED"]),
        ({"FrameTime": None}, None, ["W_TIMING_ASSUMED"]),
    ],
)
def test_times_are_checked(
    phantoms: Any, tmp_path: Path, tags: dict[str, Any], step_s: float | None, remarks: list[str]
) -> None:
    path = phantoms.dicom(tmp_path / "a", phantoms.fan_frames(), **tags)
    clip = read_echo(path, LIMITS)
    np.testing.assert_allclose(clip.frame_times_s, np.arange(6) * (step_s or 1 / 30))
    assert clip.timing_known is (step_s is not None)
    assert codes(clip) == remarks
    assert [remark.code for remark in inspect_echo(path, LIMITS).remarks] == remarks


def test_nan_frame_time_is_refused(phantoms: Any, tmp_path: Path) -> None:
    path = phantoms.dicom(tmp_path / "a", phantoms.fan_frames(), FrameTime="40")
    path.write_bytes(path.read_bytes().replace(b"\x18\x00\x63\x10DS\x02\x0040", b"\x18\x00\x63\x10DS\x02\x00na"))
    clip = read_echo(path, LIMITS)
    assert not clip.timing_known
    assert codes(clip)[-1] == "W_TIMING_ASSUMED"


def test_heart_beat_facts(phantoms: Any, tmp_path: Path) -> None:
    tags = {"RWaveTimeVector": [10.0, 150.0, 9000.0, -4.0], "HeartRate": "61"}
    clip = read_echo(phantoms.dicom(tmp_path / "a", phantoms.fan_frames(), **tags), LIMITS)
    assert clip.r_wave_times_s == pytest.approx((0.01, 0.15))
    assert clip.heart_rate_bpm == 61
    still = read_echo(phantoms.dicom(tmp_path / "b", phantoms.fan_frames(1), FrameTime=None, HeartRate="0"), LIMITS)
    assert still.heart_rate_bpm is None
    assert still.frame_times_s.tolist() == [0.0]
    assert not still.remarks


@pytest.mark.parametrize(
    ("name", "view"),
    [("A4C", "A4C"), ("AP4", "A4C"), ("Apical 4 chamber", "A4C"), ("4ch", "A4C"), ("AP2CH", "A2C"),
     ("apical two-ch", "A2C"), ("PLAX", None), ("A4CX", None), ("", None)],
)  # fmt: skip
def test_view_by_name(phantoms: Any, tmp_path: Path, name: str, view: str | None) -> None:
    assert read_echo(phantoms.dicom(tmp_path / "a", phantoms.fan_frames(2), ViewName=name), LIMITS).view == view


def test_view_by_code(phantoms: Any, tmp_path: Path) -> None:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    for value, view in (("399214001", "A4C"), ("G-A19B", "A2C"), ("123", None)):
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator = value, "SCT"
        path = phantoms.dicom(tmp_path / "a", phantoms.fan_frames(2), ViewCodeSequence=Sequence([item]))
        assert read_echo(path, LIMITS).view == view


def test_patient_header(phantoms: Any, tmp_path: Path) -> None:
    tags = {
        "PatientAge": "018M",
        "PatientSize": "1.7",
        "PatientWeight": "0",
        "StudyDate": "20210304",
        "StudyTime": "101112.5",
    }
    header = read_echo(phantoms.dicom(tmp_path / "a", phantoms.fan_frames(2), **tags), LIMITS).header
    assert header.patient_id == phantoms.SECRET
    assert header.name == f"{phantoms.SECRET}^Name"
    assert (header.birth_date, header.sex, header.age_years) == ("1960-02-29", "female", 1.5)
    assert (header.height_cm, header.weight_kg, header.acquired_at) == (170.0, None, "2021-03-04T10:11:12")
    nonsense = {"PatientBirthDate": "19601340", "PatientSex": "O", "StudyDate": "99999999"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = phantoms.dicom(tmp_path / "b", phantoms.fan_frames(2), **nonsense)
    header = read_echo(path, LIMITS).header
    assert (header.birth_date, header.sex, header.acquired_at) == (None, None, None)
