"""Calls of the program's own functions: arguments bound to parameters, summaries applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mcpward.ir.values import Call, Function, Id, Load, Param
from mcpward.taint.facts import (
    NO_FACTS,
    NO_REFS,
    Facts,
    Hit,
    Path,
    Ref,
    Refs,
    Source,
    Symbol,
    bounded,
    marked,
    union,
    ordered,
)
from mcpward.taint.frame import Frame
from mcpward.taint.vouching import vouched

_NESTING = 4
"""Callbacks that call callbacks, followed at one call."""
_SINK_LIMIT = 400
"""Lines a summary may have; a function that reaches more sinks is cut, and the report says so."""


@dataclass(slots=True, eq=False)
class Bound:
    """The arguments of one call as the callee's parameters see them."""

    frame: Frame
    values: dict[int, list[Id]]
    """Parameter index → values that may be it."""
    elements: dict[int, list[Id]] = field(default_factory=dict)
    """Rest parameter → values in order."""
    named: dict[int, list[tuple[str, Id]]] = field(default_factory=dict)
    """Parameter that collects keywords → those keywords."""
    spread: list[tuple[int, str, Id]] = field(default_factory=list)
    """(parameter index, its name, mapping whose field of that name is the argument)."""
    given: dict[int, Facts] = field(default_factory=dict)
    """Facts bound directly, for callbacks and captured variables."""
    known: dict[Symbol, Facts] = field(default_factory=dict)
    """What was asked for already: one call asks for the same few symbols again and again."""
    translated: dict[Facts, Facts] = field(default_factory=dict)

    def facts(self, symbol: Symbol) -> Facts:
        """What the caller knows about a parameter or a field of it."""
        found = self.known.get(symbol)
        if found is None:
            found = self.known[symbol] = bounded(self._facts(symbol))
        return found

    def _facts(self, symbol: Symbol) -> Facts:
        frame = self.frame
        index, path = symbol
        out: list[Facts] = []
        for value in self.values.get(index, ()):
            out.append(frame.read(value, path) if path else frame.deep(value))
        rest = self.elements.get(index)
        if rest:
            if path and path[0].isdigit() and int(path[0]) < len(rest):
                rest = [rest[int(path[0])]]
            out += [
                frame.read(v, path[1:]) if len(path) > 1 else frame.deep(v) for v in rest
            ]
        for name, value in self.named.get(index, ()):
            if not path or path[0] in ("*", name):
                inner = path[1:]
                out.append(frame.read(value, inner) if inner else frame.deep(value))
            elif name == "**":
                out.append(frame.read(value, path))
        for target, name, value in self.spread:
            if target == index:
                out.append(frame.read(value, (name, *path)))
        direct = self.given.get(index)
        if direct:
            out.append(direct)
        return union(*out)

    def carries(self) -> bool:
        """Whether any argument holds data of a source."""
        facts = self.frame.facts
        return (
            any(self.given.values())
            or any(facts[v] or self.frame.deep(v) for vs in self.values.values() for v in vs)
            or any(facts[v] for vs in self.elements.values() for v in vs)
            or any(facts[v] for vs in self.named.values() for _, v in vs)
            or any(facts[v] for _, _, v in self.spread)
        )

    def refs(self, index: int) -> Refs:
        """What the argument for a parameter may be."""
        out = NO_REFS
        for value in self.values.get(index, ()):
            out |= self.frame.refs[value]
        return out


