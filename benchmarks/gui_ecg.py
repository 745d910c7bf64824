"""A day of ECG on the screen: how long a repaint takes while it is moved, zoomed and scrolled.

`python -m benchmarks.gui_ecg [--hours 24] [--steps 200] [--edit | --drag]` draws a record of three leads at 250 Hz into
a file, reads it with the pipeline, and repaints the course of the record (1600 x 260 pixels) and the paper (1600 x 600)
without a display. `--edit` measures instead how long it takes to fold an edit into a real twelve-lead ECG, `--drag`
how soon the numbers in the window follow a mark of it that the mouse pulls. Figures are CPU milliseconds of the whole
process for one repaint, samples at hand and samples still missing, for one edit, or for one move of the mouse.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.holter import make_holter, write_wfdb

MARK_MS = 33.0
SPANS_S = (86_400.0, 14_400.0, 3600.0, 600.0, 120.0, 30.0)


@dataclass(frozen=True)
class Row:
    """Repaints of one kind."""

    name: str
    cpu_ms: list[float]

    def line(self) -> str:
        p50, p99 = np.percentile(self.cpu_ms, [50, 99])
        return f"{self.name:44} {len(self.cpu_ms):5} {p50:8.2f} {p99:8.2f} {max(self.cpu_ms):8.2f}"


def main() -> int:
    """Print the table; 1 when a repaint takes longer than the mark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--edit", action="store_true")
    parser.add_argument("--drag", action="store_true")
    arguments = parser.parse_args()
    if arguments.drag:
        return _print_drag(arguments.steps)
    if arguments.edit:
        print(Row("a moved mark, everything measured again", _edits(arguments.steps)).line())
        print(Row("a moved R peak in a day of beats", _day_edits(min(arguments.steps, 20))).line())
        return 0
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory() as folder:
        path = write_wfdb(Path(folder), make_holter(round(3600 * arguments.hours), seed=1))
        rows = [row for measure in (_course_rows, _paper_rows) for row in measure(path, arguments.steps)]
    print(f"{'repaint':44} {'n':>5} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}")
    for row in rows:
        print(row.line())
    worst = max(float(np.percentile(row.cpu_ms, 99)) for row in rows if row.name.startswith(("course", "paper")))
    print(f"slowest p99 {worst:.1f} ms, mark {MARK_MS:g} ms")
    return int(worst > MARK_MS)


def _edits(steps: int) -> list[float]:
    """CPU ms of folding a moved boundary of the median beat into the ECG that pydicom ships."""
    from pydicom.data import get_testdata_file

    from pipeline.ecg.analysis import analyse_ecg
    from pipeline.ecg.preprocessing import prepare_ecg
    from pipeline.ecg.readers import read_ecg
    from pipeline.gates import Limits
    from pipeline.records import Edit, Metadata
    from pipeline.review.ecg_edits import review_ecg

    ecg = prepare_ecg(read_ecg(Path(str(get_testdata_file("waveform_ecg.dcm"))), Limits()), "0" * 64)
    analysis = analyse_ecg(ecg, Metadata())
    taken = []
    for step in range(steps):
        edit = Edit(kind="ecg_mark", target="median/t_off", before=None, after=340.0 + step % 40, role="researcher")
        taken.append(_timed(lambda edit=edit: review_ecg(ecg, analysis, Metadata(), (edit,))))  # type: ignore[misc]
    return taken


def _day_edits(steps: int) -> list[float]:
    """CPU ms of folding a moved R peak into the beats of a day, drawn from a seed; samples are not looked at."""
    from pydicom.data import get_testdata_file

    from pipeline.ecg.analysis import analyse_ecg
    from pipeline.ecg.hourly import LongBeats, course
    from pipeline.ecg.long_measurements import measurements_of
    from pipeline.ecg.preprocessing import prepare_ecg
    from pipeline.ecg.readers import read_ecg
    from pipeline.gates import Limits
    from pipeline.records import EcgOverview, Edit, Metadata
    from pipeline.review.ecg_edits import EcgBench

    n_seconds, rate_hz = 86_400, 1000.0
    short = prepare_ecg(read_ecg(Path(str(get_testdata_file("waveform_ecg.dcm"))), Limits()), "0" * 64)
    peaks = np.cumsum(np.random.default_rng(1).normal(800, 40, 107_000).astype(np.int64))
    peaks = peaks[peaks < n_seconds * rate_hz]
    none = np.zeros(peaks.size, bool)
    beats = LongBeats(
        peaks=peaks, classes=np.full(peaks.size, "N"), af_beats=none, flutter_beats=none, paced_beats=none,
        known=np.ones(peaks.size - 1, bool), clean=np.ones(n_seconds, bool), sampling_rate_hz=rate_hz,
    )  # fmt: skip
    n_leads = len(short.record.leads)
    empty = np.zeros((n_leads, n_seconds), np.float32)
    overview = EcgOverview(
        n_samples=round(n_seconds * rate_hz), low_mv=empty, high_mv=empty, clean=beats.clean,
        hour_usable=np.ones((24, n_leads), bool),
    )  # fmt: skip
    medians: dict[str, float | None] = {"pr": 150.0, "qrs": 90.0, "qt": 380.0}
    analysis = replace(
        analyse_ecg(short, Metadata()), r_peaks_idx=peaks, beat_classes=tuple(beats.classes.tolist()), rhythm=(),
        measurements=measurements_of(beats, medians, "0" * 64, sex=None, paced=False), af_beats=none,
        flutter_beats=none, paced_beats=none, long=course(beats),
    )  # fmt: skip
    bench, taken = EcgBench(replace(short, overview=overview), analysis, Metadata()), []
    for step in range(steps):
        after = float(peaks[5000]) + 20.0 + step
        edit = Edit(kind="ecg_mark", target="beat:5000/lead:II/r_peak", before=None, after=after, role="clinician")
        taken.append(_timed(lambda edit=edit: bench.review((edit,))))  # type: ignore[misc]
    return taken


