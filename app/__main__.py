"""`python -m app`: nothing slow is imported before the command is known."""

from __future__ import annotations

import os
import sys
import warnings

from pipeline.isolation.protocol import WORKER_ARGUMENT


def _run() -> int:
    """Answer the command line; a reader of the output that has gone (`… | head`) is no error."""
    from app.command_line import main

    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # what is still buffered goes nowhere, or Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _work() -> int:
    """Be a worker process: a frozen application has no other executable to start one with."""
    from pipeline.isolation.worker import main

    return main(sys.argv[2:])


if __name__ == "__main__":
    # The matrices here are small: a second thread of the linear algebra only waits actively and doubles the CPU time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if sys.argv[1:2] == [WORKER_ARGUMENT]:
        sys.exit(_work())
    if not sys.warnoptions:
        # a parser's warning may quote what a file says about its patient
        warnings.simplefilter("ignore")
    from app.logs import install_crash_report

    install_crash_report()
    sys.exit(_run())
