"""What is handed in, and what the readers and the quality gates make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.records.common import Array, Branch, Remark, Sex
from pipeline.records.ecg_quality import EcgQuality
from pipeline.records.long_ecg import EcgOverview


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What the user says of one clip, where its file does not."""

    view: str | None = None  # "A4C" or "A2C"; stands above the header
    pixel_mm: float | None = None  # size of a square pixel; used only where the file is not calibrated


@dataclass(frozen=True, slots=True, kw_only=True)
class CardiologyRequest:
    """What a user asks to be read. Paths stay out of reports and logs."""

    echo_paths: tuple[Path, ...] = ()
    clip_facts: tuple[ClipFacts, ...] = ()  # in the order of echo_paths; may be shorter
    ecg_path: Path | None = None
    metadata_path: Path | None = None
    metadata: Mapping[str, Any] | None = None

    @property
    def has_echo(self) -> bool:
        return bool(self.echo_paths)

    @property
    def has_ecg(self) -> bool:
        return self.ecg_path is not None

    @property
    def has_metadata(self) -> bool:
        return self.metadata_path is not None or bool(self.metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientHeader:
    """What a file says about its patient and its time; None where it says nothing. Never reported."""

    patient_id: str | None = None
    name: str | None = None
    birth_date: str | None = None  # ISO, YYYY-MM-DD
    sex: Sex | None = None
    age_years: float | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    paced: bool | None = None  # an ECG's file names a pacemaker or a paced rhythm
    acquired_at: str | None = None  # ISO, local time of the machine, no zone


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """One validated input file. `index` counts the files of a role in the order given."""

    role: Branch
    index: int
    format: str  # "dicom-us", "avi", "mp4", "nifti", "json", or the format of a row of pipeline.ecg.readers.READERS
    sha256: str  # over every byte read, companion files included
    size_bytes: int
    summary: str  # "120 frames, 640 x 480, 30.0/s, JPEG baseline": no patient data
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationReport:
    """Outcome of VALIDATION: the accepted files, and (code, sentence) for the refused ones."""

    files: tuple[FileReport, ...]
    errors: tuple[tuple[str, str], ...] = ()
    branch_errors: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # branch -> (code, sentence)

    @property
    def is_valid(self) -> bool:
        return not self.errors

    def of(self, role: Branch) -> tuple[FileReport, ...]:
        return tuple(f for f in self.files if f.role == role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Physical size of a pixel, or why there is none."""

    spacing_mm: tuple[float, float] | None  # (row, column)
    method: str  # "ultrasound region", "NIfTI header", "none"
    reason: str | None = None  # set when spacing_mm is None


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoClip:
    """A clip as a reader returns it."""

    frames: Array  # uint8 (n_frames, height, width) grey, or (n_frames, height, width, 3) RGB
    frame_times_s: Array  # float64 (n_frames,), from 0
    calibration: Calibration
    region_px: tuple[int, int, int, int] | None  # (top, left, bottom, right) of the 2-D tissue region, end exclusive
    r_wave_times_s: tuple[float, ...] = ()
    heart_rate_bpm: float | None = None  # as the header says it
    view: str | None = None  # "A4C", "A2C" when a header says so
    header: PatientHeader = PatientHeader()
    remarks: tuple[Remark, ...] = ()
    timing_known: bool = True  # False: frame_times_s is assumed; times and rates cannot be measured


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoCine:
    """A preprocessed clip: grey, cropped to the sector."""

    file_sha256: str
    frames: Array  # uint8 (n_frames, height, width)
    frame_times_s: Array
    calibration: Calibration
    crop_px: tuple[int, int, int, int]  # where in the original frame: (top, left, bottom, right)
    original_size_px: tuple[int, int]  # (height, width)
    view: str  # "A4C" unless the header says otherwise
    r_wave_times_s: tuple[float, ...]
    heart_rate_bpm: float | None
    header: PatientHeader
    quality: Mapping[str, float]  # named figures of the gate
    remarks: tuple[Remark, ...] = ()
    timing_known: bool = True  # False: frame_times_s is assumed; times and rates cannot be measured


@dataclass(frozen=True, slots=True, kw_only=True)
class EcgRecord:
    """An ECG as a reader returns it, in mV."""

    signal_mv: Array  # float32 or float64 (n_leads, n_samples); NaN where a sample is missing
    sampling_rate_hz: float
    leads: tuple[str, ...]  # "I", "II", "III", "aVR", "aVL", "aVF", "V1" … or the file's own names
    scaling: str  # how the file's numbers became mV
    header: PatientHeader = PatientHeader()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedEcg:
    """A filtered ECG beside the untouched one."""

    file_sha256: str
    record: EcgRecord
    filtered_mv: Array  # float32 (n_leads, n_samples), no NaN
    filter_text: str  # "0.5-150 Hz zero-phase", as printed on the strip
    lead_quality: Array  # float64 (n_leads,) 0..1
    lead_usable: Array  # bool (n_leads,)
    remarks: tuple[Remark, ...] = ()
    quality: EcgQuality | None = None  # of every second; None where nobody judged it
    overview: EcgOverview | None = None  # set for a long record: `record` and `filtered_mv` hold its beginning only


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Normalised facts about the patient; None where unknown. Units in the names."""

    age_years: float | None = None
    sex: Sex | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    bsa_m2: float | None = None
    bmi_kg_m2: float | None = None
    systolic_bp_mmhg: float | None = None
    creatinine_umol_l: float | None = None
    nyha_class: int | None = None
    smoker: bool | None = None
    diabetes: bool | None = None
    copd: bool | None = None
    heart_failure: bool | None = None
    heart_failure_18_months: bool | None = None
    beta_blocker: bool | None = None
    acei_or_arb: bool | None = None
    hypertension: bool | None = None
    stroke_or_tia: bool | None = None
    vascular_disease: bool | None = None
    af_confirmed: bool | None = None
    paced: bool | None = None
    origin: Mapping[str, str] = field(default_factory=dict)  # field -> "given", "echo header", "ecg header", "computed"
    remarks: tuple[Remark, ...] = ()
