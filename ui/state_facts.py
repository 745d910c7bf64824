"""What is known of one state of a run: times, inputs, outputs, checkpoint, branches. Knows no Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.records import CheckpointRow, PayloadRow
from pipeline.states import CHECKPOINTED
from ui.run_progress import STATE_NAMES, Step
from ui.view_state import BRANCH_NAMES, CaseView
from ui.wording import clock_time, elapsed_text, size_text, status_word

PAYLOAD_NAMES = (
    ("validation_result", "Validated files"),
    ("preprocessed_echo", "Prepared clips"),
    ("preprocessed_ecg", "Prepared ECG"),
    ("preprocessed_metadata", "Facts about the patient"),
    ("detection_result", "Outlines"),
    ("analysis_result.echo", "Echo measurements"),
    ("analysis_result.ecg", "ECG measurements"),
)
ROLES = (("echo", "Clip"), ("ecg", "ECG"), ("metadata", "Facts"))
QUICK_TEXT = "none: this state takes moments and is computed again on every resume"
SHORT_HASH = 12


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: a name, what is known, and the whole of it where the line is short for it."""

    name: str
    value: str
    whole: str = ""


@dataclass(frozen=True, slots=True)
class FactGroup:
    """Facts under one head."""

    head: str
    facts: tuple[Fact, ...]


def state_facts(case: CaseView, state_name: str) -> tuple[FactGroup, ...]:
    """Everything that is known of a state, in the order in which it is read."""
    step = next(step for step in case.progress.steps if step.name == state_name)
    own = next((row for row in case.checkpoints if row.state == state_name), None)
    before = _before(case.checkpoints, state_name)
    groups = (
        FactGroup("Timing", tuple(_timing(case, step))),
        FactGroup("Branches", tuple(_branches(case, state_name))),
        FactGroup("Inputs", tuple(_inputs(case, state_name, before))),
        FactGroup("Outputs", tuple(_outputs(own, before))),
        FactGroup("Checkpoint", tuple(_checkpoint(step, own))),
    )
    return tuple(group for group in groups if group.facts)


def _before(rows: tuple[CheckpointRow, ...], state_name: str) -> CheckpointRow | None:
    place = STATE_NAMES.index(state_name)
    earlier = [row for row in rows if row.state in STATE_NAMES and STATE_NAMES.index(row.state) < place]
    return earlier[-1] if earlier else None


def _timing(case: CaseView, step: Step) -> Iterator[Fact]:
    yield Fact("Status", status_word(step.status) + (f" ({step.note})" if step.note else ""))
    entered = next((e.time_utc for e in reversed(case.progress.events) if e.state == step.name), None)
    first = [e.time_utc for e in case.progress.events if e.state == step.name and e.kind == "state"]
    if first:
        yield Fact("Entered", clock_time(first[-1]), first[-1])
    if entered and entered not in first:
        yield Fact("Last event", clock_time(entered), entered)
    if step.elapsed_s is not None:
        total = sum(s.elapsed_s or 0.0 for s in case.progress.steps)
        share = f", {100 * step.elapsed_s / total:.0f} % of the run" if total > 0 else ""
        yield Fact("Elapsed", elapsed_text(step.elapsed_s) + share)
    if step.retries:
        yield Fact("Retries", str(step.retries))


def _branches(case: CaseView, state_name: str) -> Iterator[Fact]:
    """How each branch left this state: the last that the journal says of it there."""
    for branch, name in BRANCH_NAMES.items():
        events = [
            e for e in case.progress.events if e.state == state_name and e.branch == branch and e.kind == "branch"
        ]
        if events:
            word, _, reason = events[-1].text.partition(": ")
            code = f" ({events[-1].code})" if events[-1].code else ""
            yield Fact(name, f"{status_word(word)}{': ' + reason if reason else ''}{code}")


def _inputs(case: CaseView, state_name: str, before: CheckpointRow | None) -> Iterator[Fact]:
    """The files for the states that read them, the results before for the others."""
    rows = case.checkpoints
    hashes = rows[-1].input_hashes if rows else {}
    if STATE_NAMES.index(state_name) <= STATE_NAMES.index("PREPROCESSING"):
        for key, sha256 in hashes.items():
            role, _, number = key.partition(".")
            yield Fact(f"{dict(ROLES).get(role, role)} {int(number) + 1 if number.isdigit() else ''}".strip(),
                       f"SHA-256 {sha256[:SHORT_HASH]}…", sha256)  # fmt: skip
    for payload in before.payloads if before is not None else ():
        yield _payload(payload)


def _outputs(own: CheckpointRow | None, before: CheckpointRow | None) -> Iterator[Fact]:
    """What this state's checkpoint holds that the one before did not."""
    known = {payload.name for payload in before.payloads} if before is not None else set()
    for payload in own.payloads if own is not None else ():
        if payload.name not in known:
            yield _payload(payload)


def _payload(payload: PayloadRow) -> Fact:
    name = dict(PAYLOAD_NAMES).get(payload.name, payload.name)
    if not payload.size_bytes:
        return Fact(name, "no longer in the store", payload.sha256)
    whole = f"SHA-256 {payload.sha256}\ndepends on {payload.cache_key}"
    return Fact(name, f"{size_text(payload.size_bytes)}, SHA-256 {payload.sha256[:SHORT_HASH]}…", whole)


def _checkpoint(step: Step, own: CheckpointRow | None) -> Iterator[Fact]:
    if own is None:
        is_kept = step.name in [state.name for state in CHECKPOINTED]
        yield Fact("Saved", "not saved" if is_kept else QUICK_TEXT)
        return
    size = sum(payload.size_bytes for payload in own.payloads)
    yield Fact("Saved", f"{clock_time(own.time_utc)}, {size_text(size)} in all", own.time_utc)
    yield Fact("Memory then", f"{own.memory_mb:.0f} MB")
    times = ", ".join(f"{name} {elapsed_text(ms / 1000)}" for name, ms in own.processing_times_ms.items())
    if times:
        yield Fact("Times until then", times, times)
    if step.status == "restored":
        yield Fact("Used", "taken from the checkpoint, not computed again")
