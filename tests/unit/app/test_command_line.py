"""Which command a line means, and what wrong use answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.command_line import COMMANDS, build_parser, main, with_command


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ([], ["review"]),
        (["a.dcm"], ["review", "a.dcm"]),
        (["review", "a.dcm"], ["review", "a.dcm"]),
        (["--data-dir", "D"], ["review", "--data-dir", "D"]),
        (["--data-dir", "D", "runs", "--json"], ["runs", "--data-dir", "D", "--json"]),
        (["--data-dir=D", "show", "r"], ["show", "--data-dir=D", "r"]),
        (["--help"], ["--help"]),
    ],
)
def test_review_is_the_default_and_data_dir_may_lead(given: list[str], understood: list[str]) -> None:
    assert with_command(given) == understood


def test_every_command_takes_a_data_dir() -> None:
    needed = {
        "run": ["--report", "r"],
        "batch": ["x", "--output", "o"],
        "show": ["x"],
        "compare": ["x", "y"],
        "arrays": ["x"],
        "export": ["x", "--format", "json", "--output", "o"],
        "audit": ["verify"],
        "store": ["encrypt"],
    }
    for name in COMMANDS:
        options = build_parser().parse_args([name, *needed.get(name, []), "--data-dir", "D"])
        assert options.data_dir == Path("D")


@pytest.mark.parametrize(
    "line",
    [
        ["run"],
        ["run", "--report"],
        ["run", "--report", "no/such/folder/r.json"],
        ["run", "--report", ".", "--ecg", "x"],
        ["show"],
        ["export", "x", "--format", "json"],
        ["runs", "--colour"],
        ["--data-dir"],
    ],
)
def test_wrong_use_ends_with_2(line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # the folder is named last so that it does not complete a line that lacks an argument
    arguments = line if line == ["--data-dir"] else [line[0], f"--data-dir={tmp_path}", *line[1:]]
    assert main(arguments) == 2
    assert capsys.readouterr().err


def test_a_report_may_not_replace_an_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ecg = tmp_path / "ecg.csv"
    ecg.write_text("I\n0\n")
    assert main(["run", "--ecg", str(ecg), "--report", str(ecg), "--data-dir", str(tmp_path)]) == 2
    assert ecg.read_text() == "I\n0\n"
    assert "inputs" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("Chordae ")


def test_a_passphrase_does_not_pass_for_the_name_of_its_file() -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["runs", "--passphrase", "word"])
