"""Walks a study through the states; each state's branches meet at a barrier before the next begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

from pipeline import crashed_inputs
from pipeline.active_run import ActiveRun
from pipeline.branch_work import BranchWork, Job
from pipeline.branches import BranchLedger
from pipeline.cache_keys import content_key, file_hashes
from pipeline.cancellation import CancelToken
from pipeline.errors import HardStopError, PipelineError, RunCancelledError, StoreError, ValidationError
from pipeline.executor import StageExecutor, ThreadExecutor
from pipeline.faults import as_fault
from pipeline.gates import Limits
from pipeline.journal import Journal
from pipeline.model_keys import ecg_models_key, echo_model_key, models_text
from pipeline.preview import Preview
from pipeline.records import (
    BRANCHES,
    Branch,
    CardiologyRequest,
    CardiologyResponse,
    FileReport,
    PatientHeader,
    Remark,
    RunEvent,
    StudyResults,
    ValidationReport,
)
from pipeline.results import RunResults
from pipeline.sealing import ResponseStatus, Sealer
from pipeline.stage_calls import (
    DetectedClips,
    EcgFile,
    EchoFiles,
    PatientFacts,
    PreparedClips,
    PreparedSignal,
    StageCall,
)
from pipeline.stages.formatting import format_result
from pipeline.stages.fusion import fuse_modalities
from pipeline.stages.preprocessing import patient_headers
from pipeline.stages.receipt import receive
from pipeline.stages.scoring import compute_risk
from pipeline.stages.validation import input_digest
from pipeline.states import Reuse, State
from pipeline.store.database import Store
from pipeline.thumbnail import thumbnail


def _nothing(_: object) -> None:
    """The listener of callers who do not listen."""


class PipelineOrchestrator:
    """Executes studies one after the other.

    Parameters
    ----------
    store : Store or None
        Where checkpoints and the journal go; None keeps nothing.
    limits : Limits
        Size caps of the inputs.
    on_event, on_results : callables
        Told every journalled event, and after every state what exists so far, in the caller's thread; `on_results` also
        the first frame of the clip as soon as it is read, in a thread of its own.
    executor : StageExecutor or None
        Where the stages run; by default in threads of this process.
    sleep : callable or None
        Replaces the waits between attempts (tests); by default a wait that a cancel cuts short.
    store_trouble : StoreError or None
        Why there is no store although one was wanted; the report says it.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        limits: Limits | None = None,
        on_event: Callable[[RunEvent], None] = _nothing,
        on_results: Callable[[StudyResults], None] | None = None,
        executor: StageExecutor | None = None,
        sleep: Callable[[float], None] | None = None,
        store_trouble: StoreError | None = None,
    ) -> None:
        self._store = store
        self._store_trouble = store_trouble
        self._limits = limits or Limits()
        self._on_event = on_event
        self._on_results = on_results
        self._executor = executor or ThreadExecutor()
        self._sleep = sleep

    def execute(
        self,
        request: CardiologyRequest,
        *,
        cancel: CancelToken | None = None,
        resume: str | None = None,
        reuse: Reuse | None = None,
    ) -> CardiologyResponse:
        """Run a study to COMPLETE or ERROR; never raises for bad input, every failure is in the response.

        `reuse` says whose checkpoints may be taken, and from which state on everything is computed anew; without
        it a resumed run takes what still holds of its own.

        Raises
        ------
        StoreError
            Only when `resume` names a run that is not in the store or still goes on.
        """
        run = self._begin(request, cancel or CancelToken(), resume, reuse)
        try:
            self._walk(run)
        except PipelineError as error:
            return self._finish_failed(run, error)
        except MemoryError:
            stop = HardStopError("The memory is not enough for this study.", code="E_HARD_002")
            return self._finish_failed(run, stop)
        except Exception as error:  # noqa: BLE001 - a fault of ours must end in a report, not in a traceback
            return self._finish_failed(run, as_fault(error, run.state.current))
        return self._finish(run)

    # --- begin and end ------------------------------------------------------------------------------

    def _begin(
        self, request: CardiologyRequest, cancel: CancelToken, resume: str | None, reuse: Reuse | None
    ) -> ActiveRun:
        sealer = Sealer(resume)
        first_seq, models = 0, models_text()
        if resume is not None and self._store is not None:
            self._store.take_over(resume, request, models=models)
            events = self._store.events(resume)
            first_seq = events[-1].seq + 1 if events else 0
        journal = Journal(sealer.run_id, self._store, self._on_event, first_seq)
        if self._store_trouble is not None:
            journal.warn_unsaved(self._store_trouble)
        if resume is None:
            journal.write(lambda store: store.start_run(sealer.run_id, request, models=models))
        taken = reuse or (Reuse(run_id=resume) if resume else None)
        results = RunResults(self._store if taken else None, taken)
        ledger, tell = BranchLedger(journal), self._on_results
        work = BranchWork(
            cancel=cancel,
            journal=journal,
            results=results,
            ledger=ledger,
            executor=self._executor,
            sleep=self._sleep,
        )
        return ActiveRun(
            request=request,
            cancel=cancel,
            work=work,
            journal=journal,
            results=results,
            ledger=ledger,
            sealer=sealer,
            preview=tell and Preview(self._executor, request, self._limits, cancel, tell),
        )

    def _finish(self, run: ActiveRun) -> CardiologyResponse:
        return run.sealer.finish(run.ending("complete", run.body, None))

    def _finish_failed(self, run: ActiveRun, error: PipelineError) -> CardiologyResponse:
        status: ResponseStatus = "cancelled" if isinstance(error, RunCancelledError) else "error"
        failed_in = run.state.current
        run.state.transition(State.ERROR)
        self._tell(run, State.ERROR)
        run.journal.emit(failed_in, "error", error.text, code=error.code)
        run.ledger.close(failed_in, error)
        run.journal.emit(State.ERROR, "state", f"stopped in {failed_in.name}", code=error.code)
        if error.code == "E_HARD_003":
            run.journal.write(lambda store: store.note("alert", run.sealer.run_id, f"{error.code} {error.text}"))
        return run.sealer.finish(run.ending(status, None, error))

    # --- the walk -----------------------------------------------------------------------------------

    def _walk(self, run: ActiveRun) -> None:
        run.journal.emit(State.INIT, "state", "request received")
        self._enter(run, State.RECEIPT, self._receipt)
        self._enter(run, State.VALIDATION, self._validation)
        self._enter(run, State.PREPROCESSING, self._preprocessing)
        if run.results.echo is not None:
            self._enter(run, State.DETECTION, self._detection)
        self._enter(run, State.ANALYSIS, self._analysis)
        self._enter(run, State.FUSION, self._fusion)
        self._enter(run, State.SCORING, self._scoring)
        self._enter(run, State.FORMATTING, self._formatting)
        run.state.transition(State.COMPLETE)
        run.journal.emit(State.COMPLETE, "state", "finished")

    def _enter(self, run: ActiveRun, state: State, work: Callable[[ActiveRun], None]) -> None:
        run.cancel.check()
        self._hold(run, state)
        run.state.transition(state)
        run.journal.emit(state, "state", f"{state.name} started")
        run.journal.pump()
        start = time.perf_counter()
        try:
            work(run)
        finally:
            spent_ms = round(1000 * (time.perf_counter() - start))
            run.sealer.timings_ms[state.name] = spent_ms
        run.journal.emit(state, "state_done", f"{spent_ms} ms")
        run.journal.pump()
        self._tell(run, state)

    def _hold(self, run: ActiveRun, state: State) -> None:
        """Wait before a state while the reader has paused the run."""
        if run.cancel.is_paused:
            run.journal.emit(run.state.current, "paused", f"paused before {state.name}")
            run.journal.pump()
            run.cancel.hold()
            run.journal.emit(run.state.current, "continued", "goes on")

    def _tell(self, run: ActiveRun, state: State) -> None:
        """Hand on what exists so far; before anything is prepared, with the preview."""
        if self._on_results is None:
            return
        study = run.results.study()
        if run.preview is not None and state in (State.RECEIPT, State.VALIDATION):
            study = run.preview.beside(study)
        elif run.preview is not None:
            run.preview.end()
        self._on_results(study)

    def _receipt(self, run: ActiveRun) -> None:
        run.ledger.open(receive(run.request))
        crashed_inputs.warn(self._store, run.request, run.journal, run.cancel)

    def _validation(self, run: ActiveRun) -> None:
        given, request, limits = run.ledger.given, run.request, self._limits
        if run.results.resuming and self._restore_validation(run):
            return
        calls = {branch: self._validation_call(request, branch) for branch in given}
        found = run.work.side_by_side(State.VALIDATION, calls)
        files = tuple(file for branch in given for file in found.get(branch, ()))
        self._refuse_invalid(run, files)
        digests = {branch: input_digest(request, branch, limits, cancel=run.cancel) for branch in given}
        run.results.put("validation_result", {"digests": digests}, ValidationReport(files=files))
        run.sealer.save(run.journal, run.results, State.VALIDATION)

    def _restore_validation(self, run: ActiveRun) -> bool:
        try:
            digests = {b: input_digest(run.request, b, self._limits, cancel=run.cancel) for b in run.ledger.given}
        except RunCancelledError:
            raise
        except PipelineError:
            return False  # unreadable now: validation itself will say so, branch by branch
        if not run.results.restore("validation_result", {"digests": digests}):
            return False
        run.work.restored(State.VALIDATION, run.ledger.given)
        return True

    def _validation_call(self, request: CardiologyRequest, branch: Branch) -> StageCall:
        limits = self._limits
        if branch == "echo":
            return StageCall(name="validate_echo", arguments=EchoFiles(paths=request.echo_paths, limits=limits))
        if branch == "ecg" and request.ecg_path is not None:
            return StageCall(name="validate_ecg", arguments=EcgFile(path=request.ecg_path, limits=limits))
        facts = PatientFacts(path=request.metadata_path, given=request.metadata, limits=limits)
        return StageCall(name="validate_metadata", arguments=facts)

    def _refuse_invalid(self, run: ActiveRun, files: tuple[FileReport, ...]) -> None:
        """Specification 4.2: an invalid file ends the run; E_HARD_001 when no readable signal file is left."""
        failures = [f for f in (run.ledger.failure(b) for b in BRANCHES) if f is not None]
        if not failures:
            return
        problems = [p for f in failures for p in (f.errors if isinstance(f, ValidationError) else [(f.code, f.text)])]
        if not any(file.role in ("echo", "ecg") for file in files):
            text = "No readable echo clip or ECG. " + " ".join(text for _, text in problems)
            raise HardStopError(text, code="E_HARD_001", details=dict(problems))
        codes = {code for code, _ in problems}
        raise ValidationError(problems, code=codes.pop() if len(codes) == 1 else None)

    def _preprocessing(self, run: ActiveRun) -> None:
        report = run.results.get(ValidationReport, "validation_result")
        fresh = run.work.compute(State.PREPROCESSING, self._preparations(run, report))
        run.work.require_a_modality()
        fresh |= self._metadata(run, report)
        run.ledger.note_clips(run.results.echo, len(run.request.echo_paths))
        run.ledger.note_shortened(run.results.echo, run.results.ecg)
        self._save_if(run, State.PREPROCESSING, fresh)
        picture = thumbnail(run.results.study())
        if picture is not None:
            run.journal.write(lambda store: store.set_thumbnail(run.sealer.run_id, picture))

    def _preparations(self, run: ActiveRun, report: ValidationReport) -> list[Job]:
        request, limits = run.request, self._limits
        clips, ecg_files = report.of("echo"), report.of("ecg")
        jobs = []
        if clips:
            depends_on = {"files": file_hashes(clips), "facts": [asdict(each) for each in request.clip_facts]}
            given = EchoFiles(paths=request.echo_paths, limits=limits, files=clips, facts=request.clip_facts)
            call = StageCall(name="prepare_echo", arguments=given)
            jobs.append(Job(name="preprocessed_echo", branch="echo", depends_on=depends_on, call=call))
        if ecg_files and request.ecg_path is not None:
            depends_on = {"files": file_hashes(ecg_files)}
            parts = run.results.parts("preprocessed_ecg", depends_on, run.journal)
            file = EcgFile(path=request.ecg_path, limits=limits, files=ecg_files)
            call = StageCall(name="prepare_ecg", arguments=file, parts=parts)
            jobs.append(Job(name="preprocessed_ecg", branch="ecg", depends_on=depends_on, call=call))
        return jobs

    def _metadata(self, run: ActiveRun, report: ValidationReport) -> bool:
        """Metadata follow echo and ECG: their headers fill what was not given."""
        headers = patient_headers(run.results.echo, run.results.ecg)
        depends_on = {"files": file_hashes(report.of("metadata")), "headers": _header_keys(headers)}
        request = run.request
        facts = PatientFacts(path=request.metadata_path, given=request.metadata, limits=self._limits, headers=headers)
        call = StageCall(name="prepare_metadata", arguments=facts)
        job = Job(name="preprocessed_metadata", branch="metadata", depends_on=depends_on, call=call)
        fresh = run.work.compute(State.PREPROCESSING, [job])
        failure = run.ledger.failure("metadata")
        if failure is not None:
            raise failure
        return fresh

    def _detection(self, run: ActiveRun) -> None:
        prepared = run.results.echo
        assert prepared is not None
        depends_on = {"echo": run.results.key("preprocessed_echo"), "model": echo_model_key()}
        call = StageCall(name="detect_echo", arguments=PreparedClips(prepared=prepared))
        job = Job(name="detection_result", branch="echo", depends_on=depends_on, call=call)
        fresh = run.work.compute(State.DETECTION, [job])
        run.work.require_a_modality()
        run.ledger.note_detection(run.results.detected, len(prepared.cines))
        self._save_if(run, State.DETECTION, fresh)

    def _analysis(self, run: ActiveRun) -> None:
        fresh = run.work.compute(State.ANALYSIS, self._analyses(run))
        run.work.require_a_modality()
        run.ledger.note_analysis(run.results.echo_analysis, run.results.ecg)
        self._save_if(run, State.ANALYSIS, fresh)

    def _analyses(self, run: ActiveRun) -> list[Job]:
        results, ecg_path = run.results, run.request.ecg_path
        metadata, facts = results.metadata, results.content_key("preprocessed_metadata")
        prepared, detected, prepared_ecg = results.echo, results.detected, results.ecg
        jobs = []
        if prepared is not None and detected is not None:
            depends_on = {"detection": results.key("detection_result"), "metadata": facts}
            clips = DetectedClips(prepared=prepared, detected=detected, metadata=metadata)
            call = StageCall(name="analyse_echo", arguments=clips)
            jobs.append(Job(name="analysis_result.echo", branch="echo", depends_on=depends_on, call=call))
        if prepared_ecg is not None and ecg_path is not None:
            depends_on = {
                "ecg": results.key("preprocessed_ecg"),
                "metadata": facts,
                "models": ecg_models_key(),
            }
            parts = results.parts("analysis_result.ecg", depends_on, run.journal)
            files = results.get(ValidationReport, "validation_result").of("ecg")
            file = EcgFile(path=ecg_path, limits=self._limits, files=files)
            signal = PreparedSignal(prepared=prepared_ecg, metadata=metadata, file=file)
            call = StageCall(name="analyse_ecg", arguments=signal, parts=parts)
            jobs.append(Job(name="analysis_result.ecg", branch="ecg", depends_on=depends_on, call=call))
        return jobs

    def _fusion(self, run: ActiveRun) -> None:
        results = run.results
        headers = patient_headers(results.echo, results.ecg)
        try:
            run.fused = fuse_modalities(results.echo_analysis, results.ecg_analysis, results.metadata, headers)
        except (RunCancelledError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - specification 5.2: individual results are returned
            fault = error if isinstance(error, PipelineError) else as_fault(error, State.FUSION)
            text = f"The modalities could not be combined; each one's own results follow. {fault.text}"
            run.remarks.append(Remark(code=fault.code, text=text))
            run.journal.emit(State.FUSION, "warning", text, code=fault.code)

    def _scoring(self, run: ActiveRun) -> None:
        if run.fused is None:
            text = "No risk score was computed, because the modalities could not be combined."
            run.remarks.append(Remark(code="W_NO_SCORES", text=text))
            return
        run.risk = compute_risk(run.fused)

    def _formatting(self, run: ActiveRun) -> None:
        branches = run.ledger.results()
        run.body = format_result(run.results.study(), run.fused, run.risk, branches, tuple(run.remarks))

    def _save_if(self, run: ActiveRun, state: State, fresh: bool) -> None:
        if fresh:
            run.sealer.save(run.journal, run.results, state)


def _header_keys(headers: Mapping[str, PatientHeader]) -> dict[str, str]:
    return {name: content_key(header) for name, header in headers.items()}
