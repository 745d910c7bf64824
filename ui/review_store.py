"""The store as a whole: encrypted, decrypted, given another passphrase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from ui.passphrase_dialog import StoreWish
    from ui.review import Review

DONE = {
    "encrypt": "The store is encrypted. Chordae will ask for the passphrase at its start.",
    "change": "The store has its new passphrase; the old one opens it no more.",
    "decrypt": "The store is not encrypted any more.",
}


class StoreReview(QObject):
    """Has the store converted, beside nothing else."""

    def __init__(self, review: Review) -> None:
        super().__init__(review)
        self._review = review

    def convert(self, wish: StoreWish) -> None:
        """Start the conversion that the reader wished; while a run goes on the store cannot be had."""
        if self._review.is_running:
            self._review.say("A run is going on; the store can be converted when it has ended.", is_error=True)
            return
        self._review.say("Converting the store …")
        self._review.session.ask("store", lambda engine: engine.convert_store(wish.kind, wish.old, wish.new))

    def take_store(self, _generation: int, kind: str) -> None:
        self._review.say(DONE[kind])
