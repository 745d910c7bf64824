"""`run`: read a study without a window and write its report, whatever happens."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from app.command_line import EXIT_CANCELLED, EXIT_DONE, EXIT_ERROR, UsageError
from app.composition import Engine, isolated_engine
from app.interruption import cancelled_by_signals
from app.live import Listener, listener_for
from app.passphrases import unlock_store
from app.paths import AppPaths
from app.stored_runs import find_run
from pipeline.cancellation import CancelToken
from pipeline.errors import PipelineError
from pipeline.records import CardiologyRequest, CardiologyResponse, ClipFacts

EXIT_CODES = {"complete": EXIT_DONE, "error": EXIT_ERROR, "cancelled": EXIT_CANCELLED}


def run(options: argparse.Namespace, paths: AppPaths) -> int:
    """Answer `run`."""
    check_report_place(options.report, (*options.echo, options.ecg, options.metadata))
    listener = listener_for(quiet=options.quiet, events=options.events is not None)
    try:
        unlock_store(options, paths)
        request, resume = requested(options, Engine(paths.store))
        with isolated_engine(paths.store, in_process=options.in_process) as engine:
            response = run_to_report(
                engine, request, options.report, listener, resume=resume, identify=options.include_identifiers
            )
    except PipelineError as error:
        # the run never began: a store that cannot be used, a run to resume that is not there
        write(early_error_report(error), options.report)
        raise
    if response.status != "complete":
        sys.stderr.write(f"{response.error_code}: {response.error_text}\n")
    elif not options.quiet and options.events is None:
        sys.stdout.write(f"run {response.run_id} complete; report written\n")
    return EXIT_CODES[response.status]


def requested(options: argparse.Namespace, engine: Engine) -> tuple[CardiologyRequest, str | None]:
    """The request of the options and the run to go on with; a resumed run brings its own inputs."""
    request = CardiologyRequest(
        echo_paths=tuple(options.echo),
        clip_facts=clip_facts(options),
        ecg_path=options.ecg,
        metadata_path=options.metadata,
    )
    if options.resume is None:
        return request, None
    run_id = find_run(engine, options.resume)
    named = request.has_echo or request.has_ecg or request.has_metadata
    return (request if named else engine.load_run(run_id).request), run_id


def clip_facts(options: argparse.Namespace) -> tuple[ClipFacts, ...]:
    """What the options say of the clips, in their order; raises UsageError for more facts than clips."""
    if max(len(options.view), len(options.pixel_mm)) > len(options.echo):
        raise UsageError("--view and --pixel-mm must not name more clips than --echo does")
    facts = zip_longest(options.view, options.pixel_mm)
    return tuple(ClipFacts(view=view, pixel_mm=pixel_mm) for view, pixel_mm in facts)


def run_to_report(
    engine: Engine,
    request: CardiologyRequest,
    report: Path,
    listener: Listener,
    *,
    resume: str | None = None,
    identify: bool = False,
) -> CardiologyResponse:
    """Run and write the report, with the patient's identifiers only if asked; raises ReportError, StoreError."""
    from pipeline.reports.envelope import with_audit_head
    from pipeline.reports.identifiers import with_identifiers

    cancel = CancelToken()
    with cancelled_by_signals(cancel), listener:
        response = engine.run_study(request, on_event=listener.on_event, cancel=cancel, resume=resume)
    head = engine.note_act("export", response.run_id, "json with identifiers" if identify else "json")
    content = with_audit_head(response.report, head)
    if identify:
        content = with_identifiers(content, engine.load_run(response.run_id).results.headers)
    write(content, report)
    return response


def write(report: Mapping[str, Any], path: Path) -> None:
    """Write a report atomically; raises ReportError."""
    from pipeline.reports.json_report import write_report

    write_report(report, path)


def check_report_place(report: Path, inputs: tuple[Path | None, ...]) -> None:
    """Refuse, before any work, a report that cannot be written or would destroy an input; raises UsageError."""
    if report.is_dir() or not report.absolute().parent.is_dir():
        raise UsageError("--report must name a file in a folder that exists")
    if any(given is not None and _is_same_file(given, report) for given in inputs):
        raise UsageError("--report must not name one of the inputs")


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def early_error_report(error: PipelineError) -> dict[str, Any]:
    """The report of a run that ended before its first state."""
    from pipeline.reports.envelope import Execution, seal

    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    execution = Execution(
        run_id="none",
        status="error",
        states_traversed=(),
        states_entered=("INIT", "ERROR"),
        branches=(),
        checkpoints_saved=0,
        checkpoints_restored=0,
        retries_performed=0,
        total_time_ms=0,
        stage_timings={},
        memory_usage_mb=0.0,
        started_utc=now,
        finished_utc=now,
        error={"code": error.code, "text": error.text, "state": "INIT"},
        warnings=(),
    )
    return seal(None, execution)
