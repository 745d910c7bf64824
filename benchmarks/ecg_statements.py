"""Statements of the ECG against the cardiologists' labels of LUDB, and exchanged electrodes made by calculation.

    CHORDAE_DATA=<folder with ecg/ludb> python -m benchmarks.ecg statements

LUDB's files scale every lead on its own, so the product withholds voltages there; the second part of the table shows
what the rules would say if the voltages were believed. Nothing but age and sex is given beside the record.

Data: LUDB 1.0.1, Kalyakulina et al., doi 10.1109/ACCESS.2020.3029211, ODC-By 1.0.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.ecg.analysis import analyse_ecg
from pipeline.ecg.lead_swap import chest_swap, limb_swap
from pipeline.ecg.median_beat import MedianBeat, median_beat, usual_beats
from pipeline.ecg.preprocessing import prepare_ecg
from pipeline.ecg.readers import read_ecg
from pipeline.ecg.shape import BeatShape, beat_shape, shape_statements
from pipeline.gates import Limits
from pipeline.records import EcgAnalysis, Metadata, PreparedEcg

Row = dict[str, str]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One record with its labels, what the product says and what it would say with believed voltages."""

    labels: Row
    ecg: PreparedEcg
    analysis: EcgAnalysis
    shape: BeatShape
    beat: MedianBeat | None
    codes: frozenset[str]
    withheld: frozenset[str]
    believed: frozenset[str]

    def axis_deg(self) -> float | None:
        value = next(m.value for m in self.analysis.measurements if m.name == "axis")
        return value if isinstance(value, float) else None


# label, its column, words that must stand in it, codes that agree
RHYTHM_TABLE: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("sinus of any rate", "Rhythms", ("Sinus", "sinus"), ("sinus",)),
    ("sinus bradycardia", "Rhythms", ("Sinus bradycardia",), ("bradycardia",)),
    ("sinus tachycardia", "Rhythms", ("Sinus tachycardia",), ("tachycardia",)),
    ("sinus arrhythmia", "Rhythms", ("Sinus arrhythmia", "Irregular sinus"), ("irregular",)),
    ("wandering pacemaker", "Rhythms", ("Wandering",), ("ectopic_atrial", "junctional")),
    ("atrial fibrillation", "Rhythms", ("Atrial fibrillation",), ("af_suspected",)),
    ("atrial flutter", "Rhythms", ("Atrial flutter",), ("flutter_suspected",)),
    ("I degree AV block", "Conduction abnormalities", ("I degree av block",), ("first_degree_av_block",)),
    ("III degree AV block", "Conduction abnormalities", ("Iii degree",), ("av_dissociation", "second_degree_av_block")),
    ("pacing", "Cardiac pacing", ("acemaker", "pacing", "synchrony"), ("paced_suspected",)),
    ("ventricular ectopics", "Extrasystolies", ("Ventricular",), ("class_V",)),
    ("atrial ectopics", "Extrasystolies", ("Atrial",), ("class_S",)),
)
TABLE: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("complete RBBB", "Conduction abnormalities", ("Complete right bundle",), ("rbbb",)),
    ("incomplete RBBB", "Conduction abnormalities", ("Incomplete right bundle",), ("incomplete_rbbb",)),
    ("complete LBBB", "Conduction abnormalities", ("Complete left bundle",), ("lbbb",)),
    ("incomplete LBBB", "Conduction abnormalities", ("Incomplete left bundle",), ("incomplete_lbbb",)),
    ("conduction delay", "Conduction abnormalities", ("Non-specific intrav",), ("ivcd",)),
    ("left anterior block", "Conduction abnormalities", ("Left anterior hemiblock",), ("lafb",)),
    ("LVH", "Hypertrophies", ("Left ventricular hypertrophy",), ("lvh_voltage",)),
    ("STEMI", "Ischemia", ("Stemi",), ("st_elevation",)),
    ("ischaemia or STEMI", "Ischemia", ("schemia", "Stemi"), ("st_elevation", "st_depression", "t_inversion")),
    ("scar", "Ischemia", ("Scar",), ("q_waves",)),
    (
        "repolarisation",
        "Non-specific repolarization abnormalities",
        ("repolarization",),
        ("st_depression", "t_inversion"),
    ),
)
GATE_OF: dict[str, str] = {
    **dict.fromkeys(("rbbb", "incomplete_rbbb", "lbbb", "incomplete_lbbb", "ivcd", "lafb"), "conduction"),
    **dict.fromkeys(("st_elevation", "st_depression", "t_inversion"), "st_t"),
}
AXES: tuple[tuple[str, float, float], ...] = (  # LUDB's sectors; those of German and Russian textbooks
    ("normal", 30.0, 70.0),
    ("vertical", 70.0, 90.0),
    ("horizontal", 0.0, 30.0),
    ("left axis deviation", -90.0, 0.0),
    ("right axis deviation", 90.0, 180.0),
)
_LEGS = 0.03  # how much of an arm's lead is left between two legs; nothing in the database says
EXCHANGES: tuple[tuple[str, Callable[[Array, Array], tuple[Array, Array]]], ...] = (
    ("arms", lambda one, two: (-one, two - one)),
    ("right_leg", lambda one, two: (one - two, -two)),
    ("left_leg", lambda one, two: (two, one)),
    ("right_ground", lambda one, two: (one - two, _LEGS * two)),  # what the legs differ by, as a part of lead II
    ("left_ground", lambda one, two: (two, two + _LEGS * one)),
    ("both_grounds", lambda one, two: (_LEGS * one, one - two)),
)


