"""The doors that every input file passes before a parser sees it.

Order: exists, regular file, not empty, magic bytes, size, and in the readers the declared counts.
Nothing here trusts a file name, and no sentence holds one.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import threading
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.cancellation import CancelToken
from pipeline.dicom_kind import format_of
from pipeline.ecg_signatures import ECG_MAGICS
from pipeline.errors import HardStopError, InputError, PipelineError, TransientReadError
from pipeline.memory import is_out_of_memory

GIB = 1 << 30
CHUNK_BYTES = 1 << 20
HEAD_BYTES = 4096
DICOM_HEAD_BYTES = 1 << 16

TRANSIENT_ERRNOS = (
    errno.ESTALE,
    errno.EIO,
    errno.ETIMEDOUT,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes above which an input is refused with E_HARD_004. Each limit passes, one more fails."""

    max_file_bytes: int = 2 * GIB
    max_decoded_bytes: int = 3 * GIB
    max_frames: int = 20_000
    max_samples: int = 200_000_000
    max_frame_px: int = 1 << 26  # 8192 x 8192
    max_inflated_bytes: int = GIB // 2  # a deflated file that has to be unpacked in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file that passed the doors; `kind` is what its first bytes say (a name of MAGICS, or "unknown")."""

    path: Path
    size_bytes: int
    kind: str


# --- what the first bytes say ------------------------------------------------------------------------


def _is_nifti_header(head: bytes) -> bool:
    return head[344:348] == b"n+1\0" or head[4:12] == b"n+2\0\r\n\x1a\n"


def _is_gzipped_nifti(head: bytes) -> bool:
    if head[:2] != b"\x1f\x8b":
        return False
    try:
        return _is_nifti_header(zlib.decompressobj(31).decompress(head, 540))
    except zlib.error:
        return False


def _is_mp4(head: bytes) -> bool:
    return head[4:8] in (b"ftyp", b"moov") or (head[4:8] in (b"wide", b"free", b"skip") and b"mdat" in head[:64])


def _text_of(head: bytes) -> str | None:
    """The first bytes as text, or None where they are not text."""
    if b"\0" in head or not head.strip():
        return None
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    odd = sum(not (c.isprintable() or c in "\r\n\t") for c in text)
    return text if odd <= len(text) // 50 else None


_WFDB_RECORD_LINE = re.compile(r"^[\w\-]+(/\d+)?[ \t]+\d+([ \t]+[\d.eE+]+(/[-\d.eE+()]+)?([ \t]+\d+.*)?)?$")


def _is_wfdb_header(head: bytes) -> bool:
    text = _text_of(head)
    lines = [line.strip() for line in (text or "").splitlines() if line.strip() and not line.startswith("#")]
    return bool(lines) and "," not in lines[0] and bool(_WFDB_RECORD_LINE.match(lines[0]))


def _is_json(head: bytes) -> bool:
    text = _text_of(head)
    return text is not None and text.lstrip()[:1] in ("{", "[")


_NUMBER = re.compile(r"^[\"']?[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?[\"']?$|^(nan)?$", re.IGNORECASE)


def _is_table(head: bytes) -> bool:
    """Lines of numbers, one separator throughout, at most a few header lines."""
    text = _text_of(head)
    if text is None:
        return False
    lines = text.splitlines()
    if len(head) >= HEAD_BYTES and len(lines) > 1:
        lines = lines[:-1]  # the last one may be cut
    return any(_numeric_rows(lines, separator) for separator in (",", ";", "\t", None))


def _numeric_rows(lines: list[str], separator: str | None) -> bool:
    rows = [[cell.strip() for cell in line.split(separator)] for line in lines if line.strip()]
    numeric = [row for row in rows if any(row) and all(_NUMBER.match(cell) for cell in row)]
    return len(numeric) >= 2 and len(numeric) * 2 >= len(rows) and len({len(row) for row in numeric}) == 1


MAGICS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("dicom", lambda head: head[128:132] == b"DICM"),
    ("avi", lambda head: head[:4] == b"RIFF" and head[8:12] == b"AVI "),
    ("mp4", _is_mp4),
    ("nifti", lambda head: _is_nifti_header(head) or _is_gzipped_nifti(head)),
    *ECG_MAGICS,
    ("json", _is_json),
    ("wfdb", _is_wfdb_header),
    ("csv", _is_table),
)


def _kind_of(head: bytes) -> str:
    return next((kind for kind, matches in MAGICS if matches(head)), "unknown")


# --- the doors ---------------------------------------------------------------------------------------


