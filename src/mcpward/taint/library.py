"""Calls and fields of libraries: rows of models applied, and what is assumed where none applies."""

from __future__ import annotations

from dataclasses import replace

from mcpward.core.rule import CallModel, Place
from mcpward.ir.values import Call, Global, Id, Load, Pattern
from mcpward.taint import entries, places, schemas
from mcpward.taint.binding import receivers
from mcpward.taint.calls import (
    handed_to,
    note_invoked,
    reached,
    run_callback,
    useful,
)
from mcpward.taint.delivery import deliver
from mcpward.taint.facts import (
    FOREIGN,
    NO_FACTS,
    NO_REFS,
    Facts,
    Hit,
    Ref,
    Refs,
    Symbol,
    marked,
    ordered,
    union,
    unmarked,
)
from mcpward.taint.frame import APPENDED, OBJECTS, Frame
from mcpward.taint.patterns import remaining
from mcpward.taint.sinks import sink, source

_PRIMITIVE = frozenset(
    ["str", "bytes", "int", "float", "bool", "String", "Number", "Boolean", "None"]
)
_NOWHERE = ("\0",)
_MERGES = frozenset(["Object.assign", "dict.update"])
"""Calls that copy fields by name."""


# ── libraries ─────────────────────────────────────────────────────────────────────────────────


def outside(frame: Frame, at: Id, call: Call, name: str) -> bool:
    """Applies the rows of a library function; whether anything was known."""
    name = frame.library.canonical(name)
    rows = frame.library.calls(name)
    if name.startswith("Function."):
        return _function_method(frame, at, call, name)
    if schemas.built(frame, at, call, name):
        return True
    if name in _MERGES:
        _merged(frame, at, call, name)
    chosen = False
    for row in rows:
        if (chosen and not row.also) or not applies(frame, call, row):
            continue
        chosen = chosen or not row.also
        apply_row(frame, at, call, row, name)
    if not rows:
        method = _spoken(frame, call, name)
        made = name == FOREIGN.name or "()" in name
        if made or (call.receiver is not None and not _rooted(frame, call)):
            loose = [r for r in frame.library.loose_calls(method) if applies(frame, call, r)]
            for row in loose[:1]:
                apply_row(frame, at, call, row, row.name)
                chosen = True
    if not chosen:
        if _constructs(frame, call):
            for row in frame.library.calls("<new>"):
                said = _spoken(frame, call, name) if name == FOREIGN.name else name
                apply_row(frame, at, _spelled_out(frame, call), row, said)
        assume_pass(frame, at, call)
    if not chosen or not any(row.returns for row in rows):
        _result(frame, at, call, name)
    if call.sort == "decorator" and call.args:
        frame.refer(at, frame.refs[call.args[0]])
    return True


def _spoken(frame: Frame, call: Call, name: str) -> str:
    """The last part of a callee's name, as it is written when nothing else is known."""
    callee = frame.values[call.callee] if name == FOREIGN.name and call.callee >= 0 else None
    if isinstance(callee, Load):
        return callee.field
    return callee.name if isinstance(callee, Global) else name.rpartition(".")[2]


def _merged(frame: Frame, at: Id, call: Call, name: str) -> None:
    """Copies the fields of the later arguments into the first, or into the receiver."""
    if name == "dict.update":
        target, sources = call.receiver, list(call.args)
    else:
        target, sources = (call.args[0] if call.args else None), list(call.args[1:])
    if target is None:
        return
    owners = [r for r in ordered(frame.refs[target]) if r.sort in OBJECTS and r.sort != "fn"]
    pieces: list[Ref] = []
    for position, value in enumerate(sources, 1):
        for ref in ordered(frame.refs[value]):
            if ref.sort not in OBJECTS:
                continue
            if call.spread >= 0 and position >= call.spread:
                pieces += [r for r in ordered(frame.field_refs(ref, "*")) if r.sort in OBJECTS]
            else:
                pieces.append(ref)
    if name == "dict.update":
        for field, value in call.keywords:
            for owner in owners if field != "**" else ():
                cell = (frame.owner(owner), field)
                frame.put(cell, frame.facts[value], frame.refs[value], at)
    for piece in pieces:
        for field in frame.names(piece):
            for owner in owners:
                cell = (frame.owner(owner), field)
                frame.put(cell, frame.cell(piece, field), frame.cell_refs(piece, field), at)
    frame.refer(at, frame.refs[target])


def _rooted(frame: Frame, call: Call) -> bool:
    """Whether the receiver's type is known, so that a row by bare method name would be wrong."""
    return call.receiver is not None and any(
        ref.sort in ("inst", "self", "cls") for ref in frame.refs[call.receiver]
    )


