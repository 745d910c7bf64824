"""Screen calibration: a bar is made as long as a bank card or a ruler that is held against the screen."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ui.screen_scale import DPI_RANGE, KNOWN_LENGTHS, MM_PER_INCH
from ui.theme import Theme
from ui.widgets.drawing import pen

WORDS = (
    "Hold the object against the screen, its left edge at the left end of the bar. Drag the right end of the bar, "
    "or use the arrow keys (with Shift ten steps at a time), until both are equally long."
)
LEFT_PX = 12.0
STEP_PX, BIG_STEP_PX = 0.5, 5.0


class LengthBar(QWidget):
    """A bar whose right end can be dragged."""

    length_changed = Signal(float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._length_px = 300.0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Bar to be made as long as the object, in pixels")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.SizeHorCursor)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(720, 90)

    @property
    def length_px(self) -> float:
        return self._length_px

    def set_length(self, length_px: float) -> None:
        """Make the bar longer or shorter, inside the widget."""
        kept = min(max(length_px, 20.0), max(float(self.width()) - 2 * LEFT_PX, 20.0))
        if kept != self._length_px:
            self._length_px = kept
            self.length_changed.emit(kept)
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self.set_length(event.position().x() - LEFT_PX)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        self.set_length(event.position().x() - LEFT_PX)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        steps = {int(Qt.Key.Key_Left): -1.0, int(Qt.Key.Key_Right): 1.0}
        if int(event.key()) not in steps:
            super().keyPressEvent(event)
            return
        is_big = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.set_length(self._length_px + steps[int(event.key())] * (BIG_STEP_PX if is_big else STEP_PX))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.surface))
        bar = QRectF(LEFT_PX, 14.0, self._length_px, self.height() - 28.0)
        painter.fillRect(bar, QColor(self._theme.accent))
        painter.setPen(pen(self._theme.text))
        for x in (bar.left(), bar.right()):
            painter.drawLine(QPointF(x, 4.0), QPointF(x, self.height() - 4.0))
        painter.end()


class ScaleDialog(QDialog):
    """Asks how large a millimetre is on this screen; `scale_chosen` tells it, 0 for "as the screen says"."""

    scale_chosen = Signal(float)

    def __init__(self, px_per_mm: float, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Calibrate this screen")
        self._start_px_per_mm = px_per_mm
        self.object_choice = QComboBox()
        self.object_choice.setAccessibleName("Object to compare with")
        for known in KNOWN_LENGTHS:
            self.object_choice.addItem(f"{known.name} ({known.length_mm:g} mm)", known.length_mm)
        self.bar = LengthBar(theme)
        self.outcome = QLabel()
        words = QLabel(WORDS)
        words.setWordWrap(True)
        boxes = QDialogButtonBox
        self.buttons = QDialogButtonBox(
            boxes.StandardButton.Save | boxes.StandardButton.Reset | boxes.StandardButton.Cancel
        )
        self.buttons.button(boxes.StandardButton.Reset).setText("As the screen says")
        column = QVBoxLayout(self)
        for part in (words, self.object_choice, self.bar, self.outcome, self.buttons):
            column.addWidget(part)
        self.object_choice.currentIndexChanged.connect(self._show_object)
        self.bar.length_changed.connect(self._show_result)
        self.buttons.accepted.connect(self._save)
        self.buttons.rejected.connect(self.close)
        self.buttons.button(boxes.StandardButton.Reset).clicked.connect(self._reset)
        self.resize(760, 260)
        self._show_result()
        self.bar.setFocus()

    @property
    def px_per_mm(self) -> float:
        """What the bar says now."""
        return self.bar.length_px / float(self.object_choice.currentData())

    def showEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        super().showEvent(event)  # type: ignore[arg-type]
        self._show_object()

    def _show_object(self) -> None:
        self.bar.set_length(self._start_px_per_mm * float(self.object_choice.currentData()))
        self._show_result()

    def _show_result(self) -> None:
        dpi = self.px_per_mm * MM_PER_INCH
        is_possible = DPI_RANGE[0] <= dpi <= DPI_RANGE[1]
        self.outcome.setText(
            f"{self.px_per_mm:.3f} pixels in a millimetre ({dpi:.1f} to the inch)"
            + ("" if is_possible else ": no screen is like this")
        )
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(is_possible)

    def _save(self) -> None:
        self.scale_chosen.emit(self.px_per_mm)
        self.close()

    def _reset(self) -> None:
        self.scale_chosen.emit(0.0)
        self.close()
