"""Train the chamber segmentation on CAMUS-style stills: `python -m pipeline.training.echo --data DIR --output DIR`.

The same data, seed and thread count give the same weights; an interrupted run goes on where it stopped.
Source of the data: Leclerc et al., IEEE TMI 38(9):2198-2210, 2019, doi 10.1109/TMI.2019.2900516.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from pipeline.echo.network import N_CLASSES, ChamberNet, channels_last
from pipeline.training.augmentation import random_grey, random_grid

STORED_PX = 288
"""Stills are kept letterboxed at this size; the augmentation samples the network's input out of them."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides the result, beside the data."""

    seed: int = 1
    input_px: int = 192
    batch_size: int = 16
    steps: int = 3000
    peak_rate: float = 3e-3
    weight_decay: float = 0.02
    averaging: float = 0.998
    flip: float = 0.1
    threads: int = 2
    save_every: int = 150


def letterbox(image: Image.Image, size: int, aspect: float, *, nearest: bool) -> np.ndarray:
    """Fit an image into a square, keeping its physical shape; aspect = row spacing / column spacing."""
    height, width = image.height * aspect, float(image.width)
    factor = size / max(height, width)
    shape = (max(1, round(width * factor)), max(1, round(height * factor)))
    resized = image.resize(shape, Image.Resampling.NEAREST if nearest else Image.Resampling.BILINEAR)
    canvas = np.zeros((size, size), np.uint8)
    top, left = (size - shape[1]) // 2, (size - shape[0]) // 2
    canvas[top : top + shape[1], left : left + shape[0]] = np.asarray(resized)
    return canvas


def load_stills(folder: Path) -> tuple[Tensor, Tensor]:
    """Images and labels, both uint8 (n, STORED_PX, STORED_PX), in the order of their names."""
    images, labels = [], []
    for path in sorted(folder.glob("*_E[DS].png")):
        images.append(letterbox(Image.open(path).convert("L"), STORED_PX, 1.0, nearest=False))
        mask = Image.open(path.with_name(f"{path.stem}_mask.png"))
        labels.append(letterbox(mask, STORED_PX, 1.0, nearest=True))
    if not images:
        raise FileNotFoundError(f"no stills named *_ED.png or *_ES.png in {folder.name}")
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(labels))


def unit_range(images: Tensor) -> Tensor:
    """Float images (n, 1, h, w) divided by their 99.5th percentile, as the segmenter does for a clip."""
    flat = images.flatten(1).float()
    top = torch.quantile(flat, 0.995, dim=1).clamp(min=24.0)
    return (images.float() / top.view(-1, 1, 1)).clamp(0, 1)[:, None]


def training_batch(images: Tensor, labels: Tensor, config: TrainingConfig, step: int) -> tuple[Tensor, Tensor]:
    """One augmented batch; it depends only on the seed and the step, so a resumed run repeats it."""
    rng = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    pick = torch.randint(0, len(images), (config.batch_size,), generator=rng)
    grid = random_grid(len(pick), config.input_px, rng, flip=config.flip)
    x = functional.grid_sample(unit_range(images[pick]), grid, align_corners=False)
    one_hot = functional.one_hot(labels[pick].long(), N_CLASSES).permute(0, 3, 1, 2).float()
    target = functional.grid_sample(one_hot, grid, align_corners=False)
    target[:, 0] += (1 - target.sum(1)).clamp(min=0)
    return random_grey(x, rng), target


def segmentation_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy plus soft Dice over the three structures (Milletari et al. 2016)."""
    log_p = functional.log_softmax(logits, 1)
    entropy = -(target * log_p).sum(1).mean()
    p, t = log_p.exp()[:, 1:], target[:, 1:]
    overlap, total = (p * t).sum((0, 2, 3)), (p + t).sum((0, 2, 3))
    return entropy + (1 - (2 * overlap + 1) / (total + 1)).mean()


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Linear warm-up over 5 % of the steps, then a half cosine down to zero."""
    warm = max(1, config.steps // 20)
    if step < warm:
        return config.peak_rate * (step + 1) / warm
    return config.peak_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, config.steps - warm)))


