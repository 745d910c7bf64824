"""EDF, EDF+ and BDF: round trips through edfio, and headers that lie."""

import datetime
from pathlib import Path

import edfio
import numpy as np
import pytest

from pipeline.ecg.readers import edf_layout, inspect_ecg, read_ecg
from pipeline.errors import PipelineError
from pipeline.gates import Limits

RATE_HZ = 500


def signal(
    label: str, unit: str = "uV", rate_hz: int = RATE_HZ, seconds: int = 10, size: float = 1000.0
) -> edfio.EdfSignal:
    rng = np.random.default_rng(len(label))
    data = rng.uniform(-size, size, rate_hz * seconds)
    return edfio.EdfSignal(data, rate_hz, label=label, physical_dimension=unit, physical_range=(-size, size))


def write(path: Path, signals: list[edfio.EdfSignal], **fields: object) -> Path:
    edfio.Edf(signals, **fields).write(path)  # type: ignore[arg-type]
    return path


def refusal(path: Path, limits: Limits | None = None) -> PipelineError:
    """The typed error with which a file is refused, by inspection and by reading alike."""
    with pytest.raises(PipelineError) as inspected:
        inspect_ecg(path, limits or Limits())
    with pytest.raises(PipelineError) as caught:
        read_ecg(path, limits or Limits())
    assert caught.value.text == inspected.value.text
    return caught.value


def patched(path: Path, offset: int, text: str, width: int = 8) -> Path:
    raw = bytearray(path.read_bytes())
    raw[offset : offset + width] = text.encode("latin-1").ljust(width)
    path.write_bytes(bytes(raw))
    return path


@pytest.mark.parametrize(("unit", "factor"), [("uV", 1e-3), ("mV", 1.0), ("V", 1e3)])
def test_known_values_come_back_in_mv(tmp_path: Path, unit: str, factor: float) -> None:
    signals = [signal(label, unit, size=2.0 / factor) for label in ("ECG I", "ECG II", "ECG V1")]
    path = write(tmp_path / "a.edf", signals)
    record = read_ecg(path, Limits())
    expected = np.stack([s.data for s in signals]) * factor
    np.testing.assert_allclose(record.signal_mv, expected, atol=4.0 / 65535)
    assert record.leads == ("I", "II", "V1")
    assert record.sampling_rate_hz == 500.0
    assert record.signal_mv.dtype == np.float32
    assert record.scaling.startswith("EDF")
    assert inspect_ecg(path, Limits()).summary == "3 leads, 10.0 s, 500 Hz"


def test_a_micro_sign_in_latin_1_is_a_microvolt(tmp_path: Path) -> None:
    path = write(tmp_path / "a.edf", [signal("ECG")])
    patched(path, 256 + 16 + 80, "\xb5V")
    assert np.abs(read_ecg(path, Limits()).signal_mv).max() == pytest.approx(1.0, abs=0.01)


def test_an_inverted_physical_range_is_followed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.edf", [signal("ECG")])
    plain = read_ecg(path, Limits()).signal_mv
    patched(path, 256 + 104, "1000")
    patched(path, 256 + 112, "-1000")
    np.testing.assert_allclose(read_ecg(path, Limits()).signal_mv, -plain, atol=1e-4)


def test_bdf_is_read_with_24_bits(tmp_path: Path) -> None:
    data = np.random.default_rng(1).uniform(-900, 900, 5000)
    digital_range = (-8388608, 8388607)
    signals = [
        edfio.BdfSignal(
            data, 500, label="ECG II", physical_dimension="uV", physical_range=(-1e3, 1e3), digital_range=digital_range
        )
    ]
    edfio.Bdf(signals).write(tmp_path / "a.bdf")
    record = read_ecg(tmp_path / "a.bdf", Limits())
    np.testing.assert_allclose(record.signal_mv[0], data / 1000.0, atol=2e-7)
    assert record.scaling.startswith("BDF")


def test_blocks_are_joined_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.edf", [signal("I"), signal("II")])
    whole = read_ecg(path, Limits()).signal_mv
    monkeypatch.setattr(edf_layout, "CHUNK_BYTES", 3 * 2 * 2 * 500)
    fractions: list[float] = []
    pieces = read_ecg(path, Limits(), progress=lambda fraction, _: fractions.append(fraction)).signal_mv
    np.testing.assert_array_equal(pieces, whole)
    assert fractions == pytest.approx([0.3, 0.6, 0.9, 1.0])


