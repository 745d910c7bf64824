"""The report as JSON: bytes, file, and the check against its schema."""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import resources
from pipeline.errors import ReportError

SCHEMA_FILE = "report.schema.json"

_SENTENCES: tuple[tuple[tuple[int, ...], str], ...] = (
    ((errno.ENOSPC, errno.EDQUOT), "The drive is full; nothing was written."),
    ((errno.EACCES, errno.EPERM), "Writing there is not permitted."),
    ((errno.EROFS,), "The drive is read-only."),
    ((errno.ENOENT, errno.ENOTDIR), "The folder does not exist."),
    ((errno.EFBIG,), "The file would be larger than the drive allows."),
)


def report_bytes(report: Mapping[str, Any]) -> bytes:
    """A report as UTF-8 JSON with a final line end.

    Raises
    ------
    ReportError
        E_REPORT_FORM: a value that JSON does not know (NaN, an array); a fault of ours.
    """
    try:
        return (json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()
    except (TypeError, ValueError):
        raise ReportError("The report holds a value that JSON cannot say.", code="E_REPORT_FORM") from None


def validate_report(report: Mapping[str, Any]) -> None:
    """Check a report against `resources/report.schema.json`.

    Raises
    ------
    ReportError
        E_REPORT_SCHEMA: names the place, not the value.
    """
    fault = next(iter(_validator().iter_errors(json.loads(report_bytes(report)))), None)
    if fault is not None:
        place = "/".join(str(step) for step in _deepest_path(fault)) or "its top level"
        raise ReportError(f"The report does not follow its schema at {place}.", code="E_REPORT_SCHEMA")


def write_report(report: Mapping[str, Any], path: Path) -> None:
    """Write a report as JSON; see `write_bytes`."""
    write_bytes(report_bytes(report), path)


def write_bytes(content: bytes, path: Path) -> None:
    """Write a file whole or not at all: a temporary file beside it, synced, then put in its place.

    Raises
    ------
    ReportError
        E_REPORT_WRITE: no space, no permission, a read-only drive, no folder, not a regular file.
    """
    try:
        target = path.resolve()  # a link keeps pointing at the new content
        if target.exists() and not target.is_file():
            raise ReportError("A report can only be written to a regular file.")
        _replace(target, content)
    except OSError as error:
        raise ReportError(_sentence(error)) from None
    except RuntimeError:  # a loop of links
        raise ReportError("The place of the report leads to itself.") from None


def _replace(target: Path, content: bytes) -> None:
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with _create(temporary) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _create(path: Path) -> Any:
    return path.open("xb")


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut; the file is whole even where a folder cannot be synced."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)


def _sentence(error: OSError) -> str:
    found = (sentence for numbers, sentence in _SENTENCES if error.errno in numbers)
    return f"The report could not be written. {next(found, 'The drive did not take it.')}"


def _deepest_path(fault: Any) -> tuple[str | int, ...]:
    """Where the fault really lies: "one of these" faults hold the faults of each choice."""
    inner = [_deepest_path(each) for each in fault.context or ()]
    return max((tuple(fault.absolute_path), *inner), key=len)


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    schema = json.loads(resources.path(SCHEMA_FILE).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
