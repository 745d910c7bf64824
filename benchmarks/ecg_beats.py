"""R-peak detectors side by side: every detector reads record after record in one run, so the machine's load is shared.

A detection within 150 ms of an annotated beat finds it, each beat once. Detections inside annotated ventricular flutter
are left out, as ANSI/AAMI EC57 does. CPU time is that of the process, not the wall clock.

The folder holds WFDB records with `.atr` beat annotations, for instance the MIT-BIH Arrhythmia Database
(doi 10.13026/C2F305). It comes as an argument or as `ecg/mitdb` below the folder that CHORDAE_DATA names.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.ecg_noise import noisy_strips

Positions = npt.NDArray[np.int64]
Signal = npt.NDArray[np.float64]
Detector = Callable[[Signal, float], Positions]

WINDOW_S = 0.150
BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ?")


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one detector found and missed over all records so far."""

    found: int = 0
    missed: int = 0
    extra: int = 0
    cpu_s: float = 0.0
    failures: list[str] = field(default_factory=list)
    f1_of: dict[str, float] = field(default_factory=dict)  # percent

    def add(self, name: str, truth: Positions, detected: Positions, window: int) -> None:
        """Count one record."""
        n_found = matched(truth, detected, window)
        missed, extra = truth.size - n_found, detected.size - n_found
        self.found, self.missed, self.extra = self.found + n_found, self.missed + missed, self.extra + extra
        self.f1_of[name] = 200.0 * n_found / max(2 * n_found + missed + extra, 1)

    def row(self) -> dict[str, object]:
        """The figures in percent, and CPU seconds a record."""
        n = max(len(self.f1_of), 1)
        worst = sorted(self.f1_of.items(), key=lambda item: item[1])[:3]
        return {
            "se": round(100.0 * self.found / max(self.found + self.missed, 1), 3),
            "ppv": round(100.0 * self.found / max(self.found + self.extra, 1), 3),
            "f1": round(200.0 * self.found / max(2 * self.found + self.missed + self.extra, 1), 3),
            "worst": {name: round(f1, 2) for name, f1 in worst},
            "cpu_s_per_record": round(self.cpu_s / n, 3),
            "failures": self.failures,
        }


def matched(truth: Positions, detected: Positions, window: int) -> int:
    """Number of beats with a detection of their own within the window; the nearest free one is taken."""
    used: set[int] = set()
    for position in truth:
        low, high = np.searchsorted(detected, [position - window, position + window + 1])
        free = [j for j in range(int(low), int(high)) if j not in used]
        if free:
            used.add(min(free, key=lambda j: abs(int(detected[j]) - int(position))))
    return len(used)


def _ours(signal_mv: Signal, rate_hz: float) -> Positions:
    from pipeline.ecg.beats import detect_r_peaks

    return np.asarray(detect_r_peaks(signal_mv, rate_hz), np.int64)


def _neurokit(signal_mv: Signal, rate_hz: float) -> Positions:
    import neurokit2

    cleaned = neurokit2.ecg_clean(signal_mv[0], sampling_rate=int(rate_hz))
    _, info = neurokit2.ecg_peaks(cleaned, sampling_rate=int(rate_hz))
    return np.asarray(info["ECG_R_Peaks"], np.int64)


def _gqrs(signal_mv: Signal, rate_hz: float) -> Positions:
    from wfdb import processing

    return np.asarray(processing.gqrs_detect(sig=signal_mv[0], fs=rate_hz), np.int64)


def _xqrs(signal_mv: Signal, rate_hz: float) -> Positions:
    from wfdb import processing

    return np.asarray(processing.xqrs_detect(sig=signal_mv[0], fs=rate_hz, verbose=False), np.int64)


def _sleepecg(signal_mv: Signal, rate_hz: float) -> Positions:
    from sleepecg import detect_heartbeats

    return np.asarray(detect_heartbeats(signal_mv[0], rate_hz), np.int64)


def _detectors() -> dict[str, tuple[Detector, slice]]:
    """Detector and the channels that it reads; the others read one channel only."""
    first = slice(0, 1)
    table: dict[str, tuple[Detector, slice]] = {
        "Chordae, all channels": (_ours, slice(None)),
        "Chordae": (_ours, first),
        "neurokit2": (_neurokit, first),
        "wfdb gqrs": (_gqrs, first),
        "wfdb xqrs": (_xqrs, first),
    }
    if find_spec("sleepecg") is not None:
        table["sleepecg"] = (_sleepecg, first)
    else:
        print("sleepecg is not installed and is left out.")
    return table


