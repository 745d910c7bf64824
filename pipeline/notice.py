"""The notice that stands in the window and in every export."""

from __future__ import annotations

NOTICE = "Research use only - not for diagnostic use"
