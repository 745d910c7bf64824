"""A rotating log and a crash report that hold no patient data.

Texts of exceptions that come from outside the project quote file names and values, so neither log nor
crash report ever shows them: only the kind of the exception and the places in the code.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from pipeline.errors import PipelineError

LOGGERS = ("app", "ui", "pipeline", "chordae")
MAX_LOG_BYTES = 1_000_000
KEPT_LOGS = 3
_TOP = Path(__file__).resolve().parent.parent


def describe_failure(error: BaseException) -> str:
    """One line: the exception's kind and the places in the project it came through; never a foreign text."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{_place(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    text = str(error) if isinstance(error, PipelineError) else type(error).__name__
    return f"{text} at {' > '.join(places) or 'an unknown place'}"


def _place(filename: str) -> str:
    # only the project's own files are named; a library is named by its package folder
    path = Path(filename)
    if path.is_relative_to(_TOP) and "site-packages" not in path.parts:
        return path.relative_to(_TOP).as_posix()
    if "site-packages" in path.parts:
        return path.parts[path.parts.index("site-packages") + 1]
    return "library"


class SilentTextFormatter(logging.Formatter):
    """Formats a record; an attached exception is reduced to its kind and its places."""

    def formatException(self, ei: object) -> str:  # noqa: N802 (the name is logging's)
        error = ei[1] if isinstance(ei, tuple) else None
        return describe_failure(error) if isinstance(error, BaseException) else ""

    def format(self, record: logging.LogRecord) -> str:
        # a text that another handler formatted and left on the record holds the foreign message
        record.exc_text = None
        return super().format(record)


def start_log(folder: Path) -> Callable[[], None]:
    """Send the project's own loggers to `folder`/chordae.log; a folder that cannot be written is no obstacle.

    Other libraries' loggers are not followed: pydicom's, for one, quotes values of the file.

    Returns
    -------
    Callable[[], None]
        Ends the log and closes its file.
    """
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file_handler = RotatingFileHandler(
            folder / "chordae.log", maxBytes=MAX_LOG_BYTES, backupCount=KEPT_LOGS, encoding="utf-8", delay=True
        )
    except OSError:
        return lambda: None
    file_handler.setFormatter(SilentTextFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.addHandler(file_handler)

    def stop() -> None:
        for logger in loggers:
            logger.removeHandler(file_handler)
        file_handler.close()

    return stop


def install_crash_report() -> None:
    """Replace Python's traceback, whose last line may quote a file, with kind and places."""

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.stderr.write("Stopped.\n")
            return
        line = describe_failure(error.with_traceback(trace))
        logging.getLogger("app").error("%s", line)
        sys.stderr.write(f"Chordae met a fault of its own and stopped. Please report this line:\n{line}\n")

    sys.excepthook = report
