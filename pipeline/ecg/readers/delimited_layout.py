"""How a table of ECG samples is laid out: separator, decimal sign, header, units, sampling rate.

Everything is taken from what the file says. What it does not say is asked for, never guessed: a
file without a rate is refused, and so is a time column without a unit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.ecg.readers.scaling import mv_per_unit
from pipeline.errors import InputError

MAX_HEADER_LINES = 50
MAX_COLUMNS = 64
SEPARATORS = (";", "\t", ",")
ASK_RATE = (
    "The CSV file does not say its sampling rate: add a time column with its unit, such as 'time (s)', "
    "or a first line '# sampling_rate_hz: 500'."
)
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?", re.ASCII)
_MISSING = ("", "nan", "na", "n/a", "null", "inf", "-inf", "+inf")
_COMMENT = re.compile(r"\s*#\s*([\w ]+?)\s*[:=]\s*(.+?)\s*$")
_COLUMN = re.compile(r"(.*?)\s*(?:[\(\[]\s*([^\)\]]*?)\s*[\)\]])?\s*")
_UNIT_SUFFIX = re.compile(r"(.+)_(mv|uv|µv|v|nv|s|ms)", re.IGNORECASE)
TIME_NAMES = ("time", "t", "zeit", "seconds", "sec", "milliseconds")
INDEX_NAMES = ("sample", "samples", "index", "idx", "n", "#", "sample_idx", "sample number")
SECONDS_PER_UNIT: tuple[tuple[str, float], ...] = (
    *(("s", 1.0), ("sec", 1.0), ("second", 1.0), ("seconds", 1.0)),
    *(("ms", 1e-3), ("msec", 1e-3), ("millisecond", 1e-3), ("milliseconds", 1e-3)),
    *(("us", 1e-6), ("microseconds", 1e-6)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of samples; `unit` is None where the file names none."""

    position: int
    label: str
    unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLayout:
    """Where the numbers start and what the columns mean."""

    separator: str
    decimal: str
    n_header_lines: int
    n_columns: int
    columns: tuple[Column, ...]
    time_position: int | None
    seconds_per_time_unit: float
    sampling_rate_hz: float | None  # as a comment says it


def table_layout(lines: Sequence[str]) -> TableLayout:
    """Read the layout from the first lines of the file (comments, at most one heading, samples).

    Raises
    ------
    InputError
        E_INPUT_CORRUPT where no table is found; E_INPUT_UNSUPPORTED where rate or units are missing.
    """
    comments = dict(_comment(line) for line in lines if line.lstrip().startswith("#"))
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), None)
    if start is None:
        raise InputError("The CSV file holds no samples.", code="E_INPUT_EMPTY")
    separator, decimal, first = _first_row(lines, start)
    n_columns = len(lines[first].split(separator)) if separator else 1
    if n_columns > MAX_COLUMNS:
        raise InputError("The CSV file has more columns than an ECG has leads.")
    heading = _heading(lines[start:first], separator, n_columns) or _listed(comments, n_columns)
    names = [_split_unit(cell) for cell in heading]
    time = _time_column(names)
    columns = _columns(names, n_columns, comments.get("units") or comments.get("unit"))
    rate_hz = _rate(comments)
    if rate_hz is None and time is None:
        raise InputError(ASK_RATE, code="E_INPUT_UNSUPPORTED")
    return TableLayout(
        separator=separator or ",",
        decimal=decimal,
        n_header_lines=first,
        n_columns=n_columns,
        columns=columns,
        time_position=time[0] if time else None,
        seconds_per_time_unit=time[1] if time else 1.0,
        sampling_rate_hz=rate_hz,
    )


def _comment(line: str) -> tuple[str, str]:
    match = _COMMENT.match(line)
    return (match.group(1).casefold().replace(" ", "_"), match.group(2)) if match else ("", "")


