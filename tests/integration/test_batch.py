"""Many studies in one call: a report each, one table, and going on after a stop."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from app.batch import TABLE_NAME
from app.command_line import main


def write_ecg(path: Path, seed: int) -> None:
    """Ten seconds of two leads at 250 Hz with a beat a second."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(2500) / 250.0
    beat = np.exp(-0.5 * ((time_s % 1.0 - 0.5) / 0.012) ** 2) + 0.2 * np.exp(-0.5 * ((time_s % 1.0 - 0.75) / 0.04) ** 2)
    rows = np.column_stack((time_s, beat, 0.7 * beat)) + rng.normal(0, 0.004, (2500, 1)) * [0, 1, 1]
    lines = ["time_s,I,II", *(f"{t:.3f},{a:.4f},{b:.4f}" for t, a, b in rows)]
    path.write_text("\n".join(lines))


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, list[str]]:
    folder, output = tmp_path / "studies", tmp_path / "out"
    for name in ("one", "two", "three"):
        (folder / name).mkdir(parents=True)
        write_ecg(folder / name / "CANARY.csv", len(name))
    (folder / "three" / "CANARY.csv").write_text("1,2\n3,4\n5,6\n")
    output.mkdir()
    return folder, output, ["batch", str(folder), "--output", str(output), "--data-dir", str(tmp_path / "data")]


def rows_of(table: Path) -> list[dict[str, str]]:
    lines = table.read_text(encoding="utf-8-sig").splitlines()
    assert "esearch use only" in lines[0]
    return list(csv.DictReader(lines[1:]))


def test_every_study_has_a_report_and_a_row(places, capsys):
    _, output, line = places
    assert main(line) == 1  # one of the three cannot be read
    reports = sorted(output.glob("case-*.json"))
    assert len(reports) == 3
    rows = rows_of(output / TABLE_NAME)
    assert sorted(row["status"] for row in rows) == ["complete", "complete", "error"]
    assert [row["error_code"] != "" for row in rows] == [row["status"] == "error" for row in rows]
    good = next(row for row in rows if row["status"] == "complete")
    assert float(good["heart_rate (1/min)"]) == pytest.approx(60.0, abs=1.0)
    said = capsys.readouterr().out + "".join(path.read_text() for path in reports)
    assert "3/3" in said
    assert "CANARY" not in said


def test_the_same_command_goes_on_where_it_stopped(places, capsys):
    _, output, line = places
    main(line)
    kept, again = sorted(output.glob("case-*.json"))[:2]
    before = kept.read_bytes()
    again.unlink()
    main(line)
    assert kept.read_bytes() == before
    assert json.loads(again.read_text())["pipeline_execution"]["run_id"]
    assert capsys.readouterr().out.count("there already") == 2


@pytest.mark.parametrize("what", ["place", "output"])
def test_places_that_are_not_there_are_wrong_use(tmp_path, what):
    place = tmp_path if what == "output" else tmp_path / "nowhere"
    output = tmp_path / "nowhere" if what == "output" else tmp_path
    assert main(["batch", str(place), "--output", str(output), "--data-dir", str(tmp_path / "data")]) == 2
