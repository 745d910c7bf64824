"""What worker processes cost, and how fast they end: the demo study with and without, a cancel at any moment.

`python -m benchmarks.isolation [--runs 3] [--cancels 20]`. The runs of both kinds take turns, so that a machine that
is busy with something else slows both.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from app.demo import demo_request
from pipeline.cancellation import CancelToken
from pipeline.engine import run_study
from pipeline.isolation.executor import IsolatedExecutor

OVERHEAD_PCT = 10.0
CANCEL_P95_S, CANCEL_WORST_S = 0.5, 2.5
SEED = 7


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of the demo study: from start to report."""

    wall_s: float
    cpu_s: float  # of all processes
    result: str


def main() -> int:
    """Print both tables; 1 when a mark is missed."""
    arguments = _arguments()
    isolated, here = [], []
    for _ in range(arguments.runs):
        isolated.append(measure())
        here.append(measure("--in-process"))
    print(f"{'demo study':14} {'wall s':>7} {'CPU s':>7}   each run (wall s)")
    for name, costs in (("isolated", isolated), ("in process", here)):
        runs = " ".join(f"{cost.wall_s:.1f}" for cost in costs)
        print(f"{name:14} {middle(costs, 'wall_s'):7.2f} {middle(costs, 'cpu_s'):7.2f}   {runs}")
    overhead_pct = 100 * (middle(isolated, "wall_s") / middle(here, "wall_s") - 1)
    cpu_pct = 100 * (middle(isolated, "cpu_s") / middle(here, "cpu_s") - 1)
    same = len({cost.result for cost in (*isolated, *here)}) == 1
    print(f"overhead {overhead_pct:+.1f} % (CPU time {cpu_pct:+.1f} %), results {'identical' if same else 'DIFFER'}")
    kept = same and overhead_pct <= OVERHEAD_PCT
    if arguments.cancels:
        kept &= _report_cancels(cancel_times(arguments.cancels))
    return int(not kept)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cancels", type=int, default=20)
    return parser.parse_args()


def measure(*more: str) -> Cost:
    """Run the demo study by the command line, in a folder of its own."""
    request = demo_request()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        inputs = ["--echo", str(request.echo_paths[0]), "--ecg", str(request.ecg_path)]
        place = ["--report", str(report), "--data-dir", str(Path(folder) / "data"), "--quiet"]
        before, started_s = os.times(), time.perf_counter()
        subprocess.run([sys.executable, "-m", "app", "run", *inputs, *place, *more], check=True)
        wall_s, after = time.perf_counter() - started_s, os.times()
        cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
        result = json.dumps(json.loads(report.read_text(encoding="utf-8"))["result"], sort_keys=True)
    return Cost(wall_s, cpu_s, result)


def middle(costs: list[Cost], name: str) -> float:
    """Median of one figure."""
    return statistics.median(float(getattr(cost, name)) for cost in costs)


def cancel_times(n_cancels: int, *, last_s: float = 8.0) -> list[float]:
    """Seconds from the cancel to the end of the run, for cancels spread over the course of the demo study."""
    chance = random.Random(SEED)  # noqa: S311 - no secret
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        executor = IsolatedExecutor(Path(folder), keeps_spare=True)
        try:
            for number in range(n_cancels):
                wait_s = (number + chance.random()) * last_s / n_cancels
                taken.append(_cancelled_after(wait_s, Path(folder) / "runs.sqlite", executor))
        finally:
            executor.close()
    return [each for each in taken if each is not None]


def _cancelled_after(wait_s: float, store: Path, executor: IsolatedExecutor) -> float | None:
    """Seconds that a run took to end after its cancel; None when it had ended before."""
    cancel, cancelled_s = CancelToken(), 0.0

    def stop() -> None:
        nonlocal cancelled_s
        cancelled_s = time.monotonic()
        cancel.cancel()

    timer = threading.Timer(wait_s, stop)
    timer.start()
    response = run_study(store, demo_request(), executor=executor, cancel=cancel)
    ended_s = time.monotonic()
    timer.cancel()
    return ended_s - cancelled_s if response.status == "cancelled" else None


def _report_cancels(taken: list[float]) -> bool:
    ordered = sorted(taken)
    p95_s, worst_s = ordered[max(0, round(0.95 * len(ordered)) - 1)], ordered[-1]
    print(f"cancel of {len(ordered)} runs: p95 {1000 * p95_s:.0f} ms, worst {1000 * worst_s:.0f} ms")
    return p95_s <= CANCEL_P95_S and worst_s <= CANCEL_WORST_S


if __name__ == "__main__":
    sys.exit(main())
