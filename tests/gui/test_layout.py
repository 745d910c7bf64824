"""Docks, roles, hanging protocols, the grid of clips and the prior."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QTabBar

from pipeline.records import StudyResults
from ui.choices import Choices
from ui.hanging import ClipRef, TileSpec, hang, pinned_frame
from ui.prior import NONE_TEXT, OTHER_TEXT, UNKNOWN_TEXT, find_prior
from ui.prior_rows import prior_rows
from ui.view_state import CaseView

NOTHING = StudyResults()


@pytest.fixture
def two_views(kit, full_results) -> StudyResults:
    """A four- and a two-chamber clip with outlines, beats and numbers."""
    other = replace(kit.make_cine(), view="A2C", file_sha256="d" * 64)
    analysis = full_results.echo_analysis
    both = replace(analysis, cines=(analysis.cines[0], replace(analysis.cines[0], view="A2C")))
    return replace(
        full_results,
        cines=(other, full_results.cines[0]),
        detections=full_results.detections * 2,
        echo_analysis=both,
    )


def case(idx: int) -> ClipRef:
    return ClipRef("case", idx)


def test_ef_review_shows_both_views_at_end_diastole_and_end_systole(two_views, full_results):
    grid = hang("ef", None, 0, two_views, NOTHING)
    assert grid.shape == (2, 2)
    # rows: end-diastole, end-systole; A4C stands left although it is the second clip
    assert [(t.clip.cine_idx, t.pin) for t in grid.tiles] == [(1, "ed"), (0, "ed"), (1, "es"), (0, "es")]
    alone = hang("ef", None, 0, full_results, NOTHING)
    assert alone.shape == (1, 2)
    assert [t.pin for t in alone.tiles] == ["ed", "es"]


def test_other_protocols(two_views, full_results):
    assert hang("cines", None, 0, two_views, NOTHING).tiles == (TileSpec(case(0)), TileSpec(case(1)))
    assert hang("prior", None, 0, full_results, NOTHING).tiles == (TileSpec(case(0)),)
    beside = hang("prior", None, 0, full_results, two_views)
    assert beside.tiles == (TileSpec(case(0)), TileSpec(ClipRef("prior", 1)))  # the same view
    filled = hang("auto", (2, 2), 0, two_views, NOTHING)
    assert [t.pin for t in filled.tiles] == ["play", "play", "ed", "es"]


def test_held_frames_follow_the_beat(full_results):
    analysis = full_results.echo_analysis.cines[0]
    assert pinned_frame("play", analysis, None) is None
    assert pinned_frame("ed", None, None) is None
    assert [pinned_frame(pin, analysis, None) for pin in ("ed", "es")] == [4, 14]
    assert [pinned_frame(pin, analysis, 1) for pin in ("ed", "es")] == [20, 22]


def test_tiles_show_their_frames_and_one_clock_moves_them(window, qtbot, kit, two_views):
    window.review.update(case=kit.case_of(two_views))
    echo = window.views["echo"]
    window.menus.actions["hang_ef"].trigger()
    tiles = echo.grid.shown
    assert [tile.canvas._frame_idx for tile in tiles] == [kit.ED_IDX, kit.ED_IDX, kit.ES_IDX, kit.ES_IDX]
    assert all(tile.isVisible() for tile in tiles)
    qtbot.mouseClick(tiles[1].canvas, Qt.MouseButton.LeftButton)
    assert echo.active_clip == case(0)
    window.menus.actions["hang_cines"].trigger()
    assert len(echo.grid.shown) == 2
    echo.toggle_play()
    qtbot.waitUntil(lambda: all(tile.canvas._frame_idx > 0 for tile in echo.grid.shown), timeout=3000)
    assert len({tile.canvas._frame_idx for tile in echo.grid.shown}) == 1
    echo.toggle_play()
    window.menus.actions["hang_cines"].trigger()  # a second time: back to the automatic one
    assert len(echo.grid.shown) == 1


def test_ecg_protocol_takes_the_room_of_the_echo(window, qapp, kit, full_results):
    window.review.update(case=kit.case_of(full_results))
    window.menus.actions["hang_ecg"].trigger()
    qapp.processEvents()
    assert not window.views["echo"].isVisible()
    assert window.views["ecg"].isVisible()


def shown_docks(window) -> set[str]:
    return {name for name, dock in window.stage.docks.items() if not dock.isHidden()}


def test_each_role_has_docks_of_its_own(window, qapp):
    clinician = shown_docks(window)
    assert {"studies", "findings", "ecg"} <= clinician
    window.stage.docks["findings"].hide()
    window.menus.actions["switch_role"].trigger()
    assert {"log", "state", "findings"} <= shown_docks(window)
    window.menus.actions["switch_role"].trigger()
    assert shown_docks(window) == clinician - {"findings"}
    window.menus.actions["restore_layout"].trigger()
    assert shown_docks(window) == clinician


def test_layout_outlives_the_window_and_a_damaged_one_does_not_block(qtbot, engine):
    from ui.window import MainWindow

    told: list[Choices] = []
    first = MainWindow(engine, on_choices=told.append)
    qtbot.addWidget(first)
    first.show()
    first.stage.docks["studies"].hide()
    first.close()
    kept = told[-1]
    assert "clinician" in kept.layouts
    for layouts, has_list in (
        (kept.layouts, False),
        ({"clinician": kept.layouts["clinician"][:-9]}, True),
        ({"clinician": "0123456789abcdef:AAAA"}, True),
        ({"clinician": "no layout at all"}, True),
    ):
        made = MainWindow(engine, replace(kept, layouts=layouts))
        qtbot.addWidget(made)
        made.show()
        assert ("studies" in shown_docks(made)) is has_list
        made.close()


def test_docks_can_be_moved_floated_and_closed_and_leave_no_stray_tabs(window, qapp):
    features = window.stage.docks["ecg"].features()
    names = ("DockWidgetMovable", "DockWidgetFloatable", "DockWidgetClosable")
    assert all(features & getattr(type(features), name) for name in names)
    for name in ("state", "prior", "log"):
        window.stage.show_dock(name)
        qapp.processEvents()
    window.menus.actions["restore_layout"].trigger()
    qapp.processEvents()
    window.stage.tidy_tabs()
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    shown = [{bar.tabText(i) for i in range(bar.count())} for bar in bars if bar.isVisible()]
    docks = {name: dock for name, dock in window.stage.docks.items() if dock.isVisible()}
    groups = [{d.windowTitle() for d in (dock, *window.tabifiedDockWidgets(dock))} for dock in docks.values()]
    assert all(tabs in groups for tabs in shown)
    assert len(shown) == len({frozenset(tabs) for tabs in shown})
    assert all(window.rect().contains(bar.geometry()) for bar in bars if bar.isVisible())


# --- the prior ----------------------------------------------------------------------------------------


def store_pair(engine, kit, results, then) -> CaseView:
    """The case on screen and an older one in the store, newest first."""
    engine.keep("now", "complete", results, [])
    engine.keep("then", "complete", then, [])
    for key, stamp in (("now", "2026-01-02T12:00:00.000Z"), ("then", "2026-01-01T12:00:00.000Z")):
        row = replace(engine.stored[key].row, started_utc=stamp, modalities=("echo", "ecg"))
        engine.stored[key] = replace(engine.stored[key], row=row)
    return replace(kit.case_of(results), key="now")


def renamed(results: StudyResults, patient: str | None, sha256: str = "9" * 64) -> StudyResults:
    cine = results.cines[0]
    header = replace(cine.header, name=patient, patient_id=patient)
    return replace(results, cines=(replace(cine, header=header, file_sha256=sha256),), ecg=None, ecg_analysis=None)


def test_prior_of_the_same_patient_is_found(engine, kit, full_results):
    found = find_prior(engine, store_pair(engine, kit, full_results, renamed(full_results, kit.CANARY)))
    assert found.case.key == "then"
    assert kit.CANARY not in found.note


@pytest.mark.parametrize(
    ("patient", "sha256", "note"),
    [("SOMEBODY ELSE", "9" * 64, OTHER_TEXT), ("CANARY^PATIENT", "e" * 64, NONE_TEXT)],
    ids=["another patient", "the same file"],
)
def test_another_patient_and_the_same_examination_are_no_prior(engine, kit, full_results, patient, sha256, note):
    found = find_prior(engine, store_pair(engine, kit, full_results, renamed(full_results, patient, sha256)))
    assert found.case.key is None
    assert found.note == note


def test_a_prior_without_a_name_says_so(engine, kit, full_results):
    found = find_prior(engine, store_pair(engine, kit, full_results, renamed(full_results, None)))
    assert found.case.key == "then"
    assert UNKNOWN_TEXT in found.note


def test_prior_compare_shows_clip_and_numbers(window, qtbot, engine, kit, full_results):
    case_now = store_pair(engine, kit, full_results, renamed(full_results, kit.CANARY))
    window.review.update(case=case_now)
    window.menus.actions["hang_prior"].trigger()
    qtbot.waitUntil(lambda: window.review.state.prior.key == "then", timeout=3000)
    assert [tile.spec.clip.origin for tile in window.views["echo"].grid.shown] == ["case", "prior"]
    assert window.views["prior"].table.rowCount() > 0
    rows = {row.name: row for row in prior_rows(case_now, window.review.state.prior)}
    assert (rows["lvef"].prior, rows["lvef"].now, rows["lvef"].change) == ("50", "50 %", "0")
    assert rows["lvef"].judged == "within repeat noise (repeat noise: experts ±7, beginners ±9 EF points)"
    assert rows["edv_index"].change == ""  # withheld in both
    assert rows["edv_index"].judged == ""
    texts = [
        window.views["prior"].table.item(place, 3).text() for place in range(window.views["prior"].table.rowCount())
    ]
    assert "0\nwithin repeat noise" in texts
    assert "experts ±7" in window.views["prior"].note.text()


def test_no_prior_is_said(window, qtbot, engine, kit, full_results):
    engine.keep(kit.RUN_ID, "complete", full_results, [])
    window.review.update(case=kit.case_of(full_results))
    window.menus.actions["hang_prior"].trigger()
    qtbot.waitUntil(lambda: window.review.state.prior_note == NONE_TEXT, timeout=3000)
    assert window.views["prior"].empty.text() == NONE_TEXT
    assert window.views["prior"].empty.isVisible()


def test_a_panel_among_tabs_says_its_name_once(window, qtbot):
    docks = window.stage.docks
    qtbot.waitUntil(lambda: docks["findings"].titleBarWidget() is not None, timeout=5000)
    assert docks["studies"].titleBarWidget() is None  # it stands alone, under its own title
    docks["findings"].setFloating(True)
    qtbot.waitUntil(lambda: docks["findings"].titleBarWidget() is None, timeout=5000)
    docks["findings"].setFloating(False)
    qtbot.waitUntil(lambda: docks["findings"].titleBarWidget() is not None, timeout=5000)


def test_the_panel_with_the_focus_gets_a_window_of_its_own(window):
    dock = window.stage.docks["studies"]
    window.views["studies"].setFocus()
    window.trigger("float_panel")
    assert dock.isFloating()
    assert dock.isVisible()
    dock.setFloating(False)


def test_a_panel_beyond_every_screen_comes_back_and_one_in_sight_stays(window, qtbot):
    dock = window.stage.docks["findings"]
    dock.setFloating(True)
    screen = window.screen().availableGeometry()
    dock.move(screen.center() - QPoint(100, 100))
    window.stage.bring_back()
    assert dock.isFloating()
    for place in (QPoint(screen.right() - 3, 40), QPoint(40, -dock.height() + 5), QPoint(9000, 9000)):
        dock.setFloating(True)
        dock.move(place)
        qtbot.wait(20)
        window.stage.bring_back()
        assert not dock.isFloating()  # its title could not be taken hold of


@pytest.mark.parametrize("points", [9.0, 16.0, 20.0])
def test_a_larger_font_pushes_nothing_out_of_a_small_window(window, qapp, qtbot, cases, points):
    usual = qapp.font()
    try:
        qapp.setFont(QFont(usual.family(), round(points)))
        window.review.update(case=cases["full"])
        window.resize(1280, 720)
        window.stage.set_out("clinician")
        qtbot.wait(100)
        assert (window.width(), window.height()) == (1280, 720)
        inside = window.rect()
        docks = [dock for dock in window.stage.docks.values() if dock.isVisible() and dock.widget().isVisible()]
        places = [dock.geometry() for dock in docks if not dock.visibleRegion().isEmpty()]
        assert all(inside.contains(place) for place in places)
        assert not any(a.intersects(b) for i, a in enumerate(places) for b in places[:i])
        assert window.views["echo"].bar.slider.width() > 0.2 * window.views["echo"].width()
        controls = window.views["ecg"].controls
        for choice in (each for each in controls.choices.values() if each.isVisible()):
            assert choice.geometry().right() <= controls.width()
            assert choice.fontMetrics().horizontalAdvance(choice.currentText()) < choice.width() - 20
    finally:
        qapp.setFont(usual)
