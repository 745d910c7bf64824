"""What one execution carries from state to state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline.branch_work import BranchWork
from pipeline.branches import BranchLedger
from pipeline.cancellation import CancelToken
from pipeline.errors import PipelineError
from pipeline.journal import Journal
from pipeline.preview import Preview
from pipeline.records import CardiologyRequest, FusedFindings, Remark, RiskReport
from pipeline.results import RunResults
from pipeline.sealing import Ending, ResponseStatus, Sealer
from pipeline.states import PipelineState


@dataclass(slots=True)
class ActiveRun:
    """A run that goes on: its request, its tools and what it has so far."""

    request: CardiologyRequest
    cancel: CancelToken
    work: BranchWork
    journal: Journal
    results: RunResults
    ledger: BranchLedger
    sealer: Sealer
    preview: Preview | None = None
    state: PipelineState = field(default_factory=PipelineState)
    remarks: list[Remark] = field(default_factory=list)
    fused: FusedFindings | None = None
    risk: RiskReport | None = None
    body: dict[str, Any] | None = None

    def ending(self, status: ResponseStatus, body: dict[str, Any] | None, error: PipelineError | None) -> Ending:
        return Ending(
            status=status,
            body=body,
            state=self.state,
            ledger=self.ledger,
            journal=self.journal,
            results=self.results,
            error=error,
        )
