"""A clip that was refused for low confidence, in which a reader has drawn: only what the reader drew counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pipeline.echo.cine_study import CineStudy
from pipeline.echo.manifest import ModelManifest
from pipeline.echo.volumes import disc_volume_from_contour
from pipeline.records import Array, EchoCine, EchoDetection, Remark
from pipeline.review.changes import PhaseName
from pipeline.review.cine_bench import CineBench, CineChanges, redrawn

READER_ALONE = Remark(
    code="W_READER_ALONE",
    text=(
        "The chambers of a clip were found only with low confidence; its numbers rest on a reader's outlines alone, "
        "while their intervals are those of the model's error."
    ),
)


class RefusedClip:
    """Measures a refused clip once a reader has outlined the cavity in two frames; until then it stays refused."""

    def __init__(self, cine: EchoCine, detection: EchoDetection, manifest: ModelManifest) -> None:
        self._cine, self._detection, self._manifest = cine, detection, manifest
        self._bench: CineBench | None = None

    def redrawn(self, work: CineChanges) -> EchoDetection:
        """The detection with what the reader drew so far; the clip is still a refused one."""
        return redrawn(self._detection, work.contours)

    def study(self, work: CineChanges) -> CineStudy | None:
        """The clip measured from the reader's outlines; None while they are too few.

        Where the reader has not said which frames are end-diastole and end-systole, they are the two outlined frames,
        the larger cavity before the smaller one, between which the cavity empties most.
        """
        drawn = {frame: line for (frame, part), line in work.contours.items() if part == "lv_cavity"}
        phases = dict(work.phases) | _missing_phases(drawn, work.phases)
        if not drawn or not {(0, "ed"), (0, "es")} <= set(phases):
            return None
        if self._bench is None:
            self._bench = CineBench(self._cine, _unseen(self._detection), self._manifest)
        study = self._bench.study(replace(work, phases=phases))
        shown = replace(self.redrawn(work), low_confidence_reason=None)
        return replace(study, detection=replace(shown, remarks=(*shown.remarks, READER_ALONE)))


def _unseen(detection: EchoDetection) -> EchoDetection:
    """The detection without any of the model's lines."""
    lines = ("lv_endocardium", "lv_epicardium", "left_atrium")
    empty = {name: np.full_like(getattr(detection, name), np.nan) for name in lines}
    return replace(detection, confidence=np.zeros_like(detection.confidence), **empty)


def _missing_phases(
    drawn: Mapping[int, Array], named: Mapping[tuple[int, PhaseName], int]
) -> dict[tuple[int, PhaseName], int]:
    """End-diastole and end-systole of the first beat, where the reader named neither or one of them."""
    size = {frame: disc_volume_from_contour(np.asarray(line, np.float32), (1.0, 1.0)) for frame, line in drawn.items()}
    pairs = [
        (size[ed] - size[es], ed, es)
        for ed in size
        for es in size
        if ed < es and named.get((0, "ed"), ed) == ed and named.get((0, "es"), es) == es and size[ed] > size[es]
    ]
    if not pairs:
        return {}
    _, ed, es = max(pairs)
    return {(0, "ed"): ed, (0, "es"): es}
