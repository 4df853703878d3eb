"""Makes text from strangers safe to show, and measures it in columns of a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import TextIO

LONGEST = 2_000
"""Characters of one string of the target that are ever shown."""

ELLIPSIS = "…"

_LAYOUT = re.compile(r"[\t\n\r ]+")
_LAYOUT_IN_BLOCK = re.compile(r"\r\n?")

# Cc and Cf hold the control, bidi, zero-width and tag characters; Zl and Zp break lines in some
# programs; Co, Cs and Cn have no agreed picture, and Cs cannot be encoded at all.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})

# Letters and marks that are drawn as nothing, or that carry hidden data behind another character.
_HIDDEN = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)


def wants_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a stream is a terminal whose user did not ask for plain text."""
    if environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    return stream.isatty()


def clean(text: str, limit: int = LONGEST) -> str:
    """One line in which everything that is invisible or moves the cursor is written out."""
    cut = text[: limit + 1]
    line = _written_out(_LAYOUT.sub(" ", cut), keep="").strip()
    return line if len(text) <= limit else line[:limit] + ELLIPSIS


def clean_block(text: str) -> str:
    """The same for text of several lines: line breaks and tabs stay."""
    return _written_out(_LAYOUT_IN_BLOCK.sub("\n", text), keep="\n\t")


def width(text: str) -> int:
    """Columns that a cleaned text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def trim(text: str, columns: int) -> str:
    """A cleaned text cut at the end to fit."""
    if width(text) <= columns:
        return text
    return _head(text, columns - 1) + ELLIPSIS if columns > 0 else ""


def window(code: str, column: int, columns: int) -> str:
    """A line of code without its margin, cut so that a column (from 1) stays in sight."""
    margin = len(code) - len(code.lstrip())
    at = max(column - 1 - margin, 0)
    body = code[margin:]
    # A line of a minified file can be megabytes long: only the neighbourhood is ever looked at.
    if at > columns * 2 // 3:
        start = max(min(at, len(body)) - columns // 2, 0)
        return trim(ELLIPSIS + clean(body[start : start + 2 * columns]), columns)
    return trim(clean(body, 2 * columns), columns)


def wrap(text: str, columns: int) -> Iterator[str]:
    """The lines of a cleaned text, broken at spaces, or anywhere in words that are too long."""
    columns = max(columns, 2)
    line = ""
    for word in text.split(" "):
        candidate = f"{line} {word}" if line else word
        if width(candidate) <= columns:
            line = candidate
            continue
        if line:
            yield line
        while width(word) > columns:
            head = _head(word, columns)
            yield head
            word = word[len(head) :]
        line = word
    if line:
        yield line


def _written_out(text: str, keep: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escape(ord(character)) if character not in keep and _is_hidden(character) else character
        for character in text
    )


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN_CATEGORIES or ord(character) in _HIDDEN


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _head(text: str, columns: int) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += _columns(character)
        if taken > columns:
            return text[:index]
    return text
