"""What a run has so far: records by name, their keys, and where they came from (computed or restored)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from pipeline.cache_keys import RESULTS, cache_key, content_key
from pipeline.errors import StoreError
from pipeline.journal import Journal
from pipeline.partial_results import PartialResults
from pipeline.records import (
    DetectedEcho,
    EcgAnalysis,
    EchoAnalysis,
    Metadata,
    PreparedEcg,
    PreparedEcho,
    StudyResults,
    ValidationReport,
)
from pipeline.stages.preprocessing import patient_headers
from pipeline.states import Reuse, State
from pipeline.store import codec
from pipeline.store.database import Store

R = TypeVar("R")


class RunResults:
    """Results of one run; with a store it restores what still holds of the run to be reused."""

    def __init__(self, store: Store | None, reuse: Reuse | None) -> None:
        self._store = store if reuse is not None else None
        self._reuse = reuse or Reuse(run_id="")
        self._records: dict[str, Any] = {}
        self._keys: dict[str, str] = {}
        self._payloads: dict[str, bytes] = {}
        self._computed: set[str] = set()

    @property
    def resuming(self) -> bool:
        return self._store is not None

    def put(self, name: str, depends_on: Mapping[str, Any], record: Any) -> None:
        """Take a computed record, in the form in which the store would give it back."""
        self._records[name] = codec.canonical(RESULTS[name][1], record)
        self._keys[name] = cache_key(name, depends_on)
        self._computed.add(name)

    def restore(self, name: str, depends_on: Mapping[str, Any]) -> bool:
        """Take the stored record if its key is the one of now; damaged or changed ones are left."""
        if self._store is None:
            return False
        key = cache_key(name, depends_on)
        state, kind = RESULTS[name]
        if not self._reuse.allows(state):
            return False
        try:
            found = self._store.find_result(self._reuse.run_id, state, name)
            if found is None or found[0] != key:
                return False
            self._records[name] = codec.decode(kind, found[1])
        except StoreError:
            return False  # missing, changed or damaged: computed again
        self._keys[name], self._payloads[name] = key, found[1]
        return True

    def parts(self, name: str, depends_on: Mapping[str, Any], journal: Journal) -> PartialResults:
        """Finished parts of a result that is about to be made; new ones go to the store through the journal."""
        key, found = cache_key(name, depends_on), {}
        if self._store is not None and self._reuse.allows(RESULTS[name][0]):
            with contextlib.suppress(StoreError):  # damaged: made again
                found = self._store.parts(self._reuse.run_id, name, key)

        def write(number: int, payload: bytes) -> None:
            journal.defer(lambda store: store.save_part(journal.run_id, name, number, key, payload))

        return PartialResults(found, write)

    def has(self, name: str) -> bool:
        return name in self._records

    def key(self, name: str) -> str:
        return self._keys[name]

    def content_key(self, name: str) -> str:
        return content_key(self._records[name])

    def get(self, kind: type[R], name: str) -> R:
        """The record of that name; it must be there."""
        return cast("R", self._records[name])

    @property
    def restored_states(self) -> tuple[State, ...]:
        """States whose results were all taken from a checkpoint."""
        by_state: dict[State, list[str]] = {}
        for name in self._records:
            by_state.setdefault(RESULTS[name][0], []).append(name)
        return tuple(s for s, names in sorted(by_state.items()) if not self._computed.intersection(names))

    def payloads(self, up_to: State) -> dict[str, bytes]:
        """Encoded results of this state and of those before it."""
        for name, record in self._records.items():
            if RESULTS[name][0] <= up_to and name not in self._payloads:
                self._payloads[name] = codec.encode(record)
        return {name: data for name, data in self._payloads.items() if RESULTS[name][0] <= up_to}

    def keys(self, up_to: State) -> dict[str, str]:
        return {name: key for name, key in self._keys.items() if RESULTS[name][0] <= up_to}

    @property
    def validation(self) -> ValidationReport | None:
        return self._records.get("validation_result")

    @property
    def echo(self) -> PreparedEcho | None:
        return self._records.get("preprocessed_echo")

    @property
    def ecg(self) -> PreparedEcg | None:
        return self._records.get("preprocessed_ecg")

    @property
    def metadata(self) -> Metadata:
        return self._records.get("preprocessed_metadata") or Metadata()

    @property
    def detected(self) -> DetectedEcho | None:
        return self._records.get("detection_result")

    @property
    def echo_analysis(self) -> EchoAnalysis | None:
        return self._records.get("analysis_result.echo")

    @property
    def ecg_analysis(self) -> EcgAnalysis | None:
        return self._records.get("analysis_result.ecg")

    def study(self) -> StudyResults:
        """A snapshot for window, report and researcher; cines in step with their detections."""
        return study_results(self._records)


def study_results(records: Mapping[str, Any]) -> StudyResults:
    """StudyResults out of records by name; clips without a heart are dropped once detection has run."""
    echo: PreparedEcho | None = records.get("preprocessed_echo")
    detected: DetectedEcho | None = records.get("detection_result")
    cines = echo.cines if echo else ()
    remarks = (*(echo.remarks if echo else ()), *(detected.remarks if detected else ()))
    return StudyResults(
        validation=records.get("validation_result"),
        cines=tuple(cines[n] for n in detected.kept) if detected else cines,
        ecg=records.get("preprocessed_ecg"),
        metadata=records.get("preprocessed_metadata"),
        detections=detected.detections if detected else (),
        echo_analysis=records.get("analysis_result.echo"),
        ecg_analysis=records.get("analysis_result.ecg"),
        remarks=remarks,
        headers=patient_headers(echo, records.get("preprocessed_ecg")),
    )
