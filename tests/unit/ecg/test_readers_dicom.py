"""DICOM waveforms: the real file that pydicom ships, phantoms of known mV, and hostile headers."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid

from pipeline.ecg.leads import STANDARD_LEADS
from pipeline.ecg.readers import inspect_ecg, read_ecg
from pipeline.errors import HardStopError, InputError, PipelineError
from pipeline.gates import Limits

AMBULATORY = "1.2.840.10008.5.1.4.1.1.9.1.3"
RATE_HZ = 250.0
MDC_CODES = ("2:1", "2:2", "2:61")


def channel(code: str, scheme: str, meaning: str, unit: str = "uV", sensitivity: float = 2.5) -> Dataset:
    source = Dataset()
    source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = code, scheme, meaning
    units = Dataset()
    units.CodeValue, units.CodingSchemeDesignator, units.CodeMeaning = unit, "UCUM", unit
    item = Dataset()
    item.ChannelSourceSequence = Sequence([source])
    item.ChannelSensitivity = sensitivity
    item.ChannelSensitivityUnitsSequence = Sequence([units])
    item.ChannelSensitivityCorrectionFactor = 2.0
    item.ChannelBaseline = 100.0
    item.WaveformBitsStored = 16
    return item


def group(
    samples: np.ndarray, *, big_endian: bool = False, originality: str = "ORIGINAL", label: str = "RHYTHM"
) -> Dataset:
    """A multiplex group of int16 samples (n_samples, n_channels)."""
    item = Dataset()
    item.WaveformOriginality = originality
    item.MultiplexGroupLabel = label
    item.NumberOfWaveformChannels = samples.shape[1]
    item.NumberOfWaveformSamples = samples.shape[0]
    item.SamplingFrequency = RATE_HZ
    codes = MDC_CODES[: samples.shape[1]]
    item.ChannelDefinitionSequence = Sequence([channel(code, "MDC", "") for code in codes])
    item.WaveformBitsAllocated = 16
    item.WaveformSampleInterpretation = "SS"
    item.WaveformData = samples.astype(">i2" if big_endian else "<i2").tobytes()
    return item


def samples_of(n_samples: int = 1000, n_channels: int = 3) -> np.ndarray:
    """Steps of the converter for leads that obey Einthoven's law up to the common baseline."""
    rng = np.random.default_rng(7)
    one, two = rng.integers(-200, 200, (2, n_samples))
    return np.stack([one, two, two - one], axis=1)[:, :n_channels].astype(np.int16)


def write(path: Path, groups: list[Dataset], syntax: str = ExplicitVRLittleEndian, **fields: Any) -> Path:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = AMBULATORY
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SOPClassUID, dataset.SOPInstanceUID = AMBULATORY, dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.Modality = "ECG"
    for keyword, value in fields.items():
        setattr(dataset, keyword, value)
    dataset.WaveformSequence = Sequence(groups)
    dataset.save_as(path, enforce_file_format=True)
    return path


def refusal(path: Path, limits: Limits | None = None) -> PipelineError:
    """The typed error with which a file is refused."""
    with pytest.raises(PipelineError) as caught:
        read_ecg(path, limits or Limits())
    assert str(path.parent) not in caught.value.text
    return caught.value


def test_the_real_twelve_lead_file() -> None:
    path = Path(str(get_testdata_file("waveform_ecg.dcm")))
    report, record = inspect_ecg(path, Limits()), read_ecg(path, Limits())
    assert (report.format, report.summary) == ("dicom-ecg", "12 leads, 10.0 s, 1000 Hz")
    assert record.leads == STANDARD_LEADS
    assert record.signal_mv.shape == (12, 10_000)
    assert record.sampling_rate_hz == 1000.0
    assert [remark.code for remark in record.remarks] == ["W_ECG_GROUPS"]
    assert "median beats (12 channels, 1.2 s)" in record.remarks[0].text
    uv = pydicom.dcmread(path).waveform_array(0)
    np.testing.assert_allclose(record.signal_mv, uv.T / 1000.0, atol=1e-5)
    assert record.header.sex == "female"
    assert record.header.birth_date == "1971-01-23"
    assert record.header.acquired_at == "2013-01-25T10:59:19"


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_known_millivolts_come_back(tmp_path: Path, syntax: str) -> None:
    stored = samples_of()
    path = write(tmp_path / "a.dcm", [group(stored, big_endian=syntax == ExplicitVRBigEndian)], syntax)
    record = read_ecg(path, Limits())
    # sample x 2.5 uV x correction 2 + baseline 100 uV
    np.testing.assert_allclose(record.signal_mv, (stored.T * 5.0 + 100.0) / 1000.0, atol=1e-6)
    assert record.leads == ("I", "II", "III")
    assert "sensitivity" in record.scaling
    assert record.remarks == ()


