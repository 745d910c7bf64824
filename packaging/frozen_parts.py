"""What the frozen application is made of: modules, files, licences, and what stays out of it."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from sbom import licence_of

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("app", "ui", "pipeline", "resources")
TRAINING = "pipeline/training"
LICENCES = "licences"
EXCLUDED = [
    "pipeline.training",
    "tests",
    "benchmarks",
    "pytest",
    "_pytest",
    "hypothesis",
    "mypy",
    "sleepecg",
    "jpeg_ls",
    "_CharLS",
    "tkinter",
    "IPython",
    "sphinx",
    "tensorboard",
    "PyInstaller",
]
"""Modules that are imported by nothing which the application does."""
_UNWANTED = (
    re.compile(r"^torch/(include/|test/|share/|bin/(?!torch_shm_manager$))"),  # torch looks for this one at its import
    re.compile(r"/tests?/"),
    re.compile(r"^_gdcm/gdcm[^./]*$"),  # gdcm's own programs
    re.compile(r"^(hypothesis|pytest|mypy|pyinstaller)[^/]*\.dist-info/"),
    re.compile(r"^matplotlib/mpl-data/(sample_data|images)/"),
    re.compile(r"\.(pyi|lib|a|cmake|h|hpp|cuh)$"),
)
_KEPT = (re.compile(r"^pydicom/data/test_files/"), re.compile(r"^data_store/"))
_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def modules() -> list[str]:
    """Every module of ours but the training: the command line imports its commands by name."""
    found = ["data_store"]  # pydicom asks it for files by an entry point
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).with_suffix("").as_posix()
            if not name.startswith(TRAINING):
                found.append(name.removesuffix("/__init__").replace("/", "."))
    return found


def data_files() -> list[tuple[str, str]]:
    """(file, folder in the application) of what is no Python: our resources, the demo study, metadata, licences."""
    from PyInstaller.utils.hooks import copy_metadata  # type: ignore[import-untyped]  # brought along by freeze.py

    found = [*_own_files(), *_demo_files(), *_licence_files()]
    for name in _direct_requirements():
        found += copy_metadata(name, recursive=True)
    return list(dict.fromkeys(found))


def is_wanted_module(name: str) -> bool:
    """Whether a module belongs into the application: tests of packages do not."""
    return not {"test", "tests"} & set(name.split(".")) or name.startswith("torch.")


def is_wanted(name: str) -> bool:
    """Whether a file belongs into the application."""
    place = Path(name).as_posix()
    return any(kept.search(place) for kept in _KEPT) or not any(unwanted.search(place) for unwanted in _UNWANTED)


def _own_files() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            place = path.relative_to(ROOT)
            if path.is_file() and path.suffix not in (".py", ".pyc") and not place.as_posix().startswith(TRAINING):
                yield str(path), place.parent.as_posix()


def _demo_files() -> Iterator[tuple[str, str]]:
    """The two files of the demo study, out of the packages that ship them."""
    from importlib.util import find_spec

    for item in json.loads((ROOT / "resources" / "demo.json").read_text())["files"]:
        spec = find_spec(item["package"])
        if spec is None or spec.origin is None:
            raise SystemExit(f"freeze: {item['package']} is not installed")
        yield str(Path(spec.origin).parent / item["path"]), str(Path(item["package"], item["path"]).parent)


def _licence_files() -> Iterator[tuple[str, str]]:
    """Ours, Python's, and a list of all that came along; the texts of the packages lie in their metadata."""
    for name in ("LICENSE", "NOTICE"):
        yield str(ROOT / name), LICENCES
    for place in (Path(sys.base_prefix) / f"lib/python3.{sys.version_info.minor}/LICENSE.txt",
                  Path(f"/usr/share/doc/python3.{sys.version_info.minor}/copyright")):  # fmt: skip
        if place.is_file():
            yield str(place), f"{LICENCES}/python"
    listing = ROOT / "build" / "freeze" / "PACKAGES.txt"
    listing.parent.mkdir(parents=True, exist_ok=True)
    listing.write_text(packages_text(), encoding="utf-8")
    yield str(listing), LICENCES


def packages_text() -> str:
    """One line for each package that the application rests on: name, version, licence."""
    lines = [f"{name} {distribution(name).version}: {licence_of(name) or 'see its metadata'}" for name in closure()]
    head = "Packages in this application. Their licence texts lie in _internal/<package>-<version>.dist-info.\n\n"
    return head + "\n".join(lines) + "\nPyInstaller's starter: GPL with an exception for what it starts.\n"


def closure() -> list[str]:
    """Every installed package that the product needs, by name, whoever needs it."""
    waiting, found = _direct_requirements(), set()
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            needed = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        found.add(name)
        waiting += [match.group() for line in needed if "extra ==" not in line and (match := _NAME.match(line))]
    return sorted(found)


def _direct_requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["workstation"]]
    return [line.partition("==")[0].partition("[")[0] for line in listed]
