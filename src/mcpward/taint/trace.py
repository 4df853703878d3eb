"""Rebuilds the path of a finding: the shortest chain of values that carry the data to the sink.

Nothing is recorded during the analysis. A function on the path is analysed once more, and the chain
is found backwards from the sink over operands that carry the same origin; through a call into
another function the search goes on there.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from mcpward.core.finding import StepKind
from mcpward.ir.values import (
    Assume,
    Call,
    Closure,
    Global,
    Id,
    Join,
    Load,
    Param,
    Phi,
    Return,
    Store,
)
from mcpward.taint.binding import Bound, bindings
from mcpward.taint.engine import examine
from mcpward.taint.facts import FOREIGN, Hit, Origin, Source, Symbol, ordered
from mcpward.taint.frame import Frame
from mcpward.taint.world import World

KEPT = "kept for later"
"""The step through a field that all instances, or all calls, share."""
_STEPS = 60
_DEPTH = 24
_LOOKED = 4_000
_KEPT = 5_000
_NESTED = 4
"""Containers in containers that are looked into, such as messages of a conversation."""


class Link(NamedTuple):
    """One step before it is turned into text for people."""

    function: str
    at: Id
    kind: StepKind
    text: str
    depth: int


class Tracer:
    """Finds paths in a world that has come to rest."""

    def __init__(self, world: World) -> None:
        """Frames are kept only while findings of one program are printed."""
        self.world = world
        self._bindings: dict[tuple[str, Id], list[tuple[str, Bound]]] = {}
        self._lines: dict[str, dict[Hit, list[Symbol]]] = {}

    def frame(self, name: str) -> Frame | None:
        """The state of a function, analysed now when it was not yet."""
        return self.world.frames.get(name) or examine(self.world, name)

    def _bound(self, frame: Frame, via: Id, call: Call) -> list[tuple[str, Bound]]:
        """The callees of a call with their arguments: many findings lead through one call."""
        key = (frame.name, via)
        known = self._bindings.get(key)
        if known is None:
            if len(self._bindings) > _KEPT:
                self._bindings.clear()
            known = self._bindings[key] = list(bindings(frame, call))
        return known

    def _reaching(self, name: str, hit: Hit) -> list[Symbol]:
        """The parameters of a function from which a sink is reached."""
        known = self._lines.get(name)
        if known is None:
            known = self._lines[name] = {}
            summary = self.world.summaries.get(name)
            for symbol, _marks, reached in summary.sinks if summary is not None else ():
                known.setdefault(reached, []).append(symbol)
        return known.get(hit, [])

    def path(self, source: Source, marks: int, hit: Hit, function: str, via: Id) -> list[Link]:
        """The steps from a source to a sink."""
        frame = self.frame(function)
        if frame is None:
            return []
        origin: Origin = source
        if source.entry >= 0 and source.function == function:
            found = self._entry_symbol(frame, source, marks, hit, via)
            if found is not None:
                origin = found
        links = self._prefix(frame, origin, source, 0)
        links += self._toward(frame, origin, hit, via, 0)
        return links[:_STEPS]

    def _entry_symbol(
        self, frame: Frame, source: Source, marks: int, hit: Hit, via: Id
    ) -> Symbol | None:
        """The symbolic origin that stands for a handler's parameter in this finding."""
        param = frame.values[source.at]
        index = param.index if isinstance(param, Param) else -1
        best: Symbol | None = None
        for symbol, had, found in frame.summary.sinks:
            if found == hit and symbol.index == index and had & ~marks == 0:
                if frame.summary.sinks[(symbol, had, found)] == via:
                    spoken = [p for p in symbol.path if p not in ("*", "params", "arguments", "+")]
                    if best is None or ".".join(spoken) == source.label:
                        best = symbol
        return best

    def _prefix(self, frame: Frame, origin: Origin, source: Source, depth: int) -> list[Link]:
        """How data of another function came here: through a field that everybody reads."""
        own = source.function == frame.name
        if isinstance(origin, Symbol) or (own and source.entry < 0):
            return []
        links: list[Link] = []
        other = self.frame(source.function)
        if other is None:
            return links
        links.append(Link(source.function, source.at, StepKind.SOURCE, "", depth))
        kept = [
            place for (_, one), place in self.world.stored.items() if one == source and place[1]
        ]
        if kept:
            links.append(Link(*min(kept), StepKind.PASS, KEPT, depth))
        elif source.entry >= 0:
            # Nobody hands it over, so it waits somewhere between two calls of the server.
            links.append(Link(source.function, source.at, StepKind.PASS, KEPT, depth))
        return links

    def _toward(
        self,
        frame: Frame,
        origin: Origin,
        hit: Hit,
        via: Id,
        depth: int,
        seen: frozenset[tuple[str, Id]] = frozenset(),
    ) -> list[Link]:
        call = frame.values[via]
        seen = seen | {(frame.name, via)}
        if (hit.function, hit.at) == (frame.name, via):
            chain = self._chain(frame, origin, [via], depth)
            return [*chain, Link(frame.name, via, StepKind.SINK, hit.label, depth)]
        if not isinstance(call, Call):
            return [
                *self._chain(frame, origin, [via], depth),
                Link(hit.function, hit.at, StepKind.SINK, hit.label, depth),
            ]
        for target, symbol in self._entered(frame, via, call, origin, hit):
            inner = self.frame(target)
            if inner is None or depth > _DEPTH:
                break
            best = self._line(inner, symbol, hit)
            if best is None:
                continue
            _marks, inner_via = best
            if (target, inner_via) in seen:
                continue
            chain = self._chain(frame, origin, [via], depth)
            step = Link(frame.name, via, StepKind.CALL, target, depth)
            rest = self._toward(inner, symbol, hit, inner_via, depth + 1, seen)
            return [*chain, step, *rest]
        chain = self._chain(frame, origin, [via], depth)
        return [
            *chain,
            Link(frame.name, via, StepKind.CALL, hit.function, depth),
            Link(hit.function, hit.at, StepKind.SINK, hit.label, depth + 1),
        ]

    def _line(self, frame: Frame, symbol: Symbol, hit: Hit) -> tuple[int, Id] | None:
        for (found, marks, reached), via in frame.summary.sinks.items():
            if found == symbol and reached == hit:
                return marks, via
        return None

    def _entered(
        self, frame: Frame, via: Id, call: Call, origin: Origin, hit: Hit
    ) -> list[tuple[str, Symbol]]:
        """The callees and their parameters through which data of an origin enters."""
        out: list[tuple[str, Symbol]] = []
        for target, bound in self._bound(frame, via, call):
            for symbol in self._reaching(target, hit):
                if any(o == origin for o, _ in bound.facts(symbol)):
                    out.append((target, symbol))
        for value in call.args:
            for ref in sorted(frame.refs[value]):
                if ref.sort == "fn":
                    out += [(ref.name, symbol) for symbol in self._reaching(ref.name, hit)]
        made = [r.name for r in ordered(frame.refs[call.callee]) if r.sort == "cls"]
        for name in made:
            method = self.world.classes.method(name, "__init__") or self.world.classes.method(
                name, "constructor"
            )
            out += [(method, symbol) for symbol in self._reaching(method, hit)] if method else []
        return out

    # ── inside one function ───────────────────────────────────────────────────────────────────

    def _chain(
        self,
        frame: Frame,
        origin: Origin,
        ends: list[Id],
        depth: int,
    ) -> list[Link]:
        """The values that carry an origin from where it enters to a value, ends left out."""
        came: dict[Id, Id] = {}
        work: deque[Id] = deque(ends)
        seen = set(ends)
        start: Id | None = None
        looked = 0
        while work and looked < _LOOKED:
            at = work.popleft()
            looked += 1
            if at not in ends and _begins(frame, at, origin):
                start = at
                break
            for before in _operands(frame, at):
                if before not in seen and _carries(frame, before, origin):
                    seen.add(before)
                    came[before] = at
                    work.append(before)
        if start is None:
            return []
        order = [start]
        while order[-1] in came and came[order[-1]] not in ends:
            order.append(came[order[-1]])
        return [link for at in order for link in _told(frame, at, origin, depth)]


