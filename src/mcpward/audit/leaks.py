"""The secrets in the files of a target, with how each is written down."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from mcpward.core.finding import Place
from mcpward.core.late import late
from mcpward.core.source import Position, SourceFile
from mcpward.secrets import Secret, assigned, search
from mcpward.secrets.literals import Literal, arguments, defaults, lines, literals, queries

_SHOWN = 400
"""Characters of a line that a place keeps."""
_PUBLIC = late(
    r"(?i)algolia|indexName|firebase|messagingSenderId|recaptcha|site_?key|posthog|segment\.io|writeKey"
    r"|amplitude|mixpanel|gtag|google-?analytics|sentry|telemetry|publishable"
)
"""What is near keys that every visitor of a site gets: search, analytics, error reports."""
_NEAR = 200
_QUERY_NAMES = frozenset({"key", "apikey", "api_key", "token", "access_token", "sig", "auth"})


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret in a file."""

    secret: Secret
    """Its offsets are those in the file."""
    how: str
    """`format` when its shape alone gives it away, else how the literal is given to `name`."""
    name: str = ""

    @property
    def title(self) -> str:
        """What it is, for a sentence."""
        return f"{self.secret.title} in `{self.name}`" if self.name else self.secret.title


@dataclass(eq=False)
class Leaks:
    """The secrets of each file, looked for when somebody asks."""

    sources: Mapping[str, SourceFile]
    texts: Mapping[str, bytes]
    _texts: dict[str, str] = field(default_factory=dict)
    _starts: dict[str, list[int]] = field(default_factory=dict)
    _found: dict[str, tuple[Leak, ...]] = field(default_factory=dict)

    def text(self, path: str) -> str:
        """The text of a file; empty for one that was not read."""
        if path not in self._texts:
            source = self.sources.get(path)
            data = source.data if source else self.texts.get(path, b"")
            self._texts[path] = data.decode("utf-8", "replace")
        return self._texts[path]

    def of(self, path: str) -> tuple[Leak, ...]:
        """The secrets of one file in order; none overlaps another."""
        if path not in self._found:
            code = path in self.sources
            self._found[path] = tuple(_leaks(self.text(path), code=code))
        return self._found[path]

    def starts(self, path: str) -> list[int]:
        """Where each line of a file starts, in characters."""
        if path not in self._starts:
            text = self.text(path)
            self._starts[path] = [0, *(match.end() for match in re.finditer("\n", text))]
        return self._starts[path]

    def place(self, path: str, start: int, end: int) -> Place:
        """The place of a range of characters of a file."""
        text = self.text(path)
        begin, last = self._position(path, start), self._position(path, end)
        first = self.starts(path)[begin.line - 1]
        stop = text.find("\n", start)
        line = text[first : len(text) if stop < 0 else stop]
        return Place(path, begin, last, line[:_SHOWN].rstrip("\r"))

    def _position(self, path: str, at: int) -> Position:
        starts = self.starts(path)
        line = bisect_right(starts, at)
        return Position(line, at - starts[line - 1] + 1)


def _leaks(text: str, *, code: bool) -> Iterator[Leak]:
    """What is surest first: a format, a default, an assignment, an option, a query."""
    taken: list[Leak] = []
    given = sorted(defaults(text), key=lambda one: one.start)
    begins = [one.start for one in given]
    for secret in search(text):
        at = bisect_right(begins, secret.start) - 1
        if at >= 0 and secret.start < given[at].end:
            taken.append(Leak(secret, "default", given[at].name))
        else:
            taken.append(Leak(secret, "format"))
    ways: list[Callable[[str], Iterator[Literal]]] = [defaults, literals, queries]
    ways += [] if code else [lines, arguments]
    for way in ways:
        for literal in way(text):
            leak = _judged(literal)
            if leak and not (leak.secret.kind == "generic" and _is_public(text, literal)):
                taken.append(leak)
    done = 0
    # Stable: what was surer stands before what is at the same place.
    for leak in sorted(taken, key=lambda leak: leak.secret.start):
        if leak.secret.start >= done:
            done = leak.secret.end
            yield leak


def _is_public(text: str, literal: Literal) -> bool:
    near = text[max(literal.start - _NEAR, 0) : literal.end + _NEAR]
    return bool(_PUBLIC.search(near))


def _judged(literal: Literal) -> Leak | None:
    name = literal.name
    if literal.how == "query" and name.lower() in _QUERY_NAMES:
        name = "api_key"
    found = assigned(name, literal.value)
    if found is None or (literal.how in ("query", "argument") and found.kind != "generic"):
        return None
    start = literal.start
    moved = Secret(found.kind, found.title, start + found.start, start + found.end, found.verified)
    return Leak(moved, literal.how, literal.name)