def records(folder: Path) -> Iterator[tuple[str, Signal, float, Positions, list[tuple[int, int]]]]:
    """Name, signal (n_channels, n_samples) in mV, rate, beats, and flutter episodes of every annotated record."""
    import wfdb

    for path in sorted(folder.glob("*.atr")):
        record = wfdb.rdrecord(str(path.with_suffix("")))
        annotation = wfdb.rdann(str(path.with_suffix("")), "atr")
        symbols = np.array(annotation.symbol)
        beats = annotation.sample[np.isin(symbols, list(BEAT_SYMBOLS))]
        starts, ends = annotation.sample[symbols == "["], annotation.sample[symbols == "]"]
        flutter = list(zip(starts.tolist(), ends.tolist(), strict=True))
        yield path.stem, np.ascontiguousarray(record.p_signal.T), float(record.fs), beats, flutter


def compare(folder: Path, wanted: int | None = None) -> dict[str, Tally]:
    """Run every detector over the folder, or over its first `wanted` records."""
    detectors = _detectors()
    tallies = {name: Tally() for name in detectors}
    for i, (name, signal_mv, rate_hz, truth, flutter) in enumerate(records(folder)):
        if wanted is not None and i >= wanted:
            break
        for label, (detect, channels) in detectors.items():
            part = np.ascontiguousarray(signal_mv[channels])
            if i == 0:
                _quietly(detect, part[:, : int(60 * rate_hz)], rate_hz)  # imports and caches count for nobody
            start = time.process_time()
            detected, failure = _quietly(detect, part, rate_hz)
            tallies[label].cpu_s += time.process_time() - start
            if failure:
                tallies[label].failures.append(f"{name}: {failure}")
            detected = _outside(detected, flutter)
            tallies[label].add(name, truth, detected, int(WINDOW_S * rate_hz))
        print(f"{name} done", file=sys.stderr, flush=True)
    return tallies


def _outside(detected: Positions, flutter: list[tuple[int, int]]) -> Positions:
    for first, last in flutter:
        detected = detected[(detected < first) | (detected > last)]
    return detected


def compare_noisy(folder: Path, wanted: int | None = None) -> dict[str, dict[str, float]]:
    """F1 in percent of every detector for each added noise, over strips of all (or the first `wanted`) records.

    wfdb's xqrs is left out: it takes minutes.
    """
    detectors = {name: entry for name, entry in _detectors().items() if name != "wfdb xqrs"}
    tallies: dict[str, dict[str, Tally]] = {}
    for i, (name, signal_mv, rate_hz, truth, flutter) in enumerate(records(folder)):
        if wanted is not None and i >= wanted:
            break
        for label, strip in noisy_strips(signal_mv, rate_hz):
            beats = truth[truth < strip.shape[1]]
            for detector, (detect, channels) in detectors.items():
                detected, _ = _quietly(detect, np.ascontiguousarray(strip[channels]), rate_hz)
                detected = _outside(detected, flutter)
                tally = tallies.setdefault(label, {}).setdefault(detector, Tally())
                tally.add(name, beats, detected, int(WINDOW_S * rate_hz))
    return {
        label: {detector: float(str(tally.row()["f1"])) for detector, tally in row.items()}
        for label, row in tallies.items()
    }


def _quietly(detect: Detector, signal_mv: Signal, rate_hz: float) -> tuple[Positions, str | None]:
    """Detections, and the error's name where the detector gave up: every beat then counts as missed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return np.sort(detect(signal_mv, rate_hz)), None
        except Exception as error:  # noqa: BLE001 - other people's code; a failure is a result here
            return np.empty(0, np.int64), type(error).__name__


def main(arguments: list[str]) -> int:
    """Print one line a detector and, last, all figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ecg beats", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="WFDB records with .atr annotations")
    parser.add_argument("--records", type=int, help="only the first records")
    parser.add_argument("--noise", action="store_true", help="F1 on strips with noise added from a fixed seed")
    options = parser.parse_args(arguments)
    folder = options.folder or Path(os.environ.get("CHORDAE_DATA", ".")) / "ecg" / "mitdb"
    if not any(folder.glob("*.atr")):
        print("No annotated record was found. Name the folder, or set CHORDAE_DATA.", file=sys.stderr)
        return 2
    if options.noise:
        for label, row in compare_noisy(folder, options.records).items():
            print(f"{label:14}" + "".join(f"  {detector} {f1:.2f}" for detector, f1 in row.items()), flush=True)
        return 0
    rows = {name: tally.row() for name, tally in compare(folder, options.records).items()}
    print(f"{'detector':24}{'F1 %':>9}{'Se %':>9}{'PPV %':>9}{'CPU s':>8}  worst records")
    for name, row in rows.items():
        worst = row["worst"]
        print(f"{name:24}{row['f1']:>9}{row['se']:>9}{row['ppv']:>9}{row['cpu_s_per_record']:>8}  {worst}")
    print(json.dumps(rows))
    return 0
