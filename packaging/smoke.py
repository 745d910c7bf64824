"""Does the frozen application work? Doctor, the demo study with worker processes, the same unfrozen, and the window.

`python packaging/smoke.py [FOLDER]`, after `make freeze`. The application gets an empty environment and, where the
system allows it, no network. Exit code 1 when something is not as it must be.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "build" / "frozen" / "chordae"
START_S, RUN_S = 120.0, 600.0
WORKER = "--isolated-worker"


class SmokeError(Exception):
    """Something is not as it must be; the text says what."""


def clean_environment(home: Path) -> dict[str, str]:
    """Nothing of this Python, no display."""
    return {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"}


def without_network() -> list[str]:
    """The command that takes the network away; empty where that is not allowed."""
    tool = shutil.which("unshare")
    wish = [tool, "-n" if os.geteuid() == 0 else "-rn"] if tool else []
    return wish if wish and subprocess.run([*wish, "true"], capture_output=True, check=False).returncode == 0 else []


def workers_of(process: psutil.Process) -> Iterator[int]:
    """Ids of the worker processes below a process."""
    for child in process.children(recursive=True):
        try:
            if WORKER in child.cmdline():
                yield child.pid
        except psutil.Error:
            continue


def run(command: list[str], environment: Mapping[str, str], home: Path) -> tuple[float, set[int]]:
    """Seconds that a command took, and the workers it was seen to have; raises SmokeError when it fails."""
    started_s, seen = time.monotonic(), set[int]()
    with (home / "said").open("wb") as said:
        process = psutil.Popen(command, env=environment, cwd=home, stdout=said, stderr=said)
        while process.poll() is None:
            seen |= set(workers_of(process))
            time.sleep(0.05)
            if time.monotonic() - started_s > RUN_S:
                process.kill()
                raise SmokeError("it does not end")
    if process.returncode:
        raise SmokeError(f"exit code {process.returncode}\n{(home / 'said').read_text()[-2000:]}")
    return time.monotonic() - started_s, seen


def window_s(command: list[str], environment: Mapping[str, str], home: Path) -> float:
    """Seconds from the start to the painted window, which then starts its first worker."""
    started_s = time.monotonic()
    process = psutil.Popen([*command, "--data-dir", str(home / "window")], env=environment, cwd=home)
    try:
        while not any(workers_of(process)):
            if process.poll() is not None or time.monotonic() - started_s > START_S:
                raise SmokeError("the window did not open")
            time.sleep(0.01)
        return time.monotonic() - started_s
    finally:
        process.terminate()
        process.wait(30)


def result_of(folder: Path) -> Any:
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    if report["pipeline_execution"]["status"] != "complete":
        raise SmokeError("the run is not complete")
    return report["result"]


def check(application: Path, home: Path) -> None:
    """Every step, with a line for each."""
    frozen, environment = [*without_network(), str(application / "chordae")], clean_environment(home)
    data = ["--data-dir", str(home / "data")]
    run([*frozen, "doctor", *data], environment, home)
    say("doctor", "everything there")
    demo = ["demo", "--headless", "--output"]
    seconds, workers = run([*frozen, *demo, str(home / "frozen"), *data], environment, home)
    if not workers:
        raise SmokeError("no worker process was seen")
    pictures = sorted((home / "frozen").glob("*.png"))
    if not pictures or min(path.stat().st_size for path in pictures) < 10_000:
        raise SmokeError("the window was not painted")
    say("demo study", f"{seconds:.1f} s, {len(workers)} worker processes, {len(pictures)} pictures of the window")
    unfrozen = [sys.executable, "-m", "app"]
    own = {**environment, "PYTHONPATH": str(ROOT)}
    seconds, _ = run([*unfrozen, *demo, str(home / "unfrozen"), "--data-dir", str(home / "other")], own, home)
    ours, theirs = result_of(home / "unfrozen"), result_of(home / "frozen")
    if ours != theirs:
        parts = [name for name in ours if ours[name] != theirs.get(name)]
        raise SmokeError(f"the unfrozen application gives another result: {', '.join(parts)}")
    say("unfrozen", f"{seconds:.1f} s, the same result with {len(theirs['measurements'])} measures")
    run([*frozen, "audit", "verify", *data], environment, home)
    say("audit", "holds")
    window = [window_s(frozen, environment, home) for _ in range(3)]
    say("window", f"{min(window):.1f} s from the start to the painted window and its first worker (best of 3)")


def say(what: str, text: str) -> None:
    print(f"smoke: {what:12} {text}", flush=True)


def main() -> int:
    """Exit code 0 when all is well."""
    application = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else BUILT
    say("network", "none" if without_network() else "not taken away: this system does not allow it")
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(application, Path(folder))
        except SmokeError as error:
            print(f"smoke: failed: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
