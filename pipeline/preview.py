"""Something to look at while a run begins: the first frame of its clip, read beside the run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from pipeline.cancellation import CancelToken, DeadlineToken, no_progress
from pipeline.executor import StageExecutor
from pipeline.gates import Limits
from pipeline.records import CardiologyRequest, EchoCine, StudyResults
from pipeline.retry import Attempt
from pipeline.stage_calls import EchoFiles, StageCall

DEADLINE_S = 5.0  # the clip's own reading waits in the same lane


class Preview:
    """Reads one frame in a thread of its own and tells it, unless the clip itself was there first.

    A preview is never measured, stored or journalled. One that fails is no matter: the run says what is wrong.
    """

    def __init__(
        self,
        executor: StageExecutor,
        request: CardiologyRequest,
        limits: Limits,
        cancel: CancelToken,
        tell: Callable[[StudyResults], None],
    ) -> None:
        self._executor, self._cancel, self._tell = executor, DeadlineToken(cancel, DEADLINE_S), tell
        self._files = EchoFiles(paths=request.echo_paths, limits=limits)
        self._cine: EchoCine | None = None
        self._is_over = False
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._read, name="preview", daemon=True)
        if request.has_echo:
            self._thread.start()

    def _read(self) -> None:
        call = StageCall(name="preview_echo", arguments=self._files)
        try:
            cine = self._executor.call(call, Attempt(), no_progress, self._cancel)
        except Exception:  # noqa: BLE001 - validation reads the same file and gives the typed error
            return
        with self._guard:
            if not self._is_over:
                self._cine = cine
                self._tell(StudyResults(cines=(cine,)))

    def beside(self, study: StudyResults) -> StudyResults:
        """The results with the preview, while they hold no clip of their own."""
        with self._guard:
            self._is_over = self._is_over or bool(study.cines)
            return study if self._is_over or self._cine is None else replace(study, cines=(self._cine,))

    def end(self) -> None:
        """The run has ended: nothing is told any more."""
        with self._guard:
            self._is_over = True
