"""Arguments bound to the parameters of the functions that a call may reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mcpward.ir.values import Call, Closure, Function, Id, Load, Param
from mcpward.taint.contents import carries
from mcpward.taint.facts import (
    NO_REFS,
    Facts,
    Ref,
    Refs,
    Symbol,
    bounded,
    ordered,
    union,
)
from mcpward.taint.frame import Frame
from mcpward.taint.members import EXPORTS


@dataclass(slots=True, eq=False)
class Bound:
    """The arguments of one call as the callee's parameters see them."""

    frame: Frame
    values: dict[int, list[Id]]
    """Parameter index → values that may be it."""
    elements: dict[int, list[Id]] = field(default_factory=dict)
    """Rest parameter → values in order."""
    named: dict[int, list[tuple[str, Id]]] = field(default_factory=dict)
    """Parameter that collects keywords → those keywords."""
    spread: list[tuple[int, str, Id]] = field(default_factory=list)
    """(parameter index, its name, mapping whose field of that name is the argument)."""
    given: dict[int, Facts] = field(default_factory=dict)
    """Facts bound directly, for callbacks and captured variables."""
    known: dict[Symbol, Facts] = field(default_factory=dict)
    """What was asked for already: one call asks for the same few symbols again and again."""
    translated: dict[Facts, Facts] = field(default_factory=dict)

    def facts(self, symbol: Symbol) -> Facts:
        """What the caller knows about a parameter or a field of it."""
        found = self.known.get(symbol)
        if found is None:
            found = self.known[symbol] = bounded(self._facts(symbol))
        return found

    def _facts(self, symbol: Symbol) -> Facts:
        frame = self.frame
        index, path = symbol
        out: list[Facts] = []
        for value in self.values.get(index, ()):
            out.append(frame.read(value, path) if path else frame.deep(value))
        rest = self.elements.get(index)
        if rest:
            if path and path[0].isdigit() and int(path[0]) < len(rest):
                rest = [rest[int(path[0])]]
            out += [frame.read(v, path[1:]) if len(path) > 1 else frame.deep(v) for v in rest]
        for name, value in self.named.get(index, ()):
            if not path or path[0] in ("*", name):
                inner = path[1:]
                out.append(frame.read(value, inner) if inner else frame.deep(value))
            elif name == "**":
                out.append(frame.read(value, path))
        for target, name, value in self.spread:
            if target == index:
                out.append(frame.read(value, (name, *path)))
        direct = self.given.get(index)
        if direct:
            out.append(direct)
        return union(*out)

    def carries(self) -> bool:
        """Whether any argument holds data of a source."""
        return any(self.given.values()) or any(carries(self.frame, v) for v in self._given_values())

    def fresh(self, at: Id) -> bool:
        """Whether the call or an argument may be something that it was not known to be."""
        fresh = self.frame.fresh
        if not fresh:
            return False
        return at in fresh or not fresh.isdisjoint(self._given_values())

    def _given_values(self) -> list[Id]:
        values = [v for vs in self.values.values() for v in vs]
        values += [v for vs in self.elements.values() for v in vs]
        values += [v for vs in self.named.values() for _, v in vs]
        values += [v for _, _, v in self.spread]
        return values

    def refs(self, index: int) -> Refs:
        """What the argument for a parameter may be."""
        out = NO_REFS
        for value in self.values.get(index, ()):
            out |= self.frame.refs[value]
        return out


def bind(frame: Frame, call: Call, function: Function, receiver: Id | None, ref: Ref) -> Bound:
    """Binds the arguments of a call to the parameters of a function."""
    values: dict[int, list[Id]] = {}
    bound = Bound(frame, values)
    params = [function.values[at] for at in function.params]
    declared = [p for p in params if isinstance(p, Param) and p.sort != "capture"]
    first = 0
    if declared and declared[0].sort == "receiver":
        first = 1
        if receiver is not None:
            values[0] = [receiver]
    position = first
    taken: set[int] = {0} if first else set()
    keywords = dict(call.keywords)
    for param in declared[first:]:
        if param.sort == "plain":
            argument = position - first
            if call.spread >= 0 and argument >= call.spread:
                for value in call.args[call.spread :]:
                    bound.elements.setdefault(-1, []).append(value)
                    values.setdefault(param.index, []).append(value)
            elif argument < len(call.args):
                values[param.index] = [call.args[argument]]
                taken.add(param.index)
            position += 1
        if param.sort == "args":
            bound.elements[param.index] = list(call.args[position - first :])
    for param in declared[first:]:
        if param.sort in ("plain", "keyword") and param.name in keywords:
            values[param.index] = [keywords[param.name]]
            taken.add(param.index)
        elif param.sort in ("plain", "keyword") and "**" in keywords and param.index not in taken:
            bound.spread.append((param.index, param.name, keywords["**"]))
        elif param.sort == "kwargs":
            names = {p.name for p in declared}
            bound.named[param.index] = [(k, v) for k, v in call.keywords if k not in names]
    bind_captures(frame, bound, function, ref)
    return bound


