"""XML files of ECG recorders, parsed without what a hostile document could abuse.

Entities are never declared, expanded or fetched; a DOCTYPE may name its DTD (MUSE exports do) but holds nothing.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from pipeline.errors import InputError
from pipeline.gates import Limits, check_file, open_file, reading, too_large
from pipeline.records import Array

MAX_XML_BYTES = 64 << 20
MAX_DEPTH = 64
MAX_ELEMENTS = 2_000_000
_NUMBERS = re.compile(r"\s*+(?:[-+]?+(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?+\d++)?+(?:\s++|$))*+", re.ASCII)


class _Builder:
    """Feeds a TreeBuilder with local names and counts what it is given."""

    def __init__(self) -> None:
        self.tree = TreeBuilder()
        self.depth = 0
        self.n_elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.n_elements += 1
        if self.depth > MAX_DEPTH or self.n_elements > MAX_ELEMENTS:
            raise InputError("The XML file is nested too deeply, or has far too many elements.")
        self.tree.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(self, name: str) -> None:
        self.depth -= 1
        self.tree.end(_local(name))

    @staticmethod
    def doctype(_name: str, _system: str | None, _public: str | None, has_internal_subset: int) -> None:
        if has_internal_subset:
            _refuse()


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refuse(*_: object) -> None:
    raise InputError("The XML file declares entities of its own, which is not safe to read.")


def read_xml(path: Path, limits: Limits) -> Element:
    """The root of a document, with local names instead of namespaces.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT (not well formed, entities, nested over MAX_DEPTH, over MAX_ELEMENTS),
        E_INPUT_TRUNCATED (ends inside an element).
    HardStopError
        E_HARD_004: the file is larger than MAX_XML_BYTES.
    """
    size_bytes = check_file(path, limits).size_bytes
    if size_bytes > MAX_XML_BYTES:
        raise too_large(f"An XML file is larger than the limit of {MAX_XML_BYTES >> 20} MiB.")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.tree.data
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.EntityDeclHandler = _refuse
    parser.SkippedEntityHandler = _refuse
    with open_file(path) as file, reading():
        raw = file.read(size_bytes)
    try:
        parser.Parse(raw, True)
        return builder.tree.close()
    except expat.ExpatError as error:
        if builder.depth > 0 and error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]:
            raise InputError("The XML file ends before its last element.", code="E_INPUT_TRUNCATED") from None
        raise InputError("The XML file is damaged or ends too early.") from None
    except (ValueError, LookupError, AssertionError):  # an unknown encoding, or a tree without an end
        raise InputError("The XML file is damaged or ends too early.") from None


# --- what stands in it -------------------------------------------------------------------------------


def text_of(element: Element | None, path: str = "") -> str:
    """Text at `path` below the element, cleaned; empty where there is none."""
    found = element.find(path) if element is not None and path else element
    return "" if found is None else "".join(found.itertext()).strip()


def attribute(element: Element | None, name: str) -> str:
    """An attribute, cleaned; empty where there is none."""
    return "" if element is None else element.get(name, "").strip()


def number_in(text: str, what: str) -> float:
    """A finite number; raises InputError "The ECG file gives no usable <what>." for anything else."""
    value = optional_number(text)
    if value is None:
        raise InputError(f"The ECG file gives no usable {what}.")
    return value


def optional_number(text: str) -> float | None:
    """A finite number, or None."""
    with contextlib.suppress(ValueError, OverflowError):
        value = float(text)
        if np.isfinite(value):
            return value
    return None


def whole_in(text: str, what: str) -> int:
    """A whole number of at most 15 digits; raises InputError for anything else."""
    if not re.fullmatch(r"[-+]?\d{1,15}", text, re.ASCII):
        raise InputError(f"The ECG file gives no usable {what}.")
    return int(text)


def numbers_in(text: str) -> Array:
    """Numbers separated by white space, float64 (n,); raises InputError where anything else stands between."""
    if not _NUMBERS.fullmatch(text):
        raise InputError("The samples of the ECG file are no list of numbers.")
    return np.fromstring(text, np.float64, sep=" ")


def bytes_in(text: str) -> bytes:
    """Base64 decoded strictly: white space is allowed, any other foreign character or a wrong length is not."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InputError("The samples of the ECG file are damaged: they are no valid Base64.") from None


def iso_time(text: str, *formats: str) -> str | None:
    """A time as ISO text by the first format that fits, or None."""
    for each in formats:
        with contextlib.suppress(ValueError):
            return datetime.strptime(text, each).isoformat()
    return None


def iso_date(text: str, *formats: str) -> str | None:
    """A date as ISO text by the first format that fits, or None."""
    found = iso_time(text, *formats)
    return None if found is None else found[:10]
