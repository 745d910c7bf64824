"""Edits of the ECG: numbers known beforehand from a phantom whose boundaries are given, and a real twelve-lead ECG."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from pipeline.ecg.analysis import analyse_ecg, analysis_of, pacing_of, usable_signal
from pipeline.ecg.findings import EcgFindings
from pipeline.ecg.hourly import LongBeats, course
from pipeline.ecg.intervals import beat_intervals
from pipeline.ecg.long_measurements import measurements_of
from pipeline.ecg.median_beat import usual_beats
from pipeline.ecg.preprocessing import prepare_ecg
from pipeline.ecg.readers import inspect_ecg, read_ecg
from pipeline.ecg.shape import beat_shape
from pipeline.errors import InputError
from pipeline.gates import Limits
from pipeline.records import Delineation, EcgOverview, EcgRecord, Edit, Metadata, PreparedEcg
from pipeline.review.ecg_edits import median_place, review_ecg
from pipeline.review.ecg_targets import ABSENT, Caliper, MarkTarget, class_target

RATE_HZ, RR_S, N_BEATS = 1000.0, 0.8, 9
LEADS = ("I", "II", "III", "V1")
OFFSETS_MS = {"p_on": -200, "p_off": -100, "qrs_on": -40, "qrs_off": 50, "t_on": 200, "t_off": 360}
PR_MS, QRS_MS, QT_MS = 160.0, 90.0, 400.0


def act(target, after, *, kind="ecg_mark", seq=0, undoes=None) -> Edit:
    return Edit(kind=kind, target=str(target), before=None, after=after, role="clinician", seq=seq, undoes=undoes)


def values(review):
    return {m.name: m.value for m in review.analysis.measurements}


def statuses(review):
    return {m.name: m.status for m in review.analysis.measurements}


@pytest.fixture(scope="module")
def phantom():
    """Nine equal beats in four leads; boundaries at whole milliseconds."""
    time_s = np.arange(round((N_BEATS + 0.5) * RR_S * RATE_HZ)) / RATE_HZ
    peaks = (np.arange(N_BEATS) * RR_S * RATE_HZ + 500).astype(np.int64)
    signal = np.zeros((len(LEADS), time_s.size))
    for peak in peaks:
        for centre_ms, half_ms, height in ((-150, 50, 0.15), (0, 40, 1.0), (280, 80, 0.3)):
            steps = np.arange(peak + centre_ms - half_ms, peak + centre_ms + half_ms + 1)
            steps = steps[(steps >= 0) & (steps < time_s.size)]
            signal[:, steps] += 0.5 * height * (1 + np.cos(np.pi * (steps - peak - centre_ms) / half_ms))
    ecg = PreparedEcg(
        file_sha256="ab" * 32,
        record=EcgRecord(signal_mv=signal, sampling_rate_hz=RATE_HZ, leads=LEADS, scaling="phantom"),
        filtered_mv=signal.astype(np.float32),
        filter_text="none",
        lead_quality=np.ones(len(LEADS)),
        lead_usable=np.ones(len(LEADS), bool),
    )
    bounds = {name: np.tile(peaks + float(ms), (len(LEADS), 1)) for name, ms in OFFSETS_MS.items()}
    waves, classes = Delineation(**bounds), np.full(N_BEATS, "N")
    findings = EcgFindings(
        ecg=ecg,
        signal_mv=usable_signal(ecg),
        peaks=peaks,
        classes=classes,
        af_beats=np.zeros(N_BEATS, bool),
        flutter_beats=np.zeros(N_BEATS, bool),
        has_p=np.ones(N_BEATS, bool),
        intervals=beat_intervals(waves, RATE_HZ),
        shape=beat_shape(ecg, usable_signal(ecg), peaks, waves, usual_beats(classes)),
        sex=None,
        paced_note=None,
        pacing=pacing_of(ecg, peaks, None),
    )
    return ecg, analysis_of(findings, waves, Metadata())


def reviewed(phantom, *edits):
    return review_ecg(*phantom, Metadata(), edits)


def test_without_edits_every_measurement_is_the_one_of_the_run(phantom):
    review = reviewed(phantom)
    assert values(review)["pr"] == PR_MS
    assert all(new is old for new, old in zip(review.analysis.measurements, phantom[1].measurements, strict=True))
    assert not review.edited_marks
    assert median_place(review.median, "t_off") == OFFSETS_MS["t_off"]


def test_peaks_lie_between_the_boundaries(phantom):
    review = reviewed(phantom)
    assert review.p_peak[:, 1:] - phantom[1].r_peaks_idx[1:] == pytest.approx(-150, abs=1)
    assert review.t_peak - phantom[1].r_peaks_idx == pytest.approx(280, abs=1)


@pytest.mark.parametrize(
    ("mark", "moved_ms", "expected"),
    [
        ("t_off", 40.0, {"pr": PR_MS, "qrs": QRS_MS, "qt": QT_MS + 40}),
        ("qrs_off", 20.0, {"pr": PR_MS, "qrs": QRS_MS + 20, "qt": QT_MS}),
        ("qrs_on", -10.0, {"pr": PR_MS - 10, "qrs": QRS_MS + 10, "qt": QT_MS + 10}),
        ("p_on", 15.0, {"pr": PR_MS - 15, "qrs": QRS_MS, "qt": QT_MS}),
    ],
)
def test_a_mark_of_the_median_beat_moves_the_intervals_by_as_much(phantom, mark, moved_ms, expected):
    review = reviewed(phantom, act(MarkTarget(mark=mark), OFFSETS_MS[mark] + moved_ms))
    found = values(review)
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert found["qtcf"] == pytest.approx(expected["qt"] / np.cbrt(RR_S), abs=0.01)
    assert found["qtcb"] == pytest.approx(expected["qt"] / np.sqrt(RR_S), abs=0.01)
    changed = {name for name, value in expected.items() if value != {"pr": PR_MS, "qrs": QRS_MS, "qt": QT_MS}[name]}
    assert {name for name in expected if statuses(review)[name] == "edited"} == changed
    assert statuses(review)["heart_rate"] == "measured"
    assert review.edited_marks == {f"median/{mark}"}


def test_a_mark_of_one_beat_counts_over_all_leads_and_enters_the_median(phantom):
    late = [
        act(MarkTarget(mark="t_off", beat=beat, lead="II"), phantom[1].r_peaks_idx[beat] + 400.0, seq=beat)
        for beat in range(5)
    ]
    assert values(reviewed(phantom, *late[:4]))["qt"] == QT_MS  # four of nine
    review = reviewed(phantom, *late)
    assert values(review)["qt"] == QT_MS + 40
    drawn = review.analysis.delineation.t_off - review.analysis.r_peaks_idx
    assert drawn[1, 0] == 400
    assert drawn[0, 0] == 360  # another lead keeps its own mark


def test_a_beat_of_its_own_is_not_moved_with_the_median_beat(phantom):
    own = act(MarkTarget(mark="t_off", beat=2, lead="I"), phantom[1].r_peaks_idx[2] + 300.0)
    review = reviewed(phantom, own, act(MarkTarget(mark="t_off"), 380.0, seq=1))
    drawn = review.analysis.delineation.t_off[0] - review.analysis.r_peaks_idx
    assert drawn[2] == 300
    assert drawn[3] == 380


def test_a_wave_that_is_none_takes_its_interval_away(phantom):
    review = reviewed(phantom, act(MarkTarget(mark="p_on"), ABSENT))
    pr = next(m for m in review.analysis.measurements if m.name == "pr")
    assert (pr.value, pr.status) == (None, "withheld")
    assert pr.reason


def test_an_interval_that_ends_before_it_begins_is_none(phantom):
    review = reviewed(phantom, act(MarkTarget(mark="qrs_off"), -60.0))
    assert values(review)["qrs"] is None


def test_undo_and_redo_are_rows_of_the_log(phantom):
    change = act(MarkTarget(mark="t_off"), 400.0, seq=0)
    undo = act(MarkTarget(mark="t_off"), None, seq=1, undoes=0)
    redo = act(MarkTarget(mark="t_off"), 400.0, seq=2, undoes=1)
    assert values(reviewed(phantom, change, undo))["qt"] == QT_MS
    assert values(reviewed(phantom, change, undo, redo))["qt"] == QT_MS + 40
    assert values(reviewed(phantom, change, act(MarkTarget(mark="t_off"), None, seq=1)))["qt"] == QT_MS


def test_an_r_peak_that_is_moved_changes_the_rr_intervals(phantom):
    beat = N_BEATS - 1
    moved = act(MarkTarget(mark="r_peak", beat=beat, lead="I"), float(phantom[1].r_peaks_idx[beat]) + 50.0)
    review = reviewed(phantom, moved)
    assert values(review)["longest_rr"] == pytest.approx(850.0)
    assert values(review)["rr_mean"] == pytest.approx(800.0 + 50.0 / (N_BEATS - 1), abs=0.1)
    past = act(MarkTarget(mark="r_peak", beat=0, lead="I"), float(phantom[1].r_peaks_idx[3]))
    with pytest.raises(InputError, match="neighbour"):
        reviewed(phantom, past)


def test_a_class_changes_the_counts_and_what_counts_as_usual(phantom):
    review = reviewed(phantom, act(class_target(4), "V", kind="beat_class"))
    found = values(review)
    assert (found["pvc_count"], found["pac_count"]) == (1.0, 0.0)
    assert statuses(review)["pvc_count"] == "edited"
    assert review.analysis.beat_classes[4] == "V"
    assert review.edited_classes == {4}
    assert review.median.n_beats == N_BEATS - 1
    assert "ectopics" in {statement.code for statement in review.analysis.rhythm}
    same = reviewed(phantom, act(class_target(4), "N", kind="beat_class"))
    assert same.edited_classes == frozenset()


def test_calipers_come_back_as_they_were_stored(phantom):
    caliper = Caliper(lead="II", start_ms=100.0, end_ms=900.0, low_mv=0.0, high_mv=1.0)
    stored = act("ecg/caliper:1", caliper.as_value(), kind="caliper")
    of_echo = act("cine:0/caliper:0", {"mm": 3.0}, kind="caliper", seq=1)
    assert reviewed(phantom, stored, of_echo).calipers == (("ecg/caliper:1", caliper),)
    gone = act("ecg/caliper:1", None, kind="caliper", seq=2)
    assert reviewed(phantom, stored, gone).calipers == ()


@pytest.mark.parametrize(
    "edit",
    [
        act("beat:99/lead:I/t_off", 100.0),
        act("beat:1/lead:V9/t_off", 100.0),
        act("beat:1/lead:I/u_off", 100.0),
        act("median/r_peak", 100.0),
        act("median/t_off", "soon"),
        act("median/t_off", float("nan")),
        act("median/t_off", True),
        act(class_target(99), "V", kind="beat_class"),
        act(class_target(1), "X", kind="beat_class"),
        act("beat:1", "V", kind="beat_class"),
        act("ecg/caliper:0", {"lead": "I", "start_ms": 1}, kind="caliper"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_by_code(phantom, edit):
    with pytest.raises(InputError) as caught:
        reviewed(phantom, edit)
    assert caught.value.code == "E_INPUT_CORRUPT"


@pytest.fixture
def day(phantom):
    """Two hours of a heart that beats once a second, its first beats those of the phantom."""
    n_seconds = 7300
    peaks = np.arange(1, n_seconds, dtype=np.int64) * int(RATE_HZ)
    beats = LongBeats(
        peaks=peaks, classes=np.full(peaks.size, "N"), af_beats=np.zeros(peaks.size, bool),
        flutter_beats=np.zeros(peaks.size, bool), paced_beats=np.zeros(peaks.size, bool),
        known=np.ones(peaks.size - 1, bool), clean=np.ones(n_seconds, bool), sampling_rate_hz=RATE_HZ,
    )  # fmt: skip
    overview = EcgOverview(
        n_samples=n_seconds * int(RATE_HZ), low_mv=np.zeros((4, n_seconds)), high_mv=np.zeros((4, n_seconds)),
        clean=beats.clean, hour_usable=np.ones((3, 4), bool),
    )  # fmt: skip
    ecg = replace(phantom[0], overview=overview)
    medians = {"pr": 150.0, "qrs": 90.0, "qt": 380.0}
    analysis = replace(
        phantom[1], measurements=measurements_of(beats, medians, "ab" * 32, sex=None, paced=False), rhythm=(),
        r_peaks_idx=peaks, beat_classes=tuple(beats.classes.tolist()), af_beats=beats.af_beats, long=course(beats),
        flutter_beats=beats.flutter_beats, paced_beats=beats.paced_beats,
    )  # fmt: skip
    return ecg, analysis


def by_name(analysis):
    return {m.name: m for m in analysis.measurements}


def test_a_class_in_a_long_record_moves_the_burden_of_its_hour(day):
    ecg, analysis = day
    edits = [act(class_target(beat), "V", kind="beat_class", seq=beat) for beat in (3600, 3601, 3602)]
    after = review_ecg(ecg, analysis, Metadata(), edits).analysis
    assert [hour.n_v for hour in analysis.long.hours] == [0, 0, 0]
    assert [hour.n_v for hour in after.long.hours] == [0, 3, 0]
    assert [(e.kind, e.start_s, e.n_beats) for e in after.long.episodes] == [("ventricular_run", 3601.0, 3)]
    pvc = by_name(after)["pvc_count"]
    assert (pvc.value, pvc.status) == (3.0, "edited")
    assert [s.code for s in after.rhythm] == ["ectopics"]


def test_r_peaks_of_a_long_record_are_moved_added_and_taken_away(day):
    ecg, analysis = day
    moved = act(MarkTarget(mark="r_peak", beat=4000, lead="II"), 4_001_400.0)  # from 4001 s, 0.4 s later
    after = review_ecg(ecg, analysis, Metadata(), [moved])
    assert by_name(after.analysis)["longest_rr"].value == pytest.approx(1400.0)
    assert by_name(after.analysis)["longest_rr"].status == "edited"
    assert by_name(after.analysis)["qt"] is by_name(analysis)["qt"]  # rests on beats whose boundaries are not kept
    assert by_name(after.analysis)["pvc_count"] is by_name(analysis)["pvc_count"]

    gone = [act(MarkTarget(mark="r_peak", beat=beat, lead="II"), "absent", seq=beat) for beat in (4000, 4001)]
    paused = review_ecg(ecg, analysis, Metadata(), gone)
    assert paused.analysis.r_peaks_idx.size == analysis.r_peaks_idx.size - 2
    assert paused.analysis.long.hours[1].n_pauses == 1
    assert paused.analysis.long.hours[0] == analysis.long.hours[0]  # the other hour is as it was
    assert [(e.kind, e.start_s) for e in paused.analysis.long.episodes] == [("pause", 4000.0)]
    assert paused.own_beats[4000] == 4002

    sample = int(4001.5 * RATE_HZ)
    target = MarkTarget(mark="r_peak", beat=-1 - sample, lead="II")
    named = act(f"added:{sample}/class", "V", kind="beat_class", seq=9)
    added = review_ecg(ecg, analysis, Metadata(), [*gone, act(target, 4_001_500.0, seq=8), named])
    assert added.analysis.beat_classes[4000] == "V"
    assert added.own_beats[4000] == -1 - sample
    assert added.analysis.long.hours[1].n_v == 1
    assert added.analysis.long.hours[1].n_pauses == 0
    assert added.edited_marks == {str(target), *(edit.target for edit in gone)}

    with pytest.raises(InputError):
        review_ecg(ecg, analysis, Metadata(), [act(MarkTarget(mark="t_off", beat=3, lead="II"), 4000.0)])


def test_beats_of_a_short_record_are_taken_away_and_added(phantom):
    ecg, analysis = phantom
    rate_hz, n_beats = ecg.record.sampling_rate_hz, analysis.r_peaks_idx.size
    gone = act(MarkTarget(mark="r_peak", beat=3, lead="I"), "absent")
    later = act(
        MarkTarget(mark="t_off", beat=5, lead="I"), 1000 * analysis.delineation.t_off[0, 5] / rate_hz + 20, seq=1
    )
    after = reviewed(phantom, gone, later)
    assert after.analysis.r_peaks_idx.tolist() == np.delete(analysis.r_peaks_idx, 3).tolist()
    moved = after.analysis.delineation.t_off[0, 4] - analysis.delineation.t_off[0, 5]
    assert moved == pytest.approx(20 * rate_hz / 1000)  # the act names the run's beat 5, now in the fifth place
    assert by_name(after.analysis)["longest_rr"].status == "edited"

    sample = int(analysis.r_peaks_idx[3] + 0.3 * rate_hz)
    added = reviewed(phantom, act(MarkTarget(mark="r_peak", beat=-1 - sample, lead="I"), 1000 * sample / rate_hz))
    assert added.analysis.r_peaks_idx.size == n_beats + 1
    assert added.analysis.beat_classes[4] == "Q"
    assert np.isnan(added.analysis.delineation.qrs_on[:, 4]).all()
    assert added.analysis.delineation.qrs_on[0, 5] == analysis.delineation.qrs_on[0, 4]
    none = act(MarkTarget(mark="r_peak", beat=-1 - sample, lead="I"), None, seq=1)
    first = act(MarkTarget(mark="r_peak", beat=-1 - sample, lead="I"), 1000 * sample / rate_hz)
    assert reviewed(phantom, first, none).analysis.r_peaks_idx.size == n_beats


def test_measuring_a_real_ecg_again_gives_its_numbers():
    """A mark set to where it already lies makes everything be measured again, and changes nothing."""
    path, limits = Path(get_testdata_file("waveform_ecg.dcm")), Limits()
    ecg = prepare_ecg(read_ecg(path, limits), inspect_ecg(path, limits).sha256)
    analysis = analyse_ecg(ecg, Metadata())
    place = median_place(review_ecg(ecg, analysis, Metadata()).median, "t_off")
    review = review_ecg(ecg, analysis, Metadata(), [act(MarkTarget(mark="t_off"), place)])
    assert review.edited_marks == {"median/t_off"}
    assert review.analysis.measurements == analysis.measurements
    assert review.analysis.statements == analysis.statements
    later = review_ecg(ecg, analysis, Metadata(), [act(MarkTarget(mark="t_off"), place + 20.0)])
    before, after = ({m.name: m.value for m in a.measurements} for a in (analysis, later.analysis))
    assert after["qt"] - before["qt"] == pytest.approx(20.0)
