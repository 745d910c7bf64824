"""`demo`: a real study that installed packages ship, in the window or, without a display, as files.

The cine and the ECG are of two patients: the report's cross-check `same_patient` says so.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import resources
from app.command_line import EXIT_DONE, EXIT_ERROR
from app.composition import Engine, isolated_engine
from app.live import listener_for
from app.paths import AppPaths
from app.running import EXIT_CODES, run_to_report
from pipeline.errors import InputError, ReportError
from pipeline.records import CardiologyRequest

DISPLAY_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY")


@dataclass(frozen=True, slots=True)
class DemoFile:
    """One file of the demo manifest."""

    role: str
    package: str
    path: str
    sha256: str


def demo(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `demo`."""
    request = demo_request()
    if options.headless or not has_display():
        return _without_window(request, options.output, paths)
    from app.workstation import open_workstation

    files = [*request.echo_paths, *([request.ecg_path] if request.ecg_path else [])]
    return open_workstation(files, paths)


def has_display() -> bool:
    """Whether a window could be seen: a screen is named, or the platform always has one."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in DISPLAY_VARIABLES)


def demo_request() -> CardiologyRequest:
    """The demo study; raises InputError when a package lacks its file or the file is another one."""
    found = {item.role: locate(item) for item in read_manifest()}
    return CardiologyRequest(echo_paths=(found["echo"],), ecg_path=found["ecg"])


def read_manifest() -> tuple[DemoFile, ...]:
    """The files of the demo study, from resources/demo.json."""
    listed = json.loads(resources.path("demo.json").read_text(encoding="utf-8"))
    return tuple(DemoFile(**item) for item in listed["files"])


def locate(item: DemoFile) -> Path:
    """Find a demo file in the folder of its package and compare its hash; never downloads.

    Raises
    ------
    InputError
        E_INPUT_MISSING when package or file is not there, E_INPUT_CORRUPT when the bytes differ.
    """
    # pydicom's own lookup would download what it does not find
    spec = importlib.util.find_spec(item.package)
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else ()
    path = next((Path(folder) / item.path for folder in folders if (Path(folder) / item.path).is_file()), None)
    if path is None:
        raise InputError("A file of the demo study is not installed.", code="E_INPUT_MISSING")
    if hashlib.sha256(path.read_bytes()).hexdigest() != item.sha256:
        raise InputError("A file of the demo study is not the one expected.", code="E_INPUT_CORRUPT")
    return path


def _without_window(request: CardiologyRequest, output: Path, paths: AppPaths) -> int:
    _make_folder(output)
    sys.stdout.write("Chordae demo, without a display. Research use only - not for diagnostic use.\n")
    sys.stdout.flush()
    report = output / "report.json"
    with isolated_engine(paths.store) as engine:
        response = run_to_report(engine, request, report, listener_for(quiet=False, events=False))
    sys.stdout.write(f"report: {report}\n")
    if response.status != "complete":
        sys.stderr.write(f"{response.error_code}: {response.error_text}\n")
        return EXIT_CODES[response.status]
    pictures = _save_pictures(Engine(paths.store), response.run_id, output, paths)
    for picture in pictures:
        sys.stdout.write(f"screenshot: {picture}\n")
    return EXIT_DONE if pictures else EXIT_ERROR


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError("The output folder cannot be made.") from error


def _save_pictures(engine: Engine, run_id: str, output: Path, paths: AppPaths) -> list[Path]:
    if importlib.util.find_spec("PySide6") is None:
        sys.stderr.write("no screenshots: the workstation's packages are not installed\n")
        return []
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from ui.application import save_run_screenshots

    return save_run_screenshots(engine, run_id, output)
