"""A window on a fake engine, and phantom cases; without a display."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before Qt is imported

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from pipeline.cancellation import CancelToken
from pipeline.engine import RunRow, StoredRun
from pipeline.errors import RunCancelledError, StoreError
from pipeline.gates import sniff
from pipeline.intake.cases import sort_places
from pipeline.records import (
    BranchResult,
    CardiologyRequest,
    CardiologyResponse,
    CheckpointRow,
    Edit,
    RunEvent,
    StudyResults,
)
from pipeline.states import Reuse, State
from tests.gui.phantoms import (
    CANARY,
    ED_IDX,
    ES_IDX,
    LEADS,
    RUN_ID,
    Script,
    case_of,
    make_checkpoints,
    make_cine,
    make_detection,
    make_ecg,
    make_ecg_analysis,
    make_echo_analysis,
    make_measurement,
    make_report,
    make_row,
)
from ui.run_progress import advance, settle
from ui.view_state import NO_PROGRESS, CaseView
from ui.window import MainWindow


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """What makes phantoms."""
    return SimpleNamespace(
        Script=Script,
        LEADS=LEADS,
        RUN_ID=RUN_ID,
        ED_IDX=ED_IDX,
        ES_IDX=ES_IDX,
        CANARY=CANARY,
        case_of=case_of,
        make_checkpoints=make_checkpoints,
        make_cine=make_cine,
        make_detection=make_detection,
        make_echo_analysis=make_echo_analysis,
        make_ecg=make_ecg,
        make_ecg_analysis=make_ecg_analysis,
        make_measurement=make_measurement,
        make_report=make_report,
        make_row=make_row,
    )


@pytest.fixture(scope="session")
def full_results() -> StudyResults:
    return StudyResults(
        cines=(make_cine(),),
        detections=(make_detection(),),
        echo_analysis=make_echo_analysis(),
        ecg=make_ecg(),
        ecg_analysis=make_ecg_analysis(),
    )


@dataclass
class FakeEngine:
    """Plays a script; the test says what it emits, whether it waits, and how it ends."""

    script: list[RunEvent] = field(default_factory=lambda: Script().walk().add("COMPLETE", "done", "complete").events)
    results: StudyResults = field(default_factory=StudyResults)
    report: dict[str, Any] = field(default_factory=make_report)
    status: Any = "complete"
    stored: dict[str, StoredRun] = field(default_factory=dict)
    raises: Exception | None = None
    holds: bool = False
    requests: list[tuple[CardiologyRequest, str | None]] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    reused: list[Reuse | None] = field(default_factory=list)
    saved: tuple[CheckpointRow, ...] = ()
    acts: dict[str, list[Edit]] = field(default_factory=dict)
    noted: list[tuple[str, str | None, str]] = field(default_factory=list)
    stretches: list[tuple[int, int]] = field(default_factory=list)
    is_encrypted: bool = False
    conversions: list[tuple[str, str, str]] = field(default_factory=list)

    def convert_store(self, kind: str, old: str, new: str) -> str:
        if kind != "encrypt" and old != "present words":
            text = "The passphrase is not the one of this store. Nothing was changed."
            raise StoreError(text, code="E_STORE_PASSPHRASE")
        self.conversions.append((kind, old, new))
        self.is_encrypted = kind != "decrypt"
        return kind

    def run_study(
        self,
        request: CardiologyRequest,
        *,
        on_event: Callable[[RunEvent], None],
        on_results: Callable[[StudyResults], None],
        cancel: CancelToken | None,
        resume: str | None,
        reuse: Reuse | None,
    ) -> CardiologyResponse:
        self.reused.append(reuse)
        self.requests.append((request, resume))
        self.threads.append(threading.get_ident())
        for event in self.script:
            on_event(event)
        on_results(self.results)
        if self.raises is not None:
            raise self.raises
        status = self.status
        if self.holds and cancel is not None:
            try:
                cancel.wait(20.0)
            except RunCancelledError:
                status = "cancelled"
        branches = tuple(BranchResult(branch=b, status="ok") for b in ("echo", "ecg"))
        return CardiologyResponse(run_id=RUN_ID, status=status, report=self.report, branches=branches)

    def get_ready(self) -> None:
        self.noted.append(("ready", None, ""))

    def checkpoint_rows(self, run_id: str) -> tuple[CheckpointRow, ...]:
        return self.saved

    def list_runs(self) -> tuple[RunRow, ...]:
        return tuple(run.row for run in self.stored.values())

    def load_run(self, run_id: str) -> StoredRun:
        if run_id not in self.stored:
            raise StoreError("This run is not in the store.", code="E_STORE_NOT_FOUND")
        return self.stored[run_id]

    def delete_run(self, run_id: str) -> None:
        del self.stored[run_id]

    def note_act(self, act: str, run_id: str | None = None, detail: str = "") -> None:
        self.noted.append((act, run_id, detail))

    def add_edit(self, run_id: str, edit: Edit) -> Edit:
        acts = self.acts.setdefault(run_id, [])
        acts.append(replace(edit, seq=len(acts), time_utc="2026-01-01T12:00:00.000Z"))
        return acts[-1]

    def sort_places(self, places: Any) -> Any:
        return sort_places(places, sniff)

    def ecg_samples(self, path: Path, sha256: str, first: int, end: int) -> Any:
        self.stretches.append((first, end))
        return np.full((3, end - first), 0.25, np.float32)

    def ecg_extremes(self, path: Path, sha256: str, hour: int) -> Any:
        self.stretches.append((hour, -1))
        return np.stack([np.full((3, 28_800), -0.5, np.float32), np.full((3, 28_800), 0.5, np.float32)])

    def keep(self, run_id: str, status: Any, results: StudyResults, events: list[RunEvent]) -> None:
        """Store a run."""
        report = make_report(status) if status in ("complete", "error") else None
        request = CardiologyRequest(echo_paths=(Path("cine.dcm"),), ecg_path=Path("ecg.dcm"))
        row = make_row(run_id, status)
        self.stored[run_id] = StoredRun(row=row, request=request, events=tuple(events), results=results, report=report)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def window(qtbot: Any, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """A shown window that leaves nothing behind."""
    monkeypatch.setattr("ui.viewing.SETTLE_MS", 600_000)  # what is looked at is noted when a test asks for it
    before = set(QApplication.topLevelWidgets())
    made = MainWindow(engine)
    made.resize(1600, 1000)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()
    made.deleteLater()
    del made
    QApplication.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = {widget for widget in QApplication.topLevelWidgets() if widget not in before and widget.isVisible()}
    assert not left, f"widgets left behind: {[type(widget).__name__ for widget in left]}"


@pytest.fixture
def cases(kit, full_results) -> dict[str, CaseView]:
    echo = replace(full_results, ecg=None, ecg_analysis=None)
    ecg = replace(full_results, cines=(), detections=(), echo_analysis=None)
    until_detection = advance(NO_PROGRESS, kit.Script().walk(until=State.DETECTION).events)
    failed = advance(
        until_detection, kit.Script().add("DETECTION", "error", "No heart was found.", code="E_DETECTION").events
    )
    no_heart = BranchResult(branch="echo", status="failed", code="E_QUALITY_ECHO", reason="The picture is black.")
    return {
        "empty": CaseView(),
        "full": kit.case_of(full_results, progress=advance(NO_PROGRESS, kit.Script().walk().events)),
        "ecg_only": kit.case_of(ecg),
        "echo_only": kit.case_of(echo),
        "unmeasured": kit.case_of(StudyResults(cines=(kit.make_cine(1, calibrated=False),))),
        "running": kit.case_of(StudyResults(), "running", report=None, progress=until_detection),
        "loading": CaseView(key=kit.RUN_ID, phase="loading"),
        "error": kit.case_of(replace(echo, echo_analysis=None), "error", progress=failed),
        "degraded": kit.case_of(ecg, progress=settle(NO_PROGRESS, "complete", (no_heart,))),
        "interrupted": kit.case_of(
            StudyResults(), "interrupted", report=None, progress=settle(until_detection, "interrupted", ())
        ),
    }
