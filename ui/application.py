"""Starts Qt, shows the window, opens files; nothing slow is imported before the window is on screen."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from ui.choices import DEFAULTS, Choices
from ui.engine_port import Engine
from ui.screenshots import save_screenshots
from ui.theme import palette, style_sheet, theme_named
from ui.window import MainWindow

START_PX = (1600, 1000)
LOAD_LIMIT_S = 60.0
SWITCH_S = 0.001  # how soon a computing thread lets the window have its turn
FAULT_TEXT = (
    "Something inside the window went wrong. The stored cases are safe. "
    "If it happens again, please start Chordae anew and report what you did."
)
_LOG = logging.getLogger(__name__)


def make_application() -> QApplication:
    """The one QApplication, made if there is none."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    # Qt's file dialogs keep the folders that were visited, and a folder's name may be a patient's
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, os.devnull)
    application = QApplication(sys.argv[:1])
    application.setApplicationName("chordae")
    application.setApplicationDisplayName("Chordae")
    application.setStyle("Fusion")
    return application


def run_workstation(
    engine: Engine,
    files: Sequence[Path] = (),
    *,
    choices: Choices = DEFAULTS,
    on_choices: Callable[[Choices], None] | None = None,
    unlock: Callable[[str], str | None] | None = None,
) -> int:
    """Show the workstation until it is closed.

    Parameters
    ----------
    engine
        Does the work; see `ui.engine_port.Engine`.
    files
        Opened as one study as soon as the window is there.
    choices
        How the window looked when it was last closed.
    on_choices
        Told what the reader chooses: theme, role, where the docks stand.
    unlock
        For an encrypted store: takes its passphrase, and answers with what is wrong or with None. It is asked
        before the window is made.

    Returns
    -------
    int
        Exit code of the application.
    """
    application = make_application()
    application.setPalette(palette(theme_named(choices.theme)))
    install_excepthook()
    sys.setswitchinterval(SWITCH_S)
    if unlock is not None and not _is_unlocked(unlock, choices):
        return 1
    window = MainWindow(engine, choices, on_choices)
    _fit(window, application)
    window.show()
    QTimer.singleShot(0, lambda: window.start_with(tuple(files)))
    code = application.exec()
    if not window.is_quiet:
        # A computation that does not answer would keep the process alive; the store survives being cut off.
        _LOG.warning("a run did not stop in time and was cut off; it can be resumed")
        logging.shutdown()
        os._exit(code)
    return code


def _is_unlocked(unlock: Callable[[str], str | None], choices: Choices) -> bool:
    from ui.passphrase_dialog import UnlockDialog

    dialog = UnlockDialog(unlock)
    dialog.setStyleSheet(style_sheet(theme_named(choices.theme)))
    is_accepted = dialog.exec() == int(UnlockDialog.DialogCode.Accepted)
    dialog.deleteLater()
    return is_accepted


def _fit(window: MainWindow, application: QApplication) -> None:
    room = application.primaryScreen().availableGeometry()
    window.resize(min(START_PX[0], room.width()), min(START_PX[1], room.height()))
    if room.width() <= START_PX[0] or room.height() <= START_PX[1]:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)


def save_run_screenshots(engine: Engine, run_id: str, folder: Path) -> list[Path]:
    """Pictures of a stored run, for machines without a display.

    Raises
    ------
    LookupError
        When there is no such run, or it cannot be loaded.
    TimeoutError
        When loading takes longer than a minute.
    """
    application = make_application()
    window = MainWindow(engine)
    window.resize(*START_PX)
    window.show()
    window.review.cases.refresh()
    window.review.cases.select(run_id)
    end = time.monotonic() + LOAD_LIMIT_S
    while window.review.state.case.phase == "loading" or not window.review.state.cases:
        application.processEvents()
        time.sleep(0.01)
        if time.monotonic() > end:
            raise TimeoutError("the stored run could not be loaded in time")
    try:
        if window.review.state.case.key != run_id:
            raise LookupError("the stored run could not be loaded")
        window.show_telling_frame()
        return save_screenshots(window, folder)
    finally:
        window.close()
        window.deleteLater()
        application.processEvents()


def install_excepthook() -> None:
    """A fault inside the window is told plainly and logged without its text, which may hold patient data."""
    sys.excepthook = report_fault


def report_fault(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    """Log where a fault arose and show a plain sentence; Ctrl+C ends the program as usual."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, fault, trace)
        return
    places = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(trace)[-6:]]
    _LOG.error("%s in the window at %s", kind.__name__, " < ".join(reversed(places)))
    if QApplication.activeModalWidget() is None:
        # Owned by the window: without an owner Python would take the box away at once.
        windows = (w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
        owner = next(windows, None)
        if owner is None:
            return
        box = QMessageBox(QMessageBox.Icon.Warning, "Chordae", FAULT_TEXT, parent=owner)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
