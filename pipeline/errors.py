"""The typed errors: each has a code and a plain sentence that a user may read.

Texts and details never hold patient data, file names or paths: they reach logs and reports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar


class PipelineError(Exception):
    """Something in the world went wrong: `code` for machines, `text` for people, `details` for both."""

    default_code: ClassVar[str] = "E_PIPELINE"

    def __init__(self, text: str, *, code: str | None = None, details: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.code = code or self.default_code
        self.details = dict(details or {})

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class InputError(PipelineError):
    """One input file cannot be read.

    Codes: E_INPUT_MISSING, _EMPTY, _KIND, _TRUNCATED, _CORRUPT, _UNSUPPORTED, _UNREACHABLE,
    _CRASHED_READER.
    """

    default_code = "E_INPUT_CORRUPT"


class ValidationError(PipelineError):
    """The study cannot be accepted; `errors` lists every reason as (code, sentence)."""

    default_code = "E_VALIDATION"

    def __init__(self, errors: Sequence[tuple[str, str]], *, code: str | None = None) -> None:
        super().__init__(" ".join(text for _, text in errors) or "The study is not valid.", code=code)
        self.errors = tuple(errors)


class QualityError(PipelineError):
    """A quality gate refused a modality. Codes: E_QUALITY_ECHO, E_QUALITY_ECG."""

    default_code = "E_QUALITY"


class DetectionError(PipelineError):
    """No heart chamber could be found in the echo."""

    default_code = "E_DETECTION"


class AnalysisError(PipelineError):
    """A modality was read but could not be measured."""

    default_code = "E_ANALYSIS"


class FusionError(PipelineError):
    """The modalities could not be combined."""

    default_code = "E_FUSION"


class HardStopError(PipelineError):
    """The run ends at once. Codes: E_HARD_001 no modality, _002 memory, _003 model, _004 input size."""

    default_code = "E_HARD_001"


class ModelError(PipelineError):
    """A model file could not be loaded; may be tried again (a damaged one is a HardStopError E_HARD_003)."""

    default_code = "E_MODEL_LOAD"


class StageTimeoutError(PipelineError, TimeoutError):
    """A stage passed its deadline."""

    default_code = "E_TIMEOUT"


class TransientReadError(PipelineError, OSError):
    """A network drive did not answer; the read may work when tried again."""

    default_code = "E_INPUT_UNREACHABLE"


class RetryExhaustedError(PipelineError):
    """Every attempt failed; `details` says which failure, how often and what was done in between."""

    default_code = "E_RETRY_EXHAUSTED"


class WorkerError(PipelineError):
    """A worker process could not be used. Codes: E_WORKER_START, E_WORKER_FOLDER, E_WORKER_CRASHED."""

    default_code = "E_WORKER_START"


class WorkerCrashError(PipelineError):
    """A worker process died, in the middle of a call (E_WORKER_CRASHED) or at its start (E_WORKER_START).

    `file` is the untrusted one that it was reading, if any.
    """

    default_code = "E_WORKER_CRASHED"

    def __init__(self, text: str, *, code: str | None = None, file: Path | None = None) -> None:
        super().__init__(text, code=code)
        self.file = file


class RunCancelledError(PipelineError):
    """The user stopped the run."""

    default_code = "E_CANCELLED"

    def __init__(self, text: str = "The run was cancelled.") -> None:
        super().__init__(text)


class StoreError(PipelineError):
    """The store cannot be used. Codes: E_STORE_NEWER, _DAMAGED, _LOCKED, _WRITE, _NOT_FOUND, _PASSPHRASE, _CIPHER."""

    default_code = "E_STORE_DAMAGED"


class EditError(PipelineError):
    """A change that a reader wished makes no sense for this study."""

    default_code = "E_EDIT"


class ReportError(PipelineError):
    """A report or an export could not be written."""

    default_code = "E_REPORT_WRITE"