def average_into(average: dict[str, Tensor], model: ChamberNet, step: int, config: TrainingConfig) -> None:
    """Exponential moving average of weights and of batch-norm statistics."""
    keep = min(config.averaging, (1 + step) / (10 + step))
    for name, value in model.state_dict().items():
        if value.dtype.is_floating_point:
            average[name].mul_(keep).add_(value, alpha=1 - keep)
        else:
            average[name].copy_(value)


@torch.inference_mode()
def mean_dice(model: ChamberNet, images: Tensor, labels: Tensor, size: int) -> list[float]:
    """Mean Dice per structure at the network's own resolution: to follow a run, not to report."""
    model.eval()
    x = functional.interpolate(unit_range(images), (size, size), mode="bilinear", antialias=True)
    t = functional.interpolate(labels[:, None].float(), (size, size), mode="nearest")[:, 0]
    found = torch.cat([model(x[i : i + 20]).argmax(1) for i in range(0, len(x), 20)])
    scores = []
    for label in range(1, N_CLASSES):
        a, b = found == label, t == label
        scores.append(float((2 * (a & b).sum((1, 2)) / (a.sum((1, 2)) + b.sum((1, 2))).clamp(min=1)).mean()))
    return scores


def _save_progress(
    path: Path, step: int, model: ChamberNet, average: dict[str, Tensor], optimiser: torch.optim.AdamW
) -> None:
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{k}": v for k, v in state.items()}
    partial = path.with_suffix(".part")
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, partial, {"step": str(step)})
    partial.replace(path)


def _load_progress(path: Path, model: ChamberNet, average: dict[str, Tensor], optimiser: torch.optim.AdamW) -> int:
    from safetensors import safe_open

    tensors = load_file(path)
    with safe_open(path, "pt") as reader:
        step = int(reader.metadata()["step"])
    model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    average.update({k.removeprefix("average."): v for k, v in tensors.items() if k.startswith("average.")})
    blank = optimiser.state_dict()
    blank["state"] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, index, name = key.split(".")
            blank["state"].setdefault(int(index), {})[name] = value
    optimiser.load_state_dict(blank)
    return step


def train(data: Path, output: Path, config: TrainingConfig) -> Path:
    """Run or resume a training; returns the path of the averaged weights."""
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    torch.use_deterministic_algorithms(True)
    output.mkdir(parents=True, exist_ok=True)
    model = channels_last(ChamberNet())
    average = {k: v.clone() for k, v in model.state_dict().items()}
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=config.weight_decay)
    progress, weights = output / "progress.safetensors", output / "chambers.safetensors"
    start = _load_progress(progress, model, average, optimiser) if progress.exists() else 0
    images, labels = load_stills(data / "train")
    held, held_labels = load_stills(data / "valid")
    (output / "config.json").write_text(json.dumps(asdict(config), indent=1))
    clock, losses = time.monotonic(), []
    for step in range(start, config.steps):
        model.train()
        x, target = training_batch(images, labels, config, step)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, config)
        loss = segmentation_loss(model(x.contiguous(memory_format=torch.channels_last)), target)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        average_into(average, model, step, config)
        losses.append(float(loss.detach()))
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            judge = ChamberNet()
            judge.load_state_dict(average)
            line = {
                "step": step + 1,
                "loss": round(float(np.mean(losses)), 4),
                "dice": [round(d, 4) for d in mean_dice(judge, held, held_labels, config.input_px)],
                "seconds": round(time.monotonic() - clock, 1),
            }
            losses = []
            print(json.dumps(line), flush=True)
            with (output / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            _save_progress(progress, step + 1, model, average, optimiser)
            save_file({k: v.contiguous() for k, v in average.items()}, weights)
    return weights


def main() -> None:
    """Command line of the training."""
    usual = TrainingConfig()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and valid/")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--steps", type=int, default=usual.steps)
    args = parser.parse_args()
    train(args.data, args.output, TrainingConfig(seed=args.seed, steps=args.steps))


if __name__ == "__main__":
    main()
