"""How each branch of a run stands, told to the journal at every change."""

from __future__ import annotations

from pipeline.errors import PipelineError
from pipeline.journal import Journal
from pipeline.records import (
    BRANCHES,
    Branch,
    BranchResult,
    BranchState,
    DetectedEcho,
    EchoAnalysis,
    PreparedEcg,
    PreparedEcho,
    Remark,
)
from pipeline.states import State

SHORTENED = ("W_FEWER_FRAMES", "W_ECG_TRUNCATED")
"""Remarks of the readers that mean: part of the recording is missing."""


class BranchLedger:
    """Status of echo, ECG and metadata; a degraded or failed branch keeps its reason."""

    def __init__(self, journal: Journal) -> None:
        self.given: tuple[Branch, ...] = ()
        self._journal = journal
        self._failures: dict[Branch, tuple[State, PipelineError]] = {}
        self._reasons: dict[Branch, list[str]] = {}
        self._order: list[Branch] = []
        self._stopped = False

    def open(self, given: tuple[Branch, ...]) -> None:
        """Begin with the modalities of the study; the others are skipped."""
        self.given = given
        for branch in BRANCHES:
            if branch not in given:
                self.set(branch, State.RECEIPT, "skipped", "not part of this study")
            else:
                self.set(branch, State.RECEIPT, "pending")

    def set(self, branch: Branch, state: State, status: BranchState, reason: str = "", code: str | None = None) -> None:
        """Journal a status; the text is the status word, a colon and the reason when there is one."""
        if branch not in self.given and status != "skipped":
            return
        self._journal.emit(state, "branch", f"{status}: {reason}" if reason else status, branch=branch, code=code)

    def fail(self, branch: Branch, state: State, error: PipelineError) -> None:
        """Mark a branch failed; its later stages are not run."""
        self._failures[branch] = (state, error)
        self._order.append(branch)
        self.set(branch, state, "failed", error.text, error.code)

    def failure(self, branch: Branch) -> PipelineError | None:
        return self._failures[branch][1] if branch in self._failures else None

    @property
    def last_failure(self) -> PipelineError | None:
        return self._failures[self._order[-1]][1] if self._order else None

    def all_failed(self) -> bool:
        """Whether every signal modality of the study has failed."""
        signals = [branch for branch in self.given if branch != "metadata"]
        return all(branch in self._failures for branch in signals)

    def degrade(self, branch: Branch, state: State, reason: str) -> None:
        """Note that a branch goes on with less than everything."""
        self._reasons.setdefault(branch, []).append(reason)
        self.set(branch, state, "degraded", reason)

    def note_clips(self, prepared: PreparedEcho | None, n_given: int) -> None:
        if prepared is not None and len(prepared.cines) < n_given:
            self.degrade("echo", State.PREPROCESSING, f"{n_given - len(prepared.cines)} of {n_given} clips left out")

    def note_shortened(self, echo: PreparedEcho | None, ecg: PreparedEcg | None) -> None:
        """Files that held less than they declared: what is there is used, and the branch says so."""
        for cine in echo.cines if echo else ():
            self._note_remarks("echo", cine.remarks)
        self._note_remarks("ecg", ecg.remarks if ecg else ())

    def _note_remarks(self, branch: Branch, remarks: tuple[Remark, ...]) -> None:
        for remark in remarks:
            if remark.code in SHORTENED:
                self.degrade(branch, State.PREPROCESSING, remark.text)

    def note_detection(self, detected: DetectedEcho | None, n_clips: int) -> None:
        """Clips without a heart, and low confidence (specification 5.2: functional analysis is skipped)."""
        if detected is None:
            return
        if len(detected.kept) < n_clips:
            self.degrade("echo", State.DETECTION, f"no heart in {n_clips - len(detected.kept)} of {n_clips} clips")
        for found in detected.detections:
            if found.low_confidence_reason:
                self.degrade("echo", State.DETECTION, found.low_confidence_reason)

    def note_analysis(self, echo: EchoAnalysis | None, ecg: PreparedEcg | None) -> None:
        if echo is not None and echo.skipped_reason and "echo" not in self._reasons:
            self.degrade("echo", State.ANALYSIS, echo.skipped_reason)
        if ecg is not None and not ecg.lead_usable.all():
            names = [lead for lead, ok in zip(ecg.record.leads, ecg.lead_usable, strict=True) if not ok]
            self.degrade("ecg", State.ANALYSIS, f"leads left out: {', '.join(names)}")

    def close(self, state: State, error: PipelineError) -> None:
        """On a hard stop or a cancel: what had not failed by itself was stopped."""
        self._stopped = True
        for branch in self.given:
            if branch not in self._failures:
                self.set(branch, state, "skipped", "the run stopped", error.code)

    def results(self) -> tuple[BranchResult, ...]:
        """The final word on each branch; deterministic, so `cached` does not appear."""
        return tuple(self._result(branch) for branch in BRANCHES)

    def _result(self, branch: Branch) -> BranchResult:
        if branch not in self.given:
            return BranchResult(branch=branch, status="skipped", reason="not part of this study")
        if branch in self._failures:
            state, error = self._failures[branch]
            return BranchResult(
                branch=branch, status="failed", code=error.code, reason=error.text, failed_in=state.name
            )
        if self._stopped:
            return BranchResult(branch=branch, status="skipped", reason="the run stopped")
        if branch in self._reasons:
            reasons = dict.fromkeys(self._reasons[branch])
            return BranchResult(branch=branch, status="degraded", reason="; ".join(reasons))
        return BranchResult(branch=branch, status="ok")
