"""The ECG view: layouts, screen scale, median beats, a long record, the cursor of the echo."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QDialogButtonBox, QToolButton

from pipeline.records import Delineation, EcgEpisode, EcgHour, EcgOverview, LongEcg, StudyResults
from ui.choices import Choices
from ui.ecg_course import Course, longest_pause_s, next_episode, time_ticks, zoomed
from ui.ecg_median import cells_of, fiducial_limits_ms, px_per_s
from ui.ecg_samples import TILE_S, TiledSamples
from ui.scale_dialog import ScaleDialog
from ui.screen_scale import possible_scales, px_per_mm
from ui.theme import DARK
from ui.view_state import EcgOptions
from ui.window import MainWindow

KEY, RATE_HZ = Qt.Key, 250.0
OFFSETS = {"p_on": -40, "p_off": -20, "qrs_on": -10, "qrs_off": 12, "t_on": 50, "t_off": 90}
N_SECONDS, BEGINNING_S = 7400, 600


def wait_for(qtbot, done) -> None:
    qtbot.waitUntil(done, timeout=60_000)


# --- layouts and scale -------------------------------------------------------------------------------


def test_layouts_are_chosen_by_key_and_by_list(window, qtbot, kit, full_results):
    window.review.update(case=kit.case_of(full_results))
    view, seen = window.views["ecg"], []
    for _ in range(5):
        qtbot.keyClick(window, KEY.Key_L)
        seen.append(view.paper.paper.layout)
    assert seen == ["3x4+3", "6x2", "12x1", "rhythm", "3x4+1"]
    qtbot.keyClick(window, KEY.Key_L, Qt.KeyboardModifier.ShiftModifier)
    assert view.paper.paper.layout == "rhythm"
    leads = view.controls.choices["rhythm_lead"]
    leads.setCurrentIndex(leads.findData("V5"))
    leads.activated.emit(leads.currentIndex())
    assert next(view.paper.paper.strips()).name == "V5"


@pytest.mark.parametrize("n_leads", [1, 3, 8])
def test_few_leads_are_shown_whole(window, kit, n_leads):
    window.review.update(case=kit.case_of(StudyResults(ecg=kit.make_ecg(n_leads))))
    view = window.views["ecg"]
    assert [s.lead_idx for s in view.paper.paper.strips()] == list(range(n_leads))
    titles = [view.controls.choices["layout"].itemText(n) for n in range(view.controls.choices["layout"].count())]
    assert "One row a lead" in titles
    assert "3 × 4 + 1" not in titles


def test_every_control_has_a_name_and_a_tip(window, kit, full_results):
    window.review.update(case=kit.case_of(full_results))
    controls = window.views["ecg"].controls
    for part in (*controls.findChildren(QToolButton), *controls.findChildren(QComboBox)):
        assert part.accessibleName()
        assert part.toolTip()
    view = window.views["ecg"]
    for part in (view.paper, view.median, view.course, view.hours, view.hours.hours, view.hours.episodes):
        assert part.accessibleName()


def test_settings_stand_on_the_strip_in_every_layout(window, kit, full_results, monkeypatch):
    printed = []
    monkeypatch.setattr("ui.widgets.ecg_paper.paint_settings", lambda ink, ecg, *rest: printed.append(ecg.filter_text))
    window.review.update(case=kit.case_of(full_results))
    for layout in ("3x4+1", "3x4+3", "6x2", "12x1", "rhythm"):
        printed.clear()
        window.review.ecg.set_option("layout", layout)
        window.views["ecg"].paper.grab()
        assert "0.5-150 Hz zero-phase" in printed


def test_a_calibrated_screen_makes_true_millimetres(window, kit, full_results):
    window.review.update(case=kit.case_of(full_results))
    paper, name = window.views["ecg"].paper, window.screen().name()
    window.menus.actions["calibrate_screen"].trigger()
    dialog = window.findChild(ScaleDialog)
    dialog.bar.set_length(85.6 * 5.0)
    dialog.buttons.button(QDialogButtonBox.StandardButton.Save).click()
    assert paper.px_per_mm() == pytest.approx(5.0)
    assert dict(window.review.state.ecg.screen_scales) == {name: pytest.approx(5.0)}
    window.review.ecg.set_scale(name, 0.0)
    assert paper.px_per_mm() == pytest.approx(window.screen().physicalDotsPerInch() / 25.4)


def test_a_calibration_is_kept_for_the_next_time(qtbot, engine, window):
    told: list[Choices] = []
    made = MainWindow(engine, Choices(screen_scales={"another": 4.5}), told.append)
    qtbot.addWidget(made)
    assert dict(made.review.state.ecg.screen_scales) == {"another": 4.5}
    made.review.ecg.set_scale("this", 5.25)
    assert told[-1].screen_scales == {"another": 4.5, "this": 5.25}


def test_the_bar_is_dragged_or_moved_by_keys(qtbot):
    dialog = ScaleDialog(4.0, DARK)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.px_per_mm == pytest.approx(4.0)
    qtbot.keyClick(dialog.bar, KEY.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert dialog.bar.length_px == pytest.approx(85.6 * 4 + 5)
    qtbot.mousePress(dialog.bar, Qt.MouseButton.LeftButton, pos=QPoint(12 + 428, 40))
    assert dialog.px_per_mm == pytest.approx(5.0)
    dialog.object_choice.setCurrentIndex(2)  # 50 mm
    assert dialog.px_per_mm == pytest.approx(4.0)
    dialog.bar.set_length(50.0)
    assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Save).isEnabled()


def test_a_screen_that_does_not_know_its_size_uses_the_logical_resolution():
    assert px_per_mm(9999.0, 96.0) == pytest.approx(96 / 25.4)
    assert px_per_mm(110.0, 96.0) == pytest.approx(110 / 25.4)
    assert px_per_mm(110.0, 96.0, 5.5) == 5.5
    assert px_per_mm(110.0, 96.0, 0.001) == pytest.approx(110 / 25.4)
    assert possible_scales({"a": 4.0, "b": 1e9, "c": "x", "d": True}) == {"a": 4.0}
    assert possible_scales(["a"]) == {}


# --- median beats ------------------------------------------------------------------------------------


@pytest.fixture
def with_waves(kit) -> StudyResults:
    analysis = kit.make_ecg_analysis()
    peaks = analysis.r_peaks_idx.astype(float)
    bounds = {name: np.tile(peaks + offset, (12, 1)) for name, offset in OFFSETS.items()}
    return StudyResults(ecg=kit.make_ecg(), ecg_analysis=replace(analysis, delineation=Delineation(**bounds)))


def test_a_boundary_of_the_median_beat_moves_qt(window, qtbot, kit, with_waves):
    window.review.update(case=kit.case_of(with_waves), ecg=replace(EcgOptions(), median=True))
    wait_for(qtbot, lambda: window.review.state.case.ecg_review is not None)
    panel = window.views["ecg"].median
    assert panel.isVisible()
    assert panel.places_ms["t_off"] == pytest.approx(1000 * OFFSETS["t_off"] / RATE_HZ)
    panel.setFocus()
    qtbot.keyClick(panel, KEY.Key_Down)
    qtbot.keyClick(panel, KEY.Key_Up)
    assert panel.chosen == "t_off"
    for _ in range(3):
        qtbot.keyClick(panel, KEY.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(panel, KEY.Key_Return)
    wait_for(qtbot, lambda: len(window.review.state.case.edits) == 1 and window.review.ecg.is_settled)
    found = {m.name: m for m in window.review.state.case.ecg_review.analysis.measurements}
    assert (found["qt"].value, found["qt"].status) == (pytest.approx(400 + 60), "edited")
    assert panel.places_ms["t_off"] == pytest.approx(360 + 60)


def test_median_beats_are_grabbed_overlaid_and_apart(window, qtbot, kit, with_waves):
    window.review.update(case=kit.case_of(with_waves), ecg=replace(EcgOptions(), median=True))
    wait_for(qtbot, lambda: window.review.state.case.ecg_review is not None)
    panel = window.views["ecg"].median
    apart = panel.grab().toImage()
    qtbot.keyClick(window, KEY.Key_B, Qt.KeyboardModifier.ShiftModifier)
    assert panel.grab().toImage() != apart


def test_panels_of_the_median_beat(kit):
    cells = cells_of(kit.LEADS, [True] * 12, overlaid=False)
    assert [(c.lead_idx, c.row, c.column) for c in cells[:2]] == [((0,), 0, 0), ((3,), 0, 1)]
    assert len(cells_of(kit.LEADS, [True] * 11 + [False], overlaid=False)) == 11
    assert cells_of(("II", "V1"), [True, True], overlaid=True)[0].lead_idx == (0, 1)
    assert cells_of(("II",), [False], overlaid=True) == ()
    assert px_per_s(880.0, 1e9, 1.0) == pytest.approx(1000.0)
    assert px_per_s(1e9, 400.0, 1.0) == pytest.approx(1000.0)  # 1 mV is as high as 0.4 s is wide
    assert fiducial_limits_ms({"qrs_on": -40.0, "qrs_off": 50.0, "t_off": 360.0}, "qrs_off") == (-39.0, 359.0)


# --- long records ------------------------------------------------------------------------------------


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
    from pipeline.errors import InputError

    def refuse(*_):
        raise InputError("The ECG file is not where it was.", code="E_INPUT_MISSING")

    monkeypatch.setattr(engine, "ecg_samples", refuse)
    long_view.paper.go_to(4000.0)
    long_view.paper.grab()
    wait_for(qtbot, lambda: window.review.state.message is not None)
    assert "E_INPUT_MISSING" in window.review.state.message.text


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


def test_marks_of_a_long_record_cannot_be_moved_and_say_why(window, long_view, engine):
    long_view.edit_wished.emit("ecg_mark", "beat:1/lead:II/t_off", 100.0)
    assert "long recording" in window.review.state.message.text
    assert engine.acts == {}


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


# --- the cursor of the echo --------------------------------------------------------------------------


def test_files_of_different_times_are_not_locked_and_it_says_so(window, qtbot, kit, full_results):
    window.review.update(case=kit.case_of(full_results))
    wait_for(qtbot, lambda: bool(window.review.state.case.time_locks))
    assert window.views["ecg"].paper.note.startswith("Not time-locked")


def test_the_cursor_follows_the_frame_where_time_is_shared(window, qtbot, kit, full_results):
    at = "2026-01-01T12:00:00"
    ecg, peaks = full_results.ecg, np.array([100, 290, 520, 700, 990, 1180, 1350, 1640, 1800, 2050, 2230, 2400])
    header = replace(ecg.record.header, acquired_at=at)
    clip = replace(
        full_results.cines[0], header=replace(full_results.cines[0].header, acquired_at=at, patient_id=None),
        r_wave_times_s=tuple(((peaks[1:5] - 200) / RATE_HZ).tolist()),
    )  # fmt: skip
    results = replace(
        full_results,
        cines=(clip,),
        ecg=replace(ecg, record=replace(ecg.record, header=header)),
        ecg_analysis=replace(full_results.ecg_analysis, r_peaks_idx=peaks),
    )
    window.review.update(case=kit.case_of(results))
    wait_for(qtbot, lambda: bool(window.review.state.case.time_locks))
    assert window.review.state.case.time_locks[0].offset_s == pytest.approx(0.8, abs=0.01)
    view = window.views["ecg"]
    before = view.paper.grab().toImage()
    window.views["echo"].go_to(10)
    assert view.paper.grab().toImage() != before
    assert view.paper.note.startswith("Time-locked")
