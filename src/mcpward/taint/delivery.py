"""Data that a library call passes on: into its result, its receiver or its arguments."""

from __future__ import annotations

from mcpward.core.rule import Place
from mcpward.ir.values import Call, Id, Load
from mcpward.taint import places
from mcpward.taint.calls import inside, note_written, store_path
from mcpward.taint.facts import NO_REFS, Facts, Ref, Refs, ordered
from mcpward.taint.frame import APPENDED, OBJECTS, Frame

_ANYWHERE = "0+"
"""The element of a list that may be any, the first included."""


def deliver(
    frame: Frame,
    at: Id,
    call: Call,
    target: Place,
    facts: Facts,
    refs: Refs,
    *,
    typed: bool,
) -> None:
    """Puts data into the place that a row names; `typed`: the row says what the result is."""
    if target.base == "return":
        if not target.path:
            frame.add(at, facts)
            if not typed:
                frame.refer(at, frozenset(r for r in refs if r.sort != "const"))
            return
        made = Ref("obj", "result", frame.name, at)
        frame.refer(at, frozenset([made]))
        inside(frame, made, target.path, facts, refs, at)
        return
    for value in places.values(call, target):
        path = places.path_of(frame, call, target, value)
        if not path:
            if facts:
                store_whole(frame, value, facts, at)
            continue
        owners = frame.read_refs(value, path[:-1]) if len(path) > 1 else frame.refs[value]
        name = {"*": APPENDED, _ANYWHERE: "*"}.get(path[-1], path[-1])
        for ref in sorted(owners):
            if ref.sort in OBJECTS:
                frame.put((frame.owner(ref), name), facts, refs, at)
        if facts:
            note_written(frame, value, path, facts)


def store_whole(frame: Frame, value: Id, facts: Facts, at: Id) -> None:
    """Facts that go into an argument as a whole (`Object.assign(target, …)`).

    What goes into a part of a library object, of which nothing else is known, is kept there.
    """
    part = frame.values[value]
    if isinstance(part, Load) and not any(ref.sort in OBJECTS for ref in frame.refs[value]):
        store_path(frame, part.object, (part.field,), facts, at)
    for ref in ordered(frame.refs[value]):
        if ref.sort in OBJECTS:
            frame.put((frame.owner(ref), "*"), facts, NO_REFS, at)
