"""Train the chamber segmentation on CAMUS-style stills: `python -m pipeline.training.echo --data DIR --output DIR`.

The same data, seed and thread count give the same weights; an interrupted run goes on where it stopped. With
`--start FOLDER` the training begins at published weights instead of random ones; a `--config` says what else differs.
Source of the data: Leclerc et al., IEEE TMI 38(9):2198-2210, 2019, doi 10.1109/TMI.2019.2900516.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load, load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from pipeline.echo.manifest import read_manifest, read_weights
from pipeline.echo.network import N_CLASSES, STRIDE, ChamberNet, channels_last
from pipeline.model_files import MANIFEST_NAME
from pipeline.training.augmentation import Geometry, heart_boxes, random_grey, random_grid

CAVITY = 1
STORED_PX = 288
"""Stills are kept letterboxed at this size; the augmentation samples the network's input out of them."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides the result, beside the data."""

    seed: int = 1
    input_px: int = 192
    shapes: tuple[tuple[int, int], ...] = ((192, 160), (160, 128))
    """Heights and widths of the batches, drawn with equal chance: a clip's frames are cut narrower than a still."""
    batch_size: int = 16
    steps: int = 6500
    peak_rate: float = 3e-3
    weight_decay: float = 0.02
    averaging: float = 0.999
    calm_from: float = 0.6
    """Part of the steps after which the changes of geometry shrink to half, as the images to come are milder."""
    deep: float = 0.3
    """Weight of the losses at a quarter and an eighth of the resolution."""
    volume: float = 0.0
    """Weight of the errors of the cavity's log volume and of its change between the phases."""
    grey: float = 1.0
    """Share of the images whose grey levels are changed."""
    start_sha256: str = ""
    """Hash of the weights that the training goes on from; empty when it starts at random."""
    start_command: str = ""
    """The command that made those weights."""
    geometry: Geometry = field(default_factory=Geometry)
    threads: int = 1
    save_every: int = 200


@dataclass(frozen=True, slots=True)
class Stills:
    """Training images and what is known of them."""

    images: Tensor  # uint8 (n, STORED_PX, STORED_PX)
    labels: Tensor  # uint8, same shape
    tops: Tensor  # float (n,) grey level that becomes 1
    boxes: Tensor  # float (n, 4) where the heart is, see heart_boxes


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


def load_stills(folder: Path) -> Stills:
    """The stills of a folder, letterboxed, in the order of their names."""
    images, labels = [], []
    for path in sorted(folder.glob("*_E[DS].png")):
        images.append(letterbox(Image.open(path).convert("L"), STORED_PX, 1.0, nearest=False))
        mask = Image.open(path.with_name(f"{path.stem}_mask.png"))
        labels.append(letterbox(mask, STORED_PX, 1.0, nearest=True))
    if not images:
        raise FileNotFoundError(f"no stills named *_ED.png or *_ES.png in {folder.name}")
    stacked, truth = torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(labels))
    return Stills(stacked, truth, grey_tops(stacked), heart_boxes(truth))


def grey_tops(images: Tensor) -> Tensor:
    """The 99.5th percentile of each image (n, h, w), as the segmenter measures it for a clip."""
    tops = [torch.quantile(image.flatten().float(), 0.995) for image in images]
    return torch.stack(tops).clamp(min=24.0)


def unit_range(images: Tensor, tops: Tensor) -> Tensor:
    """Float images (n, 1, h, w), 1 at the given grey levels."""
    return (images.float() / tops.view(-1, 1, 1)).clamp(0, 1)[:, None]


def training_batch(stills: Stills, config: TrainingConfig, step: int) -> tuple[Tensor, Tensor]:
    """One augmented batch; it depends only on the seed and the step, so a resumed run repeats it."""
    rng = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    pick = _picked(len(stills.images), config, rng)
    shape = config.shapes[int(torch.randint(0, len(config.shapes), (1,), generator=rng))]
    late = (step / config.steps - config.calm_from) / (1 - config.calm_from)
    strength = 1 - 0.5 * min(max(late, 0.0), 1.0)
    grid = random_grid(stills.boxes[pick], shape, rng, geometry=config.geometry, strength=strength)
    x = functional.grid_sample(unit_range(stills.images[pick], stills.tops[pick]), grid, align_corners=False)
    grey = random_grey(x, rng)
    if config.grey < 1:
        changed = torch.rand(len(x), generator=rng) < config.grey
        grey = torch.where(changed.view(-1, 1, 1, 1), grey, x)
    return grey, _targets(stills.labels[pick], grid)


