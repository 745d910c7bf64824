"""Every hand-built attack ends valid or typed, within its time and memory, without a traceback."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.attacks import ATTACKS, Attack
from tests.hostile.prober import Prober
from tests.torture import promises

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pipes, devices, forks")
MAX_SECONDS, MAX_MB = 5.0, 1024.0


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


def test_the_list_names_each_attack_once() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names))
    assert all(isinstance(attack, Attack) and attack.ends for attack in ATTACKS)
