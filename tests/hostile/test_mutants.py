"""Seeded mutants of every format, each read in a process of its own: valid or typed, never a crash or a traceback.

The default suite reads fewer in its own process (tests/unit/*/test_readers_mutants.py). `make torture` reads
300 of each format here, `make fuzz` as many as CHORDAE_FUZZ says, from another seed each time. A mutant that
ends otherwise is kept in tests/hostile/regressions, and stays a test.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hostile.prober import Prober, Role
from tests.torture import promises
from tests.torture.promises import scaled
from tests.unit.ecg import test_readers_mutants as ecg
from tests.unit.echo import reader_phantoms as phantoms
from tests.unit.echo import test_readers_mutants as echo

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks")
MAX_SECONDS, MAX_MB = 5.0, 1024.0
REGRESSIONS = Path(__file__).with_name("regressions")
Made = tuple[Path, Path, int]  # what is opened, what is damaged, how long its header is


def clip(make: Callable[..., Path]) -> Callable[[Path], Made]:
    def made(folder: Path) -> Made:
        path = make(phantoms, folder / "whole")
        return path, path, 1024

    return made


FORMATS: tuple[tuple[str, Role, Callable[[Path], Made]], ...] = (
    ("DICOM clip", "echo", clip(echo.native)),
    ("DICOM clip, deflated", "echo", clip(echo.deflated)),
    ("DICOM clip, JPEG", "echo", clip(echo.encapsulated("jpeg", "1.2.840.10008.1.2.4.50"))),
    ("DICOM clip, RLE", "echo", clip(echo.encapsulated("rle", "1.2.840.10008.1.2.5"))),
    ("AVI, MJPEG", "echo", clip(echo.coded("mjpeg", ".avi"))),
    ("AVI, MPEG-4", "echo", clip(echo.coded("mpeg4", ".avi"))),
    ("MP4", "echo", clip(echo.coded("mpeg4", ".mp4"))),
    ("NIfTI", "echo", clip(echo.nifti(".nii"))),
    ("NIfTI, gzip", "echo", clip(echo.nifti(".nii.gz"))),
    *((make.__name__.removeprefix("write_"), "ecg", make) for make in ecg.MAKERS),
)


@pytest.fixture(scope="module")
def prober() -> Iterator[Prober]:
    with Prober() as started:
        yield started


@pytest.mark.torture
@pytest.mark.filterwarnings("ignore")  # the writers warn of what is wrong on purpose
@pytest.mark.parametrize(("name", "role", "make"), FORMATS, ids=[name for name, _, _ in FORMATS])
def test_mutants(tmp_path: Path, prober: Prober, name: str, role: Role, make: Callable[[Path], Made]) -> None:
    opened, damaged, n_header = make(tmp_path)
    original = damaged.read_bytes()
    assert prober.read(role, opened).outcome == "valid"
    n, first = int(os.environ.get("CHORDAE_FUZZ", scaled(10, 300))), int(os.environ.get("CHORDAE_FUZZ_SEED", "0"))
    wrong, slowest, largest = [], 0.0, 0.0
    for seed in range(first, first + n):
        mutant = ecg.mutant(original, n_header, seed)
        damaged.write_bytes(mutant)
        verdict = prober.read(role, opened)
        slowest, largest = max(slowest, verdict.seconds), max(largest, verdict.peak_mb)
        if not verdict.is_valid_or_typed or verdict.seconds > MAX_SECONDS or verdict.peak_mb > MAX_MB:
            wrong.append((seed, verdict))
            (REGRESSIONS / f"{role}-{name.replace(' ', '-').replace(',', '')}-{seed}").write_bytes(mutant)
    promises.record(
        f"Mutants of {name}: valid or typed, within 5 s of the processor and 1 GB",
        f"{n - len(wrong)} of {n}; slowest {slowest:.1f} s, largest {largest:.0f} MB"
        + "".join(f"\n  {seed}: {verdict}" for seed, verdict in wrong[:3]),
        kept=not wrong,
    )


def test_mutants_that_once_ended_otherwise(prober: Prober) -> None:
    ended = {path.name: prober.read(role_of(path), path) for path in REGRESSIONS.iterdir() if path.suffix != ".md"}
    assert {name: verdict for name, verdict in ended.items() if not verdict.is_valid_or_typed} == {}


def role_of(kept: Path) -> Role:
    return "ecg" if kept.name.startswith("ecg-") else "echo"
