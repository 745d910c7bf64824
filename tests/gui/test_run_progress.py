"""The journal folded into steps and lanes."""

from __future__ import annotations

import pytest

from pipeline.records import BranchResult
from pipeline.states import State
from ui.run_progress import STATE_NAMES, RunProgress, advance, branch_results, dragged_along, posix_s, settle


def step(progress: RunProgress, name: str):
    return next(s for s in progress.steps if s.name == name)


def test_ten_states_in_their_order():
    assert STATE_NAMES == (
        "INIT", "RECEIPT", "VALIDATION", "PREPROCESSING", "DETECTION", "ANALYSIS", "FUSION", "SCORING", "FORMATTING",
        "COMPLETE",
    )  # fmt: skip


def test_whole_walk_is_done_with_times(kit):
    progress = advance(RunProgress(), kit.Script().walk().events)
    assert {s.status for s in progress.steps} == {"done"}
    assert step(progress, "ANALYSIS").elapsed_s == pytest.approx(0.1)
    assert progress.error is None


def test_running_state_and_checkpoint(kit):
    script = kit.Script().walk(until=State.DETECTION).add("PREPROCESSING", "checkpoint", "saved")
    progress = advance(RunProgress(), script.events)
    assert progress.current is not None
    assert progress.current.name == "DETECTION"
    assert step(progress, "PREPROCESSING").checkpoint
    assert step(progress, "ANALYSIS").status == "waiting"


def test_state_that_was_jumped_over_is_skipped(kit):
    progress = advance(RunProgress(), kit.Script().walk(echo=False).events)
    assert step(progress, "DETECTION").status == "skipped"


def test_error_names_the_state_it_came_from_and_is_not_overwritten(kit):
    script = kit.Script().walk(until=State.DETECTION)
    script.add("DETECTION", "error", "No heart was found.", code="E_DETECTION")
    script.add("ERROR", "state", "stopped in DETECTION", code="E_DETECTION")
    progress = advance(RunProgress(), script.events)
    assert step(progress, "DETECTION").status == "failed"
    assert progress.error is not None
    assert (progress.error.state, progress.error.code) == ("DETECTION", "E_DETECTION")
    assert progress.error.text == "No heart was found."


def test_cancelling_is_no_error(kit):
    script = kit.Script().walk(until=State.ANALYSIS)
    script.add("ANALYSIS", "error", "The run was cancelled.", code="E_CANCELLED")
    script.add("ERROR", "state", "stopped", code="E_CANCELLED")
    progress = advance(RunProgress(), script.events)
    assert step(progress, "ANALYSIS").status == "cancelled"
    assert progress.error is None


def test_lane_follows_status_progress_and_retry(kit):
    script = kit.Script().walk(until=State.DETECTION).add("DETECTION", "branch", "running", branch="echo")
    script.add("DETECTION", "progress", "frame 5 of 10", branch="echo", fraction=0.5)
    halfway = advance(RunProgress(), script.events)
    assert (halfway.lanes[0].status, halfway.lanes[0].fraction) == ("running", 0.5)
    script.add("DETECTION", "retry", "retry 1/2 (timeout, 4.0 s)", branch="echo")
    again = advance(RunProgress(), script.events)
    assert again.lanes[0].retry_text == "retry 1/2 (timeout, 4.0 s)"
    assert step(again, "DETECTION").retries == 1
    script.add("DETECTION", "branch", "failed: No heart was found.", branch="echo", code="E_DETECTION")
    failed = advance(RunProgress(), script.events).lanes[0]
    assert (failed.status, failed.code, failed.text) == ("failed", "E_DETECTION", "No heart was found.")
    assert failed.retry_text is None


def test_degraded_stays_until_the_end(kit):
    script = kit.Script().add("DETECTION", "branch", "degraded: low confidence", branch="echo")
    script.add("ANALYSIS", "branch", "running", branch="echo").add("ANALYSIS", "branch", "ok", branch="echo")
    lane = advance(RunProgress(), script.events).lanes[0]
    assert (lane.status, lane.text) == ("degraded", "low confidence")


def test_resumed_run_starts_over_in_the_same_journal(kit):
    script = kit.Script().walk(until=State.DETECTION).walk(until=State.VALIDATION)
    script.add("VALIDATION", "restored", "echo taken from the checkpoint").add("VALIDATION", "state_done")
    progress = advance(RunProgress(), script.events)
    assert step(progress, "VALIDATION").status == "restored"
    assert step(progress, "DETECTION").status == "waiting"
    assert len(progress.events) == len(script.events)


