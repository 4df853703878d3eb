"""The state of one function under analysis, and how values, fields and members are read in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mcpward.ir.liveness import live
from mcpward.ir.values import (
    Call,
    Closure,
    Function,
    Id,
    Outcome,
    Return,
    Store,
)
from mcpward.taint import contents, members
from mcpward.taint.constants import literals
from mcpward.taint.facts import (
    FACT_LIMIT,
    NO_FACTS,
    NO_REFS,
    REF_LIMIT,
    WHOLE,
    Cell,
    Facts,
    Path,
    Ref,
    Refs,
    Summary,
    Symbol,
    below,
    limited,
    ordered,
    union,
    widened,
)
from mcpward.taint.proofs import Proof
from mcpward.taint.world import World

if TYPE_CHECKING:
    from mcpward.taint.sweeps import Users

OBJECTS = frozenset(["obj", "self", "mod", "cls", "fn"])
APPENDED = "+"
"""The field of what was added to a list later: its position is not known, but it is not the first
when the list was written with a first element."""
_LITERAL = frozenset(["list", "tuple", "array"])

Applied = dict[tuple[Id, str], tuple[int, dict[Symbol, Facts]]]


class Frame:
    """What is known so far of every value of one function."""

    def __init__(self, world: World, function: Function) -> None:
        """An empty state."""
        self.world = world
        self.function = function
        self.name = function.name
        self.hot = function.name in world.hot
        self.quiet = world.quiet
        """Whether nothing was a source yet when it was made: then no value holds facts."""
        self.values = function.values
        self.module = world.program.modules[function.module]
        self.library = world.library(self.module)
        self.text = Ref("inst", "str" if self.library.family == "python" else "String")
        if function.live is None:
            classes = [v for v in function.values if type(v) is Closure]
            function.live = live(function, [at for v in classes for at in self.defined(v)])
        self.live = function.live
        size = len(function.values)
        self.callees = {v.callee for v in function.values if type(v) is Call}
        """The loads that are only made to be called."""
        self.facts: list[Facts] = [NO_FACTS] * size
        self.refs: list[Refs] = [NO_REFS] * size
        self.cells: dict[Cell, Facts] = {}
        self.fields: defaultdict[Ref, dict[str, None]] = defaultdict(dict)
        self.kept: Refs = NO_REFS
        self.lasting: set[Ref] = set()
        """Objects of modules and instances into which functions called here store."""
        self.exits = [at for at, v in enumerate(function.values) if type(v) is Return]
        self.now: Id = -1
        """The instruction under evaluation; -1 outside of any."""
        self.reads: dict[Cell | Ref, set[Id]] = {}
        """What was read from the heap → the instructions that did."""
        self.callers_at: dict[str, set[Id]] = {}
        """Callee → the instructions that used its summary."""
        self.dirty: set[Id] = set()
        """Instructions some input of which has changed since they were evaluated."""
        self.news: dict[Id, set[str]] = {}
        """Instructions that only have to look again at some callees."""
        self.remembered: Applied = {}
        """(call of very many functions, callee) → size of its summary, facts it was applied to."""
        self.applied: Applied | None = None
        """The same, while such a call is evaluated."""
        self.only: set[str] | None = None
        """The callees whose summaries are applied now; `None` is all of them."""
        self.settled = False
        """Whether `refs` are known but for `fresh`, and only facts are sought."""
        self.fresh: set[Id] = set()
        """Values that have gained referents since, or may."""
        self.declares: set[Id] = set()
        """Calls that declare a handler."""
        self.lively: set[Id] = set()
        """Instructions that may bring data of their own."""
        self.running = False
        self.stale = False
        """Whether only a fresh analysis helps."""
        self.parts: dict[Id, Summary] = {}
        """What single instructions add to the summary."""
        self.shares: dict[Cell, dict[Id, Facts]] = {}
        """What single instructions have stored in a field."""
        self.puts: dict[Id, dict[Cell, None]] = {}
        self.before: dict[Cell, Facts] = {}
        """What fields held before the present instruction was evaluated again."""
        self.users: Users | None = None
        self.stored: list[Store] | None = None
        self.nesting = 0
        self.wide: set[Id | Cell] = set()
        """Values and fields that had too many facts once."""
        self.folded: dict[tuple[Facts, Facts], Facts] = {}
        """What such a value became when it gained facts: the same are added again and again."""
        self.stamps: dict[Ref, int] = {}
        """Object → a number that changes with what is stored in it here."""
        self.contents: dict[Ref, contents.Held] = {}
        """Object → what is in it, with the stamps it had then."""
        self.proofs: dict[tuple[Id, Outcome], Proof] = {}
        """Proofs of the present sweep."""
        self.summary = Summary()

    def adopt(self, quiet: Frame) -> None:
        """Takes over what values may be from the analysis before anything was a source."""
        self.refs = quiet.refs
        self.reads = quiet.reads
        self.callers_at = quiet.callers_at
        self.declares = quiet.declares
        self.lively = quiet.lively
        self.users = quiet.users
        self.settled = True
        self.fresh = quiet.dirty | set(quiet.news)

    # ── growing ───────────────────────────────────────────────────────────────────────────────

    def add(self, at: Id, facts: Facts) -> None:
        """Adds facts to a value."""
        if facts:
            had = self.facts[at]
            if not facts <= had:
                self.facts[at] = self._joined_facts(at, had, facts)

    def _joined_facts(self, key: Id | Cell, had: Facts, facts: Facts) -> Facts:
        if key in self.wide:
            known = self.folded.get((had, facts))
            if known is None:
                known = self.folded[had, facts] = widened(had | facts)
            return known
        joined = had | facts if had else facts
        if len(joined) > FACT_LIMIT:
            self.wide.add(key)
            return widened(joined)
        return joined

    def refer(self, at: Id, refs: Refs) -> None:
        """Adds referents to a value."""
        if refs:
            had = self.refs[at]
            if not refs <= had:
                joined = limited(had | refs if had else refs)
                if joined != had:
                    self.refs[at] = joined
                    self.fresh.add(at)

    def put(self, cell: Cell, facts: Facts, refs: Refs, at: Id) -> None:
        """Stores into a field of an object, here and for everybody."""
        self._put(cell, facts, refs, at)
        views = self.world.views
        if cell[0] in views and cell[0].at != at:
            # Loops make views of views of themselves.
            seen = [cell[0]]
            for ref in seen:
                for viewed in ordered(views.get(ref, NO_REFS)):
                    if viewed not in seen:
                        seen.append(viewed)
                        self._put((viewed, cell[1]), facts, refs, at)

    def _put(self, cell: Cell, facts: Facts, refs: Refs, at: Id) -> None:
        if facts:
            had = self.cells.get(cell, NO_FACTS)
            now = had if facts <= had else self._joined_facts(cell, had, facts)
            if now != had:
                self.cells[cell] = now
                self.stamps[cell[0]] = self.stamps.get(cell[0], 0) + 1
                fields = self.fields[cell[0]]
                if cell[1] not in fields:
                    fields[cell[1]] = None
                    self.changed(cell[0])
                if cell not in self.before:
                    self.touched(cell)
            self._share(cell, facts)
        self.world.put(cell, facts, refs, (self.name, at))

    def _share(self, cell: Cell, facts: Facts) -> None:
        now = self.now
        shares = self.shares.get(cell)
        if shares is None:
            shares = self.shares[cell] = {}
        mine = shares.get(now)
        shares[now] = facts if mine is None else mine | facts
        puts = self.puts.get(now)
        if puts is None:
            self.puts[now] = {cell: None}
        else:
            puts[cell] = None

    def defined(self, value: Closure) -> Iterator[Id]:
        """The values here that make a class: its bases and class variables."""
        made = self.world.program.classes.get(value.target)
        if made is not None and made.scope == self.name:
            yield from made.bases
            yield from made.defaults.values()

    def stores(self) -> list[Store]:
        """The instructions that write fields."""
        if self.stored is None:
            self.stored = [value for value in self.values if type(value) is Store]
        return self.stored

    def changed(self, key: Cell | Ref) -> None:
        """Notes that whoever has read a field, or the names of fields, has to look again."""
        readers = self.reads.get(key)
        if readers:
            self.dirty |= readers

    def touched(self, cell: Cell) -> None:
        """Notes that whoever has read a field, or all of its object, has to look again."""
        self.changed(cell)
        self.changed((cell[0], WHOLE))

    def descends(self, ref: Ref) -> None:
        """Notes that a value depends on the bases of a class."""
        self.reading(Ref("family", ref.name))

    def reading(self, key: Cell | Ref) -> None:
        """Notes that the present instruction depends on a field, or on the names of fields."""
        readers = self.reads.get(key)
        if readers is None:
            self.reads[key] = {self.now}
            self.world.readers[key].add(self.name)
        else:
            readers.add(self.now)

    # ── reading ───────────────────────────────────────────────────────────────────────────────

    def owner(self, ref: Ref) -> Ref:
        """The object under which the fields of a referent are kept."""
        if ref.sort == "self":
            kin = self.world.classes.kin(ref.name)
            return ref if kin == ref.name else Ref("self", kin)
        return ref

    def cell(self, ref: Ref, name: str) -> Facts:
        """The facts in one field of an object."""
        if self.quiet:
            return NO_FACTS
        key = (ref, name)
        if ref.sort == "self":
            key = (self.owner(ref), name)
            self.world.asked[key[0]][name] = None
        self.reading(key)
        local = self.cells.get(key)
        shared = self.world.heap.get(key)
        if local is None:
            return shared or NO_FACTS
        return local if shared is None else local | shared

    def cell_refs(self, ref: Ref, name: str) -> Refs:
        """What one field of an object may be."""
        key = (ref, name)
        if ref.sort == "self":
            key = (self.owner(ref), name)
            self.world.asked[key[0]][name] = None
        self.reading(key)
        return self.world.heap_refs.get(key, NO_REFS)

    def names(self, ref: Ref) -> list[str]:
        """The fields of an object that are known to exist."""
        ref = self.owner(ref)
        self.reading(ref)
        local = self.fields.get(ref)
        shared = self.world.fields.get(ref)
        if not local:
            return list(shared) if shared else []
        return list({**local, **shared}) if shared else list(local)

    def field(self, ref: Ref, name: str, *, index_zero: bool = False) -> Facts:
        """The facts that reading a field of an object gives."""
        if name == "*":
            return union(*(self.cell(ref, known) for known in self.names(ref)))
        facts = self.cell(ref, name)
        if ref.sort == "obj":
            every = self.cell(ref, "*")
            if index_zero and ref.name in _LITERAL:
                # What a comprehension puts into a word of a command is hardly put into its program.
                embedded = self.world.bits["embedded"]
                every = frozenset([fact for fact in every if not fact[1] & embedded])
            facts = union(facts, every)
            first = name == "0" and name in self.names(ref)
            if name.isdigit() and not index_zero and not first:
                facts = union(facts, self.cell(ref, APPENDED))
        return facts

    def field_refs(self, ref: Ref, name: str) -> Refs:
        """What reading a field of an object may give."""
        if name == "*":
            out = NO_REFS
            for known in self.names(ref):
                out |= self.cell_refs(ref, known)
            return out
        found = self.cell_refs(ref, name)
        if ref.sort == "obj":
            found = found | self.cell_refs(ref, "*")
            if name.isdigit():
                found = found | self.cell_refs(ref, APPENDED)
        return found

    def read(self, at: Id, path: Path, *, index_zero: bool = False) -> Facts:
        """The facts behind a field path of a value."""
        if self.quiet:
            return NO_FACTS
        facts = self.facts[at]
        refs = [r for r in self.refs[at] if r.sort in OBJECTS]
        if not path:
            return facts
        for depth, name in enumerate(path):
            out = [below(facts, name)]
            following: list[Ref] = []
            if len(refs) > REF_LIMIT:
                refs = sorted(refs)[:REF_LIMIT]
            for ref in refs:
                out.append(self.field(ref, name, index_zero=index_zero))
                if depth + 1 < len(path):
                    following += [
                        r for r in self.field_refs(ref, name) if r.sort in OBJECTS and r not in refs
                    ]
            facts = union(*out)
            refs = sorted(set(following))
        return facts

    def read_refs(self, at: Id, path: Path) -> Refs:
        """What stands behind a field path of a value."""
        refs = self.refs[at]
        for name in path:
            out = NO_REFS
            for ref in refs:
                out |= self.member(ref, name)
            refs = out
        return refs

    def deep(self, at: Id) -> Facts:
        """The facts of a value and of everything inside it (two levels).

        An object of a library class shows what it was made from only where it was made: a client
        kept for later does not taint every answer with its settings.
        """
        return NO_FACTS if self.quiet else contents.deep(self, at)

    # ── members ───────────────────────────────────────────────────────────────────────────────

    def member(self, ref: Ref, name: str) -> Refs:
        """What a field or method of a referent refers to."""
        return members.member(self, ref, name)

    def exported_facts(self, module: str, name: str) -> Facts:
        """The facts that importers of a module see under a name."""
        return members.exported_facts(self, module, name)

    def typed(self, annotation: object) -> Refs:
        """What a value of an annotated type may be."""
        return self.world.referents(self, annotation)

    # ── constants ─────────────────────────────────────────────────────────────────────────────

    def constants(self, at: Id) -> list[object]:
        """The literals a value may be; empty when it may be anything else."""
        return literals(self, at)

    def elements(self, at: Id) -> list[Refs]:
        """What the elements of a container may be, known positions first."""
        out: list[Refs] = []
        for ref in ordered(self.refs[at]):
            if ref.sort == "obj":
                names = sorted(self.names(ref), key=lambda n: (not n.isdigit(), len(n), n))
                out += [self.cell_refs(ref, name) for name in names]
        return out