def _result(frame: Frame, at: Id, call: Call, name: str) -> None:
    last = _spoken(frame, call, name)
    if call.sort == "new" or (last[:1].isupper() and not last.isupper()):
        made = Ref("obj", "new", frame.name, at)
        frame.refer(at, frozenset([Ref("inst", name), made]))
    elif not frame.library.calls(name):
        made = Ref("ext", name + "()")
        frame.refer(at, frozenset([made if frame.library.leads(made.name) else FOREIGN]))


def applies(frame: Frame, call: Call, row: CallModel) -> bool:
    return all(places.holds(frame, call, c, unknown=True) for c in row.when) and not any(
        places.holds(frame, call, c, unknown=False) for c in row.unless
    )


def apply_row(frame: Frame, at: Id, call: Call, row: CallModel, name: str) -> None:
    marks = frame.world.mask(tuple(m for m in row.marks if not m.startswith("<")))
    for place, kind in row.sinks:
        if not place.path and _optioned(frame, call, row, place):
            continue
        # Some marks speak of what the sink does with the data: they are weak at this kind of sink.
        weak = [m for m in row.marks if kind.startswith(frame.world.about.get(m, _NOWHERE))]
        sink(frame, at, call, place, kind, name, frame.world.mask(tuple(weak)))
    given: dict[int, dict[int, Facts]] = {}
    results: list[tuple[Place, Facts, Refs]] = []
    for origin, target in row.passes:
        if origin.base in ("result-of", "parameter-of"):
            continue
        facts = places.facts(frame, call, origin)
        if row.forgets:
            lost = -1 if "*" in row.forgets else frame.world.mask(row.forgets)
            facts = unmarked(facts, lost)
        if "<pattern-removed>" in row.marks:
            facts = marked(facts, _removed(frame, call))
        facts = marked(facts, marks)
        refs = places.refs(frame, call, origin)
        if row.marks:
            refs = frozenset([ref for ref in refs if ref.sort != "const"])
        if target.base == "parameter-of":
            kept = given.setdefault(target.index, {})
            kept[target.parameter] = union(kept.get(target.parameter, NO_FACTS), facts)
            _told(frame, call, target, refs)
        else:
            results.append((target, facts, refs))
    for target, facts, refs in results:
        deliver(frame, at, call, target, facts, refs, typed=bool(row.returns))
    if "<schema>" in row.marks:
        entries.parsed(frame, at, call, row)
    for position in row.calls:
        _callback(frame, at, call, position, given.get(position, {}), row, marks)
    if row.returns == "self" and call.receiver is not None:
        frame.refer(at, frame.refs[call.receiver])
        frame.add(at, frame.facts[call.receiver])
    elif row.returns:
        refs = frozenset([Ref("inst", row.returns)])
        if row.returns not in _PRIMITIVE:
            made = Ref("obj", "new", frame.name, at)
            refs = refs | {made}
            if row.returns in (frame.library.pattern_type, "re.Pattern", "RegExp") and call.args:
                frame.put((made, "<pattern>"), NO_FACTS, frame.refs[call.args[0]], at)
        frame.refer(at, refs)
    for place, kind in row.sources:
        source(frame, at, call, place, kind, name)


def _optioned(frame: Frame, call: Call, row: CallModel, place: Place) -> bool:
    """Whether an argument is an object, and the row names the fields in it that are sinks."""
    return any(
        other.path[:1] > ("*",) and (other.base, other.index) == (place.base, place.index)
        for other, _ in row.sinks
    ) and all(
        frame.refs[value] and all(r.sort == "obj" and r.name == "object" for r in frame.refs[value])
        for value in places.values(call, place)
    )


def _told(frame: Frame, call: Call, target: Place, refs: Refs) -> None:
    """Says what the parameters of a callback may be."""
    for argument in places.values(call, Place("arg", target.index, target.name)) if refs else ():
        for ref in ordered(frame.refs[argument]):
            function = frame.world.program.function(ref.name) if ref.sort == "fn" else None
            if function is not None:
                shift = receivers(function)
                frame.world.bind_refs(ref.name, target.parameter + shift, useful(frame, refs))


def _removed(frame: Frame, call: Call) -> int:
    total = 0
    for argument in call.args[:1]:
        for constant in frame.constants(argument):
            if isinstance(constant, Pattern) and len(call.args) > 1:
                replacement = frame.constants(call.args[1])
                if replacement and all(
                    (isinstance(r, str) and r.replace("_", "").isalnum()) or r in ("", "_", "-")
                    for r in replacement
                ):
                    total |= frame.world.mask(remaining(constant.text, constant.flags))
    return total


