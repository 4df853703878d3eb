"""Whether a backtracking engine needs exponential time for an expression on some text.

The expression becomes an automaton over the characters that its classes tell apart. It is
exponential when some place in it can be left and reached again over one text in two ways, and when
some text that goes round and round there is no match in the end: then the engine tries all ways.
Nothing is ever matched with the engine itself, and what is not understood counts as harmless.
"""

from __future__ import annotations

import re
import string
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from re import _constants  # type: ignore[attr-defined]  # no other syntax tree
from typing import Any

from mcpward.taint.patterns import tree_of

op = _constants
_LENGTH = 1_000
_POSITIONS = 80
_LOOPS = (")*", ")+", "){")
"""A single class that is repeated is read in one way only."""
_COPIES = 2
"""Counted repetitions are unrolled so often; that never makes a loop of something finite."""
_ROUNDS = 6
_BUDGET = 10_000
"""Steps of the search in one expression; what needs more counts as harmless."""
_SAMPLE = "aZ0_ \t\n-./,;:!\"'<>()[]{}@\0é\u2028"
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT)
_TESTS: dict[Any, Callable[[str], bool]] = {
    op.CATEGORY_DIGIT: str.isdigit,
    op.CATEGORY_NOT_DIGIT: lambda c: not c.isdigit(),
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    op.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
    op.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
}
_Pair = tuple[int, int]


class _UnclearError(Exception):
    """The expression uses something that is not modelled, or is too large."""


@lru_cache(maxsize=1024)
def exponential(pattern: str, flags: str, *, whole: bool = False) -> bool:
    """Whether some text keeps the engine busy; `whole`: the call asks for a match of all of it."""
    if len(pattern) > _LENGTH or not any(loop in pattern for loop in _LOOPS):
        return False
    tree = tree_of(pattern)
    if tree is None:
        return False
    try:
        machine = _Machine(tree, flags + ("i" if tree.state.flags & re.IGNORECASE else ""))
        return any(machine.stuck(start, pump, whole=whole) for start, pump in machine.ambiguous())
    except (_UnclearError, RecursionError):
        return False


