"""What lies inside objects: the facts of a value with everything in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpward.taint.facts import (
    NO_FACTS,
    NO_REFS,
    REF_LIMIT,
    WHOLE,
    Facts,
    Ref,
    bounded,
    ordered,
    union,
)

if TYPE_CHECKING:
    from mcpward.ir.values import Id
    from mcpward.taint.frame import Frame

Held = tuple[tuple[int, int], Facts, list[Ref]]
"""The stamps an object had, the facts in its fields then, and the objects in them."""
_LEVELS = 4
_NO_FIELDS: dict[str, None] = {}


def deep(frame: Frame, at: Id) -> Facts:
    """The facts of a value, of its fields, and of the fields of those."""
    facts = frame.facts[at]
    refs = _objects(frame, at)
    if not refs:
        return facts
    out = [facts]
    seen = set(refs)
    inner: list[Ref] = []
    for ref in ordered(refs):
        _, held, objects = _contents(frame, ref)
        out.append(held)
        inner += [r for r in objects if r not in seen]
    seen.clear()
    for ref in inner[: REF_LIMIT * 2]:
        if ref not in seen:
            seen.add(ref)
            out.append(_contents(frame, ref)[1])
    return bounded(union(*out))


def carries(frame: Frame, at: Id) -> bool:
    """Whether a value holds any facts, as far down as parameters keep fields apart and more."""
    if frame.facts[at]:
        return True
    work = _objects(frame, at)
    seen = set(work)
    for _ in range(_LEVELS):
        following: list[Ref] = []
        for ref in work:
            _, held, objects = _contents(frame, ref)
            if held:
                return True
            following += [r for r in objects if r not in seen]
        seen.update(following)
        work = following[: REF_LIMIT * 2]
    return False


def _objects(frame: Frame, at: Id) -> list[Ref]:
    return [
        r for r in frame.refs[at] if r.sort == "obj" and (r.name != "new" or r.site == frame.name)
    ]


def _contents(frame: Frame, ref: Ref) -> Held:
    world = frame.world
    frame.reading((ref, WHOLE))
    stamps = (world.stamps.get(ref, 0), frame.stamps.get(ref, 0))
    known = frame.contents.get(ref)
    if known is not None and known[0] == stamps:
        return known
    facts: list[Facts] = []
    objects: dict[Ref, None] = {}
    for name in {**frame.fields.get(ref, _NO_FIELDS), **world.fields.get(ref, _NO_FIELDS)}:
        cell = (ref, name)
        for held in (frame.cells.get(cell, NO_FACTS), world.heap.get(cell, NO_FACTS)):
            if held:
                facts.append(held)
        for inner in ordered(world.heap_refs.get(cell, NO_REFS)):
            if inner.sort == "obj":
                objects[inner] = None
    made = frame.contents[ref] = (stamps, union(*facts), list(objects))
    return made
