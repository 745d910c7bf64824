"""Seeded damage to every format: the readers answer with a clip or a typed error, never with anything else."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.echo.preprocessing import prepare_clip
from pipeline.echo.readers import inspect_echo, read_echo
from pipeline.errors import PipelineError
from pipeline.gates import Limits, sniff

SCALE = int(os.environ.get("CHORDAE_MUTANTS", "1"))  # multiplies the number of mutants
N_CUTS, N_FLIPS, N_SPANS = 20 * SCALE, 40 * SCALE, 10 * SCALE
LIMITS = Limits(max_decoded_bytes=64 << 20, max_inflated_bytes=16 << 20)


@pytest.fixture(scope="module")
def phantoms() -> Any:
    spec = importlib.util.spec_from_file_location("reader_phantoms", Path(__file__).with_name("reader_phantoms.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mutants(content: bytes, seed: int) -> Iterator[bytes]:
    """Cuts over the whole length, single flipped bits (half of them in the first kilobyte), spans set to FF."""
    rng = np.random.default_rng(seed)
    for cut in np.linspace(0, len(content) - 1, N_CUTS).astype(int):
        yield content[:cut]
    for i in range(N_FLIPS):
        damaged = bytearray(content)
        at = int(rng.integers(0, min(1024, len(content)) if i % 2 else len(content)))
        damaged[at] ^= 1 << int(rng.integers(8))
        yield bytes(damaged)
    for at in rng.integers(0, len(content), N_SPANS):
        yield content[:at] + b"\xff" * 16 + content[at + 16 :]


SMALL = (3, 72, 80)


def native(phantoms: Any, path: Path) -> Path:
    return phantoms.dicom(path, phantoms.fan_frames(*SMALL), RWaveTimeVector=[1.0, 2.0])


def deflated(phantoms: Any, path: Path) -> Path:
    return phantoms.dicom(path, phantoms.fan_frames(*SMALL), syntax="1.2.840.10008.1.2.1.99")


def encapsulated(pack: str, syntax: str) -> Callable[[Any, Path], Path]:
    def make(phantoms: Any, path: Path) -> Path:
        rgb = phantoms.smooth_frames(*SMALL)
        packed = [getattr(phantoms, pack)(frame) for frame in rgb]
        return phantoms.packed_dicom(path, packed, rgb.shape, "YBR_FULL" if pack == "jpeg" else "RGB", syntax)

    return make


def coded(codec: str, suffix: str) -> Callable[[Any, Path], Path]:
    return lambda phantoms, path: phantoms.video(path.with_suffix(suffix), phantoms.smooth_frames(*SMALL), codec=codec)


def nifti(suffix: str) -> Callable[[Any, Path], Path]:
    return lambda phantoms, path: phantoms.nifti(path.with_name("a" + suffix), phantoms.fan_frames(*SMALL))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(native, id="dicom"),
        pytest.param(deflated, id="dicom deflated"),
        pytest.param(encapsulated("jpeg", "1.2.840.10008.1.2.4.50"), id="dicom jpeg"),
        pytest.param(encapsulated("rle", "1.2.840.10008.1.2.5"), id="dicom rle"),
        pytest.param(coded("mjpeg", ".avi"), id="avi mjpeg"),
        pytest.param(coded("mpeg4", ".avi"), id="avi mpeg4"),
        pytest.param(coded("mpeg4", ".mp4"), id="mp4"),
        pytest.param(nifti(".nii"), id="nifti"),
        pytest.param(nifti(".nii.gz"), id="nifti gz"),
    ],
)
def test_damage_ends_typed(phantoms: Any, tmp_path: Path, make: Callable[[Any, Path], Path]) -> None:
    path = make(phantoms, tmp_path / "whole")
    content = path.read_bytes()
    assert len(read_echo(path, LIMITS).frames) == SMALL[0]
    target = tmp_path / "mutant"
    refusals: list[PipelineError] = []
    for mutant in mutants(content, seed=len(content)):
        target.write_bytes(mutant)
        try:
            sniff(target)
            inspect_echo(target, LIMITS)
            clip = read_echo(target, LIMITS)
            assert len(clip.frames) == len(clip.frame_times_s) >= 1
            assert np.isfinite(clip.frame_times_s).all()
            prepare_clip(clip, "x")
        except PipelineError as error:
            refusals.append(error)
    assert len(refusals) >= 3
    assert all(error.code.startswith("E_") and phantoms.SECRET not in str(error) for error in refusals)
