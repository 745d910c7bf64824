"""A small real study: sixteen frames of a clip and ten seconds of an ECG that installed packages ship."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.demo import demo_request

if TYPE_CHECKING:
    from tests.torture.zygote import Zygote

N_FRAMES = 16
MIXES = ("ecg", "echo", "echo+ecg+metadata")
STATES_OF = {
    "ecg": ("VALIDATION", "PREPROCESSING", "ANALYSIS"),
    "echo": ("VALIDATION", "PREPROCESSING", "DETECTION", "ANALYSIS"),
    "echo+ecg+metadata": ("VALIDATION", "PREPROCESSING", "DETECTION", "ANALYSIS"),
}


@dataclass(frozen=True, slots=True)
class Study:
    """The files of a study and what an undisturbed run says of them."""

    mix: str
    files: dict[str, Any]  # fields of the request
    result: bytes
    seconds: float
    states: Sequence[str] = field(default=())


def write_inputs(folder: Path, mix: str) -> dict[str, Any]:
    """The files of a mix, and the fields of their request."""
    files: dict[str, Any] = {}
    request = demo_request()
    if "echo" in mix:
        files["echo_paths"] = [str(short_clip(request.echo_paths[0], folder / "clip.dcm"))]
    if "ecg" in mix:
        target = folder / "ecg.dcm"
        assert request.ecg_path is not None
        target.write_bytes(request.ecg_path.read_bytes())
        files["ecg_path"] = str(target)
    if "metadata" in mix:
        target = folder / "facts.json"
        target.write_text(json.dumps({"age_years": 61, "sex": "female"}))
        files["metadata_path"] = str(target)
    return files


def short_clip(source: Path, target: Path) -> Path:
    """The first frames of a JPEG clip, as they are."""
    import pydicom
    from pydicom.encaps import encapsulate, generate_frames

    dataset = pydicom.dcmread(source)
    frames = generate_frames(dataset.PixelData, number_of_frames=int(dataset.NumberOfFrames))
    dataset.PixelData = encapsulate([next(frames) for _ in range(N_FRAMES)])
    dataset.NumberOfFrames = N_FRAMES
    dataset.save_as(target)
    return target


def make_study(folder: Path, mix: str, zygote: Zygote) -> Study:
    """Write the files of a mix and run them once, undisturbed."""
    files = write_inputs(folder, mix)
    outcome = zygote.run(folder / "whole" / "chordae.sqlite", files)
    assert outcome.status == "complete", outcome
    return Study(mix=mix, files=files, result=outcome.result, seconds=outcome.seconds, states=STATES_OF[mix])