def cases(folder: Path, most: int | None) -> Iterator[Case]:
    """Read and analyse LUDB record by record."""
    with (folder / "ludb.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for labels in rows[:most]:
        record = read_ecg(folder / "data" / f"{labels['ID'].strip()}.hea", Limits())
        yield _case(labels, prepare_ecg(record, "0" * 64))


def _case(labels: Row, ecg: PreparedEcg) -> Case:
    age = labels["Age"].strip().lstrip(">")
    metadata = Metadata(
        sex="male" if labels["Sex"].strip() == "M" else "female",
        age_years=float(age) if age.isdigit() else None,
    )
    analysis = analyse_ecg(ecg, metadata)
    usual = usual_beats(np.array(analysis.beat_classes))
    parts = (np.asarray(ecg.filtered_mv, np.float64), analysis.r_peaks_idx, analysis.delineation, usual)
    shape = beat_shape(ecg, *parts)
    numbers = {m.name: m.value for m in analysis.measurements}
    qrs_ms, axis_deg = (v if isinstance(v, float) else None for v in (numbers["qrs"], numbers["axis"]))
    believing = shape_statements(
        dataclasses.replace(shape, scales=None),
        metadata,
        qrs_ms=qrs_ms,
        axis_deg=axis_deg,
        paced=any(remark.code == "W_ECG_PACED" for remark in analysis.remarks),
    )
    return Case(
        labels=labels,
        ecg=ecg,
        analysis=analysis,
        shape=shape,
        beat=median_beat(parts[0], ecg.record.sampling_rate_hz, *parts[1:]),
        codes=frozenset(
            (
                *(s.code for s in analysis.statements if s.status == "suggested"),
                *(s.code for s in analysis.rhythm),
                *(f"class_{letter}" for letter in analysis.beat_classes),
            )
        ),
        withheld=frozenset(s.code for s in analysis.statements if s.status == "withheld"),
        believed=frozenset(s.code for s in believing if s.status == "suggested"),
    )


def agreement(
    found: list[Case], table: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...], *, believed: bool
) -> Iterator[str]:
    """One line a label: counts, sensitivity, specificity; judged records only."""
    yield f"{'label':<22}{'labelled':>9}{'judged':>8}{'found':>7}{'both':>6}{'sens %':>8}{'spec %':>8}"
    for name, column, words, codes in table:
        truth = np.array([any(word in case.labels[column] for word in words) for case in found])
        said = np.array([bool((case.believed if believed else case.codes) & set(codes)) for case in found])
        gates = {GATE_OF.get(code, code) for code in codes}
        judged = np.array([believed or not gates & case.withheld for case in found])
        both = int((truth & said & judged).sum())
        sens = _pct(both, int((truth & judged).sum()))
        spec = _pct(int((~truth & ~said & judged).sum()), int((~truth & judged).sum()))
        counts = f"{int(truth.sum()):>9}{int(judged.sum()):>8}{int((said & judged).sum()):>7}{both:>6}"
        yield f"{name:<22}{counts}{sens:>8}{spec:>8}"


