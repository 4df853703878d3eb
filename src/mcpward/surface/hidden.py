"""Characters that hide, reorder or repaint text, and not those that a script or emoji needs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from mcpward.core.late import late
from mcpward.surface.normal import LOOKALIKES

Span = tuple[int, int]

_TAGS = late("[\U000e0000-\U000e007f]+")
_FLAG = late("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
_ZERO = late(
    "[\u200b-\u200f\u2060-\u2064\u206a-\u206f\ufeff\u00ad\u034f\u061c\u115f\u1160"
    "\u17b4\u17b5\u180e\u3164\uffa0]+"
)
_SELECTORS = late("[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
_BIDI = late("[\u202a-\u202e\u2066-\u2069]+")
_ESCAPES = late(r"\x1b[\[\]PX^_()#%N-Z\\=>78c]|\x9b[0-9;?]{0,12}[A-Za-z]|\x08{2,}")
_WORD = late(r"[^\W\d_]{2,64}")
_JOINING = ("ARABIC", "SYRIAC", "HEBREW", "MONGOLIAN", "THAANA", "NKO", "MANDAIC", "ADLAM")
_INDIC = (
    *("DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA"),
    *("MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN", "THAI", "LAO", "BALINESE", "JAVANESE"),
)
_FEW = 2
"""So many stray zero-width characters are remains of copying; more are a pattern."""


def tags(text: str) -> Iterator[Span]:
    """Letters of the tag block, which no font shows, outside flags of regions."""
    if text.isascii():
        return
    flags = [match.span() for match in _FLAG.finditer(text)]
    for match in _TAGS.finditer(text):
        if not any(start < match.start() < end for start, end in flags):
            yield match.span()


def selectors(text: str) -> Iterator[Span]:
    """Runs of variation selectors, each of which can carry a byte."""
    if text.isascii():
        return
    for match in _SELECTORS.finditer(text):
        if len(match[0]) > _FEW:
            yield match.span()


def zero_width(text: str) -> Iterator[Span]:
    """Zero-width characters where no emoji and no joining script needs them: many, or in a run."""
    if text.isascii():
        return
    found = [m.span() for m in _ZERO.finditer(text) if _stray(text, m.start(), m.end())]
    if sum(end - start for start, end in found) > _FEW:
        yield from found


def bidi(text: str) -> Iterator[Span]:
    """Overrides and embeddings of direction in a text without right-to-left letters.

    An override is told everywhere: it shows letters in another order than they are read.
    """
    if text.isascii():
        return
    needed = any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)
    for match in _BIDI.finditer(text):
        if not needed or "\u202d" in match[0] or "\u202e" in match[0]:
            yield match.span()


def escapes(text: str) -> Iterator[Span]:
    """What a terminal obeys: escape sequences, and backspaces that rub text out."""
    for match in _ESCAPES.finditer(text):
        yield match.span()


def lookalikes(text: str) -> Iterator[Span]:
    """Words that mix Latin letters with letters of another script that look like Latin ones."""
    if text.isascii():
        return
    for match in _WORD.finditer(text):
        if mixed(match[0]):
            yield match.span()


def mixed(word: str) -> bool:
    """Whether a word has Latin letters and look-alikes of them, and no other foreign letter.

    One foreign letter first or last is left: `μm`, `Δt` and `kΩ` are how units are written.
    """
    if word.isascii():
        return False
    latin = sum(char.isascii() for char in word)
    strange = sum(char in LOOKALIKES for char in word)
    if not latin or not strange or latin + strange != len(word):
        return False
    return len(word) > 3 and not (strange == 1 and any(c in "αβγμωΔΩ" for c in word))


def _stray(text: str, start: int, end: int) -> bool:
    if end - start > _FEW:
        return True
    before = text[start - 1] if start else ""
    after = text[end : end + 1]
    run = text[start:end]
    if "\ufeff" in run and start == 0:
        return False
    if run == "\u00ad":
        return False  # a place where a long word may be broken
    near = (before, after)
    if "\u200d" in run and any(_emoji(char) for char in near):
        return False
    return not any(_needs_joiners(char) for char in near)


def _emoji(char: str) -> bool:
    return bool(char) and (
        unicodedata.category(char) in ("So", "Sk") or char in "\ufe0f\ufe0e\u20e3"
    )


def _needs_joiners(char: str) -> bool:
    if not char or char.isascii():
        return False
    if unicodedata.bidirectional(char) in ("R", "AL"):
        return True
    if unicodedata.category(char) == "Lo" and unicodedata.name(char, "").startswith("CJK"):
        return True
    name = unicodedata.name(char, "").partition(" ")[0]
    return name in _JOINING or name in _INDIC
