"""The list of cases: search, status, thumbnails."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ui.view_state import CaseRow, ReviewState
from ui.views.studies import ROW_ROLE, StudiesView, _pixmap


def png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((72, 96), 128, np.uint8)).save(file, "PNG")
    return file.getvalue()


def row(number: int, status: str, detail: str, thumbnail: bytes | None = None) -> CaseRow:
    return CaseRow(
        key=f"{status}{number}", title=f"Case {number:06d}", status=status, detail=detail, when="", thumbnail=thumbnail
    )


@pytest.fixture
def view(qtbot):
    made = StudiesView()
    qtbot.addWidget(made)
    rows = (
        row(1, "complete", "Echo + ECG", png()),
        row(2, "error", "E_INPUT_CORRUPT"),
        row(3, "interrupted", "resume?"),
        row(4, "complete", "ECG", b"no picture"),
    )
    made.show_state(ReviewState(cases=rows))
    made.show()
    return made


def shown(view: StudiesView) -> list[str]:
    rows = [view.list.item(place) for place in range(view.list.count())]
    return [entry.data(ROW_ROLE).title[-1] for entry in rows if not entry.isHidden()]


def test_words_and_status_narrow_the_list_together(view):
    assert shown(view) == ["1", "2", "3", "4"]
    view.search.setText("ecg")
    assert shown(view) == ["1", "4"]
    view.search.setText("ECG echo")
    assert shown(view) == ["1"]
    view.search.setText("e_input")
    assert shown(view) == ["2"]
    view.search.clear()
    view.status.setCurrentText("To resume")
    assert shown(view) == ["3"]


def test_nothing_found_says_so_and_a_new_row_is_narrowed_too(view):
    view.search.setText("nowhere")
    assert view.nothing.isVisible()
    assert "Clear the search" in view.nothing.text()
    view.show_state(ReviewState(cases=(row(5, "complete", "Echo nowhere"), row(6, "complete", "ECG"))))
    assert shown(view) == ["5"]


def test_thumbnails_are_painted_and_damaged_ones_left_out(view):
    assert _pixmap(row(1, "complete", "", png())).width() == 96
    assert _pixmap(row(9, "complete", "", b"no picture")) is None
    image = view.grab().toImage()
    rect = view.list.visualItemRect(view.list.item(0))
    place = view.list.viewport().mapTo(view, rect.topLeft())
    assert image.pixelColor(place.x() + 50, place.y() + rect.height() // 2).lightness() == 128
