"""Lays the page out and paints it, as a PDF or as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, Qt
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter, QPdfWriter

from pipeline.notice import NOTICE
from pipeline.records import StudyResults
from ui.page import pictures
from ui.page.content import Line, PageContent, page_content, telling_beat
from ui.page.sheet import HEIGHT_MM, MM_PER_INCH, WIDTH_MM, Sheet

DPI = 300
MARGIN_MM = 12.0
INNER_MM = WIDTH_MM - 2 * MARGIN_MM
GREY, RULE = "#444444", "#bbbbbb"
NOTICE_FILL = "#f2b632"
PICTURES_MM = 58.0
STRIP_MM = 26.0
ROW_MM = 4.1
TEXT_PT, SMALL_PT = 7.0, 6.2
FOOT_TOP_MM = HEIGHT_MM - 31.0


def page_pdf(results: StudyResults, report: Mapping[str, Any] | None, run_id: str) -> bytes:
    """The page as a PDF of one A4 sheet; needs a QGuiApplication for its fonts."""
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(DPI)
    writer.setTitle("Chordae report")
    writer.setCreator("Chordae")
    layout = QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0))
    writer.setPageLayout(layout)
    painter = QPainter(writer)
    paint_page(Sheet(painter, DPI / MM_PER_INCH), results, page_content(results, report, run_id))
    painter.end()
    buffer.close()
    return bytes(content.data())


def page_image(results: StudyResults, report: Mapping[str, Any] | None, run_id: str, width_px: int) -> QImage:
    """The same page as a picture of this width, for the preview."""
    scale = width_px / WIDTH_MM
    image = QImage(width_px, round(HEIGHT_MM * scale), QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    paint_page(Sheet(painter, scale), results, page_content(results, report, run_id))
    painter.end()
    return image


def paint_page(sheet: Sheet, results: StudyResults, content: PageContent) -> None:
    """Head, pictures, strip, findings, what is withheld, provenance and the notice, from top to bottom."""
    y = _head(sheet, content)
    y = _pictures(sheet, results, y)
    y = _strip(sheet, results, y)
    y = _findings(sheet, content, y)
    _texts(sheet, content, y)
    _foot(sheet, content)


def _box(y: float, height: float, left: float = 0.0, width: float = INNER_MM) -> QRectF:
    return QRectF(MARGIN_MM + left, y, width, height)


def _head(sheet: Sheet, content: PageContent) -> float:
    sheet.fill(_box(9.0, 6.0), NOTICE_FILL)
    centre = Qt.AlignmentFlag.AlignHCenter
    sheet.text(_box(9.0, 6.0), NOTICE.upper(), 8.5, bold=True, align=centre)
    sheet.text(_box(17.0, 7.0), f"Chordae · {content.title}", 14, bold=True)
    sheet.text(_box(17.0, 7.0), content.facts, 8, colour=GREY, align=Qt.AlignmentFlag.AlignRight)
    sheet.line(MARGIN_MM, 25.0, WIDTH_MM - MARGIN_MM, 25.0, RULE)
    return 27.0


def _pictures(sheet: Sheet, results: StudyResults, y: float) -> float:
    """End-diastole, end-systole and the volume curve of the first analysed clip."""
    if not results.cines:
        sheet.text(_box(y, 6.0), "This case has no echo.", 8, colour=GREY)
        return y + 8.0
    analyses = results.clip_analyses
    first = next((place for place, analysis in enumerate(analyses) if analysis is not None), 0)
    cine, measured = results.cines[first], analyses[first]
    detection = results.detections[first] if first < len(results.detections) else None
    beat = telling_beat(measured)
    size = PICTURES_MM
    if beat is None:
        words = f"{cine.view} · frame 1 of {len(cine.frames)}"
        pictures.frame(sheet, _box(y, size, 0, size), cine, detection, 0, words)
    else:
        for place, (word, idx) in enumerate((("ED", beat.ed_idx), ("ES", beat.es_idx))):
            box = _box(y, size, place * (size + 2), size)
            pictures.frame(sheet, box, cine, detection, idx, f"{cine.view} · {word} · frame {idx + 1}")
    rest = _box(y, size, 2 * (size + 2), INNER_MM - 2 * (size + 2))
    if measured is not None:
        pictures.volume_curve(sheet, rest, cine, measured)
    else:
        reason = results.echo_analysis.skipped_reason if results.echo_analysis is not None else None
        sheet.paragraph(rest, reason or "The chambers were not measured.", TEXT_PT, colour=GREY)
    return y + size + 3.0


def _strip(sheet: Sheet, results: StudyResults, y: float) -> float:
    if results.ecg is None:
        sheet.text(_box(y, 6.0), "This case has no ECG.", 8, colour=GREY)
        return y + 8.0
    pictures.rhythm_strip(sheet, _box(y, STRIP_MM, 0, 185.0), results.ecg, results.ecg_analysis)
    return y + STRIP_MM + 3.0


def _findings(sheet: Sheet, content: PageContent, y: float) -> float:
    """Every measured value in two columns, as many as fit; the report as JSON holds all."""
    room = int((FOOT_TOP_MM - 52.0 - y) / ROW_MM)
    per_column = min(max(room, 1), (len(content.lines) + 1) // 2)
    shown = content.lines[: 2 * per_column]
    width = INNER_MM / 2 - 2
    for place, line in enumerate(shown):
        column, row = divmod(place, per_column)
        _finding(sheet, line, _box(y + row * ROW_MM, ROW_MM, column * (width + 4), width))
    end = y + per_column * ROW_MM
    if len(shown) < len(content.lines):
        words = f"{len(content.lines) - len(shown)} more in the JSON report."
        sheet.text(_box(end, ROW_MM), words, SMALL_PT, colour=GREY)
        end += ROW_MM
    note = "In brackets: the interval of each value. Methods, schemes of the bands and sources: the JSON report."
    sheet.text(_box(end, ROW_MM), note, SMALL_PT, colour=GREY)
    return end + ROW_MM + 1.5


def _finding(sheet: Sheet, line: Line, box: QRectF) -> None:
    label, value = f"{line.label}{' (edited)' if line.is_edited else ''}", line.value
    left, right = box.width() * 0.44, box.width() * 0.19 if line.note else 0.0
    middle = box.width() - left - right
    sheet.text(QRectF(box.left(), box.top(), left, box.height()), label, TEXT_PT)
    value_box = QRectF(box.left() + left, box.top(), middle, box.height())
    sheet.text(value_box, value, TEXT_PT, bold=True)
    if line.note:
        note_box = QRectF(box.left() + left + middle + 1, box.top(), right - 1, box.height())
        sheet.text(note_box, line.note, SMALL_PT, colour=GREY)
    sheet.line(box.left(), box.bottom(), box.right(), box.bottom(), "#e4e4e4", 0.08)


def _texts(sheet: Sheet, content: PageContent, y: float) -> None:
    """Statements and scores on the left; on the right what is withheld and what to bear in mind."""
    width = INNER_MM / 2 - 2
    bottom = FOOT_TOP_MM - 1.5
    _list(sheet, "Suggestions, cross-checks, risk", content.statements, _box(y, bottom - y, 0, width))
    right = (*content.cautions, *(f"Withheld: {text}" for text in content.withheld))
    _list(sheet, "To bear in mind, and withheld", right, _box(y, bottom - y, width + 4, width))


def _list(sheet: Sheet, title: str, texts: tuple[str, ...], box: QRectF) -> None:
    sheet.text(QRectF(box.left(), box.top(), box.width(), ROW_MM), title, TEXT_PT, bold=True)
    y = box.top() + ROW_MM
    for place, text in enumerate(texts):
        room = box.bottom() - y
        if room < 2 * ROW_MM and place < len(texts) - 1:
            rest = f"{len(texts) - place} more in the JSON report."
            sheet.text(QRectF(box.left(), y, box.width(), ROW_MM), rest, SMALL_PT, colour=GREY)
            return
        y += sheet.paragraph(QRectF(box.left(), y, box.width(), room), text, SMALL_PT) + 0.5


def _foot(sheet: Sheet, content: PageContent) -> None:
    y = FOOT_TOP_MM
    sheet.line(MARGIN_MM, y, WIDTH_MM - MARGIN_MM, y, RULE)
    sheet.text(_box(y + 0.5, 4.0), "Provenance", SMALL_PT, bold=True)
    for row, text in enumerate(content.provenance[:5]):
        sheet.text(_box(y + 4.5 + row * 3.2, 3.2), text, SMALL_PT - 0.5, colour=GREY)
    sheet.text(_box(HEIGHT_MM - 9.0, 4.0, 0.0, INNER_MM / 2), f"{NOTICE}.", SMALL_PT, bold=True)
    right = Qt.AlignmentFlag.AlignRight
    sheet.text(_box(HEIGHT_MM - 9.0, 4.0, INNER_MM / 2, INNER_MM / 2), content.audit, SMALL_PT - 0.5, align=right)
