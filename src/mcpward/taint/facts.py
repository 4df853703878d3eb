"""Facts about values, what is known of their referents, and the summary of a function.

A fact is (origin, marks): where data came from, and what guards and sanitizers have proven since.
An origin is either symbolic, a parameter of the function under analysis, or concrete, a `Source`.
Marks are bits; they only grow along a path.

A referent says what a value may be: a library function or module, a function of the program, an
object made at some place. Both are kept in small frozen sets; most values have none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from mcpward.ir.values import Id

Path = tuple[str, ...]


class Source(NamedTuple):
    """A concrete origin: a parameter of a handler, or the result of a call in some function."""

    kind: str
    """`model`, `wire` or `third`."""
    function: str
    at: Id
    """The value in the function: a parameter, a call or a load."""
    label: str
    """How the source is called in messages."""
    entry: int = -1
    """Index of the entry point, for parameters of handlers."""


class Symbol(NamedTuple):
    """A symbolic origin: a parameter, or a field of a parameter."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody asks a symbol for
    path: Path


Origin = Source | Symbol
Fact = tuple[Origin, int]
Facts = frozenset[Fact]
NO_FACTS: Facts = frozenset()

PATH_LIMIT = 3
"""Fields that an origin keeps apart; deeper ones count as the whole."""

FACT_LIMIT = 16
"""Facts per value; beyond it, what is known of fields is said of the whole parameter."""

_FUNCTIONS = 256
_SOURCES = 8
_FETCHED = 4
"""Sources of fetched content that such a value keeps: they weigh less, and there are many."""
_ROOTS: dict[int, Symbol] = {}
_SHARED = 4
"""Sources of one kind and one set of marks that a shared field keeps apart."""
_VARIANTS = 12


class Ref(NamedTuple):
    """What a value may be.

    `ext`: a library module, function or class, `name` is qualified; `inst`: an instance of a
    library class; `fn`: a function of the program, made at (`site`, `at`); `cls`: a class of the
    program; `self`: an instance of it; `obj`: an object or container made at (`site`, `at`);
    `mod`: a module of the program; `const`: a literal.
    """

    sort: str
    name: str
    site: str = ""
    at: Id = -1


FOREIGN = Ref("ext", "?")
"""Something of a library that no row is about, nor about anything behind it.

One referent for all of them: what they are called would only be news for everybody who is handed
one, and no answer would differ.
"""

Refs = frozenset[Ref]
NO_REFS: Refs = frozenset()
REF_LIMIT = 8
"""Referents per value; more are not followed."""

Cell = tuple[Ref, str]
"""A field of an object: the unit in which the heap is kept."""

WHOLE = "\0"
"""Stands for all fields of an object where its readers are kept."""


class Hit(NamedTuple):
    """A sink that data reaches: where, and of what kind."""

    kind: str
    function: str
    at: Id
    label: str
    """How the sink is called in messages."""


Outcomes = dict[tuple[str, str], dict[Symbol, int]]
"""(`returned`/`true`/`false`, field of the result or "") → marks that parameters have then."""


@dataclass(slots=True, eq=False)
class Summary:
    """What a caller needs to know about a function; grows until nothing changes."""

    returns: dict[Path, Facts] = field(default_factory=dict)
    """Field path of the result → facts, symbolic or concrete."""
    refs: Refs = NO_REFS
    sinks: dict[tuple[Symbol, int, Hit], Id] = field(default_factory=dict)
    """(parameter, marks gained on the way, sink) → the call in this function that leads there."""
    writes: dict[tuple[int, Path], Facts] = field(default_factory=dict)
    """(parameter, field path) → facts that are stored there."""
    cells: dict[Cell, Facts] = field(default_factory=dict)
    """Symbolic facts in objects that outlive the call (returned, global, instances)."""
    invokes: dict[Symbol, dict[int, Facts]] = field(default_factory=dict)
    """A parameter that is called: argument position → facts."""
    outcomes: Outcomes = field(default_factory=dict)
    carrying: bool = False
    """Whether a caller without any data gets some."""
    size: int = 0
    """Grows whenever anything does: callers compare it."""

    def absorb(self, old: Summary) -> None:
        """Adds an earlier summary, so that summaries only grow."""
        for path, facts in old.returns.items():
            self.returns[path] = bounded(self.returns.get(path, NO_FACTS) | facts)
        self.refs |= old.refs
        for line, via in old.sinks.items():
            self.sinks.setdefault(line, via)
        for place, facts in old.writes.items():
            self.writes[place] = bounded(self.writes.get(place, NO_FACTS) | facts)
        for cell, facts in old.cells.items():
            self.cells[cell] = bounded(self.cells.get(cell, NO_FACTS) | facts)
        for symbol, arguments in old.invokes.items():
            kept = self.invokes.setdefault(symbol, {})
            for index, facts in arguments.items():
                kept[index] = bounded(kept.get(index, NO_FACTS) | facts)
        for key, proofs in list(self.outcomes.items()):
            had = old.outcomes.get(key, {})
            self.outcomes[key] = {s: m & had.get(s, 0) for s, m in proofs.items()}

    def carries(self) -> bool:
        """Whether a caller without any data gets some."""
        return any(
            type(origin) is Source
            for facts in (*self.returns.values(), *self.writes.values(), *self.cells.values())
            for origin, _ in facts
        ) or any(
            type(origin) is Source
            for arguments in self.invokes.values()
            for facts in arguments.values()
            for origin, _ in facts
        )

    def measure(self) -> int:
        """A number that changes whenever the summary grows."""
        return (
            sum(map(len, self.returns.values()))
            + len(self.returns)
            + len(self.refs)
            + len(self.sinks)
            + sum(map(len, self.writes.values()))
            + sum(map(len, self.cells.values()))
            + sum(len(f) for args in self.invokes.values() for f in args.values())
            + sum(m.bit_count() for o in self.outcomes.values() for m in o.values()) * 7
            + len(self.outcomes) * 3
        )


