"""Where a stage that works for long leaves what it has finished, so that a killed run loses only the part in hand."""

from __future__ import annotations

from typing import Protocol, TypeVar

T = TypeVar("T")


class Parts(Protocol):
    """The finished parts of one result, by number. A stage sees this and knows no store."""

    def known(self, number: int, kind: type[T]) -> T | None:
        """The part as it was kept, by this run or by the one that it resumes; None when it must be made."""

    def keep(self, number: int, record: object) -> None:
        """Keep a finished part; safe in every thread."""


class NoParts:
    """Keeps nothing: for callers without a store."""

    def known(self, number: int, kind: type[T]) -> T | None:
        """Nothing is known."""
        return None

    def keep(self, number: int, record: object) -> None:
        """Nothing is kept."""
