"""Which file is what: an echo clip, an ECG, facts about the patient.

Nothing is left out silently: a file of no known kind goes to the pipeline by its name's ending, which then says why
it cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from pipeline.records import Branch

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


def role_of(path: Path, sniff: Sniff) -> Branch:
    """What a file that was opened by hand is taken for; one of no known kind by its name's ending."""
    return known_role(path, sniff) or dict(ENDINGS).get(path.suffix.casefold(), "echo")


def known_role(path: Path, sniff: Sniff) -> Branch | None:
    """What the content of a file says that it is; None where no reader takes it."""
    found = sniff(path)
    return None if found is None else dict(ROLES).get(found, "echo")


def without_companions(paths: Iterable[Path]) -> list[Path]:
    """Drop the signal and annotation files of a WFDB or MATLAB record whose header is among the paths."""
    listed = list(dict.fromkeys(paths))
    headers = {path.with_suffix("") for path in listed if path.suffix.casefold() == ".hea"}
    kept = (".hea", ".json")
    return [p for p in listed if p.suffix.casefold() in kept or p.with_suffix("") not in headers]
