"""What each instruction does to facts and referents: one function per instruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcpward.ir.program import enclosing
from mcpward.ir.values import (
    UNKNOWN,
    Assume,
    Call,
    Closure,
    Compare,
    Const,
    Global,
    Id,
    Join,
    Load,
    Outcome,
    Param,
    Phi,
    Return,
    Store,
)
from mcpward.taint import dispatch, entries, guards, sinks, views
from mcpward.taint.calls import store_path
from mcpward.taint.constants import constant
from mcpward.taint.facts import (
    NO_FACTS,
    NO_REFS,
    Facts,
    Ref,
    Refs,
    Symbol,
    marked,
    ordered,
)
from mcpward.taint.frame import OBJECTS, Frame
from mcpward.taint.joins import join
from mcpward.taint.members import global_name, kept
from mcpward.taint.proofs import ALL


def param(frame: Frame, at: Id, value: Param) -> None:
    """A parameter is its own symbol, plus what is known of captures and types.

    Not so `self`: what instances hold is kept per class, for all instances together. Keeping it
    apart per call would make every method's summary a list of all fields of its class.
    """
    if value.sort == "capture":
        frame.add(at, frame.world.capture_facts.get((frame.name, value.index), NO_FACTS))
    if frame.hot and not (value.sort == "receiver" and frame.function.owner):
        frame.add(at, frozenset([(Symbol(value.index, ()), 0)]))
    frame.refer(at, frame.world.param_refs.get((frame.name, value.index), NO_REFS))
    if value.sort == "receiver" and frame.function.owner:
        sort = "cls" if value.name == "cls" else "self"
        frame.refer(at, frozenset([Ref(sort, frame.function.owner)]))
    if value.annotation is not None:
        frame.refer(at, frame.typed(value.annotation))


def const(frame: Frame, at: Id, value: Const) -> None:
    """A literal refers to itself."""
    if value.value is not UNKNOWN:
        ref = constant(value.value)
        if ref is not None:
            frame.refer(at, frozenset([ref]))


def global_(frame: Frame, at: Id, value: Global) -> None:
    """A name of the module, a builtin, or an imported module."""
    refs, facts = global_name(frame, value)
    frame.refer(at, refs)
    frame.add(at, facts)


def phi(frame: Frame, at: Id, value: Phi) -> None:
    """Everything that any of the values is."""
    for operand in value.operands:
        frame.add(at, frame.facts[operand])
        frame.refer(at, frame.refs[operand])


def load(frame: Frame, at: Id, value: Load) -> None:
    """Reads a field."""
    owner = value.object
    if value.field == "*":
        frame.add(at, frame.read(owner, ("*",)))
    else:
        facts = frame.read(owner, (value.field,))
        if value.field == "0":
            facts = _first_word(frame, facts)
        elif value.field == "length" and facts:
            # As large as what was sent, not as large as what somebody says.
            facts = marked(facts, frame.world.bits["bounded"])
        frame.add(at, facts)
    refs = NO_REFS
    called = at in frame.callees
    known = frame.settled and owner not in frame.fresh and at not in frame.fresh
    for ref in ordered(frame.refs[owner]):
        if not known:
            found = frame.member(ref, value.field)
            refs |= found if called else kept(frame, ref, found)
        if ref.sort in ("inst", "ext"):
            sinks.field_source(frame, at, f"{ref.name}.{value.field}")
            if ref.sort == "inst" and not called:
                dispatch.attribute(frame, at, f"{ref.name}.{value.field}", value)
        elif ref.sort == "mod":
            frame.add(at, frame.exported_facts(ref.name, value.field))
        elif ref.sort == "self":
            _property(frame, at, ref, value)
            for outside in frame.world.classes.outside(ref.name)[:2]:
                sinks.field_source(frame, at, f"{outside}.{value.field}")
    frame.refer(at, refs)


def _first_word(frame: Frame, facts: Facts) -> Facts:
    """The first element of a split command line is its program."""
    piece = frame.world.bits["part-piece"]
    word = frame.world.bits["part-word"]
    return frozenset([(o, m | word if m & piece else m) for o, m in facts]) if facts else facts


def _property(frame: Frame, at: Id, ref: Ref, value: Load) -> None:
    method = frame.world.classes.method(ref.name, value.field)
    if method is None:
        return
    made = frame.world.program.classes.get(enclosing(method))
    if made is not None and value.field in made.properties:
        frame.lively.add(at)
        dispatch.property_read(frame, at, method, value.object)


def store(frame: Frame, at: Id, value: Store) -> None:
    """Writes a field."""
    facts = frame.facts[value.value]
    refs = frame.refs[value.value]
    for ref in ordered(frame.refs[value.object]):
        if ref.sort in OBJECTS:
            frame.put((frame.owner(ref), value.field), facts, refs, at)
        elif ref.sort == "ext":
            sinks.stored(frame, at, ref.name, value, facts)
    if facts:
        _symbolic_store(frame, at, value, facts)


def _symbolic_store(frame: Frame, at: Id, value: Store, facts: Facts) -> None:
    if any(isinstance(origin, Symbol) for origin, _ in frame.facts[value.object]):
        store_path(frame, value.object, (value.field,), facts, at)


def compare(_frame: Frame, _at: Id, _value: Compare) -> None:
    """The result of a test carries nothing."""


def closure(frame: Frame, at: Id, value: Closure) -> None:
    """A function or class as a value."""
    world = frame.world
    made = world.program.classes.get(value.target)
    if made is not None:
        frame.refer(at, frozenset([Ref("cls", value.target)]))
        bases = NO_REFS
        if made.scope == frame.name:
            for base in made.bases:
                bases |= frame.refs[base]
        bases = frozenset([b for b in bases if b.sort in ("ext", "cls", "inst")])
        world.based(value.target, bases)
        for name, default in made.defaults.items():
            cell = (Ref("cls", value.target), name)
            if made.scope == frame.name:
                frame.put(cell, frame.facts[default], frame.refs[default], at)
        entries.subclassed(frame, at, value.target)
    else:
        frame.refer(at, frozenset([Ref("fn", value.target, frame.name, at)]))
    for index, captured in value.captures:
        world.bind_capture(value.target, index, frame.facts[captured])
        world.bind_refs(value.target, index, _lasting(frame.refs[captured]))
    for index, default in value.defaults:
        world.bind_refs(value.target, index, _lasting(frame.refs[default]))


def _lasting(refs: Refs) -> Refs:
    return frozenset([r for r in refs if r.sort != "const" or r.name[:2] != "s:"]) or refs


def assume(frame: Frame, at: Id, value: Assume) -> None:
    """The same value, with what the test has proven."""
    if frame.refs[value.value]:
        frame.refer(at, views.viewed(frame, at, value))
    if frame.facts[value.value]:
        frame.add(at, guards.assumed(frame, value))


def returned(frame: Frame, _at: Id, value: Return) -> None:
    """Adds to the summary what a caller gets."""
    summary = frame.summary
    facts = frame.facts[value.value]
    if facts:
        summary.returns[()] = summary.returns.get((), NO_FACTS) | facts
    refs = _declared(frame, frame.refs[value.value])
    summary.refs = summary.refs | frozenset([r for r in refs if r.sort != "const"])
    constants = [r for r in refs if r.sort == "const"]
    if constants and len(summary.refs) < 6:
        summary.refs = summary.refs | frozenset(constants)
    frame.kept = frame.kept | frozenset([r for r in refs if r.sort in ("obj", "fn")])
    if not frame.world.quiet:
        _outcomes(frame, value)


def _declared(frame: Frame, refs: Refs) -> Refs:
    """What a function returns, without objects of other classes than it says.

    A factory that is shared by several callers may make more than one of them asks for.
    """
    made = [ref for ref in refs if ref.sort == "self"]
    if len(made) < 2 or frame.function.result is None:
        return refs
    said = {ref.name for ref in frame.typed(frame.function.result)}
    others = [ref for ref in made if said.isdisjoint(frame.world.classes.lineage(ref.name))]
    return refs.difference(others) if len(others) < len(made) else refs


def _outcomes(frame: Frame, value: Return) -> None:
    proofs: dict[Symbol, int] = {}
    for index, name, at in value.versions:
        symbol = Symbol(index, (name,) if name else ())
        marks = [m for o, m in frame.facts[at] if o == symbol]
        if marks:
            shared = marks[0]
            for mark in marks[1:]:
                shared &= mark
            proofs[symbol] = shared
    _note(frame, ("returned", ""), proofs)
    constants = frame.constants(value.value)
    for outcome in (Outcome.TRUE, Outcome.FALSE):
        wanted = outcome is Outcome.TRUE
        if constants and all(bool(c) is not wanted for c in constants):
            continue
        if not wanted and _says_something(frame, value.value):
            continue
        _note(frame, (outcome.value, ""), _tested(frame, value.value, outcome, proofs))
    for ref in ordered(frame.refs[value.value]):
        if ref.sort == "obj" and ref.site == frame.name:
            for name in frame.names(ref):
                for inner in ordered(frame.cell_refs(ref, name)):
                    if inner.name in ("v:True", "v:False"):
                        _note(frame, (inner.name[2:].lower(), name), proofs)


def _says_something(frame: Frame, at: Id) -> bool:
    """Whether a value is never false: a text with a fixed part, such as a reason to refuse."""
    value = frame.values[at]
    match value:
        case Join(fields=None, label="f-string" | "concat" | "template"):
            return any(
                isinstance(constant, str) and constant
                for operand in value.operands
                for constant in frame.constants(operand)
            )
        case Join():
            return bool(value.fields)
        case Call():
            return value.sort == "new"
        case _:
            return False


def _tested(
    frame: Frame, value: Id, outcome: Outcome, proofs: dict[Symbol, int]
) -> dict[Symbol, int]:
    """What is proven about the parameters when the returned value is true, or false."""
    if frame.constants(value):
        return proofs
    proof = guards.proof(frame, value, outcome)
    if not proof:
        return proofs
    out = dict(proofs)
    listed = frame.world.bits["listed"]
    for (origin, pieces), marks in proof.items():
        if isinstance(origin, Symbol) and not pieces:
            out[origin] = out.get(origin, 0) | (listed if marks == ALL else marks)
    return out


def _note(frame: Frame, key: tuple[str, str], proofs: dict[Symbol, int]) -> None:
    """Keeps what every return with this outcome proves."""
    outcomes = frame.summary.outcomes
    had = outcomes.get(key)
    if had is None:
        outcomes[key] = {s: m for s, m in proofs.items() if m}
    else:
        outcomes[key] = {s: had[s] & proofs.get(s, 0) for s in had if had[s] & proofs.get(s, 0)}


def call(frame: Frame, at: Id, value: Call) -> None:
    """A call of anything."""
    dispatch.called(frame, at, value)


STEP: dict[type[Any], Callable[[Frame, Id, Any], None]] = {
    Param: param,
    Const: const,
    Global: global_,
    Phi: phi,
    Join: join,
    Load: load,
    Store: store,
    Compare: compare,
    Call: call,
    Closure: closure,
    Assume: assume,
    Return: returned,
}
"""Instruction → what it does."""
