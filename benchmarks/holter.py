"""Long ECG files made from a seed: sinus rhythm with a day's course, fibrillation, ectopics, pauses, noise, gaps.

Written in stretches of ten minutes, so that a day needs no more memory than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
RATE_HZ = 250
LEADS = ("II", "V1", "V5")
STRETCH_S = 600
GAIN = 200.0  # steps per mV
MISSING = -32768
# centre and width (s) of the waves around R, and their height in each lead (mV)
_P = ((-0.16, 0.022, (0.12, 0.06, 0.08)),)
_NORMAL = (
    (-0.03, 0.009, (-0.10, 0.10, -0.08)),
    (0.0, 0.011, (1.10, 0.25, 1.30)),
    (0.035, 0.011, (-0.20, -0.80, -0.25)),
    (0.28, 0.045, (0.28, 0.10, 0.30)),
)
_VENTRICULAR = ((0.0, 0.035, (-0.9, 1.4, -1.2)), (0.06, 0.03, (0.7, -0.4, 0.6)), (0.32, 0.06, (0.35, -0.45, 0.4)))
_SHAPES = {"N": (*_NORMAL, *_P), "S": _NORMAL, "A": _NORMAL, "V": _VENTRICULAR}  # A: a beat in fibrillation


@dataclass(frozen=True, slots=True, kw_only=True)
class Holter:
    """What a file is drawn from, and so the truth about it."""

    duration_s: int
    times_s: Array
    kinds: tuple[str, ...]  # N, S, V, A
    noisy_s: tuple[tuple[float, float], ...]
    missing_s: tuple[tuple[float, float], ...]
    seed: int

    def count(self, kind: str) -> int:
        """Beats of a kind outside the noise and the gaps."""
        out = (*self.noisy_s, *self.missing_s)
        seen = [not any(a <= t < b for a, b in out) for t in self.times_s]
        return sum(k == kind and s for k, s in zip(self.kinds, seen, strict=True))


def make_holter(duration_s: int, seed: int = 1, *, af_share: float = 0.08) -> Holter:
    """Draw the rhythm: one stretch of fibrillation in the middle of every two hours, 1 % V, 0.5 % S, rare pauses."""
    rng = np.random.default_rng(seed)
    times, kinds = [0.5], ["N"]
    n_beats, next_run, next_pause = 1, 1500, 900
    while times[-1] < duration_s - 2.0:
        t = times[-1]
        rate_bpm = 72.0 + 14.0 * np.sin(2 * np.pi * t / 86_400) + 4.0 * np.sin(2 * np.pi * t / 700)
        rr_s = 60.0 / rate_bpm * (1.0 + 0.02 * np.sin(2 * np.pi * t / 4.0) + 0.008 * rng.standard_normal())
        in_two_hours = (t % 7200) / 7200
        if 0.5 - af_share / 2 <= in_two_hours < 0.5 + af_share / 2:
            times.append(t + float(rng.uniform(0.42, 1.05)))
            kinds.append("A")
        elif n_beats >= next_run:
            for _ in range(4):
                times.append(times[-1] + 0.4)
                kinds.append("V")
            times.append(times[-1] + 1.1 * rr_s)
            kinds.append("N")
            next_run = n_beats + 4000
        elif n_beats >= next_pause:
            times.append(t + float(rng.uniform(2.4, 3.6)))
            kinds.append("N")
            next_pause = n_beats + 3000
        elif (draw := rng.random()) < 0.015:
            kind = "V" if draw < 0.01 else "S"
            times += [t + 0.62 * rr_s, t + (2.0 if kind == "V" else 1.62) * rr_s]
            kinds += [kind, "N"]
        else:
            times.append(t + rr_s)
            kinds.append("N")
        n_beats += 1
    hours = range(0, max(1, duration_s // 3600))
    return Holter(
        duration_s=duration_s,
        times_s=np.array(times),
        kinds=tuple(kinds),
        noisy_s=tuple((3600.0 * h + 1200, 3600.0 * h + 1260) for h in hours),
        missing_s=tuple((3600.0 * h + 2000, 3600.0 * h + 2030) for h in hours if h % 2),
        seed=seed,
    )


def stretches(holter: Holter) -> Iterator[npt.NDArray[np.int16]]:
    """The samples in steps of the file, int16 (n_samples, n_leads), ten minutes at a time."""
    templates = {kind: _template(kind) for kind in _SHAPES}
    before, width = RATE_HZ // 2, templates["N"].shape[1]
    for start in range(0, holter.duration_s, STRETCH_S):
        rng = np.random.default_rng((holter.seed, start))
        n = (min(start + STRETCH_S, holter.duration_s) - start) * RATE_HZ
        room = np.zeros((len(LEADS), n + 2 * width))
        first, last = np.searchsorted(holter.times_s, (start - 1.0, start + STRETCH_S + 1.0))
        for i in range(first, last):
            at = round((holter.times_s[i] - start) * RATE_HZ) - before + width
            if 0 <= at <= room.shape[1] - width:
                room[:, at : at + width] += templates[holter.kinds[i]]
        signal = room[:, width : width + n] + 0.015 * rng.standard_normal((len(LEADS), n))
        seconds = start + np.arange(n) / RATE_HZ
        signal += 0.08 * np.sin(2 * np.pi * 0.21 * seconds)
        for a, b in holter.noisy_s:
            inside = (seconds >= a) & (seconds < b)
            signal[:, inside] += 1.2 * rng.standard_normal((len(LEADS), int(inside.sum())))
        stored = np.clip(np.round(signal.T * GAIN), -32_000, 32_000).astype(np.int16)
        for a, b in holter.missing_s:
            stored[(seconds >= a) & (seconds < b)] = MISSING
        yield stored


def _template(kind: str) -> Array:
    """One beat in each lead, R at half a second; (n_leads, n_steps)."""
    t = np.arange(-RATE_HZ // 2, RATE_HZ * 3 // 4) / RATE_HZ
    return np.array(
        [
            sum(height[lead] * np.exp(-0.5 * ((t - centre) / width) ** 2) for centre, width, height in _SHAPES[kind])
            for lead in range(len(LEADS))
        ]
    )


def write_wfdb(folder: Path, holter: Holter, name: str = "holter") -> Path:
    """A record of format 16; the header is returned. Missing samples carry the format's own mark."""
    lines = [f"{name} {len(LEADS)} {RATE_HZ} {holter.duration_s * RATE_HZ}"]
    lines += [f"{name}.dat 16 {GAIN:g}(0)/mV 16 0 0 0 0 {lead}" for lead in LEADS]
    with (folder / f"{name}.dat").open("wb") as file:
        for stored in stretches(holter):
            file.write(stored.astype("<i2").tobytes())
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")
    return folder / f"{name}.hea"


