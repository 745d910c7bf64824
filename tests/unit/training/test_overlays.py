"""Pictures of outlines: colours where the labels end, the best patients first, one sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.training.overlays import CAPTION_PX, COLOURS, TILE_PX, TRUTH_COLOUR, overlay, patient_tiles, sheet


def square(side: int) -> np.ndarray:
    labels = np.zeros((80, 60), np.uint8)
    labels[20 : 20 + side, 20 : 20 + side] = 1
    return labels


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((picture == np.array(colour)).all(-1).any())


def test_outlines_are_drawn_over_the_frame() -> None:
    frame = np.full((80, 60), 30, np.uint8)
    picture = overlay(frame, square(20), square(12))
    assert picture.shape == (160, 120, 3)
    assert has(picture, COLOURS[1])
    assert has(picture, TRUTH_COLOUR)
    assert not has(overlay(frame, square(20)), TRUTH_COLOUR)
    assert (picture[50, 50] == 30).all()  # the inside stays visible


class Half:
    """Finds the first patient's cavity whole, and half of the others'."""

    def __init__(self) -> None:
        self.calls = 0

    def predict(self, frames: np.ndarray, spacing_mm: Any) -> np.ndarray:
        self.calls += 1
        return np.stack([square(20 if self.calls <= 2 else 14)] * len(frames))


def test_best_middle_and_worst_patients_in_one_sheet(tmp_path: Path) -> None:
    folder = tmp_path / "valid"
    folder.mkdir()
    rows = ["patient,phase,spacing_row_mm,spacing_col_mm"]
    for patient in ("p1", "p2", "p3", "p4"):
        for phase in ("ED", "ES"):
            Image.fromarray(np.full((80, 60), 30, np.uint8)).save(folder / f"{patient}_{phase}.png")
            Image.fromarray(square(20)).save(folder / f"{patient}_{phase}_mask.png")
            rows.append(f"{patient},{phase},0.5,0.5")
    (tmp_path / "index.csv").write_text("\n".join(rows))
    segmenter: Any = Half()
    tiles = patient_tiles(segmenter, folder, 3)
    assert [len(row) for row in tiles] == [2, 2, 2]
    assert (np.ptp(tiles[0][0].astype(int), axis=-1) > 100).any()  # coloured
    assert not np.array_equal(tiles[0][0], tiles[2][0])
    whole = sheet(tiles, 2)
    assert whole.shape == (2 * (TILE_PX[0] + CAPTION_PX), 4 * TILE_PX[1], 3)
