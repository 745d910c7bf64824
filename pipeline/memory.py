"""Telling that memory ran out: libraries have their own words for it."""

from __future__ import annotations

_WORDS = ("can't allocate memory", "not enough memory", "insufficient memory", "bad_alloc")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out: torch says it by RuntimeError, OpenCV by its own kind."""
    if isinstance(error, MemoryError):
        return True
    is_library_error = isinstance(error, RuntimeError) or type(error).__module__ == "cv2"
    text = str(error).lower() if is_library_error else ""
    return any(word in text for word in _WORDS)