class _Machine:
    """States with edges for nothing (`free`) and for one character (`read`)."""

    def __init__(self, tree: Any, flags: str) -> None:
        """Builds the automaton of a syntax tree."""
        self._folded = "i" in flags
        self._dot_all = "s" in flags or bool(tree.state.flags & re.DOTALL)
        self.letters = sorted(_letters(list(tree)) | set(_SAMPLE))
        self.free: list[list[int]] = []
        self.read: dict[int, tuple[frozenset[str], int]] = {}
        self._ends: set[int] = set()
        self._looped = 0
        self._budget = _BUDGET
        self.start = self._state()
        self.accept = self._sequence(list(tree), self.start)
        self._after: dict[int, dict[int, int]] = {}

    # ── building ──────────────────────────────────────────────────────────────────────────────

    def _state(self) -> int:
        self.free.append([])
        return len(self.free) - 1

    def _sequence(self, items: list[Any], at: int) -> int:
        for code, argument in items:
            at = self._item(code, argument, at)
        return at

    def _item(self, code: Any, argument: Any, at: int) -> int:
        if code in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN):
            return self._position(code, argument, at)
        if code is op.SUBPATTERN:
            return self._sequence(list(argument[3]), at)
        if code is op.BRANCH:
            end = self._state()
            for branch in argument[1]:
                inner = self._state()
                self.free[at].append(inner)
                self.free[self._sequence(list(branch), inner)].append(end)
            return end
        if code in _REPEATS:
            return self._repeat(int(argument[0]), argument[1], list(argument[2]), at)
        if code is op.AT:
            end = self._state()
            self.free[at].append(end)
            if argument in (op.AT_END, op.AT_END_STRING):
                self._ends.add(end)
            return end
        if code in (op.ASSERT, op.ASSERT_NOT) and not self._looped:
            return at
        raise _UnclearError

    def _repeat(self, least: int, most: Any, items: list[Any], at: int) -> int:
        endless = most is op.MAXREPEAT
        for _ in range(min(least, _COPIES) - (endless and least > 0)):
            at = self._sequence(items, at)
        if endless:
            self._looped += 1
            enter, end = self._state(), self._state()
            self.free[at].append(enter)
            last = self._sequence(items, enter)
            self.free[last] += [enter, end]
            if not least:
                self.free[at].append(end)
            self._looped -= 1
            return end
        end = self._state()
        self.free[at].append(end)
        for _ in range(min(int(most) - least, _COPIES)):
            at = self._sequence(items, at)
            self.free[at].append(end)
        return end

    def _position(self, code: Any, argument: Any, at: int) -> int:
        if len(self.read) >= _POSITIONS:
            raise _UnclearError
        here, end = self._state(), self._state()
        self.free[at].append(here)
        admitted = frozenset([c for c in self.letters if self._admits(code, argument, c)])
        self.read[here] = (admitted, end)
        return end

    def _admits(self, code: Any, argument: Any, letter: str) -> bool:
        if code is op.ANY:
            return self._dot_all or letter != "\n"
        forms = {letter, letter.lower(), letter.upper()} if self._folded else {letter}
        if code is op.LITERAL:
            return chr(argument) in forms
        if code is op.NOT_LITERAL:
            return chr(argument) not in forms
        negated = bool(argument) and argument[0][0] is op.NEGATE
        inside = any(_in(item, form) for item in argument[negated:] for form in forms)
        return inside is not negated

    # ── ambiguity ─────────────────────────────────────────────────────────────────────────────

    def following(self, position: int) -> dict[int, int]:
        """Where the next character may be read, and in how many ways one gets there: 1 or 2."""
        known = self._after.get(position)
        if known is None:
            known = self._after[position] = self._ways(self.read[position][1])
        return known

    def _ways(self, start: int) -> dict[int, int]:
        ways: dict[int, int] = {}
        work: list[tuple[int, frozenset[int]]] = [(start, frozenset([start]))]
        while work:
            self._spend()
            state, passed = work.pop()
            if state in self.read:
                ways[state] = min(ways.get(state, 0) + 1, 2)
            # Behind the end of a text nothing is read.
            work += [
                (following, passed | {following})
                for following in self.free[state]
                if following not in passed and following not in self._ends
            ]
        return ways

    def _spend(self) -> None:
        self._budget -= 1
        if self._budget < 0:
            raise _UnclearError

    def ambiguous(self) -> list[tuple[int, str]]:
        """Positions that are reached again in two ways over one text, each with that text."""
        back = {p: self._reached(p) for p in self.read}
        found = []
        for position in self.read:
            if position in back[position]:
                pump = self._pump(position, back)
                if pump:
                    found.append((position, pump))
        return found

    def _reached(self, position: int) -> set[int]:
        seen: set[int] = set()
        work = [position]
        while work:
            for following in self.following(work.pop()):
                if following not in seen:
                    seen.add(following)
                    work.append(following)
        return seen

    def _pump(self, position: int, back: dict[int, set[int]]) -> str:
        """A text on which two different ways lead from a position back to it."""
        work: deque[tuple[int, int, bool, str]] = deque([(position, position, False, "")])
        seen = {(position, position, False)}
        while work:
            one, other, apart, text = work.popleft()
            ones = [(p, n) for p, n in self.following(one).items() if position in back[p]]
            others = [(p, n) for p, n in self.following(other).items() if position in back[p]]
            for first, ways in ones:
                for second, _ in others:
                    self._spend()
                    shared = self.read[first][0] & self.read[second][0]
                    if not shared:
                        continue
                    split = apart or first != second or ways > 1
                    if split and first == second == position:
                        return text + min(shared)
                    if (first, second, split) not in seen:
                        seen.add((first, second, split))
                        work.append((first, second, split, text + min(shared)))
        return ""

    # ── the text that is no match ─────────────────────────────────────────────────────────────

    def stuck(self, position: int, pump: str, *, whole: bool) -> bool:
        """Whether a text that goes round at a position can be no match in the end."""
        head = self._head(position)
        if head is None:
            return False
        return any(
            not self._matches(head + pump * _ROUNDS + tail, whole=whole)
            for tail in ("", *self.letters)
        )

    def _head(self, position: int) -> str | None:
        """A text that leads from the start to behind a position."""
        work: deque[tuple[int, str]] = deque([(self.start, "")])
        seen = {self.start}
        while work:
            state, text = work.popleft()
            steps = [(following, text) for following in self.free[state]]
            if state in self.read:
                admitted, end = self.read[state]
                if not admitted:
                    continue
                if state == position:
                    return text + min(admitted)
                steps.append((end, text + min(admitted)))
            for following, so_far in steps:
                if following not in seen:
                    seen.add(following)
                    work.append((following, so_far))
        return None

    def _matches(self, text: str, *, whole: bool) -> bool:
        states = self._closed({self.start}, ended=not text)
        for index, letter in enumerate(text):
            if self.accept in states and not whole:
                return True
            ended = index + 1 == len(text)
            states = self._closed(
                {self.read[s][1] for s in states if s in self.read and letter in self.read[s][0]},
                ended=ended,
            )
        return self.accept in states

    def _closed(self, states: set[int], *, ended: bool) -> set[int]:
        out: set[int] = set()
        work = list(states)
        while work:
            state = work.pop()
            if state in out or (state in self._ends and not ended):
                continue
            out.add(state)
            work += self.free[state]
        return out


def _in(item: Any, letter: str) -> bool:
    code, argument = item
    if code is op.LITERAL:
        return chr(argument) == letter
    if code is op.RANGE:
        return bool(argument[0] <= ord(letter) <= argument[1])
    if code is op.CATEGORY and argument in _TESTS:
        return _TESTS[argument](letter)
    raise _UnclearError


def _letters(items: list[Any]) -> set[str]:
    """Every character that some class of an expression tells from others, and its neighbours."""
    out: set[str] = set()
    work = [items]
    while work:
        for code, argument in work.pop():
            if code in (op.LITERAL, op.NOT_LITERAL):
                out.add(chr(argument))
            elif code is op.RANGE:
                out |= {chr(argument[0]), chr(argument[1])}
                out |= {chr(n) for n in (argument[0] - 1, argument[1] + 1) if 0 <= n < 0x110000}
            elif code is op.IN:
                work.append(list(argument))
            elif code in _REPEATS:
                work.append(list(argument[2]))
            elif code is op.SUBPATTERN:
                work.append(list(argument[3]))
            elif code is op.BRANCH:
                work += [list(branch) for branch in argument[1]]
    letters = {c for c in out if c in string.printable}
    return letters | set(sorted(out - letters)[:20])