def _pct(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}" if whole else "–"


def axes(found: list[Case]) -> Iterator[str]:
    """The measured axis within 15 degrees of the sector that the label names."""
    for name, low, high in AXES:
        told = [case.axis_deg() for case in found if case.labels["Electric axis of the heart"].endswith(name)]
        known = [axis for axis in told if axis is not None]
        near = sum(low - 15.0 <= axis <= high + 15.0 for axis in known)
        middle = f"{np.median(known):.0f}" if known else "–"
        yield f"{name:<22}{len(told):>9}{len(known):>8}   median {middle:>4}°   within 15° of the sector {near}"


def exchanges(found: list[Case]) -> Iterator[str]:
    """Limb electrodes exchanged by calculation and chest leads exchanged pair by pair."""
    leads = found[0].ecg.record.leads
    alarms = Counter(str(case.shape.limb_swap) for case in found)
    yield f"limb leads as recorded: {dict(alarms)}"
    for kind, exchange in EXCHANGES:
        named = Counter(str(limb_swap(_exchanged(case, exchange), leads)) for case in found if case.beat is not None)
        yield f"limb leads, {kind}: {dict(named)}"
    yield f"chest leads as recorded: {sum(case.shape.chest_swap is not None for case in found)} alarms"
    for first in range(6, 12):
        for second in range(first + 1, 12):
            hits = sum(chest_swap(_reordered(c.beat, first, second), leads) is not None for c in found if c.beat)
            yield f"chest leads {leads[first]} and {leads[second]}: {hits} of {len(found)}"


def _exchanged(case: Case, exchange: Callable[[Array, Array], tuple[Array, Array]]) -> MedianBeat:
    """The beat with limb electrodes exchanged, its leads I and II brought to one scale first."""
    assert case.beat is not None
    ratio = 1.0 if case.shape.scales is None else case.shape.scales.ii_over_i

    def turned(signal: Array) -> Array:
        out = signal.copy()
        out[0], out[1] = exchange(signal[0], ratio * signal[1])
        return out

    return dataclasses.replace(case.beat, signal_mv=turned(case.beat.signal_mv), beats_mv=turned(case.beat.beats_mv))


def _reordered(beat: MedianBeat, first: int, second: int) -> MedianBeat:
    order = list(range(beat.signal_mv.shape[0]))
    order[first], order[second] = second, first
    return dataclasses.replace(beat, signal_mv=beat.signal_mv[order], beats_mv=beat.beats_mv[order])


def main(arguments_given: list[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ecg statements", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CHORDAE_DATA", ".")))
    parser.add_argument("--most", type=int, help="only so many records")
    arguments = parser.parse_args(arguments_given)
    found = list(cases(arguments.data / "ecg" / "ludb", arguments.most))
    remarks = Counter(remark.code for case in found for remark in (*case.ecg.remarks, *case.analysis.remarks))
    sections = (
        ("Remarks", (f"{code:<22}{count:>9}" for code, count in sorted(remarks.items()))),
        ("Axis", axes(found)),
        ("Rhythm", agreement(found, RHYTHM_TABLE, believed=False)),
        ("Conduction, voltage, ST, T and Q as the product states them", agreement(found, TABLE, believed=False)),
        ("With the file's voltages believed", agreement(found, TABLE, believed=True)),
        ("Exchanged electrodes", exchanges(found)),
    )
    print(f"LUDB, {len(found)} records")
    for title, lines in sections:
        print(f"\n{title}")
        for line in lines:
            print(f"  {line}")
    return 0
