"""A picture of strips with the marks that Chordae finds in them: beats and their classes, P, QRS and T.

    CHORDAE_DATA=<folder with ecg/ludb and ecg/mitdb> python -m benchmarks.ecg strips docs/pictures/ecg-strips.png

Data: LUDB 1.0.1, Kalyakulina et al., doi 10.1109/ACCESS.2020.3029211; MIT-BIH Arrhythmia Database, Moody and Mark,
doi 10.13026/C2F305; both ODC-By 1.0.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.ecg.analysis import analyse_ecg
from pipeline.ecg.preprocessing import prepare_ecg
from pipeline.ecg.readers import read_ecg
from pipeline.gates import Limits
from pipeline.records import EcgAnalysis, Metadata, PreparedEcg

WIDTH_PX, ROW_PX, LEFT_PX, TITLE_PX = 1500, 190, 70, 26
SECONDS = 8.0
PX_PER_S = (WIDTH_PX - LEFT_PX - 10) / SECONDS
PX_PER_MM = PX_PER_S / 25.0
GRID, GRID_5, INK, TEXT = (250, 224, 220), (240, 190, 184), (20, 20, 20), (60, 60, 60)
BARS = (("p", (30, 110, 200), "P"), ("qrs", (190, 60, 40), "QRS"), ("t", (40, 140, 70), "T"))
CLASS_COLOURS = {"N": INK, "S": (150, 90, 0), "V": (180, 0, 120)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One strip: what it shows and where it is."""

    title: str
    path: str
    lead: str
    start_s: float = 0.0
    paced: bool = False


ROWS: tuple[Row, ...] = (
    Row(title="Sinus arrhythmia (LUDB 63)", path="ludb/data/63.hea", lead="II"),
    Row(title="Atrial fibrillation (LUDB 38)", path="ludb/data/38.hea", lead="II"),
    Row(title="Ventricular pacing (LUDB 104)", path="ludb/data/104.hea", lead="V5", paced=True),
    Row(title="Left bundle branch block (LUDB 24)", path="ludb/data/24.hea", lead="V6"),
    Row(title="Ventricular ectopics (MIT-BIH 119)", path="mitdb/119.hea", lead="MLII", start_s=20.0),
    Row(title="Noise (MIT-BIH 108)", path="mitdb/108.hea", lead="MLII", start_s=100.0),
)


def main(arguments_given: list[str]) -> int:
    """Write the picture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ecg strips", description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CHORDAE_DATA", ".")))
    arguments = parser.parse_args(arguments_given)
    picture = Image.new("RGB", (WIDTH_PX, ROW_PX * len(ROWS) + TITLE_PX), "white")
    draw = ImageDraw.Draw(picture)
    _legend(draw)
    for place, row in enumerate(ROWS):
        ecg, analysis = _measured(arguments.data / "ecg" / row.path, row)
        _strip(draw, TITLE_PX + place * ROW_PX, row, ecg, analysis)
        print(f"{row.title}: {'; '.join(s.text for s in analysis.rhythm)}")
    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(64).save(arguments.picture, optimize=True)
    return 0


def _measured(path: Path, row: Row) -> tuple[PreparedEcg, EcgAnalysis]:
    """The record's minute around the strip, filtered and analysed."""
    record = read_ecg(path, Limits())
    first = max(0, int((row.start_s - 20.0) * record.sampling_rate_hz))
    last = first + int(60.0 * record.sampling_rate_hz)
    piece = dataclasses.replace(record, signal_mv=record.signal_mv[:, first:last])
    ecg = prepare_ecg(piece, "0" * 64)
    return ecg, analyse_ecg(ecg, Metadata(paced=row.paced or None))


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _legend(draw: ImageDraw.ImageDraw) -> None:
    x = LEFT_PX
    draw.text((x, 5), "25 mm/s   gain fitted   0.5-150 Hz", fill=TEXT, font=_font(14))
    x += 300
    for _, colour, name in BARS:
        draw.rectangle((x, 10, x + 26, 16), fill=colour)
        draw.text((x + 32, 5), name, fill=TEXT, font=_font(14))
        x += 90
    draw.text(
        (x + 10, 5),
        "letters: class of the beat (N usual, S supraventricular, V ventricular)",
        fill=TEXT,
        font=_font(14),
    )


def _strip(draw: ImageDraw.ImageDraw, top: int, row: Row, ecg: PreparedEcg, analysis: EcgAnalysis) -> None:
    rate_hz, lead = ecg.record.sampling_rate_hz, ecg.record.leads.index(row.lead)
    begin = int(min(row.start_s, 20.0) * rate_hz)
    trace_mv = ecg.filtered_mv[lead, begin : begin + int(SECONDS * rate_hz)]
    middle = top + ROW_PX * 0.55
    scale = min(10.0 * PX_PER_MM, 0.30 * ROW_PX / max(float(np.abs(trace_mv).max()), 0.1))
    _grid(draw, top)
    xs = LEFT_PX + np.arange(trace_mv.size) / rate_hz * PX_PER_S
    draw.line(list(zip(xs.tolist(), (middle - scale * trace_mv).tolist(), strict=True)), fill=INK, width=2)
    draw.text((LEFT_PX + 6, top + 4), row.title, fill=TEXT, font=_font(15))
    draw.text((20, middle - 8), row.lead, fill=TEXT, font=_font(15))
    for peak, letter in zip(analysis.r_peaks_idx, analysis.beat_classes, strict=True):
        x = LEFT_PX + (peak - begin) / rate_hz * PX_PER_S
        if LEFT_PX <= x <= WIDTH_PX - 10:
            draw.text((x - 4, top + 24), letter, fill=CLASS_COLOURS.get(letter, TEXT), font=_font(14))
    _bars(draw, top + ROW_PX - 16, lead, begin, rate_hz, analysis)


def _grid(draw: ImageDraw.ImageDraw, top: int) -> None:
    for mm in range(int((WIDTH_PX - 10 - LEFT_PX) / PX_PER_MM) + 1):
        x = LEFT_PX + mm * PX_PER_MM
        draw.line((x, top + 2, x, top + ROW_PX - 4), fill=GRID_5 if mm % 5 == 0 else GRID)
    for mm in range(int((ROW_PX - 6) / PX_PER_MM) + 1):
        y = top + 2 + mm * PX_PER_MM
        draw.line((LEFT_PX, y, WIDTH_PX - 10, y), fill=GRID_5 if mm % 5 == 0 else GRID)


def _bars(draw: ImageDraw.ImageDraw, y: int, lead: int, begin: int, rate_hz: float, analysis: EcgAnalysis) -> None:
    """From onset to end of every wave of the lead, below its trace."""
    for wave, colour, _ in BARS:
        onsets = getattr(analysis.delineation, f"{wave}_on")[lead]
        ends = getattr(analysis.delineation, f"{wave}_off")[lead]
        for onset, end in zip(onsets, ends, strict=True):
            if not np.isfinite(onset + end):
                continue
            left, right = (LEFT_PX + (at - begin) / rate_hz * PX_PER_S for at in (onset, end))
            if right > LEFT_PX and left < WIDTH_PX - 10:
                draw.rectangle((max(left, LEFT_PX), y, min(right, WIDTH_PX - 10), y + 7), fill=colour)
