"""A process that has imported everything and forks a child for each run, so that hundreds of runs take minutes.

The child runs the product's own engine on a real store; it can be told to kill itself at a named point, to
let the nth call of something fail, or to live on a small or read-only disk.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: what the child wrote before it ended, or nothing when it was killed."""

    exit_code: int  # negative: the signal
    status: (
        str  # of the response; "refused" for a typed error before the run, "fault" for anything else, "" when killed
    )
    run_id: str
    code: str | None
    text: str
    result: bytes
    report: dict[str, Any]
    restored: tuple[str, ...]  # results that were taken from the store
    seconds: float

    @property
    def is_killed(self) -> bool:
        return self.exit_code == -signal.SIGKILL

    @property
    def is_typed(self) -> bool:
        return self.status in ("complete", "cancelled") or (self.code or "").startswith("E_")


class Zygote:
    """Starts, forks and waits."""

    def __init__(self, *, preload: Path | None = None) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        if preload is not None:
            environment["LD_PRELOAD"] = str(preload)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=TIMEOUT_S)
        self._process.stdout.close()

    def run(
        self,
        store: Path,
        files: dict[str, Any] | None,
        *,
        resume: str | None = None,
        kill_after_s: float | None = None,
        **plan: Any,
    ) -> Outcome:
        """One run in a child; `files` None takes the stored request. See `tests.torture.child` for the plan."""
        store.parent.mkdir(parents=True, exist_ok=True)
        order = {"store": str(store), "files": files, "resume": resume, "plan": plan}
        started = time.perf_counter()
        self._say(order)
        pid = self._hear()["pid"]
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(pid, signal.SIGKILL)  # a child that has ended waits as a zombie, so the number is still its own
        self._say({})
        ended = self._hear()
        seconds = time.perf_counter() - started
        said = json.loads(ended["answer"] or "{}")
        report = said.get("report") or {}
        return Outcome(
            exit_code=int(ended["exit_code"]),
            status=said.get("status", ""),
            run_id=said.get("run_id", ""),
            code=said.get("code"),
            text=said.get("text", ""),
            result=json.dumps(report.get("result"), sort_keys=True).encode(),
            report=report,
            restored=tuple(said.get("restored", ())),
            seconds=seconds,
        )

    def _say(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the forking process has gone"
        return dict(json.loads(line))
