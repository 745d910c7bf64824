"""The report with a reader's acts: schema, provenance, verdicts; and the store that outlives a crash."""

from __future__ import annotations

import copy
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import engine
from pipeline.records import StudyResults
from pipeline.reports import EXPORTERS
from pipeline.reports.json_report import validate_report
from pipeline.review import acts
from pipeline.review.edited_report import edited_report
from pipeline.review.log import undo_row


@pytest.fixture(scope="module")
def report(study: StudyResults, ellipses: Any) -> dict[str, Any]:
    made: dict[str, Any] = ellipses.report_of(study)
    validate_report(made)
    return made


def ed_frame(study: StudyResults) -> int:
    assert study.echo_analysis is not None
    return study.echo_analysis.cines[0].beats[0].ed_idx


def test_without_acts_the_report_is_the_runs_own(report: dict[str, Any], study: StudyResults) -> None:
    assert edited_report(report, study, []) == report
    assert report["result"]["edits"] == []
    assert report["result"]["measurements"]["lvef"]["verdict"] is None


def test_edited_measures_keep_what_the_pipeline_found(
    report: dict[str, Any], study: StudyResults, reader: Any, ellipses: Any
) -> None:
    sealed = copy.deepcopy(report)
    frame_idx = ed_frame(study)
    length_mm, radius_mm = ellipses.sizes(frame_idx)
    line = ellipses.wall(length_mm, 1.2 * radius_mm)
    reader.add(acts.change_contour(reader.log, study, (0, frame_idx, "lv_cavity"), line, way="drag", role="clinician"))
    reader.add(acts.judge(reader.log, "lvef", "accepted", "clinician"))
    reader.add(acts.judge(reader.log, "gls", "rejected", "researcher"))
    found = edited_report(report, study, reader.log)
    validate_report(found)
    measures, own = found["result"]["measurements"], report["result"]["measurements"]
    lvef = measures["lvef"]
    assert (lvef["status"], lvef["verdict"]) == ("edited", "accepted")
    assert lvef["value"] > own["lvef"]["value"]
    assert lvef["before"] == {part: own["lvef"][part] for part in ("value", "interval", "status", "band", "reason")}
    assert (lvef["source"]["edited_frames"], lvef["source"]["edits"]) == ([frame_idx], [0])
    assert measures["gls"]["verdict"] == "rejected"
    assert measures["esv"] == own["esv"]
    assert {remark["code"] for remark in found["result"]["remarks"]} >= {"W_EDITED"}
    assert [act["kind"] for act in found["result"]["edits"]] == ["contour", "verdict", "verdict"]
    first = found["result"]["edits"][0]
    assert (first["role"], first["before"], first["holds"]) == ("clinician", None, True)
    assert np.shape(first["after"]["points"]) == (97, 2)
    assert report == sealed  # what the run sealed is never touched


def test_an_undone_act_stays_in_the_report(report: dict[str, Any], study: StudyResults, reader: Any) -> None:
    reader.add(acts.judge(reader.log, "lvef", "rejected", "clinician"))
    reader.add(undo_row(reader.log, "clinician"))
    found = edited_report(report, study, reader.log)
    validate_report(found)
    assert found["result"]["measurements"]["lvef"]["verdict"] is None
    assert [(act["holds"], act["undoes"]) for act in found["result"]["edits"]] == [(False, None), (True, 0)]


