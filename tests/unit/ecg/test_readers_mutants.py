"""Damaged files of every format: a valid record or a typed error, within seconds.

The mutants are truncations, bit flips, random header bytes, inserted and deleted runs, from fixed
seeds. CHORDAE_MUTANTS raises their number (a format gets 40 by default).
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import edfio
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from pipeline.ecg.preprocessing import prepare_ecg
from pipeline.ecg.readers import inspect_ecg, read_ecg
from pipeline.errors import PipelineError
from pipeline.gates import Limits
from tests.unit.ecg import ecg_files

N_MUTANTS = int(os.environ.get("CHORDAE_MUTANTS", "40"))
MAX_SECONDS = 5.0
LIMITS = Limits(max_samples=5_000_000)


def beats(n_samples: int = 1500) -> np.ndarray:
    phase_s = np.mod(np.arange(n_samples) / 250.0, 0.8)
    return np.exp(-((phase_s - 0.3) ** 2) / 0.0003)


def dicom(folder: Path) -> tuple[Path, Path, int]:
    """(file to open, file to damage, bytes of its header)."""
    path = folder / "a.dcm"
    dataset = pydicom.dcmread(str(get_testdata_file("waveform_ecg.dcm")))
    del dataset.WaveformAnnotationSequence
    rhythm = dataset.WaveformSequence[0]
    rhythm.NumberOfWaveformSamples = 2500
    rhythm.WaveformData = rhythm.WaveformData[: 2500 * 12 * 2]
    dataset.save_as(path)
    return path, path, 3000


def edf(folder: Path) -> tuple[Path, Path, int]:
    path = folder / "a.edf"
    edfio.Edf([edfio.EdfSignal(beats(), 250, label=name, physical_dimension="mV") for name in ("I", "II")]).write(path)
    return path, path, 768


def wfdb_files(folder: Path) -> Path:
    stored = (np.stack([beats(), 0.5 * beats()], axis=1) * 200).astype("<i2")
    (folder / "rec.dat").write_bytes(stored.tobytes())
    lines = [f"rec.dat 16 200(0)/mV 16 0 0 0 0 {name}" for name in ("I", "II")]
    (folder / "rec.hea").write_text("\n".join(["rec 2 250 1500", *lines, "# <age>: 50 <sex>: M"]) + "\n")
    return folder / "rec.hea"


def wfdb_header(folder: Path) -> tuple[Path, Path, int]:
    path = wfdb_files(folder)
    return path, path, 120


def wfdb_signal(folder: Path) -> tuple[Path, Path, int]:
    path = wfdb_files(folder)
    return path, path.with_suffix(".dat"), 500


def delimited(folder: Path) -> tuple[Path, Path, int]:
    path = folder / "a.csv"
    rows = [f"{i / 250:.3f},{value:.4f},{value / 2:.4f}" for i, value in enumerate(beats())]
    path.write_text("\n".join(["time (s),I (mV),II (mV)", *rows]) + "\n")
    return path, path, 200


def written(write: Callable[[Path], Path], name: str) -> Callable[[Path], tuple[Path, Path, int]]:
    """A file of the writers that the contract test uses."""

    def make(folder: Path) -> tuple[Path, Path, int]:
        path = write(folder / name)
        return path, path, min(1500, path.stat().st_size // 2)

    make.__name__ = write.__name__
    return make


def matlab(folder: Path) -> tuple[Path, Path, int]:
    path = ecg_files.write_wfdb(folder / "a.hea", format_text="16x1", suffix=".mat")
    return path, path.with_suffix(".mat"), 256


STRICT = ("write_scp", "matlab", "write_aecg", "write_muse", "write_sierra")
"""Formats in which hardly any damage passes: check sums, packed samples, XML that is no longer well formed."""
MAKERS = (
    *(dicom, edf, wfdb_header, wfdb_signal, delimited, matlab),
    *(written(ecg_files.write_scp, "a.scp"), written(ecg_files.write_ishne, "a.ecg")),
    *(written(ecg_files.write_aecg, "a.xml"), written(ecg_files.write_muse, "a.xml")),
    written(ecg_files.write_sierra, "a.xml"),
)


def mutant(raw: bytes, n_header: int, seed: int) -> bytes:
    """One damaged copy; the seed chooses kind, place and bytes."""
    rng = np.random.default_rng(seed)
    data = bytearray(raw)
    place = int(rng.integers(0, len(data) if seed % 2 else min(n_header, len(data))))
    kind = seed % 5
    if kind == 0:
        return bytes(data[:place])
    if kind == 1:
        for position in rng.integers(0, len(data), 20):
            data[position] ^= 1 << int(rng.integers(0, 8))
    elif kind == 2:
        for position in rng.integers(0, min(n_header, len(data)), 6):
            data[position] = int(rng.integers(0, 256))
    elif kind == 3:
        data[place:place] = rng.integers(0, 256, int(rng.integers(1, 200)), np.uint8).tobytes()
    else:
        del data[place : place + int(rng.integers(1, 200))]
    return bytes(data)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_mutants_end_valid_or_typed(tmp_path: Path, make: Callable[[Path], tuple[Path, Path, int]]) -> None:
    opened, damaged, n_header = make(tmp_path)
    original = damaged.read_bytes()
    read_fully(opened)  # the undamaged file passes, and the slow imports are done
    outcomes = {"valid": 0, "typed": 0}
    for seed in range(N_MUTANTS):
        damaged.write_bytes(mutant(original, n_header, seed))
        started = time.perf_counter()
        outcomes[outcome_of(opened, tmp_path)] += 1
        assert time.perf_counter() - started < MAX_SECONDS, seed
    assert outcomes["valid"] > 0 or make.__name__ in STRICT
    assert outcomes["typed"] > 0


def outcome_of(path: Path, folder: Path) -> str:
    """Read as the pipeline does; anything but a record or a typed error fails the test."""
    try:
        read_fully(path)
    except PipelineError as error:
        refusal = error
    else:
        return "valid"
    assert refusal.code.startswith("E_")
    assert str(folder) not in refusal.text
    return "typed"


def read_fully(path: Path) -> None:
    inspect_ecg(path, LIMITS)
    record = read_ecg(path, LIMITS)
    assert record.signal_mv.shape[0] == len(record.leads)
    assert record.signal_mv.shape[1] > 0
    assert np.isfinite(record.sampling_rate_hz)
    assert np.isfinite(prepare_ecg(record, "").filtered_mv).all()


def test_every_kind_of_mutation_occurs() -> None:
    raw = bytes(range(256)) * 8
    lengths = [len(mutant(raw, 100, seed)) for seed in range(10)]
    assert min(lengths) < len(raw) < max(lengths)
    assert all(mutant(raw, 100, seed) != raw for seed in range(10))
