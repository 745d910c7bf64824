"""The network's probabilities of one frame, made when they are asked for: they are not stored with a run."""

from __future__ import annotations

import numpy as np

from pipeline.cancellation import CancelToken, no_progress
from pipeline.executor import StageExecutor, ThreadExecutor
from pipeline.records import EchoCine
from pipeline.research.items import Item
from pipeline.retry import Attempt
from pipeline.stage_calls import FrameOfClip, ProbabilityMaps, StageCall

STRUCTURES = ("background", "LV cavity", "LV myocardium", "left atrium")
SCOUTED = 8


def probabilities_of(cine: EchoCine, frame_idx: int, executor: StageExecutor | None = None) -> ProbabilityMaps:
    """Probability maps of one frame, by the network of this installation.

    The heart is looked for in eight frames spread over the clip, as a run does, and in the frame asked for.
    Raises HardStopError or ModelError where the network cannot be loaded.
    """
    n_frames = len(cine.frames)
    spread = np.linspace(0, n_frames - 1, min(n_frames, SCOUTED)).round().astype(int)
    chosen = np.unique(np.r_[spread, frame_idx])
    given = FrameOfClip(
        frames=np.ascontiguousarray(cine.frames[chosen]),
        frame_idx=int(np.searchsorted(chosen, frame_idx)),
        spacing_mm=cine.calibration.spacing_mm or (1.0, 1.0),
    )
    call = StageCall(name="probability_maps", arguments=given)
    answer: ProbabilityMaps = (executor or ThreadExecutor()).call(call, Attempt(), no_progress, CancelToken())
    return ProbabilityMaps(maps=answer.maps, frame_idx=frame_idx, model_sha256=answer.model_sha256)


def as_item(place: int, found: ProbabilityMaps) -> Item:
    """The maps as a result that can be shown and saved."""
    return Item(
        name=f"echo.{place + 1}.probabilities",
        label=f"Probability maps of frame {found.frame_idx + 1}",
        value=found.maps,
        axes=("structure", "row", "column"),
        note=f"{', '.join(STRUCTURES)}; model SHA-256 {found.model_sha256}",
    )
