"""Set up the project's virtual environment from the pinned lock; needs nothing but Python 3.11.

`make demo` and `make test` run this first. When the environment already fits the lock it returns within
a second. CHORDAE_WHEELS may name a folder, or the address of an index, that holds wheels built for the
CPU; otherwise the places that pip is configured to look in are used.
"""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from qt_libraries import provide_qt_libraries

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
HASHES = ROOT / "requirements.hashes"  # of every package of the lock but those of UNHASHED
STAMP = VENV / ".chordae-lock"
UV = "uv==0.13.9"  # only fetches and unpacks; falls back to pip when it is not to be had
# Published with and without the library it needs: where several places offer both, uv may take the bare wheel.
NATIVE_MODULES = ("soundfile",)
# Each build of it (for graphics cards, for the CPU, from another index) is a file with a hash of its own.
UNHASHED = ("torch",)
WHEELS_VARIABLE = "CHORDAE_WHEELS"
UNCHECKED_VARIABLE = "CHORDAE_UNCHECKED"  # "1": take packages whose files have other hashes than the lock says


Command = tuple[str | Path, ...]


class SetupError(Exception):
    """The environment cannot be set up; the text says what to do."""


def say(text: str) -> None:
    """One line of progress, seen at once."""
    print(f"setup: {text}", flush=True)


def wanted_stamp() -> str:
    """What the environment must have been made from: lock, interpreter and place (scripts hold the place)."""
    lock_hash = hashlib.sha256(LOCK.read_bytes() + HASHES.read_bytes()).hexdigest()
    return f"{lock_hash} {sys.version_info.major}.{sys.version_info.minor} {VENV}\n"


def is_ready() -> bool:
    """Whether the environment was finished from this very lock and its interpreter still starts."""
    if not STAMP.is_file() or STAMP.read_text() != wanted_stamp():
        return False
    return subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0


def pip_settings(listing: str) -> dict[str, str]:
    """Settings of `pip config list`, by name; a later line (the environment) wins over an earlier one.

    uv does not read pip's configuration, so its places to look in are handed over.
    """
    found: dict[str, str] = {}
    for line in listing.splitlines():
        key, separator, value = line.partition("=")
        section, _, name = key.strip().rpartition(".")
        if separator and section in ("global", "install", ":env:"):
            found[name] = str(ast.literal_eval(value.strip()))
    return found


def wheel_options(settings: Mapping[str, str], wheels: str | None) -> list[str]:
    """Options that uv and pip share for the places to look in."""
    options: list[str] = []
    for name in ("index-url", "extra-index-url", "find-links"):
        for place in settings.get(name, "").split():
            options += [f"--{name}", place]
    if wheels:
        options += ["--extra-index-url" if "://" in wheels else "--find-links", wheels]
    return options


def run(*command: str | Path, environment: Mapping[str, str] | None = None) -> bool:
    """Run a command with its output shown; False when it fails or does not exist."""
    try:
        return subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode == 0
    except FileNotFoundError:
        return False


def make_venv() -> None:
    """Create `.venv`; on Debian as root the package that venv needs is installed when it is missing."""
    if run(sys.executable, "-m", "venv", "--clear", VENV):
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if shutil.which("apt-get") and os.geteuid() == 0:
        say(f"installing {package}")
        installed = run("apt-get", "update", "-qq") and run("apt-get", "install", "-y", "-qq", package)
        if installed and run(sys.executable, "-m", "venv", "--clear", VENV):
            return
    raise SetupError(f"Python cannot make a virtual environment here. On Debian: apt-get install {package}")


def pinned(lock: str, name: str) -> str:
    """The line of the lock that pins `name`; raises SetupError when there is none."""
    for line in lock.splitlines():
        if line.startswith(f"{name}=="):
            return line.split()[0]
    raise SetupError(f"requirements.lock does not pin {name}.")


def hashed(hashes: str, name: str) -> str:
    """The entry of `name` with its hashes; raises SetupError when there is none."""
    for entry in hashes.replace("\\\n", "").splitlines():
        if entry.startswith(f"{name}=="):
            return entry
    raise SetupError(f"requirements.hashes does not pin {name}.")


def requirement_sets() -> tuple[Command, ...]:
    """What is installed, one call after the other: the packages with their hashes, then the others by version."""
    if os.environ.get(UNCHECKED_VARIABLE) == "1":
        say("the packages are not checked against their hashes")
        return (("-r", LOCK),)
    others = tuple(pinned(LOCK.read_text(), name) for name in UNHASHED)
    return (("--require-hashes", "-r", HASHES), ("-c", LOCK, *others))


def complete_native_modules(pip_install: Command) -> None:
    """Install again with pip, which takes the best wheel of all places, what does not find its own library."""
    for name in NATIVE_MODULES:
        if subprocess.run([PYTHON, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0:
            continue
        say(f"{name} came without its library; taking its complete wheel")
        again = VENV / f"{name}.txt"
        again.write_text(hashed(HASHES.read_text(), name))
        run(*pip_install, "--require-hashes", "--no-deps", "--no-cache-dir", "--force-reinstall", "-r", again)
        if subprocess.run([PYTHON, "-c", f"import {name}"], capture_output=True, check=False).returncode != 0:
            raise SetupError(f"{name} lacks its library. On Debian: apt-get install libsndfile1")


def install_lock() -> None:
    """Install exactly what the lock says, with uv where it can be had, else with pip."""
    listing = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    settings = pip_settings(listing.stdout)
    options = wheel_options(settings, os.environ.get(WHEELS_VARIABLE))
    environment = dict(os.environ)
    if "cert" in settings:
        environment.setdefault("SSL_CERT_FILE", settings["cert"])
    pip: Command = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-q")
    if run(*pip, UV):
        say("installing the pinned packages with uv")
        uv = VENV / "bin" / "uv"
        # pip takes the best version of all its places; uv must be told to do so too
        best = ("--index-strategy", "unsafe-best-match", *options)
        install: Command = (uv, "pip", "install", "-q", "--python", PYTHON, *best)
        if all(run(*install, *wanted, environment=environment) for wanted in requirement_sets()):
            complete_native_modules((*pip, *options))
            return
        say("uv could not install the lock; trying pip")
    say("installing the pinned packages with pip (takes some minutes)")
    if not all(run(*pip, *options, *wanted) for wanted in requirement_sets()):
        raise SetupError(
            "The packages of requirements.lock could not be installed; see the lines above. A file whose hash is not "
            f"one of requirements.hashes is refused; {UNCHECKED_VARIABLE}=1 takes it all the same."
        )


def set_up(check_python: Callable[[], tuple[int, int]] = lambda: sys.version_info[:2]) -> None:
    """Bring environment and system libraries to what the project needs; raises SetupError."""
    if check_python() != (3, 11):
        raise SetupError("Python 3.11 is needed. Name it with: make PYTHON=/path/to/python3.11 …")
    started_s = time.monotonic()
    if not is_ready():
        say("making the virtual environment .venv")
        make_venv()
        install_lock()
        STAMP.write_text(wanted_stamp())
        say(f"done in {time.monotonic() - started_s:.0f} s")
    missing = provide_qt_libraries(next(VENV.glob("lib/python3.*/site-packages/PySide6")), say)
    if missing:
        raise SetupError(missing)


def main() -> int:
    """Exit code 0 when everything is in place."""
    try:
        set_up()
    except SetupError as error:
        print(f"setup failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
