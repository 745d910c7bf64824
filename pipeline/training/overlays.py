"""Pictures of what the network finds: `python -m pipeline.training.overlays --data DIR --output FILE.png`.

With a folder of stills: the best, the middle and the worst of its patients, end-diastole and end-systole, the
network's outlines over the cardiologist's. With `--cine FILE`: end-diastole and end-systole of a clip. Pictures of
the training data are to be looked at, not to be passed on: their licence is that of the data.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np

from pipeline.cancellation import CancelToken
from pipeline.echo.preprocessing import prepare_clip
from pipeline.echo.readers import read_echo
from pipeline.echo.segmentation import ATRIUM, CAVITY, MYOCARDIUM, Segmenter, load_segmenter
from pipeline.gates import Limits
from pipeline.records import Array
from pipeline.training.figures import dice

COLOURS = {MYOCARDIUM: (90, 230, 90), ATRIUM: (255, 170, 60), CAVITY: (80, 80, 255)}
"""Of the network's outlines, BGR, in the order of drawing."""
TRUTH_COLOUR = (255, 255, 255)
TILE_PX = (300, 360)
CAPTION_PX = 22
PHASES = ("ED", "ES")


def overlay(frame: Array, found: Array, truth: Array | None = None) -> Array:
    """A frame, uint8 (height, width), twice its size in colour, with the outlines of the found and the true labels."""
    picture = cv2.cvtColor(cv2.resize(frame, None, fx=2, fy=2), cv2.COLOR_GRAY2BGR)
    for labels, colours in ((truth, dict.fromkeys(COLOURS, TRUTH_COLOUR)), (found, COLOURS)):
        if labels is None:
            continue
        for label, colour in colours.items():
            # The wall's inner border is the cavity's: only its outer one is drawn.
            inside = (labels == label) | ((labels == CAVITY) & (label == MYOCARDIUM))
            mask = cv2.resize(inside.astype(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
            lines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(picture, lines, -1, colour, 1)
    return np.asarray(picture)


def tile(picture: Array, caption: str) -> Array:
    """A picture fitted into a tile of the sheet, with its caption below."""
    height, width = TILE_PX
    factor = min(height / picture.shape[0], width / picture.shape[1])
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)[:height, :width]
    whole = np.zeros((height + CAPTION_PX, width, 3), np.uint8)
    whole[: small.shape[0], : small.shape[1]] = small
    cv2.putText(whole, caption, (4, height + 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (230, 230, 230), 1, cv2.LINE_AA)
    return whole


def patient_tiles(segmenter: Segmenter, folder: Path, n_patients: int) -> list[list[Array]]:
    """Rows of two tiles for the best, the middle and the worst patients of a folder, by the cavity's mean Dice."""
    with (folder.parent / "index.csv").open(newline="") as table:
        spacing = {
            (row["patient"], row["phase"]): (float(row["spacing_row_mm"]), float(row["spacing_col_mm"]))
            for row in csv.DictReader(table)
        }
    scored = []
    for path in sorted(folder.glob("*_ED.png")):
        patient = path.stem.removesuffix("_ED")
        scores, tiles = [], []
        for phase in PHASES:
            frame, truth = (_grey(folder / f"{patient}_{phase}{part}.png") for part in ("", "_mask"))
            found = segmenter.predict(frame[None], spacing[patient, phase])[0]
            scores.append(dice(found == CAVITY, truth == CAVITY))
            tiles.append(tile(overlay(frame, found, truth), f"{patient} {phase}, cavity Dice {scores[-1]:.3f}"))
        scored.append((float(np.mean(scores)), patient, tiles))
    scored.sort(key=lambda each: each[:2], reverse=True)
    third, middle = max(1, n_patients // 3), len(scored) // 2
    chosen = [*scored[:third], *scored[middle - third // 2 :][:third], *scored[-third:]]
    return [tiles for _, _, tiles in chosen]


def _grey(path: Path) -> Array:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(path.name)
    return np.asarray(image)


def cine_tiles(segmenter: Segmenter, path: Path) -> list[list[Array]]:
    """One row: the frames of a clip with the largest and the smallest cavity."""
    cine = prepare_clip(read_echo(path, Limits(), cancel=CancelToken()), "")
    spacing_mm = cine.calibration.spacing_mm or (1.0, 1.0)
    labels = segmenter.predict(cine.frames, spacing_mm)
    areas = np.count_nonzero(labels == CAVITY, axis=(1, 2))
    chosen = (int(areas.argmax()), int(areas.argmin()))
    return [[tile(overlay(cine.frames[i], labels[i]), f"frame {i + 1} of {len(labels)}") for i in chosen]]


def sheet(rows: list[list[Array]], rows_beside: int) -> Array:
    """Tiles of all rows as one picture, some rows side by side."""
    wide = [
        np.hstack([tile for row in rows[i : i + rows_beside] for tile in row]) for i in range(0, len(rows), rows_beside)
    ]
    width = max(line.shape[1] for line in wide)
    return np.vstack([np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0))) for line in wide])


def main() -> None:
    """Command line of the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with valid/ and index.csv")
    parser.add_argument("--cine", type=Path, help="a clip, instead of stills")
    parser.add_argument("--patients", type=int, default=12)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    if (args.data is None) == (args.cine is None):
        parser.error("give either --data or --cine")
    segmenter = load_segmenter()
    rows = (
        cine_tiles(segmenter, args.cine) if args.cine else patient_tiles(segmenter, args.data / "valid", args.patients)
    )
    if not cv2.imwrite(str(args.output), sheet(rows, 2)):
        parser.error("the picture could not be written")


if __name__ == "__main__":
    main()
