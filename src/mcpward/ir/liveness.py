"""Which instructions of a function anything depends on.

Frontends narrow every variable that a test is about and merge every variable that differs, read
again or not. A quarter of what they write is never used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mcpward.ir.values import (
    Assume,
    Call,
    Closure,
    Compare,
    Function,
    Id,
    Join,
    Load,
    Param,
    Phi,
    Return,
    Store,
    Value,
)

_EFFECTS = (Call, Store, Closure, Param, Return)


def operands(value: Value) -> Iterable[Id]:
    """The values an instruction is made from."""
    match value:
        case Assume():
            return (value.value, value.test)
        case Call():
            return _call(value)
        case Phi() | Join() | Compare():
            return value.operands
        case Load():
            return (value.object,) if value.key is None else (value.object, value.key)
        case Store():
            if value.key is None:
                return (value.object, value.value)
            return (value.object, value.value, value.key)
        case Closure():
            return [captured for _, captured in (*value.captures, *value.defaults)]
        case _:
            return ()


def _call(value: Call) -> Iterator[Id]:
    yield value.callee
    if value.receiver is not None:
        yield value.receiver
    yield from value.args
    for _, argument in value.keywords:
        yield argument


def live(function: Function, others: Iterable[Id]) -> list[Id]:
    """The instructions that have an effect, and those they depend on, in order.

    `others`: values that something outside the instructions depends on (bases of classes).
    """
    values = function.values
    seen = bytearray(len(values))
    work = list(others)
    for at, value in enumerate(values):
        if isinstance(value, _EFFECTS):
            work.append(at)
            if type(value) is Return:
                work.append(value.value)
                work += [version for _, _, version in value.versions]
    while work:
        at = work.pop()
        if not seen[at]:
            seen[at] = 1
            work += operands(values[at])
    return [at for at, flag in enumerate(seen) if flag]
