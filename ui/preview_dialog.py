"""The report before it is written: the page as it will be printed, and the JSON."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ui.page.page import page_image
from ui.view_state import CaseView

PAGE_PX = 900
SIZE_PX = (980, 760)


class PreviewDialog(QDialog):
    """Shows a case's report; the wish to write it goes to the window, which asks where."""

    save_wished = Signal()

    def __init__(self, case: CaseView, notice: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Report")
        self.resize(*SIZE_PX)
        self.page = QLabel()
        self.text = QPlainTextEdit()
        self.finder = QLineEdit()
        self.tabs = QTabWidget()
        self._fill(case)
        self._assemble(notice)

    def _fill(self, case: CaseView) -> None:
        report: Any = case.report or {}
        image = page_image(case.results, case.report, case.key or "", PAGE_PX)
        self.page.setPixmap(QPixmap.fromImage(image))
        self.page.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.page.setAccessibleName("The report as a page")
        self.text.setPlainText(json.dumps(report, ensure_ascii=False, indent=1))
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("The report as JSON")

    def _assemble(self, notice: str) -> None:
        head = QLabel(notice)
        head.setObjectName("notice")
        head.setAlignment(Qt.AlignmentFlag.AlignCenter)
        area = QScrollArea()
        area.setWidget(self.page)
        area.setWidgetResizable(True)
        self.finder.setPlaceholderText("Find in the JSON (Enter: next)")
        self.finder.setAccessibleName("Find in the JSON")
        self.finder.returnPressed.connect(self._find_next)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.addWidget(self.finder)
        column.addWidget(self.text, 1)
        self.tabs.addTab(area, "Page")
        self.tabs.addTab(whole, "JSON")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        save = buttons.addButton("Export…", QDialogButtonBox.ButtonRole.ActionRole)
        save.setToolTip("Write the report as JSON, CSV or PDF")
        save.clicked.connect(self.save_wished)
        buttons.rejected.connect(self.close)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 10)
        outer.addWidget(head)
        outer.addWidget(self.tabs, 1)
        outer.addWidget(buttons)

    def _find_next(self) -> None:
        """The next place; from the end the search goes on at the start."""
        if not self.text.find(self.finder.text()):
            self.text.moveCursor(self.text.textCursor().MoveOperation.Start)
            self.text.find(self.finder.text())
