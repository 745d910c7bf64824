"""Hand-built attacks, one row each: what it is, in which role it is given, how it is made, how it must end.

`ends` names every outcome that is right: "valid", or codes. A row that should end typed does not list "valid".
"""

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile.prober import Role
from tests.unit.ecg import ecg_files
from tests.unit.echo import reader_phantoms as phantoms

Maker = Callable[[Path], Path]
HARD, CORRUPT, CUT, KIND = "E_HARD_004", "E_INPUT_CORRUPT", "E_INPUT_TRUNCATED", "E_INPUT_KIND"
MISSING, EMPTY, UNSUPPORTED, QUALITY = "E_INPUT_MISSING", "E_INPUT_EMPTY", "E_INPUT_UNSUPPORTED", "E_QUALITY_ECG"
RLE, DEFLATED = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True, slots=True)
class Attack:
    name: str
    role: Role
    make: Maker
    ends: tuple[str, ...]


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


BACKWARDS = rows_of(np.sin(np.arange(2500))).replace("0.004,", "-9.0,")
AVI, MP4 = video(".avi", "mjpeg"), video(".mp4", "mpeg4")

ATTACKS: tuple[Attack, ...] = (
    Attack("RLE of 33 kB that claims 30000 x 30000", "echo", rle_claim(30000), (HARD,)),
    Attack("RLE that claims 65535 x 65535", "echo", rle_claim(65535), (HARD,)),
    Attack("deflated DICOM of 1 MB that unpacks to 1.1 GB", "echo", deflate_bomb, (HARD,)),
    Attack("DICOM with sequences nested 3000 deep", "echo", edited(dicom(), nested), (CORRUPT,)),
    Attack("DICOM with an unknown value representation", "echo", edited(dicom(), odd_vr), (CORRUPT,)),
    Attack("DICOM whose preamble is an executable", "echo", edited(dicom(), lambda c: b"MZ\x90\0" + c[4:]), ("valid",)),
    Attack("DICOM frame time 0", "echo", edited(dicom(), frame_time(b"0 ")), ("valid",)),
    Attack("DICOM frame time -40", "echo", edited(dicom(), frame_time(b"-40 ")), ("valid",)),
    Attack("DICOM frame time nan", "echo", edited(dicom(), frame_time(b"nan ")), ("valid",)),
    Attack("DICOM frame time 1e308", "echo", edited(dicom(), frame_time(b"1e308 ")), ("valid",)),
    Attack("DICOM frame time in letters", "echo", edited(dicom(), frame_time(b"soon")), ("valid",)),
    Attack("DICOM region of 0 cm a pixel", "echo", region(0.0, 0.0), ("valid",)),
    Attack("DICOM region of infinite cm a pixel", "echo", region(float("inf"), 0.04), ("valid",)),
    Attack("DICOM region of nan cm a pixel", "echo", region(float("nan"), 0.04), ("valid",)),
    Attack("DICOM region of negative cm a pixel", "echo", region(-0.05, 0.04), ("valid",)),
    Attack("DICOM of another modality", "echo", dicom(Modality="CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2"), (KIND,)),
    Attack("DICOM that declares 2147483647 frames", "echo", dicom(NumberOfFrames=2147483647), (HARD,)),
    Attack("DICOM that declares 9 frames and holds 6", "echo", dicom(NumberOfFrames=9), ("valid",)),
    Attack("DICOM of 0 rows", "echo", dicom(Rows=0), (CORRUPT,)),
    Attack("DICOMDIR that leads to /etc/passwd", "echo", dicomdir, (KIND,)),
    Attack("AVI that declares 4294967295 frames", "echo", edited(AVI, avi_lie(4, 0xFFFFFFFF)), ("valid",)),
    Attack("AVI that declares 65535 pixels in width", "echo", edited(AVI, avi_lie(8, 65535)), ("valid",)),
    Attack("AVI cut to 30 %", "echo", edited(AVI, lambda c: c[: len(c) * 3 // 10]), (CORRUPT,)),
    Attack("MP4 that declares 65535 x 65535", "echo", edited(MP4, mp4_size_lie), ("valid",)),
    Attack("MP4 that declares 2147483647 samples", "echo", edited(MP4, mp4_count_lie), (CORRUPT,)),
    Attack("MP4 cut to 30 %", "echo", edited(MP4, lambda c: c[: len(c) * 3 // 10]), (CORRUPT,)),
    Attack("ffconcat script named .mp4", "echo", script("ffconcat version 1.0\nfile secret.avi\n", "a.mp4"), (KIND,)),
    Attack("m3u8 list named .mp4", "echo", script("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/x.ts\n", "a.mp4"), (KIND,)),
    Attack("SDP text named .mp4", "echo", script("v=0\nc=IN IP4 127.0.0.1\nm=video 1 RTP/AVP 96\n", "a.mp4"), (KIND,)),
    Attack("NIfTI of 32767^4", "echo", edited(nifti, nifti_dims), (UNSUPPORTED,)),
    Attack("NIfTI of 32767 x 32767 x 1 x 32767", "echo", edited(nifti, lambda c: nifti_dims(c, third=1)), (HARD,)),
    Attack("NIfTI with pixels of 0 mm", "echo", edited(nifti, nifti_float(80, 0.0)), ("valid",)),
    Attack("NIfTI with pixels of nan mm", "echo", edited(nifti, nifti_float(80, float("nan"))), ("valid",)),
    Attack("NIfTI whose samples begin at 1e30", "echo", edited(nifti, nifti_float(108, 1e30)), (CORRUPT,)),
    Attack("NIfTI whose slope is infinite", "echo", edited(nifti, nifti_float(112, float("inf"))), ("valid",)),
    Attack("gzip bomb of 32767^4", "echo", gzip_bomb, (UNSUPPORTED,)),
    Attack("gzip with 600 MB behind a small clip", "echo", gzip_tail, ("valid",)),
    Attack("WFDB of 10 million signals", "ecg", wfdb("rec 10000000 250 1500"), (CORRUPT,)),
    Attack("WFDB of 1e12 samples", "ecg", wfdb("rec 2 250 1000000000000"), (HARD,)),
    Attack("WFDB whose segments name themselves", "ecg", segments, (CORRUPT,)),
    Attack("WFDB with gain 0", "ecg", wfdb(first="rec.dat 16 0(0)/mV 16 0 0 0 0 I"), (CORRUPT,)),
    Attack("WFDB with gain nan", "ecg", wfdb(first="rec.dat 16 nan(0)/mV 16 0 0 0 0 I"), (CORRUPT,)),
    Attack("WFDB with sampling rate 0", "ecg", wfdb("rec 2 0 1500"), (CORRUPT,)),
    Attack("WFDB with sampling rate 1e300", "ecg", wfdb("rec 2 1e300 1500"), (CORRUPT,)),
    Attack("WFDB whose samples are a link out of the folder", "ecg", linked_samples("outside"), (KIND,)),
    Attack("WFDB whose samples are a link to a device", "ecg", linked_samples("/dev/zero"), (KIND,)),
    Attack("WFDB that names /etc/passwd", "ecg", named_samples("/etc/passwd"), (CORRUPT,)),
    Attack("WFDB that names ../../etc/passwd", "ecg", named_samples("../../etc/passwd"), (CORRUPT,)),
    Attack("WFDB that names an address", "ecg", named_samples("http://127.0.0.1/a.dat"), (CORRUPT,)),
    Attack("WFDB beside a pipe named like a header", "ecg", fifo_beside, (QUALITY,)),
    Attack("EDF of -1 records", "ecg", edf(236, "-1"), (CORRUPT,)),
    Attack("EDF of 99999999 records", "ecg", edf(236, "99999999"), (HARD,)),
    Attack("EDF of 9999 signals", "ecg", edf(252, "9999", 4), (CORRUPT,)),
    Attack("EDF with records of 0 s", "ecg", edf(244, "0"), (CORRUPT,)),
    Attack("EDF with physical minimum = maximum", "ecg", edf_signal(104, "4000"), (CORRUPT,)),
    Attack("EDF with digital minimum = maximum", "ecg", edf_signal(120, "32767"), (CORRUPT,)),
    Attack("XML with entities that multiply", "ecg", edited(aecg, doctype(LAUGHS)), (KIND,)),
    Attack("XML that includes a file", "ecg",
           edited(aecg, doctype(b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>')), (KIND,)),
    Attack("XML 5000 deep", "ecg", edited(aecg, deep), (CORRUPT,)),
    Attack("XML of more than 2 million elements", "ecg", edited(aecg, many_elements), (CORRUPT,)),
    Attack("XML whose base64 is too short", "ecg", edited(muse, wrong_base64), (CUT,)),
    Attack("XML of 9999999 leads", "ecg", edited(sierra, many_leads), (UNSUPPORTED,)),
    Attack("SCP with overlapping sections", "ecg", scp(shift=-40), (CORRUPT,)),
    Attack("SCP with a section beyond its end", "ecg", scp(shift=1 << 30), (CORRUPT,)),
    Attack("SCP of 4294967295 samples", "ecg", scp(n_declared=0xFFFFFFFF), (HARD,)),
    Attack("SCP with 0 microseconds a sample", "ecg", scp(us=0), (CORRUPT,)),
    Attack("CSV with one line of 200 MB", "ecg", long_line, (CORRUPT,)),
    Attack("CSV with NUL bytes", "ecg", csv(b"I (mV)\n0.1\n0.2\n\0\0\n0.3\n"), (CORRUPT,)),
    Attack("CSV with mixed decimals", "ecg", csv("time;I (mV)\n0,0;0.1\n0,1;0,2\n0.2;0,3\n" * 40), (CORRUPT,)),
    Attack("CSV all nan", "ecg", csv(rows_of(np.full(2500, np.nan))), (QUALITY,)),
    Attack("CSV with infinite values", "ecg", csv(rows_of(np.where(np.arange(2500) % 7, 0.1, np.inf))), (QUALITY,)),
    Attack("CSV flat", "ecg", csv(rows_of(np.zeros(2500))), (QUALITY,)),
    Attack("CSV clipped", "ecg", csv(rows_of(np.clip(30 * np.sin(np.arange(2500) / 9), -5, 5))), (QUALITY,)),
    Attack("CSV of one sample", "ecg", csv("time (s),I (mV)\n0.0,0.1\n"), (UNSUPPORTED,)),
    Attack("CSV whose time runs backwards", "ecg", csv(BACKWARDS), (UNSUPPORTED,)),
    Attack("DICOM ECG that counts 4294967295 samples", "ecg", waveform(NumberOfWaveformSamples=0xFFFFFFFF), (HARD,)),
    Attack("DICOM ECG that counts 65535 channels", "ecg", waveform(NumberOfWaveformChannels=65535), (CORRUPT,)),
    Attack("DICOM ECG with rate 0", "ecg", waveform(SamplingFrequency=0), (CORRUPT,)),
    Attack("DICOM ECG of 8 bits said to be 32", "ecg", waveform(WaveformBitsAllocated=32), (UNSUPPORTED,)),
    Attack("a clip given as ECG", "ecg", dicom(), (KIND,)),
    Attack("an ECG given as clip", "echo", lambda folder: ecg_files.write_edf(folder / "a.edf"), (KIND,)),
    Attack("a pipe that nobody writes", "echo", fifo, (KIND,)),
    Attack("a pipe given as ECG", "ecg", fifo, (KIND,)),
    Attack("a socket", "echo", unix_socket, (KIND,)),
    Attack("a link to a device", "echo", link("/dev/zero"), (KIND,)),
    Attack("a link to itself", "ecg", link("a.dcm"), (MISSING,)),
    Attack("a link to nothing", "ecg", link("nowhere"), (MISSING,)),
    Attack("a folder", "ecg", lambda folder: folder, (KIND,)),
    Attack("a file of 3 GB of nothing", "echo", sparse(3 << 30), (HARD,)),
    Attack("an empty file", "ecg", sparse(0), (EMPTY,)),
    Attack("one byte", "echo", written("a.dcm", b"D"), (KIND,)),
    Attack("a name with line breaks and controls", "echo",
           lambda folder: dicom()(folder).rename(folder / "a\n\x1b[31m\u202e.dcm"), ("valid",)),
    Attack("a pickle named .dcm", "echo", written("a.dcm", b"\x80\x04cos\nsystem\n(S'true'\ntR."), (KIND,)),
    Attack("a zip named .mp4", "echo", written("a.mp4", b"PK\x03\x04" + bytes(500)), (KIND,)),
    Attack("JSON nested 100000 deep", "metadata", facts(b"[" * 100_000), (CORRUPT,)),
    Attack("JSON with NaN", "metadata", facts(b'{"age_years": NaN}'), (CORRUPT,)),
    Attack("JSON with 1e400", "metadata", facts(b'{"age_years": 1e400}'), ("E_VALIDATION",)),
    Attack("JSON with an integer of 5000 digits", "metadata", facts(b'{"age_years": ' + b"9" * 5000 + b"}"),
           (CORRUPT,)),
    Attack("JSON with a key twice", "metadata", facts(b'{"age_years": 60, "age_years": 61}'), (CORRUPT,)),
    Attack("JSON with 100000 unknown fields", "metadata", facts({f"x{n}": 1 for n in range(100_000)}),
           (HARD,)),
    Attack("JSON in UTF-16", "metadata", facts('{"age_years": 60}'.encode("utf-16")), (CORRUPT,)),
    Attack("JSON with a lone surrogate", "metadata", facts(b'{"nyha_class": "\\ud800"}'), ("E_VALIDATION",)),
)  # fmt: skip
