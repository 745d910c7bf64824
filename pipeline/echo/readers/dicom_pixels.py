"""Decoding one frame of a DICOM file and turning its colour model into RGB or grey.

pydicom decodes with one named plugin; the size in the codestream is compared with the header first, so
that no decoder allocates more than the gates allowed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.echo.readers.dicom_file import DicomFile
from pipeline.echo.readers.dicom_frames import PALETTE, RLE, PixelLayout
from pipeline.errors import InputError
from pipeline.gates import guarded
from pipeline.records import Array

SOF_MARKERS = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7)  # F7: JPEG-LS
LONE_MARKERS = (0x01, *range(0xD0, 0xD9))


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameDecoder:
    """Decodes packed bytes to uint8 RGB, uint8 grey, or 16-bit grey that is still to be windowed."""

    file: DicomFile
    layout: PixelLayout
    palette: Array | None  # uint8 (n_entries, 3)

    def decode(self, packed: bytes) -> Array:
        """One frame: uint8 (height, width, 3), or uint8 | uint16 | int16 (height, width).

        Raises InputError E_INPUT_CORRUPT when the bytes are damaged.
        """
        with guarded("A frame of the DICOM file is damaged."):
            if self.file.syntax.is_encapsulated and self.file.syntax.uid != RLE:
                _require_size(packed, self.layout)
                _require_end(packed, self.file.syntax.plugin)
            values, photometric = _decoded(self.file, self.layout, packed)
            if self.palette is not None:
                return np.take(self.palette, values, axis=0, mode="clip")
            if self.layout.is_colour:
                return _to_rgb(_to_8_bits(values, self.layout.bits_stored), photometric)
            return values


def make_decoder(file: DicomFile, layout: PixelLayout) -> FrameDecoder:
    """A decoder for the frames of one file; builds the palette once."""
    palette = None
    if layout.photometric == PALETTE:
        with guarded("The colour palette of the DICOM file is damaged."):
            palette = _palette(file.dataset, layout.bits_stored)
    return FrameDecoder(file=file, layout=layout, palette=palette)


def _palette(dataset: Any, bits_stored: int) -> Array:
    """Colours of every pixel value, uint8 (2 ** bits_stored, 3)."""
    from pydicom.pixels import apply_color_lut

    values = np.arange(1 << bits_stored, dtype=np.uint16 if bits_stored > 8 else np.uint8)
    colours: Array = apply_color_lut(values.reshape(1, -1), dataset)[0, :, :3]
    if colours.dtype == np.uint8 or colours.max() < 256:  # some machines declare 16 bits and store 8
        return colours.astype(np.uint8)
    return (colours >> 8).astype(np.uint8)


def _decoded(file: DicomFile, layout: PixelLayout, packed: bytes) -> tuple[Array, str]:
    """Samples (height, width[, 3]) and the colour model that they are in after decoding."""
    from pydicom.encaps import encapsulate
    from pydicom.pixels import get_decoder

    photometric = layout.photometric
    if photometric.startswith("YBR_PARTIAL"):
        photometric = "YBR_FULL_422"  # the same packing; the range differs and is seen to in _to_rgb
    source = encapsulate([packed], has_bot=False) if file.syntax.is_encapsulated else packed
    uid = "1.2.840.10008.1.2.1" if file.syntax.label == "deflated" else file.syntax.uid
    values, properties = get_decoder(uid).as_array(
        source,
        decoding_plugin=file.syntax.plugin,
        as_rgb=False,
        rows=layout.height,
        columns=layout.width,
        number_of_frames=1,
        samples_per_pixel=layout.samples,
        photometric_interpretation=photometric,
        planar_configuration=layout.planar,
        pixel_representation=int(layout.is_signed),
        bits_allocated=layout.bits_allocated,
        bits_stored=layout.bits_stored,
        pixel_keyword="PixelData",
        pixel_vr=file.pixel_vr,
    )
    actual = str(properties["photometric_interpretation"])
    return values, layout.photometric if actual.startswith("YBR_FULL") else actual


# --- colour ------------------------------------------------------------------------------------------


def _to_8_bits(values: Array, bits_stored: int) -> Array:
    if values.dtype == np.uint8:
        return values
    return (values >> max(bits_stored - 8, 0)).astype(np.uint8)


def _to_rgb(values: Array, photometric: str) -> Array:
    """RGB of uint8 (height, width, 3) samples.

    Source: DICOM PS3.3 C.7.6.3.1.2 (ITU-R BT.601, full and partial range).
    """
    if not photometric.startswith(("YBR_FULL", "YBR_PARTIAL")):
        return values  # RGB, and JPEG 2000 whose decoder undoes its own transform
    partial = photometric.startswith("YBR_PARTIAL")
    luma_gain, chroma_gain, floor = (255 / 219, 255 / 224, 16) if partial else (1.0, 1.0, 0)
    luma = _LEVELS * luma_gain - floor * luma_gain
    chroma = (_LEVELS - 128) * chroma_gain
    y, cb, cr = luma[values[..., 0]], values[..., 1], values[..., 2]
    rgb = np.empty(values.shape, np.float32)
    rgb[..., 0] = y + (1.402 * chroma)[cr]
    rgb[..., 1] = y - (0.114 * 1.772 / 0.587 * chroma)[cb] - (0.299 * 1.402 / 0.587 * chroma)[cr]
    rgb[..., 2] = y + (1.772 * chroma)[cb]
    return np.clip(np.rint(rgb, out=rgb), 0, 255, out=rgb).astype(np.uint8)


_LEVELS = np.arange(256, dtype=np.float32)


def window_to_8_bits(
    frames: Array, window: tuple[float, float] | None, rescale: tuple[float, float], *, is_inverted: bool
) -> Array:
    """Grey frames (n_frames, height, width) of any depth as uint8.

    Deep frames go through the header's window (centre, width) after rescaling (slope, intercept), or,
    without a window, from their lowest to their highest value. Eight-bit frames stay as they are.
    `is_inverted` is MONOCHROME1. Source: DICOM PS3.3 C.11.2.1.2 (LINEAR).
    """
    if frames.dtype == np.uint8:
        return np.asarray(255 - frames) if is_inverted else frames
    slope, intercept = rescale
    if window is None:
        low, high = (float(v) * slope + intercept for v in (frames.min(), frames.max()))
        low, high = min(low, high), max(low, high)
    else:
        centre, width = window
        low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
    out = np.empty(frames.shape, np.uint8)
    for i, frame in enumerate(frames):
        grey = (frame * slope + (intercept - low)) * (255.0 / max(high - low, 1e-9))
        out[i] = np.clip(np.rint(grey), 0, 255)
    return np.asarray(255 - out) if is_inverted else out


# --- the size that the codestream declares -----------------------------------------------------------


def _require_size(packed: bytes, layout: PixelLayout) -> None:
    size = next((find(packed) for start, find in CODESTREAMS if packed.startswith(start)), None)
    if size != (layout.height, layout.width):
        raise InputError("A frame's own size contradicts the header.", code="E_INPUT_CORRUPT")


def _require_end(packed: bytes, plugin: str) -> None:
    """gdcm fills up a frame that is cut and says nothing; the others notice."""
    if plugin == "gdcm" and b"\xff\xd9" not in packed[-16:]:
        raise InputError("A frame is cut before its end.", code="E_INPUT_TRUNCATED")


def _jpeg_size(packed: bytes) -> tuple[int, int] | None:
    """(height, width) of the first frame header; raises struct.error at the end of the data."""
    at = 2
    while True:
        marker, kind = struct.unpack_from(">BB", packed, at)
        if marker != 0xFF:
            return None
        if kind == 0xFF or kind in LONE_MARKERS:
            at += 1 if kind == 0xFF else 2
            continue
        if kind in SOF_MARKERS:
            height, width = struct.unpack_from(">HH", packed, at + 5)
            return height, width
        at += 2 + max(struct.unpack_from(">H", packed, at + 2)[0], 2)


def _j2k_size(packed: bytes) -> tuple[int, int] | None:
    """(height, width) of the image area of a JPEG 2000 codestream's SIZ segment."""
    right, bottom, left, top = struct.unpack_from(">4L", packed, 8)
    (n_components,) = struct.unpack_from(">H", packed, 40)
    return None if n_components > 4 else (bottom - top, right - left)


def _jp2_size(packed: bytes) -> tuple[int, int] | None:
    """The same inside a JP2 wrapper, where the codestream follows some boxes."""
    at = packed.find(b"\xff\x4f\xff\x51", 0, 65536)
    return _j2k_size(packed[at:]) if at >= 0 else None


CODESTREAMS: tuple[tuple[bytes, Callable[[bytes], tuple[int, int] | None]], ...] = (
    (b"\xff\xd8", _jpeg_size),
    (b"\xff\x4f\xff\x51", _j2k_size),
    (b"\0\0\0\x0cjP", _jp2_size),
)
