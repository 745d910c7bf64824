"""Files that lie, made on the spot: what the rows of `tests.hostile.attacks` are made of."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.unit.ecg import ecg_files
from tests.unit.echo import reader_phantoms as phantoms

Maker = Callable[[Path], Path]
RLE, DEFLATED = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1.99"


# --- echo --------------------------------------------------------------------------------------------


def rle_claim(side: int) -> Maker:
    def make(folder: Path) -> Path:
        packed = [phantoms.rle(phantoms.fan_frames(1)[0])]
        return phantoms.packed_dicom(folder / "a.dcm", packed, (1, side, side), "MONOCHROME2", RLE)

    return make


def dicom(**tags: Any) -> Maker:
    return lambda folder: phantoms.dicom(folder / "a.dcm", phantoms.fan_frames(6), **tags)


def zeros(n_bytes: int) -> bytes:
    """A raw deflate stream of zeros, one block compressed and repeated."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = engine.compress(bytes(4 << 20)) + engine.flush(zlib.Z_FULL_FLUSH)
    return block * (n_bytes >> 22)


def deflate_bomb(folder: Path) -> Path:
    path = phantoms.dicom(folder / "a.dcm", phantoms.fan_frames(2), syntax=DEFLATED)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(DEFLATED.encode()) + 22] + zeros(1100 << 20))
    return path


def edited(make: Maker, edit: Callable[[bytes], bytes]) -> Maker:
    """The file of another maker with its bytes changed."""

    def made(folder: Path) -> Path:
        path = make(folder)
        path.write_bytes(edit(path.read_bytes()))
        return path

    return made


def nested(content: bytes) -> bytes:
    start = content.index(struct.pack("<HH", 8, 0x16))
    return content[:start] + b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 3000


def region(*delta_cm: float) -> Maker:
    def make(folder: Path) -> Path:
        item = phantoms.region((0, 0, 95, 127), (delta_cm[0], delta_cm[1]))
        return phantoms.dicom(folder / "a.dcm", phantoms.fan_frames(6), SequenceOfUltrasoundRegions=[item])

    return make


def odd_vr(content: bytes) -> bytes:
    """Rows as a text of letters, as a decimal text, and an unknown representation."""
    at = content.index(struct.pack("<HH", 0x28, 0x10) + b"US")
    return content[: at + 4] + b"ZZ" + content[at + 6 :]


