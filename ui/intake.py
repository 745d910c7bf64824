"""From files that were opened or dropped to a request. Knows no Qt.

Nothing is left out silently: a file of no known kind goes to the pipeline by its name's ending, which then says why
it cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.records import Branch, CardiologyRequest

Sniff = Callable[[Path], str | None]
ROLES: tuple[tuple[str, Branch], ...] = (  # format -> role
    ("dicom-us", "echo"),
    ("avi", "echo"),
    ("mp4", "echo"),
    ("nifti", "echo"),
    ("dicom-ecg", "ecg"),
    ("wfdb", "ecg"),
    ("matlab", "ecg"),
    ("edf", "ecg"),
    ("scp-ecg", "ecg"),
    ("hl7-aecg", "ecg"),
    ("ge-muse", "ecg"),
    ("philips-sierra", "ecg"),
    ("ishne", "ecg"),
    ("csv", "ecg"),
    ("json", "metadata"),
)
ENDINGS: tuple[tuple[str, Branch], ...] = (  # where the content does not tell
    (".json", "metadata"),
    (".hea", "ecg"),
    (".dat", "ecg"),
    (".edf", "ecg"),
    (".bdf", "ecg"),
    (".scp", "ecg"),
    (".xml", "ecg"),
    (".ecg", "ecg"),
    (".mat", "ecg"),
    (".csv", "ecg"),
    (".txt", "ecg"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The request that the files make, or why they make none."""

    request: CardiologyRequest | None
    problem: str | None = None


def sort_files(paths: Sequence[Path], sniff: Sniff) -> Intake:
    """Sort files into echo clips, an ECG and metadata."""
    sorted_paths: dict[Branch, list[Path]] = {"echo": [], "ecg": [], "metadata": []}
    for path in dict.fromkeys(paths):
        sorted_paths[_role(path, sniff)].append(path)
    ecgs = _without_companions(sorted_paths["ecg"])
    facts = sorted_paths["metadata"]
    if len(ecgs) > 1:
        return Intake(
            request=None, problem=f"A study holds one ECG; {len(ecgs)} were opened together. Open one of them."
        )
    if len(facts) > 1:
        return Intake(
            request=None,
            problem=f"A study holds one metadata file; {len(facts)} were opened together. Open one of them.",
        )
    if not any(sorted_paths.values()):
        return Intake(request=None, problem="No file was opened.")
    request = CardiologyRequest(
        echo_paths=tuple(sorted_paths["echo"]),
        ecg_path=ecgs[0] if ecgs else None,
        metadata_path=facts[0] if facts else None,
    )
    return Intake(request=request)


def _role(path: Path, sniff: Sniff) -> Branch:
    found = sniff(path)
    if found is not None:
        return dict(ROLES).get(found, "echo")
    return dict(ENDINGS).get(path.suffix.casefold(), "echo")


def _without_companions(paths: list[Path]) -> list[Path]:
    """Drop the signal files of a WFDB record whose header was opened as well."""
    headers = {path.with_suffix("") for path in paths if path.suffix.casefold() == ".hea"}
    kept: dict[Path, Path] = {}
    for path in paths:
        stem = path.with_suffix("")
        if stem in headers and path.suffix.casefold() != ".hea":
            continue
        kept.setdefault(path, path)
    return list(kept)


def describe(request: CardiologyRequest | None) -> str:
    """What a request holds, without a name: "2 echo clips + ECG"."""
    if request is None:
        return ""
    n_clips = len(request.echo_paths)
    parts = (
        "" if n_clips == 0 else "Echo" if n_clips == 1 else f"{n_clips} echo clips",
        "ECG" if request.has_ecg else "",
        "metadata" if request.has_metadata else "",
    )
    return " + ".join(part for part in parts if part)
