"""FUSION: both modalities and the metadata side by side, checked against each other."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.records import EcgAnalysis, EchoAnalysis, FusedFindings, Metadata, PatientHeader


def fuse_modalities(
    echo: EchoAnalysis | None, ecg: EcgAnalysis | None, metadata: Metadata, headers: Mapping[str, PatientHeader]
) -> FusedFindings:
    """Fused findings; FusionError makes the run go on with the individual results."""
    from pipeline.clinical.fusion import fuse

    return fuse(echo, ecg, metadata, headers)
