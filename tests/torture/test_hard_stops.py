"""The four hard stops with their figures: at once, before any parser, and by nothing less than the limit."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

import resources
from pipeline.ecg.beat_model import load_beat_model
from pipeline.ecg.readers import inspect_ecg, read_ecg
from pipeline.ecg.wave_model import load_wave_network
from pipeline.echo.readers import inspect_echo, read_echo
from pipeline.echo.segmentation import load_segmenter
from pipeline.engine import run_study
from pipeline.errors import HardStopError
from pipeline.gates import Limits
from pipeline.isolation.executor import IsolatedExecutor
from pipeline.records import CardiologyRequest, CardiologyResponse
from tests.integration.short_study import short_study
from tests.torture.promises import Record

N_DAMAGED = 200
MODELS: tuple[tuple[str, str, Callable[[Path], object]], ...] = (
    ("models/camus_cc_by_nc_sa", "chambers.safetensors", load_segmenter),
    ("models/mitdb_odc_by", "beats.safetensors", load_beat_model),
    ("models/ludb_odc_by", "waves.safetensors", load_wave_network),
)
DICOM_HEAD = b"\0" * 128 + b"DICM"


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[IsolatedExecutor]:
    made = IsolatedExecutor(tmp_path / "data")
    yield made
    made.close()


def fastest(act: Callable[[], CardiologyResponse], times: int = 3) -> tuple[CardiologyResponse, float]:
    """The answer and the shortest time of a few: what the machine does beside it does not count."""
    taken = []
    for _ in range(times):
        started_s = time.perf_counter()
        response = act()
        taken.append(time.perf_counter() - started_s)
    return response, min(taken)


# --- E_HARD_001 --------------------------------------------------------------------------------------


def no_modality(kind: str, folder: Path) -> CardiologyRequest:
    (folder / "facts.json").write_text('{"age_years": 61}')
    (folder / "empty.dcm").touch()
    (folder / "noise.dcm").write_bytes(bytes(range(256)) * 40)
    os.mkfifo(folder / "pipe.ecg")
    return {
        "none": CardiologyRequest(),
        "metadata only": CardiologyRequest(metadata_path=folder / "facts.json"),
        "missing": CardiologyRequest(echo_paths=(folder / "no.dcm",), ecg_path=folder / "no.ecg"),
        "unreadable": CardiologyRequest(
            echo_paths=(folder / "empty.dcm", folder / "noise.dcm"), ecg_path=folder / "pipe.ecg"
        ),
    }[kind]


@pytest.mark.parametrize("kind", ["none", "metadata only", "missing", "unreadable"])
def test_no_modality_is_said_within_half_a_second_and_loads_nothing(
    kind: str, tmp_path: Path, executor: IsolatedExecutor, promise: Record
) -> None:
    request = no_modality(kind, tmp_path)
    store = tmp_path / "data" / "s.sqlite"
    response, seconds = fastest(lambda: run_study(store, request, executor=executor))
    assert response.error_code == "E_HARD_001"
    n_workers = len(executor.supervisor.pids)  # without a worker no model can have been loaded
    promise(
        f"E_HARD_001 ({kind}): < 0.5 s and no model loaded",
        f"{1000 * seconds:.0f} ms, {n_workers} worker processes",
        kept=seconds < 0.5 and n_workers == 0,
    )


# --- E_HARD_003 --------------------------------------------------------------------------------------


def damaged(whole: bytes, others: list[bytes], number: int, chance: random.Random) -> bytes:
    """One way to damage a weight file, the kinds taking turns."""
    kind = number % 5
    if kind == 0:
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        return bytes(data)
    if kind == 1:
        return whole[: chance.randrange(len(whole))]
    if kind == 2:
        return others[number // 5 % len(others)] + bytes(number // 10 % 3)
    if kind == 3:
        arrays = load(whole)
        name = sorted(arrays)[number % len(arrays)]
        spoilt = arrays[name].astype(arrays[name].dtype, copy=True)
        if spoilt.dtype.kind != "f":
            spoilt = spoilt.astype(np.float32)
        spoilt.reshape(-1)[chance.randrange(spoilt.size)] = np.nan
        return bytes(save({**arrays, name: spoilt}))
    return b"\x80\x04cposix\nsystem\n(X\x04\x00\x00\x00true" + bytes(number) + b"tR."


@pytest.mark.parametrize(("folder", "file", "load_model"), MODELS, ids=["chambers", "beats", "waves"])
def test_damaged_weights_are_refused_before_anything_parses_them(
    folder: str,
    file: str,
    load_model: Callable[[Path], object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    promise: Record,
) -> None:
    chance = random.Random(3)
    whole = (resources.path(folder) / file).read_bytes()
    others = [(resources.path(f) / name).read_bytes() for f, name, _ in MODELS if name != file]
    content = [damaged(whole, others, number, chance) for number in range(N_DAMAGED)]
    (tmp_path / "manifest.json").write_bytes((resources.path(folder) / "manifest.json").read_bytes())

    def parsed(*_: Any, **__: Any) -> None:
        pytest.fail("a damaged file was parsed")

    monkeypatch.setattr("safetensors.numpy.load", parsed)
    monkeypatch.setattr("pipeline.echo.inference.build_inference", parsed)
    refused = 0
    for data in content:
        assert data != whole
        (tmp_path / file).write_bytes(data)
        with pytest.raises(HardStopError) as caught:
            load_model(tmp_path)
        assert caught.value.code == "E_HARD_003"
        assert caught.value.details["file"] == file
        refused += 1
    promise(
        f"E_HARD_003: damaged weight files ({file}) refused by SHA-256 before anything parses them",
        f"{refused} of {N_DAMAGED}",
        kept=refused == N_DAMAGED,
    )


# --- E_HARD_004 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["echo", "ecg", "metadata"])
def test_a_huge_file_is_stopped_before_any_parser(
    role: str, tmp_path: Path, executor: IsolatedExecutor, promise: Record
) -> None:
    good = short_study(tmp_path, n_frames=2)
    heads = {"echo": DICOM_HEAD, "ecg": b"I,II\n1,2\n3,4\n", "metadata": b'{"age_years": 61}'}
    path = tmp_path / f"huge.{role}"
    path.write_bytes(heads[role])
    os.truncate(path, Limits().max_file_bytes + 1)  # sparse
    request = {
        "echo": replace(good, echo_paths=(*good.echo_paths, path), ecg_path=None),
        "ecg": CardiologyRequest(ecg_path=path),
        "metadata": CardiologyRequest(ecg_path=path, metadata_path=path),
    }[role]
    response, seconds = fastest(lambda: run_study(None, request, executor=executor))
    assert response.error_code == "E_HARD_004"
    n_workers = len(executor.supervisor.pids)
    promise(
        f"E_HARD_004 ({role}, one byte over 2 GiB): < 0.2 s, before any parser",
        f"{1000 * seconds:.0f} ms, {n_workers} worker processes",
        kept=seconds < 0.2 and n_workers == 0,
    )


def code_of(read: Callable[[Path, Limits], object], path: Path, **limits: int) -> str:
    try:
        read(path, Limits(**limits))
    except HardStopError as stop:
        return stop.code
    return "read"


def test_the_limit_of_a_clip_passes_and_one_more_fails(tmp_path: Path, promise: Record) -> None:
    n_frames, frame_px = 6, 480 * 640
    (path,) = short_study(tmp_path, n_frames=n_frames).echo_paths
    for name, limit in (
        ("max_file_bytes", path.stat().st_size),
        ("max_frames", n_frames),
        ("max_frame_px", frame_px),
        ("max_decoded_bytes", n_frames * frame_px * 3),
    ):
        for read in (inspect_echo, read_echo):
            found = code_of(read, path, **{name: limit}), code_of(read, path, **{name: limit - 1})
            promise(
                f"E_HARD_004 ({name}, {read.__name__}): the limit passes, one more fails",
                f"{limit}: {found[0]}, {limit} against {limit - 1}: {found[1]}",
                kept=found == ("read", "E_HARD_004"),
            )


def test_the_limit_of_an_ecg_passes_and_one_more_fails(tmp_path: Path, promise: Record) -> None:
    path = tmp_path / "strip.csv"
    path.write_text("time (ms),I,II\n" + "".join(f"{4 * n},{n % 7},{n % 5}\n" for n in range(500)))
    for name, limit in (("max_file_bytes", path.stat().st_size), ("max_samples", 3 * 500)):
        for read in (inspect_ecg, read_ecg):
            found = code_of(read, path, **{name: limit}), code_of(read, path, **{name: limit - 1})
            promise(
                f"E_HARD_004 ({name}, {read.__name__}): the limit passes, one more fails",
                f"{limit}: {found[0]}, {limit} against {limit - 1}: {found[1]}",
                kept=found == ("read", "E_HARD_004"),
            )
