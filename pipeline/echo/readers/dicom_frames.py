"""Where each frame lies in the pixel element, found before anything is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from pipeline.echo.readers.dicom_file import EXPLICIT_BIG, DicomFile
from pipeline.errors import InputError
from pipeline.gates import Limits, check_frames, guarded, reading

GREY = ("MONOCHROME1", "MONOCHROME2")
PALETTE = "PALETTE COLOR"
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT")
SUBSAMPLED = ("YBR_FULL_422", "YBR_PARTIAL_422")  # uncompressed: two pixels share their colour
ITEM, DELIMITER = 0xFFFEE000, 0xFFFEE0DD
RLE = "1.2.840.10008.1.2.5"
RLE_MAX_RATIO = 64  # two bytes of PackBits stand for at most 128
MAX_FRAGMENTS = 1_000_000
CODESTREAM_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP")

Span = tuple[int, int]  # (offset, length) in the stream


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelLayout:
    """The image pixel module of a header, checked."""

    n_frames: int
    height: int
    width: int
    samples: int
    photometric: str
    planar: int
    bits_allocated: int
    bits_stored: int
    is_signed: bool

    @property
    def is_colour(self) -> bool:
        """Decodes to RGB (palettes do)."""
        return self.photometric not in GREY

    @property
    def decoded_bytes_per_px(self) -> int:
        return 3 if self.is_colour else self.bits_allocated // 8


def read_layout(file: DicomFile, limits: Limits) -> PixelLayout:
    """The declared pixels, or why they cannot be read.

    Raises
    ------
    InputError
        E_INPUT_CORRUPT for nonsense, E_INPUT_UNSUPPORTED for what no rule covers.
    HardStopError
        E_HARD_004: more frames, pixels or bytes declared than `limits` allows.
    """
    ds = file.dataset
    with guarded("The description of the image in the DICOM header is damaged."):
        bits = int(ds.get("BitsAllocated", 0) or 0)
        layout = PixelLayout(
            n_frames=int(ds.get("NumberOfFrames", 1) or 1),
            height=int(ds.get("Rows", 0) or 0),
            width=int(ds.get("Columns", 0) or 0),
            samples=int(ds.get("SamplesPerPixel", 1) or 1),
            photometric=str(ds.get("PhotometricInterpretation", "")).strip(),
            planar=int(ds.get("PlanarConfiguration", 0) or 0),
            bits_allocated=bits,
            bits_stored=int(ds.get("BitsStored", bits) or bits),
            is_signed=bool(ds.get("PixelRepresentation", 0)),
        )
    check_frames(layout.n_frames, layout.height, layout.width, layout.decoded_bytes_per_px, limits)
    _require_readable(layout)
    return layout


def _require_readable(layout: PixelLayout) -> None:
    one = layout.photometric in (*GREY, PALETTE)
    if not one and layout.photometric not in COLOUR:
        raise InputError("The image's colour model is not supported.", code="E_INPUT_UNSUPPORTED")
    if layout.samples != (1 if one else 3) or layout.planar not in (0, 1):
        raise InputError("The image's samples and colour model contradict each other.", code="E_INPUT_CORRUPT")
    if layout.bits_allocated not in (8, 16):
        raise InputError("Only images of 8 or 16 bits a sample are supported.", code="E_INPUT_UNSUPPORTED")
    if not 1 <= layout.bits_stored <= layout.bits_allocated:
        raise InputError("The image's bit depth contradicts itself.", code="E_INPUT_CORRUPT")


def locate_frames(file: DicomFile, layout: PixelLayout) -> tuple[tuple[Span, ...], ...]:
    """Spans of the frames that are wholly in the file; they may be fewer or more than declared.

    Each frame is one or more spans to be joined. Raises InputError E_INPUT_TRUNCATED when there is none.
    """
    frames = _encapsulated(file, layout) if file.syntax.is_encapsulated else _native(file, layout)
    if not frames:
        raise InputError("The file ends before its first whole frame.", code="E_INPUT_TRUNCATED")
    return frames


def _native(file: DicomFile, layout: PixelLayout) -> tuple[tuple[Span, ...], ...]:
    samples_bytes = layout.height * layout.width * layout.samples * (layout.bits_allocated // 8)
    if layout.photometric == "YBR_PARTIAL_420":
        raise InputError("The image's colour model is not supported.", code="E_INPUT_UNSUPPORTED")
    length = samples_bytes * 2 // 3 if layout.photometric in SUBSAMPLED else samples_bytes
    swapped = file.syntax.uid == EXPLICIT_BIG and file.pixel_vr == "OW" and layout.bits_allocated == 8
    if swapped and length % 2 and layout.n_frames > 1:
        text = "Big-endian frames of an odd number of bytes are not supported."
        raise InputError(text, code="E_INPUT_UNSUPPORTED")
    # one more than declared is enough to tell that there are more
    n_whole = min(file.pixel_bytes // length, layout.n_frames + 1) if length else 0
    return tuple(((file.pixel_start + i * length, length),) for i in range(n_whole))


def _encapsulated(file: DicomFile, layout: PixelLayout) -> tuple[tuple[Span, ...], ...]:
    with reading():
        fragments = _fragments(file)
    if not fragments:
        return ()
    table, fragments = fragments[0], fragments[1:]
    frames = _grouped(file, layout, _offsets(file, table), fragments)
    if file.syntax.uid == RLE:
        frames = tuple(f for f in frames if _rle_can_hold(f, layout))
    return frames


def _fragments(file: DicomFile) -> list[Span]:
    """Every item that is wholly in the file, the offset table first."""
    spans: list[Span] = []
    at, end = file.pixel_start, file.pixel_start + file.pixel_bytes
    while at + 8 <= end and len(spans) < MAX_FRAGMENTS:
        file.stream.seek(at)
        group, element, length = struct.unpack("<HHL", file.stream.read(8))
        if (group << 16 | element) != ITEM or at + 8 + length > end:
            break  # the delimiter, damage, or a last item that is cut
        spans.append((at + 8, length))
        at += 8 + length
    return spans


def _offsets(file: DicomFile, table: Span) -> tuple[int, ...]:
    """Frame offsets from the basic or the extended offset table, () where there are none."""
    offset, length = table
    if length >= 4:
        file.stream.seek(offset)
        n = min(length // 4, MAX_FRAGMENTS)
        return struct.unpack(f"<{n}L", file.stream.read(n * 4))
    with guarded("The offset table of the DICOM file is damaged."):
        extended: Any = file.dataset.get("ExtendedOffsetTable")
        if not isinstance(extended, bytes):
            return ()
        n = min(len(extended) // 8, MAX_FRAGMENTS)
        return struct.unpack(f"<{n}Q", extended[: n * 8])


def _grouped(
    file: DicomFile, layout: PixelLayout, offsets: tuple[int, ...], fragments: list[Span]
) -> tuple[tuple[Span, ...], ...]:
    if len(fragments) <= layout.n_frames or file.syntax.uid == RLE:
        return tuple((span,) for span in fragments)
    first = fragments[0][0] - 8
    starts = {offset - 8 - first: i for i, (offset, _) in enumerate(fragments)}
    if len(offsets) == layout.n_frames and offsets[0] == 0 and all(o in starts for o in offsets):
        begins = [starts[o] for o in offsets]
    else:
        begins = [i for i, span in enumerate(fragments) if _starts_codestream(file.stream, span)]
    if not begins or begins[0] != 0 or begins != sorted(set(begins)):
        raise InputError("The frames in the file cannot be told apart.", code="E_INPUT_CORRUPT")
    ends = [*begins[1:], len(fragments)]
    return tuple(tuple(fragments[b:e]) for b, e in zip(begins, ends, strict=True))


def _starts_codestream(stream: BinaryIO, span: Span) -> bool:
    stream.seek(span[0])
    return stream.read(8).startswith(CODESTREAM_STARTS)


def _rle_can_hold(frame: tuple[Span, ...], layout: PixelLayout) -> bool:
    packed = sum(length for _, length in frame)
    needed = layout.height * layout.width * layout.samples * (layout.bits_allocated // 8)
    return needed <= packed * RLE_MAX_RATIO


def read_frame(stream: BinaryIO, frame: tuple[Span, ...]) -> bytes:
    """The packed bytes of one frame."""
    parts = []
    with reading():
        for offset, length in frame:
            stream.seek(offset)
            parts.append(stream.read(length))
    return b"".join(parts)
