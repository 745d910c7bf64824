"""An earlier case to compare with: of the same patient where the files say so. Knows no Qt.

Runs in a worker: it reads stored runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.records import PatientHeader, StudyResults
from ui.engine_port import Engine
from ui.run_progress import branch_results
from ui.view_state import CaseView
from ui.wording import local_time, short_case

if TYPE_CHECKING:
    from pipeline.engine import RunRow, StoredRun

LOOKED_INTO = 8  # stored runs that are opened to see whose they are
NONE_TEXT = "There is no earlier case with the same kind of recording."
OTHER_TEXT = "There is no earlier case of this patient."
UNKNOWN_TEXT = "The files do not say whether it is the same patient."


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPrior:
    """What was found for a case; an empty case and the reason where there is none."""

    of_key: str | None
    case: CaseView
    note: str


def find_prior(engine: Engine, case: CaseView) -> FoundPrior:
    """The newest earlier run of the same patient, else one whose patient is not named; raises StoreError.

    A run whose files name another patient is never shown beside the case. A run with one of the same files is
    the same examination, not an earlier one.
    """
    rows = engine.list_runs()
    own = next((row for row in rows if row.run_id == case.key), None)
    if own is None:
        return FoundPrior(of_key=case.key, case=CaseView(), note=NONE_TEXT)
    identity, hashes = _identity(case.results), _hashes(case.results)
    unknown: StoredRun | None = None
    is_other = False
    for stored in _earlier(engine, rows, own):
        if _hashes(stored.results) & hashes:
            continue
        theirs = _identity(stored.results)
        if identity and theirs and identity & theirs:
            return _found(case, stored, "")
        is_other = is_other or bool(identity and theirs)
        if not (identity and theirs):
            unknown = unknown or stored
    if unknown is not None:
        return _found(case, unknown, UNKNOWN_TEXT)
    return FoundPrior(of_key=case.key, case=CaseView(), note=OTHER_TEXT if is_other else NONE_TEXT)


def _earlier(engine: Engine, rows: tuple[RunRow, ...], own: RunRow) -> Iterator[StoredRun]:
    """Finished runs with one of the recordings that this one has, newest first."""
    from pipeline.engine import with_edits

    kinds = {"echo", "ecg"} & set(own.modalities)
    before = [r for r in rows if r.status == "complete" and r.started_utc < own.started_utc]
    for row in [r for r in before if kinds & set(r.modalities)][:LOOKED_INTO]:
        yield with_edits(engine.load_run(row.run_id))


def _headers(results: StudyResults) -> list[PatientHeader]:
    headers = [cine.header for cine in results.cines]
    return [*headers, results.ecg.record.header] if results.ecg is not None else headers


def _identity(results: StudyResults) -> frozenset[str]:
    """What the files say about whose they are."""
    known = [text for header in _headers(results) for text in (header.patient_id, header.name) if text]
    return frozenset(text.strip().casefold() for text in known)


def _hashes(results: StudyResults) -> frozenset[str]:
    files = [cine.file_sha256 for cine in results.cines]
    return frozenset([*files, results.ecg.file_sha256] if results.ecg is not None else files)


def _found(case: CaseView, stored: StoredRun, caution: str) -> FoundPrior:
    view = CaseView(
        key=stored.row.run_id,
        phase="complete",
        request=stored.request,
        results=stored.results,
        report=stored.report,
        branches=branch_results(stored.report),
    )
    note = f"Prior: case {short_case(stored.row.run_id)}, read {local_time(stored.row.started_utc)}."
    return FoundPrior(of_key=case.key, case=view, note=f"{note} {caution}".strip())
