"""What an action is: words, key, picture, and who does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action of the menus.

    `does` names what it calls: a view, "review", "asks" or "window", then the way to a method of it
    ("echo.toggle_play", "review.cases.cancel"); it is called with `arguments`. An action with an `option`
    ("echo.contours") shows and switches that part of the state.
    """

    name: str
    menu: str
    text: str
    keys: str
    icon: str
    does: str = ""
    arguments: tuple[Any, ...] = ()
    condition: str = "always"
    option: str | None = None
    tip: str = ""  # more than the words say; the tooltip names the key too

    @property
    def words(self) -> str:
        """The text without the marks of the menu."""
        return self.text.replace("&", "").rstrip("…")

    @property
    def hint(self) -> str:
        """The tooltip: what it does, and its key."""
        return f"{self.tip or self.words} ({self.keys})" if self.keys else self.tip or self.words
