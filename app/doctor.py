"""`doctor`: what is installed, which formats decode, whether the model is whole, whether a window can open."""

from __future__ import annotations

import argparse
import platform
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata

from app import VERSION
from app.command_line import EXIT_DONE, EXIT_ERROR
from app.passphrases import unlock_store
from app.paths import AppPaths
from pipeline.echo.readers.video import video_library
from pipeline.errors import PipelineError
from pipeline.model_files import SHIPPED
from pipeline.store import drivers

PACKAGES = (
    "numpy",
    "scipy",
    "torch",
    "neurokit2",
    "pydicom",
    "python-gdcm",
    "pillow",
    "pylibjpeg-openjpeg",
    "opencv-python-headless",
    "nibabel",
    "wfdb",
    "edfio",
    "safetensors",
    "zstandard",
    "sqlite-utils",
)
WINDOW_PACKAGES = ("PySide6-Essentials", "pyqtgraph")
# name as a user knows it -> DICOM transfer syntax
TRANSFER_SYNTAXES = (
    ("JPEG baseline", "1.2.840.10008.1.2.4.50"),
    ("JPEG extended", "1.2.840.10008.1.2.4.51"),
    ("JPEG lossless", "1.2.840.10008.1.2.4.70"),
    ("JPEG-LS lossless", "1.2.840.10008.1.2.4.80"),
    ("JPEG-LS near-lossless", "1.2.840.10008.1.2.4.81"),
    ("JPEG 2000 lossless", "1.2.840.10008.1.2.4.90"),
    ("JPEG 2000", "1.2.840.10008.1.2.4.91"),
    ("RLE lossless", "1.2.840.10008.1.2.5"),
)
# name as a user knows it -> package that decodes it, empty for Chordae itself
ECG_FORMATS = (
    ("DICOM", "pydicom"),
    ("SCP-ECG", ""),
    ("HL7 aECG XML", ""),
    ("GE MUSE XML", ""),
    ("Philips Sierra XML", ""),
    ("ISHNE Holter", ""),
    ("WFDB", "wfdb"),
    ("WFDB with MATLAB", ""),
    ("EDF and BDF", "edfio"),
    ("CSV", "pandas"),
)
WORKER_LIMITS = (
    ("network", "none: a name space of its own"),
    ("limits", "no core dump, size and number of files"),
    ("parent", "ends with the application"),
)
_AVCODEC = re.compile(r"avcodec:\s+YES \(([\d.]+)\)")
_LIBRARY = re.compile(r"lib[\w+.-]+\.so[.\d]*")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's answer."""

    name: str
    text: str
    is_ok: bool = True


