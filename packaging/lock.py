"""Write requirements.lock from pyproject.toml (exact versions, no addresses, no build tags) and its hashes.

The hashes stand in requirements.hashes: for each version those of every file that the places pip looks in
offer, so that another machine may take another file of the same version. torch has none there: each of its
builds (for graphics cards, for the CPU, from another index) is a file of its own.

Versions that the lock holds already are kept where pyproject.toml allows them; `make lock UPGRADE=1` takes the
newest ones.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bootstrap import HASHES, LOCK, PYTHON, ROOT, UNHASHED, VENV, WHEELS_VARIABLE, pip_settings, wheel_options

TEXT_OPTIONS = (
    "--python-version=3.11",
    "--index-strategy=unsafe-best-match",
    "--no-emit-find-links",
    "--no-emit-index-url",
    "--no-header",
    "--no-annotate",
    "--quiet",
)
GROUPS = ("--extra=workstation", "--group=dev")
HASH_MARK = "--hash="
UPGRADE_VARIABLE = "UPGRADE"  # "1": take the newest versions instead of those of the lock


class ResolveError(Exception):
    """The resolver's own words."""


def compiled(source: str, *options: str) -> str:
    """What `uv pip compile` says; raises ResolveError."""
    command = [str(VENV / "bin" / "uv"), "pip", "compile", source, *TEXT_OPTIONS, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise ResolveError(done.stderr)
    return done.stdout


def to_keep(lock: str) -> str:
    """An earlier lock without torch: its plain version would be preferred to the build for the CPU, and bring CUDA."""
    return "".join(f"{line}\n" for line in lock.splitlines() if line.partition("==")[0] not in UNHASHED)


def resolved(places: Sequence[str], *, keep: str) -> str:
    """The versions that pyproject.toml allows; those of `keep`, an earlier lock's text, stay where they are allowed.

    A build tag such as +cpu is taken off: it would bind the lock to one index.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / LOCK.name  # uv keeps what it finds in the file that it is to write
        target.write_text(keep)
        compiled("pyproject.toml", *GROUPS, *places, f"--output-file={target}")
        return target.read_text().replace("+cpu", "")


def hashes_of(text: str) -> dict[str, set[str]]:
    """Requirement -> hashes of a compiled text."""
    found: dict[str, set[str]] = {}
    name = ""
    for line in text.splitlines():
        word = line.strip().rstrip("\\").strip()
        if word.startswith(HASH_MARK):
            found[name].add(word)
        elif word:
            name = word.replace("+cpu", "")
            found[name] = set()
    return found


def merged(texts: Sequence[str]) -> str:
    """One text with the hashes of all, without the packages that are not checked."""
    found: dict[str, set[str]] = {}
    for text in texts:
        for name, hashes in hashes_of(text).items():
            found.setdefault(name, set()).update(hashes)
    checked = {name: hashes for name, hashes in found.items() if name.partition("==")[0] not in UNHASHED}
    lines = [" \\\n    ".join([name, *sorted(hashes)]) for name, hashes in sorted(checked.items())]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Resolve and write; exit code of the resolver."""
    listing = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    places = wheel_options(pip_settings(listing.stdout), os.environ.get(WHEELS_VARIABLE))
    try:
        takes_newest = os.environ.get(UPGRADE_VARIABLE) == "1" or not LOCK.is_file()
        LOCK.write_text(resolved(places, keep="" if takes_newest else to_keep(LOCK.read_text())))
        again = (LOCK.name, "--no-deps", "--generate-hashes")
        HASHES.write_text(merged([compiled(*again), compiled(*again, *places)]))
    except ResolveError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
