"""Opening a DICOM file without trusting it: transfer syntax, bounded inflation, header, pixel element."""

from __future__ import annotations

import contextlib
import io
import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.dicom_kind import ECG_CLASSES, ULTRASOUND_CLASSES
from pipeline.errors import InputError
from pipeline.gates import Limits, guarded, inflated, open_file, reading

DEFLATED = "1.2.840.10008.1.2.1.99"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
UNDEFINED_LENGTH = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
MAX_VALUE_BYTES = 4 << 20  # a longer header value is skipped, not loaded; none that is used comes near
DAMAGED = "The header of the DICOM file is damaged."


@dataclass(frozen=True, slots=True, kw_only=True)
class Syntax:
    """How pixels are packed, and the one decoder that is let near them.

    A single decoder: pydicom would try the next one on damaged data, down to the least robust. JPEG-LS
    goes to gdcm, since pyjpegls can take ten seconds to refuse a damaged frame of a few kilobytes.
    """

    uid: str
    label: str
    plugin: str  # of pydicom; "" for uncompressed pixels

    @property
    def is_encapsulated(self) -> bool:
        return bool(self.plugin)


SYNTAXES: tuple[Syntax, ...] = (
    Syntax(uid=IMPLICIT_LITTLE, label="uncompressed", plugin=""),
    Syntax(uid=EXPLICIT_LITTLE, label="uncompressed", plugin=""),
    Syntax(uid=EXPLICIT_BIG, label="uncompressed, big endian", plugin=""),
    Syntax(uid=DEFLATED, label="deflated", plugin=""),
    Syntax(uid="1.2.840.10008.1.2.4.50", label="JPEG baseline", plugin="pillow"),
    Syntax(uid="1.2.840.10008.1.2.4.51", label="JPEG extended", plugin="pillow"),
    Syntax(uid="1.2.840.10008.1.2.4.57", label="JPEG lossless", plugin="gdcm"),
    Syntax(uid="1.2.840.10008.1.2.4.70", label="JPEG lossless", plugin="gdcm"),
    Syntax(uid="1.2.840.10008.1.2.4.80", label="JPEG-LS lossless", plugin="gdcm"),
    Syntax(uid="1.2.840.10008.1.2.4.81", label="JPEG-LS", plugin="gdcm"),
    Syntax(uid="1.2.840.10008.1.2.4.90", label="JPEG 2000 lossless", plugin="pylibjpeg"),
    Syntax(uid="1.2.840.10008.1.2.4.91", label="JPEG 2000", plugin="pylibjpeg"),
    Syntax(uid="1.2.840.10008.1.2.4.201", label="HTJ2K lossless", plugin="pylibjpeg"),
    Syntax(uid="1.2.840.10008.1.2.4.202", label="HTJ2K lossless", plugin="pylibjpeg"),
    Syntax(uid="1.2.840.10008.1.2.4.203", label="HTJ2K", plugin="pylibjpeg"),
    Syntax(uid="1.2.840.10008.1.2.5", label="RLE", plugin="pydicom"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomFile:
    """An open DICOM file: its header, and where the pixel element's value begins."""

    dataset: Any  # pydicom Dataset without pixel data
    syntax: Syntax
    stream: BinaryIO
    pixel_vr: str
    pixel_start: int  # offset of the value in `stream`
    pixel_bytes: int  # bytes from there to the end that the element declares, or to the end of the file


@contextlib.contextmanager
def open_dicom(path: Path, limits: Limits) -> Iterator[DicomFile]:
    """Open an ultrasound DICOM file up to its pixel data.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT, E_INPUT_KIND (another modality), E_INPUT_TRUNCATED (no pixel data),
        E_INPUT_UNSUPPORTED (transfer syntax).
    HardStopError
        E_HARD_004: a deflated file grows over `limits.max_inflated_bytes`.
    """
    logging.getLogger("pydicom").propagate = False  # its messages quote values of the file
    with open_file(path) as file:
        uid, sop_class = _read_meta(file)
        syntax = next((s for s in SYNTAXES if s.uid == uid), None)
        if syntax is None:
            text = "The DICOM file's pixels are packed in a way that is not supported."
            raise InputError(text, code="E_INPUT_UNSUPPORTED")
        stream = io.BytesIO(inflated(file, limits)) if uid == DEFLATED else file
        dataset = _read_header(stream, uid)
        _require_ultrasound(dataset, sop_class)
        vr, start, length = _pixel_element(stream, uid)
        yield DicomFile(
            dataset=dataset,
            syntax=syntax,
            stream=stream,
            pixel_vr=vr,
            pixel_start=start,
            pixel_bytes=length,
        )


def _read_meta(file: BinaryIO) -> tuple[str, str]:
    from pydicom.filereader import read_dataset, read_preamble

    with guarded(DAMAGED):
        read_preamble(file, force=False)
        meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
        return str(meta.get("TransferSyntaxUID", "")), str(meta.get("MediaStorageSOPClassUID", ""))


def _read_header(stream: BinaryIO, uid: str) -> Any:
    from pydicom.filereader import read_dataset

    with reading(), guarded(DAMAGED):
        return read_dataset(
            stream,
            uid == IMPLICIT_LITTLE,
            uid != EXPLICIT_BIG,
            stop_when=lambda tag, _vr, _length: tag in (0x7FE00008, 0x7FE00009, PIXEL_DATA),
            defer_size=MAX_VALUE_BYTES,
        )


def _require_ultrasound(dataset: Any, sop_class: str) -> None:
    with guarded(DAMAGED):
        modality = str(dataset.get("Modality", ""))
    if modality == "US" or sop_class in ULTRASOUND_CLASSES:
        return
    what = "an ECG" if modality == "ECG" or sop_class in ECG_CLASSES else "another kind of image or data"
    raise InputError(f"The DICOM file holds {what}, not an ultrasound clip.", code="E_INPUT_KIND")


def _pixel_element(stream: BinaryIO, uid: str) -> tuple[str, int, int]:
    """VR, start and available length of the pixel element at the stream's position."""
    order = ">" if uid == EXPLICIT_BIG else "<"
    with reading():
        head = stream.read(12)
        at = stream.tell() - len(head)
        end = stream.seek(0, io.SEEK_END)
    if len(head) < 8:
        raise InputError("The DICOM file holds no image, or ends before it.", code="E_INPUT_TRUNCATED")
    group, element = struct.unpack(f"{order}HH", head[:4])
    if (group << 16 | element) != PIXEL_DATA:
        raise InputError("The DICOM file holds no image that can be shown.", code="E_INPUT_UNSUPPORTED")
    if uid == IMPLICIT_LITTLE:
        vr, start, length = "OW", at + 8, struct.unpack("<L", head[4:8])[0]
    elif len(head) == 12:
        vr, start, length = head[4:6].decode("ascii", "replace"), at + 12, struct.unpack(f"{order}L", head[8:12])[0]
    else:
        raise InputError("The DICOM file ends before its image.", code="E_INPUT_TRUNCATED")
    available = max(end - start, 0)
    return vr, start, available if length == UNDEFINED_LENGTH else min(length, available)
