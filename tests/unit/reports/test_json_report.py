from __future__ import annotations

import copy
import dataclasses
import errno
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import resources
from pipeline.errors import ReportError
from pipeline.records import BranchResult, StudyResults
from pipeline.reports import json_report
from pipeline.reports.envelope import seal
from pipeline.reports.json_report import report_bytes, validate_report, write_bytes, write_report

Make = Callable[..., Any]


def test_the_schema_is_itself_valid() -> None:
    schema = json.loads(resources.path("report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")


def test_a_full_report_follows_the_schema(report: dict[str, Any]) -> None:
    validate_report(report)


def test_an_error_report_follows_the_schema(error_report: dict[str, Any]) -> None:
    validate_report(error_report)


@pytest.mark.parametrize("left_out", ["echo", "ecg", "both analyses", "metadata"])
def test_degraded_reports_follow_the_schema(
    left_out: str, make_study: Callable[[], StudyResults], make_result: Make, make_execution: Make
) -> None:
    without: dict[str, dict[str, Any]] = {
        "echo": {"cines": (), "detections": (), "echo_analysis": None},
        "ecg": {"ecg": None, "ecg_analysis": None},
        "both analyses": {"echo_analysis": None, "ecg_analysis": None},
        "metadata": {"metadata": None, "validation": None},
    }
    study = dataclasses.replace(make_study(), **without[left_out])
    branches = (BranchResult(branch="echo", status="degraded", reason="no heart in 1 of 2 clips"),)
    validate_report(seal(make_result(study, branches), make_execution(branches=branches)))


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda r: r.pop("notice"),
        lambda r: r.update(notice="for diagnosis"),
        lambda r: r.update(extra=1),
        lambda r: r.update(result=None),
        lambda r: r.update(error={"code": "E_X", "text": "x", "state": "INIT"}),
        lambda r: r["stage_timings"].update(LUNCH=3),
        lambda r: r["pipeline_execution"].update(total_time_ms=-1),
        lambda r: r["pipeline_execution"].update(started_utc="yesterday"),
        lambda r: r["result"].update(patient_name="x"),
        lambda r: r["result"]["metadata"]["facts"].update(birth_date="1931-04-05"),
        lambda r: r["result"]["metadata"]["facts"].update(age_years=93),
        lambda r: r["result"]["inputs"][0].update(path="/x"),
        lambda r: r["result"]["measurements"]["lvef"].update(value=None),
        lambda r: r["result"]["measurements"]["lvef"].update(status="guessed"),
        lambda r: r["result"]["measurements"]["la_volume"].update(value=3.0),
        lambda r: r["result"]["measurements"]["la_volume"].update(reason=None),
        lambda r: r["result"]["measurements"]["qtcf"].update(interval=[1.0]),
        lambda r: r["result"]["cross_checks"][0].update(outcome="perhaps"),
        lambda r: r["result"]["risk"]["scores"][1].update(points=[1, 1]),
        lambda r: r["result"]["risk"].update(probability=0.3),
    ],
)
def test_the_schema_refuses(spoil: Change, report: dict[str, Any]) -> None:
    spoiled = copy.deepcopy(report)
    spoil(spoiled)
    with pytest.raises(ReportError) as caught:
        validate_report(spoiled)
    assert caught.value.code == "E_REPORT_SCHEMA"


def test_the_schema_error_names_the_place_and_no_value(report: dict[str, Any]) -> None:
    report["result"]["measurements"]["lvef"]["status"] = "Canary"
    with pytest.raises(ReportError) as caught:
        validate_report(report)
    assert "result/measurements/lvef" in caught.value.text
    assert "Canary" not in caught.value.text


def test_bytes_are_json_again(report: dict[str, Any]) -> None:
    content = report_bytes(report)
    assert json.loads(content) == report
    assert content.endswith(b"}\n")
    assert "µV".encode() in content


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x"])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(ReportError) as caught:
        report_bytes({"value": value})
    assert caught.value.code == "E_REPORT_FORM"


def test_writing_replaces_the_whole_file(tmp_path: Path, report: dict[str, Any]) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    write_report(report, path)
    assert json.loads(path.read_text(encoding="utf-8")) == report
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_a_link_keeps_pointing_at_the_report(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    link.symlink_to(target)
    write_bytes(b"new", link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_drive_that_refuses_leaves_the_old_file(
    number: int, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"old")

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    if call == "fsync":
        monkeypatch.setattr(json_report.os, "fsync", refuse)
    else:
        monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(ReportError) as caught:
        write_bytes(b"new", path)
    assert caught.value.code == "E_REPORT_WRITE"
    assert str(tmp_path) not in caught.value.text
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_sentences_tell_the_refusals_apart() -> None:
    texts = {json_report._sentence(OSError(n, "x")) for n in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO)}
    assert len(texts) == 4


def test_places_that_cannot_hold_a_report(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in (tmp_path, tmp_path / "none" / "report.json", fifo, loop):
        with pytest.raises(ReportError):
            write_bytes(b"x", path)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
