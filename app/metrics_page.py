"""Write docs/metrics.md from the catalogue: `python -m app.metrics_page docs/metrics.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.records import Metric

HEAD = """# Metrics

Every number that Chordae can give, as the code defines it. Written by `make docs`; a test keeps it current.
A measurement whose conditions are not met is withheld with its reason: it then has no value.
"""
COLUMNS = ("name", "label", "unit", "method", "source", "LOINC")


def metrics_page(groups: Iterable[tuple[str, Iterable[Metric]]]) -> str:
    """The page as Markdown: a table per (title, metrics)."""
    return "\n".join([HEAD, *(line for title, metrics in groups for line in _table(title, metrics))]) + "\n"


def _table(title: str, metrics: Iterable[Metric]) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|" + "---|" * len(COLUMNS)
    for item in metrics:
        cells = (f"`{item.name}`", item.label, item.unit or "–", item.method, item.reference, item.loinc or "–")
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
    yield ""


def catalogue_page() -> str:
    """The page of the shipped catalogue."""
    from pipeline.ecg.metrics import ECG_METRICS
    from pipeline.echo.metrics import ECHO_METRICS, SEGMENT_METRICS

    segments = ("Wall segments of each clip", SEGMENT_METRICS)
    return metrics_page((("Echo", ECHO_METRICS), segments, ("ECG", ECG_METRICS)))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(catalogue_page(), encoding="utf-8")
