"""What kind of DICOM object a file holds, by its first bytes.

Read by a few lines of our own, bounded and without recursion, since the window asks it of every file that is dropped
on it; the parsers proper run in worker processes.
Source: DICOM PS3.5 sections 7.1 and 7.5, PS3.10 section 7.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

PREAMBLE_BYTES = 132
_STORAGE = "1.2.840.10008.5.1.4.1.1"
ULTRASOUND_CLASSES = tuple(f"{_STORAGE}.{tail}" for tail in ("6", "6.1", "3", "3.1"))  # retired and current
ECG_CLASSES = tuple(f"{_STORAGE}.9.1.{tail}" for tail in ("1", "2", "3"))  # 12-lead, general, ambulatory
IMPLICIT, BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
_CLASS, _SYNTAX, _MODALITY = 0x00020002, 0x00020010, 0x00080060
_STUDY = 0x0020000D
LONGEST_UID = 64
_LONG_FORMS = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
_UNDEFINED = 0xFFFFFFFF
_FORMATS = {"US": "dicom-us", "ECG": "dicom-ecg"}


def storage_class(head: bytes) -> str:
    """The SOP class that the first bytes of a DICOM file name for it; empty where they do not."""
    return _meta(head)[0].get(_CLASS, "")


def _meta(head: bytes) -> tuple[dict[int, str], int]:
    """The elements of the file's meta group, and where it ends."""
    found: dict[int, str] = {}
    start = PREAMBLE_BYTES
    for tag, value, end in _elements(head, start, implicit=False, order="<"):
        if tag >> 16 != 2:
            break
        found[tag], start = _text(value), end
    return found, start


def format_of(head: bytes) -> str | None:
    """ "dicom-us", "dicom-ecg", or None for any other object and where the first bytes do not tell."""
    found, start = _meta(head)
    if found.get(_CLASS) in ULTRASOUND_CLASSES:
        return "dicom-us"
    if found.get(_CLASS) in ECG_CLASSES:
        return "dicom-ecg"
    syntax = found.get(_SYNTAX, "")
    if syntax == DEFLATED:  # not worth unpacking here
        return None
    order = ">" if syntax == BIG_ENDIAN else "<"
    for tag, value, _ in _elements(head, start, implicit=syntax == IMPLICIT, order=order):
        if tag >= _MODALITY:
            return _FORMATS.get(_text(value)) if tag == _MODALITY else None
    return None


def study_uid(head: bytes) -> str:
    """The Study Instance UID in the first bytes of a DICOM file; empty where they do not tell it."""
    found, start = _meta(head)
    syntax = found.get(_SYNTAX, "")
    if syntax == DEFLATED:
        return ""
    order, implicit = ">" if syntax == BIG_ENDIAN else "<", syntax == IMPLICIT
    for tag, value, end in _elements(head, start, implicit=implicit, order=order):
        if tag >= _STUDY:
            return _text(value) if tag == _STUDY else ""
        start = end
    return _found_study(head, start, implicit=implicit, order=order)


def _found_study(head: bytes, start: int, *, implicit: bool, order: str) -> str:
    """The same behind a sequence of undefined length, which is not walked: the element is looked for by its tag."""
    mark = struct.pack(f"{order}HH", _STUDY >> 16, _STUDY & 0xFFFF) + (b"" if implicit else b"UI")
    place = head.find(mark, start)
    if place < 0:
        return ""
    form = f"{order}I" if implicit else f"{order}H"
    body = place + len(mark) + struct.calcsize(form)
    if body > len(head):
        return ""
    (length,) = struct.unpack_from(form, head, place + len(mark))
    return _text(head[body : body + length]) if length <= LONGEST_UID else ""


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip(" \0")


def _elements(head: bytes, start: int, *, implicit: bool, order: str) -> Iterator[tuple[int, bytes, int]]:
    """Tag, value and end of each element, one after the other, as far as the bytes reach."""
    while start + 12 <= len(head):
        group, element = struct.unpack_from(f"{order}HH", head, start)
        if implicit:
            (length,), body = struct.unpack_from(f"{order}I", head, start + 4), start + 8
        elif head[start + 4 : start + 6] in _LONG_FORMS:
            (length,), body = struct.unpack_from(f"{order}I", head, start + 8), start + 12
        else:
            (length,), body = struct.unpack_from(f"{order}H", head, start + 6), start + 8
        if length == _UNDEFINED:
            return
        yield group << 16 | element, head[body : body + length], body + length
        start = body + length
