"""Build the frozen application: one folder with everything, build/frozen/chordae. `make freeze`.

PyInstaller is a tool of the build alone (GPL, with an exception for what it builds). It lies in build/freezer, not in
`.venv`, so that neither the lock nor the product knows it; freeze.hashes says which files are taken.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "build" / "freezer"
HASHES = ROOT / "packaging" / "freeze.hashes"
STAMP = TOOL / "freeze.hashes"
TARGET = ROOT / "build" / "frozen" / "chordae"


def provide_tool() -> None:
    """PyInstaller in its own folder, once for each state of its hashes."""
    if STAMP.is_file() and STAMP.read_bytes() == HASHES.read_bytes():
        return
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--upgrade", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "-r", HASHES, "--target", TOOL], check=True)
    STAMP.write_bytes(HASHES.read_bytes())


def freeze() -> None:
    """Run the recipe; raises CalledProcessError."""
    folders = ["--distpath", TARGET.parent, "--workpath", ROOT / "build" / "freeze"]
    environment = {**os.environ, "PYTHONPATH": str(TOOL), "PYTHONHASHSEED": "1"}  # the same archive each time
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *map(str, folders)]
    subprocess.run([*command, str(ROOT / "packaging" / "chordae.spec")], check=True, cwd=ROOT, env=environment)


def size_mb(folder: Path) -> float:
    """Size of all regular files, in 10^6 bytes; links do not count."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6


def main() -> int:
    """Exit code 0 when the folder is there."""
    started_s = time.monotonic()
    try:
        provide_tool()
        freeze()
    except subprocess.CalledProcessError as error:
        print(f"freeze: failed ({error.returncode})", file=sys.stderr)
        return 1
    print(f"freeze: {TARGET.relative_to(ROOT)}, {size_mb(TARGET):.0f} MB, {time.monotonic() - started_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
