"""Files of real recorders, where CHORDAE_DATA names a folder that holds them (ecg/formats)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.ecg.leads import STANDARD_LEADS
from pipeline.ecg.readers import inspect_ecg, read_ecg
from pipeline.errors import PipelineError
from pipeline.gates import Limits

FOLDER = Path(os.environ.get("CHORDAE_DATA", "")) / "ecg" / "formats"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("CHORDAE_DATA" not in os.environ, reason="CHORDAE_DATA names no folder of recordings."),
]
# file, format, leads, samples, rate in Hz
READABLE = (
    ("aecg_hl7/subject1_0.xml", "hl7-aecg", 12, 5000, 500.0),
    ("aecg_hl7/minimum_aecg.xml", "hl7-aecg", 1, 13, 500.0),
    ("aecg_hl7/minimum_aecg_effectiveTime_high.xml", "hl7-aecg", 1, 13, 500.0),
    ("aecg_hl7/minimum_aecg_effectiveTime_interval.xml", "hl7-aecg", 1, 13, 500.0),
    ("aecg_hl7/minimum_aecg_effectiveTime_low.xml", "hl7-aecg", 1, 13, 500.0),
    ("aecg_hl7/minimum_aecg_nouuid.xml", "hl7-aecg", 1, 13, 500.0),
    ("philips_sierra/129DYPRG.XML", "philips-sierra", 12, 5300, 500.0),
    ("philips_sierra/3191723_ZZDEMOPTONLY_1-04_orig.xml", "philips-sierra", 12, 5300, 500.0),
    ("philips_sierra/repbeats_example.xml", "philips-sierra", 12, 5300, 500.0),
    ("edf/test_generator.bdf", "edf", 1, 30000, 1000.0),
    ("dicom/waveform_ecg.dcm", "dicom-ecg", 12, 10000, 1000.0),
    ("wfdb/s0010_re.hea", "wfdb", 15, 38400, 1000.0),
    ("wfdb/100_3chan.hea", "wfdb", 3, 999, 360.0),
    ("wfdb/test01_00s.hea", "wfdb", 4, 4000, 500.0),
    ("wfdb/v102s.hea", "wfdb", 2, 75000, 250.0),
)
REFUSED = (
    ("aecg_hl7/empty.xml", "E_INPUT_KIND"),
    ("philips_sierra/invalid-doc-type.xml", "E_INPUT_UNSUPPORTED"),
    ("philips_sierra/invalid-doc-version.xml", "E_INPUT_UNSUPPORTED"),
    ("edf/test_utf8.edf", "E_INPUT_KIND"),
    ("edf/test_subsecond.edf", "E_INPUT_KIND"),
)


@pytest.mark.parametrize(("name", "of_format", "n_leads", "n_samples", "rate_hz"), READABLE)
def test_real_files_are_read(name: str, of_format: str, n_leads: int, n_samples: int, rate_hz: float) -> None:
    record = read_ecg(FOLDER / name, Limits())
    assert inspect_ecg(FOLDER / name, Limits()).format == of_format
    assert record.signal_mv.shape == (n_leads, n_samples)
    assert record.sampling_rate_hz == rate_hz
    assert np.nanmax(np.abs(record.signal_mv - np.nanmedian(record.signal_mv, axis=1, keepdims=True))) < 10.0
    if n_leads == 12:
        assert set(record.leads) == set(STANDARD_LEADS)
        assert "W_EINTHOVEN" not in [remark.code for remark in record.remarks]


@pytest.mark.parametrize(("name", "code"), REFUSED)
def test_files_that_are_no_such_ecg_are_refused(name: str, code: str) -> None:
    with pytest.raises(PipelineError) as caught:
        read_ecg(FOLDER / name, Limits())
    assert caught.value.code == code
