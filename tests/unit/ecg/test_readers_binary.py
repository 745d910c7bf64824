"""SCP-ECG, ISHNE, MATLAB and interrupted EDF+: the codings that the contract does not use, and files that lie."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import edfio
import numpy as np
import pytest
import scipy.io

from pipeline.ecg.readers import inspect_ecg, read_ecg
from pipeline.errors import PipelineError
from pipeline.gates import Limits
from tests.unit.ecg import ecg_files as files

TWO = ("I", "II")


def refusal(path: Path, limits: Limits | None = None) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        read_ecg(path, limits or Limits())
    with pytest.raises(PipelineError) as inspected:
        inspect_ecg(path, limits or Limits())
    assert inspected.value.text == caught.value.text
    return caught.value


def codes(path: Path) -> list[str]:
    return [remark.code for remark in read_ecg(path, Limits()).remarks]


# --- SCP-ECG -----------------------------------------------------------------------------------------


def scp(path: Path, sections: dict[int, bytes], **kind: Any) -> Path:
    path.write_bytes(files.scp_record(sections, **kind))
    return path


def raw_rows(leads: tuple[str, ...], order: int = 0) -> list[bytes]:
    return [files.differences(row, order).astype("<i2").tobytes() for row in files.steps_of(leads)]


@pytest.mark.parametrize("order", [0, 1, 2])
def test_plain_samples_of_every_order(tmp_path: Path, order: int) -> None:
    sections = {3: files.scp_leads(files.LEADS), 6: files.scp_samples(raw_rows(files.LEADS, order), order=order)}
    record = read_ecg(scp(tmp_path / "a", sections), Limits())
    np.testing.assert_allclose(record.signal_mv, files.truth_mv(), atol=1e-6)
    assert record.leads == files.LEADS
    assert record.remarks == ()


def test_tables_of_the_file_and_switches_between_them(tmp_path: Path) -> None:
    """Table 1: `0` is 0, `10` and 16 bits any value, `11` leads to table 2. Table 2: `1` is 3, `0` leads back."""

    def entry(prefix: str, extra: int, mode: int, value: int) -> bytes:
        return struct.pack("<BBBhI", len(prefix), len(prefix) + extra, mode, value, int(prefix[::-1], 2))

    tables = (2).to_bytes(2, "little")
    tables += (3).to_bytes(2, "little") + entry("0", 0, 1, 0) + entry("10", 16, 1, 0) + entry("11", 0, 0, 2)
    tables += (2).to_bytes(2, "little") + entry("1", 0, 1, 3) + entry("0", 0, 0, 1)
    row = np.array([0, 500, 3, 3, -7, 0])
    bits = "0" + "10" + f"{500:016b}" + "11" + "1" + "1" + "0" + "10" + f"{-7 & 0xFFFF:016b}" + "0"
    sections = {
        2: tables,
        3: files.scp_leads(("II",), n_samples=row.size),
        6: files.scp_samples([files.bits_to_bytes(bits)]),
    }
    record = read_ecg(scp(tmp_path / "a", sections), Limits())
    np.testing.assert_allclose(record.signal_mv[0], row * 0.0025, atol=1e-7)


def reference_sections(leads: tuple[str, ...] = TWO, reference_us: int = 2000, bimodal: int = 0) -> dict[int, bytes]:
    """Two beats of 100 samples, 60 before the fiducial point, subtracted with half the amplitude step."""
    beat = np.round(100 * np.hanning(100)).astype(np.int64)
    rest = files.steps_of(leads).copy()
    zones = b""
    for fiducial in (500, 1200):
        start = fiducial - 60  # the fiducial point is sample 61 of the reference beat, counted from 1
        rest[:, start - 1 : start + 99] -= beat
        zones += struct.pack("<HIII", 0, start, fiducial, start + 99)
    zones += struct.pack("<HIII", 1, 1600, 1650, 1700)  # a beat of another type: nothing was subtracted
    reference = [(2 * beat).astype("<i2").tobytes()] * len(leads)
    return {
        3: files.scp_leads(leads, flags=0x05),
        4: struct.pack("<HHH", 200, 61, 3) + zones,
        5: files.scp_samples(reference, nv=1250, us=reference_us),
        6: files.scp_samples([row.astype("<i2").tobytes() for row in rest], bimodal=bimodal),
    }


def test_the_reference_beat_is_put_back(tmp_path: Path) -> None:
    record = read_ecg(scp(tmp_path / "a", reference_sections()), Limits())
    np.testing.assert_allclose(record.signal_mv[:2], files.truth_mv(TWO), atol=1e-6)


@pytest.mark.parametrize(
    ("sections", "code"),
    [
        (reference_sections(reference_us=1000), "E_INPUT_UNSUPPORTED"),
        (reference_sections(reference_us=1000, bimodal=1), "E_INPUT_UNSUPPORTED"),
        ({n: body for n, body in reference_sections().items() if n != 5}, "E_INPUT_UNSUPPORTED"),
        ({n: body for n, body in reference_sections().items() if n != 3}, "E_INPUT_UNSUPPORTED"),
        ({n: body for n, body in reference_sections().items() if n != 6}, "E_INPUT_UNSUPPORTED"),
        ({**reference_sections(), 3: b"\xff\x04" + bytes(30)}, "E_INPUT_CORRUPT"),
        ({**reference_sections(), 2: b"\x01\x00\xff\xff"}, "E_INPUT_CORRUPT"),
        ({**reference_sections(), 2: b"\x00\x00"}, "E_INPUT_CORRUPT"),
        ({3: files.scp_leads(TWO), 6: files.scp_samples(raw_rows(TWO), nv=0)}, "E_INPUT_CORRUPT"),
        ({3: files.scp_leads(TWO), 6: files.scp_samples(raw_rows(TWO), us=0)}, "E_INPUT_CORRUPT"),
        ({3: files.scp_leads(TWO), 6: files.scp_samples(raw_rows(TWO), order=3)}, "E_INPUT_CORRUPT"),
        ({3: files.scp_leads(TWO), 6: files.scp_samples(raw_rows(TWO))[:-3000]}, "E_INPUT_TRUNCATED"),
    ],
)
def test_an_scp_file_that_lies_is_refused(tmp_path: Path, sections: dict[int, bytes], code: str) -> None:
    assert refusal(scp(tmp_path / "a", sections)).code == code


@pytest.mark.parametrize("shift", [-40, 1, 4000])
def test_sections_that_overlap_or_lie_elsewhere_are_refused(tmp_path: Path, shift: int) -> None:
    assert refusal(files.write_scp(tmp_path / "a", shift=shift)).code == "E_INPUT_CORRUPT"


def test_check_sums_of_sections_refuse_and_that_of_the_record_warns(tmp_path: Path) -> None:
    path = files.write_scp(tmp_path / "a")
    raw = bytearray(path.read_bytes())
    path.write_bytes(bytes((raw[0] ^ 1,)) + raw[1:])
    assert codes(path) == ["W_ECG_CHECKSUM", "W_ECG_LEADS_DERIVED"]
    raw[-1] ^= 1
    path.write_bytes(raw)
    assert refusal(path).code == "E_INPUT_CORRUPT"


def test_leads_that_start_later_stay_empty_before(tmp_path: Path) -> None:
    spans = struct.pack("<IIBIIB", 1, 1500, 1, 501, 2000, 2)
    rows = [files.steps_of(("I",))[0, :1500], files.steps_of(("II",))[0, 500:]]
    samples = files.scp_samples([row.astype("<i2").tobytes() for row in rows])
    record = read_ecg(scp(tmp_path / "a", {3: b"\x02\x00" + spans, 6: samples}), Limits())
    assert record.signal_mv.shape == (6, 2000)
    np.testing.assert_array_equal(np.isnan(record.signal_mv[:2]).sum(axis=1), [500, 500])
    np.testing.assert_allclose(record.signal_mv[1, 500:], files.truth_mv(("II",))[0, 500:], atol=1e-6)
    assert np.isnan(record.signal_mv[2]).sum() == 1000  # III only where both are


# --- ISHNE -------------------------------------------------------------------------------------------


def test_the_count_may_mean_all_leads_together(tmp_path: Path) -> None:
    path = files.write_ishne(tmp_path / "a", n_declared=12 * files.N_SAMPLES)
    assert read_ecg(path, Limits()).signal_mv.shape == (12, files.N_SAMPLES)
    assert codes(path) == []


def test_what_is_held_beyond_the_count_is_left_out(tmp_path: Path) -> None:
    path = files.write_ishne(tmp_path / "a", n_declared=files.N_SAMPLES - 500)
    record = read_ecg(path, Limits())
    np.testing.assert_allclose(record.signal_mv, files.truth_mv()[:, :-500], atol=1e-6)
    assert codes(path) == ["W_ECG_LONGER"]


def test_flagged_samples_are_empty(tmp_path: Path) -> None:
    path = files.write_ishne(tmp_path / "a")
    raw = bytearray(path.read_bytes())
    raw[-24:-22] = struct.pack("<h", -32768)
    path.write_bytes(raw)
    assert np.argwhere(np.isnan(read_ecg(path, Limits()).signal_mv)).tolist() == [[0, files.N_SAMPLES - 1]]


def test_the_check_sum_in_either_byte_order_or_none(tmp_path: Path) -> None:
    path = files.write_ishne(tmp_path / "a")
    raw = path.read_bytes()
    path.write_bytes(raw[:8] + raw[9:10] + raw[8:9] + raw[10:])
    assert codes(path) == []
    files.write_ishne(path, with_crc=False)
    assert codes(path) == []
    path.write_bytes(raw[:8] + bytes((raw[8] ^ 1,)) + raw[9:])
    assert refusal(path).code == "E_INPUT_CORRUPT"


@pytest.mark.parametrize(
    "lie",
    [
        {"n_leads": 0},
        {"n_leads": 13},
        {"n_leads": -9},
        {"rate_hz": 0},
        {"rate_hz": -500},
        {"resolution_nv": 0},
        {"resolution_nv": -9},
        {"n_declared": 0},
        {"n_declared": -1},
    ],
)
def test_an_ishne_header_that_lies_is_refused(tmp_path: Path, lie: dict[str, int]) -> None:
    assert refusal(files.write_ishne(tmp_path / "a", **lie)).code == "E_INPUT_CORRUPT"


# --- MATLAB ------------------------------------------------------------------------------------------


def mat_record(folder: Path, variables: dict[str, Any] | None = None, **kind: Any) -> Path:
    header = files.write_wfdb(folder / "a.hea", format_text="16x1", suffix=".mat")
    if variables is not None:
        scipy.io.savemat(folder / "a.mat", variables, **kind)
    return header


def test_either_file_of_a_matlab_record_may_be_opened(tmp_path: Path) -> None:
    header = mat_record(tmp_path)
    expected = files.truth_mv()
    for opened in (header, header.with_suffix(".mat")):
        np.testing.assert_allclose(read_ecg(opened, Limits()).signal_mv, expected, atol=1e-6)
    header.unlink()
    assert refusal(tmp_path / "a.mat").code == "E_INPUT_MISSING"


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32, np.float64])
def test_every_number_type_of_level_5(tmp_path: Path, kind: type, *, packed: bool) -> None:
    header = mat_record(tmp_path, {"val": files.phantom_steps().astype(kind)}, do_compression=packed)
    np.testing.assert_allclose(read_ecg(header, Limits()).signal_mv, files.truth_mv(), atol=1e-6)


STEPS = files.phantom_steps().astype(np.int16)
OBJECTS = np.array([[STEPS, "text"]], dtype=object)


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"val": OBJECTS}, "E_INPUT_UNSUPPORTED"),
        ({"val": {"inner": STEPS}}, "E_INPUT_UNSUPPORTED"),
        ({"val": "text"}, "E_INPUT_UNSUPPORTED"),
        ({"val": STEPS + 1j}, "E_INPUT_UNSUPPORTED"),
        ({"val": scipy.sparse.csc_matrix(STEPS.astype(float))}, "E_INPUT_UNSUPPORTED"),
        ({"val": STEPS, "hidden": OBJECTS}, "E_INPUT_UNSUPPORTED"),
        ({"a": STEPS, "b": STEPS}, "E_INPUT_UNSUPPORTED"),
        ({"val": STEPS.reshape(3, 4, -1)}, "E_INPUT_UNSUPPORTED"),
        ({"val": STEPS[:11]}, "E_INPUT_CORRUPT"),
        ({"val": STEPS.T}, "E_INPUT_CORRUPT"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_anything_but_the_matrix_of_samples_is_refused(
    tmp_path: Path, variables: dict[str, Any], code: str, *, packed: bool
) -> None:
    assert refusal(mat_record(tmp_path, variables, do_compression=packed)).code == code


def test_a_function_or_object_class_is_refused(tmp_path: Path) -> None:
    header = mat_record(tmp_path, {"val": STEPS}, do_compression=False)
    raw = bytearray((tmp_path / "a.mat").read_bytes())
    assert raw[144] == 10  # int16 in the array flags
    for of_class in (3, 16, 17):  # object, function handle, opaque
        raw[144] = of_class
        (tmp_path / "a.mat").write_bytes(raw)
        assert refusal(header).code == "E_INPUT_UNSUPPORTED"


def test_a_packed_matrix_unpacks_no_further_than_declared(tmp_path: Path) -> None:
    header = mat_record(tmp_path, {"val": np.zeros((12, 100_000), np.int16)}, do_compression=True)
    raw = (tmp_path / "a.mat").read_bytes()
    body = bytearray(zlib.decompress(raw[136:]))
    at = body.index(struct.pack("<II", 5, 8)) + 8
    body[at : at + 8] = struct.pack("<ii", 12, 2000)
    packed = zlib.compress(bytes(body))
    (tmp_path / "a.mat").write_bytes(raw[:128] + struct.pack("<II", 15, len(packed)) + packed)
    assert refusal(header).code == "E_INPUT_CORRUPT"  # dimensions and bytes disagree
    at = body.index(struct.pack("<I", 12 * 100_000 * 2))
    body[at : at + 4] = struct.pack("<I", 12 * 2000 * 2)
    packed = zlib.compress(bytes(body))
    (tmp_path / "a.mat").write_bytes(raw[:128] + struct.pack("<II", 15, len(packed)) + packed)
    with pytest.raises(PipelineError) as caught:
        read_ecg(header, Limits())
    assert caught.value.code == "E_INPUT_CORRUPT"
    assert "unpacks to more" in caught.value.text


# --- EDF+D -------------------------------------------------------------------------------------------


def interrupted(path: Path, onsets: tuple[str, ...] = ("+0", "+1", "+3.5", "+4.5")) -> Path:
    """The four records of the contract's file at other times."""
    files.write_edf(path)
    raw = bytearray(path.read_bytes())
    raw[192:197] = b"EDF+D"
    for record, onset in enumerate(onsets):
        old = b"+%d\x14\x14" % record
        at = raw.index(old, 256)
        end = raw.index(b"\0", at)
        text = onset.encode() + b"\x14\x14"
        raw[at:end] = text + bytes(end - at - len(text)) if len(text) <= end - at else text
        del raw[at + max(end - at, len(text)) : at + max(end - at, len(text)) + max(0, len(text) - (end - at))]
    path.write_bytes(raw)
    return path


