"""The container of SCP-ECG (EN 1064, ISO 11073-91064): a record of sections, each with a check sum of its own."""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.records import Remark

RECORD_HEAD = struct.Struct("<HI")  # check sum, size of the record
SECTION_HEAD = struct.Struct("<HHIBB6x")  # check sum, id, length, section version, protocol version
POINTER = struct.Struct("<HII")  # id, length, index counted from 1
FIRST = RECORD_HEAD.size
KNOWN_IDS = range(1, 12)  # sections of other numbers are the manufacturer's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """Bodies of the sections by their id, without their headers."""

    bodies: dict[int, bytes]
    protocol: int  # 13 to 30, the version times ten
    remarks: tuple[Remark, ...]

    def required(self, number: int) -> bytes:
        """The body of a section; raises InputError E_INPUT_UNSUPPORTED where it is missing."""
        if number not in self.bodies:
            raise InputError(f"The SCP-ECG file has no section {number}, without which no ECG can be read.",
                             code="E_INPUT_UNSUPPORTED")  # fmt: skip
        return self.bodies[number]


def read_sections(record: bytes) -> Sections:
    """Split a record and check every section that is used.

    Raises
    ------
    InputError
        E_INPUT_TRUNCATED (shorter than declared), E_INPUT_CORRUPT (check sum of a section, sections that overlap, lie
        outside the record or are not where section 0 says).
    """
    crc, size = RECORD_HEAD.unpack_from(record) if len(record) >= FIRST + SECTION_HEAD.size else (0, 0)
    if size < FIRST + SECTION_HEAD.size:
        raise InputError("The SCP-ECG file is too short.", code="E_INPUT_TRUNCATED")
    if size > len(record):
        raise InputError("The SCP-ECG file is shorter than it declares.", code="E_INPUT_TRUNCATED")
    record = record[:size]
    first = SECTION_HEAD.unpack_from(record, FIRST)
    index = _section(record, 0, FIRST, first[2])
    pointers = [POINTER.unpack_from(index, at) for at in range(0, len(index) - POINTER.size + 1, POINTER.size)]
    used = [(number, place - 1, length) for number, length, place in pointers if number in KNOWN_IDS and length]
    _check_places([(FIRST, FIRST + first[2]), *((start, start + length) for _, start, length in used)], size)
    if len({number for number, _, _ in used}) != len(used):
        raise InputError("The SCP-ECG file holds a section twice.")
    remarks = []
    if binascii.crc_hqx(record[2:], 0xFFFF) != crc:
        text = "The check sum of the whole SCP-ECG file does not fit; those of the parts that are used do."
        remarks.append(Remark(code="W_ECG_CHECKSUM", text=text))
    bodies = {number: _section(record, number, start, length) for number, start, length in used}
    return Sections(bodies=bodies, protocol=first[4], remarks=tuple(remarks))


def _check_places(places: list[tuple[int, int]], size: int) -> None:
    end = 0
    for start, stop in sorted(places):
        if start < end or stop - start < SECTION_HEAD.size or stop > size:
            raise InputError("Sections of the SCP-ECG file overlap or lie outside the file.")
        end = stop


def _section(record: bytes, number: int, start: int, length: int) -> bytes:
    """The body of one section, after its header and check sum were compared."""
    whole = record[start : start + length]
    if len(whole) != length or length < SECTION_HEAD.size:
        raise InputError("A section of the SCP-ECG file lies outside the file.")
    crc, own_number, own_length, _, _ = SECTION_HEAD.unpack_from(whole)
    if (own_number, own_length) != (number, length):
        raise InputError("A section of the SCP-ECG file is not where the file says.")
    if binascii.crc_hqx(whole[2:], 0xFFFF) != crc:
        raise InputError("The check sum of a section of the SCP-ECG file does not fit: the file is damaged.")
    return whole[SECTION_HEAD.size :]
