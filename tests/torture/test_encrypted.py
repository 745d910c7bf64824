"""An encrypted store loses no more than an unencrypted one: kills, failing commits, flipped bits."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.store import keys, vault
from tests.torture.promises import Record, scaled
from tests.torture.study import Study
from tests.torture.test_kills import CASES, Wreck, spread
from tests.torture.zygote import Zygote
from tests.unit.store.test_vault import MOMENTS, after_a_kill, fill

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks and kills")
WORDS = "a passphrase of the torture"


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes encrypted stores that this process has unlocked; the child unlocks them for itself."""

    def make(name: str) -> Path:
        path = tmp_path / name / "data" / "chordae.sqlite"
        vault.make_encrypted(path, WORDS)
        return path

    yield make
    keys._UNLOCKED.clear()


def test_killed_runs_resume(
    zygote: Zygote, encrypted: Callable[[str], Path], study: Callable[[str], Study], promise: Record
) -> None:
    """At named points and, in the whole torture, at random ones."""
    cases = spread(CASES, scaled(1, 40))[: scaled(1, 40)]
    rng, failed = random.Random(7), []
    for number, (mix, state, point) in enumerate(cases):
        path, given = encrypted(str(number)), study(mix)
        words = [str(path), WORDS]
        if number % 2:
            outcome = zygote.run(
                path, given.files, passphrase=words, kill_after_s=rng.uniform(0.2, 1.0) * given.seconds
            )
        else:
            outcome = zygote.run(path, given.files, passphrase=words, kill=[point, state])
            assert outcome.is_killed, (mix, state, point, outcome.text)
        wreck = Wreck(path)
        resumed = zygote.run(path, given.files, passphrase=words, resume=wreck.run_id)
        if resumed.result != given.result or not wreck.is_sound:
            failed.append((mix, state, point, resumed.text))
        shutil.rmtree(path.parent.parent)
    promise(
        "A run on an encrypted store is killed, resumed: the same result",
        f"{len(cases) - len(failed)} of {len(cases)}" + (f"; {failed[:1]}" if failed else ""),
        kept=not failed,
    )


def test_killed_conversions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promise: Record) -> None:
    """Before and after every step that matters, to an encrypted store and back."""
    monkeypatch.setattr(keys, "KDF_ITERATIONS", 2)
    cases = [(wanted, n) for wanted, n_moments in MOMENTS.items() for n in range(1, n_moments + 2)]
    failed, cases = [], random.Random(9).sample(cases, scaled(1, len(cases)))
    for number, (wanted, n) in enumerate(cases):
        path = tmp_path / str(number) / "chordae.sqlite"
        fill(path)
        if not after_a_kill(path, wanted, n):
            failed.append((wanted, n))
        keys._UNLOCKED.clear()
    promise(
        "A conversion of the store is killed: the old store or the new one, whole, and nothing in clear beside it",
        f"{len(cases) - len(failed)} of {len(cases)}" + (f"; {failed[:3]}" if failed else ""),
        kept=not failed,
    )


def test_flipped_bits_are_found(
    tmp_path: Path,
    zygote: Zygote,
    encrypted: Callable[[str], Path],
    study: Callable[[str], Study],
    promise: Record,
) -> None:
    """One bit anywhere: the same result or a typed refusal, never another result."""
    path, given = encrypted("whole"), study("ecg")
    first = zygote.run(path, given.files, passphrase=[str(path), WORDS])
    assert first.result == given.result
    n, rng, wrong = scaled(2, 200), random.Random(8), []
    for number in range(n):
        copy = tmp_path / str(number) / "data" / "chordae.sqlite"
        copy.parent.mkdir(parents=True)
        content = bytearray(path.read_bytes())
        at = rng.randrange(len(content))
        content[at] ^= 1 << rng.randrange(8)
        copy.write_bytes(content)
        outcome = zygote.run(copy, None, passphrase=[str(copy), WORDS], resume=first.run_id)
        if not (outcome.is_typed or outcome.status == "refused") or (
            outcome.status == "complete" and outcome.result != given.result
        ):
            wrong.append((at, outcome.status, outcome.text[-300:]))
        shutil.rmtree(copy.parent.parent)
    promise(
        "One flipped bit anywhere in an encrypted store: the same result or a typed refusal",
        f"{n - len(wrong)} of {n}" + (f"; {wrong[:1]}" if wrong else ""),
        kept=not wrong,
    )
