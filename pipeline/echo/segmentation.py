"""Find the left ventricle's cavity, its myocardium and the left atrium in apical frames.

Importing this module does not import torch: the network is loaded by `load_segmenter`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.echo.labels import clean_labels
from pipeline.echo.manifest import ModelManifest, read_manifest, read_weights
from pipeline.echo.second_look import SecondLook, look_again
from pipeline.records import Array

if TYPE_CHECKING:
    from pipeline.echo.inference import ChamberInference

BACKGROUND, CAVITY, MYOCARDIUM, ATRIUM = 0, 1, 2, 3
DEFAULT_BATCH = 16


@dataclass(frozen=True, slots=True)
class SegmentedBatch:
    """A few consecutive frames of a clip."""

    labels: Array  # uint8 (n_frames, height, width)
    certainty: Array  # float64 (n_frames,) mean largest probability over the heart; 0 where there is none


def model_sha256() -> str:
    """Hash of the shipped weights as the manifest says it; imports no torch and reads no weights."""
    return read_manifest().sha256


def load_segmenter(folder: Path | None = None) -> Segmenter:
    """Load the shipped network, or one from another folder with a manifest.

    Raises
    ------
    HardStopError
        E_HARD_003 when the weights are not, byte for byte, those of the manifest, or cannot be a network.
    ModelError
        When the files cannot be read now; worth another attempt.
    """
    manifest = read_manifest(folder)
    weights = read_weights(manifest, folder)
    from pipeline.echo.inference import build_inference

    return Segmenter(build_inference(manifest, weights), manifest)


class Segmenter:
    """A loaded network. It keeps no state between calls, so one may serve a whole run."""

    def __init__(self, inference: ChamberInference, manifest: ModelManifest) -> None:
        self._inference = inference
        self.manifest = manifest

    @property
    def model_sha256(self) -> str:
        return self.manifest.sha256

    def predict(self, frames: Array, spacing_mm: tuple[float, float]) -> Array:
        """Labels of every frame.

        Parameters
        ----------
        frames : uint8 (n_frames, height, width)
            Grey frames of one clip, apex at the top, in the order of time.
        spacing_mm : (row, column)
            Only the ratio matters: it tells the shape of a pixel.

        Returns
        -------
        uint8 (n_frames, height, width)
            0 background, 1 LV cavity, 2 LV myocardium, 3 left atrium.
        """
        parts = [batch.labels for batch in self.segment(frames, spacing_mm)]
        return np.concatenate(parts) if parts else np.zeros(frames.shape, np.uint8)

    def segment(
        self,
        frames: Array,
        spacing_mm: tuple[float, float],
        *,
        frame_step_s: float = 0.0,
        batch_size: int = DEFAULT_BATCH,
        progress: Progress = no_progress,
        cancel: CancelToken | None = None,
    ) -> Iterator[SegmentedBatch]:
        """The same batch by batch, with how certain the network was; stops between batches when cancelled.

        Frames that lie `frame_step_s` apart are not smoothed over their neighbours where these are too far in time.
        """
        if not len(frames):
            return
        done = 0
        found = self._inference.run(frames, spacing_mm, frame_step_s=frame_step_s, batch_size=batch_size, cancel=cancel)
        for labels, certainty in found:
            if cancel is not None:
                cancel.check()
            done += len(labels)
            progress(done / len(frames), f"Found the chambers in {done} of {len(frames)} frames")
            yield SegmentedBatch(np.stack([clean_labels(frame) for frame in labels]), certainty)

    def probability_maps(self, frames: Array, frame_idx: int, spacing_mm: tuple[float, float]) -> Array:
        """What the network makes of one frame of a clip before neighbours and clean-up.

        Returns
        -------
        float32 (4, height, width)
            Background, LV cavity, LV myocardium, left atrium; they sum to 1 in every pixel.
        """
        return self._inference.maps(frames, frame_idx, spacing_mm)

    def look_again(self, frames: Array, frame_idx: Array, spacing_mm: tuple[float, float]) -> SecondLook:
        """What is found in some frames, uint8 (n_frames, height, width), when they are turned and upside down."""
        return look_again(self.segment, frames, frame_idx, spacing_mm)
