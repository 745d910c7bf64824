"""One thing changed: exactly the results that rest on it are made anew, and they are those of a fresh run."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.cache_keys import RESULTS
from tests.torture.promises import Record
from tests.torture.study import Study
from tests.torture.zygote import Zygote

pytestmark = [pytest.mark.torture, pytest.mark.skipif(sys.platform != "linux", reason="forks")]
ECHO_CHAIN = {"preprocessed_echo", "detection_result", "analysis_result.echo"}
ECG_CHAIN = {"preprocessed_ecg", "analysis_result.ecg"}
# what is changed -> the results that rest on it
CHANGES: tuple[tuple[str, dict[str, Any], set[str]], ...] = (
    ("a byte of the clip", {"flip": "clip.dcm"}, {"validation_result", *ECHO_CHAIN}),
    ("a byte of the ECG", {"flip": "ecg.dcm"}, {"validation_result", *ECG_CHAIN}),
    ("a parameter of the clip", {"pixel_mm": [0.3]}, ECHO_CHAIN),
    ("the chamber model", {"model": "echo"}, {"detection_result", "analysis_result.echo"}),
    ("the ECG models", {"model": "ecg"}, {"analysis_result.ecg"}),
    ("the code of the validation", {"version": "validation_result"}, {"validation_result"}),
    ("the code of the echo's preparation", {"version": "preprocessed_echo"}, ECHO_CHAIN),
    ("the code of the ECG's preparation", {"version": "preprocessed_ecg"}, ECG_CHAIN),
    ("the code of the metadata", {"version": "preprocessed_metadata"}, {"preprocessed_metadata"}),
    ("the code of the detection", {"version": "detection_result"}, {"detection_result", "analysis_result.echo"}),
    ("the code of the echo's analysis", {"version": "analysis_result.echo"}, {"analysis_result.echo"}),
    ("the code of the ECG's analysis", {"version": "analysis_result.ecg"}, {"analysis_result.ecg"}),
    ("nothing", {}, set()),
)


def test_what_is_made_anew(tmp_path: Path, zygote: Zygote, study: Callable[[str], Study], promise: Record) -> None:
    given = study("echo+ecg+metadata")
    wrong = []
    for number, (name, change, expected) in enumerate(CHANGES):
        files, plan = copied(tmp_path / str(number), given.files), dict(change)
        path = tmp_path / str(number) / "a" / "data" / "chordae.sqlite"
        first = zygote.run(path, files)
        if "flip" in plan:
            flip_last_byte(Path(files["echo_paths"][0]).with_name(plan.pop("flip")))
        if "pixel_mm" in plan:
            files = {**files, "pixel_mm": plan.pop("pixel_mm")}
        resumed = zygote.run(path, files, resume=first.run_id, **plan)
        fresh = zygote.run(tmp_path / str(number) / "b" / "data" / "chordae.sqlite", files, **plan)
        anew = set(RESULTS) - set(resumed.restored)
        if anew != expected or resumed.status != "complete" or resumed.result != fresh.result:
            wrong.append((name, sorted(anew), resumed.status, resumed.result == fresh.result))
    promise(
        "One byte of input, a parameter, a model or the code of one stage changed: exactly that stage and those that "
        "rest on it run again, with the result of a fresh run",
        f"{len(CHANGES) - len(wrong)} of {len(CHANGES)} changes" + (f"; {wrong}" if wrong else ""),
        kept=not wrong,
    )


def copied(folder: Path, files: dict[str, Any]) -> dict[str, Any]:
    """The study's files in a folder of their own."""
    folder.mkdir(parents=True)

    def copy(name: str) -> str:
        return str(shutil.copy(name, folder))

    return {
        key: [copy(each) for each in value] if isinstance(value, list) else copy(value) for key, value in files.items()
    }


def flip_last_byte(path: Path) -> None:
    """In both files the last bytes are samples or their padding: the file stays valid."""
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(bytes(content))
