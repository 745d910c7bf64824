"""PREPROCESSING: decode, bring to mV, mm and seconds, filter, pass the quality gates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.cancellation import CancelToken, Progress
from pipeline.errors import InputError, QualityError
from pipeline.gates import Limits
from pipeline.parts import Parts
from pipeline.records import (
    CardiologyRequest,
    ClipFacts,
    EchoCine,
    FileReport,
    Metadata,
    PatientHeader,
    PreparedEcg,
    PreparedEcho,
    Remark,
)

ENDED_ITS_READER = "Reading the file ended the reading process, twice. It may be damaged or hostile."


def prepare_echo(
    paths: tuple[Path, ...],
    files: tuple[FileReport, ...],
    limits: Limits,
    facts: tuple[ClipFacts, ...] = (),
    *,
    left_out: tuple[int, ...] = (),
    progress: Progress,
    cancel: CancelToken,
) -> PreparedEcho:
    """Every clip decoded, cropped and judged; `facts` is what the user says of the clips, in their order.

    The clips at the positions `left_out` are not opened: each has ended the process that read it. One refused clip
    among several becomes a remark. When none is left its InputError or QualityError is raised.
    """
    from pipeline.echo.clip_facts import with_facts
    from pipeline.echo.preprocessing import prepare_clip
    from pipeline.echo.readers import read_echo

    cines, remarks, last = [], [], None
    told = dict(enumerate(facts))
    for number, (path, file) in enumerate(zip(paths, files, strict=True)):

        def part(fraction: float, text: str, number: int = number) -> None:
            progress((number + fraction) / len(paths), text)

        part(0.0, f"clip {number + 1} of {len(paths)} is read")
        try:
            if number in left_out:
                raise InputError(ENDED_ITS_READER, code="E_INPUT_CRASHED_READER")
            clip = with_facts(read_echo(path, limits, progress=part, cancel=cancel), told.get(number))
            cines.append(prepare_clip(clip, file.sha256, cancel=cancel))
        except (InputError, QualityError) as error:
            last = error
            remarks.append(Remark(code=error.code, text=f"Echo clip {number + 1} was left out. {error.text}"))
    if last is not None and not cines:
        raise last
    return PreparedEcho(cines=tuple(cines), remarks=tuple(remarks))


def preview_echo(paths: tuple[Path, ...], limits: Limits, *, cancel: CancelToken) -> EchoCine:
    """The first frame of the first clip that can be read, cut to its sector: something to look at while a run begins.

    It is shown and never measured. Raises the InputError or QualityError of the last clip when none can be read.
    """
    from pipeline.echo.preprocessing import prepare_clip
    from pipeline.echo.readers import read_echo

    last: InputError | QualityError | None = None
    for path in paths:
        try:
            return prepare_clip(read_echo(path, limits, cancel=cancel, most_frames=1), "", cancel=cancel)
        except (InputError, QualityError) as error:
            last = error
    raise last or InputError("There is no clip to look at.", code="E_INPUT_MISSING")


def prepare_ecg(
    path: Path,
    files: tuple[FileReport, ...],
    limits: Limits,
    *,
    parts: Parts,
    progress: Progress,
    cancel: CancelToken,
) -> PreparedEcg:
    """The ECG in mV, filtered; QualityError E_QUALITY_ECG when nothing of it can be used.

    Of a record of many hours whose file can be read piece by piece, the samples stay in the file.
    """
    from pipeline.ecg.long_preparation import is_long, prepare_long
    from pipeline.ecg.preprocessing import prepare_ecg as prepare
    from pipeline.ecg.readers import read_ecg
    from pipeline.ecg.readers.stream import open_stream

    stream = open_stream(path, files[0], limits)
    if stream is not None and is_long(stream):
        return prepare_long(stream, files[0].sha256, parts=parts, progress=progress, cancel=cancel)

    def reading(fraction: float, text: str) -> None:
        progress(fraction * 0.5, text)

    def filtering(fraction: float, text: str) -> None:
        progress(0.5 + fraction * 0.5, text)

    record = read_ecg(path, limits, progress=reading, cancel=cancel)
    return prepare(record, files[0].sha256, progress=filtering, cancel=cancel)


def patient_headers(echo: PreparedEcho | None, ecg: PreparedEcg | None) -> dict[str, PatientHeader]:
    """What each file says of its patient, by the name that reports use for the file."""
    headers = {f"echo header {n + 1}": cine.header for n, cine in enumerate(echo.cines if echo else ())}
    if ecg is not None:
        headers["ecg header"] = ecg.record.header
    return headers


def prepare_metadata(request: CardiologyRequest, limits: Limits, headers: Mapping[str, PatientHeader]) -> Metadata:
    """The facts given, normalised, with what the headers add."""
    from pipeline.clinical.metadata import normalise_metadata, read_metadata_file

    raw = read_metadata_file(request.metadata_path, limits) if request.metadata_path else request.metadata
    return normalise_metadata(raw, headers)