def _print_drag(steps: int) -> int:
    """A P, a QRS and a T mark and an R peak of the ECG that pydicom ships, pulled in the window; 1 above the mark."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from app.composition import Engine
    from app.demo import demo_request
    from benchmarks.gui_edit import MARK_MS as FOLLOW_MS
    from benchmarks.gui_edit import wait
    from pipeline.records import CardiologyRequest
    from ui.application import make_application
    from ui.view_state import EcgOptions
    from ui.window import MainWindow

    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "chordae.sqlite")
        engine.run_study(CardiologyRequest(ecg_path=demo_request().ecg_path))
        application = make_application()
        window = MainWindow(engine)
        window.resize(1600, 1000)
        window.show()
        review = window.review
        review.cases.select(engine.list_runs()[0].run_id)
        wait(application, lambda: review.state.case.ecg_review is not None)
        review.update(ecg=EcgOptions(marks=True, layout="12x1"))
        review.study.prepare()
        wait(application, lambda: review.study.can_draft)
        print(f"{'mouse move to new number':44} {'n':>5} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8}")
        worst = 0.0
        for name in ("p_on", "qrs_on", "qrs_off", "t_off", "r_peak"):
            cpu_ms, wall_ms = _dragged(application, window, name, steps)
            for kind, taken in (("CPU", cpu_ms), ("wall", wall_ms)):
                p50, p95 = np.percentile(taken, [50, 95])
                print(f"{name + ', ' + kind:44} {len(taken):5} {p50:8.2f} {p95:8.2f} {max(taken):8.2f}")
            worst = max(worst, float(np.percentile(cpu_ms, 95)))
        window.close()
    print(f"slowest p95 {worst:.1f} ms CPU, mark {FOLLOW_MS:g} ms")
    return int(worst > FOLLOW_MS)


FOLLOWING = {"p_on": "pr", "qrs_on": "qrs", "qrs_off": "qrs", "t_off": "qt", "r_peak": "rr_range"}
"""Mark -> a number in the findings that must follow it."""


def _dragged(application: object, window: object, name: str, steps: int) -> tuple[list[float], list[float]]:
    """CPU and wall ms from each move of the mouse until the findings hold the new numbers."""
    from PySide6.QtCore import QPointF, Qt
    from PySide6.QtTest import QTest

    paper = window.views["ecg"].paper  # type: ignore[attr-defined]
    marks = paper.marks
    mark = next(m for m in marks.of_beat(1, 4) if m.name == name)
    strip = next(s for s in paper.paper.strips() if s.lead_idx == 1)
    paper.go_to(mark.time_s)
    application.processEvents()  # type: ignore[attr-defined]
    seen, scale = paper.seen_mm(), paper.px_per_mm()
    x = (strip.left_mm + (mark.time_s - strip.start_s) * paper.paper.speed_mm_s - seen.left()) * scale
    at = QPointF(x, (strip.baseline_mm - seen.top()) * scale)
    QTest.mousePress(paper.viewport(), Qt.MouseButton.LeftButton, pos=at.toPoint())
    cpu_ms, wall_ms, values = [], [], set()
    for step in range(steps):
        aside = QPointF(3.0 + 2.0 * np.sin(step), 0.0)
        before = paper.hand.mark.time_s
        begun = time.perf_counter(), time.process_time()
        paper.hand.move(at + aside, is_down=True)
        if paper.hand.mark.time_s != before:
            wall_ms.append(1000.0 * (time.perf_counter() - begun[0]))
            cpu_ms.append(1000.0 * (time.process_time() - begun[1]))
        application.processEvents()  # type: ignore[attr-defined]
        rows = window.views["findings"].rows  # type: ignore[attr-defined]
        values.add(next(row.value + row.interval for row in rows if row.name == FOLLOWING[name]))
    QTest.keyClick(paper, Qt.Key.Key_Escape)
    if len(values) < 2:
        raise SystemExit(f"The number {FOLLOWING[name]} did not follow the mark {name}.")
    QTest.mouseRelease(paper.viewport(), Qt.MouseButton.LeftButton, pos=at.toPoint())
    application.processEvents()  # type: ignore[attr-defined]
    return cpu_ms, wall_ms


def _read(path: Path) -> tuple[object, object]:
    """The prepared record and its analysis; kept, because a day takes about a minute."""
    from pipeline.ecg.long_analysis import analyse_long
    from pipeline.ecg.long_preparation import prepare_long
    from pipeline.ecg.readers import inspect_ecg
    from pipeline.ecg.readers.stream import open_stream
    from pipeline.gates import Limits
    from pipeline.records import Metadata

    if path not in _KNOWN:
        report = inspect_ecg(path, Limits())
        stream = open_stream(path, report, Limits())
        assert stream is not None
        ecg = prepare_long(stream, report.sha256)
        _KNOWN[path] = ecg, analyse_long(stream, ecg, Metadata())
    return _KNOWN[path]


_KNOWN: dict[Path, tuple[object, object]] = {}


def _timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return 1000.0 * (time.process_time() - begun)


def _course_rows(path: Path, steps: int) -> list[Row]:
    from pipeline.review.ecg_window import ecg_extremes, ecg_samples
    from ui.application import make_application
    from ui.ecg_samples import samples_of
    from ui.widgets.ecg_course import EcgCourse

    make_application()
    ecg, analysis = _read(path)
    widget = EcgCourse()
    widget.resize(1600, 260)
    samples = samples_of(ecg)  # type: ignore[arg-type]
    widget.set_ecg(ecg, samples, analysis)  # type: ignore[arg-type]
    course = widget.course
    assert course is not None
    rows, reading = [], {"reading an hour": [], "reading a tile": []}
    for kind in ("missing", "at hand"):
        for span_s in (s for s in SPANS_S if s <= course.duration_s):
            starts = np.linspace(0.3 * course.duration_s, 0.3 * course.duration_s + min(span_s, 1800.0), steps)
            taken = []
            for start in starts.tolist():
                widget.span_s = (start, start + span_s) if span_s < course.duration_s else (0.0, span_s)
                if kind == "at hand":
                    _ = [course.trace(lead, *widget.span_s, 1556) for lead in range(3)]
                    for hour in course.take_wishes():
                        read: list[object] = []
                        call = lambda: read.append(ecg_extremes(path, ecg.file_sha256, hour))  # noqa: E731, B023
                        reading["reading an hour"].append(_timed(call))
                        course.put_hour(hour, read[0])  # type: ignore[arg-type]
                    for number in samples.take_wishes():  # type: ignore[union-attr]
                        read = []
                        first, end = samples.bounds(number)  # type: ignore[union-attr]
                        call = lambda: read.append(ecg_samples(path, ecg.file_sha256, first, end))  # noqa: E731, B023
                        reading["reading a tile"].append(_timed(call))
                        samples.put(number, read[0])  # type: ignore[union-attr, arg-type]
                taken.append(_timed(widget.grab))
                course.take_wishes()
                samples.take_wishes()  # type: ignore[union-attr]
            rows.append(Row(f"course, {_words(span_s)}, samples {kind}", taken))
    return rows + [Row(f"{name}, in the worker", taken) for name, taken in reading.items() if taken]


def _words(span_s: float) -> str:
    return f"{span_s / 3600:g} h" if span_s >= 3600 else f"{span_s / 60:g} min" if span_s >= 60 else f"{span_s:g} s"


def _paper_rows(path: Path, steps: int) -> list[Row]:
    from pipeline.records import Metadata
    from pipeline.review.ecg_edits import review_ecg
    from pipeline.review.ecg_window import ecg_samples
    from ui.theme import DARK
    from ui.view_state import EcgOptions
    from ui.widgets.ecg_paper import EcgPaper

    ecg, analysis = _read(path)
    review = review_ecg(ecg, analysis, Metadata())  # type: ignore[arg-type]
    rows = []
    for layout in ("12x1", "rhythm"):
        paper = EcgPaper()
        paper.resize(1600, 600)
        paper.set_look(replace(EcgOptions(), layout=layout, marks=True), DARK)
        paper.set_ecg(ecg, review)  # type: ignore[arg-type]
        samples = paper.samples
        assert samples is not None
        length_s = samples.n_samples / samples.rate_hz
        taken = []
        for time_s in np.linspace(0.5 * length_s, 0.5 * length_s + 120.0, steps).tolist():
            paper.go_to(time_s)
            paper.grab()
            for number in samples.take_wishes():  # type: ignore[attr-defined]
                first, end = samples.bounds(number)  # type: ignore[attr-defined]
                samples.put(number, ecg_samples(path, ecg.file_sha256, first, end))  # type: ignore[attr-defined]
            taken.append(_timed(paper.viewport().grab))
        rows.append(Row(f"paper, 25 mm/s, {layout}", taken))
    return rows


if __name__ == "__main__":
    sys.exit(main())
