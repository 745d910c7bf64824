"""Work ahead: in order, bounded, with errors where they are due."""

from __future__ import annotations

import threading

import pytest

from pipeline.echo.lookahead import MOST_WORKERS, in_order


@pytest.mark.parametrize("threads", [1, 2, 9])
def test_results_come_in_order(threads: int) -> None:
    assert list(in_order(lambda i: i * i, range(20), threads, lambda: None)) == [i * i for i in range(20)]


def test_no_more_is_begun_than_one_a_thread_and_one() -> None:
    begun: list[int] = []

    def work(i: int) -> int:
        begun.append(i)
        return i

    results = in_order(work, range(50), 2, lambda: None)
    assert next(results) == 0
    assert len(begun) <= 3
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= 3


def test_each_thread_begins_once_and_there_are_few() -> None:
    names: list[str] = []
    list(in_order(lambda i: i, range(30), 99, lambda: names.append(threading.current_thread().name)))
    assert 1 <= len(names) == len(set(names)) <= MOST_WORKERS


def test_an_error_is_raised_where_its_result_was_due() -> None:
    def work(i: int) -> int:
        if i == 2:
            raise ValueError("two")
        return i

    results = in_order(work, range(5), 2, lambda: None)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
