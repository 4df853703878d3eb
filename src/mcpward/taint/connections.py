"""Requests whose addresses are checked when the connection is made, by a function handed in.

A resolver, connector, agent or transport of the program's own sees the address that is connected
to, so it is a better place for the check than any code before the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mcpward.ir.values import Call, Load
from mcpward.taint.facts import NO_REFS, Hit, Ref, Refs, ordered
from mcpward.taint.frame import Frame
from mcpward.taint.vouching import watches
from mcpward.taint.world import World

_KINDS = frozenset(["url", "url-host"])
_DEPTH = 7
_LOOKED = 400


def settle(world: World) -> None:
    """Marks what reaches such requests; only at the end it is known what options hold."""
    bit = world.bits["address-checked"]
    known: dict[Hit, bool] = {}
    for source, marks, hit in list(world.findings):
        if hit.kind not in _KINDS or marks & bit:
            continue
        if hit not in known:
            known[hit] = _watched(world, hit)
        if known[hit]:
            function, via = world.findings.pop((source, marks, hit))
            world.found(source, marks | bit, hit, function, via)


def _watched(world: World, hit: Hit) -> bool:
    frame = world.frames.get(hit.function)
    call = frame.values[hit.at] if frame is not None else None
    if frame is None or not isinstance(call, Call):
        return False
    work = [(ref, _DEPTH) for ref in ordered(_handed(frame, call)) if ref.sort == "obj"]
    clients = frame.refs[call.receiver] if call.receiver is not None else NO_REFS
    made = Ref("obj", "new", hit.function, hit.at)
    work += [(ref, _DEPTH) for ref in ordered(clients | {made}) if ref.sort == "obj"]
    seen = {ref for ref, _ in work}
    looked = 0
    while work and looked < _LOOKED:
        ref, depth = work.pop()
        looked += 1
        if ref.sort == "fn" and watches(world, ref.name):
            return True
        if ref.sort == "self" and any(watches(world, m) for m in _methods(world, ref.name)):
            return True
        if not depth:
            continue
        for inner in _inside(world, frame, ref):
            if inner.sort in ("obj", "fn", "self") and inner not in seen:
                seen.add(inner)
                work.append((inner, depth - 1))
    return False


def _handed(frame: Frame, call: Call) -> Refs:
    out = NO_REFS
    for value in (*call.args, *(value for _, value in call.keywords)):
        out |= frame.refs[value]
    return out


def _inside(world: World, frame: Frame, ref: Ref) -> Iterator[Ref]:
    """What an object holds; one of a library class what it was made with and was given later."""
    if ref.sort != "obj":
        return
    if ref.name != "new":
        for name in world.fields.get(ref, ()):
            yield from ordered(world.heap_refs.get((ref, name), NO_REFS))
        return
    maker = world.frames.get(ref.site)
    made = maker.values[ref.at] if maker is not None and ref.at < len(maker.values) else None
    if maker is None or not isinstance(made, Call):
        return
    yield from ordered(_handed(maker, made))
    # Objects made at one place share their fields, so a field counts only where it was written.
    for one in (frame, maker):
        for store in one.stores():
            if ref in one.refs[store.object]:
                yield from ordered(one.refs[store.value])
        for value in one.values:
            if type(value) is Call and _belongs(one, value, ref):
                yield from ordered(_handed(one, value))


def _belongs(frame: Frame, call: Call, ref: Ref) -> bool:
    """Whether a call registers something with an object: `client.interceptors.request.use(f)`."""
    at = call.receiver
    while at is not None:
        if ref in frame.refs[at]:
            return True
        value = frame.values[at]
        at = value.object if isinstance(value, Load) else None
    return False


def _methods(world: World, name: str) -> Iterable[str]:
    """The methods of a first-party transport, agent or resolver."""
    if not world.classes.outside(name):
        return ()
    made = world.program.classes.get(name)
    return made.methods.values() if made is not None else ()
