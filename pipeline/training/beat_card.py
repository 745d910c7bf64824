"""Write the folder of the beat model: trees, manifest, model card and licence notice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from pipeline.model_files import MANIFEST_NAME
from pipeline.records import Array

TREES_NAME = "beats.safetensors"
CITATION = "Moody and Mark, IEEE Eng Med Biol 20(3):45-50, 2001, doi 10.1109/51.932724"
COMMAND = "python -m pipeline.training.beats --data DIR --output resources/models/mitdb_odc_by --seed {seed}"

_LICENCE = """\
The file beats.safetensors in this folder was trained on the MIT-BIH Arrhythmia Database of PhysioNet, which is given
under the Open Data Commons Attribution License (ODC-By) v1.0, https://opendatacommons.org/licenses/by/1-0/

Contains information from the MIT-BIH Arrhythmia Database, which is made available under the ODC Attribution License.
G. B. Moody, R. G. Mark, "The impact of the MIT-BIH Arrhythmia Database", IEEE Eng in Med and Biol 20(3):45-50, 2001,
doi 10.1109/51.932724. A. L. Goldberger et al., "PhysioBank, PhysioToolkit, and PhysioNet", Circulation
101(23):e215-e220, 2000, doi 10.1161/01.CIR.101.23.e215.

What was changed: the recordings and their annotations were used to grow decision trees; no recording is contained.
"""

_ATTEMPTS = """\
Other ways were tried (V and S, all leads): choosing by the best F1 instead of the lesser of the two figures gave 93.2 /
88.7 and 73.2 / 84.4; weighing records with many ectopic beats less, 92.7 / 91.7 and 73.8 / 81.5; the mean of the trees
of three feature lists for V, 93.1 / 91.0 and 72.7 / 80.6; choosing the limit of fibrillation in the folds too, 93.6 /
92.0 and 77.3 / 71.6, since only two records fibrillate: it comes from LUDB instead."""

_CARD = """\
# Model card: beats

Tells ventricular (V) and supraventricular (S) ectopic beats from all others (N) by their timing and shape against the
patient's own usual beat. This card was written by the command that grew the trees: `{command}`.

| | |
|---|---|
| file | `{file}`, {size_bytes:,} bytes |
| SHA-256 | `{sha256}` |
| licence | {licence} |
| method | gradient-boosted trees, one ensemble a class, V averaged over beats of one shape; some features monotone |
| data | MIT-BIH Arrhythmia Database, {n_records} records without pacing: {records} |
| citation | {citation} |
| settings | {settings} |

## Figures

Cross-validated by record in {folds} folds: no record was seen by the trees that judge it. Beats are those that the
application itself detects; a reference beat that was not detected counts as missed. As in ANSI/AAMI EC57, fusion and
unknown beats called V or S are counted apart. V and S in percent: sensitivity / positive predictive value.

| leads | V | S | fusion beats called V |
|---|---|---|---|
{totals}

Record by record with all leads (right, wrong, missed):

| record | fold | V | S |
|---|---|---|---|
{rows}

What else was chosen: which features and trees, the limits from which a class is claimed, and which rules hold with
which shares. All of it was chosen anew for every fold, on the other folds alone, by one walk through a list of settings
(`pipeline.training.beat_choice`); trees grown without both folds judged there. A rule that earned nothing on those
records is not applied in the fold. What is shipped was chosen and grown the same way on all the records.

| setting | {fold_names} | shipped |
|---|{fold_lines}---|
{choices}

Not chosen in the folds, but set once by looking at all these records: the QRS detection, the windows and correlations
inside the features, the signs of the features, the learner and how records are weighed, and the list of settings
itself. {attempts}

## Limits

- {n_records} patients, two leads each, half an hour, about 1975 to 1979. One record holds four in ten of all S beats.
- Aberrant supraventricular beats are often called ventricular; junctional beats are mostly called normal.
- Fusion beats are never claimed. Idioventricular rhythm at a normal rate is often missed.
- Paced beats were not in the training. A suggestion to confirm; research use only, not for diagnostic use.
"""


def write_model(
    output: Path,
    *,
    arrays: Mapping[str, Array],
    classes: Mapping[str, Any],
    rules: Mapping[str, Any],
    figures: Mapping[str, Any],
    config: Mapping[str, Any],
    records: Sequence[str],
) -> dict[str, Any]:
    """Store the trees with manifest, card and licence; returns the manifest."""
    content = bytes(save({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}))
    manifest = {
        "name": "beats",
        "file": TREES_NAME,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "licence": "ODC-By 1.0",
        "citation": CITATION,
        "command": COMMAND.format(seed=config["seed"]),
        "config": dict(config),
        "trained_on": list(records),
        "classes": dict(classes),
        "rules": dict(rules),
        "figures": dict(figures),
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / TREES_NAME).write_bytes(content)
    text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False)
    (output / MANIFEST_NAME).write_text(f"{text}\n", encoding="utf-8")
    (output / "MODEL_CARD.md").write_text(beat_card(manifest), encoding="utf-8")
    (output / "LICENSE.txt").write_text(_LICENCE, encoding="utf-8")
    return manifest


def beat_card(manifest: Mapping[str, Any]) -> str:
    """The card in Markdown, out of a manifest with figures."""
    figures = manifest["figures"]
    totals = [
        f"| {way} | {row['V']['se']} / {row['V']['ppv']} | {row['S']['se']} / {row['S']['ppv']} "
        f"| {row['fusion_called_v']} |"
        for way, row in figures.items()
        if way not in ("records", "choices")
    ]
    rows = [
        f"| {record} | {row['fold']} | {_counts(row['V'])} | {_counts(row['S'])} |"
        for record, row in sorted(figures["records"].items())
    ]
    return _CARD.format(
        **{key: manifest[key] for key in ("command", "file", "size_bytes", "sha256", "licence", "citation")},
        n_records=len(manifest["trained_on"]),
        records=", ".join(manifest["trained_on"]),
        settings=", ".join(f"{key} {value}" for key, value in manifest["config"].items() if key != "choice"),
        folds=manifest["config"]["folds"],
        fold_names=" | ".join(f"fold {k}" for k in range(len(figures["choices"]))),
        fold_lines="---|" * len(figures["choices"]),
        choices="\n".join(_choice_rows(figures["choices"], manifest["config"]["choice"])),
        attempts=_ATTEMPTS,
        totals="\n".join(totals),
        rows="\n".join(rows),
    )


def _choice_rows(choices: Sequence[Mapping[str, Any]], shipped: Mapping[str, Any]) -> list[str]:
    """What each fold chose, and what is shipped, a line a setting."""
    columns = (*choices, shipped)
    return [f"| {name} | " + " | ".join(_word(column[name]) for column in columns) + " |" for name in shipped]


def _word(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _counts(row: Mapping[str, int]) -> str:
    return f"{row['right']}, {row['wrong']}, {row['missed']}"