@pytest.mark.parametrize(("unit", "factor"), [("uV", 1e-3), ("mV", 1.0), ("V", 1e3), ("nV", 1e-6)])
def test_units_are_converted(tmp_path: Path, unit: str, factor: float) -> None:
    item = group(samples_of(n_channels=1))
    item.ChannelDefinitionSequence = Sequence([channel("2:1", "MDC", "", unit)])
    record = read_ecg(write(tmp_path / "a.dcm", [item]), Limits())
    np.testing.assert_allclose(
        record.signal_mv[0], (samples_of()[:, 0] * 5.0 + 100.0) * factor, rtol=1e-5, atol=1e-7 * factor * 1e3
    )


@pytest.mark.parametrize(
    ("code", "scheme", "meaning", "name"),
    [
        ("5.6.3-9-64", "SCPECG", "", "aVF"),
        ("2:8", "MDC", "", "V6"),
        ("odd", "99LOCAL", "Lead aVL", "aVL"),
        ("odd", "99LOCAL", "Holter A", "Holter A"),
    ],
)
def test_lead_names_come_from_codes_then_meanings(
    tmp_path: Path, code: str, scheme: str, meaning: str, name: str
) -> None:
    item = group(samples_of(n_channels=1))
    item.ChannelDefinitionSequence = Sequence([channel(code, scheme, meaning)])
    assert read_ecg(write(tmp_path / "a.dcm", [item]), Limits()).leads == (name,)


def test_padding_becomes_missing(tmp_path: Path) -> None:
    stored = samples_of()
    stored[10:20, 1] = -32768
    item = group(stored)
    item.add_new("WaveformPaddingValue", "OW", np.array([-32768], "<i2").tobytes())
    record = read_ecg(write(tmp_path / "a.dcm", [item]), Limits())
    assert np.isnan(record.signal_mv[1, 10:20]).all()
    assert np.isnan(record.signal_mv).sum() == 10


def test_the_longest_original_group_is_the_rhythm(tmp_path: Path) -> None:
    derived = group(samples_of(4000), originality="DERIVED", label="MEDIAN BEAT")
    path = write(tmp_path / "a.dcm", [derived, group(samples_of(300)), group(samples_of(900))])
    record = read_ecg(path, Limits())
    assert record.signal_mv.shape == (3, 900)
    assert [remark.code for remark in record.remarks] == ["W_ECG_GROUPS"]


def test_a_channel_without_a_voltage_is_left_out_and_said(tmp_path: Path) -> None:
    item = group(samples_of())
    item.ChannelDefinitionSequence[1] = channel("2:2", "MDC", "", "mm[Hg]")
    record = read_ecg(write(tmp_path / "a.dcm", [item]), Limits())
    assert record.leads == ("I", "III")
    assert [remark.code for remark in record.remarks] == ["W_ECG_CHANNELS"]


def test_fewer_samples_than_declared_are_told(tmp_path: Path) -> None:
    item = group(samples_of(1000))
    item.NumberOfWaveformSamples = 2000
    path = write(tmp_path / "a.dcm", [item])
    record = read_ecg(path, Limits())
    assert record.signal_mv.shape[1] == 1000
    assert [remark.code for remark in record.remarks] == ["W_ECG_TRUNCATED"]
    assert inspect_ecg(path, Limits()).remarks == record.remarks


def test_patient_fields_are_read_and_damaged_ones_ignored(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.dcm",
        [group(samples_of())],
        PatientID="P1",
        PatientSex="M",
        PatientAge="018M",
        PatientSize="1.82",
        PatientWeight="80",
        PatientBirthDate="19710123",
        StudyDate="20200102",
        StudyTime="030405",
    )
    header = read_ecg(path, Limits()).header
    assert (header.patient_id, header.sex, header.height_cm, header.weight_kg) == ("P1", "male", 182.0, 80.0)
    assert header.age_years == pytest.approx(1.5)
    assert (header.birth_date, header.acquired_at) == ("1971-01-23", "2020-01-02T03:04:05")
    raw = path.read_bytes().replace(b"1971012", b"19X1X12").replace(b"1.82", b"x.82")
    path.write_bytes(raw)
    damaged = read_ecg(path, Limits()).header
    assert (damaged.birth_date, damaged.height_cm) == (None, None)


