"""`audit`: acts are listed, a changed record is told, and an exported report proves where the chain ended."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from app.command_line import EXIT_DONE, EXIT_ERROR, EXIT_USAGE, main
from pipeline.notice import NOTICE
from pipeline.records import CardiologyRequest
from pipeline.store.database import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "data" / "chordae.sqlite") as store:
        store.start_run("r1", CardiologyRequest(ecg_path=Path("e.csv")))
        report = json.dumps({"notice": NOTICE, "result": None})
        store.finish_run("r1", status="complete", state="COMPLETE", error_code=None, report_json=report)
    return tmp_path


def call(folder: Path, *arguments: str) -> int:
    return main([*arguments, "--data-dir", str(folder / "data")])


def exported(folder: Path, form: str = "json") -> Path:
    target = folder / f"report.{form}"
    assert call(folder, "export", "r1", "--format", form, "--output", str(target)) == EXIT_DONE
    return target


def test_acts_of_the_commands_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(folder, "show", "r1")
    exported(folder)
    capsys.readouterr()
    assert call(folder, "audit", "show") == EXIT_DONE
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[2] for line in lines] == ["run", "run", "view", "open", "export"]
    with Store.open(folder / "data" / "chordae.sqlite") as store:
        assert [line[-1] for line in lines] == [row.row_hash[:16] for row in store.audit_rows()]


def test_an_exported_report_holds_the_head_with_its_own_export(folder: Path) -> None:
    report: dict[str, Any] = json.loads(exported(folder).read_text())
    with Store.open(folder / "data" / "chordae.sqlite") as store:
        last = store.audit_rows()[-1]
    assert (last.act, last.run_id, last.detail) == ("export", "r1", "json")
    assert report["audit"] == {"n_rows": last.seq, "head_hash": last.row_hash}


def test_an_exported_table_holds_the_head(folder: Path) -> None:
    first = exported(folder, "csv").read_text("utf-8-sig").splitlines()[0]
    with Store.open(folder / "data" / "chordae.sqlite") as store:
        last = store.audit_rows()[-1]
    assert first == f"# {NOTICE} | audit {last.seq} {last.row_hash}"


def test_verify_tells_a_change(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "audit", "verify") == EXIT_DONE
    assert "the audit holds: 2 acts" in capsys.readouterr().out
    with sqlite3.connect(folder / "data" / "chordae.sqlite") as other:
        other.execute("DROP TRIGGER audit_is_not_changed")
        other.execute("UPDATE audit SET time_utc = '2020' WHERE seq = 1")
    other.close()
    assert call(folder, "audit", "verify") == EXIT_ERROR
    assert "row 1: what it says does not match its hash" in capsys.readouterr().out


def test_verify_against_an_exported_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = exported(folder)
    assert call(folder, "audit", "verify", "--report", str(report)) == EXIT_DONE
    content = json.loads(report.read_text())
    content["audit"]["head_hash"] = "0" * 64
    report.write_text(json.dumps(content))
    assert call(folder, "audit", "verify", "--report", str(report)) == EXIT_ERROR
    report.write_text("{}")
    assert call(folder, "audit", "verify", "--report", str(report)) == EXIT_USAGE
    capsys.readouterr()


def test_a_report_is_exported_when_its_act_cannot_be_noted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.errors import StoreError

    def refuse(*_: object) -> None:
        raise StoreError("The disk is full.", code="E_STORE_WRITE")

    monkeypatch.setattr(Store, "note", refuse)
    assert json.loads(exported(folder).read_text())["audit"] is None