def test_gaps_of_an_interrupted_recording_stay_empty(tmp_path: Path) -> None:
    path = interrupted(tmp_path / "a.edf")
    record = read_ecg(path, Limits())
    truth = files.truth_mv()
    assert record.signal_mv.shape == (12, 2750)
    np.testing.assert_allclose(record.signal_mv[:, :1000], truth[:, :1000], atol=2e-4)
    assert np.isnan(record.signal_mv[:, 1000:1750]).all()
    np.testing.assert_allclose(record.signal_mv[:, 1750:], truth[:, 1000:], atol=2e-4)
    assert [(each.code, "1 times, for 1.5 s" in each.text) for each in record.remarks] == [("W_ECG_GAPS", True)]
    assert inspect_ecg(path, Limits()).summary == "12 leads, 5.5 s, 500 Hz"


def test_an_interruption_that_is_none_leaves_no_gap(tmp_path: Path) -> None:
    path = interrupted(tmp_path / "a.edf", ("+0", "+1", "+2", "+3"))
    np.testing.assert_allclose(read_ecg(path, Limits()).signal_mv, files.truth_mv(), atol=2e-4)
    assert codes(path) == []


@pytest.mark.parametrize("onsets", [("+0", "+1", "+1", "+2"), ("+0", "+3", "+2", "+5"), ("+0", "x", "+2", "+3")])
def test_records_that_overlap_or_have_no_time_are_refused(tmp_path: Path, onsets: tuple[str, ...]) -> None:
    assert refusal(interrupted(tmp_path / "a.edf", onsets)).code == "E_INPUT_CORRUPT"


def test_a_gap_of_years_is_stopped_by_the_limit(tmp_path: Path) -> None:
    path = interrupted(tmp_path / "a.edf", ("+0", "+1", "+2", "+99999999"))
    assert refusal(path).code == "E_HARD_004"
    assert edfio.read_edf(path).num_data_records == 4
