"""What is installed is no older than the releases that mended known holes, and the bill names all of it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
# package -> first release without the hole, and what the hole was
FLOORS = {
    "pillow": ("11.3.0", "CVE-2025-48379: a heap overflow in writing DDS"),
    "opencv-python-headless": ("4.8.1.78", "CVE-2023-4863: libwebp"),
    "numpy": ("1.22.0", "CVE-2021-41496: a buffer overflow in array_from_pyobj"),
    "torch": ("2.6.0", "CVE-2025-32434: torch.load with weights_only runs code (never called here)"),
    "jinja2": ("3.1.6", "CVE-2025-27516: a way out of the sandbox"),
    "urllib3": ("2.5.0", "CVE-2025-50181: redirects (no network is used)"),
    "requests": ("2.32.4", "CVE-2024-47081: credentials of .netrc (no network is used)"),
    "setuptools": ("78.1.1", "CVE-2025-47273: a path out of the folder"),
}
SQLCIPHER_FLOOR = (3, 50, 2)  # of the SQLite in it; CVE-2025-6965: memory corrupted by too many aggregate terms
SQLITE_FLOOR = (3, 38, 0)  # STRICT tables; holes of later releases need SQL of an attacker, and there is none here


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("+")[0].split(".") if part.isdigit())


@pytest.mark.parametrize("name", FLOORS)
def test_no_package_is_older_than_its_floor(name: str) -> None:
    floor, why = FLOORS[name]
    assert numbers(version(name)) >= numbers(floor), why


def test_sqlite_is_new_enough_and_extensions_stay_off() -> None:
    assert sqlite3.sqlite_version_info >= SQLITE_FLOOR
    connection = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError, match="not authorized"):
        connection.execute("SELECT load_extension('x')")
    connection.close()


def test_sqlcipher_is_new_enough_and_extensions_stay_off() -> None:
    from sqlcipher3 import dbapi2

    connection = dbapi2.connect(":memory:")
    assert dbapi2.sqlite_version_info >= SQLCIPHER_FLOOR
    with pytest.raises(dbapi2.OperationalError, match="not authorized"):
        connection.execute("SELECT load_extension('x')")
    connection.close()


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    command = [sys.executable, ROOT / "packaging" / "sbom.py"]
    return dict(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))


def test_the_bill_names_every_locked_package_with_hashes(bill: dict[str, Any]) -> None:
    named = {f"{each['name']}=={each['version']}" for each in bill["components"]}
    assert named == set((ROOT / "requirements.lock").read_text().split())
    assert [each["name"] for each in bill["components"] if not each["hashes"]] == ["torch"]
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")


def test_no_package_that_is_shipped_is_under_the_gpl(bill: dict[str, Any]) -> None:
    licences = {each["name"]: each["licenses"][0]["license"]["name"] for each in bill["components"] if each["licenses"]}
    assert len(licences) > 0.9 * len(bill["components"])
    weak = ("LGPL", "Lesser")
    found = {
        name: text
        for name, text in licences.items()
        if ("GPL" in text or "General Public" in text) and not any(word in text for word in weak)
    }
    assert found == {}
