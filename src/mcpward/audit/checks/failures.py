"""Checks of what becomes of errors, and of what leaves a trace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mcpward.audit.places import span_place
from mcpward.audit.sites import uses
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.late import late
from mcpward.taint.entry import Entry

_SWALLOWED = {
    "python": re.compile(
        rb"^[ \t]*except(?:[ \t]+(?:Exception|BaseException)(?:[ \t]+as[ \t]+\w+)?)?[ \t]*:"
        rb"[ \t]*(?:#[^\n]*)?\n[ \t]*(?:pass|continue)\b",
        re.MULTILINE,
    ),
    "javascript": re.compile(rb"\bcatch[ \t]*(?:\([^)\n]{0,80}\))?[ \t]*\{[ \t\n]*\}"),
}
_SUCCESS = {
    "python": re.compile(
        rb"^[ \t]*except\b[^\n]{0,200}:[^\n]{0,200}\n"
        rb"(?:[ \t]*(?:logger|logging|log|print)[^\n]*\n)?"
        rb"[ \t]*return[ \t]+(?:f?[\"'](?:Error|Failed|Failure)|\{[\"']error[\"']:)",
        re.MULTILINE,
    ),
    "javascript": re.compile(
        rb"\bcatch[ \t]*(?:\([^)\n]{0,80}\))?[ \t]*\{[^\n{}]{0,200}\n(?:[ \t]*console[^\n]*\n)?"
        rb"[ \t]*return[ \t]*\{[^}]{0,80}content[^}]{0,200}(?:[Ee]rror|[Ff]ailed)"
        rb"(?:(?!isError)[^;]){0,200};"
    ),
}
_LOGGED = late(
    rb"\b(?:logger|logging|structlog|loguru|winston|pino|opentelemetry|audit_?log|LoggingMiddleware"
    rb"|ctx\.info|log)\b",
    re.IGNORECASE,
)
_NAMED = 3
_GRAVE = ("shell", "program", "argv", "sql", "path-write", "path-delete", "code")


def swallowed_exception(subject: Subject) -> Iterator[Sighting]:
    """Handlers of errors that do nothing, in code that a tool reaches."""
    yield from _spotted(subject, subject.reached, _SWALLOWED)


def error_reported_as_success(subject: Subject) -> Iterator[Sighting]:
    """Results that say in words that something failed, and nowhere else."""
    entries = [e for e in subject.world.entries.values() if e.model.sort == "tool"]
    yield from _spotted(subject, sorted({entry.handler.name for entry in entries}), _SUCCESS)


def _spotted(
    subject: Subject, functions: Iterable[str], patterns: dict[str, re.Pattern[bytes]]
) -> Iterator[Sighting]:
    told: set[tuple[str, int]] = set()
    for name in functions:
        frame = subject.world.frames.get(name)
        if frame is None or frame.function.end <= frame.function.start:
            continue
        function, source = frame.function, frame.module.source
        pattern = patterns[source.language.family]
        for found in pattern.finditer(source.data, function.start, function.end):
            start = found.start() + len(found[0]) - len(found[0].lstrip())
            if (source.path, start) not in told:
                told.add((source.path, start))
                place = span_place(subject.world, function, start, found.end())
                yield Sighting(place, handler=subject.handler(name, 0))


def missing_audit_log(subject: Subject) -> Iterator[Sighting]:
    """A server with tools that change things, and no log."""
    if any(_LOGGED.search(source.data) for source in subject.sources.values()):
        return
    grave: dict[str, Entry] = {}
    for site in subject.sites:
        entry = subject.reached.get(site.frame.name)
        if entry is not None and entry.label and any(uses(site, _GRAVE)):
            grave.setdefault(entry.label, entry)
    if grave:
        names = sorted(grave)
        yield _about_server(subject, grave[names[0]], names)


def _about_server(subject: Subject, entry: Entry, names: list[str]) -> Sighting:
    function = subject.world.program.function(entry.handler.name)
    assert function is not None
    shown = ", ".join(f"`{name}`" for name in names[:_NAMED])
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    place = span_place(subject.world, function, function.start, function.end)
    return Sighting(place, shown + rest)
