"""The plain reading of a text: tricks undone, case and spaces folded, origins kept.

What a model understands from a text differs from its characters: tag characters are letters to it,
look-alike letters are the letters that they look like, and zero-width characters are nothing.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass

from mcpward.core.late import late

LONGEST = 16_384
"""Characters of one text that are read."""

_TAGS = range(0xE0020, 0xE007F)
_DROPPED = frozenset(
    [
        *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFEFF, 0xFFA0),
        *(*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)),
        *(*range(0xFE00, 0xFE10), 0xE0001, 0xE007F, *range(0xE0100, 0xE01F0)),
    ]
)
LOOKALIKES = {
    **dict(zip("авеёіїјкмнорстухѕһԁԛԝӏ", "abeeiijkmhopctyxshdqwl", strict=True)),
    **dict(zip("АВЕЅІЈКМНОРСТУХҺԚԜӀ", "abesijkmhopctyxhqwl", strict=True)),
    **dict(zip("αβγεηικνορτυχωϲϳ", "abyenikvoptuxwcj", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx", strict=True)),
    **dict(zip("օսոհցզ", "ounhgq", strict=True)),
}
"""Letters of other scripts that look like a Latin one."""
_FOLDED = {"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "."}
_DIGITS = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"}
_LEET = late(r"(?<![\w@$])[a-z0-9@$]*(?:[a-z][013457@$]|[013457@$][a-z])[a-z013457@$]*")
_LEET_SHARE = 4
"""Digits are read as letters where at least one word in this many has some inside."""
_WORD = late(r"[^\W\d_]+")
_BREAK = late(r"(?<!e\.g)(?<!i\.e)[.!?](?=[\s\"')\]>])\s*|\n|;\s|[。！？]|(?=</?[a-z])(?<=\s)")
_LIST = late(r"[ \t]*(?:[-*#•<\[]|\d+[.)]|\w+:)")


@dataclass(frozen=True, slots=True)
class Reading:
    """A plain reading."""

    text: str
    origins: tuple[int, ...]
    """For each character where it stands in the original."""
    starts: tuple[int, ...]
    """Where each sentence starts, in order; the first is 0."""

    def sentence(self, at: int) -> int:
        """The number of the sentence that holds a character."""
        return bisect_right(self.starts, at) - 1

    def bounds(self, sentence: int) -> tuple[int, int]:
        """Start and end of a sentence."""
        following = sentence + 1
        end = self.starts[following] if following < len(self.starts) else len(self.text)
        return self.starts[sentence], end

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The range of the original from which a range of the reading came."""
        if start >= end or end > len(self.origins):
            return (0, 0)
        return self.origins[start], self.origins[end - 1] + 1


def plain(text: str) -> Reading:
    """The reading of at most `LONGEST` characters."""
    text = text[:LONGEST]
    words = text if text.isascii() else _latin(text)
    out: list[str] = []
    origins: list[int] = []
    spaces = ""
    began = 0
    for at, char in enumerate(words):
        code = ord(char)
        if char.isspace():
            if not spaces:
                began = at
            spaces += char if len(spaces) < 3 or char == "\n" else ""
            continue
        if code > 127:
            if code in _DROPPED:
                continue
            char = _simple(char, code)
        if spaces:
            out.append(_gap(spaces, words, at) if out else "")
            if out[-1]:
                origins.append(began)
            spaces = ""
        small = char.lower()
        out.append(small)
        origins.extend([at] * len(small))
    reading = _unleeted("".join(out))
    starts = (0, *dict.fromkeys(m.end() for m in _BREAK.finditer(reading) if m.end()))
    return Reading(reading, tuple(origins), starts)


def _simple(char: str, code: int) -> str:
    if code in _TAGS:
        return chr(code - 0xE0000)
    if char in _FOLDED:
        return _FOLDED[char]
    return unicodedata.normalize("NFKC", char)[:4]


def _gap(spaces: str, text: str, at: int) -> str:
    """What white space means: the end of a paragraph or list item, or a space."""
    lines = spaces.count("\n")
    return "\n" if lines > 1 or (lines and _LIST.match(text[at : at + 40])) else " "


def _latin(text: str) -> str:
    """Words of look-alike letters as Latin words.

    Where other letters of a foreign script occur as well, somebody writes that language: then only
    words that mix both scripts are taken for Latin.
    """
    if not any(char in LOOKALIKES for char in text):
        return text
    spoken = any("\u0370" <= char <= "\u058f" and char not in LOOKALIKES for char in text)
    return _WORD.sub(lambda m: _latin_word(m[0], spoken), text)


def _latin_word(word: str, spoken: bool) -> str:  # noqa: FBT001  # private, one caller
    if word.isascii() or not all(char.isascii() or char in LOOKALIKES for char in word):
        return word
    if spoken and not any(map(str.isascii, word)):
        return word
    return "".join(LOOKALIKES.get(char, char) for char in word)


def _unleeted(text: str) -> str:
    disguised = sum(1 for _ in _LEET.finditer(text))
    if disguised < 5 or disguised * _LEET_SHARE < text.count(" ") + 1:
        return text
    return _LEET.sub(lambda m: "".join(_DIGITS.get(char, char) for char in m[0]), text)
