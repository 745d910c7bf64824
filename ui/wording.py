"""Numbers, times and statuses as words a reader sees. Knows no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

STATUS_WORDS = (  # status -> word shown beside its icon
    ("pending", "waiting"),
    ("not_checked", "not checked"),
    ("restored", "from checkpoint"),
    ("done", "done"),
    ("interrupted", "interrupted"),
    ("unreached", "not reached"),
)


def status_word(status: str) -> str:
    """The word shown for a status."""
    return dict(STATUS_WORDS).get(status, status.replace("_", " "))


def number(value: float, digits: int) -> str:
    """A number with a fixed count of digits and a true minus sign."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def value_text(value: float | str | None, digits: int) -> str:
    """A measured value; a dash where there is none."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else number(value, digits)


def interval_text(interval: tuple[float, float] | None, digits: int) -> str:
    """An interval in brackets, empty where there is none."""
    if interval is None:
        return ""
    low, high = (number(limit, digits) for limit in interval)
    return f"[{low} to {high}]" if low.startswith("−") or high.startswith("−") else f"[{low}–{high}]"


def elapsed_text(seconds: float | None) -> str:
    """A duration as shown in the run strip."""
    if seconds is None:
        return ""
    if seconds < 1.0:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100.0:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def local_time(time_utc: str | None, today: date | None = None) -> str:
    """A stored UTC time in the reader's own zone: "21:07" today, else "22 Nov"; empty where it cannot be read."""
    moment = _moment(time_utc)
    if moment is None:
        return ""
    return f"{moment:%H:%M}" if moment.date() == (today or datetime.now().date()) else f"{moment.day} {moment:%b}"


def clock_time(time_utc: str | None) -> str:
    """The time of day of a journal line: "21:07:41.120"."""
    moment = _moment(time_utc)
    return "" if moment is None else f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"


def _moment(time_utc: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(time_utc).astimezone() if time_utc else None
    except ValueError:
        return None


def counted(count: int, noun: str) -> str:
    """A count with its noun: "1 file", "2 files"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def short_case(run_id: str) -> str:
    """A short number for a run that stays the same whatever else is stored."""
    compact = "".join(c for c in run_id if c.isalnum())
    return compact[-6:].upper() or "–"


def joined(names: Sequence[str]) -> str:
    """Names as part of a sentence: "A", "A and B", "A, B and C"."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part) if names else ""


def size_text(size_bytes: int) -> str:
    """A size as people write it."""
    for unit, step in (("MB", 1_000_000), ("kB", 1000)):
        if size_bytes >= step:
            return f"{size_bytes / step:.1f} {unit}"
    return f"{size_bytes} bytes"
