"""What is plotted, how it is reduced, read off and written as a table."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import ReportError
from pipeline.records import EcgEpisode, EcgOverview, LongEcg, StudyResults, WallSegment
from ui import plot_values
from ui.curve_reduction import FACTOR, CurveReduction
from ui.plot_values import NOTICE, cut, readout, values_bytes, write_values
from ui.plots import Curve, Plot, entries_of

NOTHING = frozenset[str]()


def plot_of(results: StudyResults, key: str) -> Plot:
    entry = next(e for e in entries_of(results) if e.key == key)
    return entry.make(results, entry.place)


def curve_of(plot: Plot, name: str) -> Curve:
    return next(c for c in plot.curves if c.name == name)


def table_of(plot: Plot) -> tuple[list[str], list[list[str]]]:
    text = values_bytes(plot).decode("utf-8-sig")
    notice, _, rest = text.partition("\r\n")
    assert notice == f"# {NOTICE}"
    rows = list(csv.reader(io.StringIO(rest)))
    return rows[0], rows[1:]


@pytest.fixture
def with_segments(full_results) -> StudyResults:
    segments = tuple(
        WallSegment(
            name=name,
            radial_excursion_pct=value,
            longitudinal_strain_pct=None,
            reason=None if value is not None else "The wall leaves the picture.",
        )
        for name, value in (("basal septal", 20.0), ("mid septal", -5.0), ("apical septal", None))
    )
    analysis = full_results.echo_analysis
    cine = replace(analysis.cines[0], segments=segments)
    return replace(full_results, echo_analysis=replace(analysis, cines=(cine,)))


# --- what there is ----------------------------------------------------------------------------------------


def test_chooser_lists_what_the_case_has(kit, full_results):
    entries = entries_of(full_results)
    assert [e.label for e in entries[:4]] == ["LV volume", "Wall segments", "Detection confidence", "RR tachogram"]
    assert [e.label for e in entries[4:]] == [f"Lead {name}" for name in kit.LEADS]
    assert len({e.key for e in entries}) == len(entries)
    assert {e.group for e in entries_of(replace(full_results, ecg=None))} == {"Echo · A4C"}
    assert entries_of(StudyResults()) == ()


def test_record_of_hours_has_its_course(full_results):
    analysis = full_results.ecg_analysis
    n_beats, n_s = len(analysis.r_peaks_idx), 7200
    clean = np.ones(n_s, bool)
    clean[100:160] = False
    overview = EcgOverview(
        n_samples=n_s * 250,
        low_mv=np.full((len(full_results.ecg.record.leads), n_s), -0.4, np.float32),
        high_mv=np.full((len(full_results.ecg.record.leads), n_s), 1.2, np.float32),
        clean=clean,
        hour_usable=np.ones((2, len(full_results.ecg.record.leads)), bool),
    )
    trend = np.full(120, 70.0, np.float32)
    trend[2] = np.nan
    known = np.ones(n_beats - 1, bool)
    known[1] = False
    af = EcgEpisode(kind="af", start_s=600.0, end_s=1200.0, n_beats=800, mean_bpm=80.0)
    pause = EcgEpisode(kind="pause", start_s=1800.0, end_s=1803.0, n_beats=2, mean_bpm=None)
    course = LongEcg(hours=(), episodes=(af, pause), trend_bpm=trend, rr_known=known)
    results = replace(
        full_results,
        ecg=replace(full_results.ecg, overview=overview),
        ecg_analysis=replace(analysis, long=course),
    )
    rate = plot_of(results, "trend")
    assert curve_of(rate, "Atrial fibrillation suspected").x.tolist() == [(n + 0.5) / 60 for n in range(10, 20)]
    assert curve_of(rate, "Pause").x.tolist() == [0.5]
    assert curve_of(plot_of(results, "overview"), "Not analysed").y.size == 60
    assert np.isnan(curve_of(plot_of(results, "rr"), "RR").y).tolist() == [n == 1 for n in range(n_beats - 1)]
    assert plot_of(replace(results, ecg_analysis=None), "trend").missing
    assert rate.limits()[0] < 0.5 < rate.limits()[1]


def test_two_clips_are_told_apart(kit):
    groups = {e.group for e in entries_of(StudyResults(cines=(kit.make_cine(), kit.make_cine())))}
    assert groups == {"Echo · clip 1 · A4C", "Echo · clip 2 · A4C"}


def test_volume_curve_with_its_beats(kit, full_results):
    plot = plot_of(full_results, "volume:0")
    cine, analysis = full_results.cines[0], full_results.echo_analysis.cines[0]
    assert (plot.x_unit, plot.y_unit) == ("s", "mL")
    assert np.array_equal(curve_of(plot, "Raw").y, analysis.volume_curve, equal_nan=True)
    for name, frame_idx in (("End-diastole", kit.ED_IDX), ("End-systole", kit.ES_IDX)):
        marks = curve_of(plot, name)
        assert marks.x.tolist() == [cine.frame_times_s[frame_idx]]
        assert marks.y.tolist() == [analysis.smoothed_curve[frame_idx]]
    assert curve_of(plot, "Beats left out").x.tolist() == cine.frame_times_s[[20, 22]].tolist()
    assert "cut by the end" in plot.note


def test_unknown_frame_times_are_not_shown_as_seconds(full_results):
    cine = replace(full_results.cines[0], timing_known=False)
    plot = plot_of(replace(full_results, cines=(cine,)), "volume:0")
    assert (plot.x_name, plot.x_unit) == ("Frame", "")
    assert plot.curves[0].x.tolist() == list(range(1, 25))


def test_relative_volumes_have_no_millilitres(full_results):
    analysis = full_results.echo_analysis
    cine = replace(analysis.cines[0], volume_unit="px³")
    plot = plot_of(replace(full_results, echo_analysis=replace(analysis, cines=(cine,))), "volume:0")
    assert (plot.y_name, plot.y_unit) == ("Volume, relative", "px³")


def test_confidence_stands_at_frames_counted_from_one(full_results):
    plot = plot_of(full_results, "confidence:0")
    assert plot.x_name == "Frame"
    assert plot.curves[0].x[[0, -1]].tolist() == [1.0, 24.0]


def test_lead_raw_against_filtered_with_r_peaks(full_results):
    plot = plot_of(full_results, "lead:1")
    ecg, peaks = full_results.ecg, full_results.ecg_analysis.r_peaks_idx
    assert plot.title == "Lead II"
    assert curve_of(plot, "Raw").y is not curve_of(plot, "Filtered").y
    assert np.array_equal(curve_of(plot, "Raw").y, ecg.record.signal_mv[1])
    assert np.allclose(curve_of(plot, "R peaks").x, peaks / 250.0)
    assert curve_of(plot, "R peaks").y.tolist() == ecg.filtered_mv[1][peaks].tolist()
    assert "0.5-150 Hz zero-phase" in plot.note
    assert "left out" not in plot.note
    assert "left out" in plot_of(full_results, "lead:11").note


def test_r_peaks_outside_the_record_are_not_drawn(full_results):
    analysis = replace(full_results.ecg_analysis, r_peaks_idx=np.array([-3, 100, 10**6]))
    plot = plot_of(replace(full_results, ecg_analysis=analysis), "lead:0")
    assert curve_of(plot, "R peaks").x.tolist() == [0.4]


def test_tachogram_gives_each_interval_the_class_of_the_beat_that_ends_it(full_results):
    plot = plot_of(full_results, "rr")
    assert [c.name for c in plot.curves] == ["RR", "Normal (N)", "Ventricular (V)"]
    assert curve_of(plot, "RR").y.tolist() == [800.0] * 11
    peaks = full_results.ecg_analysis.r_peaks_idx
    assert curve_of(plot, "Ventricular (V)").x.tolist() == [peaks[-1] / 250.0]
    assert len({c.mark for c in plot.curves}) == 3  # told apart without colour


def test_withheld_segment_is_named_with_its_reason(with_segments):
    plot = plot_of(with_segments, "segments:0")
    assert plot.names == ("basal septal", "mid septal", "apical septal")
    assert plot.note == "Withheld: apical septal: The wall leaves the picture."
    left, right, low, high = plot.limits()
    assert low < -5.0
    assert high > 20.0
    assert (left, right) != (0.0, 2.0)


@pytest.mark.parametrize(
    ("key", "changes", "missing"),
    [
        ("volume:0", {"echo_analysis": None}, "The chambers of this clip were not measured."),
        ("segments:0", {}, "No wall segment was measured in this clip."),
        ("confidence:0", {"detections": ()}, "The chambers of this clip were not detected."),
        ("rr", {"ecg_analysis": None}, "The beats of this ECG were not analysed."),
    ],
)
def test_what_is_missing_is_said(full_results, key, changes, missing):
    plot = plot_of(replace(full_results, **changes), key)
    assert plot.missing == missing
    assert plot.curves == ()


def test_skipped_analysis_gives_its_reason(full_results):
    skipped = replace(full_results.echo_analysis, cines=(), skipped_reason="The confidence is too low.")
    plot = plot_of(replace(full_results, echo_analysis=skipped), "volume:0")
    assert plot.missing == "The confidence is too low."


def test_one_beat_makes_no_tachogram(full_results):
    analysis = replace(full_results.ecg_analysis, r_peaks_idx=np.array([5]), beat_classes=("N",))
    assert "Fewer than two beats" in plot_of(replace(full_results, ecg_analysis=analysis), "rr").missing


# --- reduction --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_points", [0, 1, 100, 70_001])
def test_reduction_keeps_every_extreme(n_points):
    y = np.random.default_rng(2).standard_normal(n_points).astype(np.float32)
    x, drawn = CurveReduction(Curve(name="a", y=y, rate_hz=250.0)).visible(0.0, n_points / 250.0, 100)
    assert len(x) == len(drawn) <= 4 * 200 + 2
    assert np.all(np.diff(x) >= 0)
    if n_points:
        assert (drawn.min(), drawn.max()) == (y.min(), y.max())


@pytest.mark.parametrize("place", [0, 12_345, 69_999])
@pytest.mark.parametrize("n_columns", [3, 50, 700])
def test_a_single_spike_is_seen_where_it_is(place, n_columns):
    y = np.zeros(70_000)
    y[place] = 5.0
    x, drawn = CurveReduction(Curve(name="a", y=y)).visible(-10.0, 80_000.0, n_columns)
    column = max(70_000 / n_columns, 1) * 1.1 + FACTOR**2
    assert drawn.max() == 5.0
    assert abs(x[drawn.argmax()] - place) <= column


def test_gaps_stay_gaps_and_do_not_swallow_values():
    y = np.ones(20_000)
    y[5_000:15_000] = np.nan
    y[2] = np.nan
    y[3] = 9.0
    _, drawn = CurveReduction(Curve(name="a", y=y)).visible(0.0, 20_000.0, 100)
    assert np.isnan(drawn).sum() >= 80
    assert np.nanmax(drawn) == 9.0


def test_zoomed_in_every_point_is_drawn_and_the_line_reaches_the_edge():
    y = np.arange(10_000.0)
    x, drawn = CurveReduction(Curve(name="a", y=y, rate_hz=100.0)).visible(10.0, 11.0, 800)
    assert x[0] == 9.99
    assert x[-1] == 11.01
    assert drawn.tolist() == list(range(999, 1102))


def test_reduction_leaves_the_values_alone():
    y = np.random.default_rng(3).standard_normal(5_000)
    before = y.copy()
    CurveReduction(Curve(name="a", y=y)).visible(0.0, 5_000.0, 10)
    assert np.array_equal(y, before)


@pytest.mark.parametrize(("x", "idx"), [(-5.0, 0), (0.9, 0), (1.6, 1), (2.6, 2), (99.0, 3)])
def test_nearest_point(x, idx):
    assert Curve(name="a", x=np.array([0.0, 2.0, 3.0, 7.0]), y=np.zeros(4)).nearest(x) == idx
    assert Curve(name="a", y=np.zeros(4), rate_hz=1.0).nearest(idx + 0.2) == idx


# --- values -----------------------------------------------------------------------------------------------


def test_table_has_the_notice_units_and_values(full_results):
    head, rows = table_of(plot_of(full_results, "lead:1"))
    assert head == [
        "Time (s)", "Lead II, Raw (mV)", "Lead II, Filtered (mV)", "Time, R peaks (s)", "Lead II, R peaks (mV)",
    ]  # fmt: skip
    assert len(rows) == 2500
    values = np.array([[float(cell) for cell in row[:3]] for row in rows])
    assert np.allclose(values[:, 0], np.arange(2500) / 250.0)
    assert np.allclose(values[:, 1], full_results.ecg.record.signal_mv[1], atol=1e-8)
    assert [row[3] for row in rows if row[3]] == [f"{i / 250:.9g}" for i in full_results.ecg_analysis.r_peaks_idx]


def test_table_of_segments_names_them_and_leaves_withheld_ones_empty(with_segments):
    head, rows = table_of(plot_of(with_segments, "segments:0"))
    assert head == ["Segment", "Wall segments, Excursion (%)"]
    assert rows == [["basal septal", "20"], ["mid septal", "-5"], ["apical septal", ""]]


def test_table_holds_what_is_in_sight(full_results):
    plot = cut(plot_of(full_results, "lead:1"), 2.0, 3.0, frozenset({"Raw"}))
    head, rows = table_of(plot)
    assert [name for name in head if "Raw" in name] == []
    times = [float(row[0]) for row in rows]
    assert (times[0], times[-1], len(times)) == (2.0, 3.0, 251)


def test_hostile_lead_name_stays_one_line_of_text(full_results):
    record = replace(full_results.ecg.record, leads=("=1+1\r\n=cmd()", *full_results.ecg.record.leads[1:]))
    plot = plot_of(replace(full_results, ecg=replace(full_results.ecg, record=record)), "lead:0")
    text = values_bytes(plot).decode("utf-8-sig")
    assert text.splitlines()[1].startswith("Time (s),")
    assert text.splitlines()[2].startswith("0,")
    assert not [cell for cell in table_of(plot)[0] if cell.startswith("=")]


def test_values_are_written_or_refused_plainly(full_results, tmp_path, monkeypatch):
    plot = plot_of(full_results, "lead:1")
    write_values(plot, tmp_path / "v.csv")
    assert (tmp_path / "v.csv").read_bytes() == values_bytes(plot)
    with pytest.raises(ReportError):
        write_values(plot, tmp_path / "none" / "v.csv")
    monkeypatch.setattr(plot_values, "MAX_ROWS", 2499)
    with pytest.raises(ReportError, match="Zoom in"):
        write_values(plot, tmp_path / "w.csv")
    assert not (tmp_path / "w.csv").exists()


def test_readout_names_values_with_units(full_results, with_segments):
    lead = plot_of(full_results, "lead:1")
    assert readout(lead, 0.401, 0.01, NOTHING) == ("Time 0.400 s   Raw 1.083 mV   Filtered 1.083 mV   R peaks 1.083 mV")
    assert readout(lead, 0.6, 0.01, frozenset({"Raw"})).startswith("Time 0.600 s   Filtered")
    assert "R peaks" not in readout(lead, 0.6, 0.01, NOTHING)
    assert readout(plot_of(full_results, "volume:0"), 0.0, 0.0, NOTHING) == "Time 0.000 s   Raw –   Smoothed –"
    assert readout(plot_of(with_segments, "segments:0"), 1.2, 0.0, NOTHING) == "mid septal   Excursion −5.0 %"
