"""Words that every record uses: branches, arrays, remarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt

Array = npt.NDArray[Any]
Branch = Literal["echo", "ecg", "metadata"]
BRANCHES: tuple[Branch, ...] = ("echo", "ecg", "metadata")
BranchState = Literal["pending", "running", "ok", "degraded", "skipped", "failed", "cached"]
MeasurementStatus = Literal["measured", "edited", "withheld"]
Sex = Literal["male", "female"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something a reader of the report must know: a warning with a code and a plain sentence."""

    code: str
    text: str
