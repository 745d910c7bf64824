"""The text of a PDF that Qt wrote: its glyphs, through the tables that every font brings along."""

from __future__ import annotations

import re
import unicodedata
import zlib

_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_FONT = re.compile(rb"/F(\d+) (\d+) 0 R")
_UNICODE = re.compile(rb"/ToUnicode (\d+) 0 R")
_BLOCK = re.compile(rb"beginbfrange\s(.*?)endbfrange", re.DOTALL)
_RANGE = re.compile(rb"<(\w+)>\s*<(\w+)>\s*(\[.*?\]|<\w+>)", re.DOTALL)
_WORD = re.compile(rb"/F(\d+) [\d.]+ Tf|<([0-9a-fA-F]+)> Tj|\bET\b")


def text_of(pdf: bytes) -> str:
    """Every text of the pages, one line for each that was drawn."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    fonts = {int(name): _letters(objects, int(at)) for body in objects.values() for name, at in _FONT.findall(body)}
    lines, now, letters = [], "", {}
    for body in objects.values():
        if b"Tj" not in (content := _content(body)):
            continue
        for font, glyphs in _WORD.findall(content):
            if font:
                letters = fonts[int(font)]
            elif glyphs:
                codes = (int(glyphs[place : place + 4], 16) for place in range(0, len(glyphs), 4))
                now += "".join(letters.get(code, "?") for code in codes)
            else:
                lines.append(now)
                now = ""
    return unicodedata.normalize("NFKC", "\n".join(lines)).replace("\t", " ").replace("...", "…")


def _content(body: bytes) -> bytes:
    found = _STREAM.search(body)
    if found is None:
        return b""
    try:
        return zlib.decompress(found.group(1))
    except zlib.error:
        return found.group(1)


def _letters(objects: dict[int, bytes], font: int) -> dict[int, str]:
    """Glyph -> letter of a font."""
    table = _UNICODE.search(objects[font])
    found: dict[int, str] = {}
    for block in _BLOCK.findall(_content(objects[int(table.group(1))]) if table else b""):
        for first, last, listed in _RANGE.findall(block):
            start, letters = int(first, 16), [int(each, 16) for each in re.findall(rb"<(\w+)>", listed)]
            if len(letters) == 1:  # the letter of the first glyph; the others follow it
                letters = list(range(letters[0], letters[0] + int(last, 16) - start + 1))
            found |= {start + place: chr(letter) for place, letter in enumerate(letters)}
    return found
