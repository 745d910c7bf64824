"""Start, pictures and the last line of defence."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMessageBox

from ui.application import FAULT_TEXT, report_fault, save_run_screenshots
from ui.screenshots import save_screenshots


def test_pictures_have_their_sizes(window, kit, full_results, tmp_path):
    window.review.update(case=kit.case_of(full_results))
    window.show_telling_frame()
    paths = save_screenshots(window, tmp_path / "pictures")
    sizes = {path.name: (QImage(str(path)).width(), QImage(str(path)).height()) for path in paths}
    ratio = window.devicePixelRatioF()
    assert sizes == {
        "workstation-dark.png": (1600 * ratio, 1000 * ratio),
        "workstation-light.png": (1600 * ratio, 1000 * ratio),
        "workstation-small.png": (1280 * ratio, 720 * ratio),
    }
    assert window.review.state.theme.name == "dark"
    assert window.views["echo"].frame_idx == kit.ED_IDX


def test_pictures_of_a_stored_run(qapp, engine, kit, full_results, tmp_path):
    engine.keep(kit.RUN_ID, "complete", full_results, kit.Script().walk().events)
    assert len(save_run_screenshots(engine, kit.RUN_ID, tmp_path)) == 3


def test_pictures_of_a_run_that_is_not_there(qapp, engine, kit, full_results, tmp_path):
    engine.keep(kit.RUN_ID, "complete", full_results, [])
    with pytest.raises(LookupError):
        save_run_screenshots(engine, "another", tmp_path)


def test_fault_is_told_plainly_and_logged_without_its_text(window, caplog):
    try:
        raise ValueError("Smith^John")
    except ValueError as fault:
        with caplog.at_level(logging.ERROR):
            report_fault(type(fault), fault, fault.__traceback__)
    assert "ValueError" in caplog.text
    assert "test_application.py" in caplog.text
    assert "Smith" not in caplog.text
    boxes = [box for box in window.findChildren(QMessageBox) if box.isVisible()]
    assert [box.text() for box in boxes] == [FAULT_TEXT]
    boxes[0].close()


def test_window_imports_nothing_slow():
    """What takes seconds to import comes when it is needed, in a worker."""
    slow = ("torch", "neurokit2", "scipy", "wfdb", "cv2", "nibabel", "pydicom", "sqlite3", "pandas", "matplotlib")
    code = f"import sys, ui.application; sys.exit(' '.join(m for m in {slow!r} if m in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


VISIT = """
import sys
from PySide6.QtWidgets import QApplication, QFileDialog
from ui.application import make_application
application = make_application() if sys.argv[2] == "ours" else QApplication([])
dialog = QFileDialog(None, "Open", sys.argv[1])
dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
dialog.show()
application.processEvents()
dialog.done(1)
del dialog
application.processEvents()
"""


@pytest.mark.parametrize("whose", ["ours", "qt"])
def test_visited_folders_are_not_kept(tmp_path, whose):
    """Qt by itself writes them into the user's settings; a folder may bear a patient's name."""
    visited, home = tmp_path / "Doe John 1937", tmp_path / "home"
    visited.mkdir()
    home.mkdir()
    given = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([sys.executable, "-c", VISIT, str(visited), whose], env=given, check=True, timeout=60)
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert (b"Doe" in written) == (whose == "qt")
