"""The command line: what can be asked for, and which function answers.

Exit codes: 0 done (degraded included), 1 an error with a code, 2 wrong use, 130 cancelled.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import VERSION
from app.logs import start_log
from app.paths import AppPaths, prepare_paths
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_DONE, EXIT_ERROR, EXIT_USAGE, EXIT_CANCELLED = 0, 1, 2, 130

IDENTIFIERS_HELP = "put the patient's name, number and birth date into the JSON; noted in the audit"

Command = Callable[[argparse.Namespace, AppPaths], int]

# command -> module and function that answers it; imported only when it is asked for
COMMANDS: dict[str, tuple[str, str]] = {
    "review": ("app.workstation", "review"),
    "run": ("app.running", "run"),
    "batch": ("app.batch", "batch"),
    "demo": ("app.demo", "demo"),
    "runs": ("app.stored_runs", "runs"),
    "show": ("app.stored_runs", "show"),
    "export": ("app.stored_runs", "export"),
    "audit": ("app.audit", "audit"),
    "compare": ("app.research", "compare"),
    "arrays": ("app.research", "arrays"),
    "store": ("app.store", "store"),
    "doctor": ("app.doctor", "doctor"),
}
# They see to an encrypted store themselves: by a dialog, in their own words, or within what they report.
UNLOCKING = frozenset({"review", "run", "store", "doctor"})


class UsageError(Exception):
    """The command was used in a way that cannot work; the text says why."""


def main(arguments: Sequence[str]) -> int:
    """Answer one command line and return its exit code."""
    try:
        options = build_parser().parse_args(with_command(arguments))
    except SystemExit as stop:  # argparse has printed help or the mistake
        return int(stop.code or 0)
    module, function = COMMANDS[options.command]
    try:
        paths = prepare_paths(options.data_dir)
        stop_log = start_log(paths.logs)
        try:
            command: Command = getattr(import_module(module), function)
            if options.command not in UNLOCKING:
                from app.passphrases import unlock_store

                unlock_store(options, paths)
            return command(options, paths)
        finally:
            stop_log()
    except UsageError as mistake:
        sys.stderr.write(f"{mistake}\n")
        return EXIT_USAGE
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_ERROR


def with_command(arguments: Sequence[str]) -> list[str]:
    """The arguments with their command first: `--data-dir D` may stand before it, and `review` may be left out."""
    rest = list(arguments)
    leading: list[str] = []
    while rest and rest[0].startswith("--data-dir"):
        taken = 1 if "=" in rest[0] else 2
        leading, rest = leading + rest[:taken], rest[taken:]
    if rest and rest[0] in (*COMMANDS, "-h", "--help", "--version"):
        return [rest[0], *leading, *rest[1:]]
    return ["review", *leading, *rest]


class _Parser(argparse.ArgumentParser):
    """A parser that takes no name cut short: `--passphrase X` must not pass for `--passphrase-file X`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser: argparse.ArgumentParser = _Parser(
        prog="python -m app",
        description="Reads an echocardiogram and an ECG together. Research use only - not for diagnostic use.",
    )
    parser.add_argument("--version", action="version", version=f"Chordae {VERSION}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data-dir", type=Path, metavar="D", help="folder of the store and the log (default: yours)")
    common.add_argument("--passphrase-file", type=Path, metavar="P", help="the passphrase of an encrypted store")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    adders = (
        _add_review,
        _add_run,
        _add_batch,
        _add_demo,
        _add_runs,
        _add_show,
        _add_export,
        _add_compare,
        _add_arrays,
        _add_audit,
        _add_store,
    )
    for add in (*adders, _add_doctor):
        add(commands, common)
    return parser


def _add_review(commands: Commands, common: argparse.ArgumentParser) -> None:
    review = commands.add_parser("review", parents=[common], help="open the workstation (the default)")
    review.add_argument("files", nargs="*", type=Path, metavar="FILE", help="echo, ECG and metadata files")


def _add_run(commands: Commands, common: argparse.ArgumentParser) -> None:
    run = commands.add_parser("run", parents=[common], help="read a study without a window and write its report")
    run.add_argument(
        "--echo",
        action="extend",
        nargs="+",
        default=[],
        type=Path,
        metavar="F",
        help="one or more clips; may be repeated",
    )
    run.add_argument(
        "--view",
        action="extend",
        nargs="+",
        default=[],
        choices=["A4C", "A2C"],
        help="the clips' views in the order of --echo, where the files do not name them",
    )
    run.add_argument(
        "--pixel-mm",
        action="extend",
        nargs="+",
        default=[],
        type=float,
        metavar="MM",
        help="the clips' pixel sizes in the order of --echo, used where a file is not calibrated",
    )
    run.add_argument("--ecg", type=Path, metavar="F", help="an ECG")
    run.add_argument("--metadata", type=Path, metavar="F.json", help="facts about the patient (docs/metadata.md)")
    run.add_argument("--report", required=True, type=Path, metavar="R.json", help="where to write the report")
    run.add_argument("--resume", metavar="RUN", help="go on with a stored run; its inputs are used if none are named")
    run.add_argument("--in-process", action="store_true", help="run every stage in this process instead of in workers")
    run.add_argument("--quiet", action="store_true", help="print nothing but errors")
    run.add_argument("--include-identifiers", action="store_true", help=IDENTIFIERS_HELP)
    run.add_argument("--events", choices=["-"], help="print every event as a line of JSON on standard output")


