"""Measure a segmenter on held-out stills: overlap, distance of outlines, ejection fraction, time."""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from pipeline.echo.beam import visible_sector
from pipeline.echo.segmentation import ATRIUM, CAVITY, MYOCARDIUM, Segmenter
from pipeline.echo.volumes import disc_volume_ml
from pipeline.errors import AnalysisError
from pipeline.records import Array
from pipeline.training.error_figures import PHASES, Patient, Still, error_figures, measure_still, measures_of

STRUCTURES = {CAVITY: "lv_cavity", MYOCARDIUM: "lv_myocardium", ATRIUM: "left_atrium"}


@dataclass(slots=True)
class _Tally:
    """What is collected over the stills."""

    dice: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    surface_mm: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    volumes_ml: dict[str, dict[str, tuple[float, float]]] = field(default_factory=lambda: defaultdict(dict))
    stills: dict[str, dict[str, tuple[Still, Still, float]]] = field(default_factory=lambda: defaultdict(dict))
    seconds: list[float] = field(default_factory=list)


def dice(found: Array, truth: Array) -> float:
    """Overlap of two boolean masks, 2|A∩B| / (|A|+|B|); NaN when both are empty."""
    total = int(found.sum() + truth.sum())
    return 2.0 * int((found & truth).sum()) / total if total else float("nan")


def mean_surface_mm(found: Array, truth: Array, spacing_mm: tuple[float, float]) -> float:
    """Symmetric mean distance between the outlines of two boolean masks in mm; NaN when one is empty."""
    if not found.any() or not truth.any():
        return float("nan")
    a, b = (mask & ~ndimage.binary_erosion(mask) for mask in (found, truth))
    to_a, to_b = (ndimage.distance_transform_edt(~edge, sampling=spacing_mm) for edge in (a, b))
    return float(np.concatenate([to_b[a], to_a[b]]).mean())


def measure(segmenter: Segmenter, folder: Path) -> dict[str, Any]:
    """Figures over all stills `*_ED.png`, `*_ES.png` of a folder beside whose parent's `index.csv` they are listed.

    Returns
    -------
    dict
        stills; dice, dice_p5 and surface_mm per structure, and the same in phases per phase; ef (n, mae, bias, sd,
        r) in points of single-plane EF from both masks by the method of discs; edv_ml (mae, bias); certainty and
        errors as `error_figures` says; ms_per_still_median.
    """
    with (folder.parent / "index.csv").open(newline="") as table:
        index = {(row["patient"], row["phase"]): row for row in csv.DictReader(table)}
    tally = _Tally()
    for path in sorted(folder.glob("*_E[DS].png")):
        patient, phase = path.stem.split("_")
        row = index[patient, phase]
        _add_still(tally, segmenter, path, (float(row["spacing_row_mm"]), float(row["spacing_col_mm"])))
    if not tally.seconds:
        raise FileNotFoundError(f"no stills named *_ED.png or *_ES.png in {folder.name}")
    patients = [_patient(phases) for phases in tally.stills.values() if set(phases) == set(PHASES)]
    return _overlap_figures(tally) | _volume_figures(tally) | error_figures(patients) | _time_figures(tally)


def _add_still(tally: _Tally, segmenter: Segmenter, path: Path, spacing_mm: tuple[float, float]) -> None:
    patient, phase = path.stem.split("_")
    frame = np.asarray(Image.open(path).convert("L"))
    truth = np.asarray(Image.open(path.with_name(f"{path.stem}_mask.png")))
    start = time.perf_counter()
    batch = next(segmenter.segment(frame[None], spacing_mm))
    found, certainty = batch.labels[0], float(batch.certainty[0])
    tally.seconds.append(time.perf_counter() - start)
    for label, name in STRUCTURES.items():
        tally.dice[name, phase].append(dice(found == label, truth == label))
        tally.surface_mm[name, phase].append(mean_surface_mm(found == label, truth == label, spacing_mm))
    tally.volumes_ml[patient][phase] = (_volume(found, spacing_mm), _volume(truth, spacing_mm))
    sector = visible_sector(frame[None])
    pair = measure_still(found, spacing_mm, sector), measure_still(truth, spacing_mm, sector)
    tally.stills[patient][phase] = (*pair, certainty)


def _patient(phases: dict[str, tuple[Still, Still, float]]) -> Patient:
    found, truth, certainty = zip(*(phases[phase] for phase in PHASES), strict=True)
    return Patient(measures_of(*found), measures_of(*truth), dict(zip(PHASES, certainty, strict=True)))


def _volume(labels: Array, spacing_mm: tuple[float, float]) -> float:
    try:
        return disc_volume_ml(labels == CAVITY, spacing_mm)
    except AnalysisError:
        return float("nan")


def _overlap_figures(tally: _Tally) -> dict[str, Any]:
    phases = {phase: _overlap_in(tally, (phase,)) for phase in PHASES}
    return {"stills": len(tally.seconds), **_overlap_in(tally, PHASES), "phases": phases}


def _overlap_in(tally: _Tally, phases: tuple[str, ...]) -> dict[str, dict[str, float]]:
    def each(values: dict[tuple[str, str], list[float]]) -> dict[str, list[float]]:
        return {name: [v for phase in phases for v in values[name, phase]] for name in STRUCTURES.values()}

    return {
        "dice": {name: round(float(np.nanmean(v)), 4) for name, v in each(tally.dice).items()},
        "dice_p5": {name: round(float(np.nanpercentile(v, 5)), 4) for name, v in each(tally.dice).items()},
        "surface_mm": {name: round(float(np.nanmean(v)), 3) for name, v in each(tally.surface_mm).items()},
    }


def _volume_figures(tally: _Tally) -> dict[str, Any]:
    pairs = np.array([[v[p] for p in PHASES] for v in tally.volumes_ml.values() if set(v) == set(PHASES)])
    pairs = pairs.reshape(-1, 2, 2)  # patient, phase, (found, truth)
    ef = 100 * (1 - pairs[:, 1] / pairs[:, 0])
    good = np.isfinite(ef).all(1)
    error, edv_error = ef[good, 0] - ef[good, 1], pairs[good, 0, 0] - pairs[good, 0, 1]
    several = len(error) > 1
    return {
        "ef": {
            "n": int(good.sum()),
            "withheld": int((~good).sum()),
            "mae": round(float(np.abs(error).mean()), 2),
            "bias": round(float(error.mean()), 2),
            "sd": round(float(error.std()), 2),
            "r": round(float(np.corrcoef(ef[good].T)[0, 1]), 4) if several else None,
        },
        "edv_ml": {"mae": round(float(np.abs(edv_error).mean()), 2), "bias": round(float(edv_error.mean()), 2)},
    }


def _time_figures(tally: _Tally) -> dict[str, Any]:
    return {"ms_per_still_median": round(1000 * float(np.median(tally.seconds)), 1)}
