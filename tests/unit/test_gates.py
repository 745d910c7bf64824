"""The doors before the parsers."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import socket
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from pipeline import gates
from pipeline.cancellation import CancelToken
from pipeline.errors import HardStopError, InputError, PipelineError, RunCancelledError, TransientReadError
from pipeline.gates import Limits, check_file, check_frames, guarded, hash_files, sniff

DICOM = b"\0" * 128 + b"DICM" + b"\0" * 40
NIFTI = b"\x5c\x01\0\0" + b"\0" * 340 + b"n+1\0" + b"\0" * 8


def refusal(path: Path, limits: Limits = Limits()) -> str:  # noqa: B008 - frozen
    with pytest.raises(PipelineError) as caught:
        check_file(path, limits)
    assert path.name not in caught.value.text
    return caught.value.code


def test_missing_empty_and_folder(tmp_path: Path) -> None:
    (tmp_path / "empty.dcm").touch()
    assert refusal(tmp_path / "nothing.dcm") == "E_INPUT_MISSING"
    assert refusal(tmp_path / "empty.dcm") == "E_INPUT_EMPTY"
    assert refusal(tmp_path) == "E_INPUT_KIND"


def test_fifo_socket_and_device_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.dcm")
    started = time.monotonic()
    assert refusal(tmp_path / "pipe.dcm") == "E_INPUT_KIND"
    (tmp_path / "link.dcm").symlink_to(tmp_path / "pipe.dcm")
    assert refusal(tmp_path / "link.dcm") == "E_INPUT_KIND"
    assert refusal(Path("/dev/null")) == "E_INPUT_KIND"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "end-7"))
        assert refusal(tmp_path / "end-7") == "E_INPUT_KIND"
    assert time.monotonic() - started < 1.0


def test_links_lead_to_files_or_nowhere(tmp_path: Path) -> None:
    (tmp_path / "real.dcm").write_bytes(DICOM)
    (tmp_path / "link.dcm").symlink_to(tmp_path / "real.dcm")
    (tmp_path / "dangling.dcm").symlink_to(tmp_path / "gone.dcm")
    (tmp_path / "circle.dcm").symlink_to(tmp_path / "circle.dcm")
    assert check_file(tmp_path / "link.dcm", Limits()).kind == "dicom"
    assert refusal(tmp_path / "dangling.dcm") == "E_INPUT_MISSING"
    assert refusal(tmp_path / "circle.dcm") == "E_INPUT_MISSING"


def test_size_limit_passes_and_one_more_fails(tmp_path: Path) -> None:
    path = tmp_path / "clip.dcm"
    path.write_bytes(DICOM)
    size = len(DICOM)
    assert check_file(path, Limits(max_file_bytes=size)).size_bytes == size
    assert refusal(path, Limits(max_file_bytes=size - 1)) == "E_HARD_004"


def test_huge_file_is_stopped_at_once(tmp_path: Path) -> None:
    path = tmp_path / "huge.dcm"
    path.write_bytes(DICOM)
    os.truncate(path, Limits().max_file_bytes + 1)  # sparse
    started = time.monotonic()
    assert refusal(path) == "E_HARD_004"
    assert time.monotonic() - started < 0.2


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (DICOM, "dicom"),
        (b"MZ" + DICOM[2:], "dicom"),  # an executable's first bytes in the free preamble
        (b"RIFF\x10\0\0\0AVI LIST", "avi"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "unknown"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "mp4"),
        (NIFTI, "nifti"),
        (gzip.compress(NIFTI), "nifti"),
        (gzip.compress(b"not an image"), "unknown"),
        (b"\x1f\x8bdamaged", "unknown"),
        (b"0       " + b"X" * 80, "edf"),
        (b"\xffBIOSEMI" + b" " * 80, "edf"),
        (b' \n{"age": 3}', "json"),
        (b"\xef\xbb\xbf{}", "json"),
        (b"# made by hand\n100 2 360 650000\n100.dat 212 200\n", "wfdb"),
        (b"100s/3 2 360/360(0) 650000 12:00:00\n", "wfdb"),
        (b"t,I,II\n0,0.1,0.2\n1,0.2,0.3\n", "csv"),
        (b"0;0,1;0,2\n1;0,2;0,3\n", "csv"),
        (b"I\n1\n2\n3\n", "csv"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "unknown"),
        (b"#EXTM3U\nhttp://example.org/a.ts\n", "unknown"),
        (bytes(range(256)), "unknown"),
        (b"\n \n", "unknown"),
    ],
)
def test_kind_by_first_bytes(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    assert check_file(path, Limits()).kind == kind


@pytest.mark.parametrize("number", gates.TRANSIENT_ERRNOS)
def test_network_trouble_may_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    path = tmp_path / "secret-name.dcm"
    path.write_bytes(DICOM)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, "secret-name")

    monkeypatch.setattr(gates.os, "open", fail)
    for attempt in (lambda: check_file(path, Limits()), lambda: hash_files([path])):
        with pytest.raises(TransientReadError) as caught:
            attempt()
        assert "secret" not in caught.value.text
        assert caught.value.code == "E_INPUT_UNREACHABLE"


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.EACCES, "E_INPUT_UNREACHABLE"), (errno.ENOENT, "E_INPUT_MISSING"), (errno.EMFILE, "E_INPUT_UNREACHABLE")],
)
def test_other_trouble_is_final(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str) -> None:
    path = tmp_path / "clip.dcm"
    path.write_bytes(DICOM)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, "x")

    monkeypatch.setattr(gates.os, "open", fail)
    with pytest.raises(InputError) as caught:
        check_file(path, Limits())
    assert caught.value.code == code


def test_hash_covers_the_files_in_order(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"a" * (gates.CHUNK_BYTES + 3))
    second.write_bytes(b"b")
    assert hash_files([first]) == hashlib.sha256(first.read_bytes()).hexdigest()
    assert hash_files([first, second]) == hashlib.sha256(first.read_bytes() + b"b").hexdigest()
    assert hash_files([first, second]) != hash_files([second, first])


def test_hashing_can_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a")
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(RunCancelledError):
        hash_files([path], cancel=cancel)


def test_declared_frames_limits_pass_and_one_more_fails() -> None:
    limits = Limits(max_frames=10, max_frame_px=100, max_decoded_bytes=3000)
    check_frames(10, 10, 10, 3, limits)
    for counts in ((11, 1, 1, 1), (1, 101, 1, 1), (10, 10, 10, 4)):
        with pytest.raises(HardStopError) as caught:
            check_frames(*counts, limits)
        assert caught.value.code == "E_HARD_004"
    for counts in ((0, 1, 1, 1), (1, -1, 1, 1), (1, 1, 0, 1)):
        with pytest.raises(InputError):
            check_frames(*counts, limits)


def talk_and_fail(text: str) -> None:
    warnings.warn(text, stacklevel=1)
    raise KeyError(text)


def test_guard_keeps_no_text_of_the_parser_and_drops_its_warnings() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(InputError) as caught, guarded("It is damaged.", code="E_INPUT_TRUNCATED"):
            talk_and_fail("patient Miller")
    assert seen == []
    assert (caught.value.text, caught.value.code) == ("It is damaged.", "E_INPUT_TRUNCATED")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_guard_lets_typed_errors_memory_and_network_through() -> None:
    for error in (HardStopError("x", code="E_HARD_004"), MemoryError(), RunCancelledError()):
        with pytest.raises(type(error)), guarded("It is damaged."):
            raise error
    with pytest.raises(TransientReadError), guarded("It is damaged."):
        raise OSError(errno.EIO, "x")
    with pytest.raises(InputError), guarded("It is damaged."):
        raise OSError("no number: a parser's own")


def test_guard_knows_the_libraries_words_for_lack_of_memory() -> None:
    with pytest.raises(MemoryError), guarded("It is damaged."):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")


def test_silence_of_overlapping_threads_ends_with_the_last_one() -> None:
    before = list(warnings.filters)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with gates.SILENCE:
            inside.set()
            leave.wait(5)

    other = threading.Thread(target=hold)
    with gates.SILENCE:
        other.start()
        inside.wait(5)
    warnings.warn("still silent", stacklevel=1)  # an error here would fail the test
    leave.set()
    other.join(5)
    assert warnings.filters == before


def test_sniff_names_formats(tmp_path: Path) -> None:
    import pydicom.data

    ecg = pydicom.data.get_testdata_file("waveform_ecg.dcm", download=False)
    clip = pydicom.data.get_testdata_file("examples_ybr_color.dcm", download=False)
    scan = pydicom.data.get_testdata_file("CT_small.dcm", download=False)
    assert [sniff(Path(p)) for p in (ecg, clip, scan)] == ["dicom-ecg", "dicom-us", None]
    (tmp_path / "100.hea").write_text("100 1 360 10\n100.dat 16 200\n")
    (tmp_path / "100.dat").write_bytes(bytes(range(200, 240)))
    (tmp_path / "alone.dat").write_bytes(bytes(range(200, 240)))
    names = [sniff(tmp_path / name) for name in ("100.hea", "100.dat", "alone.dat", "missing.dcm")]
    assert names == ["wfdb", "wfdb", None, None]
    (tmp_path / "bad.dcm").write_bytes(DICOM[:132] + b"\xff" * 50)
    assert sniff(tmp_path / "bad.dcm") is None
