"""The evaluation of one function: every instruction once, then only those whose inputs changed."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

from mcpward.ir.liveness import operands
from mcpward.ir.values import (
    Assume,
    Call,
    Closure,
    Compare,
    Id,
    Join,
    Load,
    Outcome,
    Phi,
    Return,
    Value,
)
from mcpward.taint.facts import (
    NO_FACTS,
    NO_REFS,
    Cell,
    Facts,
    Hit,
    Summary,
    Symbol,
    union,
    widened,
)
from mcpward.taint.frame import Frame
from mcpward.taint.sparse import idle
from mcpward.taint.transfer import STEP

_ROUNDS = 12
"""Rounds over what changed; loops need two or three."""
_OUTCOMES = (Outcome.TRUE, Outcome.FALSE, Outcome.RETURNED)
_MANY = 6
_LINES = 400
"""Lines of a summary."""

_Key = TypeVar("_Key")
_Said = TypeVar("_Said")


class Users:
    """Who reads which value of a function, in two flat arrays."""

    __slots__ = ("_first", "_targets", "exits", "tested")

    def __init__(self, frame: Frame) -> None:
        """Looks at every instruction once."""
        values = frame.values
        readers: list[list[Id] | None] = [None] * len(values)
        tests: list[Id] = []
        for at in frame.live:
            value = values[at]
            for operand in _inputs(frame, value):
                known = readers[operand]
                if known is None:
                    readers[operand] = [at]
                elif known[-1] != at:
                    known.append(at)
            if type(value) is Assume:
                tests.append(value.test)
        first, targets = array("i", [0]), array("i")
        for known in readers:
            if known is not None:
                targets.extend(known)
            first.append(len(targets))
        self._first, self._targets = first, targets
        self.tested = _tested(values, tests)
        """The values on which the outcome of some test depends."""

    def of(self, at: Id) -> array[int]:
        """The instructions that read a value."""
        return self._targets[self._first[at] : self._first[at + 1]]


def _inputs(frame: Frame, value: Value) -> Iterable[Id]:
    if type(value) is Closure:
        return (*operands(value), *frame.defined(value))
    return operands(value)


def _tested(values: list[Value], tests: list[Id]) -> set[Id]:
    seen = set(tests)
    work = list(seen)
    while work:
        value = values[work.pop()]
        match value:
            case Compare() | Phi() | Join():
                following: tuple[Id, ...] = tuple(value.operands)
            case Call():
                following = value.args[:1]
            case Load():
                following = (value.object,)
            case Assume():
                following = (value.value,)
            case _:
                following = ()
        for at in following:
            if at not in seen:
                seen.add(at)
                work.append(at)
    return seen


def first(frame: Frame) -> None:
    """Evaluates everything once, and again what was read too early."""
    frame.running = True
    parts = frame.parts
    late = []
    steps = 0
    settled = frame.settled
    values = frame.values
    for at in frame.live:
        value = values[at]
        kind = type(value)
        if kind is Return:
            continue
        if kind is Phi or kind is Closure:
            late.append(at)
        frame.now = at
        if settled and idle(frame, at, value):
            continue
        steps += 1
        STEP[kind](frame, at, value)
        made = frame.summary
        if made.sinks or made.writes or made.invokes:
            parts[at] = made
            frame.summary = Summary()
    frame.world.work += steps
    _late(frame, late)
    _rounds(frame, resets=False)
    _conclude(frame)


def again(frame: Frame) -> None:
    """Evaluates what depends on something that changed since the last time."""
    frame.running = True
    frame.proofs.clear()
    frame.summary = Summary()
    _rounds(frame, resets=True)
    _conclude(frame)


def _late(frame: Frame, late: list[Id]) -> None:
    """Notes loops and closures whose operands come behind them and hold something new."""
    facts, refs = frame.facts, frame.refs
    for at in late:
        value = frame.values[at]
        if isinstance(value, Phi):
            if any(
                operand > at and not (facts[operand] <= facts[at] and refs[operand] <= refs[at])
                for operand in value.operands
            ):
                frame.dirty.add(at)
        elif isinstance(value, Closure):
            if any(c > at and (facts[c] or refs[c]) for _, c in value.captures):
                frame.dirty.add(at)


def _rounds(frame: Frame, *, resets: bool) -> None:
    dirty = frame.dirty
    for turn in range(_ROUNDS):
        news, frame.news = frame.news, {}
        dirty.discard(-1)
        news.pop(-1, None)
        for at in [at for at in news if at in dirty or not _partly(frame, at, news[at])]:
            dirty.add(at)
            del news[at]
        if not dirty and not news:
            return
        users = frame.users
        if users is None:
            users = frame.users = Users(frame)
        work = [*dirty, *news]
        heapify(work)
        queued = set(work)
        dirty.clear()
        later: set[Id] = set()
        while work:
            at = heappop(work)
            queued.discard(at)
            frame.world.work += 1
            frame.only = news.pop(at, None)
            many = _many(frame, at)
            frame.applied = frame.remembered if many else None
            _evaluate(frame, users, at, resets=resets and not many, turn=turn)
            frame.only = frame.applied = None
            if dirty:
                for other in dirty:
                    news.pop(other, None)
                    if other <= at:
                        later.add(other)
                    elif other not in queued:
                        queued.add(other)
                        heappush(work, other)
                dirty.clear()
        dirty |= later
        resets = False


def _partly(frame: Frame, at: Id, callees: set[str]) -> bool:
    """Whether a call of very many functions needs to look again at a few of them only."""
    value = frame.values[at]
    return (
        type(value) is Call
        and _many(frame, at)
        and callees <= {ref.name for ref in frame.refs[value.callee]}
    )


def _many(frame: Frame, at: Id) -> bool:
    value = frame.values[at]
    return type(value) is Call and len(frame.refs[value.callee]) >= _MANY


def _evaluate(frame: Frame, users: Users, at: Id, *, resets: bool, turn: int) -> None:
    value = frame.values[at]
    kind = type(value)
    if kind is Return:
        return
    facts, refs = frame.facts, frame.refs
    had, had_refs = facts[at], refs[at]
    if resets:
        facts[at], refs[at] = NO_FACTS, NO_REFS
        frame.before = _retracted(frame, at)
    part = frame.parts.pop(at, None)
    if part is not None and frame.applied is not None:
        frame.summary = part
    frame.now = at
    STEP[kind](frame, at, value)
    made = frame.summary
    if made.sinks or made.writes or made.invokes:
        frame.parts[at] = made
        frame.summary = Summary()
    if frame.before:
        before, frame.before = frame.before, {}
        for cell, was in before.items():
            if frame.cells.get(cell, NO_FACTS) != was:
                frame.touched(cell)
    same = True
    if facts[at] == had:
        facts[at] = had
    else:
        same = False
    if refs[at] == had_refs:
        refs[at] = had_refs
    else:
        same = False
    if same:
        _touched(frame, users, at, value, turn)
    else:
        _unproven(frame, at, kind)
        frame.dirty.update(users.of(at))


def _unproven(frame: Frame, at: Id, kind: type[Value]) -> None:
    if kind is Compare or kind is Call:
        for outcome in _OUTCOMES:
            frame.proofs.pop((at, outcome), None)


def _touched(frame: Frame, users: Users, at: Id, value: Value, turn: int) -> None:
    """Notes who has to be evaluated though a value stayed the same: what a test proves may differ.

    Such news goes round a loop once; only a change goes round it again.
    """
    kind = type(value)
    _unproven(frame, at, kind)
    if (
        (kind is Compare and not frame.world.quiet)
        or (isinstance(value, Join) and value.fields is None)
        or (isinstance(value, Load) and value.key is not None)
    ):
        following = users.of(at)
        frame.dirty.update(u for u in following if u > at or not turn)
        return
    if frame.world.quiet and kind is not Call:
        return
    tested = users.tested
    testing = at in tested
    if testing or kind is Call:
        values = frame.values
        for user in users.of(at):
            other = values[user]
            if (
                testing
                and ((user in tested and user > at) or (type(other) is Assume and other.test == at))
            ) or (kind is Call and type(other) is Call and other.callee == at):
                frame.dirty.add(user)


def _retracted(frame: Frame, at: Id) -> dict[Cell, Facts]:
    """Takes back what an instruction has stored; gives what the fields held before."""
    cells = frame.puts.pop(at, None)
    if not cells:
        return {}
    out: dict[Cell, Facts] = {}
    for cell in cells:
        shares = frame.shares[cell]
        shares.pop(at, None)
        out[cell] = frame.cells.get(cell, NO_FACTS)
        left = union(*shares.values())
        if cell in frame.wide:
            left = widened(left)
        if left:
            frame.cells[cell] = left
        else:
            frame.cells.pop(cell, None)
        frame.stamps[cell[0]] = frame.stamps.get(cell[0], 0) + 1
    return out


def _in_order(told: dict[_Key, _Said]) -> Iterable[tuple[_Key, _Said]]:
    """What an instruction said, in an order that does not depend on hash seeds."""
    return told.items() if len(told) < 2 else sorted(told.items(), key=_key)


def _key(line: tuple[Any, object]) -> Any:
    return line[0]


def _lines(frame: Frame) -> Iterator[tuple[tuple[Symbol, int, Hit], Id]]:
    """What reaches sinks through which instruction; of too many lines, a fair share of each.

    Otherwise one call early in a long dispatch would hide all that come behind it. Each sink comes
    once before any comes again.
    """
    told = ((at, frame.parts[at].sinks) for at in sorted(frame.parts))
    parts = {at: dict(_in_order(sinks)) for at, sinks in told if sinks}
    shares = {at: len(sinks) for at, sinks in parts.items()}
    if sum(shares.values()) > _LINES:
        left = _LINES
        for taken, at in enumerate(sorted(parts, key=lambda at: (len(parts[at]), at))):
            shares[at] = min(len(parts[at]), left // (len(parts) - taken))
            left -= shares[at]
    for at, sinks in parts.items():
        if shares[at] == len(sinks):
            yield from sinks.items()
            continue
        seen: Counter[Hit] = Counter()
        ranked: list[tuple[int, tuple[Symbol, int, Hit]]] = []
        for line in sinks:
            seen[line[2]] += 1
            ranked.append((seen[line[2]], line))
        ranked.sort(key=lambda one: one[0])
        yield from ((line, sinks[line]) for _, line in ranked[: shares[at]])


def _conclude(frame: Frame) -> None:
    """Puts the summary together from what the instructions said."""
    summary = frame.summary = Summary()
    for line, via in _lines(frame):
        summary.sinks.setdefault(line, via)
    for at in sorted(frame.parts):
        part = frame.parts[at]
        for place, facts in _in_order(part.writes):
            summary.writes[place] = summary.writes.get(place, NO_FACTS) | facts
        for symbol, arguments in _in_order(part.invokes):
            kept = summary.invokes.setdefault(symbol, {})
            for index, facts in arguments.items():
                kept[index] = kept.get(index, NO_FACTS) | facts
    frame.kept = NO_REFS
    frame.proofs.clear()
    values = frame.values
    for at in frame.exits:
        frame.now = at
        STEP[Return](frame, at, values[at])
    frame.now = -1
    frame.proofs.clear()
    frame.running = False