def bind(frame: Frame, call: Call, function: Function, receiver: Id | None, ref: Ref) -> Bound:
    """Binds the arguments of a call to the parameters of a function."""
    values: dict[int, list[Id]] = {}
    bound = Bound(frame, values)
    params = [function.values[at] for at in function.params]
    declared = [p for p in params if isinstance(p, Param) and p.sort != "capture"]
    first = 0
    if declared and declared[0].sort == "receiver":
        first = 1
        if receiver is not None:
            values[0] = [receiver]
    position = first
    taken: set[int] = {0} if first else set()
    keywords = dict(call.keywords)
    for param in declared[first:]:
        if param.sort == "plain":
            argument = position - first
            if call.spread >= 0 and argument >= call.spread:
                for value in call.args[call.spread :]:
                    bound.elements.setdefault(-1, []).append(value)
                    values.setdefault(param.index, []).append(value)
            elif argument < len(call.args):
                values[param.index] = [call.args[argument]]
                taken.add(param.index)
            position += 1
        if param.sort == "args":
            bound.elements[param.index] = list(call.args[position - first :])
    for param in declared[first:]:
        if param.sort in ("plain", "keyword") and param.name in keywords:
            values[param.index] = [keywords[param.name]]
            taken.add(param.index)
        elif param.sort in ("plain", "keyword") and "**" in keywords and param.index not in taken:
            bound.spread.append((param.index, param.name, keywords["**"]))
        elif param.sort == "kwargs":
            names = {p.name for p in declared}
            bound.named[param.index] = [(k, v) for k, v in call.keywords if k not in names]
    bind_captures(frame, bound, ref)
    return bound


def bind_captures(frame: Frame, bound: Bound, ref: Ref) -> None:
    """Binds what a closure made in this function has captured."""
    if ref.site == frame.name:
        made = frame.world.closure(frame.function, ref.at)
        for index, value in made.captures if made is not None else ():
            bound.values.setdefault(index, []).append(value)


def bindings(frame: Frame, call: Call) -> Iterator[tuple[str, Bound]]:
    """The first-party functions a call may reach, with their arguments bound."""
    for ref, receiver in targets(frame, call):
        function = frame.world.program.function(ref.name)
        if function is not None:
            yield ref.name, bind(frame, call, function, receiver, ref)


def targets(frame: Frame, call: Call) -> list[tuple[Ref, Id | None]]:
    """The first-party functions a call may reach, each with the value of its receiver."""
    out: list[tuple[Ref, Id | None]] = []
    receiver = call.receiver
    kinds = {r.sort for r in frame.refs[receiver]} if receiver is not None else set()
    for ref in ordered(frame.refs[call.callee]):
        if ref.sort == "fn":
            through = receiver
            if receiver is not None and kinds and kinds <= {"mod"}:
                through = None
            if receiver is not None and kinds == {"cls"} and not _takes_class(frame, ref):
                through = None
                out.append((ref, through))
                continue
            out.append((ref, through))
        elif ref.sort == "mod" and frame.library.family == "javascript":
            for whole in sorted(frame.cell_refs(Ref("mod", ref.name + "#exports"), "=")):
                if whole.sort == "fn":
                    out.append((whole, None))
        elif ref.sort == "self":
            frame.descends(ref)
            method = frame.world.method(ref.name, "__call__")
            if method is not None:
                out.append((Ref("fn", method), call.callee))
    if call.sort == "super":
        out = [(r, v) for r, v in _super(frame, call)]
    return out


def _takes_class(frame: Frame, ref: Ref) -> bool:
    function = frame.world.program.function(ref.name)
    if function is None or not function.params:
        return False
    first = function.values[function.params[0]]
    return isinstance(first, Param) and first.name == "cls"


def _super(frame: Frame, call: Call) -> Iterator[tuple[Ref, Id | None]]:
    callee = frame.values[call.callee]
    owner = frame.function.owner
    if not isinstance(callee, Load) or not owner:
        return
    frame.descends(Ref("cls", owner))
    for current in frame.world.lineage(owner)[1:]:
        made = frame.world.program.classes.get(current)
        if made is not None and callee.field in made.methods:
            yield Ref("fn", made.methods[callee.field]), call.receiver
            return


