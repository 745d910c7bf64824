"""The key of a stored result: everything it depends on. Equal keys promise equal results."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from pipeline.records import (
    DetectedEcho,
    EcgAnalysis,
    EchoAnalysis,
    FileReport,
    Metadata,
    PreparedEcg,
    PreparedEcho,
    ValidationReport,
)
from pipeline.states import State
from pipeline.store.codec import canonical_json, encode

SCHEMA = 4
"""Raise when a record of `pipeline.records` changes its shape."""

STAGE_VERSIONS: dict[str, int] = {
    "validation_result": 2,
    "preprocessed_echo": 2,
    "preprocessed_ecg": 3,
    "preprocessed_metadata": 2,
    "detection_result": 4,
    "analysis_result.echo": 5,
    "analysis_result.ecg": 5,
}
"""Raise a number when the code behind that result changes what it computes."""

RESULTS: dict[str, tuple[State, type]] = {
    "validation_result": (State.VALIDATION, ValidationReport),
    "preprocessed_echo": (State.PREPROCESSING, PreparedEcho),
    "preprocessed_ecg": (State.PREPROCESSING, PreparedEcg),
    "preprocessed_metadata": (State.PREPROCESSING, Metadata),
    "detection_result": (State.DETECTION, DetectedEcho),
    "analysis_result.echo": (State.ANALYSIS, EchoAnalysis),
    "analysis_result.ecg": (State.ANALYSIS, EcgAnalysis),
}
"""The results that are kept: the state that makes them and their record."""


def cache_key(name: str, depends_on: Mapping[str, Any]) -> str:
    """SHA-256 of schema, result, its code version and everything named in `depends_on`."""
    tree = {"schema": SCHEMA, "result": name, "version": STAGE_VERSIONS[name], "depends_on": dict(depends_on)}
    return hashlib.sha256(canonical_json(tree)).hexdigest()


def content_key(record: object) -> str:
    """SHA-256 of a record's own content: for results that depend on what it says, not on how it came about."""
    return hashlib.sha256(encode(record)).hexdigest()


def file_hashes(files: tuple[FileReport, ...]) -> list[str]:
    """Hashes of input files in their order."""
    return [file.sha256 for file in files]