def world_error(error: OSError) -> PipelineError:
    """The typed error of a failed open, read or stat: a network that may come back is told apart."""
    if isinstance(error, PipelineError):
        return error
    if error.errno in TRANSIENT_ERRNOS or isinstance(error, TimeoutError):
        return TransientReadError("The drive that holds a file did not answer.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
        return InputError("A file does not exist.", code="E_INPUT_MISSING")
    if error.errno in (errno.EACCES, errno.EPERM):
        return InputError("A file may not be read: permission is missing.", code="E_INPUT_UNREACHABLE")
    return InputError("A file could not be read.", code="E_INPUT_UNREACHABLE")


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Turn every OSError of the block into its typed error."""
    try:
        yield
    except OSError as error:
        raise world_error(error) from None


@contextlib.contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading; a FIFO, device, socket or folder is refused without waiting.

    A symbolic link is followed to the end and judged by what it leads to. The check is made on the open
    descriptor, so that the file cannot be exchanged in between.
    """
    with reading():
        _require_regular(path.stat().st_mode)  # before opening: to open a device can have effects
        # O_NONBLOCK: a FIFO that slips in between the two checks cannot make us wait
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            _require_regular(os.fstat(file.fileno()).st_mode)
            yield file


def _require_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        what = "folder" if stat.S_ISDIR(mode) else "device, pipe or socket"
        raise InputError(f"A {what} was given where a file is needed.", code="E_INPUT_KIND")


def check_file(path: Path, limits: Limits) -> InputFile:
    """Pass one path through the doors.

    Raises
    ------
    InputError
        E_INPUT_MISSING, E_INPUT_KIND (not a regular file), E_INPUT_EMPTY, E_INPUT_UNREACHABLE.
    HardStopError
        E_HARD_004: the file is larger than `limits.max_file_bytes`; nothing of it was parsed.
    TransientReadError
        A network drive did not answer.
    """
    with open_file(path) as file, reading():
        size_bytes = os.fstat(file.fileno()).st_size
        if size_bytes == 0:
            raise InputError("A file is empty.", code="E_INPUT_EMPTY")
        head = file.read(HEAD_BYTES)
    if size_bytes > limits.max_file_bytes:
        raise too_large(f"A file is larger than the limit of {limits.max_file_bytes / GIB:.3g} GiB.")
    return InputFile(path=path, size_bytes=size_bytes, kind=_kind_of(head))


def too_large(text: str) -> HardStopError:
    """The hard stop of an input over its limit."""
    return HardStopError(text, code="E_HARD_004")


def check_frames(n_frames: int, height: int, width: int, bytes_per_px: int, limits: Limits) -> None:
    """Refuse a clip whose declared size is nonsense (InputError) or over a limit (E_HARD_004).

    `bytes_per_px` counts all samples of a pixel as decoded.
    """
    if n_frames < 1 or height < 1 or width < 1:
        raise InputError("The image declares no frames or no pixels.", code="E_INPUT_CORRUPT")
    if n_frames > limits.max_frames:
        raise too_large(f"The clip declares more than {limits.max_frames} frames.")
    if height * width > limits.max_frame_px:
        raise too_large(f"The image declares more than {limits.max_frame_px >> 20} million pixels a frame.")
    if n_frames * height * width * bytes_per_px > limits.max_decoded_bytes:
        raise too_large(f"The clip would need more than {limits.max_decoded_bytes / GIB:.3g} GiB when decoded.")


def hash_files(paths: Iterable[Path], *, cancel: CancelToken | None = None) -> str:
    """SHA-256 in hex over the bytes of each file, one after the other in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        with open_file(path) as file, reading():
            while chunk := file.read(CHUNK_BYTES):
                if cancel is not None:
                    cancel.check()
                digest.update(chunk)
    return digest.hexdigest()


# --- parsers under guard -----------------------------------------------------------------------------


class ParserSilence:
    """Library warnings off while at least one parser works.

    `warnings.catch_warnings` alone is not safe when branches parse in several threads: the one that
    leaves last would restore the other's state. Parsers' warnings quote values of the file.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._saved: warnings.catch_warnings[None] | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.simplefilter("ignore")

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._saved is not None:
                self._saved.__exit__(None, None, None)
                self._saved = None


SILENCE = ParserSilence()


@contextlib.contextmanager
def guarded(text: str, *, code: str = "E_INPUT_CORRUPT") -> Iterator[None]:
    """Run a parser: whatever it raises on a hostile file becomes InputError(text), its warnings are dropped.

    Typed errors, MemoryError and OSErrors of the drive keep their meaning. The parser's own text is not
    kept, since it quotes values and paths.
    """
    try:
        with SILENCE:
            yield
    except (PipelineError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a parser may raise anything on a hostile file
        if isinstance(error, OSError) and error.errno in TRANSIENT_ERRNOS:
            raise world_error(error) from None
        if is_out_of_memory(error):
            raise MemoryError from None
        raise InputError(text, code=code) from None


def inflated(file: BinaryIO, limits: Limits) -> bytes:
    """The rest of a deflated DICOM file, unpacked; refused (E_HARD_004) as soon as it passes its limit."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    parts: list[bytes] = []
    total = 0
    with reading(), guarded("The deflated DICOM file is damaged."):
        while chunk := file.read(CHUNK_BYTES):
            while chunk:
                part = engine.decompress(chunk, CHUNK_BYTES)
                chunk = engine.unconsumed_tail
                total += len(part)
                if total > limits.max_inflated_bytes:
                    raise too_large(f"The deflated file unpacks to more than {limits.max_inflated_bytes >> 20} MiB.")
                parts.append(part)
    return b"".join(parts)


# --- the open dialog ---------------------------------------------------------------------------------


def sniff(path: Path) -> str | None:
    """Name the format of a file for the open dialog, or None where no reader takes it.

    Quick: reads the first bytes and calls no library. Returns a format
    name of `FileReport`: "dicom-us", "avi", "mp4", "nifti", "dicom-ecg", "json", or a kind of an ECG file
    ("matlab" for the samples of a WFDB record). Never raises for a bad file.
    """
    try:
        kind = check_file(path, Limits()).kind
        if kind == "dicom":
            return dicom_format(path)
    except PipelineError:
        return None
    if kind == "unknown" and path.suffix.lower() in (".dat", ".atr") and path.with_suffix(".hea").is_file():
        return "wfdb"
    return None if kind == "unknown" else kind


def dicom_format(path: Path) -> str | None:
    """Tell an ultrasound clip from an ECG and from any other DICOM object by SOP class and modality."""
    with open_file(path) as file, reading():
        return format_of(file.read(DICOM_HEAD_BYTES))
