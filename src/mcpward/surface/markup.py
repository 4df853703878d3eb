"""Markup and white space that a person does not see and a model reads."""

from __future__ import annotations

from collections.abc import Iterator

from mcpward.core.late import late

_LINE = late(r"\[//\]: # \([^)\n]{1,1024}\)")
_MARKERS = 64
_BLANK = late(r"(?:[ \t\r]{0,16}\n){15,}|[ \t\u00a0\u2000-\u200a\u3000]{150,}")
_LEAST = 3
"""Words that a comment must have to say something."""


def comments(text: str) -> Iterator[tuple[int, int]]:
    """Comments of HTML and Markdown that hold words."""
    at = text.find("<!--")
    for _ in range(_MARKERS):
        if at < 0:
            break
        closing = text.find("-->", at)
        end = closing + 3 if closing >= 0 else len(text)
        if len(text[at + 4 : end].split()) >= _LEAST:
            yield at, end
        at = text.find("<!--", end)
    for match in _LINE.finditer(text):
        yield match.span()


def padding(text: str) -> Iterator[tuple[int, int]]:
    """Blank lines or spaces that push what follows out of sight."""
    for match in _BLANK.finditer(text):
        if text[: match.start()].strip() and text[match.end() :].strip():
            yield match.span()
