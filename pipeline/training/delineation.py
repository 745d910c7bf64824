"""Train the wave network: `python -m pipeline.training.delineation --data DIR --output RUN`.

DIR is LUDB (RECORDS, .hea, .dat and an annotation a lead). One network is trained on all records, and one for each fold
without that fold's patients; what is finished is not trained again, so that the command can be repeated after a stop.
The same data, seed and version of torch give the same weights. Runs on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor
from torch.nn import functional

from pipeline.ecg.wave_windows import BEFORE_S, N_STEPS, RATE_HZ, beat_windows, network_input
from pipeline.records import Array
from pipeline.training.ludb import LabelledEcg, read_labelled, record_names
from pipeline.training.wave_net import WaveNet, fused_arrays

ALL = "all"
_ERASED_MARGIN_S = 0.008


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides the result, beside the data."""

    seed: int = 1
    folds: int = 5
    steps: int = 420
    records: int = 8  # a step, one beat each
    peak_rate: float = 6e-3
    weight_decay: float = 1e-3
    label_sigma: float = 1.0  # steps of 8 ms: how sharply a boundary is taught
    usual_beats: int = 6  # at most, of which the usual beat is made
    stretch: float = 0.12
    jitter_s: float = 0.02
    noise_mv: float = 0.03
    hum_mv: float = 0.03
    wander_mv: float = 0.1
    few_leads: float = 0.25  # share of steps in which leads are left out
    without_p: float = 0.15  # share of examples whose P waves are taken out of the signal
    f_wave_mv: float = 0.08  # half of them get fibrillation up to this size instead


def fold_of(index: int, folds: int) -> int:
    """Fold of the record at this place in the data set's list: one after the other, so that all folds are alike."""
    return index % folds


def targets(truth_s: Array, known: Array, sigma: float) -> Tensor:
    """Taught distributions float32 (n, 145): a bell around the boundary, all on the last step where there is none.

    `truth_s` is (n,) seconds from the R peak, NaN without a wave; rows that are not known are zero and teach nothing.
    """
    n_steps = N_STEPS // 2
    place = (truth_s + BEFORE_S) * RATE_HZ / 2
    inside = (place >= 0) & (place <= n_steps - 1)
    bell = np.exp(-0.5 * ((np.arange(n_steps) - np.where(inside, place, 0.0)[:, None]) / sigma) ** 2)
    taught = np.zeros((truth_s.size, n_steps + 1), np.float32)
    taught[inside, :-1] = (bell / bell.sum(axis=1, keepdims=True))[inside]
    taught[np.isnan(truth_s), -1] = 1.0
    return torch.from_numpy(taught * known[:, None])


def _disturbed(parts: Array, config: TrainingConfig, rng: np.random.Generator) -> Array:
    """Other gains and polarities, noise, hum and wander on (n_leads, n_beats, n_steps)."""
    n_leads, n_beats, n_steps = parts.shape
    gain = np.exp(rng.uniform(-0.7, 0.7, (n_leads, 1, 1))) * np.where(rng.random((n_leads, 1, 1)) < 0.15, -1.0, 1.0)
    time_s = np.arange(n_steps) / RATE_HZ
    phase = rng.uniform(0, 2 * np.pi, (2, n_leads, n_beats, 1))
    hum_hz, wander_hz = rng.choice([50.0, 60.0]), rng.uniform(0.3, 0.7)
    hum = np.sin(2 * np.pi * hum_hz * time_s + phase[0]) * config.hum_mv * rng.random() ** 3
    wander = np.sin(2 * np.pi * wander_hz * time_s + phase[1]) * config.wander_mv * rng.random() ** 2
    noise = rng.standard_normal(parts.shape) * config.noise_mv * rng.random((n_leads, 1, 1)) ** 2
    return np.asarray(parts * gain + hum + wander + noise, np.float32)


def _with_other_atria(ecg: LabelledEcg, leads: Array, config: TrainingConfig, rng: np.random.Generator) -> Array:
    """The leads without the P waves that are annotated, a straight line in their place, and perhaps with fibrillation.

    What stays is a heart whose QRS and T do not tell whether there is a P wave: the network must look for the wave.
    """
    level_mv = ecg.level_mv[leads]
    margin = int(_ERASED_MARGIN_S * ecg.sampling_rate_hz)
    for row, lead in enumerate(leads):
        for onset, end in ecg.p_waves[lead].tolist():
            first, last = max(0, int(onset) - margin), min(level_mv.shape[1] - 1, int(end) + margin)
            level_mv[row, first : last + 1] = np.linspace(level_mv[row, first], level_mv[row, last], last - first + 1)
    if rng.random() < 0.5:
        time_s = np.arange(level_mv.shape[1]) / ecg.sampling_rate_hz
        rate_hz = rng.uniform(4.0, 9.0) + rng.uniform(0.2, 1.5) * np.sin(2 * np.pi * rng.uniform(0.1, 0.8) * time_s)
        phase = 2 * np.pi * np.cumsum(rate_hz) / ecg.sampling_rate_hz
        wave = np.sin(phase) + rng.uniform(0.0, 0.5) * np.sin(2.0 * phase + rng.uniform(0.0, 2 * np.pi))
        level_mv += config.f_wave_mv * rng.random((leads.size, 1)) * rng.choice([-1.0, 1.0], (leads.size, 1)) * wave
    return np.asarray(level_mv)


