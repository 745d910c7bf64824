"""Names of patients and files stand in no title, task list, tooltip, list or label of any window of the application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, takewhile
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractItemView, QApplication, QDialog, QMessageBox, QWidget

from pipeline.records import CardiologyRequest
from tests.torture import promises
from ui.view_state import Message

ROLES = (
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.ToolTipRole,
    Qt.ItemDataRole.StatusTipRole,
    Qt.ItemDataRole.AccessibleTextRole,
    Qt.ItemDataRole.AccessibleDescriptionRole,
)
WORDS = (
    "windowTitle", "windowIconText", "windowFilePath", "toolTip", "statusTip", "whatsThis", "accessibleName",
    "accessibleDescription", "text", "title", "placeholderText", "toPlainText", "currentText",
)  # fmt: skip
DIALOGS = ("preview_report", "show_signals", "name_clips", "calibrate_screen", "state_facts", "show_data",
           "show_comparison", "show_keys", "show_about")  # fmt: skip


def words_of(thing: QWidget | QAction) -> Iterator[str]:
    """Everything that an object can show or hand to the desktop."""
    for name in WORDS:
        word = getattr(thing, name, None)
        if callable(word):
            yield f"{type(thing).__name__}.{name}: {word()}"
    if isinstance(thing, QAbstractItemView) and thing.model() is not None:
        yield from items_of(thing, QModelIndex())


def items_of(view: QAbstractItemView, parent: QModelIndex) -> Iterator[str]:
    model = view.model()
    for row in range(model.rowCount(parent)):
        for column in takewhile(lambda each, row=row: model.hasIndex(row, each, parent), count()):  # type: ignore[misc]
            place = model.index(row, column, parent)
            for role in ROLES:
                yield f"{type(view).__name__} {role.name}: {model.data(place, role)}"
            yield from items_of(view, place)


def everything_said() -> list[str]:
    said = [QApplication.applicationName(), QApplication.applicationDisplayName()]
    for widget in QApplication.allWidgets():
        said += words_of(widget)
        said += [word for action in widget.actions() for word in words_of(action)]
    return said


@pytest.fixture
def named_case(kit, full_results):
    """A case whose files and headers are all named after the patient."""
    request = CardiologyRequest(
        echo_paths=(Path(f"/{kit.CANARY}-folder/{kit.CANARY}.dcm"),),
        ecg_path=Path(f"{kit.CANARY}.hea"),
        metadata_path=Path(f"{kit.CANARY}.json"),
    )
    return replace(kit.case_of(full_results), request=request)


def test_no_window_names_patient_or_file(window, engine, kit, full_results, named_case, monkeypatch, qtbot) -> None:
    monkeypatch.setattr(QDialog, "exec", lambda dialog: dialog.open() or 0)
    monkeypatch.setattr(QMessageBox, "exec", lambda box: box.open() or 0)
    for number, status in enumerate(("complete", "error", "interrupted", "cancelled", "running")):
        engine.keep(f"run-{number}", status, full_results, [])
    window.review.cases.refresh()
    waiting = (named_case.request, named_case.request)
    window.review.update(case=named_case, queue=waiting, message=Message(text="Looking into the files …"))
    qtbot.waitUntil(lambda: len(window.review.state.cases) >= 5, timeout=20_000)
    opened = set()
    for name in DIALOGS:
        getattr(window.asks, name)()
        QApplication.processEvents()
        opened |= {each.windowTitle() for each in QApplication.topLevelWidgets() if each.isVisible()}
    said = everything_said()
    for dialog in QApplication.topLevelWidgets():
        if dialog is not window and dialog.isVisible():
            dialog.close()
    named = [word for word in said if kit.CANARY.casefold() in word.casefold()]
    promises.record(
        "Names of patients and files in the window: in titles, task list, tooltips, lists and labels of the window and "
        "its dialogs",
        f"{len(named)} of {len(said)} texts in {len(opened)} windows" + (f"; {named[:3]}" if named else ""),
        kept=not named and len(opened) >= 6,
    )


def test_a_name_would_be_seen(window, qtbot, kit) -> None:
    """A search that sees nothing would prove nothing."""
    before = window.windowTitle()
    window.setWindowTitle(f"{before} {kit.CANARY}")
    assert any(kit.CANARY in word for word in everything_said())
    window.setWindowTitle(before)
    window.views["studies"].setToolTip(kit.CANARY)
    assert any(kit.CANARY in word for word in everything_said())
