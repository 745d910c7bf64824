"""Menus, keys, help."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QLabel

import resources
from ui.actions import ACTIONS, MENUS
from ui.shell.view_table import VIEWS
from ui.widgets.help_overlay import HelpOverlay


def test_every_action_has_words_a_picture_a_key_of_its_own_and_a_doer(window):
    actions = [a for a in window.findChildren(QAction) if a.text() and a.shortcut().toString()]
    keys = [a.shortcut().toString() for a in actions]
    assert len(keys) == len(set(keys))
    panels = sum(1 for view in VIEWS if view.keys)
    assert len(window.menus.actions) == len(ACTIONS) + panels
    assert all(a.text() and not a.shortcut().isEmpty() for a in window.menus.actions.values())
    for menu in window.menus.menus.values():
        menu.aboutToShow.emit()  # as Qt does when it opens
    for spec in ACTIONS:
        assert resources.path(f"icons/{spec.icon}.svg").stat().st_size > 0
        assert not window.menus.actions[spec.name].icon().isNull()
        assert spec.keys in window.menus.actions[spec.name].toolTip()
        assert bool(spec.does) != (spec.option is not None), spec.name
    assert {spec.menu for spec in ACTIONS} == set(dict(MENUS))


def test_about_opens_and_closes(window, qtbot):
    window.menus.actions["show_about"].trigger()
    dialog = window.findChild(QDialog)
    assert dialog.isVisible()
    assert "Chordae" in " ".join(label.text() for label in dialog.findChildren(QLabel))
    dialog.close()
    qtbot.waitUntil(lambda: window.findChild(QDialog) is None, timeout=2000)


def test_help_names_every_key_and_keeps_the_keys_to_itself(window, qtbot, cases):
    window.review.update(case=cases["full"])
    window.menus.actions["show_keys"].trigger()
    overlay = window.findChild(HelpOverlay)
    assert overlay.isVisible()
    assert overlay.geometry().bottomRight() == window.rect().bottomRight()
    assert overlay.geometry().top() == window.head.geometry().bottom() + 1  # the notice stays in sight
    told = {label.text() for label in overlay.findChildren(QLabel)}
    assert {spec.keys for spec in ACTIONS} | {view.keys for view in VIEWS if view.keys} <= told
    assert {spec.words for spec in ACTIONS} <= told
    before = window.views["echo"].frame_idx
    qtbot.keyClick(overlay, Qt.Key.Key_Right)
    assert window.views["echo"].frame_idx == before
    qtbot.keyClick(overlay, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.findChild(HelpOverlay) is None, timeout=2000)


def test_no_single_key_deletes():
    """What takes something away needs Ctrl."""
    risky = [spec for spec in ACTIONS if any(word in spec.words.casefold() for word in ("delete", "forget", "remove"))]
    assert risky
    assert all("Ctrl" in spec.keys for spec in risky)
