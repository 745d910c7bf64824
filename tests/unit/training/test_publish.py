"""Publishing: manifest and card say what was measured on the weights as they are stored."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import resources
from pipeline.echo.network import ChamberNet
from pipeline.echo.segmentation import load_segmenter
from pipeline.model_files import CHAMBERS
from pipeline.training.figures import dice, mean_surface_mm
from pipeline.training.model_card import model_card
from pipeline.training.publish import publish


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "valid"
    folder.mkdir(parents=True)
    rows = ["patient,phase,split,height_px,width_px,spacing_row_mm,spacing_col_mm"]
    for patient, shrink in (("patient0001", 7), ("patient0002", 4)):
        for phase, radius in (("ED", 24), ("ES", 24 - shrink)):
            y, x = np.mgrid[:140, :120]
            mask = np.zeros((140, 120), np.uint8)
            mask[((y - 100) / 80) ** 2 + ((x - 60) / (radius + 9)) ** 2 <= 1] = 2
            mask[((y - 100) / 70) ** 2 + ((x - 60) / radius) ** 2 <= 1] = 1
            mask[y > 100] = 0
            mask[(y > 100) & (((y - 100) / 34) ** 2 + ((x - 60) / radius) ** 2 <= 1)] = 3
            Image.fromarray(np.where(mask == 2, 160, 30).astype(np.uint8)).save(folder / f"{patient}_{phase}.png")
            Image.fromarray(mask).save(folder / f"{patient}_{phase}_mask.png")
            rows.append(f"{patient},{phase},valid,140,120,0.6,0.6")
    (folder.parent / "index.csv").write_text("\n".join(rows))
    return folder.parent


def test_what_is_published_loads_and_describes_itself(data: Path, tmp_path: Path) -> None:
    trained = {k: v.float() if v.is_floating_point() else v for k, v in load_file(_shipped_weights()).items()}
    save_file(trained, tmp_path / "chambers.safetensors")
    (tmp_path / "config.json").write_text('{"seed": 9, "steps": 12, "input_px": 192}')
    output = tmp_path / "published"
    manifest = publish([tmp_path / "chambers.safetensors"], data, output)
    content = (output / "chambers.safetensors").read_bytes()
    assert manifest == json.loads((output / "manifest.json").read_text())
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest() == load_segmenter(output).model_sha256
    assert manifest["size_bytes"] == len(content)
    assert manifest["figures"]["stills"] == 4
    assert manifest["training"]["config"]["seed"] == 9
    card = (output / "MODEL_CARD.md").read_text()
    assert card == model_card(manifest)
    assert f"{manifest['figures']['dice']['lv_cavity']:.4f}" in card
    assert manifest["sha256"] in card
    assert "NonCommercial-ShareAlike" in (output / "LICENSE.txt").read_text()


def test_the_first_of_several_trainings_is_shipped_and_each_is_measured(data: Path, tmp_path: Path) -> None:
    trained = {k: v.float() if v.is_floating_point() else v for k, v in load_file(_shipped_weights()).items()}
    runs = []
    for seed, factor in ((1, 0.99), (2, 1.01)):
        folder = tmp_path / f"run{seed}"
        folder.mkdir()
        changed = {k: v * factor if v.is_floating_point() else v for k, v in trained.items()}
        save_file(changed, folder / "chambers.safetensors")
        settings = {
            "seed": seed,
            "steps": 5,
            "input_px": 192,
            "start_sha256": "ab" * 32,
            "start_command": "python -m x",
        }
        (folder / "config.json").write_text(json.dumps(settings))
        runs.append(folder / "chambers.safetensors")
    manifest = publish(runs, data, tmp_path / "published", dtype="float32")
    stored, first = load_file(tmp_path / "published" / "chambers.safetensors"), load_file(runs[0])
    assert all(torch.equal(stored[k], v) for k, v in first.items())
    assert [run["sha256"] == manifest["sha256"] for run in manifest["runs"]] == [True, False]
    assert [run["command"].split()[-3] for run in manifest["runs"]] == ["1", "2"]
    assert manifest["runs"][0]["ef"] == manifest["figures"]["ef"] != manifest["runs"][1]["ef"]
    card = (tmp_path / "published" / "MODEL_CARD.md").read_text()
    assert "ab" * 32 in card
    assert card.count("--seed 2 --steps 5") == 1


def _shipped_weights() -> Path:
    return resources.path(CHAMBERS.place) / "chambers.safetensors"


def test_half_precision_is_what_is_shipped() -> None:
    stored = load_file(_shipped_weights())
    assert {v.dtype for v in stored.values() if v.is_floating_point()} == {torch.float16}
    assert set(stored) == set(ChamberNet().state_dict())


def test_the_shipped_card_belongs_to_the_shipped_manifest() -> None:
    folder = resources.path(CHAMBERS.place)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert (folder / "MODEL_CARD.md").read_text(encoding="utf-8") == model_card(manifest)


def test_overlap_and_distance_of_known_masks() -> None:
    a, b = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    a[10:20, 10:20] = True
    b[10:20, 15:25] = True
    assert dice(a, b) == pytest.approx(0.5)
    assert dice(a, a) == 1.0
    assert math.isnan(dice(a & ~a, b & ~b))
    assert mean_surface_mm(a, a, (1, 1)) == 0.0
    assert mean_surface_mm(a, b, (1, 2)) == pytest.approx(2 * mean_surface_mm(a, b, (0.5, 1)))
    assert math.isnan(mean_surface_mm(a, b & ~b, (1, 1)))
