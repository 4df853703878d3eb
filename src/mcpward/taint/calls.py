"""Calls of the program's own functions: arguments bound to parameters, summaries applied."""

from __future__ import annotations

from mcpward.ir.values import Function, Id, Param
from mcpward.taint.binding import Bound, bind_captures, receivers
from mcpward.taint.facts import (
    NO_FACTS,
    NO_REFS,
    PATH_LIMIT,
    Facts,
    Hit,
    Path,
    Ref,
    Refs,
    Source,
    Symbol,
    bounded,
    fact_order,
    marked,
    ordered,
    union,
)
from mcpward.taint.frame import OBJECTS, Applied, Frame
from mcpward.taint.vouching import vouched

_NESTING = 4
"""Callbacks that call callbacks, followed at one call."""
_MAKERS = (":", ".__init__", ".constructor")
"""How the functions are called that make what modules and instances keep."""
_SINK_LIMIT = 2_000
"""Lines a summary may have; a function that reaches more sinks is cut, and the report says so."""


def apply(frame: Frame, at: Id, ref: Ref, bound: Bound, *, result: bool = True) -> None:
    """Applies the summary of a function at a call."""
    only = frame.only
    applied = frame.applied
    if applied is None and only is None:
        _apply(frame, at, ref, bound, result=result)
        return
    if only is not None and ref.name not in only:
        return
    frame.only = frame.applied = None
    if applied is None or not _unchanged(frame, applied, ref.name, bound):
        _apply(frame, at, ref, bound, result=result)
        summary = frame.world.summaries.get(ref.name)
        if applied is not None and summary is not None:
            applied[frame.now, ref.name] = summary.size, bound.known
    frame.only, frame.applied = only, applied


def _unchanged(frame: Frame, applied: Applied, name: str, bound: Bound) -> bool:
    """Whether a function was applied before to the same facts."""
    summary = frame.world.summaries.get(name)
    known = applied.get((frame.now, name))
    if known is None or summary is None or known[0] != summary.size:
        return False
    return all(bound.facts(symbol) == facts for symbol, facts in known[1].items())


def _apply(frame: Frame, at: Id, ref: Ref, bound: Bound, *, result: bool) -> None:
    world = frame.world
    name = ref.name
    function = world.program.function(name)
    if function is None:
        return
    if not frame.settled or bound.fresh(at):
        _bind_refs(frame, at, function, bound)
    if (
        name not in world.hot
        and not frame.quiet
        and bound.carries()
        and world.heat(name)
        and name in world.summaries
    ):
        del world.summaries[name]
    frame.callers_at.setdefault(name, set()).add(frame.now)
    summary = world.summarize(name, frame.name)
    world.work += (len(summary.sinks) + len(summary.cells)) // 4
    trusted = vouched(world, name)
    if result:
        for path, facts in list(summary.returns.items()):
            got = marked(translate(facts, bound), trusted)
            if path:
                if got:
                    made = Ref("obj", "result", frame.name, at)
                    inside(frame, made, path, got, NO_REFS, at)
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
            if cell[0].sort == "obj" and cell[0].site.endswith(_MAKERS):
                frame.lasting.add(cell[0])
    _reach(frame, at, summary.sinks, bound)
    for symbol, arguments in list(summary.invokes.items()):
        _invoke(frame, at, symbol, arguments, bound)


def _bind_refs(frame: Frame, at: Id, function: Function, bound: Bound) -> None:
    """Says what the parameters of a function may be."""
    for param in function.params:
        declared = function.values[param]
        if isinstance(declared, Param):
            refs = bound.refs(declared.index)
            if refs:
                frame.world.bind_refs(function.name, declared.index, useful(frame, refs))
            for k, value in enumerate(bound.elements.get(declared.index, ())):
                rest = Ref("obj", "arguments", function.name, param)
                frame.put((rest, str(k)), NO_FACTS, useful(frame, frame.refs[value]), at)
                frame.world.bind_refs(function.name, declared.index, frozenset([rest]))


def inside(frame: Frame, made: Ref, path: Path, facts: Facts, refs: Refs, at: Id) -> None:
    """Puts something behind a field path of a fresh object."""
    for depth, name in enumerate(path):
        if depth + 1 == len(path):
            frame.put((made, name), facts, refs, at)
        else:
            inner = Ref("obj", "result", made.site, made.at * 31 + depth + 1_000_000)
            frame.put((made, name), NO_FACTS, frozenset([inner]), at)
            made = inner


def store_path(frame: Frame, value: Id, path: Path, facts: Facts, at: Id) -> None:
    """Stores facts behind a field path of a value."""
    *owners, last = path
    refs = frame.read_refs(value, tuple(owners)) if owners else frame.refs[value]
    for ref in ordered(refs):
        if ref.sort in OBJECTS:
            frame.put((frame.owner(ref), last), facts, NO_REFS, at)
    note_written(frame, value, path, facts)


def note_written(frame: Frame, value: Id, path: Path, facts: Facts) -> None:
    """Notes in the summary that facts are stored behind a field path of parameters."""
    for origin, _ in frame.facts[value]:
        if isinstance(origin, Symbol):
            key = (origin.index, (*origin.path, *path)[:PATH_LIMIT])
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
    bound.frame.world.work += len(facts)
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


def _reach(frame: Frame, at: Id, sinks: dict[tuple[Symbol, int, Hit], Id], bound: Bound) -> None:
    for symbol, marks, hit in list(sinks):
        facts = bound.facts(symbol)
        if facts:
            reached(frame, at, hit, facts, marks)


def reached(frame: Frame, at: Id, hit: Hit, facts: Facts, gained: int = 0) -> None:
    """Notes that facts reach a sink, directly or through the call `at`."""
    sinks = frame.summary.sinks
    world = frame.world
    full = len(sinks) + len(facts) > _SINK_LIMIT
    for origin, had in sorted(facts, key=fact_order) if full else facts:
        marks = had | gained
        if type(origin) is Source:
            world.found(origin, marks, hit, frame.name, at)
        elif world.relevance.matters("", hit.kind, marks):
            if len(sinks) >= _SINK_LIMIT:
                world.cut.add(frame.name)
                return
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


def handed_to(frame: Frame, ref: Ref, parameter: int) -> Facts:
    """What a function that somebody else calls hands to one of its parameters, a function."""
    function = frame.world.program.function(ref.name)
    summary = frame.world.summaries.get(ref.name)
    if function is None or summary is None:
        return NO_FACTS
    arguments = summary.invokes.get(Symbol(parameter + receivers(function), ()))
    if not arguments:
        return NO_FACTS
    bound = Bound(frame, {})
    bind_captures(frame, bound, function, ref)
    return union(*(translate(facts, bound) for facts in arguments.values()))


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
    bind_captures(frame, bound, function, ref)
    apply(frame, at, ref, bound)
