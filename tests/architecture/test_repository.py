"""The repository stands alone: no place of one machine, no address of a registry, one lock."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from app import VERSION

# put together here, so that this file does not hold what it looks for
PLACES = ("work", "root", "opt/wheels", "opt/pypi", "home/user")
MACHINE_PATHS = (*(f"/{name}/" for name in PLACES), "../" + "shared")
REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "download.py" + "torch.org")
LOCK_LINE = re.compile(r"[a-z0-9][a-z0-9._-]*==[0-9][0-9a-z.]*")


def test_no_text_names_a_place_of_one_machine(texts: dict[Path, str]) -> None:
    found = [
        (str(path), place) for path, text in texts.items() for place in MACHINE_PATHS + REGISTRIES if place in text
    ]
    assert found == []


def test_the_lock_names_exact_versions_and_no_build(project_root: Path) -> None:
    lines = (project_root / "requirements.lock").read_text().splitlines()
    assert len(lines) > 50
    assert [line for line in lines if not LOCK_LINE.fullmatch(line)] == []
    assert "torch==2.13.0" in lines
    assert "pyside6-essentials==6.11.3" in lines


def test_every_direct_requirement_is_locked_as_named(project_root: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text())
    named = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["workstation"],
        *project["dependency-groups"]["dev"],
    ]
    locked = set((project_root / "requirements.lock").read_text().splitlines())
    assert {line.lower() for line in named} - locked == set()


def test_no_gpl_decoder_is_locked(project_root: Path) -> None:
    assert "pylibjpeg-libjpeg" not in (project_root / "requirements.lock").read_text()


def test_the_version_is_told_once(project_root: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION
    assert f"## {VERSION}" in (project_root / "CHANGELOG.md").read_text()


def test_the_two_commands_of_the_readme_exist(project_root: Path) -> None:
    readme = (project_root / "README.md").read_text()
    makefile = (project_root / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_pictures_of_the_documents_exist(project_root: Path, texts: dict[Path, str]) -> None:
    for path, text in texts.items():
        if path.suffix == ".md":
            for link in re.findall(r"\]\(([^)#:]+)\)", text):
                assert (project_root / path.parent / link).exists(), f"{path}: {link}"
