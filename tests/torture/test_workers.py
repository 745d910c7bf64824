"""Worker processes: the same results as without, ended at any moment, replaced at once, leaving nothing behind."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from benchmarks.isolation import CANCEL_P95_S, CANCEL_WORST_S, OVERHEAD_PCT, measure, middle
from pipeline.cancellation import CancelToken
from pipeline.engine import run_study
from pipeline.isolation import worker_process
from pipeline.isolation.executor import IsolatedExecutor
from pipeline.isolation.supervisor import Supervisor
from pipeline.records import CardiologyRequest, CardiologyResponse, RunEvent
from pipeline.store.database import Store
from tests.integration.short_study import short_study
from tests.torture.promises import Record, scaled

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
ODD_WORKER = Path(__file__).parents[1] / "unit" / "isolation" / "odd_worker.py"
SIGNALS = (signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL)
REPLACED_S = 4.0
SPARES = 2  # that wait between runs


def result(response: CardiologyResponse) -> str:
    return json.dumps(response.report["result"], sort_keys=True)


@contextmanager
def executing(folder: Path, *, keeps_spare: bool = False) -> Iterator[IsolatedExecutor]:
    executor = IsolatedExecutor(folder, keeps_spare=keeps_spare)
    try:
        yield executor
    finally:
        executor.close()


@pytest.fixture(scope="module")
def request_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], CardiologyRequest]:
    """An ECG alone, or with a short clip."""
    both = short_study(tmp_path_factory.mktemp("study"))

    def give(mix: str) -> CardiologyRequest:
        return both if mix == "echo+ecg" else CardiologyRequest(ecg_path=both.ecg_path)

    return give


RequestOf = Callable[[str], CardiologyRequest]


def after(seconds: float, act: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


def test_workers_killed_at_any_moment(tmp_path: Path, request_of: RequestOf, promise: Record) -> None:
    """Each time the run completes: by a retry, or because the worker was not in the middle of a call."""
    request = request_of("ecg")
    whole = run_study(None, request)
    chance, n, same, retried = random.Random(11), scaled(1, 30), 0, 0
    with executing(tmp_path) as executor:
        for number in range(n):
            name = SIGNALS[number % len(SIGNALS)]

            def kill(name: signal.Signals = name) -> None:
                pid = executor.supervisor.pid_of("ecg")
                if pid is not None:
                    os.kill(pid, name)

            timer = after(chance.uniform(0.2, 1.5), kill)
            response = run_study(tmp_path / "s.sqlite", request, executor=executor)
            timer.cancel()
            same += result(response) == result(whole)
            retried += response.report["pipeline_execution"]["retries_performed"]
    promise(
        "A worker killed by SEGV, ABRT or KILL at any moment of a run: the run completes with the same result",
        f"{same} of {n}, {retried} retries",
        kept=same == n,
    )


def test_a_dead_worker_is_replaced(tmp_path: Path, promise: Record) -> None:
    taken: list[float] = []
    supervisor = Supervisor(tmp_path, keeps_spare=True)
    try:
        for number in range(scaled(2, 15)):
            while not supervisor.ready_pids:
                time.sleep(0.01)
            before = supervisor.pids[0]
            started_s = time.monotonic()
            os.kill(before, SIGNALS[number % len(SIGNALS)])
            while not supervisor.ready_pids or before in supervisor.pids:
                time.sleep(0.01)
            taken.append(time.monotonic() - started_s)
    finally:
        supervisor.close()
    promise(
        "A dead worker is replaced within 4 s",
        f"{len(taken)} times, worst {max(taken):.2f} s",
        kept=max(taken) <= REPLACED_S,
    )


def test_cancel_at_any_moment(tmp_path: Path, request_of: RequestOf, promise: Record) -> None:
    """The store stays sound and the run can be resumed."""
    chance, n = random.Random(12), scaled(1, 40)
    request = request_of("ecg" if n < 3 else "echo+ecg")
    taken: list[float] = []
    resumed = None
    with executing(tmp_path, keeps_spare=True) as executor:
        whole = run_study(tmp_path / "s.sqlite", request, executor=executor)
        span_s = whole.report["pipeline_execution"]["total_time_ms"] / 1000
        while len(taken) < n:
            cancel, cancelled_s = CancelToken(), [0.0]

            def stop(cancel: CancelToken = cancel, cancelled_s: list[float] = cancelled_s) -> None:
                cancelled_s[0] = time.monotonic()
                cancel.cancel()

            timer = after(chance.uniform(0.05, 0.9) * span_s, stop)
            stopped = run_study(tmp_path / "s.sqlite", request, executor=executor, cancel=cancel)
            ended_s = time.monotonic()
            timer.cancel()
            if stopped.status == "cancelled":
                taken.append(ended_s - cancelled_s[0])
        resumed = run_study(tmp_path / "s.sqlite", None, resume=stopped.run_id, executor=executor)
    with Store.open(tmp_path / "s.sqlite") as store:
        sound = store.audit_faults() == ()
    p95_s = sorted(taken)[max(0, round(0.95 * len(taken)) - 1)]
    promise(
        "Cancel ends a run: p95 <= 500 ms, worst 2.5 s, store sound, run resumable with the same result",
        f"{n} cancels: p95 {1000 * p95_s:.0f} ms, worst {1000 * max(taken):.0f} ms",
        kept=max(taken) <= CANCEL_WORST_S
        and (p95_s <= CANCEL_P95_S or n < 20)
        and sound
        and result(resumed) == result(whole),
    )


def test_runs_leave_nothing_behind(tmp_path: Path, request_of: RequestOf, promise: Record) -> None:
    request, me, n = request_of("ecg"), psutil.Process(), scaled(2, 50)
    n_first, children = max(1, n // 5), me.children(recursive=True)

    def now() -> tuple[float, int, int]:
        while len(executor.supervisor.ready_pids) < SPARES:
            time.sleep(0.01)
        gc.collect()
        return me.memory_info().rss / 2**20, me.num_fds(), me.num_threads()

    with executing(tmp_path, keeps_spare=True) as executor:
        for number in range(n):
            assert run_study(tmp_path / "s.sqlite", request, executor=executor).status == "complete"
            if number + 1 == n_first:
                before = now()
        time.sleep(0.2)
        end = now()
        n_workers = len(executor.supervisor.pids)
    grown_pct = 100 * (end[0] / before[0] - 1)
    left = [*(tmp_path / "work").iterdir(), *Path(tempfile.gettempdir()).glob(f"chordae-{me.pid}-*")]
    left += [child for child in me.children(recursive=True) if child not in children]
    promise(
        "Runs in one session: memory +5 % at most, no descriptor, thread, process or file more",
        f"{n} runs: memory {grown_pct:+.1f} %, descriptors {end[1] - before[1]:+d}, threads {end[2] - before[2]:+d},"
        f" {n_workers} workers, afterwards {len(left)} processes or folders left",
        kept=grown_pct <= 5 and end[1] <= before[1] and end[2] <= before[2] and n_workers == SPARES and not left,
    )


def test_memory_is_two_attempts_the_second_with_half_the_batch(
    tmp_path: Path, request_of: RequestOf, promise: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    normal = worker_process.worker_command
    monkeypatch.setattr(
        worker_process,
        "worker_command",
        lambda folder: [sys.executable, "-s", str(ODD_WORKER), "analyse_ecg=hold_much", *normal(folder)[-2:]],
    )
    said: list[RunEvent] = []
    with executing(tmp_path) as executor:
        executor.supervisor.resident_limit = 500 << 20
        response = run_study(None, request_of("ecg"), executor=executor, on_event=said.append)
    retries = [event.text for event in said if event.kind == "retry"]
    halved = len(retries) == 1 and "batch halved" in retries[0]
    attempts = (response.report["error"].get("details") or {}).get("attempts")
    promise(
        "E_HARD_002: exactly two attempts, the second with half the batch",
        f"{response.error_code} after {attempts} attempts; {'; '.join(retries)}",
        kept=response.error_code == "E_HARD_002" and attempts == "2" and halved,
    )


@pytest.mark.torture
def test_isolation_costs_little(promise: Record) -> None:
    """The demo study by the command line, three runs of each kind that take turns."""
    isolated, here = [], []
    for _ in range(3):
        isolated.append(measure())
        here.append(measure("--in-process"))
    overhead_pct = 100 * (middle(isolated, "wall_s") / middle(here, "wall_s") - 1)
    same = len({cost.result for cost in (*isolated, *here)}) == 1
    promise(
        "The demo with worker processes: at most 10 % longer, the same result byte for byte",
        f"{middle(isolated, 'wall_s'):.1f} s with, {middle(here, 'wall_s'):.1f} s without: {overhead_pct:+.1f} %",
        kept=same and overhead_pct <= OVERHEAD_PCT,
    )
