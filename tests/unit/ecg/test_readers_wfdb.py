"""WFDB records: round trips in every format, segments, and headers that reach for other files."""

import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.cancellation import CancelToken
from pipeline.ecg.readers import inspect_ecg, read_ecg, wfdb_record
from pipeline.errors import InputError, PipelineError, RunCancelledError
from pipeline.gates import Limits, hash_files


def write_16(
    folder: Path, stored: np.ndarray, lines: list[str] | None = None, name: str = "rec", rate: str = "250"
) -> Path:
    """A record in format 16 from int16 (n_samples, n_signals), with a header written by hand."""
    (folder / f"{name}.dat").write_bytes(stored.astype("<i2").tobytes())
    labels = ("I", "II", "V1", "V2")
    lines = lines or [f"{name}.dat 16 200/mV 16 0 0 0 0 {labels[i]}" for i in range(stored.shape[1])]
    header = folder / f"{name}.hea"
    header.write_text(f"{name} {stored.shape[1]} {rate} {stored.shape[0]}\n" + "\n".join(lines) + "\n")
    return header


def steps(n_samples: int = 1000, n_signals: int = 2, largest: int = 400) -> np.ndarray:
    return np.random.default_rng(11).integers(-largest, largest, (n_samples, n_signals))


def refusal(path: Path, limits: Limits | None = None) -> PipelineError:
    """The typed error with which a record is refused, by inspection and by reading alike."""
    with pytest.raises(PipelineError) as inspected:
        inspect_ecg(path, limits or Limits())
    with pytest.raises(PipelineError) as caught:
        read_ecg(path, limits or Limits())
    assert caught.value.text == inspected.value.text
    assert str(path.parent) not in caught.value.text
    return caught.value


@pytest.mark.parametrize("number", ["16", "24", "32", "80", "212", "508", "516", "524"])
def test_known_values_come_back_from_every_format(tmp_path: Path, number: str) -> None:
    import wfdb

    stored = steps(largest=100)
    wfdb.wrsamp(
        "rec",
        fs=500,
        units=["mV", "uV"],
        sig_name=["ii", "avr"],
        d_signal=stored,
        fmt=[number, number],
        adc_gain=[200.0, 0.5],
        baseline=[3, -2],
        write_dir=str(tmp_path),
    )
    report = inspect_ecg(tmp_path / "rec.hea", Limits())
    record = read_ecg(tmp_path / "rec.hea", Limits())
    assert (report.format, report.summary) == ("wfdb", "2 leads, 2.0 s, 500 Hz")
    assert record.leads == ("II", "aVR")
    np.testing.assert_allclose(record.signal_mv[0], (stored[:, 0] - 3) / 200.0, atol=1e-6)
    np.testing.assert_allclose(record.signal_mv[1], (stored[:, 1] + 2) / 0.5 / 1000.0, atol=1e-6)
    assert "gain" in record.scaling
    assert record.remarks == ()


def packed(number: int, stored: np.ndarray) -> bytes:
    """Flat samples in the formats that the wfdb package reads but does not write: signal(5)."""
    if number == 160:
        return (stored + 32768).astype("<u2").tobytes()
    if number == 8:
        return np.diff(stored, prepend=0).astype("i1").tobytes()
    first, second, third = (stored.reshape(-1, 3) & 1023).T.astype(np.uint32)
    if number == 311:
        return (first | second << 10 | third << 20).astype("<u4").tobytes()
    words = [first << 1 | (third & 31) << 11, second << 1 | (third >> 5) << 11]
    return np.stack(words, axis=1).astype("<u2").tobytes()


@pytest.mark.parametrize("number", [8, 160, 310, 311])
def test_known_values_come_back_from_rare_formats(tmp_path: Path, number: int) -> None:
    stored = steps(1200, 1, largest=60)[:, 0]
    (tmp_path / "rec.dat").write_bytes(packed(number, stored))
    header = tmp_path / "rec.hea"
    header.write_text(f"rec 1 250 1200\nrec.dat {number} 200/mV 16 0 0 0 0 II\n")
    np.testing.assert_allclose(read_ecg(header, Limits()).signal_mv[0], stored / 200.0, atol=1e-6)


