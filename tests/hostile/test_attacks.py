"""Every hand-built attack ends valid or typed, within its time and memory, without a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.attacks import ATTACKS, Attack
from tests.hostile.prober import Prober
from tests.torture import promises

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pipes, devices, forks")
MAX_SECONDS, MAX_MB, MAX_GROWN_MB = 5.0, 1024.0, 50.0
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def prober() -> Iterator[Prober]:
    with Prober() as started:
        yield started


@pytest.mark.filterwarnings("ignore")  # the writers warn of what is wrong on purpose
def test_every_attack_ends_as_it_must(tmp_path: Path, prober: Prober) -> None:
    wrong, slowest, largest = [], 0.0, 0.0
    for number, attack in enumerate(ATTACKS):
        folder = tmp_path / f"a{number}"
        folder.mkdir()
        verdict = prober.read(attack.role, attack.make(folder))
        slowest, largest = max(slowest, verdict.seconds), max(largest, verdict.peak_mb)
        told = [str(folder) in verdict.text, verdict.seconds > MAX_SECONDS, verdict.peak_mb > MAX_MB]
        if verdict.outcome not in attack.ends or any(told):
            wrong.append((attack.name, verdict))
        shutil.rmtree(folder)
    promises.record(
        "Every attack of the named list ends valid or with its code, within 5 s of the processor and 1 GB, without a "
        "traceback",
        f"{len(ATTACKS) - len(wrong)} of {len(ATTACKS)}; slowest {slowest:.1f} s, largest {largest:.0f} MB"
        + "".join(f"\n  {name}: {verdict}" for name, verdict in wrong),
        kept=not wrong,
    )


@pytest.mark.torture
def test_the_window_survives_every_attack(tmp_path: Path) -> None:
    """A real window with worker processes."""
    every = max(1, round(100 / int(os.environ.get("CHORDAE_TORTURE_N", "5"))))
    command = [sys.executable, "-m", "tests.hostile.window_opener", str(tmp_path), str(every)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    wrong = {
        name: (phase, codes)
        for name, (phase, codes) in told["ended"].items()
        if phase not in ("complete", "error") or (phase == "error" and not all(code.startswith("E_") for code in codes))
    }
    promises.record(
        "Every attack opened in the window: a result or a typed error, no signal, no traceback, the window's process "
        "grows by at most 50 MB",
        f"{len(told['ended']) - len(wrong)} of {len(told['ended'])}, {told['grown_mb']:+.0f} MB"
        + (f"; {dict(list(wrong.items())[:3])}" if wrong else ""),
        kept=not wrong and told["grown_mb"] <= MAX_GROWN_MB and "Traceback" not in done.stderr,
    )


def test_the_list_names_each_attack_once() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names))
    assert all(isinstance(attack, Attack) and attack.ends for attack in ATTACKS)