def _begins(frame: Frame, at: Id, origin: Origin) -> bool:
    value = frame.values[at]
    if isinstance(origin, Symbol):
        return isinstance(value, Param) and value.index == origin.index
    if origin.function == frame.name:
        return origin.at == at
    return isinstance(value, Param | Load | Global) and not any(
        _carries(frame, before, origin) for before in _operands(frame, at)
    )


def _carries(frame: Frame, at: Id, origin: Origin, depth: int = 0) -> bool:
    """Whether a value holds data of an origin, or a whole of which the origin is a field."""
    value = frame.values[at]
    if isinstance(value, Join) and value.fields is not None and depth < _NESTED:
        if any(_carries(frame, inner, origin, depth + 1) for inner in value.operands):
            return True
    for found, _ in frame.deep(at):
        if found == origin:
            return True
        if (
            isinstance(found, Symbol)
            and isinstance(origin, Symbol)
            and found.index == origin.index
            and origin.path[: len(found.path)] == found.path
        ):
            return True
    return False


def _operands(frame: Frame, at: Id) -> list[Id]:
    return [*_parts(frame, at), *_filled(frame, at)]


def _filled(frame: Frame, at: Id) -> list[Id]:
    """What calls and stores have put into the objects that a value may be (`args.push(x)`)."""
    owners = frozenset([r for r in frame.refs[at] if r.sort == "obj" and r.site == frame.name])
    if not owners:
        return []
    out = [s.value for s in frame.stores() if frame.refs[s.object] & owners]
    for position, other in enumerate(frame.values):
        if (
            type(other) is Call
            and position != at
            and other.receiver is not None
            and frame.refs[other.receiver] & owners
        ):
            out += other.args
    return out