def test_blocks_are_joined_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_16(tmp_path, steps())
    whole = read_ecg(path, Limits()).signal_mv
    monkeypatch.setattr(wfdb_record, "CHUNK_VALUES", 2 * 300)
    fractions: list[float] = []
    pieces = read_ecg(path, Limits(), progress=lambda fraction, _: fractions.append(fraction)).signal_mv
    np.testing.assert_array_equal(pieces, whole)
    assert fractions == pytest.approx([0.3, 0.6, 0.9, 1.0])
    token = CancelToken()
    with pytest.raises(RunCancelledError):
        read_ecg(path, Limits(), progress=lambda *_: token.cancel(), cancel=token)


@pytest.mark.parametrize("suffix", [".hea", ".dat", ".atr"])
def test_any_file_of_a_record_opens_it(tmp_path: Path, suffix: str) -> None:
    write_16(tmp_path, steps())
    (tmp_path / "rec.atr").write_bytes(b"\0\0\1\2")
    assert read_ecg(tmp_path / f"rec{suffix}", Limits()).leads == ("I", "II")


def test_the_hash_covers_header_and_signals(tmp_path: Path) -> None:
    path = write_16(tmp_path, steps())
    first = inspect_ecg(path, Limits())
    assert first.sha256 == hash_files([path, tmp_path / "rec.dat"])
    assert first.size_bytes == path.stat().st_size + 4000
    raw = bytearray((tmp_path / "rec.dat").read_bytes())
    raw[17] ^= 1
    (tmp_path / "rec.dat").write_bytes(bytes(raw))
    assert inspect_ecg(path, Limits()).sha256 != first.sha256


def test_invalid_samples_become_missing(tmp_path: Path) -> None:
    stored = steps()
    stored[5:9, 1] = -32768
    record = read_ecg(write_16(tmp_path, stored), Limits())
    assert np.isnan(record.signal_mv[1, 5:9]).all()
    assert np.isnan(record.signal_mv).sum() == 4


def test_units_defaults_and_comments(tmp_path: Path) -> None:
    lines = ["rec.dat 16 0.2/uV 16 0 0 0 0 MLII", "rec.dat 16", "# <age>: 63 <sex>: F", "# a note"]
    path = write_16(tmp_path, steps(), lines)
    record = read_ecg(path, Limits())
    np.testing.assert_allclose(record.signal_mv[0], steps()[:, 0] / 0.2 / 1000.0, atol=1e-6)
    np.testing.assert_allclose(record.signal_mv[1], steps()[:, 1] / 200.0, atol=1e-6)
    assert record.leads == ("MLII", "channel 2")
    assert [remark.code for remark in record.remarks] == ["W_ECG_GAIN"]
    assert (record.header.age_years, record.header.sex) == (63.0, "female")


def test_signals_that_are_no_ecg_are_left_out(tmp_path: Path) -> None:
    lines = [f"rec.dat 16 200/{unit} 16 0 0 0 0 {name}" for unit, name in (("mV", "V"), ("NU", "X2"), ("mV", "PLETH"))]
    record = read_ecg(write_16(tmp_path, steps(n_signals=3), lines), Limits())
    assert record.leads == ("V",)
    np.testing.assert_allclose(record.signal_mv[0], steps(n_signals=3)[:, 0] / 200.0, atol=1e-6)
    assert [remark.code for remark in record.remarks] == ["W_ECG_CHANNELS"]


