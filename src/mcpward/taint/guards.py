"""What the outcome of a test proves: the marks that an assumption grants.

A test proves something about an origin when a guard row matches and the tested value carries that
origin with the marks the row needs. So a check on `realpath(p)` confines `p` itself, and the same
check on the bare `p` grants only the weak mark of a check made too early.
"""

from __future__ import annotations

from mcpward.core.rule import GuardModel
from mcpward.ir.values import (
    UNKNOWN,
    Assume,
    Call,
    Compare,
    Const,
    Id,
    Join,
    Load,
    Outcome,
    Pattern,
    Phi,
)
from mcpward.taint import places
from mcpward.taint.facts import NO_FACTS, Facts, Origin, Ref, Source, Symbol
from mcpward.taint.frame import Frame
from mcpward.taint.patterns import proven

ALL = -1
"""Every mark: the value is equal to something trusted, or the branch cannot be taken."""

_DEPTH = 12
_FLIPPED = {"!=": "==", "not in": "in", "is not": "is"}
_SEARCHES = frozenset(["indexOf", "lastIndexOf", "find", "search", "findIndex", "index"])
_SOME = frozenset(["some", "any", "find", "findIndex"])
_EVERY = frozenset(["every", "all"])


def assumed(frame: Frame, value: Assume) -> Facts:
    """The facts of a value on a path where a test came out one way."""
    facts = frame.facts[value.value]
    if not facts:
        return NO_FACTS
    out: list[tuple[Origin, int]] = []
    seen: dict[Origin, int] = {}
    for origin, marks in facts:
        if origin not in seen:
            seen[origin] = granted(frame, value.test, value.outcome, origin, 0)
        gained = seen[origin]
        if gained == ALL:
            gained = frame.world.bits["listed"]
        out.append((origin, marks | gained))
    return frozenset(out)


def granted(frame: Frame, test: Id, outcome: Outcome, origin: Origin, depth: int) -> int:
    """The marks that a test with this outcome proves about data of one origin."""
    if depth > _DEPTH:
        return 0
    value = frame.values[test]
    match value:
        case Compare():
            return _compared(frame, value, outcome, origin, depth)
        case Call():
            return _called(frame, test, value, outcome, origin, depth)
        case Assume():
            return granted(frame, value.value, outcome, origin, depth + 1)
        case Phi() if outcome is not Outcome.RETURNED:
            return _either(frame, value, outcome, origin, depth)
        case Load():
            return _field(frame, value, outcome, origin, depth)
        case Const() if value.value is not UNKNOWN and outcome is not Outcome.RETURNED:
            return 0 if bool(value.value) is (outcome is Outcome.TRUE) else ALL
        case _:
            return 0


def _both(first: int, second: int) -> int:
    """What holds when either of two things was proven."""
    if first == ALL:
        return second
    return first if second == ALL else first & second


def _sum(first: int, second: int) -> int:
    return ALL if ALL in (first, second) else first | second


def _compared(frame: Frame, value: Compare, outcome: Outcome, origin: Origin, depth: int) -> int:
    if outcome is Outcome.RETURNED:
        return 0
    operator = value.operator
    operands = value.operands
    if operator == "not":
        return granted(frame, operands[0], outcome.opposite, origin, depth + 1)
    if operator in ("and", "or"):
        parts = [granted(frame, o, outcome, origin, depth + 1) for o in operands]
        strong = (operator == "and") is (outcome is Outcome.TRUE)
        total = parts[0]
        for part in parts[1:]:
            total = _sum(total, part) if strong else _both(total, part)
        return total
    if operator in _FLIPPED:
        operator = _FLIPPED[operator]
        outcome = outcome.opposite
    if operator in ("==", "is"):
        known = _truth(frame, operands, outcome, origin, depth)
        if known is not None:
            return known
        operator = "=="
    rows = list(frame.library.guards(f"operator.{operator}"))
    call = Call(-1, None, operands)
    total = _rows(frame, call, rows, outcome, origin)
    if operator == "==":
        flipped = Call(-1, None, operands[::-1])
        total = _sum(total, _rows(frame, flipped, rows, outcome, origin))
    return total


