"""Hanging protocols: which clip stands in which tile of the echo grid, and what it shows there. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.records import CineAnalysis, EchoBeat, EchoCine, EchoDetection, StudyResults

Hanging = Literal["auto", "ef", "cines", "ecg", "prior"]
Pin = Literal["play", "ed", "es"]
Origin = Literal["case", "prior"]
Shape = tuple[int, int]
SHAPES: tuple[Shape, ...] = ((1, 1), (1, 2), (2, 2))
PIN_NAMES = (("ed", "ED"), ("es", "ES"))
EF_VIEWS = ("A4C", "A2C")


@dataclass(frozen=True, slots=True)
class ClipRef:
    """One clip: of the case on screen or of its prior."""

    origin: Origin = "case"
    cine_idx: int = 0


@dataclass(frozen=True, slots=True)
class TileSpec:
    """One tile: a clip, playing or held at end-diastole or end-systole."""

    clip: ClipRef
    pin: Pin = "play"


@dataclass(frozen=True, slots=True)
class GridSpec:
    """Tiles row by row; fewer tiles than places leave the last places empty."""

    shape: Shape
    tiles: tuple[TileSpec, ...]


def cine_of(ref: ClipRef, case: StudyResults, prior: StudyResults) -> EchoCine | None:
    """The clip, None where the study has no such one."""
    cines = (case if ref.origin == "case" else prior).cines
    return cines[ref.cine_idx] if ref.cine_idx < len(cines) else None


def detection_of(ref: ClipRef, case: StudyResults, prior: StudyResults) -> EchoDetection | None:
    """The outlines of a clip, None while there are none."""
    found = (case if ref.origin == "case" else prior).detections
    return found[ref.cine_idx] if ref.cine_idx < len(found) else None


def analysis_of(ref: ClipRef, case: StudyResults, prior: StudyResults) -> CineAnalysis | None:
    """Volumes and beats of a clip, None while there are none."""
    found = (case if ref.origin == "case" else prior).clip_analyses
    return found[ref.cine_idx] if ref.cine_idx < len(found) else None


def hang(hanging: Hanging, shape: Shape | None, chosen_idx: int, case: StudyResults, prior: StudyResults) -> GridSpec:
    """The tiles of the echo grid.

    Parameters
    ----------
    hanging
        The protocol; "auto" and "ecg" show the chosen clip alone.
    shape
        (rows, columns) that the reader chose; None leaves it to the protocol.
    chosen_idx
        The clip of the case that the reader looks at.
    case, prior
        What there is to show; an empty prior has no clips.
    """
    tiles = _tiles(hanging, chosen_idx, case, prior)
    if shape is not None:
        return GridSpec(shape, _filled(tiles, shape[0] * shape[1], chosen_idx, case))
    return GridSpec(_shape_for(len(tiles)), tiles)


def _tiles(hanging: Hanging, chosen_idx: int, case: StudyResults, prior: StudyResults) -> tuple[TileSpec, ...]:
    clips = [ClipRef("case", idx) for idx in range(len(case.cines))]
    if hanging == "ef" and clips:
        shown = _ef_clips(case) or [ClipRef("case", chosen_idx)]
        return tuple(TileSpec(clip, pin) for pin in ("ed", "es") for clip in shown)
    if hanging == "cines" and clips:
        return tuple(TileSpec(clip) for clip in clips[:4])
    alone = TileSpec(ClipRef("case", chosen_idx))
    if hanging == "prior" and prior.cines:
        return alone, TileSpec(_counterpart(chosen_idx, case, prior))
    return (alone,)


def _ef_clips(case: StudyResults) -> list[ClipRef]:
    """The first clip of each apical view that the ejection fraction is taken from, A4C before A2C."""
    views = [cine.view for cine in case.cines]
    return [ClipRef("case", views.index(view)) for view in EF_VIEWS if view in views]


def _counterpart(chosen_idx: int, case: StudyResults, prior: StudyResults) -> ClipRef:
    """The prior's clip of the same view, else its first."""
    view = case.cines[chosen_idx].view if chosen_idx < len(case.cines) else ""
    return ClipRef("prior", next((idx for idx, cine in enumerate(prior.cines) if cine.view == view), 0))


def _filled(tiles: tuple[TileSpec, ...], n_places: int, chosen_idx: int, case: StudyResults) -> tuple[TileSpec, ...]:
    """As many tiles as there are places, where the case has something for them: clips first, then ED and ES."""
    others = [ClipRef("case", idx) for idx in range(len(case.cines)) if idx != chosen_idx]
    held = [TileSpec(ClipRef("case", chosen_idx), pin) for pin in ("ed", "es")]
    more = [tile for tile in (*(TileSpec(clip) for clip in others), *held) if tile not in tiles]
    return (*tiles, *more)[:n_places]


def _shape_for(n_tiles: int) -> Shape:
    return next((shape for shape in SHAPES if shape[0] * shape[1] >= n_tiles), SHAPES[-1])


def pinned_frame(pin: Pin, analysis: CineAnalysis | None, beat: int | None) -> int | None:
    """The frame at which a tile is held; None where it plays or the beat is not known.

    `beat` counts from 0; None takes the first beat that was measured.
    """
    beats = analysis.beats if analysis is not None else ()
    if pin == "play" or not beats:
        return None
    chosen = beats[min(beat, len(beats) - 1)] if beat is not None else _measured(beats)
    return chosen.ed_idx if pin == "ed" else chosen.es_idx


def _measured(beats: tuple[EchoBeat, ...]) -> EchoBeat:
    return next((beat for beat in beats if beat.excluded is None), beats[0])
