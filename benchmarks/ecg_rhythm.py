"""Higher AV block, ectopic atrial and junctional rhythm on records with labels, and false alarms on the others.

    CHORDAE_DATA=<folder with ecg/mitdb and ecg/ludb> python -m benchmarks.ecg rhythm

LUDB labels third degree block and wandering pacemakers a record. MIT-BIH marks P waves without a QRS ('x'), which are
blocked premature ones there, and stretches of nodal rhythm; its half that is given holds no second degree block.

Data: LUDB 1.0.1 (doi 10.1109/ACCESS.2020.3029211) and the MIT-BIH Arrhythmia Database (doi 10.1109/51.932724), ODC-By.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ecg.analysis import analyse_ecg
from pipeline.ecg.preprocessing import prepare_ecg
from pipeline.ecg.readers import read_ecg
from pipeline.gates import Limits
from pipeline.records import EcgAnalysis, Metadata

CODES = ("second_degree_av_block", "av_dissociation", "ectopic_atrial", "junctional")
_NODAL = "(NOD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What is stated of one record, and what its labels say."""

    name: str
    hours: float
    analysis: EcgAnalysis
    labels: str
    blocked_p: int  # P waves without a QRS that the annotation marks
    nodal: tuple[tuple[float, float], ...]  # s

    def stretches(self, code: str) -> list[tuple[float, float]]:
        return [(s.start_s, s.end_s) for s in self.analysis.rhythm if s.code == code]


def _analysed(path: Path) -> tuple[EcgAnalysis, float]:
    ecg = prepare_ecg(read_ecg(path, Limits()), "0" * 64)
    return analyse_ecg(ecg, Metadata()), ecg.record.signal_mv.shape[1] / ecg.record.sampling_rate_hz / 3600.0


def ludb(folder: Path) -> Iterator[Heard]:
    """Every record of LUDB with its labels of rhythm and conduction."""
    with (folder / "ludb.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        name = row["ID"].strip()
        analysis, hours = _analysed(folder / "data" / f"{name}.hea")
        labels = f"{row['Rhythms']} {row['Conduction abnormalities']}"
        yield Heard(name=name, hours=hours, analysis=analysis, labels=labels, blocked_p=0, nodal=())


def mitdb(folder: Path) -> Iterator[Heard]:
    """Every record of MIT-BIH with its marks of P waves without a QRS and its stretches of nodal rhythm."""
    import wfdb

    for path in sorted(folder.glob("*.atr")):
        marks = wfdb.rdann(str(path.with_suffix("")), "atr")
        analysis, hours = _analysed(path.with_suffix(".hea"))
        changes = [
            (int(sample), note.strip("\x00"))
            for sample, symbol, note in zip(marks.sample, marks.symbol, marks.aux_note, strict=True)
            if symbol == "+"
        ]
        ends = [sample for sample, _ in changes[1:]] + [int(hours * 3600.0 * marks.fs)]
        nodal = tuple(
            (start / marks.fs, end / marks.fs)
            for (start, note), end in zip(changes, ends, strict=True)
            if note.startswith(_NODAL)
        )
        blocked_p = list(marks.symbol).count("x")
        yield Heard(name=path.stem, hours=hours, analysis=analysis, labels="", blocked_p=blocked_p, nodal=nodal)


def ludb_lines(found: Sequence[Heard]) -> Iterator[str]:
    """Found of those labelled, and which others raise the statement."""
    tables = (
        ("third degree block", "Iii degree", ("av_dissociation", "second_degree_av_block")),
        ("wandering pacemaker", "Wandering", ("ectopic_atrial", "junctional")),
    )
    for title, word, codes in tables:
        with_label = [one for one in found if word in one.labels]
        hits = [one for one in with_label if any(one.stretches(code) for code in codes)]
        yield f"{title}: {len(hits)} of {len(with_label)}"
        for code in codes:
            wrong = [one.name for one in found if word not in one.labels and one.stretches(code)]
            yield f"  {code} without the label: {len(wrong)} of {len(found) - len(with_label)} {' '.join(wrong)}"


def mitdb_lines(found: Sequence[Heard]) -> Iterator[str]:
    """Stretches stated a record, beside what is marked there."""
    yield f"{'record':<8}{'x marked':>9}{'nodal s':>9}" + "".join(f"{code:>24}" for code in CODES)
    for one in found:
        if one.blocked_p or one.nodal or any(one.stretches(code) for code in CODES):
            nodal_s = sum(end - start for start, end in one.nodal)
            counts = "".join(f"{_seconds(one.stretches(code)):>24}" for code in CODES)
            yield f"{one.name:<8}{one.blocked_p:>9}{nodal_s:>9.0f}{counts}"
    inside = sum(_overlap_s(one.nodal, one.stretches("junctional")) for one in found)
    labelled = sum(end - start for one in found for start, end in one.nodal)
    stated = sum(end - start for one in found for start, end in one.stretches("junctional"))
    yield f"junctional: {inside:.0f} s of {labelled:.0f} s of nodal rhythm, {stated - inside:.0f} s elsewhere"
    hours = sum(one.hours for one in found)
    for code in CODES[:2]:
        yield f"{code}: {sum(len(one.stretches(code)) for one in found)} stretches in {hours:.1f} hours without a label"


def _seconds(stretches: Sequence[tuple[float, float]]) -> str:
    return f"{len(stretches)} ({sum(end - start for start, end in stretches):.0f} s)" if stretches else "-"


def _overlap_s(one: Sequence[tuple[float, float]], two: Sequence[tuple[float, float]]) -> float:
    return float(sum(max(0.0, min(b, d) - max(a, c)) for a, b in one for c, d in two))


def main(arguments_given: list[str]) -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ecg rhythm", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CHORDAE_DATA", ".")))
    arguments = parser.parse_args(arguments_given)
    folder = arguments.data / "ecg"
    for title, lines in (
        ("LUDB", ludb_lines(list(ludb(folder / "ludb")))),
        ("MIT-BIH", mitdb_lines(list(mitdb(folder / "mitdb")))),
    ):
        print(title)
        for line in lines:
            print(f"  {line}", flush=True)
    return 0
