"""What the reader chose and what outlives a session, as one frozen record. Knows no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.records import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Looks of the window; kept by app.settings, which ignores what it cannot read."""

    theme: str = "dark"
    role: Role = "clinician"
    layouts: Mapping[str, str] = field(default_factory=dict)  # role -> where its docks stand
    screen_scales: Mapping[str, float] = field(default_factory=dict)  # screen -> pixels in a millimetre


DEFAULTS = Choices()
