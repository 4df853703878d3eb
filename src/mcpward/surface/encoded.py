"""Encoded text inside a text: Base64, hexadecimal and escapes that decode to readable words."""

from __future__ import annotations

import base64
import binascii
import html
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass

from mcpward.core.late import late

_BASE64 = late(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,8192}={0,2}")
_HEX = late(r"(?<![0-9A-Za-z])(?:0x)?((?:[0-9A-Fa-f]{2}){12,4096})(?![0-9A-Za-z])")
_PERCENT = late(r"(?:%[0-9A-Fa-f]{2}[A-Za-z0-9._~-]{0,1}){8,2048}")
_ESCAPED = late(r"(?:\\x[0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}){8,2048}")
_ENTITIES = late(r"(?:&#(?:x[0-9A-Fa-f]{1,6}|[0-9]{1,7});){8,2048}")
_WORDS = late(r"[A-Za-z]{2,15}(?=[\s,.:;!?'\"/)-]|$)")
_RUNS = 16
_READABLE = 0.55
"""The part of a decoded text that must be words and spaces."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a run of encoded characters says."""

    start: int
    end: int
    text: str


def decoded(text: str, depth: int = 2) -> Iterator[Decoded]:
    """The readable texts hidden in a text, at most a few, also those encoded more than once."""
    for start, end, data in _runs(text):
        try:
            inner = data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if depth > 1:
            for deeper in decoded(inner, depth - 1):
                yield Decoded(start, end, deeper.text)
        if readable(inner):
            yield Decoded(start, end, inner)


def readable(text: str) -> bool:
    """Whether a text is words: letters, spaces, and several of them."""
    if len(text) < 12 or not all(char.isprintable() or char in "\r\n\t" for char in text):
        return False
    words = _WORDS.findall(text)
    letters = sum(map(len, words)) + text.count(" ")
    return len(words) >= 3 and " " in text.strip() and letters >= _READABLE * len(text)


def _runs(text: str) -> Iterator[tuple[int, int, bytes]]:
    count = 0
    for pattern, decode in (
        (_HEX, lambda run: bytes.fromhex(run.removeprefix("0x"))),
        (_BASE64, _base64),
        (_PERCENT, urllib.parse.unquote_to_bytes),
        (_ESCAPED, lambda run: bytes.fromhex(re.sub(r"\\x|\\u00", "", run))),
        (_ENTITIES, lambda run: html.unescape(run).encode("utf-8", "replace")),
    ):
        for match in pattern.finditer(text):
            count += 1
            if count > _RUNS:
                return
            data = decode(match[0])
            if data:
                yield match.start(), match.end(), data


def _base64(run: str) -> bytes:
    bare = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        return b""
