"""From beat to beat of a clip, and what a frame is called. Knows no Qt."""

from __future__ import annotations

from pipeline.records import EchoBeat

Beats = tuple[EchoBeat, ...]


def next_start(beats: Beats, frame_idx: int) -> int:
    """The next end-diastole; after the last one the first."""
    starts = [beat.ed_idx for beat in beats]
    return next((idx for idx in starts if idx > frame_idx), starts[0] if starts else frame_idx)


def previous_start(beats: Beats, frame_idx: int) -> int:
    """The end-diastole before; before the first one the last."""
    starts = [beat.ed_idx for beat in reversed(beats)]
    return next((idx for idx in starts if idx < frame_idx), starts[0] if starts else frame_idx)


def beat_at(beats: Beats, frame_idx: int) -> int | None:
    """The measured beat that a frame lies in, counted from 0; None where it lies in none."""
    return next((n for n, b in enumerate(beats) if b.excluded is None and b.ed_idx <= frame_idx <= b.end_idx), None)


def badge(beats: Beats, frame_idx: int) -> str:
    """What a frame is called: "ED beat 1"; empty for the frames between."""
    marks = []
    for number, beat in enumerate(beats, start=1):
        if beat.ed_idx == frame_idx:
            marks.append(f"ED beat {number}")
        if beat.es_idx == frame_idx:
            marks.append(f"ES beat {number}")
    return " · ".join(marks)
