"""The passphrase in the window: asked for at the start, and given, changed and taken away by the menu."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLineEdit

from pipeline.store.keys import CONFIRMATION, LOST_TEXT
from ui.passphrase_dialog import StoreDialog, StoreWish, UnlockDialog

NEW = "quite some new words"


def type_in(dialog: StoreDialog, **words: str) -> None:
    for name, text in words.items():
        dialog.lines[name].setText(text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "At least 12"),
        ({"new": "too short"}, "At least 12"),
        ({"new": NEW}, "differ"),
        ({"new": NEW, "again": NEW[:-1]}, "differ"),
        ({"new": NEW, "again": NEW}, CONFIRMATION),
        ({"new": NEW, "again": NEW, "confirmation": "yes"}, CONFIRMATION),
        ({"new": NEW, "again": NEW, "confirmation": CONFIRMATION}, ""),
    ],
)
def test_the_button_works_once_everything_fits(qtbot, words, said):
    dialog = StoreDialog(is_encrypted=False)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.lost.isVisible()
    assert dialog.lost.text() == LOST_TEXT
    assert not dialog.lines["old"].isVisible()
    type_in(dialog, **words)
    assert dialog.act.isEnabled() == (said == "")
    assert said in dialog.problem.text()


def test_an_encrypted_store_can_be_changed_or_decrypted(qtbot):
    dialog = StoreDialog(is_encrypted=True)
    qtbot.addWidget(dialog)
    dialog.show()
    assert [dialog.choice.itemData(n) for n in range(dialog.choice.count())] == ["change", "decrypt"]
    assert all(line.isVisible() for line in dialog.lines.values())
    dialog.choice.setCurrentIndex(1)
    assert [name for name, line in dialog.lines.items() if line.isVisible()] == ["old"]
    assert not dialog.lost.isVisible()
    type_in(dialog, old="present words")
    wishes: list[StoreWish] = []
    dialog.wished.connect(wishes.append)
    dialog.act.click()
    assert wishes == [StoreWish(kind="decrypt", old="present words")]
    assert "present words" not in repr(wishes)


def test_passphrases_are_not_shown(qtbot):
    dialog = StoreDialog(is_encrypted=True)
    qtbot.addWidget(dialog)
    hidden = [name for name, line in dialog.lines.items() if line.echoMode() == QLineEdit.EchoMode.Password]
    assert hidden == ["old", "new", "again"]


def test_the_menu_has_the_store_converted(window, engine, qtbot):
    window.menus.actions["protect_store"].trigger()
    dialog = window.findChild(StoreDialog)
    type_in(dialog, new=NEW, again=NEW, confirmation=CONFIRMATION)
    dialog.act.click()
    qtbot.waitUntil(lambda: engine.conversions == [("encrypt", "", NEW)], timeout=3000)
    qtbot.waitUntil(lambda: "is encrypted" in window.head.message.text(), timeout=3000)
    qtbot.waitUntil(lambda: window.findChild(StoreDialog) is None, timeout=3000)
    window.menus.actions["protect_store"].trigger()
    dialog = window.findChild(StoreDialog)
    dialog.choice.setCurrentIndex(1)
    type_in(dialog, old="other words")
    dialog.act.click()
    qtbot.waitUntil(lambda: "E_STORE_PASSPHRASE" in window.head.message.text(), timeout=3000)
    assert len(engine.conversions) == 1


def test_while_a_run_goes_on_the_store_is_left_alone(window, engine, qtbot):
    from pipeline.records import CardiologyRequest

    engine.holds = True
    window.review.cases.start(CardiologyRequest(), None)
    qtbot.waitUntil(lambda: window.review.is_running, timeout=3000)
    window.review.store.convert(StoreWish(kind="encrypt", new=NEW))
    assert "A run is going on" in window.head.message.text()
    assert engine.conversions == []
    window.review.cases.cancel()
    qtbot.waitUntil(lambda: not window.review.is_running, timeout=5000)


def test_the_start_asks_three_times(qtbot):
    tried: list[str] = []

    def unlock(words: str) -> str | None:
        tried.append(words)
        return None if words == "right" else "That is not it."

    dialog = UnlockDialog(unlock)
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.act.isEnabled()
    for n, left in ((1, "Tries left: 2."), (2, "Tries left: 1.")):
        dialog.line.setText(f"wrong {n}")
        dialog.act.click()
        assert dialog.problem.text() == f"That is not it. {left}"
        assert dialog.line.text() == ""
    dialog.line.setText("wrong 3")
    dialog.act.click()
    assert dialog.result() == UnlockDialog.DialogCode.Rejected
    assert tried == ["wrong 1", "wrong 2", "wrong 3"]
    again = UnlockDialog(unlock)
    qtbot.addWidget(again)
    again.show()
    again.line.setText("right")
    again.act.click()
    assert again.result() == UnlockDialog.DialogCode.Accepted