def write_edf(folder: Path, holter: Holter, name: str = "holter") -> Path:
    """An EDF file of one-second records; EDF cannot say that samples are missing, so they read as a flat line."""
    n = len(LEADS)
    top_mv = 32_767 / GAIN
    columns = (
        *((16, [f"ECG {lead}" for lead in LEADS]), (80, [""] * n), (8, ["mV"] * n)),
        *((8, [f"{-top_mv:.5g}"] * n), (8, [f"{top_mv:.5g}"] * n), (8, ["-32767"] * n), (8, ["32767"] * n)),
        *((80, [""] * n), (8, [str(RATE_HZ)] * n), (32, [""] * n)),
    )
    fixed = ((8, "0"), (80, "X X X X"), (80, "made from a seed"), (8, "01.01.25"), (8, "08.00.00"))
    sizes = ((8, str(256 * (n + 1))), (44, ""), (8, str(holter.duration_s)), (8, "1"), (4, str(n)))
    header = "".join(text.ljust(width) for width, text in (*fixed, *sizes))
    header += "".join(text.ljust(width) for width, texts in columns for text in texts)
    with (folder / f"{name}.edf").open("wb") as file:
        file.write(header.encode("ascii"))
        for stored in stretches(holter):
            present = np.where(stored == MISSING, 0, stored).astype("<i2")
            file.write(present.reshape(-1, RATE_HZ, n).transpose(0, 2, 1).tobytes())
    return folder / f"{name}.edf"
