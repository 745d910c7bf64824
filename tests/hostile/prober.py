"""Reads one file after another as the pipeline does, each in a forked child, and says how each ended.

A crash of a decoder ends the child only; its time and its largest memory are those of this one file.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

ROOT = Path(__file__).resolve().parents[2]
Role = Literal["echo", "ecg", "metadata"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How the reading of one file ended."""

    outcome: str  # "valid", the code of a typed error, "fault" for any other exception, "crash" for a signal
    remarks: tuple[str, ...]
    text: str
    seconds: float  # of the processor: what others do on the machine does not count
    peak_mb: float
    n_read: int = 0  # frames of a clip, or samples of an ECG that are there

    @property
    def is_valid_or_typed(self) -> bool:
        return self.outcome == "valid" or self.outcome.startswith("E_")


class Prober:
    """Starts the forking process and asks it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.prober"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def read(self, role: Role, path: Path) -> Verdict:
        """Validate, read and prepare the file in that role."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"role": role, "path": str(path)}) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        return Verdict(**{**said, "remarks": tuple(said["remarks"])})


# --- in the forking process --------------------------------------------------------------------------


def serve() -> None:
    warnings.simplefilter("ignore")
    warm_up()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        hears, says = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(2, 1)
            answer = json.dumps(probe(order["role"], Path(order["path"]))).encode()
            os.write(says, answer[:60_000])
            os._exit(0)
        os.close(says)
        with os.fdopen(hears) as pipe:
            said = pipe.read()
        _, status = os.waitpid(pid, 0)
        crash = {"outcome": "crash", "remarks": [], "text": f"status {status}", "seconds": 0.0, "peak_mb": 0.0}
        sys.stdout.write(json.dumps(json.loads(said) if said else crash) + "\n")
        sys.stdout.flush()


def warm_up() -> None:
    """Import what readers import, in the parent."""
    import cv2  # noqa: F401
    import gdcm  # noqa: F401
    import nibabel  # noqa: F401
    import pandas  # noqa: F401
    import pydicom.pixels  # noqa: F401
    import scipy.signal  # noqa: F401

    from pipeline.ecg import preprocessing, readers  # noqa: F401
    from pipeline.echo import preprocessing as echo_preprocessing  # noqa: F401
    from pipeline.echo import readers as echo_readers  # noqa: F401


def probe(role: Role, path: Path) -> dict[str, Any]:
    from pipeline.errors import PipelineError

    started = time.process_time()
    remarks: list[str] = []
    text, n_read = "", 0
    try:
        remarks, n_read = READ[role](path)
        outcome = "valid"
    except PipelineError as error:
        outcome, text = error.code, error.text
    except BaseException as error:  # noqa: BLE001 - this is what is looked for
        outcome, text = "fault", "".join(traceback.format_exception(error))[-2000:]
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = time.process_time() - started
    return {"outcome": outcome, "remarks": remarks, "text": text, "seconds": seconds, "peak_mb": peak_mb,
            "n_read": n_read}  # fmt: skip


def read_echo_file(path: Path) -> tuple[list[str], int]:
    import numpy as np

    from pipeline.echo.preprocessing import prepare_clip
    from pipeline.echo.readers import inspect_echo, read_echo
    from pipeline.gates import Limits, sniff

    sniff(path)
    inspect_echo(path, Limits())
    clip = read_echo(path, Limits())
    assert len(clip.frames) == len(clip.frame_times_s) >= 1
    assert np.isfinite(clip.frame_times_s).all()
    return sorted({remark.code for remark in (*clip.remarks, *prepare_clip(clip, "x").remarks)}), len(clip.frames)


def read_ecg_file(path: Path) -> tuple[list[str], int]:
    import numpy as np

    from pipeline.ecg.preprocessing import prepare_ecg
    from pipeline.ecg.readers import inspect_ecg, read_ecg
    from pipeline.gates import Limits, sniff
    from pipeline.records import CardiologyRequest
    from pipeline.stages.validation import input_digest

    sniff(path)
    inspect_ecg(path, Limits())
    input_digest(CardiologyRequest(ecg_path=path), "ecg", Limits())
    record = read_ecg(path, Limits())
    assert record.signal_mv.shape[0] == len(record.leads)
    assert record.signal_mv.shape[1] > 0
    assert np.isfinite(prepare_ecg(record, "").filtered_mv).all()
    return sorted({remark.code for remark in record.remarks}), int(np.isfinite(record.signal_mv).sum())


def read_metadata_file(path: Path) -> tuple[list[str], int]:
    from pipeline.clinical.metadata import inspect_metadata, normalise_metadata
    from pipeline.clinical.metadata import read_metadata_file as read
    from pipeline.gates import Limits

    inspect_metadata(path, Limits())
    normalise_metadata(read(path, Limits()), {})
    return [], 0


READ = {"echo": read_echo_file, "ecg": read_ecg_file, "metadata": read_metadata_file}

if __name__ == "__main__":
    serve()