def test_portions_give_the_same_as_the_whole(kit):
    events = kit.Script().walk().events
    whole = advance(RunProgress(), events)
    parts = RunProgress()
    for event in events:
        parts = advance(parts, [event])
    assert parts == whole


def test_settled_run_leaves_nothing_running(kit):
    progress = advance(RunProgress(), kit.Script().walk(until=State.ANALYSIS).events)
    ended = settle(progress, "interrupted", (BranchResult(branch="echo", status="degraded", reason="low"),))
    assert step(ended, "ANALYSIS").status == "interrupted"
    busy = advance(progress, kit.Script().add("ANALYSIS", "branch", "running", branch="ecg").events)
    assert settle(busy, "interrupted", ()).lanes[1].text == "not finished"
    assert (ended.lanes[0].status, ended.lanes[0].text) == ("degraded", "low")


def test_branches_of_a_report_that_says_nothing():
    assert branch_results(None) == ()
    assert branch_results({"pipeline_execution": {"branches": []}}) == ()


def test_unreadable_time_is_no_trouble(kit):
    event = kit.Script().add("INIT", "state").events[0]
    from dataclasses import replace

    progress = advance(RunProgress(), [replace(event, time_utc="never")])
    assert step(progress, "INIT").started_s is None


def test_branch_that_fails_is_the_root_cause_and_the_rest_is_dragged_along(kit):
    script = kit.Script().walk(until=State.DETECTION)
    script.add("DETECTION", "branch", "failed: No heart was found.", branch="echo", code="E_DETECTION")
    script.add("DETECTION", "state_done", "9 ms").add("ANALYSIS", "state").add("ANALYSIS", "state_done")
    progress = advance(RunProgress(), script.events)
    assert step(progress, "DETECTION").status == "degraded"
    assert step(progress, "DETECTION").note == "echo failed"
    assert progress.cause is not None
    assert (progress.cause.branch, progress.cause.state) == ("echo", "DETECTION")
    assert dragged_along(progress) == "Because of it echo is missing in ANALYSIS."


def test_what_was_not_reached_is_told_apart_from_what_failed(kit):
    script = kit.Script().walk(until=State.ANALYSIS).add("ANALYSIS", "error", "Broken.", code="E_PIPELINE")
    progress = settle(advance(RunProgress(), script.events), "error", ())
    assert [step(progress, name).status for name in ("DETECTION", "ANALYSIS", "FUSION")] == [
        "done",
        "failed",
        "unreached",
    ]
    assert dragged_along(progress) == "Not reached because of it: FUSION, SCORING, FORMATTING, COMPLETE."


def test_state_is_as_far_as_its_branches(kit):
    script = kit.Script().walk(until=State.PREPROCESSING)
    for branch, fraction in (("echo", 0.5), ("ecg", 0.1)):
        script.add("PREPROCESSING", "branch", "running", branch=branch)
        script.add("PREPROCESSING", "progress", "reading", branch=branch, fraction=fraction)
    assert step(advance(RunProgress(), script.events), "PREPROCESSING").fraction == pytest.approx(0.3)


def test_pause_is_shown_at_the_state_that_waits(kit):
    script = kit.Script().walk(until=State.PREPROCESSING).add("PREPROCESSING", "state_done")
    script.add("PREPROCESSING", "paused", "paused before DETECTION")
    held = advance(RunProgress(), script.events)
    assert step(held, "DETECTION").status == "paused"
    assert held.paused == "paused before DETECTION"
    script.add("PREPROCESSING", "continued", "goes on").add("DETECTION", "state")
    assert step(advance(RunProgress(), script.events), "DETECTION").status == "running"


def test_retry_is_read_with_its_countdown(kit):
    script = kit.Script().walk(until=State.DETECTION).add("DETECTION", "branch", "running", branch="echo")
    script.add("DETECTION", "retry", "retry 1/2 (timeout, 4.0 s): batch halved", branch="echo")
    retry = advance(RunProgress(), script.events).lanes[0].retry
    assert retry is not None
    assert (retry.number, retry.of, retry.failure, retry.action) == (1, 2, "timeout", "batch halved")
    assert retry.due_s == pytest.approx(posix_s(script.events[-1].time_utc) + 4.0)
