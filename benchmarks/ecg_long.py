"""A day of ECG: CPU time, memory, progress, cancel, and the hourly table.

`python -m benchmarks.ecg_long [--hours 2 24] [--formats wfdb edf] [--af-share 0.08] [--table]` makes files from a
seed in a temporary folder and measures each in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.holter import make_holter, write_edf, write_wfdb

WRITERS = {"wfdb": write_wfdb, "edf": write_edf}
CANCELS = 6
MARKS = {"cpu_s": 60.0, "gap_s": 0.5, "cancel_s": 0.5}


def main() -> int:
    """Print one row a file; 1 when a mark is missed at 24 hours."""
    arguments = _arguments()
    if arguments.measure is not None:
        print(json.dumps(_measure(arguments.measure, cancels=CANCELS)))
        return 0
    missed = False
    print(f"{'file':14} {'CPU s':>7} {'wall s':>7} {'h/CPU s':>8} {'peak MB':>8} {'gap s':>6} {'cancel s':>8}  beats")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.formats:
            for hours in arguments.hours:
                holter = make_holter(round(hours * 3600), seed=1, af_share=arguments.af_share)
                path = WRITERS[name](Path(folder), holter, f"holter-{hours:g}h")
                found = _in_own_process(path)
                print(_row(f"{name} {hours:g} h", hours, found), flush=True)
                missed |= hours >= 24 and any(found[mark] > most for mark, most in MARKS.items())
        if arguments.table:
            _print_course(found)
    return int(missed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, nargs="+", default=[2.0, 24.0])
    parser.add_argument("--formats", nargs="+", choices=sorted(WRITERS), default=["wfdb", "edf"])
    parser.add_argument("--af-share", type=float, default=0.08, help="of every two hours, 0 to 1")
    parser.add_argument("--table", action="store_true", help="print the hourly table and the episodes of the last file")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_own_process(path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.ecg_long", "--measure", str(path)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # as the application starts
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


class _Clock:
    """A progress callback that notes the longest silence, in wall time and in CPU time of this process."""

    def __init__(self) -> None:
        self.wall_s, self.cpu_s = time.monotonic(), time.process_time()
        self.gap_s = self.cpu_gap_s = 0.0

    def __call__(self, fraction: float, text: str) -> None:
        wall_s, cpu_s = time.monotonic(), time.process_time()
        self.gap_s, self.cpu_gap_s = max(self.gap_s, wall_s - self.wall_s), max(self.cpu_gap_s, cpu_s - self.cpu_s)
        self.wall_s, self.cpu_s = wall_s, cpu_s


def _measure(path: Path, *, cancels: int) -> dict[str, Any]:
    """Both stages over one file; libraries are loaded before the clock starts, as in a window that was used once."""
    from pipeline.cancellation import CancelToken
    from pipeline.ecg.readers import inspect_ecg
    from pipeline.gates import Limits
    from pipeline.parts import NoParts
    from pipeline.records import Metadata
    from pipeline.stages.analysis import analyse_ecg
    from pipeline.stages.preprocessing import prepare_ecg

    _load_libraries()
    before_mb = _peak_mb()
    file, limits = inspect_ecg(path, Limits()), Limits()
    clock, cpu_s, wall_s = _Clock(), time.process_time(), time.monotonic()
    ecg = prepare_ecg(path, (file,), limits, parts=NoParts(), progress=clock, cancel=CancelToken())
    prepared_s = time.process_time() - cpu_s
    found = analyse_ecg(ecg, Metadata(), path, (file,), limits, parts=NoParts(), progress=clock, cancel=CancelToken())
    cpu_s, wall_s, peak_mb = time.process_time() - cpu_s, time.monotonic() - wall_s, _peak_mb()

    def again(token: CancelToken) -> None:
        analyse_ecg(ecg, Metadata(), path, (file,), limits, parts=NoParts(), progress=clock, cancel=token)

    course = found.long
    assert course is not None
    return {
        "cpu_s": cpu_s,
        "preparing_cpu_s": prepared_s,
        "wall_s": wall_s,
        "before_mb": before_mb,
        "peak_mb": peak_mb,
        "gap_s": clock.gap_s,
        "cpu_gap_s": clock.cpu_gap_s,
        "cancel_s": max(_cancel_latency_s(again, 0.3 + 0.17 * n) for n in range(cancels)),
        "n_beats": len(found.r_peaks_idx),
        "hours": [_fields(hour) for hour in course.hours],
        "episodes": [_fields(episode) for episode in course.episodes],
    }


def _load_libraries() -> None:
    """One short record through everything: first imports cost seconds and belong to no record."""
    from pipeline.ecg.long_analysis import analyse_long
    from pipeline.ecg.long_preparation import prepare_long
    from pipeline.ecg.readers import edf, wfdb_record
    from pipeline.gates import Limits
    from pipeline.records import Metadata

    with tempfile.TemporaryDirectory() as folder:
        for opening, write in ((edf.stream, write_edf), (wfdb_record.stream, write_wfdb)):
            stream = opening(write(Path(folder), make_holter(120)), Limits())
            assert stream is not None
            analyse_long(stream, prepare_long(stream, ""), Metadata())


def _cancel_latency_s(act: Any, after_s: float) -> float:
    """Time from the cancel to the end of the work."""
    from pipeline.cancellation import CancelToken
    from pipeline.errors import RunCancelledError

    token, set_at = CancelToken(), []

    def cancel() -> None:
        set_at.append(time.monotonic())
        token.cancel()

    timer = threading.Timer(after_s, cancel)
    timer.start()
    try:
        act(token)
    except RunCancelledError:
        return time.monotonic() - set_at[0]
    finally:
        timer.cancel()
    return 0.0  # it was finished before


def _peak_mb() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


# --- printing ----------------------------------------------------------------------------------------


def _row(name: str, hours: float, found: dict[str, Any]) -> str:
    return (
        f"{name:14} {found['cpu_s']:7.1f} {found['wall_s']:7.1f} {hours / found['cpu_s']:8.2f} "
        f"{found['peak_mb']:8.0f} {found['gap_s']:6.2f} {found['cancel_s']:8.2f}  {found['n_beats']} "
        f"(preparing {found['preparing_cpu_s']:.1f} CPU s, libraries alone {found['before_mb']:.0f} MB, "
        f"longest silence {found['cpu_gap_s']:.2f} CPU s)"
    )


def _print_course(found: dict[str, Any]) -> None:
    print("\nhour  usable min  beats  mean  min  max     V     S  AF %  pauses  longest RR s")
    for number, hour in enumerate(found["hours"]):
        print(
            f"{number:4}  {hour['usable_min']:10.1f} {hour['n_beats']:6} {_shown(hour['mean_bpm'])} "
            f"{_shown(hour['min_bpm'])}{_shown(hour['max_bpm'])} {hour['n_v']:5} {hour['n_s']:5} "
            f"{_shown(hour['af_share_pct'])} {hour['n_pauses']:7}  {_shown(hour['longest_rr_s'], 2)}"
        )
    kinds = sorted({episode["kind"] for episode in found["episodes"]})
    for kind in kinds:
        of_kind = [episode for episode in found["episodes"] if episode["kind"] == kind]
        lasting_s = sum(episode["end_s"] - episode["start_s"] for episode in of_kind)
        print(
            f"{kind}: {len(of_kind)} episodes, {lasting_s:.0f} s together, the first at {of_kind[0]['start_s']:.0f} s"
        )


def _shown(value: float | None, digits: int = 0) -> str:
    return "    -" if value is None else f"{value:5.{digits}f}"


if __name__ == "__main__":
    sys.exit(main())
