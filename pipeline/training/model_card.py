"""The text of the model card and of the licence notice that lie beside the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

LICENCE_NOTICE = """\
The file chambers.safetensors in this folder was trained on the CAMUS data set and carries its licence:
Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International (CC BY-NC-SA 4.0),
https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode

Non-commercial research use only. Whoever passes the weights on, changed or not, does so under the same licence
and names their source:

S. Leclerc, E. Smistad, J. Pedrosa, A. Ostvik, et al., "Deep Learning for Segmentation using an Open Large-Scale
Dataset in 2D Echocardiography", IEEE Transactions on Medical Imaging 38(9):2198-2210, 2019,
doi 10.1109/TMI.2019.2900516.

What was changed: the images and their outlines were used to train a network; no image or outline is contained.
The licence of the program around the weights is another one and does not extend to this folder.
"""

_CARD = """\
# Model card: chambers

Finds the left ventricle's cavity, its myocardium and the left atrium in apical four-chamber echocardiograms.
This card was written by the command that measured the figures: `{published_with}`.

| | |
|---|---|
| file | `{file}`, {size_bytes:,} bytes, stored as {stored_as} |
| SHA-256 | `{sha256}` |
| licence of the weights | {licence}: non-commercial research use only |
| network | `{network}`, widths {widths}, input {input_px} x {input_px} |
| data | {data_name}; {citation} |
| trained on | {trained_on} |
| chosen and measured on | {measured_on} |
| training | {training} |
| began at | {start} |
| settings | {settings} |

## Figures on the held-out patients

{stills} stills of {patients} patients, end-diastole and end-systole; the weights as shipped, through the whole
segmenter (ten looks, clean-up), {milliseconds} ms a still (median, on the machine that wrote this card).

| structure | phase | Dice, mean | Dice, 5th percentile | distance of outlines, mm |
|---|---|---|---|---|
{rows}

Single-plane ejection fraction by the method of discs, network's masks against the cardiologist's: mean absolute
error {ef_mae} points, bias {ef_bias}, standard deviation {ef_sd}, r = {ef_r} ({patients} patients, {ef_withheld}
withheld).
End-diastolic volume: mean absolute error {edv_mae} mL, bias {edv_bias} mL.

The number of training steps and the settings were chosen on these same patients, so that the figures are slightly
favourable.
{runs}
## Intervals

The 90 % interval beside a measure is split conformal prediction on the same patients, normalised by the network's
certainty: half the width in a clip of typical certainty ({certainty:.3f}), and how many patients it covered when they
were left out (repeated five-fold cross-fitting). Stills show no time to peak: its interval comes from the clip.

| measure | reach | covered | patients |
|---|---|---|---|
{interval_rows}

## Limits

- One hospital, one maker's machines, apical four-chamber stills at end-diastole and end-systole only. Frames between
  the two phases, other machines and other views, the two-chamber view among them, were not in the training.
- The apex must be at the top; a mirrored image (septum on the right) is found, but its walls are named wrongly.
- Poor images, contrast agents, devices, congenital disease and severe foreshortening were not judged apart.
- Research use only, not for diagnostic use. Every contour is shown so that a reader can refuse it.
"""


def model_card(manifest: Mapping[str, Any]) -> str:
    """The card in Markdown, out of a manifest with figures."""
    shape, data, figures = manifest["architecture"], manifest["data"], manifest["figures"]
    ejection, volume = figures["ef"], figures["edv_ml"]
    phases = {"both": figures, **figures["phases"]}
    rows = [
        f"| {name.replace('_', ' ')} | {phase} | {of['dice'][name]:.4f} | {of['dice_p5'][name]:.4f} "
        f"| {of['surface_mm'][name]:.2f} |"
        for name in figures["dice"]
        for phase, of in phases.items()
    ]
    return _CARD.format(
        **{key: manifest[key] for key in ("published_with", "file", "size_bytes", "stored_as", "sha256", "licence")},
        network=shape["class"],
        widths=", ".join(str(width) for width in shape["widths"]),
        input_px=shape["input_px"],
        data_name=data["name"],
        citation=data["citation"],
        trained_on=data["trained_on"],
        measured_on=data["chosen_and_measured_on"],
        training=f"`{manifest['training']['command']}`",
        start=_start_text(manifest["training"]["start"]),
        runs=_runs_text(manifest["runs"]),
        settings=", ".join(f"{key} {value}" for key, value in manifest["training"]["config"].items()),
        stills=figures["stills"],
        patients=ejection["n"],
        milliseconds=figures["ms_per_still_median"],
        rows="\n".join(rows),
        ef_mae=ejection["mae"],
        ef_bias=ejection["bias"],
        ef_sd=ejection["sd"],
        ef_r=ejection["r"],
        ef_withheld=ejection["withheld"],
        certainty=figures["certainty"]["median"],
        interval_rows="\n".join(_interval_row(name, row) for name, row in figures["errors"].items()),
        edv_mae=volume["mae"],
        edv_bias=volume["bias"],
    )


def _start_text(start: Mapping[str, Any]) -> str:
    """Which weights a training began at."""
    return f"weights with SHA-256 `{start['sha256']}`, made by `{start['command']}`" if start["sha256"] else "random"


_RUNS = """
The first of several trainings that differ by their seed is shipped:

| training | SHA-256 as stored | Dice: cavity / wall / atrium | outline of the cavity, mm | EF: error, bias, r |
|---|---|---|---|---|
{}
"""


def _runs_text(runs: Sequence[Mapping[str, Any]]) -> str:
    """How trainings that differ by their seed do; nothing for a single one."""
    rows = [
        f"| `{run['command']}` | `{run['sha256'][:16]}` | "
        + " / ".join(f"{value:.4f}" for value in run["dice"].values())
        + f" | {run['surface_mm']['lv_cavity']:.2f} | {run['ef']['mae']}, {run['ef']['bias']}, {run['ef']['r']} |"
        for run in runs
    ]
    return _RUNS.format("\n".join(rows)) if rows else ""


def _interval_row(name: str, row: Mapping[str, Any]) -> str:
    reach = f"{row['reach']:.1f} points" if row["scale"] == "points" else f"a factor of {math.exp(row['reach']):.2f}"
    return f"| {name} | {reach} | {100 * row['coverage']:.0f} % | {row['patients']} |"
