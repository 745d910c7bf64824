"""Intermediate results as files: .npy, .csv and .json, each with the notice."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import ReportError
from pipeline.notice import NOTICE
from pipeline.records import Array
from pipeline.reports.csv_report import plain_cell
from pipeline.reports.json_report import report_bytes, write_bytes
from pipeline.reports.plain import plain
from pipeline.research.items import Item

MAX_TABLE_CELLS = 20_000_000
MAX_JSON_VALUES = 2_000_000


def npy_bytes(item: Item) -> bytes:
    """An array in NumPy's own format, without pickled objects; see `npy_companion` for what it means."""
    if not item.is_array:
        raise ReportError(f"{item.label} is no array; save it as JSON.")
    file = io.BytesIO()
    np.save(file, item.value, allow_pickle=False)
    return file.getvalue()


def npy_companion(item: Item, content: bytes) -> bytes:
    """What stands beside a .npy file, which has no room for words: notice, axes, unit and the file's hash."""
    return report_bytes(_described(item) | {"sha256": hashlib.sha256(content).hexdigest()})


def json_bytes(item: Item) -> bytes:
    """A result as JSON: NaN, which JSON does not know, is null."""
    if item.is_array and item.value.size > MAX_JSON_VALUES:
        raise ReportError("These are more than two million values; save them as .npy.")
    value = _listed(item.value) if item.is_array else plain(item.value)
    return report_bytes(_described(item) | {"value": value})


def csv_bytes(item: Item) -> bytes:
    """A result as a table: one row for each step of the first axis; an empty cell is no value.

    Pictures and longer arrays than twenty million cells are refused: .npy holds them.
    """
    text = io.StringIO()
    text.write(f"# {NOTICE}\r\n")
    table = csv.writer(text)
    if item.is_array:
        _write_array(table, item)
    else:
        _write_tree(table, item.value)
    return text.getvalue().encode("utf-8-sig")


WRITERS: tuple[tuple[str, Callable[[Item], bytes]], ...] = (
    (".npy", npy_bytes),
    (".csv", csv_bytes),
    (".json", json_bytes),
)


def write_item(item: Item, path: Path) -> None:
    """Write a result in the form that the file's ending names.

    Raises
    ------
    ReportError
        Another ending, a form that does not hold this result, or a file that cannot be written.
    """
    ending = path.suffix.casefold()
    make = dict(WRITERS).get(ending)
    if make is None:
        raise ReportError("The file's name must end in .npy, .csv or .json.")
    content = make(item)
    write_bytes(content, path)
    if ending == ".npy":
        write_bytes(npy_companion(item, content), path.with_name(f"{path.name}.json"))


def _described(item: Item) -> dict[str, Any]:
    size = {"shape": list(item.value.shape), "dtype": str(item.value.dtype)} if item.is_array else {}
    words = {"name": item.name, "label": item.label, "axes": list(item.axes), "unit": item.unit, "note": item.note}
    return {"notice": NOTICE} | words | size


def _listed(values: Array) -> Any:
    if values.dtype.kind != "f":
        return values.tolist()
    boxed = values.astype(object)
    boxed[~np.isfinite(values)] = None
    return boxed.tolist()


def _write_array(table: Any, item: Item) -> None:
    values: Array = item.value
    is_picture = item.axes[-2:] == ("row", "column")
    if is_picture or values.size > MAX_TABLE_CELLS:
        raise ReportError("This is too large for a table; save it as .npy.")
    flat = values.reshape(len(values), -1) if values.ndim > 1 else values[:, None]
    table.writerow([item.axes[0], *_column_names(item)])
    for place, row in enumerate(flat.tolist()):
        table.writerow([place, *(_cell(value) for value in row)])


def _column_names(item: Item) -> list[str]:
    """A name for each cell of a row: the unit, or the positions on the further axes."""
    shape = item.value.shape[1:]
    unit = f" ({item.unit})" if item.unit else ""
    if not shape:
        return [f"value{unit}"]
    return [f"{'_'.join(str(i) for i in place)}{unit}" for place in np.ndindex(*shape)]


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.9g}" if np.isfinite(value) else ""
    return value


def _write_tree(table: Any, value: Any) -> None:
    """Rows of a list of records, or one row a named part."""
    rows = value if isinstance(value, list) else [{"name": k, "value": v} for k, v in value.items()]
    records = [row if isinstance(row, dict) else {"value": row} for row in rows]
    names = list(dict.fromkeys(name for record in records for name in record))
    table.writerow(names)
    for record in records:
        table.writerow([plain_cell(_flat(record.get(name))) for name in names])


def _flat(value: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        return json.dumps(plain(value), ensure_ascii=False)
    return "" if value is None else _cell(value)
