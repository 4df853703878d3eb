"""What the outcome of a test proves: the marks that an assumption grants.

A test proves something about an origin when a guard row matches and the tested value carries that
origin with the marks the row needs. So a check on `realpath(p)` confines `p` itself, and the same
check on the bare `p` grants only the weak mark of a check made too early.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    Phi,
)
from mcpward.taint import places
from mcpward.taint.binding import bindings
from mcpward.taint.facts import NO_FACTS, Facts, Origin, Ref, Summary, Symbol, ordered
from mcpward.taint.frame import Frame
from mcpward.taint.patterns import proven
from mcpward.taint.proofs import ALL, IMPOSSIBLE, NOTHING, Key, Proof, applied, both, either
from mcpward.taint.vouching import raises, vouched

_DEPTH = 12
_FLIPPED = {"!=": "==", "not in": "in", "is not": "is"}
_SEARCHES = frozenset(["indexOf", "lastIndexOf", "find", "search", "findIndex", "index"])
_INSIDE = frozenset(["confined", "lexically-confined"])
_SOME = frozenset(["some", "any", "find", "findIndex"])
_EVERY = frozenset(["every", "all"])
_VALID = frozenset(["success", "ok", "valid", "data", "isValid"])


def assumed(frame: Frame, value: Assume) -> Facts:
    """The facts of a value on a path where a test came out one way."""
    facts = frame.facts[value.value]
    if not facts:
        return NO_FACTS
    return applied(facts, proof(frame, value.test, value.outcome), frame.world.bits["listed"])


def proof(frame: Frame, test: Id, outcome: Outcome, depth: int = 0) -> Proof:
    """What a test with this outcome proves."""
    if depth > _DEPTH:
        return NOTHING
    value = frame.values[test]
    kind = type(value)
    if kind is Compare or kind is Call:
        key = (test, outcome)
        known = frame.proofs.get(key)
        if known is None:
            now, frame.now = frame.now, test
            if isinstance(value, Compare):
                known = _compared(frame, value, outcome, depth)
            else:
                assert isinstance(value, Call)
                known = _called(frame, value, outcome, depth)
            frame.now = now
            frame.proofs[key] = known
        return known
    match value:
        case Assume():
            return proof(frame, value.value, outcome, depth + 1)
        case Phi() if outcome is not Outcome.RETURNED:
            return _one_of(frame, value, outcome, depth)
        case Load():
            return _field(frame, value, outcome, depth)
        case Join() if value.fields == ("*",) and outcome is Outcome.FALSE:
            return _none_chosen(frame, value, depth)
        case Const() if value.value is not UNKNOWN and outcome is not Outcome.RETURNED:
            return NOTHING if bool(value.value) is (outcome is Outcome.TRUE) else IMPOSSIBLE
        case _:
            return NOTHING


def _compared(frame: Frame, value: Compare, outcome: Outcome, depth: int) -> Proof:
    if outcome is Outcome.RETURNED:
        return NOTHING
    operator = value.operator
    operands = value.operands
    if operator == "not":
        return proof(frame, operands[0], outcome.opposite, depth + 1)
    if operator in ("and", "or"):
        parts = [proof(frame, o, outcome, depth + 1) for o in operands]
        combine = both if (operator == "and") is (outcome is Outcome.TRUE) else either
        total = parts[0]
        for part in parts[1:]:
            total = combine(total, part)
        return total
    if operator in _FLIPPED:
        operator = _FLIPPED[operator]
        outcome = outcome.opposite
    if operator in ("==", "is"):
        known = _truth(frame, operands, outcome, depth)
        if known is not None:
            return known
        operator = "=="
    rows = frame.library.guards(f"operator.{operator}")
    total = _rows(frame, Call(-1, None, operands), rows, outcome)
    if operator == "==":
        total = both(total, _rows(frame, Call(-1, None, operands[::-1]), rows, outcome))
    return total


def _truth(frame: Frame, operands: tuple[Id, ...], outcome: Outcome, depth: int) -> Proof | None:
    """Comparisons that only ask whether something is there, such as `is not None`."""
    for one, other in (operands, operands[::-1]):
        constants = frame.constants(other)
        if not constants:
            instruction = frame.values[other]
            if isinstance(instruction, Const) and instruction.value is UNKNOWN:
                return proof(frame, one, outcome.opposite, depth + 1)
            continue
        if len(constants) != 1:
            continue
        constant = constants[0]
        if constant is None or constant is False:
            return proof(frame, one, outcome.opposite, depth + 1) or None
        if constant is True:
            return proof(frame, one, outcome, depth + 1) or None
        if constant in (-1, 0):
            searched = _search(frame, one, constant)
            if searched is not None:
                call, rows = searched
                turned = outcome.opposite if constant == -1 else outcome
                return _rows(frame, call, rows, turned)
    return None


def _search(frame: Frame, at: Id, constant: object) -> tuple[Call, Iterable[GuardModel]] | None:
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
        return swapped, frame.library.guards("operator.in")
    return value, frame.library.built_in_guards("includes")


def _one_of(frame: Frame, value: Phi, outcome: Outcome, depth: int) -> Proof:
    total = IMPOSSIBLE
    for operand in value.operands[:8]:
        total = either(total, proof(frame, operand, outcome, depth + 2))
        if not total:
            return NOTHING
    return NOTHING if total == IMPOSSIBLE else total


def _none_chosen(frame: Frame, value: Join, depth: int) -> Proof:
    """`[x for x in xs if bad(x)]` that is empty: the test came out the other way for each."""
    chosen = frame.values[value.operands[0]]
    if not isinstance(chosen, Assume) or chosen.outcome is Outcome.RETURNED:
        return NOTHING
    if isinstance(frame.values[chosen.value], Assume):
        return NOTHING
    return proof(frame, chosen.test, chosen.outcome.opposite, depth + 1)


def _field(frame: Frame, value: Load, outcome: Outcome, depth: int) -> Proof:
    """`result.ok` of a helper that returns a record, or a property such as `address.is_private`."""
    if outcome is Outcome.RETURNED:
        return NOTHING
    total = NOTHING
    rows: Sequence[GuardModel] = ()
    for ref in ordered(frame.refs[value.object]):
        if ref.sort == "inst":
            rows = rows or frame.library.guards(f"{ref.name}.{value.field}")
    if rows:
        total = _rows(frame, Call(-1, value.object, ()), rows, outcome)
    made = frame.values[value.object]
    while isinstance(made, Assume):
        made = frame.values[made.value]
    if isinstance(made, Call):
        promised = _promised(frame, made, (outcome.value, value.field))
        total = both(total, promised)
        if not promised and outcome is Outcome.TRUE and value.field in _VALID:
            total = both(total, proof(frame, value.object, Outcome.RETURNED, depth + 1))
    return total


def _called(frame: Frame, call: Call, outcome: Outcome, depth: int) -> Proof:
    total = NOTHING
    names = [ref.name for ref in ordered(frame.refs[call.callee]) if ref.sort == "ext"]
    callee = frame.values[call.callee]
    method = callee.field if isinstance(callee, Load) else ""
    rows: Sequence[GuardModel] = ()
    for name in names:
        rows = (*rows, *frame.library.guards(name)) if rows else frame.library.guards(name)
    if not rows and method and not any(r.sort in ("fn", "cls") for r in frame.refs[call.callee]):
        rows = frame.library.built_in_guards(method)
    if rows:
        total = _rows(frame, call, rows, outcome)
    word = method or (names[0].rpartition(".")[2] if names else "")
    if outcome is Outcome.RETURNED:
        return both(total, _promised(frame, call, ("returned", "")))
    if word in _SOME or word in _EVERY:
        total = both(total, _quantified(frame, call, word, outcome, depth))
    if word in ("bool", "Boolean") and call.args:
        total = both(total, proof(frame, call.args[0], outcome, depth + 1))
    return both(total, _promised(frame, call, (outcome.value, "")))


def _quantified(frame: Frame, call: Call, word: str, outcome: Outcome, depth: int) -> Proof:
    """`any(test(x, r) for r in roots)`, `roots.some(r => test(x, r))` and their like.

    `some` that is true and `every` that is true prove what the inner test proves when true; `some`
    that is false proves what it proves when false.
    """
    if outcome is Outcome.FALSE and word in _EVERY:
        return NOTHING
    total = NOTHING
    for argument in call.args[:1]:
        made = frame.values[argument]
        if isinstance(made, Join) and made.fields is not None:
            for operand in made.operands[:4]:
                total = both(total, proof(frame, operand, outcome, depth + 1))
        for ref in ordered(frame.refs[argument]):
            if ref.sort == "fn":
                total = both(
                    total, _closure(frame, call, ref, outcome, of_all=quantifies(word, outcome))
                )
    return total


def quantifies(word: str, outcome: Outcome) -> bool:
    """Whether a quantifier that came out so says something of every element."""
    return word in (_SOME if outcome is Outcome.FALSE else _EVERY)


def _closure(frame: Frame, call: Call, ref: Ref, outcome: Outcome, *, of_all: bool) -> Proof:
    summary = frame.world.summaries.get(ref.name)
    if summary is None:
        return NOTHING
    out: Proof = {}
    captured: dict[int, Id] = {}
    if ref.site == frame.name:
        made = frame.world.closure(frame.function, ref.at)
        captured = dict(made.captures) if made is not None else {}
    for symbol, marks in summary.outcomes.get((outcome.value, ""), {}).items():
        at = captured.get(symbol.index)
        if at is None and symbol.index == 0 and not symbol.path:
            at = call.receiver
        if at is not None:
            for origin, _ in frame.read(at, symbol.path):
                out[(origin, 0)] = out.get((origin, 0), 0) | marks
        if at is not None and of_all and at == call.receiver and not symbol.path:
            for origin, had in frame.read(at, ("*",)):
                key = (origin, had & frame.world.pieces)
                out[key] = out.get(key, 0) | marks
    return out


def _promised(frame: Frame, call: Call, key: tuple[str, str]) -> Proof:
    """What first-party helpers guarantee by their outcome."""
    if not any(ref.sort in ("fn", "mod", "self") for ref in frame.refs[call.callee]):
        return NOTHING
    total: Proof | None = None
    for target, bound in bindings(frame, call):
        summary = frame.world.summaries.get(target)
        if summary is None:
            continue
        out: Proof = {}
        for symbol, marks in summary.outcomes.get(key, {}).items():
            for origin, _ in bound.facts(symbol):
                out[(origin, 0)] = out.get((origin, 0), 0) | marks
        trusted = vouched(frame.world, target)
        if trusted and _answers(frame, target, summary, key):
            for index in bound.values:
                for origin, _ in bound.facts(Symbol(index, ())):
                    out[(origin, 0)] = out.get((origin, 0), 0) | trusted
        total = out if total is None else either(total, out)
    return total or NOTHING


_SAYS_YES = frozenset(
    ["success", "ok", "valid", "isValid", "is_valid", "allowed", "safe", "isSafe", ""]
)


def _answers(frame: Frame, target: str, summary: Summary, key: tuple[str, str]) -> bool:
    """Whether this outcome of a trusted validator means yes."""
    outcome, field = key
    function = frame.world.program.function(target)
    if function is None:
        return False
    if outcome == "returned":
        return raises(function, summary)
    negative = target.rpartition(".")[2].lower()
    says_no = any(w in negative for w in ("private", "internal", "block", "unsafe", "forbidden"))
    return field in _SAYS_YES and (outcome == "false") is says_no


def _rows(frame: Frame, call: Call, rows: Iterable[GuardModel], outcome: Outcome) -> Proof:
    world = frame.world
    out: Proof = {}
    tested: dict[object, list[tuple[Origin, int]]] = {}
    for row, needs, pieces, bars in world.relevance.guard_rows(rows, outcome):
        facts = tested.get(row.value)
        if facts is None:
            facts = tested[row.value] = [
                (_whole(origin), marks) for origin, marks in places.facts(frame, call, row.value)
            ]
        if not facts:
            continue
        held: dict[Key, bool] = {}
        for origin, marks in facts:
            about: Key = (origin, marks & pieces)
            held[about] = held.get(about, True) and marks & needs == needs and not marks & bars
        proven_about = [key for key, holds in held.items() if holds]
        if not proven_about:
            continue
        if row.when and not all(places.holds(frame, call, c, unknown=False) for c in row.when):
            continue
        granted = _granted(frame, call, row)
        if granted:
            folder = _folder(frame, call, row)
            for key in proven_about:
                if key[0] in folder:
                    continue
                had = out.get(key, 0)
                out[key] = ALL if ALL in (had, granted) else had | granted
    return out


def _folder(frame: Frame, call: Call, row: GuardModel) -> frozenset[Origin]:
    """Whose data the folder is that a path was compared with: lying there proves nothing of it."""
    if not _INSIDE.intersection(row.grants):
        return frozenset()
    tested = places.values(call, row.value)
    others = [v for v in (*call.args, call.receiver) if v is not None and v not in tested]
    return frozenset(_whole(origin) for v in others for origin, _ in frame.facts[v])


def _granted(frame: Frame, call: Call, row: GuardModel) -> int:
    total = 0
    for grant in row.grants:
        if grant == "<pattern>":
            total |= _pattern(frame, call, row)
        elif grant == "listed":
            return ALL
        elif grant != "<schema>":
            total |= frame.world.bits.get(grant, 0)
    return total


def _whole(origin: Origin) -> Origin:
    """An element of a container stands for the container: `for p in paths: check(p)`."""
    if isinstance(origin, Symbol) and origin.path and origin.path[-1] == "*":
        return Symbol(origin.index, origin.path[:-1])
    return origin


def _pattern(frame: Frame, call: Call, row: GuardModel) -> int:
    if row.pattern is None or row.outcome == "false":
        return 0
    method = row.name.rpartition(".")[2]
    python = frame.library.family == "python"
    total: int | None = None
    for one in places.pattern(frame, call, row.pattern):
        names = proven(
            one.text, one.flags, whole=method == "fullmatch", start=method == "match" and python
        )
        marks = frame.world.mask(names)
        total = marks if total is None else total & marks
    return total or 0