def test_impossible_headers_are_refused(tmp_path: Path) -> None:
    changes: list[tuple[str, Any]] = [
        ("SamplingFrequency", 0),
        ("SamplingFrequency", -250),
        ("NumberOfWaveformChannels", 0),
        ("NumberOfWaveformSamples", 0),
        ("NumberOfWaveformChannels", 12),
        ("WaveformSampleInterpretation", "MB"),
        ("WaveformBitsAllocated", 12),
        ("WaveformData", b""),
    ]
    for keyword, value in changes:
        item = group(samples_of())
        setattr(item, keyword, value)
        assert isinstance(refusal(write(tmp_path / "a.dcm", [item])), InputError), keyword


def test_sample_lies_hit_the_limit_before_any_allocation(tmp_path: Path) -> None:
    item = group(samples_of())
    item.NumberOfWaveformSamples = 4_000_000_000
    error = refusal(write(tmp_path / "a.dcm", [item]))
    assert isinstance(error, HardStopError)
    assert error.code == "E_HARD_004"


def test_the_sample_limit_passes_and_one_more_fails(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", [group(samples_of(1000))])
    assert read_ecg(path, Limits(max_samples=3000)).signal_mv.size == 3000
    assert refusal(path, Limits(max_samples=2999)).code == "E_HARD_004"


@pytest.mark.parametrize(("sensitivity", "correction"), [("0", "1"), ("1e300", "1e300"), ("2.5", "1e-400")])
def test_impossible_sensitivities_are_refused(tmp_path: Path, sensitivity: str, correction: str) -> None:
    item = group(samples_of(n_channels=1))
    item.ChannelDefinitionSequence[0].ChannelSensitivity = sensitivity
    item.ChannelDefinitionSequence[0].ChannelSensitivityCorrectionFactor = correction
    path = write(tmp_path / "a.dcm", [item])
    assert refusal(path).code == "E_INPUT_CORRUPT"


def deflated(path: Path, body: bytes | None = None) -> Path:
    """The same object with its dataset, or other bytes, deflated behind the file's meta group."""
    raw = path.read_bytes()
    end_of_meta = 128 + 4 + 12 + int.from_bytes(raw[140:144], "little")
    syntax = ExplicitVRLittleEndian.encode() + b"\0"
    short, long = (b"UI" + len(uid).to_bytes(2, "little") + uid for uid in (syntax, b"1.2.840.10008.1.2.1.99"))
    meta = raw[:end_of_meta].replace(short, long)
    meta = meta[:140] + (len(meta) - 144).to_bytes(4, "little") + meta[144:]
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    path.write_bytes(meta + engine.compress(raw[end_of_meta:] if body is None else body) + engine.flush())
    assert DeflatedExplicitVRLittleEndian == "1.2.840.10008.1.2.1.99"
    return path


def test_a_deflated_file_reads_like_the_plain_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", [group(samples_of())])
    plain = read_ecg(path, Limits())
    packed = read_ecg(deflated(path), Limits())
    np.testing.assert_array_equal(packed.signal_mv, plain.signal_mv)
    assert (packed.leads, packed.header) == (plain.leads, plain.header)


def test_a_deflated_bomb_is_stopped_at_its_limit(tmp_path: Path) -> None:
    path = deflated(write(tmp_path / "a.dcm", [group(samples_of())]), bytes(20_000_000))
    assert refusal(path, Limits(max_inflated_bytes=1 << 20)).code == "E_HARD_004"


def test_deeply_nested_sequences_end_typed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", [group(samples_of())])
    opening = b"\x40\x00\x20\xb0SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    path.write_bytes(path.read_bytes() + opening * 5000)
    assert refusal(path).code == "E_INPUT_CORRUPT"


def test_a_file_cut_before_its_waveform_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", [group(samples_of())])
    path.write_bytes(path.read_bytes()[:400])
    assert refusal(path).code == "E_INPUT_TRUNCATED"


@pytest.mark.parametrize("cut_bytes", [3, 100, 3000])
def test_a_file_cut_inside_its_waveform_says_so(tmp_path: Path, cut_bytes: int) -> None:
    path = write(tmp_path / "a.dcm", [group(samples_of())])
    whole = read_ecg(path, Limits()).signal_mv
    path.write_bytes(path.read_bytes()[:-cut_bytes])
    record = read_ecg(path, Limits())
    n_left = record.signal_mv.shape[1]
    assert n_left < 1000
    np.testing.assert_array_equal(record.signal_mv, whole[:, :n_left])
    assert [remark.code for remark in record.remarks] == ["W_ECG_TRUNCATED"]


def test_other_dicom_objects_are_another_kind(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", [])
    path.write_bytes(path.read_bytes().replace(b"5.1.4.1.1.9.1.3", b"5.1.4.1.1.7.1.3"))
    assert refusal(path).code == "E_INPUT_KIND"
    assert refusal(Path(str(get_testdata_file("examples_ybr_color.dcm")))).code == "E_INPUT_KIND"
