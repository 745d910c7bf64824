"""Where a number of the ECG comes from."""

from __future__ import annotations

from pipeline.records import Array, Source

_LISTED_BEATS = 50  # beats named in a source; of more, the first, which callers sort to the front


def beat_source(file_sha256: str, beats: Array, lead: str | None = None) -> Source:
    """The file and the beats, int (n_beats,) numbers from 0, that a number rests on."""
    listed = tuple(int(i) for i in beats[:_LISTED_BEATS])
    return Source(file_sha256=file_sha256, beat_idx=listed, lead=lead)
