"""Pictures of the window, also without a display."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QApplication

from ui.theme import DARK, LIGHT, Theme
from ui.window import MainWindow

PICTURES: tuple[tuple[str, Theme, tuple[int, int]], ...] = (
    ("workstation-dark.png", DARK, (1600, 1000)),
    ("workstation-light.png", LIGHT, (1600, 1000)),
    ("workstation-small.png", DARK, (1280, 720)),
)


def save_screenshots(window: MainWindow, folder: Path) -> list[Path]:
    """Save the whole window dark, light and small; leaves size and theme as they were.

    Raises
    ------
    OSError
        When a picture cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    size, theme = window.size(), window.review.state.theme
    saved = []
    for name, look, (width, height) in PICTURES:
        window.review.update(theme=look)
        window.resize(width, height)
        window.show()
        for _ in range(3):  # docks settle their sizes in a second pass
            QApplication.processEvents()
        path = folder / name
        if not window.grab().save(str(path)):
            raise OSError("a picture of the window could not be written")
        saved.append(path)
    window.review.update(theme=theme)
    window.resize(size)
    return saved