def doctor(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `doctor`: exit code 1 when something that Chordae needs is missing or damaged."""
    if paths.store.exists():
        unlock_store(options, paths, asks=False)
    sys.stdout.write(f"Chordae {VERSION}, Python {platform.python_version()}, {platform.platform(terse=True)}\n")
    is_well = True
    for title, check in CHECKS:
        sys.stdout.write(f"{title}\n")
        for finding in check(paths):
            is_well = is_well and finding.is_ok
            sys.stdout.write(f"  {'✓' if finding.is_ok else '✕'} {finding.name:<24} {finding.text}\n")
            sys.stdout.flush()
    return EXIT_DONE if is_well else EXIT_ERROR


def check_packages(paths: AppPaths) -> Iterator[Finding]:
    """Versions of the packages that do the work; the window's may be left out."""
    for name in PACKAGES:
        version = installed_version(name)
        yield Finding(name, version or "not installed", version is not None)
    for name in WINDOW_PACKAGES:
        yield Finding(name, installed_version(name) or "not installed: no window, the command line works")


def installed_version(name: str) -> str | None:
    """Version of an installed package, None when it is not there."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_formats(paths: AppPaths) -> Iterator[Finding]:
    """Which compressed formats have a decoder here."""
    try:
        from pydicom.pixels import get_decoder
    except ImportError:
        yield Finding("DICOM", "pydicom cannot be imported", False)
        return
    for name, syntax in TRANSFER_SYNTAXES:
        decoder = get_decoder(syntax)
        plugins = ", ".join(decoder.available_plugins) if decoder.is_available else "no decoder"
        yield Finding(f"DICOM {name}", plugins, decoder.is_available)
    yield from _video_reader()
    yield from _ecg_readers()


def _ecg_readers() -> Iterator[Finding]:
    """ECG formats and the package that decodes each, where it is not Chordae itself."""
    for name, package in ECG_FORMATS:
        version = installed_version(package) if package else ""
        text = f"{package} {version}" if version else f"{package} is not installed" if package else "built in"
        yield Finding(f"ECG {name}", text, version is not None)


def _video_reader() -> Iterator[Finding]:
    try:
        cv2 = video_library()
    except ImportError:
        yield Finding("AVI and MP4", "OpenCV cannot be imported", False)
        return
    can_read = cv2.CAP_FFMPEG in cv2.videoio_registry.getStreamBufferedBackends()
    found = _AVCODEC.search(cv2.getBuildInformation())
    text = f"FFmpeg (libavcodec {found.group(1)})" if found else "FFmpeg"
    yield Finding("AVI and MP4", text if can_read else "OpenCV was built without FFmpeg", can_read)


def check_models(paths: AppPaths) -> Iterator[Finding]:
    """Whether the numbers of every model are the ones that its manifest names."""
    for model in SHIPPED:
        try:
            yield Finding(f"{model.noun} model", f"sha256 {model.check()} agrees with its manifest")
        except PipelineError as error:
            yield Finding(f"{model.noun} model", str(error), False)


def check_window(paths: AppPaths) -> Iterator[Finding]:
    """Whether Qt's libraries load; without them only the command line works."""
    if installed_version("PySide6-Essentials") is None:
        yield Finding("window", "not installed")
        return
    try:
        from PySide6 import QtCore, QtWidgets
    except ImportError as error:
        found = _LIBRARY.search(str(error))
        yield Finding("window", f"Qt lacks {found.group() if found else 'a system library'}", False)
        return
    ready = QtWidgets.QApplication.__name__ == "QApplication"
    yield Finding("window", f"Qt {QtCore.qVersion()}", ready)


def check_store(paths: AppPaths) -> Iterator[Finding]:
    """Whether the store opens, whether it is encrypted, and how many runs it holds."""
    from app.composition import Engine
    from pipeline.isolation.workspace import memory_folder
    from pipeline.store import keys

    encryption = drivers.cipher_version() if drivers.can_encrypt() else "not available: sqlcipher3 is not installed"
    yield Finding("encryption", encryption)
    version = f"SQLite {sqlite3.sqlite_version}"
    if not paths.store.exists():
        yield Finding("store", f"{version}, no run stored yet, {paths.store}")
        return
    if keys.is_locked(paths.store):
        yield Finding("store", f"encrypted, and its passphrase was not given, {paths.store}")
        return
    kind = "encrypted" if keys.is_unlocked(paths.store) else f"{version}, not encrypted"
    if keys.is_unlocked(paths.store):
        place = "in memory" if memory_folder() else "in the data folder, unencrypted during a run (docs/security.md)"
        yield Finding("workers' files", place)
    try:
        yield Finding("store", f"{kind}, {len(Engine(paths.store).list_runs())} runs, {paths.store}")
    except PipelineError as error:
        yield Finding("store", str(error), False)


def check_isolation(paths: AppPaths) -> Iterator[Finding]:
    """Whether worker processes start, and what this system does not let them give up (docs/isolation.md)."""
    from pipeline.isolation.supervisor import Supervisor

    supervisor = Supervisor(paths.data_folder)
    try:
        missing = supervisor.try_out()
    except PipelineError as error:
        yield Finding("worker processes", str(error), False)
        return
    finally:
        supervisor.close()
    for name, kept in WORKER_LIMITS:
        yield Finding(name, "not on this system (docs/isolation.md)" if name in missing else kept)


CHECKS: tuple[tuple[str, Callable[[AppPaths], Iterator[Finding]]], ...] = (
    ("Packages", check_packages),
    ("Formats", check_formats),
    ("Models", check_models),
    ("Window", check_window),
    ("Store", check_store),
    ("Worker processes", check_isolation),
)
