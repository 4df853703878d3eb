"""Which patterns can match a text at all, told by the literals that are in it."""

from __future__ import annotations

from collections import defaultdict
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
    needs: dict[Place, frozenset[int]]
    """The numbers of the clauses of each pattern."""
    users: list[list[Place]]
    """For each clause the patterns that need it."""
    holders: dict[str, list[int]]
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
    numbers: dict[tuple[str, ...], int] = {}
    users: list[list[Place]] = []
    needs: dict[Place, frozenset[int]] = {}
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for number, signal in enumerate(signals):
        for index, (_, clauses) in enumerate(zip_longest(signal.patterns, signal.anchors)):
            place = number, index
            for clause in clauses or ():
                if clause not in numbers:
                    numbers[clause] = len(users)
                    users.append([])
                    for anchor in clause:
                        holders[anchor].append(numbers[clause])
                users[numbers[clause]].append(place)
            needs[place] = frozenset(numbers[clause] for clause in clauses or ())
    by_key: defaultdict[str, list[str]] = defaultdict(list)
    for anchor in holders:
        by_key[anchor[:_KEY]].append(anchor)
    short = tuple(anchor for anchor in holders if len(anchor) < _KEY)
    always = frozenset(place for place, required in needs.items() if not required)
    return Screen(signals, always, needs, users, dict(holders), dict(by_key), short)
