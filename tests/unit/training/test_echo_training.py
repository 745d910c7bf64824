"""The training repeats itself: same seed, same weights; interrupted and resumed, same weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.training import echo as training
from pipeline.training.augmentation import Geometry, heart_boxes, random_grey, random_grid
from pipeline.training.echo import TrainingConfig, learning_rate, segmentation_loss, train, training_batch

SMALL = ((32, 32), (64, 32))
QUICK = TrainingConfig(seed=3, input_px=32, shapes=SMALL, batch_size=2, steps=2, threads=1, save_every=1)


@pytest.fixture(autouse=True)
def torch_settings() -> Iterator[None]:
    """`train` changes settings of the whole process."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)


@pytest.fixture
def stills(tmp_path: Path) -> Path:
    """Two patients to train on and one held out: a dark ellipse in a bright ring above another ellipse."""
    rng = np.random.default_rng(0)
    rows = ["patient,phase,split,height_px,width_px,spacing_row_mm,spacing_col_mm"]
    for number, split in enumerate(("train", "train", "valid"), start=1):
        folder = tmp_path / "data" / split
        folder.mkdir(parents=True, exist_ok=True)
        for phase, radius in (("ED", 26), ("ES", 18)):
            y, x = np.mgrid[:150, :130]
            mask = np.zeros((150, 130), np.uint8)
            mask[((y - 70) / 52) ** 2 + ((x - 65) / (radius + 10)) ** 2 <= 1] = 2
            mask[((y - 70) / 42) ** 2 + ((x - 65) / radius) ** 2 <= 1] = 1
            mask[((y - 130) / 16) ** 2 + ((x - 65) / 20) ** 2 <= 1] = 3
            image = np.where(mask == 2, 170, 40) + rng.integers(0, 30, mask.shape)
            name = f"patient{number:04d}_{phase}"
            Image.fromarray(image.astype(np.uint8)).save(folder / f"{name}.png")
            Image.fromarray(mask).save(folder / f"{name}_mask.png")
            rows.append(f"patient{number:04d},{phase},{split},150,130,0.6,0.6")
    (tmp_path / "data" / "index.csv").write_text("\n".join(rows))
    return tmp_path / "data"


