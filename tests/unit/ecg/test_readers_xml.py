"""ECG files in XML: hostile documents, and what each of the three formats leaves open."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.ecg.readers import inspect_ecg, read_ecg
from pipeline.ecg.readers.xml_document import MAX_DEPTH
from pipeline.errors import PipelineError
from pipeline.gates import Limits, sniff
from tests.unit.ecg import ecg_files as files


def refusal(path: Path) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        read_ecg(path, Limits())
    with pytest.raises(PipelineError) as inspected:
        inspect_ecg(path, Limits())
    assert inspected.value.text == caught.value.text
    return caught.value


def edited(path: Path, old: str, new: str, encoding: str = "latin-1") -> Path:
    text = path.read_text(encoding)
    assert old in text
    path.write_text(text.replace(old, new), encoding)
    return path


# --- hostile documents -------------------------------------------------------------------------------

LAUGHS = '<!DOCTYPE RestingECG [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>\n'
OUTSIDE = '<!DOCTYPE RestingECG [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'
PARAMETER = '<!DOCTYPE RestingECG [<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd">%p;]>\n'


@pytest.mark.parametrize("doctype", [LAUGHS, OUTSIDE, PARAMETER, "<!DOCTYPE RestingECG []>\n"])
def test_a_document_with_declarations_of_its_own_is_refused(tmp_path: Path, doctype: str) -> None:
    path = files.write_muse(tmp_path / "a.xml")
    edited(path, '<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n', doctype)
    assert refusal(path).code == "E_INPUT_CORRUPT"
    assert "entities" in refusal(path).text


def test_an_entity_of_an_outer_dtd_is_not_skipped_silently(tmp_path: Path) -> None:
    path = edited(files.write_muse(tmp_path / "a.xml"), "<LeadID>V1</LeadID>", "<LeadID>&lead;</LeadID>")
    assert refusal(path).code == "E_INPUT_CORRUPT"


def test_the_dtd_that_muse_names_is_not_needed(tmp_path: Path) -> None:
    with_dtd = read_ecg(files.write_muse(tmp_path / "a.xml"), Limits())
    without = read_ecg(files.write_muse(tmp_path / "b.xml", with_doctype=False), Limits())
    np.testing.assert_array_equal(with_dtd.signal_mv, without.signal_mv)


@pytest.mark.parametrize(("depth", "passes"), [(MAX_DEPTH - 2, True), (MAX_DEPTH, False), (100_000, False)])
def test_depth_is_limited(tmp_path: Path, depth: int, *, passes: bool) -> None:
    path = files.write_muse(tmp_path / "a.xml")
    edited(path, "<PatientDemographics>", "<a>" * depth + "</a>" * depth + "<PatientDemographics>")
    if passes:
        assert read_ecg(path, Limits()).signal_mv.shape[0] == 12
    else:
        assert refusal(path).code == "E_INPUT_CORRUPT"


def test_the_number_of_elements_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = edited(files.write_muse(tmp_path / "a.xml"), "<TestDemographics>", "<x/>" * 5000 + "<TestDemographics>")
    assert read_ecg(path, Limits()).signal_mv.shape[0] == 12
    monkeypatch.setattr("pipeline.ecg.readers.xml_document.MAX_ELEMENTS", 5000)
    assert refusal(path).code == "E_INPUT_CORRUPT"


def test_the_size_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files.write_muse(tmp_path / "a.xml")
    monkeypatch.setattr("pipeline.ecg.readers.xml_document.MAX_XML_BYTES", path.stat().st_size - 1)
    assert refusal(path).code == "E_HARD_004"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("<AnnotatedECG/>", "hl7-aecg"),
        ("<!-- a > b --><h:AnnotatedECG xmlns:h='urn:hl7-org:v3'/>", "hl7-aecg"),
        ("<?xml version='1.0'?><!DOCTYPE RestingECG SYSTEM 'restecg.dtd'><RestingECG>", "ge-muse"),
        ("<restingecgdata xmlns='x'>", "philips-sierra"),
        ("<html><RestingECG/></html>", None),
        ("<!-- <RestingECG> -->", None),
        ("text <RestingECG>", None),
    ],
)
def test_the_root_element_decides(tmp_path: Path, head: str, kind: str | None) -> None:
    path = tmp_path / "a.csv"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        path.write_text(head, encoding)
        assert sniff(path) == kind


def test_an_unknown_document_is_no_ecg(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<html><body>1,2\n3,4</body></html>")
    assert refusal(path).code == "E_INPUT_KIND"


# --- GE MUSE -----------------------------------------------------------------------------------------


def test_a_wrong_check_sum_is_said(tmp_path: Path) -> None:
    path = files.write_muse(tmp_path / "a.xml")
    text = re.sub(r"(<LeadDataCRC32>)\d+", r"\g<1>7", path.read_text("latin-1"), count=1)
    path.write_text(text, "latin-1")
    remarks = read_ecg(path, Limits()).remarks
    assert next((each.code, "1 of 8" in each.text) for each in remarks) == ("W_ECG_CHECKSUM", True)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("MICROVOLTS", "FURLONGS", "E_INPUT_UNSUPPORTED"),
        ("<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>", "", "E_INPUT_UNSUPPORTED"),
        (f"PerBit>{files.STEP_UV}<", "PerBit>0<", "E_INPUT_CORRUPT"),
        (f"PerBit>{files.STEP_UV}<", "PerBit>nan<", "E_INPUT_CORRUPT"),
        ("<WaveFormData>\n", "<WaveFormData>\n!!", "E_INPUT_CORRUPT"),
        ("<WaveFormData>\n", "<WaveFormData>\nAAAA", "E_INPUT_CORRUPT"),
        ("<SampleExponent>0<", "<SampleExponent>99<", "E_INPUT_CORRUPT"),
        ("<SampleExponent>0<", "<SampleExponent>7<", "E_INPUT_CORRUPT"),
        ("<LeadSampleSize>2<", "<LeadSampleSize>3<", "E_INPUT_UNSUPPORTED"),
        ("<WaveformType>Rhythm<", "<WaveformType>Median<", "E_INPUT_KIND"),
    ],
)
def test_a_muse_file_that_lies_is_refused(tmp_path: Path, old: str, new: str, code: str) -> None:
    assert refusal(edited(files.write_muse(tmp_path / "a.xml"), old, new)).code == code


def test_leads_that_start_apart_are_refused(tmp_path: Path) -> None:
    path = files.write_muse(tmp_path / "a.xml")
    text = path.read_text("latin-1").replace("<LeadTimeOffset>0<", "<LeadTimeOffset>5<", 1)
    path.write_text(text, "latin-1")
    assert refusal(path).code == "E_INPUT_UNSUPPORTED"


def test_stored_limb_leads_are_not_computed(tmp_path: Path) -> None:
    record = read_ecg(edited(files.write_muse(tmp_path / "a.xml"), ">V1<", ">III<"), Limits())
    assert record.leads == ("I", "II", "III", "V2", "V3", "V4", "V5", "V6")
    assert "W_ECG_LEADS_DERIVED" not in [remark.code for remark in record.remarks]
    assert "W_EINTHOVEN" in [remark.code for remark in record.remarks]


# --- HL7 aECG ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("increment", "unit", "rate_hz"), [("2", "ms", 500.0), ("0.004", "s", 250.0), ("976.5625", "us", 1024.0)]
)
def test_the_increment_gives_the_rate(tmp_path: Path, increment: str, unit: str, rate_hz: float) -> None:
    path = files.write_aecg(tmp_path / "a.xml")
    edited(path, 'increment value="0.002" unit="s"', f'increment value="{increment}" unit="{unit}"')
    assert read_ecg(path, Limits()).sampling_rate_hz == pytest.approx(rate_hz)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('code="RHYTHM"', 'code="REPRESENTATIVE_BEAT"', "E_INPUT_KIND"),
        ('unit="uV"', 'unit="mm[Hg]"', "E_INPUT_UNSUPPORTED"),
        ('"SLIST_PQ"', '"SLIST_INT"', "E_INPUT_UNSUPPORTED"),
        ('scale value="2.5"', 'scale value="0"', "E_INPUT_CORRUPT"),
        ('scale value="2.5"', 'scale value=""', "E_INPUT_CORRUPT"),
        ('increment value="0.002"', 'increment value="-0.002"', "E_INPUT_CORRUPT"),
        ('unit="s"', 'unit="h"', "E_INPUT_CORRUPT"),
        ("</digits>", " x</digits>", "E_INPUT_CORRUPT"),
        ("</digits>", "-5</digits>", "E_INPUT_CORRUPT"),
        ("</digits>", " nan</digits>", "E_INPUT_CORRUPT"),
    ],
)
def test_an_aecg_file_that_lies_is_refused(tmp_path: Path, old: str, new: str, code: str) -> None:
    path = files.write_aecg(tmp_path / "a.xml")
    if new == "-5</digits>":
        edited(path, old, "1-5</digits>")
    else:
        edited(path, old, new)
    error = refusal(path)
    assert error.code == code


def test_leads_of_different_length_are_refused(tmp_path: Path) -> None:
    path = files.write_aecg(tmp_path / "a.xml")
    path.write_text(path.read_text().replace("</digits>", " 7</digits>", 1))
    assert refusal(path).code == "E_INPUT_UNSUPPORTED"


def test_origin_and_further_sets_are_respected(tmp_path: Path) -> None:
    path = files.write_aecg(tmp_path / "a.xml")
    plain = read_ecg(path, Limits()).signal_mv
    edited(path, '<origin value="0" unit="uV"/>', '<origin value="0.1" unit="mV"/>')
    extra = re.search(r"<component><sequenceSet>.*?</sequenceSet></component>", path.read_text())
    assert extra is not None
    short = re.sub(r"<digits>(\S+ \S+) .*?</digits>", r"<digits>\1</digits>", extra.group())
    edited(path, "</series>", f"{short}</series>")
    record = read_ecg(path, Limits())
    np.testing.assert_allclose(record.signal_mv, plain + 0.1, atol=1e-6)
    assert [remark.code for remark in record.remarks] == ["W_ECG_GROUPS"]


# --- Philips Sierra ----------------------------------------------------------------------------------


def test_a_recording_without_pulse_is_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "sierra_steps", files.phantom_steps)
    for compression in ("XLI", "Uncompressed"):
        path = files.write_sierra(tmp_path / "a.xml", n_declared=files.N_SAMPLES, compression=compression)
        record = read_ecg(path, Limits())
        assert record.signal_mv.shape[1] == files.N_SAMPLES
        assert record.remarks == ()


def test_a_heartbeat_at_the_end_is_no_pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = files.sierra_steps()
    steps[6, -120:] += 100  # one lead goes on
    monkeypatch.setattr(files, "sierra_steps", lambda: steps)
    assert read_ecg(files.write_sierra(tmp_path / "a.xml"), Limits()).signal_mv.shape[1] == files.N_SAMPLES + 200


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("PhilipsECG", "MortaraECG", "E_INPUT_UNSUPPORTED"),
        ('compression="XLI"', 'compression="ZIP"', "E_INPUT_UNSUPPORTED"),
        ('resolution="2.5"', 'resolution="0"', "E_INPUT_CORRUPT"),
        ('resolution="2.5"', "", "E_INPUT_CORRUPT"),
        ('numberofleads="12"', 'numberofleads="13"', "E_INPUT_UNSUPPORTED"),
        ('numberofleads="12"', 'numberofleads="0"', "E_INPUT_UNSUPPORTED"),
        ('samplespersecond="500"', 'samplespersecond="0"', "E_INPUT_CORRUPT"),
        ('durationperchannel="4400"', 'durationperchannel="400"', "E_INPUT_CORRUPT"),
        ('durationperchannel="4400"', 'durationperchannel="1e300"', "E_INPUT_CORRUPT"),
        ("parsedwaveforms", "rawwaveforms", "E_INPUT_KIND"),
        ('dataencoding="Base64"', 'dataencoding="Hex"', "E_INPUT_UNSUPPORTED"),
    ],
)
def test_a_sierra_file_that_lies_is_refused(tmp_path: Path, old: str, new: str, code: str) -> None:
    path = edited(files.write_sierra(tmp_path / "a.xml", encoding="utf-8"), old, new, "utf-8")
    assert refusal(path).code == code


def test_plain_numbers_and_offsets_are_read(tmp_path: Path) -> None:
    path = files.write_sierra(tmp_path / "a.xml", compression="Uncompressed", encoding="utf-8")
    steps = files.sierra_steps() + 1000
    text = re.sub(r'(signaloffset=)"0"', r'\1"1000"', path.read_text("utf-8")).replace('"Base64"', '"Plain"')
    stored = " ".join(map(str, steps.reshape(-1)))
    path.write_text(re.sub(r">\n[A-Za-z0-9+/=\s]+</parsed", f">{stored}</parsed", text), "utf-8")
    np.testing.assert_allclose(read_ecg(path, Limits()).signal_mv, files.truth_mv(), atol=1e-6)


def test_a_packed_bomb_stops_at_the_declared_length(tmp_path: Path) -> None:
    path = files.write_sierra(tmp_path / "a.xml", encoding="utf-8")
    flat = files.xli_chunk(np.zeros(60_000, np.int64))
    text = path.read_text("utf-8")
    packed = base64.b64encode(flat * 12).decode()
    path.write_text(re.sub(r">\n[A-Za-z0-9+/=\s]+</parsed", f">{packed}</parsed", text), "utf-8")
    assert refusal(path).code == "E_INPUT_CORRUPT"
