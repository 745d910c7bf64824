"""One contract for every ECG format: what comes out, what a lie costs, and what a damaged file does."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.ecg.readers import READERS, inspect_ecg, read_ecg
from pipeline.errors import PipelineError
from pipeline.gates import Limits, sniff
from pipeline.intake.roles import ROLES
from pipeline.records import EcgRecord
from tests.unit.ecg import ecg_files as files

MAX_CPU_S = 1.0
MAX_MEMORY = 64 << 20
PLAIN, FULL, NONE = ("sex", "age_years"), ("sex", "age_years", "height_cm", "weight_kg"), ()


@dataclass(frozen=True)
class Case:
    """One format: how to write it, and how it can lie."""

    format: str
    name: str  # of the file to open
    write: Callable[..., Path]
    facts: tuple[str, ...]
    too_many: dict[str, Any]  # a writer's words for an absurd size
    one_more: dict[str, Any]  # and for slightly more than the file holds
    flip_at: tuple[bytes, bytes] | None  # bytes of the header and what a damage makes of them
    damaged: str = ""  # the file to damage, where it is not the one to open
    derived: bool = False
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.format} {self.variant}".strip()


def wfdb_as(format_text: str, suffix: str) -> Callable[..., Path]:
    return lambda path, **lies: files.write_wfdb(path, format_text=format_text, suffix=suffix, **lies)


def sierra_as(**kind: str) -> Callable[..., Path]:
    return lambda path, **lies: files.write_sierra(path, **(kind | lies))


HUGE = {"n_declared": 2_000_000_000}
MORE = {"n_declared": files.N_SAMPLES + 1000}
SIERRA_HUGE, SIERRA_MORE = {"n_declared": 900_000_000}, {"n_declared": files.N_SAMPLES + 1200}
CASES = (
    Case("dicom-ecg", "a.dcm", files.write_dicom, FULL, HUGE, MORE, (b"WaveformBits", b""), variant="12-lead"),
    Case(
        "scp-ecg", "a.scp", files.write_scp, FULL, HUGE, MORE, (b"\xc4\x09\xd0\x07", b"\xc4\x0b\xd0\x07"), derived=True
    ),
    Case("hl7-aecg", "a.xml", files.write_aecg, FULL, {"increment": "1e-12"}, MORE, (b"GLIST_TS", b"GLI<T_TS")),
    Case("ge-muse", "a.xml", files.write_muse, FULL, HUGE, MORE, (b"<SampleBase>", b"<SampleBas5>"), derived=True),
    Case("philips-sierra", "a.xml", sierra_as(), FULL, SIERRA_HUGE, SIERRA_MORE, None, variant="XLI in UTF-16"),
    Case(
        *("philips-sierra", "a.xml", sierra_as(compression="Uncompressed", encoding="utf-8"), FULL, SIERRA_HUGE),
        *(SIERRA_MORE, (b"<documentversion>1.04", b"<documentversion>9.04")),
        variant="plain",
    ),
    Case("ishne", "a.ecg", files.write_ishne, ("sex",), HUGE, MORE, (b"Erika", b"Erjka")),
    Case("edf", "a.edf", files.write_edf, ("sex",), {"n_declared": 99999999}, {"n_declared": 5}, (b"uV  ", b"mm  ")),
    Case(
        *("edf", "a.bdf", files.write_bdf, ("sex",), {"n_declared": 99999999}, {"n_declared": 5}, (b"uV  ", b"mm  ")),
        variant="BDF",
    ),
    Case("wfdb", "a.hea", wfdb_as("16", ".dat"), PLAIN, HUGE, MORE, (b"a.dat 16", b"a.dat 17"), damaged="a.dat"),
    Case(
        *("wfdb", "a.hea", wfdb_as("61", ".dat"), PLAIN, HUGE, MORE, (b"a.dat 61", b"a.dat 63")),
        damaged="a.dat",
        variant="61",
    ),
    Case(
        *("wfdb", "a.hea", wfdb_as("16x1+24", ".mat"), PLAIN, HUGE, MORE, (b" 12 500", b" 13 500")),
        damaged="a.mat",
        variant="MATLAB level 4",
    ),
    Case(
        *("wfdb", "a.hea", wfdb_as("16x1", ".mat"), PLAIN, HUGE, MORE, (b" 12 500", b" 13 500")),
        damaged="a.mat",
        variant="MATLAB level 5",
    ),
    Case("csv", "a.csv", files.write_csv, NONE, {"rate_text": "1e12"}, {}, (b"(mV)", b"(mX)")),
)
every_format = pytest.mark.parametrize("case", CASES, ids=str)


def refusal(path: Path, limits: Limits | None = None) -> PipelineError:
    """The typed error with which a file is refused, by inspection and by reading alike."""
    errors = []
    for attempt in (inspect_ecg, read_ecg):
        with pytest.raises(PipelineError) as caught:
            attempt(path, limits or Limits())
        errors.append(caught.value)
    assert errors[0].code == errors[1].code
    assert path.name not in errors[0].text
    assert files.NAME not in errors[0].text
    return errors[0]


def outcome(path: Path) -> EcgRecord | PipelineError:
    try:
        return read_ecg(path, Limits())
    except PipelineError as error:
        return error


def read(case: Case, folder: Path) -> EcgRecord:
    return read_ecg(case.write(folder / case.name), Limits())


def test_every_reader_has_a_case() -> None:
    assert {reader.format for reader in READERS} == {case.format for case in CASES}


@every_format
def test_leads_rate_and_samples_are_those_written(case: Case, tmp_path: Path) -> None:
    record = read(case, tmp_path)
    report = inspect_ecg(tmp_path / case.name, Limits())
    assert (report.format, report.summary) == (case.format, f"{12} leads, 4.0 s, 500 Hz")
    assert (record.leads, record.sampling_rate_hz) == (files.LEADS, 500.0)
    assert record.signal_mv.shape == (12, files.N_SAMPLES)
    assert record.signal_mv.dtype == np.float32
    tolerance_mv = 1e-6 if case.format != "edf" else 0.0002
    np.testing.assert_allclose(record.signal_mv, files.truth_mv(), atol=tolerance_mv)


@every_format
def test_limb_leads_agree_and_remarks_are_the_expected(case: Case, tmp_path: Path) -> None:
    record = read(case, tmp_path)
    one, two, three, avr, avl, avf = record.signal_mv[:6]
    for left, right in ((three, two - one), (avr, -(one + two) / 2), (avl, one - two / 2), (avf, two - one / 2)):
        assert np.abs(left - right).max() < 0.0006
    expected = ["W_ECG_LEADS_DERIVED"] if case.derived else []
    expected += ["W_ECG_CALIBRATION_PULSE"] if case.format == "philips-sierra" else []
    assert [remark.code for remark in record.remarks] == expected


@every_format
def test_facts_are_read_and_names_stay_out(case: Case, tmp_path: Path) -> None:
    record = read(case, tmp_path)
    expected = {"sex": "female", "age_years": 63.0, "height_cm": 168.0, "weight_kg": 70.0}
    assert {fact: getattr(record.header, fact) for fact in case.facts} == {fact: expected[fact] for fact in case.facts}
    report = inspect_ecg(tmp_path / case.name, Limits())
    assert files.NAME not in repr(report)
    assert files.NAME not in record.scaling + repr(record.remarks)
    if case.format in ("scp-ecg", "hl7-aecg", "ge-muse", "philips-sierra", "ishne", "dicom-ecg"):
        assert (record.header.birth_date, record.header.acquired_at) == ("1950-03-04", "2021-05-06T07:08:09")
        assert (record.header.patient_id or "")[1:] == "-7"


@every_format
def test_the_content_decides_and_not_the_name(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path / case.name)
    disguised = path.rename(tmp_path / "disguised.avi") if not case.damaged else path
    assert sniff(disguised) == case.format
    assert inspect_ecg(disguised, Limits()).format == case.format


@every_format
def test_a_truncated_file_is_refused_or_its_beginning_read_and_said(case: Case, tmp_path: Path) -> None:
    opened = case.write(tmp_path / case.name)
    whole = read_ecg(opened, Limits())
    damaged = tmp_path / (case.damaged or case.name)
    raw = damaged.read_bytes()
    for share in (0.05, 0.6, 0.97):
        damaged.write_bytes(raw[: int(share * len(raw))])
        record = outcome(opened)
        if isinstance(record, PipelineError):
            assert record.code in ("E_INPUT_TRUNCATED", "E_INPUT_CORRUPT", "E_INPUT_KIND", "E_INPUT_EMPTY")
            continue
        n = record.signal_mv.shape[1]
        assert n < files.N_SAMPLES
        assert case.format == "csv" or "W_ECG_TRUNCATED" in [remark.code for remark in record.remarks]
        np.testing.assert_array_equal(record.signal_mv[:, : n - 1], whole.signal_mv[:, : n - 1])


@every_format
def test_a_damaged_header_is_refused(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path / case.name)
    raw = path.read_bytes()
    if case.format == "dicom-ecg":  # the number of channels
        at = raw.index(b"\x3a\x00\x05\x00") + 8
        path.write_bytes(raw[:at] + b"\xff\xff" + raw[at + 2 :])
    elif case.flip_at is None:
        path.write_bytes(raw.replace("500".encode("utf-16-le"), "5<0".encode("utf-16-le")))
    else:
        assert case.flip_at[0] in raw
        path.write_bytes(raw.replace(*case.flip_at))
    assert refusal(path).code.startswith("E_INPUT")


@every_format
def test_an_absurd_size_costs_neither_memory_nor_time(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path / case.name)
    read_ecg(path, Limits())  # the slow imports are done
    case.write(path, **case.too_many)
    tracemalloc.start()
    started_s = time.process_time()
    try:
        error = None if case.format == "ishne" else refusal(path)
        record = read_ecg(path, Limits()) if case.format == "ishne" else None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MAX_MEMORY
    assert time.process_time() - started_s < 4 * MAX_CPU_S  # tracing makes it several times slower
    if error is not None:
        assert error.code in ("E_HARD_004", "E_INPUT_CORRUPT", "E_INPUT_TRUNCATED")
    if record is not None:  # many ISHNE writers declare a nominal length: what is there is read, and said
        assert [remark.code for remark in record.remarks] == ["W_ECG_TRUNCATED"]


@pytest.mark.parametrize("case", [case for case in CASES if case.one_more], ids=str)
def test_more_declared_than_held_is_refused_or_said(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path / case.name, **case.one_more)
    record = outcome(path)
    if isinstance(record, PipelineError):
        assert record.code in ("E_INPUT_TRUNCATED", "E_INPUT_CORRUPT")
        assert record.code == refusal(path).code
    else:
        assert record.signal_mv.shape[1] == files.N_SAMPLES
        assert "W_ECG_TRUNCATED" in [remark.code for remark in record.remarks]


@every_format
def test_the_sample_limit_passes_and_one_less_fails(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path / case.name)
    stored = 8 if case.derived else 12
    n_samples = files.N_SAMPLES + (200 if case.format == "philips-sierra" else 0)
    annotations = 100 if case.format == "edf" else 0  # they count as well
    assert read_ecg(path, Limits(max_samples=stored * n_samples + annotations)).signal_mv.shape[0] == 12
    assert refusal(path, Limits(max_samples=stored * n_samples - 1)).code == "E_HARD_004"


@every_format
def test_reading_takes_less_than_a_second(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path / case.name)
    read_ecg(path, Limits())
    started_s = time.process_time()
    read_ecg(path, Limits())
    assert time.process_time() - started_s < MAX_CPU_S


def test_the_window_takes_every_kind_for_an_ecg() -> None:
    kinds = {reader.kind if reader.kind != "dicom" else reader.format for reader in READERS}
    assert {kind: dict(ROLES).get(kind) for kind in kinds} == dict.fromkeys(kinds, "ecg")
