"""Two reports field by field: what differs, and by how much."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["same", "changed", "only first", "only second"]
MISSING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field of two results."""

    path: str  # "measurements/lvef/value"
    kind: Kind
    first: Any
    second: Any

    @property
    def change(self) -> float | None:
        """Second minus first where both are numbers."""
        if _is_number(self.first) and _is_number(self.second):
            return float(self.second) - float(self.first)
        return None


def compare_reports(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Every field of the `result` of two reports, in the order of the first; equal ones are told as "same".

    What changes from run to run (times, ids) stands outside `result` and is not compared.
    """
    one, two = dict(_fields(first.get("result"), "")), dict(_fields(second.get("result"), ""))
    paths = dict.fromkeys((*one, *two))
    return tuple(_difference(path, one.get(path, MISSING), two.get(path, MISSING)) for path in paths)


def _fields(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for name, value in node.items():
            yield from _fields(value, f"{path}/{name}" if path else str(name))
    elif isinstance(node, list) and node:
        for place, value in enumerate(node):
            yield from _fields(value, f"{path}/{place}")
    else:
        yield path, node


def _difference(path: str, first: Any, second: Any) -> Difference:
    if first is MISSING:
        return Difference(path=path, kind="only second", first=None, second=second)
    if second is MISSING:
        return Difference(path=path, kind="only first", first=first, second=None)
    return Difference(path=path, kind="same" if first == second else "changed", first=first, second=second)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
