"""The tools for a frame: edit outlines, measure, calibrate; and, while editing, how and which outline."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QToolButton, QWidget

from ui.echo_tools import HINTS, STRUCTURES, EchoTool, ToolName
from ui.icons import make_icon
from ui.theme import Theme

TOOLS: tuple[tuple[ToolName, str, str, str], ...] = (
    ("pull", "edited", "Edit", "Edit outlines (E)"),
    ("length", "caliper", "Length", "Measure a length (X)"),
    ("area", "area", "Area", "Measure an area (Shift+X)"),
    ("calibrate", "ruler", "Calibrate", "Draw a known length: for a clip without calibration (Ctrl+Shift+X)"),
)
WAYS: tuple[tuple[ToolName, str], ...] = (
    ("pull", "Drag a point of the outline; its neighbours follow (Shift+P)"),
    ("redraw", "Draw a part anew (Shift+D)"),
    ("points", "Annulus left, annulus right, apex: the model's outline is fitted (Shift+T)"),
)


class EditBar(QWidget):
    """Shows which tool is in hand; every touch is a wish."""

    tool_wished = Signal(str)
    way_wished = Signal(str)
    structure_wished = Signal(str)
    reset_wished = Signal()
    undo_wished = Signal()
    redo_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme: Theme | None = None
        self.tools: dict[str, QToolButton] = {}
        self.ways: dict[str, QToolButton] = {}
        self.structure = QComboBox()
        self.editing = QWidget()
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.setSpacing(4)
        for name, _, words, tip in TOOLS:
            self.tools[name] = self._button(words, tip, "tool", name)
            self.tools[name].clicked.connect(self._report_tool)
            row.addWidget(self.tools[name])
        row.addWidget(self.editing)
        row.addStretch(1)
        self._assemble_editing()

    def _assemble_editing(self) -> None:
        row = QHBoxLayout(self.editing)
        row.setContentsMargins(10, 0, 0, 0)
        row.setSpacing(4)
        group = QButtonGroup(self)
        words_of = {name: words for name, words, _ in HINTS}
        for name, tip in WAYS:
            self.ways[name] = self._button(words_of[name], tip, "way", name)
            self.ways[name].clicked.connect(self._report_way)
            group.addButton(self.ways[name])
            row.addWidget(self.ways[name])
        for structure, _, _, words in STRUCTURES:
            self.structure.addItem(words, structure)
        self.structure.setAccessibleName("Outline that is edited")
        self.structure.setToolTip("Outline that is edited (Shift+E: the next one)")
        self.structure.activated.connect(self._report_structure)
        row.addWidget(self.structure)
        self.reset = self._button("Reset", "The model's own outline in this frame (Ctrl+Backspace)", "act", "")
        self.reset.setCheckable(False)
        self.reset.clicked.connect(self.reset_wished)
        row.addWidget(self.reset)
        for words, tip, wish in (
            ("Undo", "Undo (Ctrl+Z)", self.undo_wished),
            ("Redo", "Redo (Ctrl+Y)", self.redo_wished),
        ):
            button = self._button(words, tip, "act", words)
            button.setCheckable(False)
            button.clicked.connect(wish)
            row.addWidget(button)

    def _button(self, words: str, tip: str, role: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setText(words)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setCheckable(True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setProperty(role, name)
        return button

    def _report_tool(self) -> None:
        self.tool_wished.emit(str(self.sender().property("tool")))

    def _report_way(self) -> None:
        self.way_wished.emit(str(self.sender().property("way")))

    def _report_structure(self, place: int) -> None:
        self.structure_wished.emit(str(self.structure.itemData(place)))

    # --- showing ------------------------------------------------------------------------------------

    def show_tool(self, tool: EchoTool, theme: Theme, *, can_calibrate: bool, can_edit: bool) -> None:
        """What is in hand, and what can be taken."""
        if theme is not self._theme:
            self._theme = theme
            for each, icon, _, _ in TOOLS:
                self.tools[each].setIcon(make_icon(icon, theme.text))
        for name, button in self.tools.items():
            button.setChecked(tool.name == name or (name == "pull" and tool.edits))
        for name, way in self.ways.items():
            way.setChecked(tool.name == name)
        self.structure.setCurrentIndex(self.structure.findData(tool.structure))
        self.editing.setVisible(tool.edits)
        for name in ("length", "area", "calibrate"):  # a narrow window has no room for everything at once
            self.tools[name].setVisible(not tool.edits and (name != "calibrate" or can_calibrate))
        self.tools["pull"].setEnabled(can_edit)
