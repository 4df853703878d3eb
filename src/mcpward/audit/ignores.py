"""Findings that somebody decided to live with: comments in the code and entries in the settings.

A comment reads `# mcpward: ignore[rule-a, rule-b] reason`, in JavaScript with `//`. Behind code it
covers its own line; alone on its line, the next line that is not such a comment itself.

Comments are found line by line, without parsing the file. Where that can be wrong: a line inside a
multi-line string that looks like a comment counts as one; a comment behind the end of a multi-line
string, or behind a regular expression with a lone quote, is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from mcpward.core.finding import Place
from mcpward.core.late import late
from mcpward.core.source import Position, SourceFile

_NEEDLE = b"mcpward:"

# A quote that is never closed swallows the rest of the line. Alternatives start with different
# characters, hence one pass.
_STRING = r""""(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?"""
_SIGN = {
    "python": re.compile(_STRING + r"|(?P<sign>\#)"),
    "javascript": re.compile(_STRING + r"|`(?:[^`\\]|\\.)*`?|(?P<sign>//)"),
}
_MARKER = late(r"(?:\#|//)[ \t]*mcpward:[ \t]*ignore\b[ \t]*(?:\[([^\]]*)\])?(.*)")
_NAME = late(r"[\w-]+")


class PathIgnore(NamedTuple):
    """An ignore from the settings: a rule in all files that match."""

    rule: str
    glob: str
    reason: str
    origin: str = ""
    """Where it is written, for the note that says it is unused."""

    def covers(self, rule: str, file: str) -> bool:
        """Whether a finding of this rule in this file is meant."""
        return rule == self.rule and _compiled(self.glob).fullmatch(file) is not None


class InlineIgnore(NamedTuple):
    """One rule name in an ignore comment."""

    rule: str
    reason: str
    """Empty: the ignore does not count."""
    place: Place
    """The rule name in the comment."""
    line: int
    """The line whose findings are covered."""


class _Comment(NamedTuple):
    line: int
    text: str
    alone: bool
    marker: re.Match[str]


def inline_ignores(source: SourceFile) -> tuple[InlineIgnore, ...]:
    """All ignores in comments of a file, in order."""
    comments = list(_comments(source))
    alone = {comment.line for comment in comments if comment.alone}
    # Backwards, so that a stack of comments is walked once.
    covered: dict[int, int] = {}
    for line in sorted(alone, reverse=True):
        covered[line] = covered.get(line + 1, line + 1)
    return tuple(
        ignore
        for comment in comments
        for ignore in _ignores(source.path, comment, covered.get(comment.line, comment.line))
    )


def _comments(source: SourceFile) -> Iterator[_Comment]:
    sign = _SIGN[source.language.family]
    data = source.data
    at = data.find(_NEEDLE)
    while at >= 0:
        line = source.line_of(at)
        text = source.line_text(line)
        start = next((m.start() for m in sign.finditer(text) if m["sign"]), None)
        marker = None if start is None else _MARKER.search(text, start)
        if marker is not None:
            yield _Comment(line, text, not text[:start].strip(), marker)
        end = data.find(b"\n", at)
        at = data.find(_NEEDLE, end) if end >= 0 else -1


def _ignores(file: str, comment: _Comment, line: int) -> Iterator[InlineIgnore]:
    marker = comment.marker
    reason = marker[2].strip(" \t-–—:")
    if not re.search(r"\w", reason):
        reason = ""
    start = marker.start(1)
    names = [(m[0], start + m.start()) for m in _NAME.finditer(marker[1] or "")]
    for name, column in names or [("", marker.start())]:
        width = len(name) or len(marker[0].rstrip())
        place = Place(
            file,
            Position(comment.line, column + 1),
            Position(comment.line, column + width + 1),
            comment.text,
        )
        yield InlineIgnore(name, reason, place, line)


@lru_cache(maxsize=256)
def _compiled(glob: str) -> re.Pattern[str]:
    """`*` stays inside a path component, `**` crosses them, and a folder covers what is in it."""
    pieces = []
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", glob.removeprefix("./").rstrip("/")):
        match part:
            case "**/":
                pieces.append("(?:[^/]+/)*")
            case "**":
                pieces.append(".*")
            case "*":
                pieces.append("[^/]*")
            case "?":
                pieces.append("[^/]")
            case _:
                pieces.append(re.escape(part))
    return re.compile("".join(pieces) + "(?:/.*)?", re.DOTALL)
