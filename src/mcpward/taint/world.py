"""What all functions share: the heap, what parameters may be, summaries, dependencies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from mcpward.catalog.catalog import Catalog
from mcpward.ir.program import Program
from mcpward.ir.values import (
    Closure,
    Function,
    Id,
    Module,
)
from mcpward.taint.classes import Classes
from mcpward.taint.entry import Entry
from mcpward.taint.facts import (
    NO_FACTS,
    NO_REFS,
    REF_LIMIT,
    WHOLE,
    Cell,
    Facts,
    Hit,
    Ref,
    Refs,
    Source,
    Summary,
    Symbol,
    added,
    limited,
    ordered,
)
from mcpward.taint.knowledge import Knowledge
from mcpward.taint.relevance import Relevance

if TYPE_CHECKING:
    from mcpward.taint.frame import Frame

_NOBODY: frozenset[Id] = frozenset()
_LAST = 1 << 40
_NAME_LIMIT = 160


class World:
    """The state that grows until nothing changes."""

    def __init__(self, program: Program, catalog: Catalog) -> None:
        """Starts with an empty heap."""
        self.program = program
        self.catalog = catalog
        self.bits = {name: 1 << number for name, number in catalog.bits.items()}
        self.about = {name: mark.about for name, mark in catalog.marks.items() if mark.about}
        """Weak marks, each with the beginnings of the sink kinds that it is about."""
        self._libraries: dict[str, Knowledge] = {}
        program.heed(lambda module: self.library(module).returned)
        self.summaries: dict[str, Summary] = {}
        self.callers: defaultdict[str, set[str]] = defaultdict(set)
        self.frames: dict[str, Frame] = {}
        """The state of every function that was analysed; only what changed is evaluated again."""
        self.work = 0
        """Instructions evaluated so far."""
        self.heap: dict[Cell, Facts] = {}
        self.heap_refs: dict[Cell, Refs] = {}
        self.fields: defaultdict[Ref, dict[str, None]] = defaultdict(dict)
        self.readers: defaultdict[Cell | Ref, set[str]] = defaultdict(set)
        self.param_refs: dict[tuple[str, int], Refs] = {}
        self.capture_facts: dict[tuple[str, int], Facts] = {}
        self.classes = Classes(program)
        self.asked: defaultdict[Ref, dict[str, None]] = defaultdict(dict)
        """Fields of instances that somebody has read, whether they exist or not."""
        self.entries: dict[tuple[str, str, str, Id], Entry] = {}
        self.findings: dict[tuple[Source, int, Hit], tuple[str, Id]] = {}
        self.stored: dict[tuple[Cell, Source], tuple[str, Id]] = {}
        self.stamps: dict[Ref, int] = {}
        """Object → a number that grows with what is stored in it."""
        self.version = 0
        """Grows with the heap, so that what was read from it can be remembered."""
        self.queue: list[tuple[int, str]] = []
        self._later: list[tuple[int, str]] = []
        self._position = -1
        self.finished: dict[str, int] = {}
        """When a function was first analysed: callees finish before their callers."""
        self.queued: set[str] = set()
        self.relevance = Relevance(catalog, self.mask)
        self.vouched: dict[str, tuple[int, int]] = {}
        self.summarize: Callable[[str, str], Summary] = _unsolved
        """Gives the summary of a function to a caller; set while the fixed point is sought."""
        self.referents: Callable[[Any, object], Refs] = _untyped
        """What a value of an annotated type may be, in a frame; set with `summarize`."""
        self.views: dict[Ref, Refs] = {}
        """A container on a path where its elements were tested → the containers it shows."""
        self.pieces = self.mask(tuple(name for name in self.bits if name.startswith("part-")))
        self.cut: set[str] = set()
        """Functions that reach more sinks than a summary holds."""
        self.hot: set[str] = set()
        """Functions that data of a source may enter; only there parameters are followed."""
        self.suspects: set[str] = set()
        """Functions in which data of a source came to a sink, before all guards were known."""
        self.final = False
        """Whether everything is known, so that what comes to a sink is a finding."""
        self.quiet = True
        """While it is only sought what values may be: nothing is a source yet."""
        self.sourced: set[str] = set()
        """Functions in which something is a source."""

    # ── knowledge ─────────────────────────────────────────────────────────────────────────────

    def library(self, module: Module) -> Knowledge:
        """The models that apply to a module's language."""
        family = module.language.family
        if family not in self._libraries:
            self._libraries[family] = Knowledge(self.catalog, family)
        return self._libraries[family]

    def mask(self, names: tuple[str, ...] | frozenset[str]) -> int:
        """The bits of some marks."""
        bits = self.bits
        out = 0
        for name in names:
            out |= bits.get(name, 0)
        return out

    def based(self, name: str, bases: Refs) -> None:
        """Says what a class extends."""
        if self.classes.extend(name, bases):
            self._family_changed(name)
            for base in ordered(bases):
                if base.sort == "cls":
                    self._related(name, base.name)

    def _related(self, name: str, base: str) -> None:
        """Joins the families of two classes; what was stored under one moves to the other."""
        kept, gone = sorted((self.classes.kin(name), self.classes.kin(base)))
        if kept == gone:
            return
        self._family_changed(base)
        self.classes.relate(kept, gone)
        old, new = Ref("self", gone), Ref("self", kept)
        for field in {**self.asked.pop(old, {}), **self.fields.get(old, {})}:
            self._woken((old, field))
            self.readers.pop((old, field), None)
        for field in list(self.fields.pop(old, ())):
            refs = self.heap_refs.pop((old, field), NO_REFS)
            facts = self.heap.pop((old, field), NO_FACTS)
            self.put((new, field), facts, refs, ("", 0))
        self._woken(old)
        self.readers.pop(old, None)
        for frame in self.frames.values():
            if old in frame.fields:
                frame.stale = True
                self.enqueue(frame.name)

    def _family_changed(self, name: str) -> None:
        """Has everybody look again who has asked for a member of a family of classes."""
        for member in self.classes.family(name):
            self._woken(Ref("family", member))

    # ── dependencies ──────────────────────────────────────────────────────────────────────────

    def heat(self, name: str) -> bool:
        """Says that tainted data may enter a function; whether that is news."""
        if self.quiet or name in self.hot:
            return False
        self.hot.add(name)
        return True

    def enqueue(self, name: str) -> None:
        """Asks for another analysis of a function; module bodies come before everything."""
        if name not in self.queued:
            self.queued.add(name)
            order = self.finished.get(name, 0 if name.endswith(":") else _LAST)
            heappush(self.queue if order > self._position else self._later, (order, name))

    def next(self) -> str:
        """The function to analyse next: round by round, callees before their callers."""
        if not self.queue:
            self.queue, self._later = self._later, self.queue
        self._position, name = heappop(self.queue)
        self.queued.discard(name)
        return name

    def _woken(self, key: Cell | Ref) -> None:
        readers = self.readers.get(key)
        if readers:
            frames = self.frames
            for name in readers if len(readers) < 2 else sorted(readers):
                frame = frames.get(name)
                if frame is not None:
                    frame.changed(key)
                    if frame.running:
                        continue
                if name not in self.queued:
                    self.enqueue(name)

    def wake(self, caller: str, callee: str) -> None:
        """Has a function look again at its calls of another one."""
        frame = self.frames.get(caller)
        if frame is not None:
            for at in frame.callers_at.get(callee, _NOBODY):
                frame.news.setdefault(at, set()).add(callee)
            if frame.running:
                return
        self.enqueue(caller)

    def _rebound(self, function: str, index: int) -> None:
        """Has a function look again at one of its parameters."""
        frame = self.frames.get(function)
        if frame is not None:
            if index < len(frame.function.params):
                frame.dirty.add(frame.function.params[index])
            if frame.running:
                return
        if function in self.summaries:
            self.enqueue(function)

    def put(self, cell: Cell, facts: Facts, refs: Refs, at: tuple[str, Id]) -> None:
        """Stores what everybody may read in a field of an object."""
        had = self.heap_refs.get(cell)
        news = False
        if had is None:
            self.heap_refs[cell] = had = NO_REFS
            self.fields[cell[0]][cell[1]] = None
            self._woken(cell[0])
            news = True
        if refs and not refs <= had:
            joined = limited(had | refs)
            if joined != had:
                self.heap_refs[cell] = joined
                news = True
        if facts:
            old = self.heap.get(cell, NO_FACTS)
            if not facts <= old:
                new = added(old, facts)
                if new is not old:
                    self.heap[cell] = new
                    for origin, _ in new - old:
                        assert isinstance(origin, Source)
                        self.stored.setdefault((cell, origin), at)
                    news = True
        if news:
            self.version += 1
            self.stamps[cell[0]] = self.stamps.get(cell[0], 0) + 1
            self._woken(cell)
            self._woken((cell[0], WHOLE))

    def bind_refs(self, function: str, index: int, refs: Refs) -> None:
        """Says what a parameter may be."""
        if not refs:
            return
        key = (function, index)
        had = self.param_refs.get(key, NO_REFS)
        joined = had if refs <= had else limited(had | refs, REF_LIMIT)
        if joined == had:
            return
        self.param_refs[key] = joined
        self._rebound(function, index)

    def bind_capture(self, function: str, index: int, facts: Facts) -> None:
        """Says which concrete data a captured variable holds."""
        key = (function, index)
        had = self.capture_facts.get(key, NO_FACTS)
        new = added(had, facts) if facts else had
        if new is had:
            return
        self.capture_facts[key] = new
        self._rebound(function, index)

    def found(self, source: Source, marks: int, hit: Hit, function: str, via: Id) -> None:
        """Notes that data of a concrete source reaches a sink."""
        if not self.relevance.matters(source.kind, hit.kind, marks):
            return
        if self.final:
            self.findings.setdefault((source, marks, hit), (function, via))
        else:
            self.suspects.add(function)

    # ── names ─────────────────────────────────────────────────────────────────────────────────

    def named(self, module: Module, name: str) -> Refs:
        """What an absolute name refers to: a module of the program, or something of a library."""
        name = name[:_NAME_LIMIT]
        if name in self.program.modules:
            return frozenset([Ref("mod", name)])
        return frozenset([Ref("ext", self.library(module).canonical(name))])

    def closure(self, function: Function, at: Id) -> Closure | None:
        """The closure instruction that made a function value."""
        value = function.values[at]
        return value if isinstance(value, Closure) else None


def symbolic(facts: Facts) -> Facts:
    """The facts about parameters."""
    return frozenset([f for f in facts if type(f[0]) is Symbol])


def _unsolved(_name: str, _caller: str) -> Summary:
    return Summary()


def _untyped(_frame: object, _annotation: object) -> Refs:
    return NO_REFS
