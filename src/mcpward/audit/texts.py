"""Rules about texts: what they see on the surface of the target."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence, Handler
from mcpward.core.rule import Rule, Signal, Wording
from mcpward.surface.signals import Hit, Verdict, applies, find, judge
from mcpward.surface.surface import Text

_SHOWN = 160
_REMEMBERED = 4096
"""Texts whose signals are kept: parameters of many tools are described in the same words."""
_SORTS = {"tools": "tool", "prompts": "prompt", "resources": "resource"}


def texts(subject: Subject, rules: Iterable[Rule]) -> Iterator[tuple[Rule, Sighting]]:
    """What the rules with a `[text]` block see."""
    wanted = [(rule, rule.wording) for rule in rules if rule.wording is not None]
    if not wanted:
        return
    signals = subject.world.catalog.signals
    seen = lru_cache(maxsize=_REMEMBERED)(lambda text: find(text, signals))
    for text in subject.surface.texts:
        if text.place is None:
            continue
        for rule, verdict in _broken(text, wanted, seen(text.text)):
            yield rule, _sighting(text, rule, verdict, signals)


def judged(
    text: Text, rules: Iterable[tuple[Rule, Wording]], signals: Mapping[str, Signal]
) -> list[tuple[Rule, Verdict]]:
    """The rules that a text breaks, without those that another one says better."""
    return _broken(text, rules, find(text.text, signals))


def _broken(
    text: Text, rules: Iterable[tuple[Rule, Wording]], hits: tuple[Hit, ...]
) -> list[tuple[Rule, Verdict]]:
    if not hits:
        return []
    applicable = [(rule, wording) for rule, wording in rules if applies(wording, text)]
    found = {
        rule.name: (rule, verdict)
        for rule, wording in applicable
        if (verdict := judge(hits, wording)) is not None
    }
    below: defaultdict[str, set[str]] = defaultdict(set)
    for rule, wording in applicable:
        below[rule.name].update(wording.below)
    return [one for name, one in found.items() if not below[name] & found.keys()]


def _sighting(text: Text, rule: Rule, verdict: Verdict, signals: Mapping[str, Signal]) -> Sighting:
    assert text.place is not None
    assert rule.wording is not None
    start, end = verdict.span
    quoted = " ".join(text.text[start:end].split())
    quoted = quoted if len(quoted) <= _SHOWN else f"{quoted[:_SHOWN]}…"
    said = dict.fromkeys(signals[hit.signal].says for hit in verdict.hits)
    certain = rule.wording.certain and verdict.total >= rule.wording.certain
    sort = _SORTS.get(text.sort)
    return Sighting(
        text.place,
        f'"{quoted}" ({"; ".join(list(said)[:4])})',
        confidence=Confidence.HIGH if certain else Confidence.MEDIUM,
        handler=Handler(sort, text.owner.partition(".")[2]) if sort else None,
    )
