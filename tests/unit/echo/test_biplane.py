"""Biplane volumes by the code of the benchmark, on bodies whose volume is known and whose pixels are not square."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.biplane import Volumes, dice, masks_of, published, read_image, volumes

SPACING_MM = (0.154, 0.308)  # (row, column), as the real files have it
SHAPE = (1040, 420)
RADII = {"4CH": {"ED": (90.0, 25.0), "ES": (75.0, 18.0)}, "2CH": {"ED": (88.0, 21.0), "ES": (74.0, 15.0)}}


def expected(phase: str) -> float:
    (length, a), (_, b) = RADII["4CH"][phase], RADII["2CH"][phase]
    return 2 / 3 * np.pi * length * a * b / 1000


@pytest.fixture(scope="module")
def patient(phantoms: Any, tmp_path_factory: Any) -> Path:
    folder: Path = tmp_path_factory.mktemp("study") / "patient0042"
    folder.mkdir()
    for view, phases in RADII.items():
        for phase, (length, radius) in phases.items():
            labels = phantoms.labels(length, radius, spacing_mm=SPACING_MM, shape=SHAPE)
            stem = f"patient0042_{view}_{phase}_gt"
            labels.tofile(folder / f"{stem}.raw")
            header = {
                "NDims": "3",
                "DimSize": f"{SHAPE[1]} {SHAPE[0]} 1",
                "ElementSpacing": f"{SPACING_MM[1]} {SPACING_MM[0]} 1",
                "ElementType": "MET_UCHAR",
                "ElementDataFile": f"{stem}.raw",
            }
            (folder / f"{stem}.mhd").write_text("\n".join(f"{key} = {value}" for key, value in header.items()))
    edv, esv = expected("ED"), expected("ES")
    (folder / "Info_4CH.cfg").write_text(f"ED: 1\nLVedv: {edv:.1f}\nLVesv: {esv:.1f}\n")
    return folder


def test_two_views_give_the_known_volumes(patient: Path) -> None:
    found, truth = volumes(masks_of(patient)), published(patient)
    assert found.edv_ml == pytest.approx(truth.edv_ml, rel=0.015)
    assert found.esv_ml == pytest.approx(truth.esv_ml, rel=0.015)
    assert found.ef_pct == pytest.approx(truth.ef_pct, abs=0.7)


@pytest.mark.parametrize("view", ["4CH", "2CH"])
def test_one_view_takes_its_own_axis_in_each_phase(patient: Path, view: str) -> None:
    found = volumes(masks_of(patient), (view,))
    for phase, volume_ml in (("ED", found.edv_ml), ("ES", found.esv_ml)):
        length, radius = RADII[view][phase]
        assert volume_ml == pytest.approx(2 / 3 * np.pi * length * radius**2 / 1000, rel=0.015)


def test_rows_and_columns_keep_their_own_size(patient: Path) -> None:
    labels, spacing_mm = read_image(patient / "patient0042_4CH_ED_gt.mhd")
    assert labels.shape == SHAPE
    assert spacing_mm == SPACING_MM


def test_figures() -> None:
    assert Volumes(120, 50).ef_pct == pytest.approx(58.33, abs=0.01)
    one, other = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    one[:2], other[1:3] = True, True
    assert dice(one, other) == pytest.approx(0.5)
