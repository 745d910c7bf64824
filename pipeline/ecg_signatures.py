"""What the first bytes of an ECG file say about its format."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

XML_ROOTS: dict[str, str] = {  # root element, without case -> kind
    "annotatedecg": "hl7-aecg",
    "restingecg": "ge-muse",
    "restingecgdata": "philips-sierra",
}
_BEFORE_ROOT = re.compile(r"<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>\[]*>", re.DOTALL)
_ROOT = re.compile(r"\s*<(?:!DOCTYPE\s+)?(?:[\w.\-]+:)?([\w.\-]+)")
_MATLAB_NAME = re.compile(rb"[A-Za-z]\w*\0")
MATLAB_4_HEADER = struct.Struct("<5I")  # type, rows, columns, imaginary, length of the name
SCP_HEADER = struct.Struct("<HIHHI")  # CRC and size of the record; CRC, id and size of section 0


def xml_kind(head: bytes) -> str | None:
    """Kind of an XML document by its root element; None where it is another document, or none."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head.decode("utf-16", "replace")
    elif head[:2] in (b"<\0", b"\0<"):
        text = head.decode("utf-16-le" if head[0] else "utf-16-be", "replace")
    else:
        text = head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    if not text.lstrip().startswith("<"):
        return None
    root = _ROOT.match(_BEFORE_ROOT.sub("", text))
    return XML_ROOTS.get(root[1].casefold()) if root else None


def is_scp(head: bytes) -> bool:
    """SCP-ECG: section 0 follows the six bytes of the record's head and points to itself at byte 7."""
    if len(head) < 32:
        return False
    _, size, _, section, length = SCP_HEADER.unpack_from(head)
    pointer = struct.unpack_from("<HII", head, 22)
    return (section, pointer[0], pointer[2]) == (0, 0, 7) and 26 <= length <= size - 6 and length % 10 == 6


def is_ishne(head: bytes) -> bool:
    """ISHNE Holter, signal file."""
    return head[:8] == b"ISHNE1.0"


def is_matlab(head: bytes) -> bool:
    """A MAT-file of level 5 by its text and byte order mark, or of level 4 by a plausible first matrix."""
    if head[:7] == b"MATLAB " and head[126:128] in (b"IM", b"MI"):
        return True
    if len(head) < 24:
        return False
    kind, rows, columns, imaginary, n_name = MATLAB_4_HEADER.unpack_from(head)
    name = head[20 : 20 + n_name] if n_name <= 64 else b""
    return (
        kind in range(0, 60, 10) and rows > 0 and columns > 0 and imaginary < 2 and bool(_MATLAB_NAME.fullmatch(name))
    )


def _xml_test(kind: str) -> Callable[[bytes], bool]:
    return lambda head: xml_kind(head) == kind


ECG_MAGICS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("edf", lambda head: head[:8] in (b"0       ", b"\xffBIOSEMI")),
    ("ishne", is_ishne),
    ("scp-ecg", is_scp),
    *((kind, _xml_test(kind)) for kind in XML_ROOTS.values()),
    ("matlab", is_matlab),
)
