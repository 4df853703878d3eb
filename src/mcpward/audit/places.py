"""Where things of the program are: values, functions and handlers as places that reports show."""

from __future__ import annotations

from mcpward.core.finding import Handler, Place
from mcpward.core.source import SourceFile
from mcpward.ir.values import Call, Compare, Const, Function, Id, Load, Outcome, Param
from mcpward.taint.entry import Entry
from mcpward.taint.facts import FOREIGN
from mcpward.taint.frame import Frame
from mcpward.taint.world import World

_SHOWN = 400
"""Characters of a line that a place keeps."""


def value_place(world: World, function: str, at: Id) -> Place:
    """The place of an instruction of a function that exists."""
    made = world.program.function(function)
    assert made is not None
    value = made.values[at]
    if not value.end:
        return span_place(world, made, made.start, made.end)
    return span_place(world, made, value.start, value.end)


def span_place(world: World, function: Function, start: int, end: int) -> Place:
    """The place of a range of bytes of the file that a function is in."""
    return text_place(world.program.modules[function.module].source, start, end)


def text_place(source: SourceFile, start: int, end: int) -> Place:
    """The place of a range of bytes of a file."""
    begin = source.position(start)
    line = source.line_text(begin.line)[:_SHOWN]
    return Place(source.path, begin, source.position(end), line)


def called_names(frame: Frame, call: Call) -> list[str]:
    """The library functions that a call may call, by the names that models use."""
    known = frame.refs[call.callee] if call.callee >= 0 else ()
    names = {ref.name for ref in known if ref.sort == "ext" and ref != FOREIGN}
    return sorted({frame.library.canonical(name) for name in names})


def handler_of(world: World, entry: Entry, top: tuple[str, Id]) -> Handler:
    """The handler of an entry; `top` is the function and the call in it that the way goes through.

    A low-level handler that compared the name of the tool before that call is told as the tool.
    """
    function = world.program.function(entry.handler.name)
    place = span_place(world, function, function.start, function.end) if function else None
    name = entry.label
    if entry.model.sort == "raw" and function is not None and top[0] == function.name:
        name = dispatched(function, top[1]) or name
        if name != entry.label:
            return Handler("tool", name, place)
    return Handler(entry.model.sort, name, place)


def dispatched(function: Function, at: Id) -> str:
    """The tool name that a low-level handler compared with before it came to a call."""
    value = function.values[at]
    condition = function.conditions.get(value.block) if isinstance(value, Call) else None
    while condition is not None:
        if condition.outcome is Outcome.TRUE:
            name = _compared_name(function, condition.test)
            if name:
                return name
        condition = condition.outer
    return ""


def _compared_name(function: Function, test: Id) -> str:
    value = function.values[test]
    if not isinstance(value, Compare) or value.operator not in ("==", "is"):
        return ""
    for one, other in (value.operands, value.operands[::-1]):
        constant = function.values[other]
        subject = function.values[one]
        while hasattr(subject, "value") and not isinstance(subject, Const):
            subject = function.values[subject.value]
        named = (isinstance(subject, Load) and subject.field in ("name", "method")) or (
            isinstance(subject, Param) and "name" in subject.name
        )
        if isinstance(constant, Const) and isinstance(constant.value, str) and named:
            return constant.value
    return ""