def frame_time(value: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(b"DS\x02\x0040", b"DS" + struct.pack("<H", len(value)) + value, 1)


def video(suffix: str, codec: str) -> Maker:
    return lambda folder: phantoms.video(folder / f"a{suffix}", phantoms.smooth_frames(20), codec=codec)


def avi_lie(at: int, value: int) -> Callable[[bytes], bytes]:
    """A field of the main header: 4 is the number of frames, 8 the width, 9 the height."""

    def edit(content: bytes) -> bytes:
        place = content.index(b"avih") + 8 + 4 * at
        return content[:place] + struct.pack("<I", value) + content[place + 4 :]

    return edit


def mp4_size_lie(content: bytes) -> bytes:
    at = content.index(b"mp4v") + 28
    return content[:at] + struct.pack(">HH", 65535, 65535) + content[at + 4 :]


def mp4_count_lie(content: bytes) -> bytes:
    at = content.index(b"stsz") + 12
    return content[:at] + struct.pack(">I", 0x7FFFFFFF) + content[at + 4 :]


def script(text: str, name: str) -> Maker:
    """A text that FFmpeg would follow, with the name of a video."""

    def make(folder: Path) -> Path:
        phantoms.video(folder / "secret.avi", phantoms.smooth_frames(4))
        (folder / name).write_text(text)
        return folder / name

    return make


def nifti(folder: Path) -> Path:
    return phantoms.nifti(folder / "a.nii", phantoms.fan_frames(6))


def nifti_dims(content: bytes, *, third: int = 32767) -> bytes:
    return content[:40] + struct.pack("<8h", 4, 32767, 32767, third, 32767, 1, 1, 1) + content[56:]


def nifti_float(at: int, value: float) -> Callable[[bytes], bytes]:
    return lambda content: content[:at] + struct.pack("<f", value) + content[at + 4 :]


def gzip_bomb(folder: Path) -> Path:
    head = nifti_dims(nifti(folder).read_bytes())[:352]
    (folder / "a.nii.gz").write_bytes(gzip.compress(head + bytes(64 << 20), 9))
    return folder / "a.nii.gz"


def gzip_tail(folder: Path) -> Path:
    """A small clip, and hundreds of megabytes behind it."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    whole = engine.compress(nifti(folder).read_bytes()) + engine.flush(zlib.Z_FULL_FLUSH)
    (folder / "a.nii.gz").write_bytes(gzip.compress(b"")[:10] + whole + zeros(600 << 20))
    return folder / "a.nii.gz"


# --- ECG ---------------------------------------------------------------------------------------------


def wfdb(line: str = "rec 2 250 1500", first: str = "rec.dat 16 200(0)/mV 16 0 0 0 0 I") -> Maker:
    def make(folder: Path) -> Path:
        (folder / "rec.dat").write_bytes(np.arange(3000, dtype="<i2").tobytes())
        (folder / "rec.hea").write_text(f"{line}\n{first}\nrec.dat 16 200(0)/mV 16 0 0 0 0 II\n")
        return folder / "rec.hea"

    return make


def linked_samples(target: str) -> Maker:
    def make(folder: Path) -> Path:
        path = wfdb()(folder)
        outside = folder.parent / f"{folder.name}-outside.dat"
        outside.write_bytes(bytes(6000))
        (folder / "rec.dat").unlink()
        (folder / "rec.dat").symlink_to(outside if target == "outside" else target)
        return path

    return make


def named_samples(name: str) -> Maker:
    return wfdb(first=f"{name} 16 200(0)/mV 16 0 0 0 0 I")


def fifo_beside(folder: Path) -> Path:
    """A pipe whose name looks like a further header of the record."""
    path = wfdb()(folder)
    os.mkfifo(folder / "rec_1.hea")
    return path


def segments(folder: Path) -> Path:
    """A record of segments that names itself."""
    (folder / "rec.hea").write_text("rec/2 2 250 3000\nrec 1500\nrec 1500\n")
    return folder / "rec.hea"


def edf(at: int, value: str, width: int = 8) -> Maker:
    def edit(content: bytes) -> bytes:
        return content[:at] + value.encode().ljust(width) + content[at + width :]

    return edited(lambda folder: ecg_files.write_edf(folder / "a.edf"), edit)


def edf_signal(offset: int, value: str, width: int = 8) -> Maker:
    """A field of the first of 13 signals, whose columns begin `offset` bytes of a signal into the header."""
    return edf(256 + 13 * offset, value, width)


def aecg(folder: Path) -> Path:
    return ecg_files.write_aecg(folder / "a.xml")


def muse(folder: Path) -> Path:
    return ecg_files.write_muse(folder / "a.xml")


def sierra(folder: Path) -> Path:
    return ecg_files.write_sierra(folder / "a.xml", encoding="utf-8")


def doctype(declaration: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(b"<AnnotatedECG", declaration + b"<AnnotatedECG", 1)


LAUGHS = (
    b"<!DOCTYPE l [<!ENTITY a 'ha'>"
    + b"".join(b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]>"
)


def deep(content: bytes) -> bytes:
    return content.replace(b"<componentOf>", b"<componentOf>" + b"<x>" * 5000 + b"</x>" * 5000, 1)


def many_elements(content: bytes) -> bytes:
    return content.replace(b"<componentOf>", b"<componentOf>" + b"<x/>" * 2_100_000, 1)


def wrong_base64(content: bytes) -> bytes:
    return re.sub(rb"(<WaveFormData>)[^<]*", rb"\1" + base64.b64encode(bytes(30)), content, count=1)


def many_leads(content: bytes) -> bytes:
    return content.replace(b'numberofleads="12"', b'numberofleads="9999999"')


def scp(**changes: Any) -> Maker:
    return lambda folder: ecg_files.write_scp(folder / "a.scp", **changes)


def csv(text: str | bytes) -> Maker:
    def make(folder: Path) -> Path:
        (folder / "a.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder / "a.csv"

    return make


def long_line(folder: Path) -> Path:
    with (folder / "a.csv").open("wb") as file:
        file.write(b"I (mV),II (mV)\n0.1,0.2\n0.1,0.2\n")
        for _ in range(200):
            file.write(b"0.125000," * 116_509)
    return folder / "a.csv"


def rows_of(values: np.ndarray) -> str:
    lines = [f"{i / 250:.3f},{value:.4f}" for i, value in enumerate(values)]
    return "\n".join(["time (s),I (mV)", *lines]) + "\n"


def waveform(**changes: Any) -> Maker:
    """A DICOM ECG whose group of waveforms lies."""

    def make(folder: Path) -> Path:
        import pydicom

        path = ecg_files.write_dicom(folder / "a.dcm")
        dataset = pydicom.dcmread(path)
        for keyword, value in changes.items():
            setattr(dataset.WaveformSequence[0], keyword, value)
        dataset.save_as(path)
        return path

    return make


# --- any role ----------------------------------------------------------------------------------------


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "a.dcm")
    return folder / "a.dcm"


def unix_socket(folder: Path) -> Path:
    listening = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(folder)  # the name of a socket may not be long
    try:
        listening.bind("a.dcm")
    finally:
        os.chdir(here)
        listening.close()
    return folder / "a.dcm"


def link(target: str) -> Maker:
    def make(folder: Path) -> Path:
        (folder / "a.dcm").symlink_to(target)
        return folder / "a.dcm"

    return make


def sparse(n_bytes: int) -> Maker:
    def make(folder: Path) -> Path:
        with (folder / "a.dcm").open("wb") as file:
            file.truncate(n_bytes)
        return folder / "a.dcm"

    return make


def written(name: str, content: bytes) -> Maker:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def dicomdir(folder: Path) -> Path:
    """A directory file whose records lead out of its folder."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    record = Dataset()
    record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", ["..", "..", "etc", "passwd"]
    ds.DirectoryRecordSequence = [record]
    ds.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


def facts(content: Any) -> Maker:
    return written("facts.json", content if isinstance(content, bytes) else json.dumps(content).encode())
