"""The demo study with a clip of a few frames, so that a run takes a second or two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames

from app.demo import demo_request
from pipeline.records import CardiologyRequest


def short_study(folder: Path, n_frames: int = 24) -> CardiologyRequest:
    """The demo's ECG and the first frames of its clip, written to `folder`."""
    request = demo_request()
    clip = dcmread(request.echo_paths[0])
    frames = list(generate_frames(clip.PixelData, number_of_frames=int(clip.NumberOfFrames)))[:n_frames]
    clip.PixelData = encapsulate(frames)
    clip.NumberOfFrames = len(frames)
    path = folder / "short.dcm"
    clip.save_as(path)
    return replace(request, echo_paths=(path,))