def _truth(
    frame: Frame, operands: tuple[Id, ...], outcome: Outcome, origin: Origin, depth: int
) -> int | None:
    """Comparisons that only ask whether something is there, such as `is not None`."""
    for one, other in (operands, operands[::-1]):
        constants = frame.constants(other)
        if not constants:
            unknown = frame.values[other]
            if isinstance(unknown, Const) and unknown.value is UNKNOWN:
                return granted(frame, one, outcome.opposite, origin, depth + 1)
            continue
        if len(constants) != 1:
            continue
        constant = constants[0]
        if constant is None or constant is False:
            return granted(frame, one, outcome.opposite, origin, depth + 1) or None
        if constant is True:
            return granted(frame, one, outcome, origin, depth + 1) or None
        if constant == -1 or constant == 0:
            searched = _search(frame, one, constant)
            if searched is not None:
                call, rows = searched
                flipped = outcome.opposite if constant == -1 else outcome
                return _rows(frame, call, rows, flipped, origin)
    return None


def _search(frame: Frame, at: Id, constant: object) -> tuple[Call, list[GuardModel]] | None:
    """`text.indexOf(piece) === -1` says what `!text.includes(piece)` says."""
    value = frame.values[at]
    if not isinstance(value, Call) or value.receiver is None:
        return None
    callee = frame.values[value.callee]
    if not isinstance(callee, Load) or callee.field not in _SEARCHES:
        return None
    if constant == 0:
        name = "startswith" if frame.library.family == "python" else "startsWith"
        return value, frame.library.built_in_guards(name)
    if frame.library.family == "python":
        swapped = Call(-1, None, (*value.args[:1], value.receiver))
        return swapped, list(frame.library.guards("operator.in"))
    return value, frame.library.built_in_guards("includes")


def _either(frame: Frame, value: Phi, outcome: Outcome, origin: Origin, depth: int) -> int:
    total = ALL
    for operand in value.operands[:8]:
        total = _both(total, granted(frame, operand, outcome, origin, depth + 2))
        if not total:
            return 0
    return 0 if total == ALL else total


def _field(frame: Frame, value: Load, outcome: Outcome, origin: Origin, depth: int) -> int:
    """`result.ok` of a helper that returns a record says what the helper proved."""
    made = frame.values[value.object]
    while isinstance(made, Assume):
        made = frame.values[made.value]
    if isinstance(made, Call) and outcome is not Outcome.RETURNED:
        marks = _promised(frame, made, (outcome.value, value.field), origin)
        if marks:
            return marks
        if value.field in ("success", "ok", "valid", "data"):
            return granted(frame, value.object, Outcome.RETURNED, origin, depth + 1)
    return 0


def _called(
    frame: Frame, at: Id, call: Call, outcome: Outcome, origin: Origin, depth: int
) -> int:
    total = 0
    names = [ref.name for ref in sorted(frame.refs[call.callee]) if ref.sort == "ext"]
    callee = frame.values[call.callee]
    method = callee.field if isinstance(callee, Load) else ""
    rows: list[GuardModel] = []
    for name in names:
        rows += frame.library.guards(name)
    if not rows and method and not any(r.sort in ("fn", "cls") for r in frame.refs[call.callee]):
        rows = frame.library.built_in_guards(method)
    if rows:
        total = _sum(total, _rows(frame, call, rows, outcome, origin))
    word = method or (names[0].rpartition(".")[2] if names else "")
    if word in _SOME or word in _EVERY:
        total = _sum(total, _quantified(frame, call, word, outcome, origin, depth))
    if outcome is Outcome.RETURNED:
        total = _sum(total, _promised(frame, call, ("returned", ""), origin))
    else:
        total = _sum(total, _promised(frame, call, (outcome.value, ""), origin))
        if word in ("bool", "Boolean") and call.args:
            total = _sum(total, granted(frame, call.args[0], outcome, origin, depth + 1))
    return total


