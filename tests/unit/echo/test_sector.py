"""The sector is found, and never cut in doubt."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.echo.sector import find_sector


@pytest.fixture(scope="module")
def phantoms() -> Any:
    spec = importlib.util.spec_from_file_location("reader_phantoms", Path(__file__).with_name("reader_phantoms.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def test_moving_sector_without_a_region(phantoms: Any) -> None:
    frames, truth = phantoms.fan_frames(8, 192, 256), phantoms.sector_mask(192, 256)
    sector = find_sector(frames, None)
    assert sector.method == "movement"
    np.testing.assert_allclose(sector.box_px, box_of(truth), atol=4)
    top, left, bottom, right = sector.box_px
    inside = truth[top:bottom, left:right]
    assert sector.mask is not None
    assert sector.mask.shape == inside.shape
    assert (sector.mask & inside).sum() / inside.sum() > 0.99  # nothing of the heart is masked
    assert inside.sum() / sector.mask.sum() > 0.93


def test_letters_inside_the_box_are_outside_the_mask(phantoms: Any) -> None:
    frames = phantoms.fan_frames(8, 192, 256)
    frames[:, 10:20, 60:80:2] = 255  # beside the apex, within the sector's box
    sector = find_sector(frames, None)
    assert sector.mask is not None
    top, left, _, _ = sector.box_px
    assert left <= 60
    assert not sector.mask[10 - top : 20 - top, 60 - left : 75 - left].any()


def test_region_bounds_the_search(phantoms: Any) -> None:
    frames = np.zeros((8, 192, 320), np.uint8)
    frames[:, :, 64:] = phantoms.fan_frames(8, 192, 256)
    frames[:, :, :70] = np.random.default_rng(1).integers(0, 255, (8, 192, 70))  # a moving trace that touches it
    top, left, bottom, right = box_of(phantoms.sector_mask(192, 256))
    box = find_sector(frames, (0, 70, 192, 320)).box_px
    assert box[1] >= 70
    np.testing.assert_allclose(box, (top, 64 + left, bottom, 64 + right), atol=4)
    assert find_sector(frames, None).box_px[1] == 0


def test_a_far_smaller_patch_does_not_replace_the_region(phantoms: Any) -> None:
    frames = np.zeros((6, 300, 400), np.uint8)
    frames[:, 100:200, 100:200] = np.random.default_rng(1).integers(0, 255, (6, 100, 100))
    sector = find_sector(frames, (10, 10, 290, 390))
    assert (sector.box_px, sector.mask, sector.method) == ((10, 10, 290, 390), None, "region")


def test_still_that_fills_the_frame_is_kept_whole(phantoms: Any) -> None:
    still = phantoms.fan_frames(1, 200, 220)
    still[:, :10], still[:, -12:] = 0, 0  # no letters, black corners
    truth = box_of(still[0] > 0)
    assert truth[2] - truth[0] < 200
    sector = find_sector(still, None)
    assert sector.box_px == (0, 0, 200, 220)
    assert sector.mask is None


def test_still_in_a_wide_black_picture_is_cut_out(phantoms: Any) -> None:
    still = np.zeros((1, 400, 600), np.uint8)
    still[0, 100:292, 150:406] = phantoms.fan_frames(1, 192, 256)[0] * phantoms.sector_mask(192, 256)
    sector = find_sector(still, None)
    truth = box_of(still[0] > 0)
    np.testing.assert_allclose(sector.box_px, truth, atol=4)
    assert sector.mask is None


@pytest.mark.parametrize("level", [0, 3, 255])
def test_nothing_to_find_is_the_whole_frame(level: int) -> None:
    frames = np.full((3, 80, 100), level, np.uint8)
    assert find_sector(frames, None).box_px == (0, 0, 80, 100)
    assert find_sector(frames, None).mask is None
    assert find_sector(frames, (5, 6, 75, 90)).box_px == (5, 6, 75, 90)


def test_frames_are_not_changed(phantoms: Any) -> None:
    frames = phantoms.fan_frames(4)
    frames.setflags(write=False)
    find_sector(frames, None)
