"""Every intermediate result of a run by name, with what its axes mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.records import (
    CineAnalysis,
    EcgAnalysis,
    EchoCine,
    EchoDetection,
    PreparedEcg,
    StudyResults,
)

LABELS_TEXT = "0 background, 1 LV cavity, 2 LV myocardium, 3 left atrium"
STRUCTURES = ("lv_endocardium", "lv_epicardium", "left_atrium")
BOUNDARIES = ("p_on", "p_off", "qrs_on", "qrs_off", "t_on", "t_off")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Item:
    """One result: an array, or a tree of JSON values where the result is made of named parts."""

    name: str  # "echo.1.labels"
    label: str
    value: Any  # numpy array, or JSON values
    axes: tuple[str, ...] = ()  # what each axis of an array counts
    unit: str = ""
    note: str = ""

    @property
    def is_array(self) -> bool:
        return isinstance(self.value, np.ndarray)

    @property
    def size_text(self) -> str:
        """Shape and type: "120 x 360 x 480 uint8"; for a tree the number of its parts."""
        if self.is_array:
            return f"{' x '.join(str(n) for n in self.value.shape)} {self.value.dtype}"
        return f"{len(self.value)} parts"


def items_of(results: StudyResults, report: Mapping[str, Any] | None = None) -> tuple[Item, ...]:
    """Everything that a run has left, in the order of the pipeline; nothing is copied."""
    return (*_echo_items(results), *_ecg_items(results.ecg, results.ecg_analysis), *_fused_items(results, report))


def _echo_items(results: StudyResults) -> Iterator[Item]:
    for place, (cine, analysis) in enumerate(zip(results.cines, results.clip_analyses, strict=True)):
        base = f"echo.{place + 1}"
        yield from _cine_items(base, cine)
        if place < len(results.detections):
            yield from _detection_items(base, results.detections[place])
        if analysis is not None:
            yield from _analysis_items(base, analysis)


def _cine_items(base: str, cine: EchoCine) -> Iterator[Item]:
    grid = ("frame", "row", "column")
    yield Item(name=f"{base}.frames", label="Preprocessed frames", value=cine.frames, axes=grid, unit="grey")
    yield Item(name=f"{base}.frame_times_s", label="Frame times", value=cine.frame_times_s, axes=("frame",), unit="s")
    yield Item(name=f"{base}.gate", label="Figures of the quality gate", value=dict(cine.quality))


def _detection_items(base: str, found: EchoDetection) -> Iterator[Item]:
    grid = ("frame", "row", "column")
    yield Item(name=f"{base}.labels", label="Masks", value=found.labels, axes=grid, note=LABELS_TEXT)
    for name in STRUCTURES:
        yield Item(
            name=f"{base}.{name}",
            label=f"Outline {name.replace('_', ' ')}",
            value=getattr(found, name),
            axes=("frame", "point", "x, y"),
            unit="px",
        )
    yield Item(name=f"{base}.confidence", label="Confidence", value=found.confidence, axes=("frame",))
    if found.certainty is not None:
        yield Item(name=f"{base}.certainty", label="Certainty of the network", value=found.certainty, axes=("frame",))
    if found.quality is not None:
        for part, values in found.quality.frame_parts.items():
            label = f"Quality: {part.replace('_', ' ')}"
            yield Item(name=f"{base}.quality.{part}", label=label, value=values, axes=("frame",))


def _analysis_items(base: str, analysis: CineAnalysis) -> Iterator[Item]:
    volume, frame = analysis.volume_unit, ("frame",)
    curves = (
        ("volume_curve", "Volume", analysis.volume_curve, frame, volume),
        ("smoothed_curve", "Volume, smoothed", analysis.smoothed_curve, frame, volume),
        ("strain_curve", "Longitudinal strain", analysis.strain_curve, frame, "%"),
        ("segment_inward", "Inward motion of segments", analysis.segment_inward, ("frame", "segment"), "%"),
        ("segment_strain", "Strain of segments", analysis.segment_strain, ("frame", "segment"), "%"),
    )
    for name, label, value, axes, unit in curves:
        if value is not None:
            yield Item(name=f"{base}.{name}", label=label, value=value, axes=axes, unit=unit)
    yield Item(name=f"{base}.beats", label="Beats of the clip", value=_tree(analysis.beats))
    yield Item(name=f"{base}.segments", label="Wall segments", value=_tree(analysis.segments))


def _ecg_items(ecg: PreparedEcg | None, analysis: EcgAnalysis | None) -> Iterator[Item]:
    if ecg is None:
        return
    grid = ("lead", "sample")
    names = ", ".join(ecg.record.leads)
    yield Item(name="ecg.raw_mv", label="Signal as read", value=ecg.record.signal_mv, axes=grid, unit="mV", note=names)
    note = f"{names}; {ecg.filter_text}"
    yield Item(name="ecg.filtered_mv", label="Filtered signal", value=ecg.filtered_mv, axes=grid, unit="mV", note=note)
    yield Item(name="ecg.lead_quality", label="Quality of leads", value=ecg.lead_quality, axes=("lead",), note=names)
    yield Item(name="ecg.lead_usable", label="Usable leads", value=ecg.lead_usable, axes=("lead",), note=names)
    if analysis is None:
        return
    rate = f"sample positions at {ecg.record.sampling_rate_hz:g} Hz"
    beat = ("beat",)
    yield Item(name="ecg.r_peaks_idx", label="R peaks", value=analysis.r_peaks_idx, axes=beat, note=rate)
    yield Item(name="ecg.beat_classes", label="Beat classes", value=list(analysis.beat_classes), note="AAMI letters")
    yield Item(name="ecg.af_beats", label="Beats in suspected fibrillation", value=analysis.af_beats, axes=beat)
    for name in BOUNDARIES:
        value = getattr(analysis.delineation, name)
        label = f"Delineation {name.replace('_', ' ')}"
        yield Item(name=f"ecg.delineation.{name}", label=label, value=value, axes=("lead", "beat"), note=rate)
    yield Item(name="ecg.waves", label="Waves of the median beats", value=_tree(analysis.waves))
    yield Item(name="ecg.rhythm", label="Rhythm", value=_tree(analysis.rhythm))
    yield Item(name="ecg.statements", label="Statements", value=_tree(analysis.statements))


def _fused_items(results: StudyResults, report: Mapping[str, Any] | None) -> Iterator[Item]:
    result = (report or {}).get("result") or {}
    for part, label in (
        ("metadata", "Facts about the patient"),
        ("measurements", "Fused measurements"),
        ("cross_checks", "Cross-checks"),
        ("risk", "Risk"),
    ):
        if result.get(part):
            yield Item(name=f"fused.{part}", label=label, value=result[part])


def _tree(records: tuple[Any, ...]) -> list[Any]:
    return [dataclasses.asdict(record) for record in records]
