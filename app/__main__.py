"""`python -m app`: nothing slow is imported before the command is known."""

from __future__ import annotations

import os
import sys
import warnings

from app.command_line import main
from app.logs import install_crash_report


def _run() -> int:
    """Answer the command line; a reader of the output that has gone (`… | head`) is no error."""
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # what is still buffered goes nowhere, or Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    if not sys.warnoptions:
        # a parser's warning may quote what a file says about its patient
        warnings.simplefilter("ignore")
    install_crash_report()
    sys.exit(_run())
