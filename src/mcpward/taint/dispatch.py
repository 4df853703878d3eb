"""Calls of anything: the program, its classes, libraries, and callees that nobody knows."""

from __future__ import annotations

from mcpward.ir.values import Assume, Call, Id, Load, Param
from mcpward.taint import entries
from mcpward.taint.annotations import guarantee
from mcpward.taint.binding import bind, targets
from mcpward.taint.calls import apply, note_invoked, reached
from mcpward.taint.facts import (
    FOREIGN,
    NO_REFS,
    PATH_LIMIT,
    Hit,
    Ref,
    Symbol,
    marked,
    ordered,
)
from mcpward.taint.frame import Frame
from mcpward.taint.library import applies, apply_row, assume_pass, outside


def called(frame: Frame, at: Id, call: Call) -> None:
    """Everything a call does."""
    refs = frame.refs[call.callee]
    if frame.settled and call.callee not in frame.fresh and frame.fresh.isdisjoint(call.args):
        handled = at in frame.declares
    else:
        handled = entries.registered(frame, at, call)
        if handled:
            frame.declares.add(at)
    for ref, receiver in targets(frame, call):
        function = frame.world.program.function(ref.name)
        if function is not None:
            apply(frame, at, ref, bind(frame, call, function, receiver, ref))
            handled = True
    if handled:
        # What can be read says more than that it may be something else as well.
        refs = refs - {FOREIGN}
    for ref in ordered(refs):
        match ref.sort:
            case "cls":
                _construct(frame, at, call, ref)
                handled = True
            case "ext" | "inst":
                name = ref.name if ref.sort == "ext" else f"{ref.name}.__call__"
                handled = outside(frame, at, call, name) or handled
            case _:
                pass
    if call.sort == "super" and not handled:
        return
    if call.sort == "decorator" and call.args and not frame.refs[at]:
        frame.refer(at, frame.refs[call.args[0]])
    if not _is_method(frame, call):
        # Also when it is known what was handed in: only a caller knows what that has captured.
        symbol = _handed_in(frame, call.callee)
        if symbol is not None:
            note_invoked(frame, symbol, {k: frame.deep(v) for k, v in enumerate(call.args)})
    _selected(frame, at, call)
    if not handled:
        _unknown(frame, at, call)


def _is_method(frame: Frame, call: Call) -> bool:
    """Whether the callee is a method of data rather than a function that was handed in."""
    if call.receiver is None:
        return False
    callee = frame.values[call.callee]
    return isinstance(callee, Load) and bool(
        frame.library.built_in(callee.field)
        or any(ref.sort != "obj" for ref in frame.refs[call.receiver])
    )


def _handed_in(frame: Frame, at: Id) -> Symbol | None:
    """The parameter, or field of a parameter, that a callee is."""
    path: list[str] = []
    for _ in range(8):
        value = frame.values[at]
        match value:
            case Param():
                return Symbol(value.index, tuple(path[:PATH_LIMIT]))
            case Assume():
                at = value.value
            case Load():
                path.insert(0, value.field)
                at = value.object
            case _:
                return None
    return None


def _construct(frame: Frame, at: Id, call: Call, ref: Ref) -> None:
    world = frame.world
    made = Ref("self", ref.name)
    frame.descends(made)
    frame.refer(at, frozenset([made]))
    for name in ("__init__", "constructor", "__new__", "__post_init__"):
        method = world.classes.method(ref.name, name)
        function = world.program.function(method) if method is not None else None
        if method is not None and function is not None:
            target = Ref("fn", method)
            apply(frame, at, target, bind(frame, call, function, at, target), result=False)
            if name in ("__init__", "constructor"):
                return
    _fields(frame, at, call, ref)


def _fields(frame: Frame, at: Id, call: Call, ref: Ref) -> None:
    """A data class: arguments become fields, with what the field types guarantee."""
    owner = frame.owner(Ref("self", ref.name))
    fields: dict[str, object] = {}
    for current in reversed(frame.world.classes.lineage(ref.name)):
        made = frame.world.program.classes.get(current)
        if made is not None:
            fields.update(made.fields)
    checked = any("BaseModel" in name for name in frame.world.classes.outside(ref.name))
    names = list(fields)
    pairs = [(name, value) for name, value in call.keywords if name != "**"]
    pairs += list(zip(names, call.args, strict=False))
    for name, value in pairs:
        marks = guarantee(frame, fields.get(name)) if checked else 0
        frame.put((owner, name), marked(frame.facts[value], marks), frame.refs[value], at)
    for name, value in call.keywords:
        if name == "**":
            for target in names:
                marks = guarantee(frame, fields.get(target)) if checked else 0
                facts = marked(frame.read(value, (target,)), marks)
                frame.put((owner, target), facts, NO_REFS, at)


def property_read(frame: Frame, at: Id, method: str, receiver: Id) -> None:
    """A field that is a method in truth."""
    function = frame.world.program.function(method)
    if function is not None:
        ref = Ref("fn", method)
        call = Call(-1, receiver, ())
        apply(frame, at, ref, bind(frame, call, function, receiver, ref))


def attribute(frame: Frame, at: Id, name: str, value: Load) -> None:
    """A property of a library object that has a row like a method (`path.parent`)."""
    rows = frame.library.calls(name)
    if rows and not rows[0].sinks:
        apply_row(frame, at, Call(-1, value.object, ()), rows[0], name)


def _selected(frame: Frame, at: Id, call: Call) -> None:
    """A call of a member that tainted text selects, from something that is no table of ours."""
    callee = frame.values[call.callee]
    while isinstance(callee, Assume):
        callee = frame.values[callee.value]
    if not isinstance(callee, Load) or callee.key is None or not frame.facts[callee.key]:
        return
    if not any(ref.sort == "obj" for ref in frame.refs[callee.object]):
        hit = Hit("reflection", frame.name, at, "a member chosen by name")
        reached(frame, at, hit, frame.facts[callee.key])


def _unknown(frame: Frame, at: Id, call: Call) -> None:
    """A call of something that nothing is known about."""
    callee = frame.values[call.callee]
    if isinstance(callee, Load) and call.receiver is not None:
        method = callee.field
        name = frame.library.built_in(method)
        guessed = frame.world.classes.methods_named(method) if not name else []
        if name:
            outside(frame, at, call, name)
            return
        if guessed and not frame.refs[call.receiver]:
            for function_name in guessed:
                function = frame.world.program.function(function_name)
                if function is not None:
                    ref = Ref("fn", function_name)
                    apply(frame, at, ref, bind(frame, call, function, call.receiver, ref))
            return
        for row in frame.library.loose_calls(method):
            if applies(frame, call, row):
                apply_row(frame, at, call, row, row.name)
                return
    assume_pass(frame, at, call)
