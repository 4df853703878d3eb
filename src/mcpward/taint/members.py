"""What names, fields and methods refer to: modules, exports, instances, library members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpward.ir.program import enclosing
from mcpward.ir.values import (
    Global,
)
from mcpward.taint.facts import (
    FOREIGN,
    NO_FACTS,
    NO_REFS,
    Facts,
    Ref,
    Refs,
    Summary,
)

if TYPE_CHECKING:
    from mcpward.taint.frame import Frame

_FOREIGN = frozenset([FOREIGN])
_FIXED = frozenset(["ext", "inst", "const"])
"""Referents whose members only models know."""
_SEQUENCES = frozenset(["list", "tuple", "set", "array"])
_MADE = frozenset(["inst", "obj", "const", "fn"])

EXPORTS = "#exports"
"""Behind the name of a JavaScript module: the object of what importers see."""


def member(frame: Frame, ref: Ref, name: str) -> Refs:
    """What a field or method of a referent refers to."""
    if ref.sort not in _FIXED:
        return _member(frame, ref, name)
    known = frame.library.members
    found = known.get((ref, name))
    if found is None:
        found = known[ref, name] = _member(frame, ref, name)
    return found


def _member(frame: Frame, ref: Ref, name: str) -> Refs:
    match ref.sort:
        case "ext":
            return _outside(frame, ref, name)
        case "inst":
            if ref == frame.text and (name == "*" or name.isdigit()):
                return frozenset([ref])
            model = frame.library.field(f"{ref.name}.{name}")
            if model is not None and model.returns:
                return frozenset([Ref("inst", model.returns)])
            return frozenset([Ref("ext", f"{ref.name}.{name}"[:160])])
        case "mod":
            return exported(frame, ref.name, name)
        case "self":
            frame.descends(ref)
            return _instance(frame, ref, name)
        case "cls":
            frame.descends(ref)
            found = frame.cell_refs(ref, name)
            method = frame.world.classes.method(ref.name, name)
            if method is not None and not found:
                return frozenset([Ref("fn", method)])
            if not found and not method:
                outside = frame.world.classes.outside(ref.name)[:2]
                return frozenset([_behind(o, name) for o in outside])
            return found
        case "obj":
            return _content(frame, ref, name)
        case "const":
            types = {"s:": frame.text.name, "r:": frame.library.pattern_type}
            known = types.get(ref.name[:2])
            return frozenset([Ref("ext", f"{known}.{name}")]) if known else NO_REFS
        case "fn":
            found = frame.cell_refs(ref, name)
            return found or frozenset([Ref("ext", f"Function.{name}")])
        case _:
            return NO_REFS


def _content(frame: Frame, ref: Ref, name: str) -> Refs:
    """What a field of a container may be: an element, or a method that its built-in type has."""
    found = frame.field_refs(ref, name)
    kind = frame.library.container(ref.name) if name != "*" else ""
    if not kind:
        return found
    method = f"{kind}.{name}"
    if not found:
        return frozenset([Ref("ext", method)])
    if frame.library.calls(method) and not frame.cell_refs(ref, name):
        # Elements under unknown keys are no attributes, though a dictionary may be asked for one.
        made = frozenset([Ref("ext", method)])
        return made if ref.name in _SEQUENCES else found | made
    return found


def _outside(frame: Frame, ref: Ref, name: str) -> Refs:
    if ref.name == FOREIGN.name:
        return _FOREIGN
    full = f"{ref.name}.{name}"
    if full in frame.world.program.modules:
        return frozenset([Ref("mod", full)])
    if name == "default" and frame.library.family == "javascript":
        return frozenset([ref])
    if len(full) > 160 or full.count("()") > 4:
        return NO_REFS
    full = frame.library.canonical(full)
    model = frame.library.field(full)
    if model is not None and model.returns:
        return frozenset([Ref("inst", model.returns)])
    return frozenset([Ref("ext", full)])


def _behind(owner: str, name: str) -> Ref:
    return FOREIGN if owner == FOREIGN.name else Ref("ext", f"{owner}.{name}")


def _instance(frame: Frame, ref: Ref, name: str) -> Refs:
    found = frame.cell_refs(ref, name)
    method = frame.world.classes.method(ref.name, name)
    if method is not None:
        owner = frame.world.program.classes.get(enclosing(method))
        if owner is not None and name in owner.properties:
            return found | frame.world.summaries.get(method, Summary()).refs
        return found | {Ref("fn", method)}
    for current in frame.world.classes.lineage(ref.name):
        found = found | frame.cell_refs(Ref("cls", current), name)
        made = frame.world.program.classes.get(current)
        if made is not None and name in made.fields:
            found = found | frame.world.referents(frame, made.fields[name])
    if not found:
        outside = frame.world.classes.outside(ref.name)[:2]
        return frozenset([_behind(o, name) for o in outside])
    return found


def kept(frame: Frame, owner: Ref, refs: Refs) -> Refs:
    """The referents of a field that is kept: what libraries made loses its name with nobody to ask.

    Names from imports stay: classes may descend from them.
    """
    if owner.sort == "ext":
        if "(" not in owner.name and "*" not in owner.name:
            return refs
    elif owner.sort not in _MADE:
        return refs
    for ref in refs:
        if ref.sort == "ext":
            break
    else:
        return refs
    leads = frame.library.leads
    return frozenset([r if r.sort != "ext" or leads(r.name) else FOREIGN for r in refs])


def exported(frame: Frame, module: str, name: str, depth: int = 0) -> Refs:
    """What importers of a module see under a name."""
    if module.endswith(EXPORTS):
        return frame.cell_refs(Ref("mod", module), name)
    world_module(frame, module)
    made = frame.world.program.modules[module]
    if made.language.family == "python":
        holder = Ref("mod", module)
        if (holder, name) in frame.world.heap_refs:
            return frame.cell_refs(holder, name)
        if f"{module}.{name}" in frame.world.program.modules:
            return frozenset([Ref("mod", f"{module}.{name}")])
    else:
        holder = Ref("mod", module + EXPORTS)
        found = frame.cell_refs(holder, name)
        whole = frame.cell_refs(holder, "=")
        if name == "default" and whole:
            found = found | whole
        for ref in whole:
            if ref.sort != "mod":
                found = found | member(frame, ref, name)
        if found or (holder, name) in frame.world.heap_refs:
            return found
    out = NO_REFS
    if depth < 6:
        for star in made.stars:
            for ref in frame.world.named(made, star):
                if ref.sort == "mod":
                    out |= exported(frame, ref.name, name, depth + 1)
    frame.cell_refs(holder, name)
    return out


def exported_facts(frame: Frame, module: str, name: str) -> Facts:
    """The facts that importers of a module see under a name."""
    if module.endswith(EXPORTS):
        return frame.cell(Ref("mod", module), name)
    made = frame.world.program.modules[module]
    if made.language.family == "python":
        return frame.cell(Ref("mod", module), name)
    return frame.cell(Ref("mod", module + EXPORTS), name)


def world_module(frame: Frame, module: str) -> None:
    """Makes sure that a module's body is analysed before its names are used."""
    body = module + ":"
    if body not in frame.world.summaries:
        frame.world.enqueue(body)


def global_name(frame: Frame, value: Global) -> tuple[Refs, Facts]:
    """What a global name refers to, and the facts about it."""
    if value.absolute:
        refs = frame.world.named(frame.module, value.name)
        for ref in refs:
            if ref.sort == "mod":
                world_module(frame, ref.name)
        return refs, NO_FACTS
    if value.name == "<module>":
        return frozenset([Ref("mod", frame.module.name)]), NO_FACTS
    if value.name == "<exports>":
        return frozenset([Ref("mod", frame.module.name + EXPORTS)]), NO_FACTS
    holder = Ref("mod", frame.module.name)
    if (holder, value.name) in frame.world.heap_refs:
        return frame.cell_refs(holder, value.name), frame.cell(holder, value.name)
    frame.cell_refs(holder, value.name)
    for star in frame.module.stars:
        for ref in frame.world.named(frame.module, star):
            if ref.sort == "mod":
                found = exported(frame, ref.name, value.name)
                if found:
                    return found, exported_facts(frame, ref.name, value.name)
    return frozenset([Ref("ext", frame.library.canonical(value.name))]), NO_FACTS
