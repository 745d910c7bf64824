"""Frozen records that cross borders between stages, store, report and window.

Units are in the names. Arrays are NumPy, order (lead, sample) and (frame, row, column); a stage must
never change an array that it was given. Every record can be written by `pipeline.store.codec`.
"""

from pipeline.records.common import BRANCHES, Array, Branch, BranchState, MeasurementStatus, Remark, Sex
from pipeline.records.ecg_quality import SIGNAL_FAULTS, EcgQuality, SignalFault
from pipeline.records.ecg_results import Delineation, EcgAnalysis, EcgStatement, LeadWaves, RhythmStatement
from pipeline.records.echo_results import (
    CineAnalysis,
    DetectedEcho,
    EchoAnalysis,
    EchoBeat,
    EchoDetection,
    EchoQuality,
    PreparedEcho,
    WallSegment,
    empty_contours,
)
from pipeline.records.edit import Edit, EditKind, Role
from pipeline.records.fusion import CrossCheck, FiredRule, FusedFindings, RiskReport, RiskScore
from pipeline.records.inputs import (
    Calibration,
    CardiologyRequest,
    ClipFacts,
    EcgRecord,
    EchoCine,
    EchoClip,
    FileReport,
    Metadata,
    PatientHeader,
    PreparedEcg,
    ValidationReport,
)
from pipeline.records.long_ecg import EcgEpisode, EcgHour, EcgOverview, LongEcg
from pipeline.records.measurement import Measurement, Metric, Source
from pipeline.records.run import (
    BranchResult,
    CardiologyResponse,
    CheckpointRow,
    PayloadRow,
    RunEvent,
    StudyResults,
)

__all__ = [
    "BRANCHES",
    "SIGNAL_FAULTS",
    "Array",
    "Branch",
    "BranchResult",
    "BranchState",
    "Calibration",
    "CardiologyRequest",
    "CardiologyResponse",
    "CheckpointRow",
    "CineAnalysis",
    "ClipFacts",
    "CrossCheck",
    "Delineation",
    "DetectedEcho",
    "EcgAnalysis",
    "EcgEpisode",
    "EcgHour",
    "EcgOverview",
    "EcgQuality",
    "EcgRecord",
    "EcgStatement",
    "EchoAnalysis",
    "EchoBeat",
    "EchoCine",
    "EchoClip",
    "EchoDetection",
    "EchoQuality",
    "Edit",
    "EditKind",
    "FileReport",
    "FiredRule",
    "FusedFindings",
    "LeadWaves",
    "LongEcg",
    "Measurement",
    "MeasurementStatus",
    "Metadata",
    "Metric",
    "PatientHeader",
    "PayloadRow",
    "PreparedEcg",
    "PreparedEcho",
    "Remark",
    "RhythmStatement",
    "RiskReport",
    "RiskScore",
    "Role",
    "RunEvent",
    "Sex",
    "SignalFault",
    "Source",
    "StudyResults",
    "ValidationReport",
    "WallSegment",
    "empty_contours",
]
