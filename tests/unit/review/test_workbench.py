"""Numbers after a reader's changes, on ellipses whose volumes are known in closed form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.errors import EditError
from pipeline.records import Measurement, Metadata, StudyResults
from pipeline.review import acts
from pipeline.review.log import redo_row, undo_row
from pipeline.review.workbench import EditedStudy, Workbench


@pytest.fixture(scope="module")
def bench(study: StudyResults) -> Workbench:
    return Workbench(study)


def measures(study: EditedStudy | StudyResults) -> dict[str, Measurement]:
    found = study.results if isinstance(study, EditedStudy) else study
    assert found.echo_analysis is not None
    return {m.name: m for m in found.echo_analysis.measurements}


def beats(study: EditedStudy | StudyResults, cine_idx: int = 0) -> Any:
    found = study.results if isinstance(study, EditedStudy) else study
    assert found.echo_analysis is not None
    return found.echo_analysis.cines[cine_idx].beats


def mean_ef(study: EditedStudy | StudyResults) -> float:
    return float(np.mean([100 * (1 - b.esv / b.edv) for b in beats(study) if b.excluded is None]))


def widen(ellipses: Any, frame_idx: int, by: float) -> np.ndarray:
    length_mm, radius_mm = ellipses.sizes(frame_idx)
    return np.asarray(ellipses.wall(length_mm, radius_mm * by))


def test_nothing_changed_gives_the_stored_numbers(study: StudyResults, bench: Workbench) -> None:
    found = bench.fold([])
    assert found.results is study
    assert found.fused is not None
    assert found.fused.measurements == study.echo_analysis.measurements  # type: ignore[union-attr]


def test_a_wider_ellipse_changes_the_ejection_fraction_as_the_formula_says(
    study: StudyResults, bench: Workbench, reader: Any, ellipses: Any
) -> None:
    beat = beats(study)[0]
    line = widen(ellipses, beat.ed_idx, 1.2)
    reader.add(
        acts.change_contour(reader.log, study, (0, beat.ed_idx, "lv_cavity"), line, way="drag", role="clinician")
    )
    found = bench.fold(reader.log)
    length_mm, radius_mm = ellipses.sizes(beat.ed_idx)
    assert beats(found)[0].edv == pytest.approx(ellipses.volume_ml(length_mm, 1.2 * radius_mm), rel=0.005)
    assert beats(found)[0].edv == pytest.approx(1.44 * beat.edv, rel=1e-3)  # the volume grows with the radius squared
    expected = [b.ef_pct for b in beats(study) if b.excluded is None]
    expected[0] = 100 * (1 - beat.esv / (1.44 * beat.edv))
    assert measures(found)["lvef"].value == pytest.approx(np.mean(expected), abs=0.02)
    # frames that a reader did not touch keep their end-diastole, end-systole and volumes
    assert [(b.ed_idx, b.es_idx) for b in beats(found)] == [(b.ed_idx, b.es_idx) for b in beats(study)]
    assert [b.edv for b in beats(found)[1:]] == [b.edv for b in beats(study)[1:]]


def test_only_what_depends_on_the_edit_is_edited(
    study: StudyResults, bench: Workbench, reader: Any, ellipses: Any
) -> None:
    ed_idx = beats(study)[0].ed_idx
    line = widen(ellipses, ed_idx, 1.1)
    reader.add(acts.change_contour(reader.log, study, (0, ed_idx, "lv_cavity"), line, way="drag", role="clinician"))
    found, before = measures(bench.fold(reader.log)), measures(study)
    for name in ("lvef", "edv", "edv_index", "sv", "lv_length_ed", "gls", "lv_mass"):
        assert (found[name].status, found[name].source.edited_frame_idx, found[name].source.edits) == (
            "edited",
            (ed_idx,),
            (0,),
        )
        assert "by a reader: outlines edited" in found[name].method
    for name in ("esv", "esv_index", "lv_length_es", "la_area", "la_volume", "echo_heart_rate"):
        assert found[name] is before[name]


def test_category_risk_and_level_follow(study: StudyResults, bench: Workbench, reader: Any, ellipses: Any) -> None:
    usual = bench.fold([])
    for beat in beats(study):
        line = widen(ellipses, beat.es_idx, 1.4)  # hardly any emptying is left
        reader.add(
            acts.change_contour(reader.log, study, (0, beat.es_idx, "lv_cavity"), line, way="redraw", role="clinician")
        )
    found = bench.fold(reader.log)
    assert usual.risk is not None
    assert found.risk is not None
    assert found.risk.level == "urgent"
    assert usual.risk.level != "urgent"
    assert "lvef_severely_reduced" in {rule.name for rule in found.risk.rules}
    assert str(measures(found)["lvef"].band).startswith("severely reduced")


def test_undo_and_redo_bring_the_very_numbers(
    study: StudyResults, bench: Workbench, reader: Any, ellipses: Any
) -> None:
    es_idx = beats(study)[1].es_idx
    place = (0, es_idx, "lv_cavity")
    line = widen(ellipses, es_idx, 0.9)
    reader.add(acts.change_contour(reader.log, study, place, line, way="drag", role="clinician"))
    edited = measures(bench.fold(reader.log))
    reader.add(undo_row(reader.log, "clinician"))
    assert bench.fold(reader.log).results is study
    reader.add(redo_row(reader.log, "clinician"))
    assert measures(bench.fold(reader.log)) == edited
    reader.add(acts.change_contour(reader.log, study, place, None, way="reset", role="clinician"))
    assert bench.fold(reader.log).results is study


def test_a_moved_end_systole_gives_the_volume_of_its_frame(study: StudyResults, bench: Workbench, reader: Any) -> None:
    beat = beats(study)[0]
    reader.add(acts.move_phase(reader.log, study, (0, 0, "es"), beat.es_idx + 2, "clinician"))
    found = bench.fold(reader.log)
    curve = study.echo_analysis.cines[0].volume_curve  # type: ignore[union-attr]
    assert beats(found)[0].es_idx == beat.es_idx + 2
    assert beats(found)[0].esv == pytest.approx(curve[beat.es_idx + 2])
    assert measures(found)["lvef"].value == pytest.approx(mean_ef(found), abs=0.01)
    assert measures(found)["edv"] is measures(study)["edv"]
    assert measures(found)["esv"].source.frame_idx[0] == beat.es_idx + 2


def test_a_beat_out_of_order_does_not_count(study: StudyResults, bench: Workbench, reader: Any) -> None:
    beat = beats(study)[0]
    reader.add(acts.move_phase(reader.log, study, (0, 0, "es"), max(beat.ed_idx - 1, 0), "clinician"))
    found = bench.fold(reader.log)
    assert beats(found)[0].excluded is not None
    assert measures(found)["lvef"].status == "edited"


def test_a_drawn_length_calibrates(ellipses: Any, reader: Any) -> None:
    raw = ellipses.results(ellipses.cine(calibrated=False))
    bench = Workbench(raw)
    assert measures(raw)["edv"].status == "withheld"
    ends = np.array([[50.0, 20.0], [50.0, 120.0]])
    reader.add(acts.calibrate(reader.log, raw, 0, 3, ends, 50.0, "clinician"))  # half a millimetre a pixel
    found = bench.fold(reader.log)
    known = ellipses.results()
    for name in ("edv", "esv", "sv", "lv_length_ed", "la_volume"):
        assert measures(found)[name].status == "edited"
        assert measures(found)[name].value == pytest.approx(measures(known)[name].value, rel=1e-6)
        assert "calibrated by a drawn length of 50 mm" in measures(found)[name].method
    assert measures(found)["lvef"].value == pytest.approx(measures(raw)["lvef"].value, abs=0.01)
    assert found.results.cines[0].calibration.method == "drawn by a reader"


def test_a_calibrated_clip_cannot_be_calibrated_by_hand(study: StudyResults, reader: Any) -> None:
    with pytest.raises(EditError, match="cannot replace"):
        acts.calibrate(reader.log, study, 0, 0, np.array([[0, 0], [0, 100.0]]), 50.0, "clinician")


@pytest.mark.parametrize(("ends", "length_mm"), [([[0, 0], [0, 4]], 50.0), ([[0, 0], [0, 100]], 5000.0)])
def test_a_slip_of_the_hand_does_not_calibrate(ellipses: Any, reader: Any, ends: Any, length_mm: float) -> None:
    raw = ellipses.results(ellipses.cine(calibrated=False))
    with pytest.raises(EditError):
        acts.calibrate(reader.log, raw, 0, 0, np.array(ends, float), length_mm, "clinician")


def test_scores_by_hand_change_the_index(study: StudyResults, bench: Workbench, reader: Any) -> None:
    segments = study.echo_analysis.cines[0].segments  # type: ignore[union-attr]
    scores = {segment.name: segment.score for segment in segments}
    name = segments[2].name
    reader.add(acts.score_segment(reader.log, study, 0, name, 3, "clinician"))
    found = bench.fold(reader.log)
    known = [score for score in (scores | {name: 3}).values() if score]
    assert measures(found)["wmsi"].value == pytest.approx(np.mean(known), abs=1e-4)
    assert measures(found)["wmsi"].status == "edited"
    assert "scored by eye" in measures(found)["wmsi"].method
    assert measures(found)["lvef"] is measures(study)["lvef"]
    reader.add(acts.score_segment(reader.log, study, 0, name, None, "clinician"))  # not seen
    left = [score for other, score in scores.items() if other != name and score]
    assert measures(bench.fold(reader.log))["wmsi"].value == pytest.approx(np.mean(left), abs=1e-4)


def test_an_edit_of_the_second_view_reaches_the_biplane_numbers(ellipses: Any, reader: Any) -> None:
    both = ellipses.results(ellipses.cine(), ellipses.cine(view="A2C", sha="b"))
    ed_idx = beats(both, 1)[0].ed_idx
    line = widen(ellipses, ed_idx, 1.2)
    reader.add(acts.change_contour(reader.log, both, (1, ed_idx, "lv_cavity"), line, way="drag", role="clinician"))
    found, before = measures(Workbench(both).fold(reader.log)), measures(both)
    assert found["edv"].value == pytest.approx(before["edv"].value * (1 + 0.2 / len(beats(both))), rel=2e-3)
    assert found["lvef"].status == found["lvef_a2c"].status == "edited"
    assert found["lvef_a4c"] is before["lvef_a4c"]
    assert found["lv_length_ed"] is before["lv_length_ed"]


def test_an_edited_contour_is_believed_where_the_network_was_not(ellipses: Any, reader: Any) -> None:
    """A frame without a trusted contour gives no volume until a reader draws it."""
    plain = ellipses.results()
    frame_idx = beats(plain)[0].es_idx
    confidence = plain.detections[0].confidence.copy()
    confidence[frame_idx] = 0.0
    lost = replace(plain, detections=(replace(plain.detections[0], confidence=confidence),))
    bench = Workbench(lost)
    line = ellipses.wall(*ellipses.sizes(frame_idx))
    reader.add(acts.change_contour(reader.log, lost, (0, frame_idx, "lv_cavity"), line, way="drag", role="clinician"))
    curve = bench.fold(reader.log).results.echo_analysis.cines[0].volume_curve  # type: ignore[union-attr]
    assert curve[frame_idx] == pytest.approx(ellipses.volume_ml(*ellipses.sizes(frame_idx)), rel=0.005)


def test_acts_that_do_not_fit_are_told_and_change_nothing(
    study: StudyResults, bench: Workbench, reader: Any, ellipses: Any
) -> None:
    far = acts.move_phase(reader.log, study, (0, 0, "es"), 20, "clinician")
    reader.add(replace(far, after=10_000))
    reader.add(replace(far, target="cine:0/frame:3/lv_cavity", kind="contour", after={"points": [[1, 2], [3]]}))
    reader.add(replace(far, target="cine:0/segment:apex", kind="segment_score", after={"score": 9}))
    found = bench.fold(reader.log)
    assert found.changes.ignored == (0, 1, 2)
    assert measures(found) == measures(study)


@pytest.mark.parametrize("frame_idx", [-1, 75])
def test_a_frame_that_is_not_there_is_refused(study: StudyResults, reader: Any, frame_idx: int) -> None:
    with pytest.raises(EditError):
        acts.change_contour(reader.log, study, (0, frame_idx, "lv_cavity"), None, way="reset", role="clinician")


def test_a_line_of_another_length_is_refused(study: StudyResults, reader: Any, ellipses: Any) -> None:
    with pytest.raises(EditError):
        acts.change_contour(
            reader.log, study, (0, 3, "left_atrium"), ellipses.wall(90, 25), way="drag", role="clinician"
        )


def test_metadata_of_the_study_choose_the_bands(ellipses: Any, reader: Any) -> None:
    known = ellipses.results(metadata=Metadata(sex="female", age_years=50.0, bsa_m2=1.6))
    for beat in beats(known):
        line = widen(ellipses, beat.ed_idx, 1.3)
        reader.add(
            acts.change_contour(reader.log, known, (0, beat.ed_idx, "lv_cavity"), line, way="drag", role="clinician")
        )
    found = measures(Workbench(known).fold(reader.log))
    assert str(found["edv"].band).startswith("above normal")


def test_the_stored_beats_are_those_that_would_be_found(study: StudyResults, ellipses: Any) -> None:
    from pipeline.echo.manifest import read_manifest
    from pipeline.review.cine_bench import CineBench, CineChanges

    cine, detection = study.cines[0], study.detections[0]
    stored = study.echo_analysis.cines[0]  # type: ignore[union-attr]
    work = CineChanges(contours={(beats(study)[0].ed_idx, "lv_cavity"): widen(ellipses, beats(study)[0].ed_idx, 1.1)})
    known = CineBench(cine, detection, read_manifest(), stored).study(work)
    anew = CineBench(cine, detection, read_manifest()).study(work)
    assert known.analysis.beats == anew.analysis.beats
    assert known.cycle.outliers_idx == anew.cycle.outliers_idx
    assert np.array_equal(known.analysis.smoothed_curve, anew.analysis.smoothed_curve)
    assert known.analysis.heart_rate_bpm == anew.analysis.heart_rate_bpm