def _add_batch(commands: Commands, common: argparse.ArgumentParser) -> None:
    batch = commands.add_parser("batch", parents=[common], help="read every study of some folders")
    batch.add_argument("places", nargs="+", type=Path, metavar="PLACE", help="folders, DICOMDIR files or files")
    batch.add_argument("--output", required=True, type=Path, metavar="DIR", help="where reports and the table go")


def _add_demo(commands: Commands, common: argparse.ArgumentParser) -> None:
    demo = commands.add_parser("demo", parents=[common], help="read a real study that installed packages ship")
    demo.add_argument("--headless", action="store_true", help="without a window: report and screenshots")
    demo.add_argument("--output", type=Path, default=Path("demo-output"), metavar="DIR", help="default: demo-output")


def _add_runs(commands: Commands, common: argparse.ArgumentParser) -> None:
    runs = commands.add_parser("runs", parents=[common], help="list the stored runs, newest first")
    runs.add_argument("--json", action="store_true", help="as JSON")


def _add_show(commands: Commands, common: argparse.ArgumentParser) -> None:
    show = commands.add_parser("show", parents=[common], help="print the findings of a stored run")
    show.add_argument("run", metavar="RUN", help="run id, the start of one, or 'latest'")


def _add_export(commands: Commands, common: argparse.ArgumentParser) -> None:
    export = commands.add_parser("export", parents=[common], help="write the report of a stored run")
    export.add_argument("run", metavar="RUN", help="run id, the start of one, or 'latest'")
    export.add_argument("--format", required=True, metavar="F", help="json, csv or pdf")
    export.add_argument("--output", required=True, type=Path, metavar="P", help="the file to write")
    export.add_argument("--include-identifiers", action="store_true", help=IDENTIFIERS_HELP)


def _add_compare(commands: Commands, common: argparse.ArgumentParser) -> None:
    compare = commands.add_parser("compare", parents=[common], help="two stored runs field by field")
    compare.add_argument("first", metavar="RUN", help="run id, the start of one, or 'latest'")
    compare.add_argument("second", metavar="RUN", help="the run to compare it with")
    compare.add_argument("--json", action="store_true", help="every field as JSON, equal ones too")


def _add_arrays(commands: Commands, common: argparse.ArgumentParser) -> None:
    arrays = commands.add_parser("arrays", parents=[common], help="intermediate results of a stored run as files")
    arrays.add_argument("run", metavar="RUN", help="run id, the start of one, or 'latest'")
    arrays.add_argument("name", nargs="?", metavar="NAME", help="the result to write; without it all are listed")
    arrays.add_argument("--output", type=Path, metavar="P", help="the file to write: .npy, .csv or .json")


def _add_audit(commands: Commands, common: argparse.ArgumentParser) -> None:
    audit = commands.add_parser("audit", parents=[common], help="show or verify who did what in the store")
    audit.add_argument("what", choices=["show", "verify"], help="list every act, or look for changes in the chain")
    audit.add_argument("--report", type=Path, metavar="R.json", help="verify: an exported report whose head must hold")


def _add_store(commands: Commands, common: argparse.ArgumentParser) -> None:
    store = commands.add_parser("store", parents=[common], help="encrypt the store, or ask it in SQL")
    kinds = ("encrypt", "decrypt", "passphrase", "query")
    store.add_argument("what", choices=kinds, help="passphrase: change it; query: answer a SELECT")
    store.add_argument("sql", nargs="?", metavar="SQL", help="query: one SELECT, in quotes")
    store.add_argument("--csv", action="store_true", help="query: as a table instead of JSON")
    store.add_argument("--new-passphrase-file", type=Path, metavar="P", help="passphrase: the new one")
    store.add_argument("--no-way-back", action="store_true", help="I know: a lost passphrase is lost data; ask nothing")


def _add_doctor(commands: Commands, common: argparse.ArgumentParser) -> None:
    commands.add_parser("doctor", parents=[common], help="what is installed, which formats decode, the model's hash")