def test_a_caliper_changes_no_number(report: dict[str, Any], study: StudyResults, reader: Any) -> None:
    points = np.array([[10.0, 10.0], [10.0, 50.0]])
    reader.add(acts.measure_by_hand(reader.log, study, 0, 3, points, "clinician"))
    square = np.array([[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])
    reader.add(acts.measure_by_hand(reader.log, study, 0, 3, square, "clinician"))
    found = edited_report(report, study, reader.log)
    validate_report(found)
    length, area = (act["after"] for act in found["result"]["edits"])
    assert (length["value"], length["unit"]) == (20.0, "mm")  # 40 pixels of half a millimetre
    assert (area["value"], area["unit"]) == (1.0, "cm²")
    assert found["result"]["measurements"] == report["result"]["measurements"]


def test_pixels_where_nothing_is_calibrated(ellipses: Any, reader: Any) -> None:
    raw = ellipses.results(ellipses.cine(calibrated=False))
    act = acts.measure_by_hand(reader.log, raw, 0, 0, np.array([[0.0, 0.0], [3.0, 4.0]]), "clinician")
    assert (act.after["value"], act.after["unit"]) == (5.0, "px")


def test_a_study_that_lost_its_results_says_so(report: dict[str, Any], study: StudyResults, reader: Any) -> None:
    reader.add(acts.move_phase(reader.log, study, (0, 0, "es"), 20, "clinician"))
    found = edited_report(report, StudyResults(), reader.log)
    validate_report(found)
    assert "W_EDITS_NOT_APPLIED" in {remark["code"] for remark in found["result"]["remarks"]}
    own = report["result"]["measurements"]
    assert {n: m["value"] for n, m in found["result"]["measurements"].items()} == {n: own[n]["value"] for n in own}


# --- the store ---------------------------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path: Path, study: StudyResults, ellipses: Any) -> Path:
    path = tmp_path / "chordae.sqlite"
    ellipses.store_run(path, study)
    return path


def test_a_stored_run_opens_with_its_edits(stored: Path, study: StudyResults, reader: Any, ellipses: Any) -> None:
    reader.add(acts.move_phase(reader.log, study, (0, 0, "es"), 20, "clinician"))
    reader.add(acts.judge(reader.log, "lvef", "accepted", "clinician"))
    for act in reader.log:
        engine.add_edit(stored, ellipses.run_id, act)
    plain = engine.load_run(stored, ellipses.run_id)
    found = engine.with_edits(plain)
    assert plain.report is not None
    assert found.report is not None
    assert plain.report["result"]["edits"] == []
    assert found.report["result"]["measurements"]["lvef"]["status"] == "edited"
    assert found.results.echo_analysis.cines[0].beats[0].es_idx == 20  # type: ignore[union-attr]
    for name, _, write in EXPORTERS:
        assert write(found.report), name


WRITER = """
import sys
from pathlib import Path
from pipeline import engine
from pipeline.records import Edit
path, run_id = Path(sys.argv[1]), sys.argv[2]
for number in range(10_000):
    row = Edit(kind="verdict", target="measure:lvef", before=None, after="accepted", role="clinician")
    print(engine.add_edit(path, run_id, row).seq, flush=True)
"""


def test_a_killed_reader_loses_no_act_that_was_told(stored: Path, ellipses: Any) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(stored), ellipses.run_id], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    told = [int(writer.stdout.readline()) for _ in range(5)]
    writer.send_signal(signal.SIGKILL)
    told += [int(line) for line in writer.stdout.read().split("\n") if line.strip().isdigit()]
    writer.stdout.close()
    writer.wait()
    kept = engine.load_run(stored, ellipses.run_id).edits
    assert [act.seq for act in kept] == list(range(len(kept)))
    assert len(kept) >= len(told)
    assert engine.with_edits(engine.load_run(stored, ellipses.run_id)).report is not None


def test_the_command_line_tells(stored: Path, study: StudyResults, ellipses: Any, capsys: Any) -> None:
    from app.command_line import main

    folder = stored.parent
    for act in (
        acts.move_phase([], study, (0, 0, "es"), 20, "clinician"),
        acts.judge([], "lvef", "rejected", "researcher"),
    ):
        engine.add_edit(stored, ellipses.run_id, act)
    assert main(["show", "latest", "--data-dir", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "edited, was" in shown
    assert "rejected" in shown
    assert "phase cine:0/beat:0/es: 20" in shown
    target = folder / "report.json"
    assert main(["export", "latest", "--format", "json", "--output", str(target), "--data-dir", str(folder)]) == 0
    written = json.loads(target.read_text(encoding="utf-8"))
    validate_report(written)
    assert [act["kind"] for act in written["result"]["edits"]] == ["phase", "verdict"]
    table = folder / "findings.csv"
    assert main(["export", "latest", "--format", "csv", "--output", str(table), "--data-dir", str(folder)]) == 0
    assert ",edited," in table.read_text(encoding="utf-8-sig")
