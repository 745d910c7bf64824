"""Write a bill of materials (CycloneDX 1.5, JSON) of the locked packages: `make sbom`.

Versions and hashes come from the lock, licences from the metadata of the installed packages.
"""

from __future__ import annotations

import json
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from bootstrap import HASHES, LOCK, ROOT
from lock import HASH_MARK, hashes_of


def licence_of(name: str) -> str | None:
    """The licence that a package names for itself: an expression, a trove classifier, or a short text."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return None
    if "License-Expression" in said:
        return str(said["License-Expression"])
    classified = [
        line.rpartition(" :: ")[2] for line in said.get_all("Classifier", []) if line.startswith("License ::")
    ]
    text = "".join(said.get_all("License") or []).strip()
    return "; ".join(classified) or (text if text and "\n" not in text and len(text) < 80 else None)


def component(name: str, version: str, hashes: set[str]) -> dict[str, Any]:
    """One package."""
    licence = licence_of(name)
    found = sorted(each.removeprefix(f"{HASH_MARK}sha256:") for each in hashes)
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "licenses": [{"license": {"name": licence}}] if licence else [],
        "hashes": [{"alg": "SHA-256", "content": content} for content in found],
    }


def bill() -> dict[str, Any]:
    """The whole bill: the same bytes for the same lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    hashes = hashes_of(HASHES.read_text())
    pinned = [line.split("==") for line in LOCK.read_text().split()]
    root = {"type": "application", "name": project["name"], "version": project["version"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": root},
        "components": [component(name, version, hashes.get(f"{name}=={version}", set())) for name, version in pinned],
    }


def main() -> int:
    """Write to the file named on the command line, or to standard output."""
    text = json.dumps(bill(), indent=1) + "\n"
    if len(sys.argv) > 1:
        target = Path(sys.argv[1])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
