"""A run over an ECG of hours is stopped in the middle and resumed: finished hours are kept, the result is the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.holter import make_holter, write_edf, write_wfdb
from pipeline.cancellation import CancelToken
from pipeline.ecg import long_analysis
from pipeline.ecg.long_beats import HourBeats, hour_beats
from pipeline.engine import load_run, run_study
from pipeline.records import CardiologyRequest
from pipeline.reports.json_report import report_bytes
from pipeline.store.database import Store

LONG_S = 4200
"""A little more than one hour: the table has two rows."""


def results(report: Any) -> str:
    return json.dumps(json.loads(report_bytes(report))["result"], sort_keys=True)


def parts_in(store: Path) -> dict[str, int]:
    with Store.open(store) as opened:
        rows = opened._query("SELECT field, count(*) AS n FROM partial_results GROUP BY field")
    return {row["field"]: row["n"] for row in rows}


def test_cancelled_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = CardiologyRequest(ecg_path=write_wfdb(tmp_path, make_holter(LONG_S, seed=7)))
    whole = run_study(tmp_path / "whole.sqlite", request)
    assert whole.status == "complete"
    assert len(whole.report["result"]["ecg"]["hours"]) == 2
    assert whole.report["result"]["ecg"]["duration_s"] == LONG_S

    store, cancel = tmp_path / "stopped.sqlite", CancelToken()

    def stop_in_second_hour(*given: Any, **more: Any) -> HourBeats:
        if given[3] == 1:
            cancel.cancel()
        return hour_beats(*given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(long_analysis, "hour_beats", stop_in_second_hour)
        stopped = run_study(store, request, cancel=cancel)
    assert stopped.status == "cancelled"
    assert parts_in(store) == {"analysis_result.ecg": 1}

    texts: list[str] = []
    resumed = run_study(store, None, resume=stopped.run_id, on_event=lambda event: texts.append(event.text))
    assert resumed.status == "complete"
    assert not any("hour 1" in text and "Measuring" in text for text in texts)
    assert results(resumed.report) == results(whole.report)
    assert parts_in(store) == {}
    opened = load_run(store, stopped.run_id).results
    assert opened.ecg is not None
    assert opened.ecg.overview is not None
    assert opened.ecg_analysis is not None
    assert opened.ecg_analysis.long is not None
    assert store.stat().st_size < 5_000_000


def command(folder: Path, ecg: Path, *more: str) -> list[str]:
    report = ["--report", str(folder / "report.json"), "--data-dir", str(folder / "data")]
    return [sys.executable, "-m", "app", "run", "--ecg", str(ecg), *report, "--events", "-", *more]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX signal")
@pytest.mark.parametrize(("state", "word"), [("PREPROCESSING", "Filtering"), ("ANALYSIS", "Measuring")])
def test_killed_run_loses_at_most_one_hour(tmp_path: Path, state: str, word: str) -> None:
    ecg = write_edf(tmp_path, make_holter(4 * 3600, seed=8))
    (tmp_path / "whole").mkdir()
    subprocess.run(command(tmp_path / "whole", ecg), check=True, stdout=subprocess.DEVNULL, timeout=600)
    whole = json.loads((tmp_path / "whole" / "report.json").read_text())

    with subprocess.Popen(command(tmp_path, ecg), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["state"] == state and event["text"] in (f"{word} hour 3", f"{word} hour 4"):
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    store = tmp_path / "data" / "chordae.sqlite"
    with Store.open(store) as opened:
        (row,) = opened.runs()
    assert row.status == "interrupted"
    assert sum(parts_in(store).values()) >= 2

    again = command(tmp_path, ecg, "--resume", row.run_id)
    log = subprocess.run(again, check=True, stdout=subprocess.PIPE, text=True, timeout=600).stdout
    assert f"{word} hour 1" not in log
    resumed = json.loads((tmp_path / "report.json").read_text())
    assert json.dumps(resumed["result"], sort_keys=True) == json.dumps(whole["result"], sort_keys=True)
