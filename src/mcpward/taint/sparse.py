"""Instructions that do nothing while data is followed, because none comes to them.

What values may be is known by then, so an instruction without data among its operands leaves
nothing behind that is not there already. Most instructions are such.
"""

from __future__ import annotations

from mcpward.ir.values import (
    Assume,
    Call,
    Closure,
    Compare,
    Const,
    Global,
    Id,
    Join,
    Load,
    Phi,
    Store,
    Value,
)
from mcpward.taint.contents import carries
from mcpward.taint.facts import Ref
from mcpward.taint.frame import OBJECTS, Frame


def idle(frame: Frame, at: Id, value: Value) -> bool:
    """Whether an instruction need not be evaluated: its referents stand, and it has no data."""
    if at in frame.lively or at in frame.fresh:
        return False
    facts = frame.facts
    match value:
        case Const() | Compare():
            return True
        case Phi():
            return not any(facts[operand] for operand in value.operands)
        case Assume():
            return not facts[value.value] and not _contains(frame, value.value)
        case Call():
            return _idle_call(frame, value)
        case Load():
            return not facts[value.object] and _idle_load(frame, value)
        case Global():
            return value.absolute or not _holds(frame, value.name)
        case Join():
            return not any(carries(frame, operand) for operand in value.operands)
        case Store():
            return not facts[value.value] and (value.key is None or not facts[value.key])
        case Closure():
            inside = (*value.captures, *value.defaults)
            defined = frame.defined(value)
            return not any(facts[c] for _, c in inside) and not any(facts[d] for d in defined)
        case _:
            return False


def _contains(frame: Frame, at: Id) -> bool:
    """Whether a value may be a container of this function, of which tests make views."""
    return any(ref.sort == "obj" and ref.site == frame.name for ref in frame.refs[at])


def _holds(frame: Frame, name: str) -> bool:
    cell = (Ref("mod", frame.module.name), name)
    return bool(frame.module.stars) or cell in frame.world.heap or cell in frame.cells


def _idle_load(frame: Frame, value: Load) -> bool:
    for ref in frame.refs[value.object]:
        if ref.sort in OBJECTS:
            if value.field == "*" or ref.sort == "mod":
                return False
            for name in (value.field, "*", "+"):
                cell = (frame.owner(ref), name)
                if cell in frame.world.heap or cell in frame.cells:
                    return False
    return value.key is None or not frame.facts[value.key]


def _idle_call(frame: Frame, value: Call) -> bool:
    facts, refs = frame.facts, frame.refs
    if facts[value.callee] or value.sort == "decorator":
        return False
    callee = frame.values[value.callee]
    if isinstance(callee, Load) and callee.key is not None:
        return False
    for ref in refs[value.callee]:
        if ref.sort == "fn":
            summary = frame.world.summaries.get(ref.name)
            if summary is None or summary.carrying or _captures(frame, ref):
                return False
        elif ref.sort not in ("ext", "inst", "cls", "const"):
            return False
    given = [*value.args, *(argument for _, argument in value.keywords)]
    if any(ref.sort == "fn" for argument in given for ref in refs[argument]):
        return False
    if value.receiver is not None:
        given.append(value.receiver)
    return not any(carries(frame, argument) for argument in given)


def _captures(frame: Frame, ref: Ref) -> bool:
    made = frame.world.closure(frame.function, ref.at) if ref.site == frame.name else None
    return made is not None and bool(made.captures)