def apply(frame: Frame, at: Id, ref: Ref, bound: Bound, *, result: bool = True) -> None:
    """Applies the summary of a function at a call."""
    from mcpward.taint.engine import summary_of  # noqa: PLC0415  # mutual definition

    world = frame.world
    name = ref.name
    function = world.program.function(name)
    if function is None:
        return
    for param in function.params:
        declared = function.values[param]
        if isinstance(declared, Param):
            refs = bound.refs(declared.index)
            if refs:
                world.bind_refs(name, declared.index, useful(frame, refs))
            for k, value in enumerate(bound.elements.get(declared.index, ())):
                rest = Ref("obj", "arguments", name, param)
                frame.put((rest, str(k)), NO_FACTS, useful(frame, frame.refs[value]), at)
                world.bind_refs(name, declared.index, frozenset([rest]))
    if (
        name not in world.hot
        and (frame.name in world.hot or bound.carries())
        and world.heat(name)
        and name in world.summaries
    ):
        del world.summaries[name]
    frame.callers_at.setdefault(name, set()).add(frame.now)
    summary = summary_of(world, name, frame.name)
    trusted = vouched(world, name)
    if result:
        for path, facts in list(summary.returns.items()):
            got = marked(translate(facts, bound), trusted)
            if path:
                if got:
                    made = Ref("obj", "result", frame.name, at)
                    _deposit(frame, made, path, got, at)
                    frame.refer(at, frozenset([made]))
            else:
                frame.add(at, got)
        frame.refer(at, summary.refs)
    for (index, path), facts in list(summary.writes.items()):
        got = translate(facts, bound)
        if got:
            for value in bound.values.get(index, ()):
                store_path(frame, value, path, got, at)
    for cell, facts in list(summary.cells.items()):
        got = translate(facts, bound)
        if trusted and cell[0] in summary.refs:
            got = marked(got, trusted)
        if got:
            frame.put(cell, got, NO_REFS, at)
    _reach(frame, at, summary.sinks, bound)
    for symbol, arguments in list(summary.invokes.items()):
        _invoke(frame, at, symbol, arguments, bound)


def _deposit(frame: Frame, ref: Ref, path: Path, facts: Facts, at: Id) -> None:
    for depth, name in enumerate(path):
        if depth + 1 == len(path):
            frame.put((ref, name), facts, NO_REFS, at)
        else:
            inner = Ref("obj", "result", ref.site, ref.at * 31 + depth + 1_000_000)
            frame.put((ref, name), NO_FACTS, frozenset([inner]), at)
            ref = inner


def store_path(frame: Frame, value: Id, path: Path, facts: Facts, at: Id) -> None:
    """Stores facts behind a field path of a value."""
    *owners, last = path
    refs = frame.read_refs(value, tuple(owners)) if owners else frame.refs[value]
    for ref in ordered(refs):
        if ref.sort in ("obj", "self", "mod", "cls", "fn"):
            frame.put((frame.owner(ref), last), facts, NO_REFS, at)
    for origin, _ in frame.facts[value]:
        if isinstance(origin, Symbol):
            key = (origin.index, (*origin.path, *path)[:3])
            had = frame.summary.writes.get(key, NO_FACTS)
            frame.summary.writes[key] = had | facts


_TELLING = frozenset(["fn", "cls", "self", "inst", "mod", "ext"])


def useful(frame: Frame, refs: Refs) -> Refs:
    """The referents worth passing into a function: not every text or record that is ever passed.

    What data a record holds is followed through symbols; a record is only worth naming when it
    holds something that can be called, itself or one level down.
    """
    out = [
        ref
        for ref in refs
        if (ref.sort != "const" or ref.name[:2] == "v:")
        and (ref.sort != "obj" or ref.name not in _RECORDS or _telling(frame, ref, 2))
    ]
    return refs if len(out) == len(refs) else frozenset(out)


_RECORDS = frozenset(["list", "dict", "tuple", "set", "object", "array", "result"])


