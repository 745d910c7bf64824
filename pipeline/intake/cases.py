"""Sorts opened files, folders and DICOMDIR directories into studies.

Files opened together are one study. A folder is searched: the DICOM files of one study (by its instance UID) make
one, other files make one a folder; several ECGs of one folder are studies of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.errors import PipelineError
from pipeline.executor import StageExecutor
from pipeline.gates import Limits, check_file
from pipeline.intake.dicom_studies import directory_files, is_directory_file, study_of
from pipeline.intake.roles import Sniff, known_role, role_of, without_companions
from pipeline.intake.search import search
from pipeline.records import Branch, CardiologyRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The studies that the opened places hold, in order, and what must be said about the rest."""

    requests: tuple[CardiologyRequest, ...] = ()
    problem: str | None = None  # why there is none
    notes: tuple[str, ...] = ()  # what was passed over


def sort_places(
    places: Sequence[Path],
    sniff: Sniff,
    *,
    executor: StageExecutor | None = None,
    progress: Progress = no_progress,
    cancel: CancelToken | None = None,
) -> Intake:
    """Sort what was opened or dropped: files, folders, DICOMDIR files.

    Only the listing of a DICOMDIR needs a parser: it is read by the executor, or without one in this thread.

    Raises
    ------
    RunCancelledError
        The search was cancelled.
    """
    cancel = cancel or CancelToken()
    folders = [place for place in dict.fromkeys(places) if place.is_dir()]
    listings = [place for place in dict.fromkeys(places) if not place.is_dir() and is_directory_file(place)]
    if not folders and not listings:
        return sort_files(places, sniff)
    files = [place for place in places if place not in (*folders, *listings)]
    opened = sort_files(files, sniff) if files else Intake()
    found = search(folders, cancel)
    for listing in listings:
        found = found.joined(directory_files(listing, executor, cancel))
    studies = group(found.files, sniff, progress, cancel)
    requests = (*opened.requests, *studies)
    notes = (*([opened.problem] if opened.problem else []), *found.notes)
    problem = None if requests else "No file there is an echo clip or an ECG that can be read."
    return Intake(requests=requests, problem=problem, notes=notes)


def sort_files(paths: Sequence[Path], sniff: Sniff) -> Intake:
    """Sort files that were opened together into one study of clips, an ECG and metadata."""
    sorted_paths: dict[Branch, list[Path]] = {"echo": [], "ecg": [], "metadata": []}
    for path in dict.fromkeys(paths):
        sorted_paths[role_of(path, sniff)].append(path)
    ecgs = without_companions(sorted_paths["ecg"])
    facts = sorted_paths["metadata"]
    for n_found, noun in ((len(ecgs), "ECG"), (len(facts), "metadata file")):
        if n_found > 1:
            text = f"A study holds one {noun}; {n_found} were opened together. Open one of them, or their folder."
            return Intake(problem=text)
    if not any(sorted_paths.values()):
        return Intake(problem="No file was opened.")
    return Intake(requests=(_request(sorted_paths["echo"], ecgs, facts),))


def group(
    files: Iterable[Path], sniff: Sniff, progress: Progress = no_progress, cancel: CancelToken | None = None
) -> tuple[CardiologyRequest, ...]:
    """The studies of the files of searched folders; files that no reader takes are left aside."""
    listed = without_companions(files)
    groups: dict[tuple[Path, str], dict[Branch, list[Path]]] = {}
    for place, path in enumerate(listed, start=1):
        if cancel is not None:
            cancel.check()
        role = known_role(path, sniff) if _may_be_study(path) else None
        progress(place / len(listed), f"{place} of {len(listed)} files")
        if role is not None:
            study = study_of(path) if role != "metadata" else ""
            groups.setdefault((path.parent, study), {}).setdefault(role, []).append(path)
    joined = _join_folders(groups)
    return tuple(request for part in joined for request in _studies(part))


def _may_be_study(path: Path) -> bool:
    """Lists of numbers without an ending, such as a data base's index of records, are not taken for signals."""
    return bool(path.suffix) or not _is_text(path)


def _is_text(path: Path) -> bool:
    try:
        return check_file(path, Limits()).kind in ("csv", "wfdb", "json")
    except PipelineError:
        return False


def _join_folders(
    groups: Mapping[tuple[Path, str], Mapping[Branch, list[Path]]],
) -> list[Mapping[Branch, list[Path]]]:
    """One group for each DICOM study over all folders; the rest of a folder joins its only study."""
    studies: dict[str, dict[Branch, list[Path]]] = {}
    folders: dict[Path, set[str]] = {}
    rests: dict[Path, Mapping[Branch, list[Path]]] = {}
    for (folder, study), roles in groups.items():
        if not study:
            rests[folder] = roles
            continue
        folders.setdefault(folder, set()).add(study)
        _extend(studies.setdefault(study, {}), roles)
    alone: list[Mapping[Branch, list[Path]]] = []
    for folder, roles in rests.items():
        here = folders.get(folder, set())
        if len(here) == 1:
            _extend(studies[next(iter(here))], roles)
        else:
            alone.append(roles)
    return [*studies.values(), *alone]


def _extend(group_: dict[Branch, list[Path]], more: Mapping[Branch, list[Path]]) -> None:
    for role, paths in more.items():
        group_.setdefault(role, []).extend(paths)


def _studies(roles: Mapping[Branch, list[Path]]) -> Iterable[CardiologyRequest]:
    """One study, or with several ECGs one a record: which belongs to the clips is not known."""
    echo, ecgs, facts = (list(roles.get(role, ())) for role in ("echo", "ecg", "metadata"))
    if not echo and not ecgs:
        return
    if len(ecgs) <= 1:
        yield _request(echo, ecgs, facts if len(facts) == 1 else [])
        return
    if echo:
        yield _request(echo, [], facts if len(facts) == 1 else [])
    by_stem = {fact.stem: fact for fact in facts}
    for ecg in ecgs:
        own = by_stem.get(ecg.stem)
        yield _request([], [ecg], [own] if own else [])


def _request(echo: Sequence[Path], ecgs: Sequence[Path], facts: Sequence[Path]) -> CardiologyRequest:
    request = CardiologyRequest(echo_paths=tuple(echo))
    if ecgs:
        request = replace(request, ecg_path=ecgs[0])
    return replace(request, metadata_path=facts[0]) if facts else request
