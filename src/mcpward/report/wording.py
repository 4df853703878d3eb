"""How numbers, handlers and kinds of skipped input read in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mcpward.core.finding import Handler, Place, Severity, SkipKind
from mcpward.report.terminal import clean

HANDLER_SORTS = {
    "tool": "tool",
    "resource": "resource",
    "prompt": "prompt",
    "completion": "completion",
    "route": "route",
    "raw": "raw handler",
}
"""The sorts in the order of a report, as they read before a name."""


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as "1,204 files"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(words: Sequence[str]) -> str:
    """Words as an enumeration, such as "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def shortened(words: Sequence[str], most: int) -> str:
    """The first words, and how many more there are."""
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[:most])} and {len(words) - most:,} more"


def sort_word(sort: str) -> str:
    """What handlers of a sort are called."""
    return HANDLER_SORTS.get(sort) or f"{clean(sort, 40)} handler".strip()


def named(handler: Handler) -> str:
    """A handler, such as "tool read_note"."""
    return f"{sort_word(handler.sort)} {clean(handler.name, 200)}".strip()


def at(place: Place) -> str:
    """A place as editors and terminals understand it."""
    return f"{clean(place.file)}:{place.start.line}:{place.start.column}"


def by_severity(severities: Iterable[Severity]) -> str:
    """Such as "1 critical, 2 high"."""
    found = list(severities)
    numbers = ((found.count(severity), severity) for severity in sorted(Severity, reverse=True))
    return ", ".join(f"{number:,} {severity.word}" for number, severity in numbers if number)


def handler_order(handler: Handler | None) -> tuple[int, str, str, int]:
    """Sorts handlers as a report shows them; findings without one come last."""
    if handler is None:
        return (len(HANDLER_SORTS) + 1, "", "", 0)
    sorts = list(HANDLER_SORTS)
    rank = sorts.index(handler.sort) if handler.sort in HANDLER_SORTS else len(sorts)
    place = handler.place
    return (rank, handler.name, place.file if place else "", place.start.line if place else 0)


SKIP_WORDS = {
    SkipKind.UNREADABLE: "could not be read",
    SkipKind.TOO_LARGE: "too large",
    SkipKind.TOO_DEEP: "nested too deeply",
    SkipKind.TOO_MANY: "too many",
    SkipKind.UNPARSABLE: "could not be parsed",
    SkipKind.UNSAFE_PATH: "the path is not safe to follow",
    SkipKind.LINK: "a link",
    SkipKind.SPECIAL_FILE: "not a regular file",
    SkipKind.NOT_FIRST_PARTY: "not first-party code",
    SkipKind.UNSUPPORTED: "not supported",
    SkipKind.LIMIT: "a limit of the analysis was reached",
}
"""Why something was not looked at, in words."""