def _telling(frame: Frame, ref: Ref, depth: int) -> bool:
    world = frame.world
    for name in world.fields.get(ref, ()):
        for inner in world.heap_refs.get((ref, name), ()):
            if inner.sort in _TELLING:
                return True
            if depth and inner.sort == "obj" and _telling(frame, inner, depth - 1):
                return True
    return False


def translate(facts: Facts, bound: Bound) -> Facts:
    """A callee's facts in terms of the caller."""
    known = bound.translated.get(facts)
    if known is not None:
        return known
    out: list[Facts] = []
    kept = []
    for fact in facts:
        origin, marks = fact
        if isinstance(origin, Symbol):
            out.append(marked(bound.facts(origin), marks))
        else:
            kept.append(fact)
    if kept:
        out.append(frozenset(kept))
    total = bound.translated[facts] = bounded(union(*out))
    return total


def _reach(
    frame: Frame, at: Id, sinks: dict[tuple[Symbol, int, Hit], Id], bound: Bound
) -> None:
    for symbol, marks, hit in list(sinks):
        facts = bound.facts(symbol)
        if facts:
            reached(frame, at, hit, marked(facts, marks))


def reached(frame: Frame, at: Id, hit: Hit, facts: Facts) -> None:
    """Notes that facts reach a sink, directly or through the call `at`."""
    sinks = frame.summary.sinks
    world = frame.world
    for origin, marks in facts:
        if type(origin) is Source:
            world.found(origin, marks, hit, frame.name, at)
        elif len(sinks) < _SINK_LIMIT and world.matters("", hit.kind, marks):
            assert isinstance(origin, Symbol)
            sinks.setdefault((origin, marks, hit), at)


def _invoke(
    frame: Frame, at: Id, symbol: Symbol, arguments: dict[int, Facts], bound: Bound
) -> None:
    """The callee calls one of its parameters: here we know what it is."""
    if frame.nesting >= _NESTING:
        return
    frame.nesting += 1
    try:
        _invoked(frame, at, symbol, arguments, bound)
    finally:
        frame.nesting -= 1


def _invoked(
    frame: Frame, at: Id, symbol: Symbol, arguments: dict[int, Facts], bound: Bound
) -> None:
    refs = NO_REFS
    for value in bound.values.get(symbol.index, ()):
        refs |= frame.read_refs(value, symbol.path) if symbol.path else frame.refs[value]
    given = {k: translate(facts, bound) for k, facts in arguments.items()}
    for ref in ordered(refs):
        if ref.sort == "fn":
            run_callback(frame, at, ref, given)
    for value in bound.values.get(symbol.index, ()):
        for origin, _ in frame.read(value, symbol.path):
            if isinstance(origin, Symbol):
                note_invoked(frame, origin, given)


def note_invoked(frame: Frame, symbol: Symbol, arguments: dict[int, Facts]) -> None:
    """Notes in the summary that a parameter is called."""
    kept = frame.summary.invokes.setdefault(symbol, {})
    for k, facts in arguments.items():
        kept[k] = kept.get(k, NO_FACTS) | facts


def receivers(function: Function) -> int:
    """1 when parameter 0 is the receiver, else 0."""
    if not function.params:
        return 0
    first = function.values[function.params[0]]
    return 1 if isinstance(first, Param) and first.sort == "receiver" else 0


def run_callback(frame: Frame, at: Id, ref: Ref, given: dict[int, Facts]) -> None:
    """Applies a function that somebody else calls with these arguments."""
    function = frame.world.program.function(ref.name)
    if function is None:
        return
    bound = Bound(frame, {})
    shift = receivers(function)
    for param in function.params:
        declared = function.values[param]
        if isinstance(declared, Param) and declared.sort != "capture":
            if declared.sort == "args":
                bound.given[declared.index] = union(*given.values())
            else:
                facts = given.get(declared.index - shift, NO_FACTS)
                if facts:
                    bound.given[declared.index] = facts
    bind_captures(frame, bound, ref)
    apply(frame, at, ref, bound)
