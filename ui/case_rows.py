"""Lines of the study list. Knows no Qt; shows no name of a file or a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.records import CardiologyRequest
from ui.intake import describe
from ui.view_state import CaseRow, CaseView
from ui.wording import counted, local_time, short_case

if TYPE_CHECKING:
    from pipeline.engine import RunRow

INTERRUPTED_TEXT = "This run was interrupted. Resume it (Ctrl+R) to go on from its last checkpoint."
MODALITIES = (("echo", "Echo"), ("ecg", "ECG"), ("metadata", "facts"))
STATES_ELSEWHERE = "is being read in another window"
WAITING_KEY = "waiting-"  # beginning of the key of a study that has no run yet


def case_rows(
    stored: Sequence[RunRow], live: CaseView | None, waiting: Sequence[CardiologyRequest] = ()
) -> tuple[CaseRow, ...]:
    """The running case first, then those that wait, then the stored ones, newest first."""
    rows = [] if live is None or live.key is None else [_live_row(live)]
    live_key = live.key if live is not None else None
    rows += [_waiting_row(place, request) for place, request in enumerate(waiting, start=1)]
    rows += [_stored_row(row) for row in stored if row.run_id != live_key]
    return tuple(rows)


def _live_row(live: CaseView) -> CaseRow:
    assert live.key is not None
    title = "New case" if live.key == "live" else f"Case {short_case(live.key)}"
    return CaseRow(key=live.key, title=title, status="running", detail=describe(live.request), when="now")


def _waiting_row(place: int, request: CardiologyRequest) -> CaseRow:
    title = f"Next study {place}"
    return CaseRow(key=f"{WAITING_KEY}{place}", title=title, status="pending", detail=describe(request), when="")


def _stored_row(row: RunRow) -> CaseRow:
    details = {
        "interrupted": "resume?",
        "error": row.error_code or "",
        "running": STATES_ELSEWHERE,
        "cancelled": "can be resumed",
    }
    is_part = row.status == "complete" and bool(row.lost)
    left_out = ", ".join(name for branch, name in MODALITIES if branch in row.lost)
    return CaseRow(
        key=row.run_id,
        title=f"Case {short_case(row.run_id)}",
        status="degraded" if is_part else row.status,
        detail=f"{left_out} left out" if is_part else details.get(row.status, _read(row)),
        when=local_time(row.started_utc),
        resumable=row.status in ("interrupted", "cancelled"),
        thumbnail=row.thumbnail,
    )


def _read(row: RunRow) -> str:
    """What a stored run was given: "Echo + ECG"."""
    names = [name for branch, name in MODALITIES if branch in row.modalities]
    return " + ".join(names) or counted(len(row.inputs), "file")
