"""An open video file as OpenCV reads it, and what its header says where OpenCV says nothing."""

from __future__ import annotations

import io
import os
import re
from typing import BinaryIO

from pipeline.errors import InputError

DAMAGED = "The video file is damaged."
MAX_HEADER_BYTES = 16 << 20
MAX_BOXES = 100_000  # of a fragmented MP4: two for each fragment
SEEK_COST_BYTES = 4096  # OpenCV fills a buffer of this size after each seek

_AVI_STREAM = re.compile(rb"strh.{4}(?P<kind>[a-z]{4})(?:.{48,56}?strf.{20}(?P<codec>.{4}))?", re.DOTALL)
_MP4_STREAM = re.compile(rb"hdlr.{8}(?P<kind>[a-z]{4})(?:.{0,4096}?stsd.{12}(?P<codec>.{4}))?", re.DOTALL)


class VideoSource(io.BufferedIOBase):
    """Lends an open file to OpenCV.

    `read` and `seek` never raise: OpenCV would call on with a null pointer and end the process. The first
    error is kept and `check` raises it. OpenCV hands on only 32 bits of an offset, so that a header with a
    larger one leads to another place; lest it go round in circles, the bytes that may be asked for are limited.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._error: BaseException | None = None
        self.size_bytes = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._allowance_bytes = 64 * (self.size_bytes + (1 << 20))

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes; none at the end, and none after an error."""
        try:
            content = b"" if self._error is not None else self._file.read(size or 0)
            self._spend(max(len(content), 1))
        except BaseException as error:  # noqa: BLE001 - kept for `check`
            self._error = self._error or error
            return b""
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """The new position, or -1 where there is none such."""
        try:
            self._spend(SEEK_COST_BYTES)
            end = self.size_bytes if whence == os.SEEK_END else 0
            if self._error is not None or whence not in (os.SEEK_SET, os.SEEK_END) or end + offset < 0:
                return -1
            return self._file.seek(end + offset)
        except BaseException as error:  # noqa: BLE001 - kept for `check`
            self._error = self._error or error
            return -1

    def _spend(self, n_bytes: int) -> None:
        self._allowance_bytes -= n_bytes
        if self._allowance_bytes < 0:
            raise InputError(DAMAGED, code="E_INPUT_CORRUPT")

    def check(self) -> None:
        """Raise the first error that `read` or `seek` met."""
        if self._error is not None:
            raise self._error


def stream_tags(file: BinaryIO, container: str) -> tuple[tuple[str, str], ...]:
    """Kind ("vids", "auds"; "vide", "soun") and code of each stream that the header names, as far as it can be read."""
    header = _mp4_header(file) if container == "mp4" else _head(file)
    pattern = _MP4_STREAM if container == "mp4" else _AVI_STREAM
    found = [(match["kind"], match["codec"] or b"") for match in pattern.finditer(header)]
    return tuple((kind.decode("latin-1"), codec.decode("latin-1")) for kind, codec in found)


def is_fragmented(file: BinaryIO) -> bool:
    """Whether an MP4 file comes in fragments: its header then counts none of its frames."""
    return any(kind == b"moof" for kind, _, _ in _boxes(file))


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(MAX_HEADER_BYTES)


def _mp4_header(file: BinaryIO) -> bytes:
    for kind, start, end in _boxes(file):
        if kind == b"moov":
            file.seek(start)
            return file.read(min(end - start, MAX_HEADER_BYTES))
    return b""


def _boxes(file: BinaryIO) -> list[tuple[bytes, int, int]]:
    """Name, start and end of the boxes at the top of an MP4 file."""
    size_bytes, at = file.seek(0, os.SEEK_END), 0
    found: list[tuple[bytes, int, int]] = []
    while at + 8 <= size_bytes and len(found) < MAX_BOXES:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        end = size_bytes if length == 0 else at + length
        if end < at + 8:
            break
        found.append((head[4:8], at, min(end, size_bytes)))
        at = end
    return found