def _picked(n_stills: int, config: TrainingConfig, rng: torch.Generator) -> Tensor:
    """Which stills make a batch; both phases of a patient, side by side in the order of names, where volumes count."""
    if not config.volume:
        return torch.randint(0, n_stills, (config.batch_size,), generator=rng)
    pairs = torch.randint(0, n_stills // 2, (config.batch_size // 2,), generator=rng)
    return torch.stack([2 * pairs, 2 * pairs + 1], 1).flatten()


def _targets(labels: Tensor, grid: Tensor) -> Tensor:
    """Probabilities (n, 4, h, w): labels (n, H, W) sampled bilinearly; outside is background."""
    heart = torch.stack([labels == label for label in range(1, N_CLASSES)], 1).float()
    target = functional.grid_sample(heart, grid, align_corners=False)
    return torch.cat([(1 - target.sum(1, keepdim=True)).clamp(min=0), target], 1)


class Supervised(nn.Module):
    """The network with two more heads, at a quarter and an eighth of the resolution, that only training has."""

    def __init__(self, network: ChamberNet) -> None:
        super().__init__()
        self.network = network
        self.heads = nn.ModuleList(nn.Conv2d(width, N_CLASSES, 1) for width in network.widths[:2])

    def forward(self, images: Tensor) -> list[Tensor]:
        """Logits at full resolution, a quarter and an eighth."""
        fine, decoded = self.network.features(images)
        deep = [head(x) for head, x in zip(self.heads, decoded, strict=False)]
        return [self.network.restore(fine, decoded[0]), *deep]


def segmentation_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy plus soft Dice over the three structures of each image (Milletari et al. 2016)."""
    log_p = functional.log_softmax(logits, 1)
    entropy = -(target * log_p).sum(1).mean()
    p, t = log_p.exp()[:, 1:], target[:, 1:]
    overlap, total = (p * t).sum((2, 3)), (p + t).sum((2, 3))
    smooth = 1e-3 * logits.shape[-1] * logits.shape[-2]
    return entropy + (1 - (2 * overlap + smooth) / (total + smooth)).mean()


def volume_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Mean error of the cavity's log volume, and of the log of its change from one phase to the other.

    Volumes are sums of discs that are as broad as the rows of the soft cavity. Images stand in pairs of one
    patient's phases; the error of log(ESV / EDV) is, times 1 - EF, that of the ejection fraction.
    """
    broad = torch.stack([logits.softmax(1)[:, CAVITY], target[:, CAVITY]]).sum(-1)
    volumes = broad.square().sum(-1) + broad.shape[-1]  # a strip one pixel broad, for images without a cavity
    error = torch.log(volumes[0] / volumes[1])
    return error.abs().mean() + (error[1::2] - error[::2]).abs().mean()


def deep_loss(outputs: list[Tensor], target: Tensor, config: TrainingConfig) -> Tensor:
    """The loss at full resolution plus those of the volume and of the coarser outputs, as the config weighs them."""
    weight = config.deep
    loss = segmentation_loss(outputs[0], target)
    if config.volume:
        loss = loss + config.volume * volume_loss(outputs[0], target)
    for coarse in outputs[1:]:
        pooled = functional.avg_pool2d(target, target.shape[-1] // coarse.shape[-1])
        loss = loss + weight * segmentation_loss(coarse, pooled)
    return loss


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
def mean_dice(model: ChamberNet, stills: Stills, size: int) -> list[float]:
    """Mean Dice per structure at the network's own resolution: to follow a run, not to report."""
    model.eval()
    images = unit_range(stills.images, stills.tops)
    x = functional.interpolate(images, (size, size), mode="bilinear", antialias=True)
    t = functional.interpolate(stills.labels[:, None].float(), (size, size), mode="nearest")[:, 0]
    found = torch.cat([model(x[i : i + 20]).argmax(1) for i in range(0, len(x), 20)])
    scores = []
    for label in range(1, N_CLASSES):
        a, b = found == label, t == label
        scores.append(float((2 * (a & b).sum((1, 2)) / (a.sum((1, 2)) + b.sum((1, 2))).clamp(min=1)).mean()))
    return scores


def _save_progress(
    path: Path, step: int, model: Supervised, average: dict[str, Tensor], optimiser: torch.optim.AdamW
) -> None:
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{k}": v for k, v in state.items()}
    partial = path.with_suffix(".part")
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, partial, {"step": str(step)})
    partial.replace(path)


def _load_progress(path: Path, model: Supervised, average: dict[str, Tensor], optimiser: torch.optim.AdamW) -> int:
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


def read_start(folder: Path, config: TrainingConfig) -> tuple[TrainingConfig, dict[str, Tensor]]:
    """The published weights of a folder with a manifest, checked, and the config that says where they come from."""
    manifest = read_manifest(folder)
    weights = load(read_weights(manifest, folder))
    tensors = {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
    command = json.loads((folder / MANIFEST_NAME).read_text())["training"]["command"]
    return replace(config, start_sha256=manifest.sha256, start_command=command), tensors


def train(data: Path, output: Path, config: TrainingConfig, start_folder: Path | None = None) -> Path:
    """Run or resume a training; returns the path of the averaged weights."""
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    torch.use_deterministic_algorithms(True)
    # Filling memory that is written anyway would cost a fifth of the time
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010
    output.mkdir(parents=True, exist_ok=True)
    network = ChamberNet()
    if start_folder is not None:
        config, tensors = read_start(start_folder, config)
        network.load_state_dict(tensors)
    model = Supervised(network)
    channels_last(model)
    average = {k: v.clone() for k, v in network.state_dict().items()}
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=config.weight_decay)
    progress, weights = output / "progress.safetensors", output / "chambers.safetensors"
    start = _load_progress(progress, model, average, optimiser) if progress.exists() else 0
    stills, held = load_stills(data / "train"), load_stills(data / "valid")
    (output / "config.json").write_text(json.dumps(asdict(config), indent=1))
    clock, losses = time.monotonic(), []
    for step in range(start, config.steps):
        losses.append(_one_step(model, optimiser, stills, config, step))
        average_into(average, network, step, config)
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            line = {
                "step": step + 1,
                "loss": round(float(np.mean(losses)), 4),
                "dice": [round(d, 4) for d in _dice_of(average, held, config.input_px)],
                "seconds": round(time.monotonic() - clock, 1),
            }
            losses = []
            print(json.dumps(line), flush=True)
            with (output / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            _save_progress(progress, step + 1, model, average, optimiser)
            save_file({k: v.contiguous() for k, v in average.items()}, weights)
    return weights


def _one_step(
    model: Supervised, optimiser: torch.optim.AdamW, stills: Stills, config: TrainingConfig, step: int
) -> float:
    """One step of the optimiser; returns the loss."""
    model.train()
    x, target = training_batch(stills, config, step)
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(step, config)
    loss = deep_loss(model(x.contiguous(memory_format=torch.channels_last)), target, config)
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    optimiser.step()
    return float(loss.detach())


def _dice_of(average: dict[str, Tensor], held: Stills, size: int) -> list[float]:
    judge = ChamberNet()
    judge.load_state_dict(average)
    return mean_dice(judge, held, size)


def read_config(path: Path) -> TrainingConfig:
    """A training's config.json, or a part of one; what it lacks has its usual value.

    Raises
    ------
    ValueError
        A name or a size that no training has.
    """
    try:
        given: dict[str, Any] = {"geometry": {}} | json.loads(path.read_text())
        geometry: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given["geometry"].items()}
        given["geometry"] = Geometry(**geometry)
        if "shapes" in given:
            given["shapes"] = tuple((int(height), int(width)) for height, width in given["shapes"])
        config = replace(TrainingConfig(), **given)
    except (TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path.name} is not the config of a training") from error
    if any(side % STRIDE or side < STRIDE for shape in config.shapes for side in shape):
        raise ValueError(f"the shapes in {path.name} must be multiples of {STRIDE}")
    return config


def main() -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and valid/")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--config", type=Path, help="config.json of a training, whole or in part")
    parser.add_argument("--start", type=Path, help="folder with published weights to go on from")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", type=int)
    args = parser.parse_args()
    config = read_config(args.config) if args.config else TrainingConfig()
    given = {name: getattr(args, name) for name in ("seed", "steps") if getattr(args, name) is not None}
    train(args.data, args.output, replace(config, **given), args.start)


if __name__ == "__main__":
    main()