def test_same_seed_gives_same_weights_even_when_resumed(
    stills: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(stills, tmp_path / "a", QUICK).read_bytes()
    calls = []

    def interrupted(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return segmentation_loss(logits, target)

    monkeypatch.setattr(training, "segmentation_loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(stills, tmp_path / "b", QUICK)
    monkeypatch.undo()
    assert train(stills, tmp_path / "b", QUICK).read_bytes() == whole
    steps = [json.loads(line)["step"] for line in (tmp_path / "b" / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2]


def test_another_seed_gives_other_batches(stills: Path) -> None:
    loaded = training.load_stills(stills / "train")
    first, _ = training_batch(loaded, QUICK, 0)
    again, _ = training_batch(loaded, QUICK, 0)
    other, _ = training_batch(loaded, replace(QUICK, seed=4), 0)
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_phases_stand_in_pairs_only_where_volumes_count() -> None:
    apart = training._picked(40, replace(QUICK, batch_size=16), torch.Generator().manual_seed(1))
    paired = training._picked(40, replace(QUICK, batch_size=16, volume=0.2), torch.Generator().manual_seed(1))
    assert not bool((apart[1::2] - apart[::2] == 1).all())
    assert (paired[1::2] - paired[::2]).tolist() == [1] * 8


def test_targets_stay_probabilities(stills: Path) -> None:
    x, target = training_batch(training.load_stills(stills / "train"), QUICK, 1)
    assert x.shape[-2:] in SMALL
    assert float(x.min()) >= 0
    assert float(x.max()) <= 1
    assert target.sum(1).numpy() == pytest.approx(1.0, abs=1e-5)


def test_loss_falls_towards_the_truth() -> None:
    target = torch.zeros(1, 4, 8, 8)
    target[:, 0, :, :4] = 1
    target[:, 1, :, 4:] = 1
    right, wrong = 8 * target, 8 * target.roll(1, dims=1)
    assert float(segmentation_loss(right, target)) < float(segmentation_loss(torch.zeros_like(target), target))
    assert float(segmentation_loss(torch.zeros_like(target), target)) < float(segmentation_loss(wrong, target))


def test_rate_warms_up_and_dies_out() -> None:
    config = TrainingConfig(steps=100)
    rates = [learning_rate(step, config) for step in range(100)]
    assert max(rates) == pytest.approx(config.peak_rate)
    assert rates.index(max(rates)) in (4, 5)
    assert rates[-1] < 0.01 * config.peak_rate


def test_augmentation_is_a_function_of_its_generator() -> None:
    def draw(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = torch.Generator().manual_seed(seed)
        boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5]] * 2)
        return random_grid(boxes, (32, 32), rng, geometry=Geometry()), random_grey(torch.full((2, 1, 32, 32), 0.4), rng)

    assert all(torch.equal(a, b) for a, b in zip(draw(1), draw(1), strict=True))
    assert not torch.equal(draw(1)[0], draw(2)[0])


def test_a_folder_without_stills_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty"):
        training.load_stills(tmp_path / "empty")


def test_boxes_hold_what_is_labelled() -> None:
    labels = torch.zeros(1, 100, 100, dtype=torch.uint8)
    labels[0, 20:60, 50:70] = 2
    assert heart_boxes(labels)[0].tolist() == pytest.approx([0.2, -0.2, 0.2, 0.4])


@pytest.mark.parametrize("shape", [(64, 64), (64, 32)])
def test_a_centred_window_holds_the_heart_undistorted(shape: tuple[int, int]) -> None:
    still = Geometry(mirrored=0, inverted=0, centred=1, fill=(0.8, 0.8), angle=0, stretch=0, shift=0, warp=0)
    boxes = torch.tensor([[0.1, -0.2, 0.2, 0.4]])
    grid = random_grid(boxes, shape, torch.Generator().manual_seed(0), geometry=still)[0]
    step_x, step_y = grid[0, 1, 0] - grid[0, 0, 0], grid[1, 0, 1] - grid[0, 0, 1]
    assert float(step_x) == pytest.approx(float(step_y), rel=1e-4)
    assert float(grid[..., 1].mean()) == pytest.approx(-0.2, abs=1e-4)
    assert float(grid[..., 1].max() - grid[..., 1].min()) == pytest.approx(2 * 0.4 / 0.8 * (1 - 1 / shape[0]), rel=1e-3)


def test_mirrored_and_inverted_displays_are_drawn() -> None:
    turned = Geometry(mirrored=1, inverted=1, centred=1, angle=0, stretch=0, shift=0, warp=0)
    grid = random_grid(torch.tensor([[0, 0, 0.5, 0.5]]), (32, 32), torch.Generator().manual_seed(0), geometry=turned)[0]
    assert grid[0, 0, 0] > grid[0, -1, 0]
    assert grid[0, 0, 1] > grid[-1, 0, 1]


def test_grey_changes_reach_every_kind_of_furniture() -> None:
    rng = torch.Generator().manual_seed(5)
    changed = random_grey(torch.full((64, 1, 64, 64), 0.3), rng)
    assert float((changed[:, :, 0] == 0).float().mean()) > 0.02  # narrowed sectors
    assert bool((changed > 0.75).flatten(1).any(1).sum() >= 8)  # text, strips, boxes


def test_a_config_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(asdict(QUICK)))
    assert training.read_config(path) == QUICK
    path.write_text('{"steps": 7}')
    assert training.read_config(path) == TrainingConfig(steps=7)


@pytest.mark.parametrize("text", ["{", '{"stepz": 1}', '{"shapes": [[100, 96]]}', '{"geometry": {"tilt": 1}}'])
def test_a_config_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"config\.json"):
        training.read_config(path)
