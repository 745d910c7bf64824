"""What asks the reader something first, or opens a window of its own, which is imported when it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMainWindow

from pipeline.notice import NOTICE
from ui import dialogs
from ui.actions import ACTIONS, MENUS
from ui.actions.ecg import PAPER_KEYS
from ui.echo_tools import Drawn
from ui.review import Review
from ui.screen_scale import px_per_mm
from ui.shell.view_table import VIEWS
from ui.view_state import ReviewState
from ui.widgets.help_overlay import HelpOverlay, KeyGroup

if TYPE_CHECKING:
    from ui.compare_window import CompareWindow
    from ui.data_window import DataWindow
    from ui.signals_window import SignalsWindow


def key_groups() -> tuple[KeyGroup, ...]:
    """The keys of every menu, and of the docks."""
    groups = [
        KeyGroup(title.replace("&", ""), tuple((a.words, a.keys) for a in ACTIONS if a.menu == name and a.keys))
        for name, title in MENUS
    ]
    panels = KeyGroup("Panels", tuple((f"Show or hide {view.title}", view.keys) for view in VIEWS if view.keys))
    paper = KeyGroup("On the ECG", PAPER_KEYS)
    return (*groups[:2], panels, *groups[2:4], paper, *groups[4:])


class Asks:
    """Dialogs of the window; each ends in a wish to the review."""

    def __init__(self, window: QMainWindow, review: Review) -> None:
        self._window = window
        self._review = review
        self.signals: SignalsWindow | None = None
        self.data: DataWindow | None = None
        self.compare: CompareWindow | None = None

    def open_files(self) -> None:
        self._review.cases.open_files(dialogs.ask_files(self._window))

    def open_folder(self) -> None:
        self._review.cases.open_files(dialogs.ask_folder(self._window))

    def export_report(self) -> None:
        chosen = dialogs.ask_export(self._window)
        if chosen is not None:
            self._review.cases.export(*chosen)

    def preview_report(self) -> None:
        """Show the report as page and JSON before it is written."""
        from ui.preview_dialog import PreviewDialog

        dialog = PreviewDialog(self._review.state.case, NOTICE.upper(), self._window)
        dialog.save_wished.connect(self.export_report)
        dialog.open()

    def show_signals(self) -> None:
        """Open the plots of the case; what draws them takes a second to import, so it is imported now."""
        if self.signals is None:
            QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
            try:
                from ui.signals_window import SignalsWindow

                self.signals = SignalsWindow(NOTICE.upper(), self._window)
            finally:
                QApplication.restoreOverrideCursor()
            self.signals.values_wished.connect(self._review.cases.save_values)
            self.signals.show_state(self._review.state)
        self.signals.show()
        self.signals.raise_()
        self.signals.activateWindow()

    def name_clips(self) -> None:
        """Ask for views and pixel sizes of the clips on screen, and read them again with the answer."""
        from ui.clip_dialog import ClipDialog

        dialog = ClipDialog(self._review.state.case, self._window)
        dialog.facts_chosen.connect(self._review.cases.run_with_facts)
        dialog.open()

    def calibrate_clip(self, cine_idx: int, drawn: Drawn) -> None:
        """Ask how long the drawn line is."""
        length_mm = dialogs.ask_length(self._window)
        if length_mm is not None:
            self._review.echo.calibrate(cine_idx, drawn, length_mm)

    def calibrate_screen(self) -> None:
        """Ask how large a millimetre is on the screen that the window stands on."""
        from ui.scale_dialog import ScaleDialog

        screen, state = self._window.screen(), self._review.state
        known = dict(state.ecg.screen_scales).get(screen.name())
        scale = px_per_mm(float(screen.physicalDotsPerInch()), float(screen.logicalDotsPerInch()), known)
        dialog = ScaleDialog(scale, state.theme, self._window)
        name = screen.name()
        dialog.scale_chosen.connect(lambda chosen: self._review.ecg.set_scale(name, chosen))
        dialog.open()

    def state_facts(self) -> None:
        """Ask for facts about the patient, and judge the case on screen with them."""
        from ui.metadata_dialog import MetadataDialog

        dialog = MetadataDialog(self._review.state.case, self._window)
        dialog.facts_chosen.connect(self._review.cases.run_with_metadata)
        dialog.open()

    def show_data(self) -> None:
        """Open the window on intermediate results; what draws it takes a second to import."""
        if self.data is None:
            QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
            try:
                from ui.data_window import DataWindow

                self.data = DataWindow(NOTICE.upper(), self._window)
            finally:
                QApplication.restoreOverrideCursor()
            self.data.save_wished.connect(self._review.cases.save_item)
            self.data.maps_wished.connect(self._review.cases.make_maps)
            self.data.item_seen.connect(self._review.viewing.see_item)
            self._review.cases.maps_made.connect(self.data.show_maps)
            self.data.show_state(self._review.state)
        self.data.show()
        self.data.raise_()
        self.data.activateWindow()

    def show_comparison(self) -> None:
        """Open the window that compares the case on screen with another run."""
        if self.compare is None:
            from ui.compare_window import CompareWindow

            self.compare = CompareWindow(NOTICE.upper(), self._window)
            self.compare.other_wished.connect(self._review.cases.compare_with)
            self._review.cases.runs_compared.connect(self.compare.show_comparison)
            self.compare.show_state(self._review.state)
        self.compare.show()
        self.compare.raise_()
        self.compare.activateWindow()

    def delete_case(self) -> None:
        if dialogs.confirm_delete(self._window):
            self._review.cases.delete_shown()

    def protect_store(self) -> None:
        """Ask for a passphrase, and have the store encrypted or decrypted."""
        from ui.passphrase_dialog import StoreDialog

        dialog = StoreDialog(is_encrypted=self._review.session.is_store_encrypted, parent=self._window)
        dialog.wished.connect(self._review.store.convert)
        dialog.open()

    def show_keys(self) -> None:
        """Every key, by group; the same wish again closes it."""
        open_now = self._window.findChild(HelpOverlay)
        if open_now is not None:
            open_now.close()
        else:
            HelpOverlay(self._window, key_groups())

    def show_about(self) -> None:
        dialogs.show_about(self._window, NOTICE.upper())

    def show_state(self, state: ReviewState) -> None:
        for window in (self.signals, self.data, self.compare):
            if window is not None:
                window.show_state(state)

    def close(self) -> None:
        for window in (self.signals, self.data, self.compare):
            if window is not None:
                window.close()
