"""A long ECG in the window: its samples come from the file, its course, hours and episodes are gone through."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent

from pipeline.errors import InputError
from pipeline.records import Delineation, EcgEpisode, EcgHour, EcgOverview, LongEcg, StudyResults
from pipeline.review.ecg_targets import ABSENT
from ui.ecg_course import Course, longest_pause_s, next_episode, time_ticks, zoomed
from ui.ecg_samples import TILE_S, TiledSamples
from ui.view_state import EcgOptions

KEY, RATE_HZ = Qt.Key, 250.0
N_SECONDS, BEGINNING_S = 7400, 600


def wait_for(qtbot, done) -> None:
    qtbot.waitUntil(done, timeout=60_000)


@pytest.fixture
def long_results(kit) -> StudyResults:
    """Two hours and a bit: one beat a second, a run of three ventricular beats, a pause of 4 s."""
    ecg = kit.make_ecg(3, float(BEGINNING_S))
    overview = EcgOverview(
        n_samples=round(N_SECONDS * RATE_HZ),
        low_mv=np.full((3, N_SECONDS), -0.5, np.float32),
        high_mv=np.full((3, N_SECONDS), 1.0, np.float32),
        clean=np.ones(N_SECONDS, bool),
        hour_usable=np.ones((3, 3), bool),
    )
    seconds = np.array([s for s in range(1, N_SECONDS) if not 5000 < s < 5004])
    letters = ["N"] * seconds.size
    letters[3600:3603] = "VVV"
    hour = EcgHour(
        start_s=0.0, usable_min=60.0, n_beats=3600, mean_bpm=60.0, min_bpm=55.0, max_bpm=70.0, n_v=0, n_s=0,
        af_share_pct=0.0, flutter_share_pct=0.0, paced_share_pct=0.0, n_pauses=0, longest_rr_s=1.0,
    )  # fmt: skip
    episodes = (
        EcgEpisode(kind="ventricular_run", start_s=3601.0, end_s=3603.0, n_beats=3, mean_bpm=60.0),
        EcgEpisode(kind="pause", start_s=5000.0, end_s=5004.0, n_beats=2, mean_bpm=None),
    )
    long = LongEcg(
        hours=(hour, replace(hour, start_s=3600.0, n_v=3)), episodes=episodes,
        trend_bpm=np.full(124, 60.0, np.float32), rr_known=np.ones(seconds.size - 1, bool),
    )  # fmt: skip
    none = np.full((3, BEGINNING_S - 1), np.nan)
    waves = Delineation(p_on=none, p_off=none, qrs_on=none, qrs_off=none, t_on=none, t_off=none)
    analysis = replace(
        kit.make_ecg_analysis(3), r_peaks_idx=(seconds * RATE_HZ).astype(np.int64), beat_classes=tuple(letters),
        af_beats=np.zeros(seconds.size, bool), delineation=waves, long=long,
    )  # fmt: skip
    return StudyResults(ecg=replace(ecg, overview=overview), ecg_analysis=analysis)


@pytest.fixture
def long_view(window, qtbot, kit, long_results):
    window.review.update(case=kit.case_of(long_results), ecg=replace(EcgOptions(), layout="12x1"))
    wait_for(qtbot, lambda: window.review.state.case.ecg_review is not None)
    return window.views["ecg"]


def test_samples_are_read_when_they_come_into_sight(window, qtbot, long_view, engine):
    paper = long_view.paper
    assert engine.stretches == []  # the beginning is kept with the run
    paper.go_to(4000.0)
    paper.grab()
    number = int(4000.0 // TILE_S)
    wait_for(qtbot, lambda: any(e[0] == round(number * TILE_S * RATE_HZ) for e in engine.stretches))
    wait_for(qtbot, lambda: np.isfinite(paper.samples.stretch(1, 1_000_000, 1_000_010)).all())
    assert paper.samples.stretch(1, 1_000_000, 1_000_010).tolist() == [0.25] * 10


def test_samples_of_a_record_that_is_gone_are_dropped(window, qtbot, long_view, kit, long_results):
    old = long_view.paper.samples
    window.review.update(case=kit.case_of(replace(long_results, ecg=replace(long_results.ecg))))
    long_view.put_tile(old, 130, np.zeros((3, 7500), np.float32))
    assert long_view.paper.samples is not old
    assert np.isnan(old.stretch(0, 130 * 7500, 130 * 7500 + 5)).all()


def test_a_file_that_cannot_be_read_any_more_is_told(window, qtbot, long_view, engine, monkeypatch):
    def refuse(*_):
        raise InputError("The ECG file is not where it was.", code="E_INPUT_MISSING")

    monkeypatch.setattr(engine, "ecg_samples", refuse)
    long_view.paper.go_to(4000.0)
    long_view.paper.grab()
    wait_for(qtbot, lambda: window.review.state.message is not None)
    assert "E_INPUT_MISSING" in window.review.state.message.text


def test_a_file_that_fails_is_not_asked_again(window, qtbot, long_view, engine, monkeypatch):
    asked = []

    def end_the_reader(*given):
        asked.append(given)
        raise InputError("Reading the file ended the reading process, twice.", code="E_INPUT_CRASHED_READER")

    monkeypatch.setattr(engine, "ecg_samples", end_the_reader)
    for time_s in (4000.0, 5000.0, 6000.0):
        long_view.paper.go_to(time_s)
        long_view.paper.grab()
        wait_for(qtbot, lambda: window.review.state.message is not None)
    qtbot.wait(50)
    assert "E_INPUT_CRASHED_READER" in window.review.state.message.text
    assert len(asked) == 1


def test_the_newest_wish_comes_first_and_its_neighbours_are_read_ahead(window, qtbot, long_view, engine, monkeypatch):
    gate, read, real = threading.Event(), [], engine.ecg_samples

    def held(path, sha256, first, end):
        gate.wait(20.0)
        read.append(round(first / (TILE_S * RATE_HZ)))
        return real(path, sha256, first, end)

    monkeypatch.setattr(engine, "ecg_samples", held)
    samples = long_view.paper.samples
    for number in range(30, 130):  # the reader drags the paper over an hour while the drive is slow
        samples.stretch(0, *samples.bounds(number))
        long_view.tiles_wished.emit(samples, samples.take_wishes())
    gate.set()
    wait_for(qtbot, lambda: 130 in read)
    assert read[:2] == [30, 129]  # the one under way, then where the reader is now
    assert len(read) < 30  # what has gone by was given up
    wait_for(qtbot, lambda: not samples.lacks(130) and not samples.lacks(128))


def test_episodes_and_the_longest_pause_are_found_by_key(window, qtbot, long_view):
    paper = long_view.paper
    for keys, expected_s in ((KEY.Key_J, 3601.0), (KEY.Key_J, 5000.0)):
        qtbot.keyClick(window, keys)
        assert paper.span_s()[0] < expected_s < paper.span_s()[1]
    qtbot.keyClick(window, KEY.Key_J, Qt.KeyboardModifier.ShiftModifier)
    assert paper.span_s()[0] < 3601.0 < paper.span_s()[1]
    qtbot.keyClick(window, KEY.Key_U)
    assert paper.span_s()[0] < 5002.0 < paper.span_s()[1]


def test_rows_of_the_tables_go_to_their_time(window, qtbot, long_view):
    qtbot.keyClick(window, KEY.Key_B)
    assert long_view.hours.isVisible()
    assert not long_view.median.isVisible()
    long_view.hours.hours.selectRow(1)
    assert long_view.paper.span_s()[0] == pytest.approx(3600.0, abs=1.0)
    assert long_view.hours.tabText(1) == "Episodes (2)"
    long_view.hours.episodes.selectRow(1)
    assert long_view.paper.span_s()[0] < 5000.0 < long_view.paper.span_s()[1]


def test_the_course_is_moved_and_zoomed(window, qtbot, long_view):
    course = long_view.course
    assert course.isVisible()
    assert course.span_s == (0.0, float(N_SECONDS))
    middle = QPointF(course.width() / 2, 20)
    event = QWheelEvent(
        middle, course.mapToGlobal(middle), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    course.wheelEvent(event)
    assert course.span_s[1] - course.span_s[0] == pytest.approx(N_SECONDS / 1.25**2)
    course.setFocus()
    before = course.span_s
    qtbot.keyClick(course, KEY.Key_Right)
    assert course.span_s[0] > before[0]
    qtbot.keyClick(course, KEY.Key_Home)
    assert course.span_s == (0.0, float(N_SECONDS))
    qtbot.mouseClick(course, Qt.MouseButton.LeftButton, pos=QPoint(round(44 + (course.width() - 44) / 2), 20))
    assert sum(long_view.paper.span_s()) / 2 == pytest.approx(N_SECONDS / 2, abs=12)


def test_other_marks_of_a_long_record_cannot_be_moved_and_say_why(window, long_view, engine):
    long_view.paper.mark_wished.emit("beat:3/lead:II/t_off", 4000.0)
    assert "only R peaks" in window.review.state.message.text
    assert engine.acts == {}


def settled(window, qtbot, n_acts):
    wait_for(qtbot, lambda: len(window.review.state.case.edits) == n_acts and window.review.ecg.is_settled)
    return window.review.state.case.ecg_review


def test_an_r_peak_far_into_a_long_record_is_dragged(window, qtbot, long_view, engine, kit):
    window.review.ecg.set_option("marks", True)
    paper = long_view.paper
    paper.go_to(4001.0)
    seen, scale = paper.seen_mm(), paper.px_per_mm()
    strip = next(s for s in paper.paper.strips() if s.lead_idx == 1)

    def place(time_s: float) -> QPointF:
        x = (strip.left_mm + (time_s - strip.start_s) * paper.paper.speed_mm_s - seen.left()) * scale
        return QPointF(x, (strip.baseline_mm - seen.top()) * scale)

    qtbot.mousePress(paper.viewport(), Qt.MouseButton.LeftButton, pos=place(4001.0).toPoint())
    paper.hand.move(place(4001.3), is_down=True)
    qtbot.mouseRelease(paper.viewport(), Qt.MouseButton.LeftButton, pos=place(4001.3).toPoint())
    review = settled(window, qtbot, 1)
    (stored,) = engine.acts[kit.RUN_ID]
    assert stored.target == "beat:4000/lead:II/r_peak"
    assert review.analysis.r_peaks_idx[4000] == pytest.approx(4001.3 * RATE_HZ, abs=3)
    longest = next(m for m in review.analysis.measurements if m.name == "longest_rr")
    assert longest.value == pytest.approx(4000.0)  # the pause of the record is still the longest


def test_beats_of_a_long_record_are_taken_away_and_added(window, qtbot, long_view, engine, kit):
    paper, marks = long_view.paper, long_view.paper.marks
    n_beats = marks.r_s.size
    (mark,) = marks.of_beat(1, 4000)
    assert marks.new_beat(1, 4001.1) is None  # too near to the one at 4001 s
    paper.mark_wished.emit(mark.target, ABSENT)
    assert settled(window, qtbot, 1).analysis.r_peaks_idx.size == n_beats - 1
    added = paper.marks.new_beat(1, 5002.0)  # into the pause
    paper.mark_wished.emit(*added)
    review = settled(window, qtbot, 2)
    assert review.analysis.r_peaks_idx.size == n_beats
    assert not [e for e in review.analysis.long.episodes if e.kind == "pause" and e.end_s - e.start_s > 3]
    beat = int(np.searchsorted(review.analysis.r_peaks_idx, round(5002.0 * RATE_HZ)))
    paper.class_wished.emit(beat, "V")
    assert settled(window, qtbot, 3).analysis.beat_classes[beat] == "V"
    assert engine.acts[kit.RUN_ID][2].target == f"added:{round(5002.0 * RATE_HZ)}/class"
    window.review.edits.undo()
    assert settled(window, qtbot, 4).analysis.beat_classes[beat] == "Q"


def test_a_class_in_a_long_record_is_counted(window, qtbot, long_view):
    long_view.edit_wished.emit("beat_class", "beat:10/class", "V")
    wait_for(qtbot, lambda: len(window.review.state.case.edits) == 1 and window.review.ecg.is_settled)
    hours = window.review.state.case.ecg_review.analysis.long.hours
    assert [hour.n_v for hour in hours] == [1, 3, 0]


def test_depths_of_the_course_lose_no_peak(long_results):
    ecg = long_results.ecg
    ecg.overview.high_mv[1, 4321] = 7.0
    samples = TiledSamples(ecg)
    course = Course(ecg, samples)
    for span_s in ((0.0, 7400.0), (4000.0, 5000.0)):
        times_s, levels = course.trace(1, *span_s, 800)
        assert levels.max() == 7.0
        assert times_s[levels.argmax()] == pytest.approx(4321.0, abs=10.0)
        assert len(levels) <= 2 * 1100
    assert course.take_wishes() == ()
    course.trace(1, 4000.0, 4400.0, 800)  # half a second a column
    assert course.take_wishes() == (1,)
    course.put_hour(1, np.stack([np.zeros((3, 28_800)), np.ones((3, 28_800))]))
    assert course.trace(1, 4000.0, 4400.0, 800)[1].max() == 1.0
    course.trace(0, 4000.0, 4010.0, 800)
    assert samples.take_wishes() == (133,)
    assert samples.bounds(133) == (997_500, 1_005_000)


def test_steps_of_the_course():
    assert zoomed((0.0, 100.0), 0.5, 25.0, 1000.0) == (12.5, 62.5)
    assert zoomed((0.0, 100.0), 100.0, 50.0, 1000.0) == (0.0, 1000.0)
    assert zoomed((0.0, 100.0), 1e-6, 50.0, 1000.0)[1] - zoomed((0.0, 100.0), 1e-6, 50.0, 1000.0)[0] == 5.0
    assert time_ticks(0.0, 86_400.0, 10) == [
        0.0,
        10800.0,
        21600.0,
        32400.0,
        43200.0,
        54000.0,
        64800.0,
        75600.0,
        86400.0,
    ]
    assert next_episode((), 0.0, 1) is None


def test_the_longest_pause_leaves_out_what_is_not_known(long_results):
    analysis = long_results.ecg_analysis
    assert longest_pause_s(analysis, RATE_HZ) == (5000.0, 4.0)
    known = analysis.long.rr_known.copy()
    known[np.diff(analysis.r_peaks_idx).argmax()] = False
    unknown = replace(analysis, long=replace(analysis.long, rr_known=known))
    assert longest_pause_s(unknown, RATE_HZ)[1] == 1.0
