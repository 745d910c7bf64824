"""Lines of the study list."""

from __future__ import annotations

import pytest

from ui.case_rows import case_rows


@pytest.mark.parametrize(
    ("modalities", "detail"),
    [
        (("echo", "ecg"), "Echo + ECG"),
        (("ecg",), "ECG"),
        (("metadata", "echo"), "Echo + facts"),
        ((), "1 file"),
    ],
)
def test_finished_run_says_what_was_read(kit, modalities, detail):
    row = case_rows((kit.make_row(modalities=modalities),), None)[0]
    assert row.detail == detail
    assert kit.CANARY not in row.title + row.detail


@pytest.mark.parametrize(("status", "detail"), [("interrupted", "resume?"), ("cancelled", "can be resumed")])
def test_stopped_run_says_how_to_go_on(kit, status, detail):
    row = case_rows((kit.make_row(status=status, modalities=("echo",)),), None)[0]
    assert (row.detail, row.resumable) == (detail, True)


def test_a_run_that_lost_a_branch_is_no_plain_success(kit):
    row = case_rows((kit.make_row(modalities=("echo", "ecg"), lost=("echo",)),), None)[0]
    assert (row.status, row.detail) == ("degraded", "Echo left out")