def test_more_samples_a_frame_raise_the_rate(tmp_path: Path) -> None:
    stored = steps(3000, 1)
    lines = ["rec.dat 16x2 200/mV 16 0 0 0 0 I", "rec.dat 16 200/mV 16 0 0 0 0 II"]
    header = write_16(tmp_path, stored, ["rec.dat 16x3 200/mV 16 0 0 0 0 I"])
    header.write_text("rec 1 250 1000\nrec.dat 16x3 200/mV 16 0 0 0 0 I\n")
    record = read_ecg(header, Limits())
    assert (record.sampling_rate_hz, record.signal_mv.shape) == (750.0, (1, 3000))
    np.testing.assert_allclose(record.signal_mv[0], stored[:, 0] / 200.0, atol=1e-6)
    header.write_text("rec 2 250 1000\n" + "\n".join(lines) + "\n")
    assert [remark.code for remark in read_ecg(header, Limits()).remarks] == ["W_ECG_RATES"]


def test_a_cut_signal_file_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = write_16(tmp_path, steps())
    (tmp_path / "rec.dat").write_bytes((tmp_path / "rec.dat").read_bytes()[:2002])
    record = read_ecg(path, Limits())
    assert record.signal_mv.shape == (2, 500)
    assert [(r.code, ", 2 s are there" in r.text) for r in record.remarks] == [("W_ECG_TRUNCATED", True)]


def test_a_header_without_a_length_takes_the_files(tmp_path: Path) -> None:
    header = write_16(tmp_path, steps())
    header.write_text(header.read_text().replace("250 1000", "250"))
    assert read_ecg(header, Limits()).signal_mv.shape == (2, 1000)


def test_segments_are_joined_and_gaps_stay_empty(tmp_path: Path) -> None:
    first, second = steps(300), steps(200) + 7
    write_16(tmp_path, first, name="s1")
    lines = ["s2.dat 16 100/mV 16 0 0 0 0 II", "s2.dat 16 100/mV 16 0 0 0 0 V5"]
    write_16(tmp_path, second, lines, name="s2")
    (tmp_path / "lay.hea").write_text("lay 2 250 0\n~ 0 200/mV 0 0 0 0 0 I\n~ 0 200/mV 0 0 0 0 0 II\n")
    master = tmp_path / "all.hea"
    master.write_text("all/3 2 250 600\ns1 300\n~ 100\ns2 200\n")
    record = read_ecg(master, Limits())
    assert record.leads == ("I", "II")
    assert record.signal_mv.shape == (2, 600)
    np.testing.assert_allclose(record.signal_mv[1, :300], first[:, 1] / 200.0, atol=1e-6)
    np.testing.assert_allclose(record.signal_mv[1, 400:], second[:, 0] / 100.0, atol=1e-6)
    assert np.isnan(record.signal_mv[:, 300:400]).all()
    assert np.isnan(record.signal_mv[0, 400:]).all()
    report = inspect_ecg(master, Limits())
    assert report.sha256 == hash_files([tmp_path / n for n in ("all.hea", "s1.hea", "s1.dat", "s2.hea", "s2.dat")])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("rec 10000000 250 1000\nrec.dat 16 200 16 0 0 0 0 I\n", "E_INPUT_CORRUPT"),
        ("rec 1 250 1000000000000\nrec.dat 16 200 16 0 0 0 0 I\n", "E_HARD_004"),
        ("rec 1 250 99999999999999999999\nrec.dat 16 200 16 0 0 0 0 I\n", "E_INPUT_CORRUPT"),
        ("rec 1 0 1000\nrec.dat 16 200 16 0 0 0 0 I\n", "E_INPUT_CORRUPT"),
        ("rec 1 nan 1000\nrec.dat 16 200 16 0 0 0 0 I\n", "E_INPUT_CORRUPT"),
        ("rec 1 250 1000\nrec.dat 16 0 16 0 0 0 0 I\n", "E_INPUT_CORRUPT"),
        ("rec 1 250 1000\nrec.dat 16 0.0/mV 16 0 0 0 0 I\n", "E_INPUT_CORRUPT"),
        ("rec 1 250 1000\n../rec.dat 16 200 16 0 0 0 0 I\n", "E_INPUT_CORRUPT"),
        ("rec 1 250 1000\n/etc/passwd 80 200 16 0 0 0 0 I\n", "E_INPUT_CORRUPT"),
        ("rec 1 250 1000\nhttp://example.org/rec.dat 16 200 16 0 0 0 0 I\n", "E_INPUT_CORRUPT"),
        ("rec 1 250 1000\n~rec.dat 16 200 16 0 0 0 0 I\n", "E_INPUT_CORRUPT"),
        ("rec 1 250 1000\nother.dat 16 200 16 0 0 0 0 I\n", "E_INPUT_MISSING"),
        ("rec 1 250 1000\nrec.dat 99 200 16 0 0 0 0 I\n", "E_INPUT_UNSUPPORTED"),
        ("rec 1 250 1000\nrec.dat 16x99999 200 16 0 0 0 0 I\n", "E_INPUT_CORRUPT"),
        ("rec 1 250 1000\nrec.dat 16 200/mmHg 16 0 0 0 0 ABP\n", "E_INPUT_KIND"),
        ("rec 2 250 1000\nrec.dat 16 200 16 0 0 0 0 I\nrec.dat 212 200 16 0 0 0 0 II\n", "E_INPUT_CORRUPT"),
        ("rec/2 1 250 1000\nrec 500\nrec 500\n", "E_INPUT_CORRUPT"),
        ("rec/1 1 250 1000\n../rec 1000\n", "E_INPUT_CORRUPT"),
        ("rec/2 1 250 1000\nnest 500\n~ 500\n", "E_INPUT_CORRUPT"),
        ("rec/9 1 250 1000\n~ 500\n", "E_INPUT_CORRUPT"),
        ("rec/1 1 250 9\n~ 9\n", "E_INPUT_CORRUPT"),
        ("rec/1 1 250 999999999999\nnest 999999999999\n", "E_HARD_004"),
        ("# only comments\n", "E_INPUT_CORRUPT"),
        ("rec\n", "E_INPUT_CORRUPT"),
    ],
)
def test_hostile_headers_are_refused(tmp_path: Path, text: str, code: str) -> None:
    header = write_16(tmp_path, steps(n_signals=1))
    (tmp_path / "nest.hea").write_text("nest/1 1 250 500\nrec 500\n")
    header.write_text(text)
    assert refusal(header).code == code


