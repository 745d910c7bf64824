"""The command log: acts come back in order, as they were, and go with their run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.records import CardiologyRequest, Edit
from pipeline.store.database import Store


@pytest.fixture
def store(path: Path):
    with Store.open(path) as opened:
        opened.start_run("r1", CardiologyRequest(ecg_path=Path("e.csv")))
        opened.start_run("r2", CardiologyRequest(ecg_path=Path("e.csv")))
        yield opened


def act(after: object, undoes: int | None = None) -> Edit:
    return Edit(
        kind="contour", target="cine:0/frame:3/lv_cavity", before=None, after=after, role="clinician", undoes=undoes
    )


def test_acts_come_back_in_order_with_number_and_time(store: Store) -> None:
    first = store.add_edit("r1", act([[1.5, 2.0], [3.0, 4.25]]))
    second = store.add_edit("r1", act(None, undoes=first.seq))
    other = store.add_edit("r2", act("B"))
    assert (first.seq, second.seq, other.seq) == (0, 1, 0)
    assert first.time_utc.endswith("Z")
    assert store.edits("r1") == (first, second)
    assert store.edits("r1")[0].after == [[1.5, 2.0], [3.0, 4.25]]


def test_an_unknown_run_takes_no_act(store: Store) -> None:
    with pytest.raises(StoreError, match="E_STORE_NOT_FOUND"):
        store.add_edit("nobody", act(1))
    assert store.edits("nobody") == ()


def test_a_value_that_is_no_json_is_refused_and_nothing_is_stored(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.add_edit("r1", act(float("nan")))
    assert store.edits("r1") == ()


def test_deleting_a_run_removes_its_acts(store: Store) -> None:
    store.add_edit("r1", act(1))
    store.finish_run("r1", status="complete", state="COMPLETE", error_code=None, report_json="{}")
    store.delete_run("r1")
    assert store.edits("r1") == ()
