"""Rules about files in a package that agents read as instructions."""

from __future__ import annotations

from collections.abc import Iterator

from mcpward.audit.leaks import Leaks
from mcpward.audit.recognize import is_guidance
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence
from mcpward.surface.normal import LONGEST
from mcpward.surface.signals import find, judge

_LIKE = "tool-poisoning"
"""The rule whose signals count here; only what is certain there is told."""
_ATTACKS = frozenset(
    ["takes-credential", "sends-away", "conceals", "overrides", "foreign-override", "tag-letters"]
)
"""Guidance gives orders by its nature; these are what it has no reason to say."""
_FILES = 100
_PIECE = LONGEST // 2
_SHOWN = 160


def poisoned_bundled_content(subject: Subject) -> Iterator[Sighting]:
    """Guidance for agents that takes credentials, sends data away or hides what it does."""
    wording = subject.world.catalog.rules[_LIKE].wording
    signals = subject.world.catalog.signals
    assert wording is not None
    paths = [path for path in sorted(subject.texts) if is_guidance(path)]
    places = Leaks({}, {path: subject.texts[path] for path in paths})
    for path in paths[:_FILES]:
        text = subject.texts[path].decode("utf-8", "replace")
        for begin in range(0, min(len(text), 4 * _PIECE), _PIECE):
            verdict = judge(find(text[begin : begin + _PIECE], signals), wording)
            if verdict is None or verdict.total < wording.certain:
                continue
            if len(_ATTACKS & {hit.signal for hit in verdict.hits}) < 2:
                continue
            start, end = (begin + at for at in verdict.span)
            quoted = " ".join(text[start:end].split())[:_SHOWN]
            said = dict.fromkeys(signals[hit.signal].says for hit in verdict.hits)
            detail = f'"{quoted}" ({"; ".join(list(said)[:4])})'
            place = places.place(path, start, min(end, start + _SHOWN))
            yield Sighting(place, detail, confidence=Confidence.MEDIUM)
            break
