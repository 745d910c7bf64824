"""CSV: rows of samples separated by comma, semicolon or tab, with a decimal point or comma."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.leads import lead_names
from pipeline.ecg.readers.delimited_layout import MAX_COLUMNS, TableLayout, table_layout
from pipeline.ecg.readers.header import EcgHeader, check_rate, check_sample_count
from pipeline.ecg.readers.scaling import require_mv_per_unit, typical_size_mv
from pipeline.errors import InputError
from pipeline.gates import Limits, guarded, open_file, reading
from pipeline.records import Array, EcgRecord, Remark

MAX_LINE_BYTES = 1 << 16
SCAN_BYTES = 1 << 20
LAYOUT_LINES = 200
ROWS_PER_CHUNK = 200_000
RATE_SNAP = 5e-4
"""A rate from a time column is rounded to whole Hz when it is this close: times are often cut to 1 ms."""
LARGEST_UNNAMED_MV = 10.0
"""Median size above which numbers without a unit are refused: they are steps of a converter, not mV."""
DAMAGED = "A row of the CSV file is no row of numbers, or rows differ in length or in their decimal sign."


def inspect(path: Path, limits: Limits) -> EcgHeader:
    """Size of the table; counts the lines, so that the whole file is read once."""
    layout, n_rows = _scanned(path, limits)
    rate_hz = layout.sampling_rate_hz or _rate_of_first_rows(path, layout)
    check_rate(rate_hz)
    return EcgHeader(n_leads=len(layout.columns), n_samples=n_rows, sampling_rate_hz=rate_hz, files=(path,))


def read(
    path: Path, limits: Limits, *, progress: Progress = no_progress, cancel: CancelToken | None = None
) -> EcgRecord:
    """Read a table in mV; empty cells and infinities become NaN.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT (NUL bytes, overlong line, ragged or non-numeric row, mixed decimals),
        E_INPUT_UNSUPPORTED (no sampling rate, uneven time column, unit missing or no voltage).
    HardStopError
        E_HARD_004 when there are more values than `limits` allow.
    """
    layout, n_rows = _scanned(path, limits)
    signal_mv = np.empty((len(layout.columns), n_rows), np.float32)
    times_s = np.empty(n_rows if layout.time_position is not None else 0, np.float64)
    row = 0
    for chunk in _chunks(path, layout, ROWS_PER_CHUNK):
        if cancel is not None:
            cancel.check()
        rows = slice(row, row + chunk.shape[0])
        for i, column in enumerate(layout.columns):
            signal_mv[i, rows] = chunk[:, column.position] * require_mv_per_unit(column.unit or "mV")
        if layout.time_position is not None:
            times_s[rows] = chunk[:, layout.time_position] * layout.seconds_per_time_unit
        row = rows.stop
        progress(min(1.0, row / n_rows), "Reading the ECG")
    if row < 1:
        raise InputError("The CSV file holds no samples.", code="E_INPUT_EMPTY")
    rate_hz = layout.sampling_rate_hz or even_rate_hz(times_s[:row])
    check_rate(rate_hz)
    return _record(signal_mv[:, :row], rate_hz, layout)


def even_rate_hz(times_s: Array) -> float:
    """Sampling rate of a time column; raises InputError when its steps are not even.

    No time may be further from an even grid than half a step: rounding of times is allowed, a gap or
    a repeated row is not.
    """
    if times_s.size < 2 or not np.isfinite(times_s).all() or times_s[-1] <= times_s[0]:
        raise InputError("The time column of the CSV file does not rise.", code="E_INPUT_UNSUPPORTED")
    step_s = (times_s[-1] - times_s[0]) / (times_s.size - 1)
    grid_s = times_s[0] + step_s * np.arange(times_s.size)
    if np.abs(times_s - grid_s).max() > 0.5 * step_s:
        raise InputError("The time column of the CSV file has gaps or uneven steps.", code="E_INPUT_UNSUPPORTED")
    rate_hz = float(1.0 / step_s)
    whole_hz = round(rate_hz)
    return float(whole_hz) if whole_hz and abs(rate_hz - whole_hz) <= RATE_SNAP * rate_hz else rate_hz


def _record(signal_mv: Array, rate_hz: float, layout: TableLayout) -> EcgRecord:
    remarks = []
    if any(column.unit is None for column in layout.columns):
        if max(typical_size_mv(row) for row in signal_mv) > LARGEST_UNNAMED_MV:
            text = "The CSV file names no unit and its values are too large for mV: name the unit, such as 'II (uV)'."
            raise InputError(text, code="E_INPUT_UNSUPPORTED")
        text = "The CSV file names no unit: its values were taken as mV."
        remarks.append(Remark(code="W_ECG_UNIT_ASSUMED", text=text))
    origin = "a comment" if layout.sampling_rate_hz else "the time column"
    units = sorted({column.unit or "mV (assumed)" for column in layout.columns})
    return EcgRecord(
        signal_mv=signal_mv,
        sampling_rate_hz=rate_hz,
        leads=lead_names([column.label for column in layout.columns]),
        scaling=f"CSV: values in {', '.join(units)} converted to mV; sampling rate from {origin}.",
        remarks=tuple(remarks),
    )


# --- the text ----------------------------------------------------------------------------------------


def _scanned(path: Path, limits: Limits) -> tuple[TableLayout, int]:
    """Layout and number of rows, after one pass that refuses NUL bytes and overlong lines."""
    n_lines = _count_lines(path)
    with open_file(path) as file, reading():
        head = [file.readline(MAX_LINE_BYTES) for _ in range(LAYOUT_LINES)]
    layout = table_layout(_decoded(b"".join(head)).splitlines())
    n_rows = n_lines - layout.n_header_lines
    check_sample_count(layout.n_columns, n_rows, limits)
    return layout, n_rows


def _decoded(head: bytes) -> str:
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _count_lines(path: Path) -> int:
    """Lines of the file, an unfinished last one included."""
    n_lines, since_newline, last = 0, 0, b"\n"
    with open_file(path) as file, reading():
        while block := file.read(SCAN_BYTES):
            if b"\0" in block:
                raise InputError("The CSV file holds NUL bytes: it is no text in UTF-8 or Latin-1.")
            positions = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
            ends = np.concatenate(([-1 - since_newline], positions, [len(block)]))
            if int(np.diff(ends).max()) > MAX_LINE_BYTES:
                raise InputError("A line of the CSV file is far too long for a row of samples.")
            since_newline = len(block) - 1 - int(positions[-1]) if positions.size else since_newline + len(block)
            n_lines, last = n_lines + positions.size, block[-1:]
    return n_lines + (last != b"\n")


def _chunks(path: Path, layout: TableLayout, n_rows: int) -> Iterator[Array]:
    """Rows as float64 (rows, columns); pandas parses, strictly."""
    with open_file(path) as file, guarded(DAMAGED):
        import pandas as pd

        for _ in range(layout.n_header_lines):
            file.readline()
        wanted: Any = {"sep": layout.separator, "decimal": layout.decimal, "dtype": np.float64}
        frames = pd.read_csv(
            file,
            header=None,
            names=list(range(layout.n_columns)),
            index_col=False,
            chunksize=n_rows,
            engine="c",
            quoting=csv.QUOTE_NONE,  # a lone quote would swallow the rest of the file
            encoding="latin-1",
            comment="#",
            on_bad_lines="error",
            na_values=["", "nan", "na", "null"],
            **wanted,
        )
        for frame in frames:
            rows = frame.to_numpy(np.float64)
            if rows.shape[1] != layout.n_columns or layout.n_columns > MAX_COLUMNS:
                raise InputError(DAMAGED)
            rows[np.isinf(rows)] = np.nan
            yield rows


def _rate_of_first_rows(path: Path, layout: TableLayout) -> float:
    rows = next(_chunks(path, layout, ROWS_PER_CHUNK), np.empty((0, layout.n_columns)))
    if layout.time_position is None or not rows.size:
        raise InputError("The CSV file holds no samples.", code="E_INPUT_EMPTY")
    return even_rate_hz(rows[:, layout.time_position] * layout.seconds_per_time_unit)