def test_other_signals_are_left_out_and_said(tmp_path: Path) -> None:
    signals = [signal("EEG C3"), signal("ECG"), signal("Resp chest"), signal("SpO2", "%")]
    record = read_ecg(write(tmp_path / "a.edf", signals), Limits())
    assert record.leads == ("ECG",)
    assert [(r.code, r.text[:1]) for r in record.remarks] == [("W_ECG_CHANNELS", "3")]


def test_unlabelled_voltages_are_taken_and_said(tmp_path: Path) -> None:
    record = read_ecg(write(tmp_path / "a.edf", [signal("Channel A"), signal("Temp", "degC")]), Limits())
    assert record.leads == ("Channel A",)
    assert [r.code for r in record.remarks] == ["W_ECG_UNLABELLED", "W_ECG_CHANNELS"]


def test_an_electroencephalogram_is_no_ecg(tmp_path: Path) -> None:
    assert refusal(write(tmp_path / "a.edf", [signal("Fp1"), signal("C3"), signal("Cz")])).code == "E_INPUT_KIND"


def test_the_commonest_rate_stays(tmp_path: Path) -> None:
    signals = [signal("I"), signal("II", rate_hz=250), signal("V1")]
    record = read_ecg(write(tmp_path / "a.edf", signals), Limits())
    assert record.leads == ("I", "V1")
    assert [r.code for r in record.remarks] == ["W_ECG_RATES"]


def test_annotations_are_ignored_and_the_patient_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.edf",
        [signal("II")],
        annotations=[edfio.EdfAnnotation(1.0, None, "cough")],
        patient=edfio.Patient(code="P7", sex="F", birthdate=datetime.date(1950, 3, 4), name="X"),
        recording=edfio.Recording(startdate=datetime.date(2021, 5, 6)),
        starttime=datetime.time(7, 8, 9),
    )
    record = read_ecg(path, Limits())
    assert record.signal_mv.shape == (1, 5000)
    header = record.header
    assert (header.patient_id, header.sex, header.birth_date, header.name) == ("P7", "female", "1950-03-04", None)
    assert header.acquired_at == "2021-05-06T07:08:09"


def test_a_cut_file_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.edf", [signal("II")])
    path.write_bytes(path.read_bytes()[: 512 + 1000 * 6 + 77])
    record = read_ecg(path, Limits())
    assert record.signal_mv.shape == (1, 3000)
    assert [(r.code, ", 6 s are there" in r.text) for r in record.remarks] == [("W_ECG_TRUNCATED", True)]


@pytest.mark.parametrize(
    ("offset", "width", "text", "code"),
    [
        (236, 8, "-1", "E_INPUT_CORRUPT"),
        (236, 8, "0", "E_INPUT_CORRUPT"),
        (236, 8, "abc", "E_INPUT_CORRUPT"),
        (236, 8, "99999999", "E_HARD_004"),
        (244, 8, "0", "E_INPUT_CORRUPT"),
        (244, 8, "nan", "E_INPUT_CORRUPT"),
        (244, 8, "1e-300", "E_INPUT_CORRUPT"),
        (252, 4, "0", "E_INPUT_CORRUPT"),
        (252, 4, "9999", "E_INPUT_CORRUPT"),
        (252, 4, "900", "E_INPUT_TRUNCATED"),
        (184, 8, "99", "E_INPUT_CORRUPT"),
        (192, 5, "EDF+D", "E_INPUT_CORRUPT"),
        (256 + 96, 8, "mmHg", "E_INPUT_KIND"),
        (256 + 104, 8, "1000", "E_INPUT_CORRUPT"),
        (256 + 104, 8, "inf", "E_INPUT_CORRUPT"),
        (256 + 120, 8, "40000", "E_INPUT_CORRUPT"),
        (256 + 216, 8, "0", "E_INPUT_CORRUPT"),
        (256 + 216, 8, "-500", "E_INPUT_CORRUPT"),
    ],
)
def test_lying_headers_are_refused(tmp_path: Path, offset: int, width: int, text: str, code: str) -> None:
    path = write(tmp_path / "a.edf", [signal("II", seconds=2)])
    assert refusal(patched(path, offset, text, width)).code == code


def test_a_file_of_annotations_only_is_refused(tmp_path: Path) -> None:
    edfio.Edf([], annotations=[edfio.EdfAnnotation(1.0, None, "alone")]).write(tmp_path / "a.edf")
    assert refusal(tmp_path / "a.edf").code == "E_INPUT_CORRUPT"


def test_the_sample_limit_passes_and_one_more_fails(tmp_path: Path) -> None:
    path = write(tmp_path / "a.edf", [signal("II")])
    assert read_ecg(path, Limits(max_samples=5000)).signal_mv.size == 5000
    assert refusal(path, Limits(max_samples=4999)).code == "E_HARD_004"