def union(*sets: Facts) -> Facts:
    """All facts, without copying when only one set holds any."""
    held = [s for s in sets if s]
    if not held:
        return NO_FACTS
    first = held[0]
    if len(held) == 1:
        return first
    return first.union(*held[1:])


def marked(facts: Facts, marks: int) -> Facts:
    """The facts, each with some more marks."""
    if not facts or not marks:
        return facts
    return frozenset([(origin, had | marks) for origin, had in facts])


def unmarked(facts: Facts, marks: int) -> Facts:
    """The facts, each without some marks."""
    if not facts or not marks:
        return facts
    return frozenset([(origin, had & ~marks) for origin, had in facts])


def below(facts: Facts, name: str) -> Facts:
    """What is known of a field when something is known of the whole."""
    if not facts:
        return facts
    out: list[Fact] = []
    for origin, marks in facts:
        if type(origin) is Symbol and len(origin.path) < PATH_LIMIT and origin.path[-1:] != ("*",):
            out.append((Symbol(origin.index, (*origin.path, name)), marks))
        else:
            out.append((origin, marks))
    return frozenset(out)


def bounded(facts: Facts) -> Facts:
    """The facts, widened when there are too many."""
    return facts if len(facts) <= FACT_LIMIT else widened(facts)


def widened(facts: Facts) -> Facts:
    """The facts with fields of a parameter taken for the parameter.

    That says more than is known, never less; only sources of one kind beyond the first few are
    dropped. What was widened once has to be widened whenever something is added: otherwise it
    would shrink and grow in turn, and nothing would come to rest.
    """
    whole: dict[Origin, int] = {}
    sources: list[Fact] = []
    fetched: list[Fact] = []
    for fact in facts:
        origin, marks = fact
        if type(origin) is Symbol:
            index = origin.index
            root = _ROOTS.get(index) or _ROOTS.setdefault(index, Symbol(index, ()))
            whole[root] = whole.get(root, marks) & marks
        elif origin[0] == "third":
            fetched.append(fact)
        else:
            sources.append(fact)
    if len(sources) > _SOURCES:
        sources = sorted(sources)[:_SOURCES]
    if len(fetched) > _FETCHED:
        fetched = sorted(fetched)[:_FETCHED]
    return frozenset([*whole.items(), *sources, *fetched])


def fact_order(fact: Fact) -> tuple[int, tuple[object, ...]]:
    """The place of a fact in an order that does not depend on hash seeds."""
    origin, marks = fact
    if type(origin) is Symbol:
        return 0, (origin.index, origin.path, marks)
    return 1, (*origin, marks)


def added(old: Facts, new: Facts) -> Facts:
    """What everybody may read, with new facts, unless there are enough of their kind already.

    A shared field is not told apart by caller, so a few sources of each kind say all there is to
    say, and stopping there lets the fixed point come to rest.
    """
    fresh = [fact for fact in new if type(fact[0]) is Source and fact not in old]
    if not fresh:
        return old
    counts: dict[tuple[str, int], int] = {}
    for origin, marks in old:
        if type(origin) is Source:
            counts[origin.kind, marks] = counts.get((origin.kind, marks), 0) + 1
    if len(counts) >= _VARIANTS:
        return old
    more: list[Fact] = []
    for fact in sorted(fresh, key=fact_order):
        origin, marks = fact
        if type(origin) is Source:
            key = (origin.kind, marks)
            if counts.get(key, 0) < _SHARED and len(counts) < _VARIANTS:
                counts[key] = counts.get(key, 0) + 1
                more.append(fact)
    return old | frozenset(more) if more else old


def limited(refs: Refs, functions_limit: int = _FUNCTIONS) -> Refs:
    """The referents, at most a few of them, but every function of a dispatch table."""
    if len(refs) <= REF_LIMIT:
        return refs
    functions = [r for r in sorted(refs) if r.sort == "fn"][:functions_limit]
    others = [r for r in sorted(refs) if r.sort != "fn"][:REF_LIMIT]
    return frozenset(functions + others)


def ordered(refs: Collection[Ref]) -> Iterable[Ref]:
    """Referents in an order that does not depend on hash seeds."""
    return refs if len(refs) < 2 else sorted(refs)
