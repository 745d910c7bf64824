"""Write requirements.lock from pyproject.toml: exact versions, no addresses, no build tags."""

from __future__ import annotations

import os
import subprocess
import sys

from bootstrap import LOCK, PYTHON, ROOT, VENV, WHEELS_VARIABLE, pip_settings, wheel_options

OPTIONS = (
    "--extra=workstation",
    "--group=dev",
    "--python-version=3.11",
    "--index-strategy=unsafe-best-match",
    "--no-emit-find-links",
    "--no-emit-index-url",
    "--no-header",
    "--no-annotate",
    "--quiet",
)


def main() -> int:
    """Resolve and write; exit code of the resolver."""
    listing = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    places = wheel_options(pip_settings(listing.stdout), os.environ.get(WHEELS_VARIABLE))
    command = [str(VENV / "bin" / "uv"), "pip", "compile", "pyproject.toml", *OPTIONS, *places]
    resolved = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if resolved.returncode:
        print(resolved.stderr, file=sys.stderr)
        return resolved.returncode
    # a build tag such as +cpu would bind the lock to one index
    LOCK.write_text(resolved.stdout.replace("+cpu", ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
