"""A clip that was refused for low confidence, measured from a reader's outlines, on ellipses of known volume."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.records import Measurement, StudyResults
from pipeline.reports.echo_body import echo_body
from pipeline.reports.json_report import validate_report
from pipeline.review import acts
from pipeline.review.edited_report import edited_report
from pipeline.review.refused_clip import READER_ALONE
from pipeline.review.workbench import EditedStudy, Workbench

ED, ES = 4, 16  # drawn frames: 90 x 25 mm and nearly 75 x 18 mm


@pytest.fixture(scope="module")
def refused(ellipses: Any) -> StudyResults:
    found: StudyResults = ellipses.results(refused=(0,))
    return found


def measures(study: EditedStudy | StudyResults) -> dict[str, Measurement]:
    found = study.results if isinstance(study, EditedStudy) else study
    assert found.echo_analysis is not None
    return {m.name: m for m in found.echo_analysis.measurements}


def draw(reader: Any, study: StudyResults, ellipses: Any, frame_idx: int, cine_idx: int = 0) -> None:
    line = np.asarray(ellipses.wall(*ellipses.sizes(frame_idx)))
    place = (cine_idx, frame_idx, "lv_cavity")
    reader.add(acts.change_contour(reader.log, study, place, line, way="three_clicks", role="clinician"))


def test_it_stays_refused_until_two_frames_are_outlined(refused: StudyResults, reader: Any, ellipses: Any) -> None:
    bench = Workbench(refused)
    assert bench.can_edit(0)
    assert measures(refused)["lvef"].status == "withheld"
    draw(reader, refused, ellipses, ED)
    one = bench.fold(reader.log)
    assert one.results.echo_analysis is refused.echo_analysis
    assert np.allclose(one.results.detections[0].lv_endocardium[ED], ellipses.wall(*ellipses.sizes(ED)), atol=0.01)
    assert one.results.detections[0].low_confidence_reason is not None


def test_two_outlines_give_the_numbers_of_their_ellipses(refused: StudyResults, reader: Any, ellipses: Any) -> None:
    draw(reader, refused, ellipses, ES)
    draw(reader, refused, ellipses, ED)
    found = Workbench(refused).fold(reader.log)
    edv, esv = (ellipses.volume_ml(*ellipses.sizes(frame)) for frame in (ED, ES))
    after = measures(found)
    assert after["edv"].value == pytest.approx(edv, rel=0.02)
    assert after["lvef"].value == pytest.approx(100 * (1 - esv / edv), abs=1.0)
    assert after["lvef"].status == "edited"
    assert after["lvef"].source.edits == (0, 1)
    assert after["lvef"].source.edited_frame_idx == (ED, ES)
    assert after["echo_heart_rate"].status == "withheld"  # two frames tell no rate
    assert after["la_volume"].status == "withheld"  # the model's atrium does not count
    assert READER_ALONE in found.results.echo_analysis.remarks  # type: ignore[union-attr]


def test_named_phases_decide_and_an_undo_refuses_the_clip_again(
    refused: StudyResults, reader: Any, ellipses: Any
) -> None:
    for frame in (ED, 10, ES):
        draw(reader, refused, ellipses, frame)
    bench = Workbench(refused)
    assert measures(bench.fold(reader.log))["lvef"].source.frame_idx == (ED, ES)
    reader.add(acts.move_phase(reader.log, refused, (0, 0, "es"), 10, "clinician"))
    named = measures(bench.fold(reader.log))["lvef"]
    assert named.source.frame_idx == (ED, 10)
    assert named.source.edits == (0, 1, 3)
    assert measures(bench.fold([]))["lvef"].status == "withheld"


def test_the_report_says_what_was_refused_and_who_drew(refused: StudyResults, reader: Any, ellipses: Any) -> None:
    sealed = ellipses.report_of(refused)
    for frame in (ED, ES):
        draw(reader, refused, ellipses, frame)
    report = edited_report(sealed, refused, reader.log)
    validate_report(report)
    lvef = report["result"]["measurements"]["lvef"]
    assert (lvef["status"], lvef["before"]["status"]) == ("edited", "withheld")
    assert "low confidence" in lvef["before"]["reason"]
    assert "W_READER_ALONE" in {remark["code"] for remark in report["result"]["remarks"]}


def test_a_clip_beside_a_refused_one_keeps_its_own_numbers(reader: Any, ellipses: Any) -> None:
    study = ellipses.results(ellipses.cine(view="A2C", sha="b"), ellipses.cine(), refused=(0,))
    assert [analysis is not None for analysis in study.clip_analyses] == [False, True]
    before = measures(study)["lvef"]
    assert before.status == "measured"
    for frame in (ED, ES):
        draw(reader, study, ellipses, frame, cine_idx=0)
    after = Workbench(study).fold(reader.log)
    assert all(after.results.clip_analyses)
    assert "biplane" in measures(after)["lvef"].method
    bodies = [echo_body(each) or {} for each in (study, after.results)]
    assert [[bool(cine["beats"]) for cine in body["cines"]] for body in bodies] == [[False, True], [True, True]]
