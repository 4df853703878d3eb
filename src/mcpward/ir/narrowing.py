"""Which variables a test is about: those whose present value the test was computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mcpward.ir.values import Assume, Call, Closure, Compare, Id, Join, Load, Phi, Value

Name = str | tuple[Id, str]
"""A variable, or a constant field of the object that a value is."""

_DEPTH = 10
"""How many operands deep an assumption looks for the variables a test is about."""
_WIDTH = 60
"""How many values an assumption looks at."""


def about(
    values: Sequence[Value],
    roots: Mapping[Id, Id],
    named: Mapping[Id, Iterable[Name]],
    test: Id,
    env: Mapping[Name, Id],
) -> list[tuple[Name, Id]]:
    """The variables, with their present values, that a test narrows.

    `roots` leads from narrowed values to the ones they narrow, `named` from those to the variables
    that have held them.
    """
    seen: dict[Id, None] = {test: None}
    front = [test]
    for _ in range(_DEPTH):
        following: list[Id] = []
        for at in front:
            for operand in _tested(values, roots, at):
                if operand not in seen:
                    seen[operand] = None
                    following.append(operand)
        if not following or len(seen) > _WIDTH:
            break
        front = following
    found: dict[Name, Id] = {}
    for root in dict.fromkeys(roots.get(at, at) for at in seen):
        for name in named.get(root, ()):
            value = env.get(name)
            if value is not None and roots.get(value, value) == root:
                found[name] = value
                if len(found) >= _WIDTH:
                    return list(found.items())
    return list(found.items())


def _tested(values: Sequence[Value], roots: Mapping[Id, Id], at: Id) -> tuple[Id, ...]:
    value = values[at]
    match value:
        case Compare():
            return value.operands
        case Call():
            receiver = () if value.receiver is None else (value.receiver,)
            keywords = tuple(v for _, v in value.keywords)
            return (*receiver, *value.args[:_WIDTH], *keywords[:_WIDTH])
        case Load():
            return (value.object,)
        case Assume():
            return (roots.get(at, at),)
        case Join():
            return value.operands[:_WIDTH]
        case Phi():
            return tuple(value.operands[:_WIDTH])
        case Closure():
            return tuple(v for _, v in value.captures)
        case _:
            return ()
