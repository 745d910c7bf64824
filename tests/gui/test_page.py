"""The page: what it says, that it is one sheet, and that it stands for every kind of case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter

from pipeline.notice import NOTICE
from pipeline.records import StudyResults
from tests.torture.pdf_text import text_of
from ui.page import page
from ui.page.content import page_content
from ui.page.page import page_image, page_pdf
from ui.page.sheet import Sheet


class Listener(Sheet):
    """Keeps every text with its box."""

    def __init__(self, painter, px_per_mm):
        super().__init__(painter, px_per_mm)
        self.said = []
        self.boxes = []

    def text(self, box, text, points, **more):
        self.said.append(text)
        self.boxes.append(box)
        super().text(box, text, points, **more)

    def paragraph(self, box, text, points, **more):
        self.said.append(text)
        self.boxes.append(box)
        return super().paragraph(box, text, points, **more)


def painted(results, report, run_id="20260101T120000-abcdef12"):
    image = QImage(840, 1188, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    sheet = Listener(painter, 4.0)
    page.paint_page(sheet, results, page_content(results, report, run_id))
    painter.end()
    return sheet


CASES = ("full", "echo", "ecg", "empty")


def case(name: str, full: StudyResults) -> StudyResults:
    return {
        "full": full,
        "echo": replace(full, ecg=None, ecg_analysis=None),
        "ecg": StudyResults(ecg=full.ecg, ecg_analysis=full.ecg_analysis),
        "empty": StudyResults(),
    }[name]


@pytest.mark.parametrize("name", CASES)
def test_every_case_is_one_sheet_with_the_notice(qapp, full_results, kit, name):
    results = case(name, full_results)
    content = page_pdf(results, kit.make_report(), kit.RUN_ID)
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") == 1
    said = painted(results, kit.make_report()).said
    assert f"{NOTICE}." in said
    assert NOTICE.upper() in said
    assert ("This case has no echo." in said) == (not results.cines)
    assert ("This case has no ECG." in said) == (results.ecg is None)


def test_nothing_stands_outside_the_sheet_and_nobody_is_named(qapp, full_results, kit):
    sheet = painted(full_results, kit.make_report())
    assert all(box.left() >= 0 and box.right() <= 210 and box.bottom() <= 297 for box in sheet.boxes)
    assert not any(kit.CANARY in text for text in sheet.said)


@pytest.mark.parametrize(
    ("sealed", "expected"),
    [
        ({"audit": {"n_rows": 7, "head_hash": "0123456789abcdef" * 4}}, "Audit: act 7, SHA-256 0123456789abcdef…"),
        ({"audit": None}, "This export could not be noted in the audit."),
        ({}, "Audit: noted when it is exported"),
    ],
)
def test_the_page_says_where_the_audit_stood_however_full_its_foot_is(qapp, full_results, kit, sealed, expected):
    report = kit.make_report()
    clip = {"role": "echo", "format": "avi", "sha256": "f" * 64, "summary": "60 frames"}
    report["result"] = {**report["result"], "inputs": [clip] * 9}  # more lines than there is room for
    pdf = page_pdf(full_results, {**report, **sealed}, kit.RUN_ID)
    said = text_of(pdf).splitlines()
    assert expected in said
    assert f"{NOTICE}." in said


def test_values_are_shown_and_withheld_ones_share_their_reason(full_results, kit):
    echo = full_results.echo_analysis
    withheld = [kit.make_measurement(name, None) for name in ("a", "b")]
    results = replace(full_results, echo_analysis=replace(echo, measurements=(*echo.measurements, *withheld)))
    content = page_content(results, None, kit.RUN_ID)
    assert any(text.endswith(f"A, B: {withheld[0].reason}") for text in content.withheld)
    lvef = next(m for m in echo.measurements if m.name == "lvef")
    line = next(line for line in content.lines if line.label == lvef.label)
    assert line.value.startswith(f"{lvef.value:.0f} %")


def test_the_frame_on_the_page_is_the_one_of_the_beat(qapp, full_results, kit):
    frames = np.zeros_like(full_results.cines[0].frames)
    frames[kit.ED_IDX] = 200
    cine = replace(full_results.cines[0], frames=frames)
    image = page_image(replace(full_results, cines=(cine,)), kit.make_report(), kit.RUN_ID, 840)
    seen = {QColor(image.pixel(int(x * 4), (27 + 50) * 4)).lightness() for x in (20, 25, 30, 60)}
    assert 200 in seen
    assert f"A4C · ED · frame {kit.ED_IDX + 1}" in painted(full_results, kit.make_report()).said