def bind_captures(frame: Frame, bound: Bound, function: Function, ref: Ref) -> None:
    """Binds what a closure has captured, and its defaults, as far as they are known here.

    That is when it was made in this function, is a method of a class made here, or came as the
    result of a call.
    """
    if ref.site == frame.name:
        made = frame.world.closure(frame.function, ref.at)
        if made is not None:
            _captured(bound, made)
            for index, value in made.defaults:
                if index not in bound.values:
                    bound.values[index] = [value]
    elif _captures(function):
        if ref.site:
            for at in function.params:
                param = function.values[at]
                if isinstance(param, Param) and param.sort == "capture":
                    facts = frame.cell(ref, capture(param.index))
                    if facts:
                        bound.given[param.index] = facts
        elif function.owner:
            made_in = frame.world.program.classes.get(function.owner)
            if made_in is not None and made_in.scope == frame.name:
                for instruction in frame.values:
                    if type(instruction) is Closure and instruction.target == ref.name:
                        _captured(bound, instruction)


def _captured(bound: Bound, made: Closure) -> None:
    for index, value in made.captures:
        bound.values.setdefault(index, []).append(value)


def _captures(function: Function) -> bool:
    if not function.params:
        return False
    last = function.values[function.params[-1]]
    return isinstance(last, Param) and last.sort == "capture"


def capture(index: int) -> str:
    """The field of a function in which a captured variable is kept once it was returned."""
    return f"<captured {index}>"


def bindings(frame: Frame, call: Call) -> Iterator[tuple[str, Bound]]:
    """The first-party functions a call may reach, with their arguments bound."""
    for ref, receiver in targets(frame, call):
        function = frame.world.program.function(ref.name)
        if function is not None:
            yield ref.name, bind(frame, call, function, receiver, ref)


def targets(frame: Frame, call: Call) -> list[tuple[Ref, Id | None]]:
    """The first-party functions a call may reach, each with the value of its receiver."""
    out: list[tuple[Ref, Id | None]] = []
    receiver = call.receiver
    kinds = {r.sort for r in frame.refs[receiver]} if receiver is not None else set()
    for ref in ordered(frame.refs[call.callee]):
        if ref.sort == "fn":
            plain = kinds and kinds <= {"mod"}
            bare = plain or (kinds == {"cls"} and not _takes_class(frame, ref))
            out.append((ref, None if bare else receiver))
        elif ref.sort == "mod" and frame.library.family == "javascript":
            for whole in sorted(frame.cell_refs(Ref("mod", ref.name + EXPORTS), "=")):
                if whole.sort == "fn":
                    out.append((whole, None))
        elif ref.sort == "self":
            frame.descends(ref)
            method = frame.world.classes.method(ref.name, "__call__")
            if method is not None:
                out.append((Ref("fn", method), call.callee))
    if call.sort == "super":
        out = [(r, v) for r, v in _super(frame, call)]
    return out


def _takes_class(frame: Frame, ref: Ref) -> bool:
    function = frame.world.program.function(ref.name)
    if function is None or not function.params:
        return False
    first = function.values[function.params[0]]
    return isinstance(first, Param) and first.name == "cls"


def _super(frame: Frame, call: Call) -> Iterator[tuple[Ref, Id | None]]:
    callee = frame.values[call.callee]
    owner = frame.function.owner
    if not isinstance(callee, Load) or not owner:
        return
    frame.descends(Ref("cls", owner))
    for current in frame.world.classes.lineage(owner)[1:]:
        made = frame.world.program.classes.get(current)
        if made is not None and callee.field in made.methods:
            yield Ref("fn", made.methods[callee.field]), call.receiver
            return


def receivers(function: Function) -> int:
    """1 when parameter 0 is the receiver, else 0."""
    if not function.params:
        return 0
    first = function.values[function.params[0]]
    return 1 if isinstance(first, Param) and first.sort == "receiver" else 0
