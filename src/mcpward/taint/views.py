"""Containers on a path where a test of every element came out one way."""

from __future__ import annotations

from mcpward.ir.values import Assume, Call, Compare, Id, Join, Load, Outcome
from mcpward.taint.facts import Fact, Facts, Ref, Refs, Symbol, ordered
from mcpward.taint.frame import Frame
from mcpward.taint.guards import proof, quantifies
from mcpward.taint.proofs import ALL, Proof, gained

_HELD = frozenset(["list", "tuple", "set", "array", "result"])
_DEPTH = 4
_TESTED = 32


def viewed(frame: Frame, at: Id, value: Assume) -> Refs:
    """The referents of an assumed value: containers of this function gain what was proven.

    Such a container gets a second object with the same cells and more marks, which only this path
    sees. A check of one element, such as the first, says nothing about the others, so only tests
    that ask about all of them count. The one exception is the program of a command: it is the first
    word, and the whole command is then one that starts with an allowed program.
    """
    refs = frame.refs[value.value]
    if value.outcome is Outcome.RETURNED or not any(_held(frame, ref) for ref in refs):
        return refs
    first = None
    if not _of_all(frame, value.test, value.outcome, 0):
        first = _first(frame, value.test, value.value)
        if first is None:
            return refs
    proven = proof(frame, value.test, value.outcome)
    if proven and first is not None:
        listed = frame.world.bits["program-listed"]
        origins = {o for o, marks in frame.facts[first] if gained(proven, o, marks) & listed}
        proven = {(origin, 0): listed for origin in origins}
    if not proven:
        return refs
    out = set(refs)
    for ref in ordered(refs):
        if _held(frame, ref) and _view(frame, at, ref, proven):
            out.discard(ref)
            out.add(Ref("obj", ref.name, frame.name, at))
    return frozenset(out)


def _held(frame: Frame, ref: Ref) -> bool:
    return ref.sort == "obj" and ref.site == frame.name and ref.name in _HELD


def _first(frame: Frame, test: Id, container: Id) -> Id | None:
    """Where a test looks at the first element of a container."""
    made = _plain(frame, container)
    pending = [test]
    for at in pending:
        value = frame.values[at]
        match value:
            case Load(field="0") if _plain(frame, value.object) == made:
                return at
            case Compare():
                pending += value.operands
            case Call():
                pending += value.args[:4]
            case Assume():
                pending.append(value.value)
            case _:
                pass
        if len(pending) > _TESTED:
            break
    return None


def _plain(frame: Frame, at: Id) -> Id:
    """A value without what was assumed of it."""
    value = frame.values[at]
    while isinstance(value, Assume):
        at = value.value
        value = frame.values[at]
    return at


def _of_all(frame: Frame, test: Id, outcome: Outcome, depth: int) -> bool:
    """Whether a test that came out so says something of all elements of a container."""
    value = frame.values[test]
    if depth > _DEPTH:
        return False
    match value:
        case Compare(operator="not"):
            return _of_all(frame, value.operands[0], outcome.opposite, depth + 1)
        case Compare(operator="and" | "or"):
            return any(_of_all(frame, o, outcome, depth + 1) for o in value.operands)
        case Assume():
            return _of_all(frame, value.value, outcome, depth + 1)
        case Join():
            return value.fields == ("*",) and outcome is Outcome.FALSE
        case Call():
            callee = frame.values[value.callee]
            if isinstance(callee, Load):
                words = [callee.field]
            else:
                words = [ref.name for ref in frame.refs[value.callee]]
            return any(quantifies(word, outcome) for word in words)
        case _:
            return False


def _view(frame: Frame, at: Id, ref: Ref, proven: Proof) -> bool:
    """Makes the second object, if any cell gains anything."""
    held = [(name, frame.cell(ref, name)) for name in frame.names(ref)]
    now = [(name, facts, _more(frame, facts, proven)) for name, facts in held]
    if all(facts == more for _, facts, more in now):
        return False
    made = Ref("obj", ref.name, frame.name, at)
    frame.world.views[made] = frame.world.views.get(made, frozenset()) | {ref}
    for name, _, more in now:
        frame.put((made, name), more, frame.cell_refs(ref, name), at)
    return True


def _more(frame: Frame, facts: Facts, proven: Proof) -> Facts:
    listed = frame.world.bits["listed"]
    out: list[Fact] = []
    for origin, marks in facts:
        more = gained(proven, origin, marks)
        if type(origin) is Symbol and origin.path[-1:] == ("*",) and more != ALL:
            # Guards say of the whole what they have found of its elements.
            whole = gained(proven, Symbol(origin.index, origin.path[:-1]), marks)
            more = ALL if whole == ALL else more | whole
        out.append((origin, marks | (listed if more == ALL else more)))
    return frozenset(out)