def _first_row(lines: Sequence[str], start: int) -> tuple[str | None, str, int]:
    """(separator, decimal sign, line number) of the first row of numbers."""
    for i in range(start, min(len(lines), start + MAX_HEADER_LINES)):
        line = lines[i]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        for separator in SEPARATORS:
            cells = line.split(separator)
            if len(cells) > 1 and _all_numbers(cells):
                return separator, _decimal(lines[i:], separator), i
        if _all_numbers([line]):
            return None, _decimal(lines[i:], None), i
    raise InputError("The CSV file has no row of numbers where an ECG should start.")


def _all_numbers(cells: Sequence[str]) -> bool:
    texts = [cell.strip().casefold() for cell in cells]
    return any(_NUMBER.fullmatch(text) for text in texts) and all(
        text in _MISSING or _NUMBER.fullmatch(text) for text in texts
    )


def _decimal(lines: Sequence[str], separator: str | None) -> str:
    """The decimal sign of the first rows; both signs in one file are refused."""
    if separator == ",":
        return "."
    text = " ".join(lines)
    if "," in text and "." in text:
        raise InputError("The CSV file mixes decimal points and decimal commas.")
    return "," if "," in text else "."


def _heading(lines: Sequence[str], separator: str | None, n_columns: int) -> list[str]:
    """Cells of the last line before the numbers, when it has one cell a column."""
    texts = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not texts:
        return []
    cells = texts[-1].split(separator) if separator else [texts[-1]]
    if len(cells) != n_columns:
        raise InputError("The heading of the CSV file has another number of columns than its rows.")
    return [cell.strip().strip('"').strip() for cell in cells]


def _listed(comments: dict[str, str], n_columns: int) -> list[str]:
    """Lead names from a comment `# leads: I, II, V1`."""
    names = [name.strip() for name in re.split(r"[,;]", comments.get("leads", "")) if name.strip()]
    return names if len(names) == n_columns else []


def _split_unit(cell: str) -> tuple[str, str | None]:
    """`II (mV)`, `II [uV]`, `II_mV`, `time_s` -> (name, unit or None)."""
    match = _COLUMN.fullmatch(cell)
    name, unit = (match.group(1), match.group(2)) if match else (cell, None)
    suffix = _UNIT_SUFFIX.fullmatch(name)
    return (suffix.group(1), suffix.group(2)) if suffix and not unit else (name, unit or None)


def _time_column(names: Sequence[tuple[str, str | None]]) -> tuple[int, float] | None:
    """(position, seconds per unit) of the time column; its unit must be written."""
    for position, (name, unit) in enumerate(names):
        key = name.casefold()
        if key not in TIME_NAMES and key not in dict(SECONDS_PER_UNIT):
            continue
        seconds = dict(SECONDS_PER_UNIT).get((unit or ("" if key == "t" else key)).casefold())
        if seconds is None:
            text = "The time column of the CSV file does not say its unit: name it 'time (s)' or 'time (ms)'."
            raise InputError(text, code="E_INPUT_UNSUPPORTED")
        return position, seconds
    return None


def _columns(names: Sequence[tuple[str, str | None]], n_columns: int, common_unit: str | None) -> tuple[Column, ...]:
    if not names:
        return tuple(Column(position=i, label=f"channel {i + 1}", unit=common_unit) for i in range(n_columns))
    columns = []
    for position, (name, unit) in enumerate(names):
        key = name.casefold()
        if key in (*TIME_NAMES, *INDEX_NAMES) or key in dict(SECONDS_PER_UNIT):
            continue
        if unit and mv_per_unit(unit) is None:
            raise InputError("A column of the CSV file has a unit that is no voltage.", code="E_INPUT_UNSUPPORTED")
        columns.append(Column(position=position, label=name, unit=unit or common_unit))
    if not columns:
        raise InputError("The CSV file has no column of ECG samples.")
    return tuple(columns)


def _rate(comments: dict[str, str]) -> float | None:
    text = next(
        (comments[key] for key in ("sampling_rate_hz", "sampling_rate", "fs", "fs_hz") if key in comments), None
    )
    if text is None:
        return None
    try:
        value = float(text.casefold().removesuffix("hz"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError("The sampling rate of the CSV file is no number.")
    return value