def _quantified(
    frame: Frame, call: Call, word: str, outcome: Outcome, origin: Origin, depth: int
) -> int:
    """`any(test(x, r) for r in roots)`, `roots.some(r => test(x, r))` and their like.

    `some` that is true and `every` that is true prove what the inner test proves when true; `some`
    that is false proves what it proves when false.
    """
    if outcome is Outcome.FALSE and word in _EVERY:
        return 0
    total = 0
    for argument in call.args[:1]:
        made = frame.values[argument]
        if isinstance(made, Join) and made.fields is not None:
            for operand in made.operands[:4]:
                total = _sum(total, granted(frame, operand, outcome, origin, depth + 1))
        for ref in sorted(frame.refs[argument]):
            if ref.sort == "fn":
                total = _sum(total, _closure(frame, call, ref, outcome, origin))
    return total


def _closure(frame: Frame, call: Call, ref: Ref, outcome: Outcome, origin: Origin) -> int:
    summary = frame.world.summaries.get(ref.name)
    if summary is None:
        return 0
    proofs = summary.outcomes.get((outcome.value, ""), {})
    total = 0
    if ref.site == frame.name:
        made = frame.world.closure(frame.function, ref.at)
        for index, value in made.captures if made is not None else ():
            for symbol, marks in proofs.items():
                if symbol.index == index and _carries(frame, value, symbol.path, origin):
                    total |= marks
    if call.receiver is not None:
        for symbol, marks in proofs.items():
            if symbol.index == 0 and not symbol.path and _carries(frame, call.receiver, (), origin):
                total |= marks
    return total


def _carries(frame: Frame, at: Id, path: tuple[str, ...], origin: Origin) -> bool:
    return any(found == origin for found, _ in frame.read(at, path))


def _promised(frame: Frame, call: Call, key: tuple[str, str], origin: Origin) -> int:
    """The marks that a first-party helper guarantees by its outcome."""
    from mcpward.taint.calls import bindings  # noqa: PLC0415  # mutual definition

    total: int | None = None
    for target, bound in bindings(frame, call):
        summary = frame.world.summaries.get(target)
        if summary is None:
            continue
        marks = 0
        for symbol, proof in summary.outcomes.get(key, {}).items():
            if any(found == origin for found, _ in bound.facts(symbol)):
                marks |= proof
        total = marks if total is None else total & marks
    return total or 0


def _rows(
    frame: Frame, call: Call, rows: list[GuardModel], outcome: Outcome, origin: Origin
) -> int:
    total = 0
    world = frame.world
    for row in rows:
        if row.outcome != outcome.value:
            continue
        tested = _tested(frame, call, row, origin)
        if not tested:
            continue
        needs = world.mask(row.needs)
        unless = world.mask(row.unless)
        if any(marks & needs != needs or marks & unless for marks in tested):
            continue
        if not all(places.holds(frame, call, c, unknown=False) for c in row.when):
            continue
        for grant in row.grants:
            if grant == "<pattern>":
                total = _sum(total, _pattern(frame, call, row))
            elif grant == "listed":
                total = ALL
            else:
                total = _sum(total, world.bits.get(grant, 0))
    return total


def _tested(frame: Frame, call: Call, row: GuardModel, origin: Origin) -> list[int]:
    """The marks with which the tested value carries an origin."""
    return [
        marks
        for found, marks in places.facts(frame, call, row.value)
        if found == origin or _whole(found, origin)
    ]


def _whole(found: Origin, origin: Origin) -> bool:
    """Whether the tested origin is an element of the container the assumption is about."""
    return (
        isinstance(found, Symbol)
        and isinstance(origin, Symbol)
        and found.index == origin.index
        and found.path == (*origin.path, "*")
    ) or (isinstance(found, Source) and found == origin)


def _pattern(frame: Frame, call: Call, row: GuardModel) -> int:
    if row.pattern is None:
        return 0
    found: list[Pattern] = places.pattern(frame, call, row.pattern)
    if not found:
        return 0
    method = row.name.rpartition(".")[2]
    total = ALL
    for one in found:
        names = proven(one.text, one.flags, whole=method == "fullmatch", start=method == "match"
                       and frame.library.family == "python")
        total = _both(total, frame.world.mask(names))
    return 0 if total == ALL else total
