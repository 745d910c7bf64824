"""The parts of a result that is not finished yet, between a stage's thread and the engine's, which alone writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from pipeline.errors import StoreError
from pipeline.store import codec

T = TypeVar("T")


class PartialResults:
    """`pipeline.parts.Parts` over encoded records.

    Parameters
    ----------
    found
        Payloads that the resumed run has left, by number.
    write
        Takes number and payload of each new part; must be safe in every thread.
    """

    def __init__(self, found: Mapping[int, bytes], write: Callable[[int, bytes], None]) -> None:
        self._payloads = dict(found)
        self._write = write

    def known(self, number: int, kind: type[T]) -> T | None:
        """The part, also one of an earlier attempt of this run; None when it is missing or damaged."""
        payload = self._payloads.get(number)
        if payload is None:
            return None
        try:
            return codec.decode(kind, payload)
        except StoreError:
            return None

    def keep(self, number: int, record: object) -> None:
        """Encode the part at once, in the stage's thread."""
        self.keep_payload(number, codec.encode(record))

    def keep_payload(self, number: int, payload: bytes) -> None:
        """Keep a part that another process has encoded; it is checked when it is asked for."""
        self._payloads[number] = payload
        self._write(number, payload)

    @property
    def payloads(self) -> Mapping[int, bytes]:
        """Every part that is known, as it was encoded."""
        return dict(self._payloads)
