"""What a request holds, in words."""

from __future__ import annotations

from pipeline.records import CardiologyRequest


def describe(request: CardiologyRequest | None) -> str:
    """What a request holds, without a name: "2 echo clips + ECG"."""
    if request is None:
        return ""
    n_clips = len(request.echo_paths)
    parts = (
        "" if n_clips == 0 else "Echo" if n_clips == 1 else f"{n_clips} echo clips",
        "ECG" if request.has_ecg else "",
        "facts" if request.has_metadata else "",
    )
    return " + ".join(part for part in parts if part)
