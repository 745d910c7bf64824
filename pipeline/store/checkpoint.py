"""StateCheckpoint of the specification (section 3.1), kept in the store instead of a pickle file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.records import ValidationReport

if TYPE_CHECKING:
    from pipeline.states import State
    from pipeline.store.database import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCheckpoint:
    """Everything needed to go on after this state.

    The specification's fields, plus `preprocessed_metadata`, and `cache_keys`: for each result the key of
    all it depends on, so that a resumed run knows whether it still holds. Results are codec payloads;
    a field is None when this state, or a state before it, did not make it.
    """

    state_id: int
    state_name: str
    timestamp: datetime
    input_hashes: Mapping[str, str]
    validation_result: ValidationReport | None = None
    preprocessed_echo: bytes | None = None
    preprocessed_ecg: bytes | None = None
    preprocessed_metadata: bytes | None = None
    detection_result: bytes | None = None
    analysis_result: Mapping[str, bytes] | None = None
    processing_times: Mapping[str, int] = field(default_factory=dict)
    memory_usage_mb: float = 0.0
    cache_keys: Mapping[str, str] = field(default_factory=dict)

    def save(self, store: Store, run_id: str) -> None:
        """Write the checkpoint and its results in one transaction; raises StoreError."""
        store.save_checkpoint(run_id, self)

    @classmethod
    def load(cls, store: Store, run_id: str, state: State) -> StateCheckpoint:
        """Read a checkpoint back; every payload is checked against its hash. Raises StoreError."""
        return store.load_checkpoint(run_id, state)