def example(ecg: LabelledEcg, leads: Array, config: TrainingConfig, rng: np.random.Generator) -> tuple[Array, Tensor]:
    """One beat of a record: input (n_leads, 3, n_steps) and what is taught (n_leads, 6, 145)."""
    told = np.flatnonzero(ecg.known[2, leads].any(axis=0))
    beat = int(rng.choice(told))
    others = rng.permutation(ecg.r_peaks_idx.size)[: config.usual_beats - 1]
    chosen = np.concatenate([[beat], others[others != beat]])
    rate_hz = ecg.sampling_rate_hz * (1.0 + rng.uniform(-config.stretch, config.stretch))
    jitter = np.round(rng.uniform(-1, 1, chosen.size) * config.jitter_s * ecg.sampling_rate_hz * (rng.random() < 0.5))
    origin = ecg.r_peaks_idx[chosen] + jitter.astype(np.int64)
    erased = rng.random() < config.without_p
    level_mv = _with_other_atria(ecg, leads, config, rng) if erased else ecg.level_mv[leads]
    parts = _disturbed(beat_windows(level_mv, rate_hz, origin), config, rng)
    truth_s = (ecg.truth[:, leads, beat] - origin[0]) / rate_hz
    if erased:
        truth_s[:2] = np.nan
    taught = targets(truth_s.T.ravel(), ecg.known[:, leads, beat].T.ravel(), config.label_sigma)
    return network_input(parts, np.ones(chosen.size, bool))[0], taught.reshape(leads.size, -1, taught.shape[1])


def batch(ecgs: Sequence[LabelledEcg], config: TrainingConfig, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Examples of the given records, all with the same number of leads."""
    n_leads = int(rng.integers(1, 5)) if rng.random() < config.few_leads else 12
    pairs = [example(ecg, rng.permutation(12)[:n_leads], config, rng) for ecg in ecgs]
    return torch.from_numpy(np.stack([x for x, _ in pairs])), torch.stack([taught for _, taught in pairs])


def fit(ecgs: Sequence[LabelledEcg], config: TrainingConfig, log: Path) -> WaveNet:
    """Train one network on these records."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    ecgs = [ecg for ecg in ecgs if ecg.known[2].any(axis=1).all()]
    network = WaveNet().train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.peak_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=config.peak_rate, total_steps=config.steps, pct_start=0.2
    )
    order: list[int] = []
    losses: list[float] = []
    for step in range(config.steps):
        if len(order) < config.records:
            order += rng.permutation(len(ecgs)).tolist()
        chosen, order = order[: config.records], order[config.records :]
        x, taught = batch([ecgs[i] for i in chosen], config, rng)
        loss = -(taught * functional.log_softmax(network(x), dim=-1)).sum() / taught.sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if (step + 1) % 20 == 0:
            row = {
                "step": step + 1,
                "loss": round(float(np.mean(losses[-20:])), 4),
                "cpu_s": round(time.process_time()),
            }
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    return network.eval()


def train(data: Path, output: Path, config: TrainingConfig, *, only: Sequence[str] = ()) -> None:
    """Train what is not there yet: a network for each fold, and one on all records."""
    output.mkdir(parents=True, exist_ok=True)
    (output / "config.json").write_text(json.dumps(asdict(config), indent=1) + "\n", encoding="utf-8")
    ecgs = [read_labelled(data, name) for name in record_names(data)]
    for name in only or (ALL, *(str(fold) for fold in range(config.folds))):
        place = output / f"waves_{name}.safetensors"
        if place.exists():
            continue
        kept = [ecg for i, ecg in enumerate(ecgs) if name == ALL or fold_of(i, config.folds) != int(name)]
        arrays = fused_arrays(fit(kept, config, output / f"log_{name}.jsonl"))
        partial = place.with_suffix(".partial")
        save_file(arrays, partial)
        partial.replace(place)
        print(json.dumps({"network": name, "records": len(kept), "cpu_s": round(time.process_time())}), flush=True)


def main() -> None:
    """Command line of the training."""
    usual = TrainingConfig()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--steps", type=int, default=usual.steps)
    parser.add_argument("--folds", type=int, default=usual.folds)
    parser.add_argument("--only", nargs="*", default=[], help='"all" or numbers of folds')
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    config = TrainingConfig(seed=args.seed, steps=args.steps, folds=args.folds)
    train(args.data, args.output, config, only=args.only)


if __name__ == "__main__":
    main()
