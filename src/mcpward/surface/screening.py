"""Which patterns can match a text at all, told by the literals that are in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from mcpward.core.rule import Signal

_KEY = 3
"""Characters by which an anchor is looked up."""

Place = tuple[int, int]
"""The number of a signal, and the number of one of its patterns."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The patterns of some signals by what must be in a text that one of them matches."""

    signals: tuple[Signal, ...]
    always: frozenset[Place]
    """The patterns that need nothing."""
    needs: dict[Place, frozenset[tuple[str, ...]]]
    """The clauses of each other pattern."""
    users: dict[tuple[str, ...], list[Place]]
    """Clause → the patterns that need it."""
    holders: dict[str, list[tuple[str, ...]]]
    """Anchor → the clauses that it is in."""
    by_key: dict[str, list[str]]
    """The first characters of anchors → the anchors."""
    short: tuple[str, ...]
    """The anchors that have not as many characters: words of other scripts."""

    def live(self, text: str) -> list[tuple[Signal, list[str]]]:
        """The signals that may be in a text, each with its patterns that may match."""
        keys = {text[at : at + _KEY] for at in range(len(text) - _KEY + 1)}
        present = [a for key in self.by_key.keys() & keys for a in self.by_key[key] if a in text]
        if not text.isascii():
            present += [anchor for anchor in self.short if anchor in text]
        clauses = {clause for anchor in present for clause in self.holders[anchor]}
        found = set(self.always)
        for clause in clauses:
            found.update(place for place in self.users[clause] if self.needs[place] <= clauses)
        patterns: defaultdict[int, list[str]] = defaultdict(list)
        for signal, pattern in sorted(found):
            patterns[signal].append(self.signals[signal].patterns[pattern])
        return [(self.signals[number], some) for number, some in patterns.items()]


@lru_cache(maxsize=4)
def screen(signals: tuple[Signal, ...]) -> Screen:
    """The screen of some signals."""
    needs = {
        (number, index): frozenset(clauses or ())
        for number, signal in enumerate(signals)
        for index, (_, clauses) in enumerate(zip_longest(signal.patterns, signal.anchors))
    }
    users: defaultdict[tuple[str, ...], list[Place]] = defaultdict(list)
    for place, clauses in needs.items():
        for clause in clauses:
            users[clause].append(place)
    holders = _holders(users)
    by_key: defaultdict[str, list[str]] = defaultdict(list)
    for anchor in holders:
        by_key[anchor[:_KEY]].append(anchor)
    short = tuple(anchor for anchor in holders if len(anchor) < _KEY)
    always = frozenset(place for place, clauses in needs.items() if not clauses)
    return Screen(signals, always, needs, dict(users), holders, dict(by_key), short)


def _holders(clauses: Iterable[tuple[str, ...]]) -> dict[str, list[tuple[str, ...]]]:
    found: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for clause in clauses:
        for anchor in clause:
            found[anchor].append(clause)
    return dict(found)
