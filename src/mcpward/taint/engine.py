"""The fixed point: functions are analysed until no summary, field or referent grows any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from mcpward.core.finding import SkipKind, Skipped
from mcpward.ir.values import Global, Load
from mcpward.taint import connections, entries
from mcpward.taint.annotations import referents
from mcpward.taint.binding import capture
from mcpward.taint.entry import Entry
from mcpward.taint.facts import Fact, Facts, Ref, Source, Summary, Symbol
from mcpward.taint.frame import Frame
from mcpward.taint.sweeps import again, first
from mcpward.taint.world import World, symbolic

_DEPTH = 60
"""Calls that are followed at once; deeper ones wait for the queue."""
_VISITS = 24
"""Analyses of one function; hostile code must not keep the fixed point from ending."""
_FLOOR = 250_000
"""Instructions that any program may have evaluated; about a dozen seconds."""
_BYTES = 5
"""Bytes of source for which one more is granted."""
_FILE = 1 << 20
"""Bytes of one file that count: a larger one is a bundle of libraries."""
_QUIET = 0.6
"""The share of all that may go into what values may be."""
_CELLS = 80
"""Fields of outliving objects that a summary tells its callers about."""
_SETTLE = 5
"""After so many analyses a summary may only grow, and what a function guarantees only shrink."""

_NESTED = 3
"""Objects in objects that are looked through for data."""

_HOLDERS = frozenset(["self", "mod", "cls"])
"""What keeps its fields for everybody."""

Progress = Callable[[int, int], None]


@dataclass(slots=True, eq=False)
class Run:
    """Bookkeeping of one fixed point."""

    stack: dict[str, None]
    visits: dict[str, int]
    skipped: list[Skipped]
    budget: int = 0


def solve(world: World, roots: Iterable[str], progress: Progress | None = None) -> list[Skipped]:
    """Analyses the roots and everything they reach; gives what had to be cut."""
    run = Run({}, {}, [])
    world.summarize = partial(_summary_of, world, run)
    world.referents = referents
    for root in roots:
        world.enqueue(root)
    budget = _budget(world)
    run.budget = int(budget * _QUIET)
    _settle(world, run, progress)
    cut = bool(world.queued)
    run.budget = budget
    _wake_sources(world)
    run.visits.clear()
    while world.queued and world.work <= run.budget:
        _settle(world, run, progress)
        _wake_holders(world)
    if cut or world.queued:
        reason = "too involved: not everything could be followed"
        run.skipped.append(Skipped(".", SkipKind.LIMIT, reason))
    _verify(world)
    world.summarize = partial(_known, world)
    for name in sorted(world.cut):
        reason = f"{name} reaches more sinks than are told apart"
        run.skipped.append(Skipped(_file(world, name), SkipKind.LIMIT, reason))
    return run.skipped


def _settle(world: World, run: Run, progress: Progress | None) -> None:
    done = 0
    while world.queued:
        if world.work > run.budget:
            return
        _analyse(world, world.next(), run)
        done += 1
        if progress is not None and done % 200 == 0:
            progress(done, done + len(world.queue))


def _wake_sources(world: World) -> None:
    """Goes from what values may be to where data goes: handlers and sources are followed now.

    By then calls are resolved, so that nearly every function is looked at once more only, after
    the functions that it calls, and functions that no data enters are not.
    """
    world.quiet = False
    for entry in world.entries.values():
        world.heat(entry.handler.name)
    for name in sorted(world.hot | world.sourced):
        world.summaries.pop(name, None)
        world.enqueue(name)


def _wake_holders(world: World) -> None:
    """Has functions look again that hold an object in which data was put meanwhile."""
    holders = {cell[0] for cell in world.heap if cell[0].sort == "obj"}
    for _ in range(_NESTED):
        holders |= {
            cell[0] for cell, refs in world.heap_refs.items() if not holders.isdisjoint(refs)
        }
    for name in sorted(world.frames):
        frame = world.frames[name]
        if frame.quiet and any(refs and not holders.isdisjoint(refs) for refs in frame.refs):
            world.enqueue(name)


def _file(world: World, function: str) -> str:
    return world.program.module(function).source.path


def _known(world: World, name: str, _caller: str) -> Summary:
    """What was found out about a function, once nothing more is."""
    return world.summaries.get(name) or Summary()


def _budget(world: World) -> int:
    """How many instructions may be evaluated; ordinary programs need half of it."""
    sizes = (len(module.source.data) for module in world.program.modules.values())
    return _FLOOR + sum(min(size, _FILE) for size in sizes) // _BYTES


def _verify(world: World) -> None:
    """Looks once more, knowing all guards, where data came to a sink.

    Handlers come first: a chain of calls says more than a field that everybody reads.
    """
    world.final = True
    handlers = {entry.handler.name for entry in world.entries.values()}
    for name in (*sorted(handlers), *sorted(world.suspects - handlers)):
        frame = examine(world, name)
        if frame is not None:
            _handed_out(world, frame)
    connections.settle(world)


def _summary_of(world: World, run: Run, name: str, caller: str) -> Summary:
    """The summary of a function, analysed now when it has none; the caller hears of changes."""
    world.callers[name].add(caller)
    known = world.summaries.get(name)
    if known is not None:
        return known
    if name in run.stack or len(run.stack) >= _DEPTH or world.work > run.budget:
        world.enqueue(name)
        return Summary()
    _analyse(world, name, run)
    return world.summaries.get(name) or Summary()


def _analyse(world: World, name: str, run: Run) -> None:
    visits = run.visits.get(name, 0) + 1
    run.visits[name] = visits
    if visits > _VISITS:
        if visits == _VISITS + 1:
            reason = f"{name} was analysed too often without coming to rest"
            run.skipped.append(Skipped(_file(world, name), SkipKind.LIMIT, reason))
        return
    known = world.frames.get(name)
    run.stack[name] = None
    if (
        known is None
        or known.stale
        or known.hot != (name in world.hot)
        or known.quiet is not world.quiet
        or name not in world.summaries
    ):
        frame = examine(world, name)
    else:
        frame = known
        if frame.dirty or frame.news:
            again(frame)
            _export(frame)
        else:
            run.visits[name] = visits - 1
            frame.summary = world.summaries[name]
    run.stack.pop(name, None)
    if frame is None:
        return
    world.finished.setdefault(name, len(world.finished) + 1)
    old = world.summaries.get(name)
    new = frame.summary
    if old is not None and old is not new and visits > _SETTLE:
        new.absorb(old)
    new.size = new.measure()
    new.carrying = new.carries()
    world.summaries[name] = new
    if frame.dirty or frame.news:
        world.enqueue(name)
    if old is None or old.size != new.size:
        carrying = world.quiet or new.carrying
        for caller in sorted(world.callers[name]):
            # What a function does with its parameters is nothing to callers that hand in no data.
            if (carrying or caller in world.hot) and (caller != name or visits < 4):
                world.wake(caller, name)
    if not world.quiet:
        _handed_out(world, frame)


def examine(world: World, name: str) -> Frame | None:
    """Analyses one function against everything known so far."""
    function = world.program.function(name)
    if function is None:
        return None
    old = world.frames.get(name)
    frame = world.frames[name] = Frame(world, function)
    if old is not None and old.quiet and not frame.quiet and not old.stale:
        frame.adopt(old)
    first(frame)
    frame.settled = False
    _export(frame)
    return frame


def _export(frame: Frame) -> None:
    """Adds to the summary the symbolic contents of objects that outlive the call."""
    kept = {ref for ref in frame.kept if ref.site == frame.name}
    for _ in range(2):
        for cell in list(frame.cells):
            if cell[0] in kept:
                kept.update(r for r in frame.world.heap_refs.get(cell, ()) if r.sort == "obj")
    for ref in _made(frame, kept) if frame.hot else ():
        made = frame.world.closure(frame.function, ref.at)
        for index, value in made.captures if made is not None else ():
            facts = symbolic(frame.facts[value])
            if facts:
                frame.summary.cells[ref, capture(index)] = facts
    if any(cell[0].sort == "obj" and cell[0].site != frame.name for cell in frame.cells):
        kept |= frame.lasting | _held(frame)
    for cell, facts in frame.cells.items():
        if len(frame.summary.cells) >= _CELLS:
            break
        ref = cell[0]
        if ref.sort in _HOLDERS or ref.name == "scope" or ref in kept:
            facts = symbolic(facts)
            if facts:
                frame.summary.cells[cell] = facts


def _made(frame: Frame, kept: set[Ref]) -> list[Ref]:
    """The functions made here that are returned, in an object perhaps."""
    world = frame.world
    out = [ref for ref in kept if ref.sort == "fn"]
    for holder in kept:
        if holder.sort == "obj":
            for name in world.fields.get(holder, ()):
                inner = world.heap_refs.get((holder, name), ())
                out += [r for r in inner if r.sort == "fn" and r.site == frame.name]
    return out


def _held(frame: Frame) -> set[Ref]:
    """The objects made elsewhere that are read from a module, a class or an instance here.

    Objects that were handed in or returned are left out: what is stored in those is a matter of
    who made them.
    """
    out: set[Ref] = set()
    refs, values = frame.refs, frame.values
    for at in frame.live:
        value = values[at]
        if type(value) is Global or (
            type(value) is Load and any(r.sort in _HOLDERS for r in refs[value.object])
        ):
            out.update(r for r in refs[at] if r.sort == "obj" and r.site != frame.name)
    return out


def _handed_out(world: World, frame: Frame) -> None:
    """What a function does as a handler, for each time it was declared as one."""
    for entry in list(world.entries.values()):
        if entry.handler.name == frame.name:
            _concretize(world, frame, entry)


def _concretize(world: World, frame: Frame, entry: Entry) -> None:
    """A handler's parameters are sources: what it stores is stored for everybody."""
    summary = frame.summary

    def concrete(facts: Facts) -> Facts:
        out: list[Fact] = []
        for origin, marks in facts:
            if isinstance(origin, Symbol):
                known = entries.source(world, frame, entry, origin)
                if known is not None:
                    kind, had, label = known
                    at = _param(frame, origin.index)
                    source = Source(kind, frame.name, at, label, entry.index)
                    out.append((source, marks | had))
        return frozenset(out)

    for (symbol, marks, hit), via in list(summary.sinks.items()) if world.final else ():
        for origin, had in concrete(frozenset([(symbol, marks)])):
            assert isinstance(origin, Source)
            world.found(origin, had, hit, frame.name, via)
    for cell, facts in summary.cells.items():
        got = concrete(facts)
        if got:
            world.put(cell, got, frozenset(), (frame.name, 0))
    for (index, path), facts in summary.writes.items():
        got = concrete(facts)
        for ref in sorted(world.param_refs.get((frame.name, index), ())) if got else ():
            if ref.sort in ("obj", "self", "mod", "cls"):
                world.put((frame.owner(ref), path[-1]), got, frozenset(), (frame.name, 0))
        if got and frame.function.owner and index == 0:
            owner = frame.owner(Ref("self", frame.function.owner))
            world.put((owner, path[-1]), got, frozenset(), (frame.name, 0))


def _param(frame: Frame, index: int) -> int:
    return frame.function.params[index] if index < len(frame.function.params) else 0