def _parts(frame: Frame, at: Id) -> list[Id]:
    value = frame.values[at]
    match value:
        case Phi() | Join():
            return list(value.operands)
        case Load():
            out = [value.object]
            refs = frame.refs[value.object]
            for other in frame.stores() if refs else ():
                if (other.field in (value.field, "*") or value.field == "*") and frame.refs[
                    other.object
                ] & refs:
                    out.append(other.value)
            return out
        case Store():
            return [value.value] if value.key is None else [value.value, value.key]
        case Assume():
            return [value.value]
        case Return():
            return [value.value]
        case Call():
            receiver = [] if value.receiver is None else [value.receiver]
            return [*value.args, *(v for _, v in value.keywords), *receiver, value.callee]
        case Closure():
            return [v for _, v in value.captures]
        case _:
            return []


def _told(frame: Frame, at: Id, origin: Origin, depth: int) -> list[Link]:
    """How a value on the path reads; most values need no word."""
    value = frame.values[at]
    name = frame.name
    match value:
        case Param():
            kind = StepKind.SOURCE if depth == 0 else StepKind.PASS
            if depth == 0:
                return [Link(name, at, kind, value.name, depth)]
            return []
        case Join():
            label = "put into a container" if value.fields is not None else "joined into a text"
            return [Link(name, at, StepKind.PASS, label, depth)]
        case Call():
            if isinstance(origin, Source) and origin.at == at:
                return [Link(name, at, StepKind.SOURCE, origin.label, depth)]
            kind = StepKind.PASS if _known(frame, value) else StepKind.ASSUMED
            return [Link(name, at, kind, _callee(frame, value), depth)]
        case Assume():
            gained = {m for o, m in frame.facts[at] if o == origin}
            had = {m for o, m in frame.facts[value.value] if o == origin}
            if gained and gained != had:
                return [Link(name, at, StepKind.GUARD, "checked", depth)]
            return []
        case Load():
            if isinstance(origin, Source) and origin.at == at and origin.function == name:
                return [Link(name, at, StepKind.SOURCE, origin.label, depth)]
            return []
        case _:
            return []


def _known(frame: Frame, call: Call) -> bool:
    """Whether somebody knows what a call does: a model, or the program itself."""
    for ref in frame.refs[call.callee]:
        if ref.sort in ("fn", "cls"):
            return True
        if ref.sort == "ext" and (
            frame.library.calls(frame.library.canonical(ref.name))
            or ref.name.startswith("Function.")
        ):
            return True
    callee = frame.values[call.callee]
    return isinstance(callee, Load) and bool(frame.library.built_in(callee.field))


def _callee(frame: Frame, call: Call) -> str:
    for ref in sorted(frame.refs[call.callee]):
        if ref.sort in ("ext", "fn", "cls") and ref != FOREIGN:
            return ref.name.rpartition(":")[2]
    callee = frame.values[call.callee]
    if isinstance(callee, Load):
        return callee.field
    return callee.name if isinstance(callee, Global) else "a function"
