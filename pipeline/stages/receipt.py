"""RECEIPT: which modalities were handed over."""

from __future__ import annotations

from pipeline.errors import HardStopError
from pipeline.records import Branch, CardiologyRequest


def receive(request: CardiologyRequest) -> tuple[Branch, ...]:
    """The branches that this study has; HardStopError E_HARD_001 when neither echo nor ECG is there."""
    if not (request.has_echo or request.has_ecg):
        text = "There is nothing to analyse: the study has neither an echo clip nor an ECG."
        raise HardStopError(text, code="E_HARD_001")
    found: list[Branch] = []
    if request.has_echo:
        found.append("echo")
    if request.has_ecg:
        found.append("ecg")
    if request.has_metadata:
        found.append("metadata")
    return tuple(found)
