"""An executor that is made when it is first needed."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from app.composition import isolated_engine
from pipeline.executor import ThreadExecutor
from pipeline.isolation.late import LateExecutor


class Noted(ThreadExecutor):
    """Tells what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def rest(self) -> None:
        self.said.append("rest")

    def close(self) -> None:
        self.said.append("close")


def test_nothing_is_made_before_it_is_needed_and_then_once() -> None:
    made: list[Noted] = []

    def make() -> Noted:
        time.sleep(0.05)
        made.append(Noted())
        return made[-1]

    late = LateExecutor(make)
    late.rest()
    assert made == []
    threads = [threading.Thread(target=late.get_ready) for _ in range(4)]
    for thread in threads:
        thread.start()
    outcomes = late.run_side_by_side({"one": lambda: 1}, lambda: None)
    for thread in threads:
        thread.join()
    assert outcomes["one"].value == 1
    assert len(made) == 1
    late.rest()
    late.close()
    assert made[0].said == ["rest", "close"]


def test_a_closed_one_is_not_made_any_more() -> None:
    made: list[Noted] = []

    def make() -> Noted:
        made.append(Noted())
        return made[-1]

    late = LateExecutor(make)
    late.close()
    late.get_ready()
    assert made == []


def test_a_window_that_is_closed_at_once_starts_no_worker(tmp_path: Path) -> None:
    with isolated_engine(tmp_path / "s.sqlite", keeps_spare=True, starts_late=True) as engine:
        assert isinstance(engine.executor, LateExecutor)
    assert not (tmp_path / "work").exists()