def _callback(
    frame: Frame,
    at: Id,
    call: Call,
    position: int,
    given: dict[int, Facts],
    row: CallModel,
    marks: int,
) -> None:
    argument = _called(call, position, row)
    if argument is None:
        return
    for ref in ordered(frame.refs[argument]):
        if ref.sort == "fn":
            before = frame.facts[at]
            before_refs = frame.refs[at]
            run_callback(frame, at, ref, given)
            made, made_refs = frame.facts[at] - before, frame.refs[at] - before_refs
            frame.facts[at], frame.refs[at] = before, before_refs
            for origin, target in row.passes:
                if origin.index != position:
                    continue
                if origin.base == "result-of":
                    deliver(frame, at, call, target, marked(made, marks), made_refs, typed=False)
                elif origin.base == "parameter-of":
                    facts = handed_to(frame, ref, origin.parameter)
                    deliver(frame, at, call, target, marked(facts, marks), NO_REFS, typed=True)
        elif ref.sort == "ext":
            _indirect(frame, at, ref, given)
    for found, _ in frame.facts[argument]:
        if isinstance(found, Symbol):
            note_invoked(frame, found, given)


def _called(call: Call, position: int, row: CallModel) -> Id | None:
    """The argument that is a function, by position or by the keyword that a row knows."""
    if position < len(call.args):
        return call.args[position]
    if call.keywords:
        for place in (place for both in row.passes for place in both):
            if place.base in ("result-of", "parameter-of") and place.index == position:
                named = [value for name, value in call.keywords if name == place.name]
                return named[0] if named else None
    return None


def _indirect(frame: Frame, at: Id, ref: Ref, given: dict[int, Facts]) -> None:
    """A library function that is handed to a library function: only its sinks matter."""
    for row in frame.library.calls(ref.name)[:4]:
        for place, kind in row.sinks:
            if place.base == "arg" and not place.path and given.get(place.index):
                hit = Hit(kind, frame.name, at, ref.name)
                reached(frame, at, hit, given[place.index])


def _function_method(frame: Frame, at: Id, call: Call, name: str) -> bool:
    """`f.call(this, x)`, `f.apply(this, xs)`, `f.bind(this)`."""
    if call.receiver is None:
        return False
    method = name.rpartition(".")[2]
    if method == "bind":
        frame.refer(at, frame.refs[call.receiver])
        return True
    if method not in ("call", "apply"):
        return False
    for ref in ordered(frame.refs[call.receiver]):
        if ref.sort == "fn":
            if method == "call":
                given = {k: frame.deep(v) for k, v in enumerate(call.args[1:])}
            else:
                packed = frame.deep(call.args[1]) if len(call.args) > 1 else NO_FACTS
                given = dict.fromkeys(range(6), packed)
            run_callback(frame, at, ref, given)
    return True


def _spelled_out(frame: Frame, call: Call) -> Call:
    """A call without keywords from a dictionary of which no field is known."""
    kept = [
        (name, value)
        for name, value in call.keywords
        if name != "**" or any(ref.sort == "obj" for ref in frame.refs[value])
    ]
    return call if len(kept) == len(call.keywords) else replace(call, keywords=tuple(kept))


# ── unknown callees ───────────────────────────────────────────────────────────────────────────


def _constructs(frame: Frame, call: Call) -> bool:
    """Whether a call of unknown effect makes an object of a library class."""
    if call.sort == "new":
        return True
    names = [_spoken(frame, call, r.name) for r in frame.refs[call.callee] if r.sort == "ext"]
    return bool(names) and all(n[:1].isupper() and not n.isupper() for n in names)


def assume_pass(frame: Frame, at: Id, call: Call) -> None:
    """Without knowledge everything passes, and functions that are handed over are called."""
    out: list[Facts] = []
    arguments = [*call.args, *(value for _, value in call.keywords)]
    for value in arguments:
        out.append(frame.deep(value))
    if call.receiver is not None:
        out.append(frame.deep(call.receiver))
    elif call.callee >= 0:
        # What `functools.partial` and the like were given stays with the function that they made.
        out.append(frame.facts[call.callee])
    facts = union(*out)
    if facts and _constructs(frame, call):
        made = Ref("obj", "new", frame.name, at)
        frame.refer(at, frozenset([made]))
        frame.put((made, APPENDED), facts, NO_REFS, at)
    else:
        frame.add(at, facts)
    for value in arguments:
        for ref in ordered(frame.refs[value]):
            if ref.sort == "fn" and call.sort != "decorator":
                others = [frame.deep(v) for v in arguments if v != value]
                if call.receiver is not None:
                    others.append(frame.deep(call.receiver))
                run_callback(frame, at, ref, dict.fromkeys(range(4), union(*others)))
    if call.receiver is not None and facts:
        for ref in ordered(frame.refs[call.receiver]):
            if ref.sort == "obj" and ref.site == frame.name:
                inner = union(*(frame.deep(v) for v in arguments))
                frame.put((ref, APPENDED), inner, NO_REFS, at)
