"""Hourly table and list of episodes of a long ECG; a row goes to its time."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QTabWidget, QWidget

from pipeline.records import EcgAnalysis, EcgEpisode, EcgHour
from ui.ecg_course import EPISODE_NAMES, clock, in_time

HOUR_HEADS = (  # title, tooltip with its unit
    ("From", "Beginning of the hour, into the record"),
    ("Clean", "Minutes that can be measured"),
    ("Beats", "Beats in clean minutes"),
    ("Mean", "Mean heart rate, bpm"),
    ("Min", "Lowest minute mean, bpm"),
    ("Max", "Highest minute mean, bpm"),
    ("V", "Ventricular beats"),
    ("S", "Supraventricular beats"),
    ("AF", "Beats in suspected fibrillation, %"),
    ("AFL", "Beats in suspected flutter, %"),
    ("Paced", "Beats that look paced, %"),
    ("Pauses", "RR intervals over 2 s"),
    ("RR max", "Longest known RR interval, s"),
)
EPISODE_HEADS = (
    ("Time", "Beginning, into the record"),
    ("What", "Kind of episode, a suggestion to confirm"),
    ("Lasts", "From its first to its last beat, s"),
    ("Beats", "Beats of the episode"),
    ("Rate", "Mean rate, bpm"),
)
MOST_EPISODES = 2000


class EcgHours(QTabWidget):
    """Emits where to go."""

    time_wished = Signal(float)
    episode_wished = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hours = _table("Hours of the record", HOUR_HEADS)
        self.episodes = _table("Episodes", EPISODE_HEADS)
        self._shown: EcgAnalysis | None = None
        self._starts_s: list[float] = []
        self._listed: tuple[EcgEpisode, ...] = ()
        self.addTab(self.hours, "Hours")
        self.addTab(self.episodes, "Episodes")
        self.setAccessibleName("Hours and episodes")
        self.hours.itemSelectionChanged.connect(self._go_to_hour)
        self.episodes.itemSelectionChanged.connect(self._go_to_episode)

    def set_analysis(self, analysis: EcgAnalysis | None) -> None:
        """Fill both tables."""
        if analysis is self._shown:
            return
        self._shown = analysis
        long = None if analysis is None else analysis.long
        hours = () if long is None else long.hours
        self._starts_s = [hour.start_s for hour in hours]
        self._listed = in_time(() if long is None else long.episodes)[:MOST_EPISODES]
        _fill(self.hours, [_hour_row(hour) for hour in hours])
        _fill(self.episodes, [_episode_row(episode) for episode in self._listed])
        n_episodes = 0 if long is None else len(long.episodes)
        listed = "" if n_episodes <= MOST_EPISODES else f", the first {MOST_EPISODES}"
        self.setTabText(1, f"Episodes ({n_episodes}{listed})")

    def _go_to_hour(self) -> None:
        row = self.hours.currentRow()
        if self.hours.selectedItems() and row < len(self._starts_s):
            self.time_wished.emit(self._starts_s[row])

    def _go_to_episode(self) -> None:
        row = self.episodes.currentRow()
        if self.episodes.selectedItems() and row < len(self._listed):
            self.episode_wished.emit(self._listed[row])


def _table(name: str, heads: Sequence[tuple[str, str]]) -> QTableWidget:
    table = QTableWidget(0, len(heads))
    table.setAccessibleName(name)
    for column, (title, tip) in enumerate(heads):
        item = QTableWidgetItem(title)
        item.setToolTip(tip)
        table.setHorizontalHeaderItem(column, item)
    table.verticalHeader().setVisible(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    return table


def _fill(table: QTableWidget, rows: list[tuple[str, ...]]) -> None:
    table.clearSelection()
    table.setRowCount(len(rows))
    for row, words in enumerate(rows):
        for column, text in enumerate(words):
            item = QTableWidgetItem(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            table.setItem(row, column, item)


def _hour_row(hour: EcgHour) -> tuple[str, ...]:
    return (
        clock(hour.start_s),
        f"{hour.usable_min:.0f}",
        str(hour.n_beats),
        _number(hour.mean_bpm, 0),
        _number(hour.min_bpm, 0),
        _number(hour.max_bpm, 0),
        str(hour.n_v),
        str(hour.n_s),
        _number(hour.af_share_pct, 0),
        _number(hour.flutter_share_pct, 0),
        _number(hour.paced_share_pct, 0),
        str(hour.n_pauses),
        _number(hour.longest_rr_s, 2),
    )


def _episode_row(episode: EcgEpisode) -> tuple[str, ...]:
    length_s = episode.end_s - episode.start_s
    return (
        clock(episode.start_s),
        EPISODE_NAMES[episode.kind],
        f"{length_s:.1f}" if length_s < 60 else clock(length_s),
        str(episode.n_beats),
        _number(episode.mean_bpm, 0),
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
