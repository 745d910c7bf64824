"""The command line on the real demo study and on everything that can be wrong with an input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from app.command_line import main
from app.demo import demo_request
from pipeline.gates import Limits
from pipeline.reports.json_report import validate_report

ROOT = Path(__file__).resolve().parents[2]
STATES = (
    "INIT", "RECEIPT", "VALIDATION", "PREPROCESSING", "DETECTION", "ANALYSIS", "FUSION", "SCORING", "FORMATTING",
    "COMPLETE",
)  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """The demo study, run once by the very command that a user types."""

    data: Path
    output: Path
    said: str
    report: dict[str, Any]

    @property
    def run_id(self) -> str:
        return str(self.report["pipeline_execution"]["run_id"])


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """The environment without a display."""
    return {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Finished:
    place = tmp_path_factory.mktemp("demo")
    data, output = place / "data", place / "out"
    command = [sys.executable, "-m", "app", "demo", "--output", str(output), "--data-dir", str(data)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return Finished(data, output, done.stdout, read(output / "report.json"))


def read(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    validate_report(found)
    return found


def same(result: Any) -> str:
    return json.dumps(result, sort_keys=True)


# --- the demo study ----------------------------------------------------------------------------------


def test_the_demo_says_a_line_for_every_state(finished: Finished) -> None:
    starts = [line.split()[0] for line in finished.said.splitlines() if line and line.split()[0] in STATES]
    assert starts == list(STATES)


def test_the_demo_report_is_whole(finished: Finished) -> None:
    execution = finished.report["pipeline_execution"]
    assert execution["states_traversed"] == list(STATES[1:])
    assert execution["checkpoints_saved"] == 4
    assert sum(finished.report["stage_timings"].values()) + execution["overhead_ms"] == execution["total_time_ms"]
    measurements = finished.report["result"]["measurements"]
    assert measurements["lvef"]["status"] == "measured"
    assert measurements["heart_rate"]["status"] == "measured"


def test_the_demo_says_that_its_files_are_not_of_one_patient(finished: Finished) -> None:
    outcome = {check["name"]: check["outcome"] for check in finished.report["result"]["cross_checks"]}
    assert outcome["same_patient"] == "disagree"
    assert any(remark["code"] == "W_NOT_ONE_PATIENT" for remark in finished.report["result"]["remarks"])


def test_the_demo_writes_pictures_of_the_window(finished: Finished) -> None:
    pictures = sorted(finished.output.glob("*.png"))
    assert len(pictures) >= 3
    assert all(picture.stat().st_size > 20_000 for picture in pictures)


def test_runs_lists_the_demo(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--json", "--data-dir", str(finished.data)]) == 0
    rows = json.loads(capsys.readouterr().out)
    (row,) = [row for row in rows if row["run_id"] == finished.run_id]
    assert (row["status"], row["state"]) == ("complete", "COMPLETE")
    assert row["inputs"] == ["color3d_jpeg_baseline.dcm", "waveform_ecg.dcm"]
    assert main(["runs", "--data-dir", str(finished.data)]) == 0
    assert finished.run_id in capsys.readouterr().out


def identifiers() -> Iterator[str]:
    """What the headers say that names the patients: too short to be told from a number is left out."""
    request = demo_request()
    assert request.ecg_path is not None
    for path in (*request.echo_paths, request.ecg_path):
        header = dcmread(path, stop_before_pixels=True)
        for name in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "AccessionNumber"):
            value = str(header.get(name, ""))
            if len(value) > 4:
                yield value


def test_nothing_that_is_said_or_written_names_the_patient(
    finished: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    canaries = list(identifiers())
    assert len(canaries) >= 3
    assert main(["show", "latest", "--data-dir", str(finished.data)]) == 0
    log = "".join(path.read_text() for path in (finished.data / "logs").glob("*")) if finished.data.exists() else ""
    told = finished.said + json.dumps(finished.report) + capsys.readouterr().out + log
    assert "LVEF" in told
    assert [canary for canary in canaries if canary in told] == []
    assert ".dcm" not in json.dumps(finished.report) + log


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_export_writes_the_stored_report(finished: Finished, tmp_path: Path, kind: str) -> None:
    target = tmp_path / f"export.{kind}"
    line = ["export", finished.run_id, "--format", kind, "--output", str(target), "--data-dir", str(finished.data)]
    assert main(line) == 0
    text = target.read_text(encoding="utf-8")
    assert "esearch use only" in text
    if kind == "json":
        assert same(json.loads(text)["result"]) == same(finished.report["result"])
    else:
        assert "lvef" in text


def test_the_page_is_exported_as_pdf_without_a_display(finished: Finished, tmp_path: Path) -> None:
    target = tmp_path / "page.pdf"
    line = ["export", "latest", "--format", "pdf", "--output", str(target), "--data-dir", str(finished.data)]
    shell = [sys.executable, "-m", "app", *line]
    environment = {n: v for n, v in os.environ.items() if n not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    done = subprocess.run(shell, capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert target.read_bytes().startswith(b"%PDF-")


def test_an_unknown_format_is_wrong_use(finished: Finished, tmp_path: Path) -> None:
    line = ["export", "latest", "--format", "xls", "--output", str(tmp_path / "x"), "--data-dir", str(finished.data)]
    assert main(line) == 2


def test_resume_takes_everything_from_the_store_and_gives_the_same_result(finished: Finished, tmp_path: Path) -> None:
    report = tmp_path / "again.json"
    line = ["run", "--resume", finished.run_id, "--report", str(report), "--quiet", "--data-dir", str(finished.data)]
    assert main(line) == 0
    again = read(report)
    assert same(again["result"]) == same(finished.report["result"])
    assert again["pipeline_execution"]["checkpoints_restored"] == 4


def test_a_run_that_is_not_there_cannot_be_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "r.json"
    assert main(["run", "--resume", "none", "--report", str(report), "--data-dir", str(tmp_path / "d")]) == 1
    assert read(report)["error"]["code"] == "E_STORE_NOT_FOUND"
    assert "E_STORE_NOT_FOUND" in capsys.readouterr().err


def test_ctrl_c_cancels_the_run_and_leaves_it_resumable(tmp_path: Path, environment: dict[str, str]) -> None:
    request = demo_request()
    line = ["run", "--echo", str(request.echo_paths[0]), "--report", str(tmp_path / "r.json"), "--events", "-"]
    command = [sys.executable, "-m", "app", *line, "--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for text in process.stdout:
            event = json.loads(text)
            if (event["kind"], event["state"]) == ("state", "PREPROCESSING"):
                process.send_signal(signal.SIGINT)
                break
        process.communicate(timeout=30)
    assert process.returncode == 130
    report = read(tmp_path / "r.json")
    assert report["error"]["code"] == "E_CANCELLED"
    assert report["pipeline_execution"]["checkpoints_saved"] == 1


# --- everything that can be wrong --------------------------------------------------------------------


def ecg_csv(path: Path, seconds: float, value: float | None = None) -> Path:
    """A one-lead ECG of narrow peaks at 60/min, or of one value throughout."""
    times_s = np.arange(round(seconds * 250)) / 250
    beats = np.exp(-(((times_s % 1.0) - 0.5) ** 2) / (2 * 0.012**2)) if value is None else np.full(len(times_s), value)
    rows = "\n".join(
        f"{time:.4f},{'' if np.isnan(beat) else f'{beat:.4f}'}" for time, beat in zip(times_s, beats, strict=True)
    )
    path.write_text(f"time (s),II (mV)\n{rows}\n")
    return path


def one_frame(path: Path) -> Path:
    """The first frame of the demo clip as a clip of its own."""
    clip = dcmread(demo_request().echo_paths[0])
    first = np.ascontiguousarray(clip.pixel_array[0])
    clip.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    clip.NumberOfFrames, clip.PhotometricInterpretation, clip.PlanarConfiguration = 1, "RGB", 0
    del clip.PixelData
    clip.PixelData = first.tobytes()
    clip["PixelData"].VR = "OB"
    clip.save_as(path)
    return path


def make_input(kind: str, place: Path) -> list[str]:
    """The arguments of a study with one thing wrong."""
    demo = demo_request()
    assert demo.ecg_path is not None
    path = place / "input.csv"
    if kind == "missing":
        return ["--ecg", str(path)]
    if kind == "metadata only":
        path.with_suffix(".json").write_text('{"age_years": 60}')
        return ["--metadata", str(path.with_suffix(".json"))]
    if kind == "wrong kind":
        return ["--echo", str(demo.ecg_path)]
    if kind == "folder":
        return ["--ecg", str(place)]
    if kind in ("truncated", "empty", "noise"):
        content = demo.ecg_path.read_bytes()
        part = {"truncated": content[: len(content) // 3], "empty": b"", "noise": bytes(range(256)) * 40}[kind]
        path.with_suffix(".dcm").write_bytes(part)
        return ["--ecg", str(path.with_suffix(".dcm"))]
    seconds, value = {"flat": (10, 0.0), "NaN": (10, np.nan), "half a second": (0.5, None)}[kind]
    return ["--ecg", str(ecg_csv(path, seconds, value))]


# what is wrong, the run's code, and the codes that may stand behind it
BAD_INPUTS: tuple[tuple[str, str, set[str]], ...] = (
    ("missing", "E_HARD_001", {"E_INPUT_MISSING"}),
    ("metadata only", "E_HARD_001", set()),
    ("wrong kind", "E_HARD_001", {"E_INPUT_KIND"}),
    ("folder", "E_HARD_001", {"E_INPUT_KIND"}),
    ("truncated", "E_HARD_001", {"E_INPUT_TRUNCATED", "E_INPUT_CORRUPT"}),
    ("empty", "E_HARD_001", {"E_INPUT_EMPTY"}),
    ("noise", "E_HARD_001", {"E_INPUT_KIND"}),
    ("flat", "E_QUALITY_ECG", set()),
    ("NaN", "E_QUALITY_ECG", set()),
    ("half a second", "E_QUALITY_ECG", set()),
)


@pytest.mark.parametrize(("kind", "code", "behind"), BAD_INPUTS, ids=[item[0] for item in BAD_INPUTS])
def test_bad_input_ends_in_its_code(
    kind: str, code: str, behind: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, data = tmp_path / "r.json", tmp_path / "data"
    assert main(["run", *make_input(kind, tmp_path), "--report", str(report), "--data-dir", str(data), "--quiet"]) == 1
    error = read(report)["error"]
    assert error["code"] == code
    assert not behind or behind & set(error["details"])
    said = capsys.readouterr().err
    assert said.startswith(code)
    assert str(tmp_path) not in said + report.read_text()
    assert main(["runs", "--json", "--data-dir", str(data)]) == 0
    assert json.loads(capsys.readouterr().out)[0]["status"] == "error"


def test_a_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.orchestrator.Limits", partial(Limits, max_file_bytes=1000))
    ecg = ecg_csv(tmp_path / "large.csv", 10)
    report = tmp_path / "r.json"
    assert main(["run", "--ecg", str(ecg), "--report", str(report), "--data-dir", str(tmp_path), "--quiet"]) == 1
    assert read(report)["error"]["code"] == "E_HARD_004"


def test_one_bad_file_beside_a_good_one_is_told_with_its_reason(tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    (tmp_path / "empty.dcm").write_bytes(b"")
    given = ["--echo", str(tmp_path / "empty.dcm"), "--ecg", str(ecg_csv(tmp_path / "e.csv", 10))]
    assert main(["run", *given, "--report", str(report), "--data-dir", str(tmp_path), "--quiet"]) == 1
    assert read(report)["error"]["code"] == "E_INPUT_EMPTY"


def test_a_single_frame_withholds_what_needs_a_beat(tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    given = ["--echo", str(one_frame(tmp_path / "frame.dcm"))]
    assert main(["run", *given, "--report", str(report), "--data-dir", str(tmp_path), "--quiet"]) == 0
    lvef = read(report)["result"]["measurements"]["lvef"]
    assert lvef["status"] == "withheld"
    assert lvef["value"] is None
    assert lvef["reason"]


def test_an_ecg_alone_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "r.json"
    given = ["--ecg", str(ecg_csv(tmp_path / "e.csv", 20))]
    assert main(["run", *given, "--report", str(report), "--data-dir", str(tmp_path)]) == 0
    measurements = read(report)["result"]["measurements"]
    assert measurements["heart_rate"]["value"] == pytest.approx(60, abs=1)
    said = capsys.readouterr().out
    assert "DETECTION" not in said
    assert "echo: skipped" in said
