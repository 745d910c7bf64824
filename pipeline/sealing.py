"""The outer half of a run: its id and clock, its checkpoints, and the sealed report around the result."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import psutil

from pipeline.branches import BranchLedger
from pipeline.errors import PipelineError, ValidationError
from pipeline.journal import Journal
from pipeline.records import CardiologyResponse
from pipeline.results import RunResults
from pipeline.states import PipelineState, State
from pipeline.store.checkpoint import StateCheckpoint
from pipeline.store.database import utc_now

ResponseStatus = Literal["complete", "error", "cancelled"]


def new_run_id() -> str:
    """Sortable by time, unique without a clock: 20261123T101500-9f3a1c."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def resident_mb() -> float:
    """Memory of this process now."""
    return round(psutil.Process().memory_info().rss / 2**20, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended, and everything that its report tells of."""

    status: ResponseStatus
    body: Mapping[str, Any] | None
    state: PipelineState
    ledger: BranchLedger
    journal: Journal
    results: RunResults
    error: PipelineError | None


class Sealer:
    """Collects what surrounds the result and closes the run."""

    def __init__(self, run_id: str | None) -> None:
        self.run_id = run_id or new_run_id()
        self.timings_ms: dict[str, int] = {}
        self._started_utc = utc_now()
        self._start = time.perf_counter()

    def save(self, journal: Journal, results: RunResults, state: State) -> None:
        """Checkpoint everything up to this state."""
        payloads = results.payloads(state)
        analysis = {n.partition(".")[2]: d for n, d in payloads.items() if n.startswith("analysis_result.")}
        validation = results.validation
        journal.save_checkpoint(
            state,
            StateCheckpoint(
                state_id=int(state),
                state_name=state.name,
                timestamp=datetime.now(UTC),
                input_hashes={f"{f.role}.{f.index}": f.sha256 for f in (validation.files if validation else ())},
                validation_result=validation,
                preprocessed_echo=payloads.get("preprocessed_echo"),
                preprocessed_ecg=payloads.get("preprocessed_ecg"),
                preprocessed_metadata=payloads.get("preprocessed_metadata"),
                detection_result=payloads.get("detection_result"),
                analysis_result=analysis or None,
                processing_times=dict(self.timings_ms),
                memory_usage_mb=resident_mb(),
                cache_keys=results.keys(state),
            ),
        )

    def finish(self, ending: Ending) -> CardiologyResponse:
        """Seal the report, write it to the store, say that the run is done."""
        error = ending.error
        report = self._seal(ending)
        if not self._write(ending, report):
            report = self._seal(ending)  # with the store's warning
        ending.journal.emit(ending.state.current, "done", ending.status, code=error.code if error else None)
        ending.journal.pump()
        return CardiologyResponse(
            run_id=self.run_id,
            status=ending.status,
            report=report,
            branches=ending.ledger.results(),
            error_code=error.code if error else None,
            error_text=error.text if error else None,
        )

    def _write(self, ending: Ending, report: Mapping[str, Any]) -> bool:
        """Put the report into the store; False when that gave a new warning."""
        from pipeline.reports.json_report import report_bytes

        text = report_bytes(report).decode()
        known = len(ending.journal.warnings)
        ending.journal.write(
            lambda store: store.finish_run(
                self.run_id,
                status=ending.status,
                state=ending.state.current.name,
                error_code=ending.error.code if ending.error else None,
                report_json=text,
            )
        )
        return len(ending.journal.warnings) == known

    def _seal(self, ending: Ending) -> dict[str, Any]:
        from pipeline.reports.envelope import Execution, seal

        execution = Execution(
            run_id=self.run_id,
            status=ending.status,
            states_traversed=ending.state.traversed,
            states_entered=ending.state.entered,
            branches=ending.ledger.results(),
            checkpoints_saved=ending.journal.checkpoints_saved,
            checkpoints_restored=len(ending.results.restored_states),
            retries_performed=ending.journal.retries,
            total_time_ms=round(1000 * (time.perf_counter() - self._start)),
            stage_timings=dict(self.timings_ms),
            memory_usage_mb=resident_mb(),
            started_utc=self._started_utc,
            finished_utc=utc_now(),
            error=None if ending.error is None else _error_tree(ending.error, ending.state),
            warnings=tuple(ending.journal.warnings),
        )
        return seal(ending.body, execution)


def _error_tree(error: PipelineError, state: PipelineState) -> dict[str, Any]:
    failed_in = state.failed_in.name if state.failed_in else state.current.name
    tree: dict[str, Any] = {"code": error.code, "text": error.text, "state": failed_in}
    details = dict(error.details)
    if isinstance(error, ValidationError):
        details |= {f"{n + 1}. {code}": text for n, (code, text) in enumerate(error.errors)}
    return tree | ({"details": details} if details else {})
