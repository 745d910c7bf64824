"""The few questions that the window asks."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

FILE_FILTER = ";;".join(
    (
        "Study files (*.dcm *.avi *.mp4 *.nii *.nii.gz *.hea *.mat *.edf *.bdf *.scp *.xml *.ecg *.csv *.json)",
        "All files (*)",
    )
)
EXPORT_FORMS = (
    ("JSON report (*.json)", "json", ".json"),
    ("Table of measurements (*.csv)", "csv", ".csv"),
    ("One page (*.pdf)", "pdf", ".pdf"),
)
DELETE_TEXT = "Delete this case from the list?"
DELETE_DETAIL = "Its results, checkpoints and journal are removed. The files it was read from stay where they are."
ABOUT_TEXT = (
    "Chordae reads an echocardiogram and an ECG together, offline, and traces every number to the frame, "
    "contour and beat that it came from."
)


def ask_files(parent: QWidget) -> list[Path]:
    """Files of a study; empty when the reader thought better of it."""
    chosen, _ = QFileDialog.getOpenFileNames(parent, "Open study files", "", FILE_FILTER)
    return [Path(name) for name in chosen]


def ask_folder(parent: QWidget) -> list[Path]:
    """A folder of studies; empty when the reader thought better of it."""
    chosen = QFileDialog.getExistingDirectory(parent, "Open a folder of studies")
    return [Path(chosen)] if chosen else []


def ask_export(parent: QWidget) -> tuple[Path, str] | None:
    """Where to write the report, and in which form."""
    filters = ";;".join(words for words, _, _ in EXPORT_FORMS)
    name, chosen = QFileDialog.getSaveFileName(parent, "Export report", "chordae-report.json", filters)
    if not name:
        return None
    form, ending = next(((form, ending) for words, form, ending in EXPORT_FORMS if words == chosen), ("json", ".json"))
    path = Path(name)
    known = {ending: form for _, form, ending in EXPORT_FORMS}
    if path.suffix.casefold() in known:
        return path, known[path.suffix.casefold()]
    return path.with_name(path.name + ending), form


def ask_values(parent: QWidget) -> Path | None:
    """Where to write the values of a plot."""
    name, _ = QFileDialog.getSaveFileName(parent, "Save values", "chordae-values.csv", "Table of values (*.csv)")
    path = Path(name)
    return None if not name else path if path.suffix else path.with_name(f"{path.name}.csv")


def confirm_delete(parent: QWidget) -> bool:
    """Whether the case is really to go; "no" is what Enter and Esc answer."""
    box = QMessageBox(QMessageBox.Icon.Question, "Delete case", DELETE_TEXT, parent=parent)
    box.setInformativeText(DELETE_DETAIL)
    box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    answer = box.exec()
    box.deleteLater()
    return answer == int(QMessageBox.StandardButton.Yes)


def show_about(parent: QWidget, notice: str) -> None:
    """What this is, and what it is not for."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("About Chordae")
    column = QVBoxLayout()
    for text, name in ((("Chordae"), "title"), (ABOUT_TEXT, ""), (notice, "notice")):
        label = QLabel(text)
        label.setObjectName(name)
        label.setWordWrap(True)
        label.setMinimumWidth(420)
        column.addWidget(label)
    _finish(dialog, column)


def _finish(dialog: QDialog, content: QHBoxLayout | QVBoxLayout) -> None:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(20, 16, 20, 14)
    column.setSpacing(14)
    column.addLayout(content)
    column.addWidget(buttons)
    dialog.open()


def ask_length(parent: QWidget) -> float | None:
    """How many millimetres a drawn line is long; None when the reader gives up."""
    text = "The line that you drew is this long, in mm (10 to 300):"
    length_mm, is_given = QInputDialog.getDouble(parent, "Calibrate the clip", text, 50.0, 10.0, 300.0, 1)
    return length_mm if is_given else None
