"""What the product promises, watched while it works: no pickle, no socket, no code from data, no write elsewhere,
nothing of a patient outside the store."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.demo import demo_request
from pipeline.reports.json_report import validate_report
from tests.torture import promises
from tests.torture.study import write_inputs

ROOT = Path(__file__).resolve().parents[2]
CANARY = "CANARY7f3a"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and tools")


def environment(folder: Path) -> dict[str, str]:
    """Temporary files go to a folder of the test's own."""
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}


def options_of(files: dict[str, Any]) -> list[str]:
    echo = [each for path in files.get("echo_paths", ()) for each in ("--echo", path)]
    ecg = ["--ecg", files["ecg_path"]] if "ecg_path" in files else []
    facts = ["--metadata", files["metadata_path"]] if "metadata_path" in files else []
    return [*echo, *ecg, *facts]


def run_options(folder: Path, files: dict[str, Any], *more: str) -> list[str]:
    target = folder / "out"
    target.mkdir(exist_ok=True)
    report = ["--report", str(target / "report.json"), "--data-dir", str(folder / "data")]
    return ["run", *options_of(files), *report, "--quiet", *more]


def watched(folder: Path, arguments: list[str]) -> list[str]:
    """Run the command line under the hook; every line that it wrote down."""
    notes = folder / "notes.txt"
    allowed = [folder / "data", folder / "out", folder / "scratch"]
    command = [
        sys.executable,
        "-B",
        "-m",
        "tests.integration.witness",
        str(notes),
        *map(str, allowed),
        "--",
        *arguments,
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return sorted(set(notes.read_text().splitlines()))


@pytest.mark.parametrize("mix", ["ecg", pytest.param("echo+ecg+metadata", marks=pytest.mark.torture)])
def test_nothing_forbidden_happens(tmp_path: Path, mix: str) -> None:
    """All stages in one process, so that the hook sees them; then the commands that look at the run."""
    files = write_inputs(tmp_path, mix)
    seen = watched(tmp_path, run_options(tmp_path, files, "--in-process"))
    data = ["--data-dir", str(tmp_path / "data")]
    exported = ["--output", str(tmp_path / "out" / "findings.csv"), "--format", "csv"]
    for command in (["export", "latest", *exported], ["audit", "verify"]):
        seen += watched(tmp_path, [*command, *data])
    promises.record(
        f"Nothing forbidden happens ({mix}): no unpickling, socket, shell, code from data or write elsewhere during a "
        "run, an export and a verification",
        f"{len(seen)} events" + (f"; {seen[:3]}" if seen else ""),
        kept=not seen,
    )


def test_the_hook_sees_what_it_should(tmp_path: Path) -> None:
    """A hook that sees nothing would prove nothing."""
    acts = (
        "import pickle, socket, os, marshal\n"
        "from pathlib import Path\n"
        "pickle.loads(b'\\x80\\x04\\x8c\\x08builtins\\x8c\\x03abs\\x93.')\n"
        "socket.socket().connect_ex(('127.0.0.1', 9))\n"
        "os.system('true')\n"
        "exec('1')\n"
        "compile('1', 'x', 'eval')\n"
        "marshal.loads(marshal.dumps(1))\n"
        f"Path({str(tmp_path / 'elsewhere')!r}).write_text('x')\n"
        f"os.mkdir({str(tmp_path / 'folder')!r})\n"
        f"Path({str(tmp_path / 'out' / 'fine')!r}).write_text('x')\n"
    )
    (tmp_path / "out").mkdir()
    start = "from pathlib import Path\nfrom tests.integration.witness import witness\n"
    code = f"{start}witness(Path({str(tmp_path / 'n')!r}), [Path({str(tmp_path / 'out')!r})])\n{acts}"
    subprocess.run([sys.executable, "-B", "-c", code], cwd=ROOT, env=environment(tmp_path), check=True)
    events = {line.split()[0] for line in (tmp_path / "n").read_text().splitlines()}
    expected = {
        "pickle.find_class",
        "socket.connect",
        "os.system",
        "exec",
        "compile",
        "marshal.loads",
        "open",
        "os.mkdir",
    }
    assert expected <= events
    assert "fine" not in (tmp_path / "n").read_text()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no tool to leave the network")
def test_a_run_needs_no_network(tmp_path: Path) -> None:
    """In a namespace without a network, worker processes included."""
    unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("namespaces are not permitted here")
    files = write_inputs(tmp_path, "ecg")
    command = [*unshare, sys.executable, "-m", "app", *run_options(tmp_path, files)]
    done = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    status = json.loads((tmp_path / "out" / "report.json").read_text())["pipeline_execution"]["status"]
    promises.record("A run needs no network, its worker processes included", status, kept=status == "complete")


def canary_ecg(target: Path) -> Path:
    """The shipped ECG with a canary in every text that can name somebody or something."""
    import pydicom

    source = demo_request().ecg_path
    assert source is not None
    dataset = pydicom.dcmread(source)
    names = {"PN": f"{CANARY}^Name", "LO": CANARY, "SH": CANARY, "ST": CANARY, "LT": CANARY, "AE": CANARY}
    for keyword in ("PatientName", "PatientID", "OtherPatientIDs", "PatientAddress", "PatientComments",
                    "AccessionNumber", "InstitutionName", "ReferringPhysicianName", "OperatorsName", "StudyDescription",
                    "StationName",
                    "PatientMotherBirthName", "DeviceSerialNumber", "ProtocolName"):  # fmt: skip
        setattr(dataset, keyword, names[pydicom.datadict.dictionary_VR(keyword)])
    dataset.PatientBirthDate = "19370717"
    dataset.save_as(target)
    return target


def files_with(folder: Path, words: tuple[str, ...]) -> list[str]:
    return [
        f"{path.relative_to(folder)}: {word}"
        for path in sorted(folder.rglob("*"))
        for word in words
        if word in path.name or (path.is_file() and word.encode() in path.read_bytes())
    ]


def identifiers_when_asked(folder: Path, run_id: str, data: list[str]) -> dict[str, Any]:
    """What an export tells with the option, which the audit then names; it is written outside the searched folder."""
    target = folder / "named.json"
    command = ["export", run_id, "--format", "json", "--output", str(target), "--include-identifiers", *data]
    subprocess.run([sys.executable, "-m", "app", *command], cwd=ROOT, check=True)
    shown = subprocess.run(
        [sys.executable, "-m", "app", "audit", "show", *data], cwd=ROOT, capture_output=True, check=True
    )
    assert b"json with identifiers" in shown.stdout
    report = json.loads(target.read_text())
    validate_report(report)
    (named,) = report["identifiers"].values()
    return dict(named)


def open_to_others(folder: Path) -> list[str]:
    return [str(path) for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_nothing_of_a_patient_leaves_the_store(tmp_path: Path) -> None:
    """Logs, reports, tables, temporary files and what the commands say about a broken file beside a good one."""
    folder = tmp_path / f"{CANARY}-folder"
    folder.mkdir()
    ecg = canary_ecg(folder / f"{CANARY}-ecg.dcm")
    broken = folder / f"{CANARY}-clip.dcm"
    broken.write_bytes(ecg.read_bytes()[:3000])
    words = (CANARY, "19370717", "1937-07-17")
    said = b""
    for number, more in enumerate(([], ["--echo", str(broken)])):
        files = {"ecg_path": str(ecg)}
        command = [sys.executable, "-m", "app", *run_options(tmp_path, files, "--events", "-", *more)]
        done = subprocess.run(command, cwd=ROOT, env=environment(tmp_path), capture_output=True, check=False, umask=0)
        assert done.returncode == number
        said += done.stdout + done.stderr
        (tmp_path / "out" / "report.json").rename(tmp_path / "out" / f"report-{number}.json")
    data = ["--data-dir", str(tmp_path / "data")]
    first = subprocess.run(
        [sys.executable, "-m", "app", "runs", "--json", *data], cwd=ROOT, capture_output=True, check=True
    )
    run_id = json.loads(first.stdout)[-1]["run_id"]
    for command in (
        ["export", run_id, "--format", "csv", "--output", str(tmp_path / "out" / "t.csv")],
        ["show", run_id],
        ["audit", "show"],
    ):
        done = subprocess.run([sys.executable, "-m", "app", *command, *data], cwd=ROOT, capture_output=True, check=True)
        said += done.stdout + done.stderr
    assert identifiers_when_asked(tmp_path, run_id, data)["name"].startswith(CANARY)
    assert list((tmp_path / "scratch").rglob("*.safetensors")) == []
    found = [word for word in words if word.encode() in said]
    for place in ("out", "data/logs", "scratch"):
        found += files_with(tmp_path / place, words)
    promises.record(
        "Canaries in patient fields, file and folder names: hits in logs, reports, tables, temporary files and what "
        "the commands print",
        f"{len(found)}" + (f"; {found[:3]}" if found else ""),
        kept=not found,
    )
    others = open_to_others(tmp_path / "data")
    promises.record(
        "Files of the data folder that others may read, under a umask of 000", f"{len(others)}", kept=not others
    )