def test_links_pipes_and_odd_folders_are_refused(tmp_path: Path) -> None:
    header = write_16(tmp_path, steps())
    secret = tmp_path / "secret"
    (tmp_path / "rec.dat").rename(secret)
    (tmp_path / "rec.dat").symlink_to(secret)
    assert refusal(header).code == "E_INPUT_KIND"
    (tmp_path / "rec.dat").unlink()
    os.mkfifo(tmp_path / "rec.dat")
    assert isinstance(refusal(header), InputError)
    (tmp_path / "zip::x").mkdir()
    assert refusal(write_16(tmp_path / "zip::x", steps())).code == "E_INPUT_UNSUPPORTED"


def test_missing_files_are_told(tmp_path: Path) -> None:
    header = write_16(tmp_path, steps())
    (tmp_path / "rec.dat").unlink()
    assert refusal(header).code == "E_INPUT_MISSING"
    write_16(tmp_path, steps())
    header.unlink()
    assert refusal(tmp_path / "rec.dat").code == "E_INPUT_MISSING"


def test_an_empty_flac_lie_ends_typed(tmp_path: Path) -> None:
    header = write_16(tmp_path, steps())
    header.write_text(header.read_text().replace("16 200", "516 200"))
    with pytest.raises(InputError) as caught:
        read_ecg(header, Limits())
    assert caught.value.code == "E_INPUT_CORRUPT"


def test_the_sample_limit_passes_and_one_more_fails(tmp_path: Path) -> None:
    path = write_16(tmp_path, steps())
    assert read_ecg(path, Limits(max_samples=2000)).signal_mv.size == 2000
    assert refusal(path, Limits(max_samples=1999)).code == "E_HARD_004"
