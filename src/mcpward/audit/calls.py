"""Every call of the program by the names of what it may call, with literals of its arguments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mcpward.ir.program import bare
from mcpward.ir.values import Assume, Call, Function, Global, Id, Join, Load, Phi
from mcpward.taint.constants import literal
from mcpward.taint.facts import ordered
from mcpward.taint.frame import Frame
from mcpward.taint.world import World

_DEPTH = 6
"""Values behind one another that are looked through for a literal."""
_LOOKUPS = frozenset({"os.getenv", "os.environ.get", "dict.get"})
"""Calls that give their second argument when nothing else is there."""
_SAME = frozenset({"split", "strip", "lower", "trim", "toLowerCase"})


class Named(NamedTuple):
    """A call, and what it may be a call of."""

    frame: Frame
    at: Id
    call: Call
    name: str
    """The qualified name; for a class of the program, as bundlers leave them, the bare one; for a
    method of an unknown object, a dot and the method."""

    @property
    def family(self) -> str:
        """`python` or `javascript`."""
        return self.frame.library.family

    @property
    def function(self) -> Function:
        """Where the call stands."""
        return self.frame.function

    def argument(self, name: str, position: int = -1) -> Id | None:
        """The value of an argument by keyword or position."""
        for keyword, value in self.call.keywords:
            if keyword == name:
                return value
        if 0 <= position < len(self.call.args) and self.call.spread < 0:
            return self.call.args[position]
        return None

    def option(self, position: int, *path: str) -> list[object]:
        """The literals behind a field of an argument that is written as an object."""
        if position >= len(self.call.args):
            return []
        refs = self.frame.read_refs(self.call.args[position], path)
        return [literal(ref) for ref in ordered(refs) if ref.sort == "const"]

    def has_option(self, position: int, *path: str) -> bool:
        """Whether anything is written for a field of an argument."""
        if position >= len(self.call.args):
            return False
        owners = self.frame.read_refs(self.call.args[position], path[:-1])
        return any(
            path[-1] in self.frame.names(ref) for ref in owners if ref.sort in ("obj", "self")
        )

    def literals(self, name: str, position: int = -1) -> list[object]:
        """The literals that an argument may be, among other values perhaps."""
        value = self.argument(name, position)
        return [] if value is None else possible(self.frame, value)

    @property
    def open_ended(self) -> bool:
        """Whether arguments are handed on that are not written here."""
        return self.call.spread >= 0 or any(name == "**" for name, _ in self.call.keywords)


Calls = Mapping[str, list[Named]]


def named_calls(world: World) -> Calls:
    """Calls by name, in the order of functions and instructions."""
    found: defaultdict[str, list[Named]] = defaultdict(list)
    for name in sorted(world.frames):
        frame = world.frames[name]
        for at in frame.live:
            value = frame.values[at]
            if type(value) is Call:
                for called in _names(frame, value):
                    found[called].append(Named(frame, at, value, called))
    return found


def _names(frame: Frame, call: Call) -> Iterator[str]:
    refs = frame.refs[call.callee] if call.callee >= 0 else frozenset()
    seen: set[str] = set()
    for ref in ordered(refs):
        if ref.sort == "ext" and ref.name != "?":
            seen.add(frame.library.canonical(ref.name).replace(".js.", "."))
        elif ref.sort == "cls":
            seen.add(bare(ref.name).rstrip("0123456789$_"))
            outside = frame.world.classes.outside(ref.name)[:2]
            seen.update(
                frame.library.canonical(o).replace(".js.", ".") for o in outside if o != "?"
            )
    callee = frame.values[call.callee] if call.callee >= 0 else None
    if not seen and isinstance(callee, Load) and not any(r.sort == "fn" for r in refs):
        seen.add(f".{callee.field}")
    yield from sorted(seen)


def possible(frame: Frame, at: Id, depth: int = _DEPTH) -> list[object]:
    """The literals that a value may be, also as the default of a look-up."""
    out = [literal(ref) for ref in ordered(frame.refs[at]) if ref.sort == "const"]
    value = frame.values[at]
    if depth > 0:
        match value:
            case Phi():
                for operand in value.operands[:8]:
                    out += possible(frame, operand, depth - 1)
            case Assume():
                out += possible(frame, value.value, depth - 1)
            case Global(absolute=False):
                out += _variable(frame, frame.function.module, value.name, depth - 1)
            case Load() if not value.subscript:
                for ref in ordered(frame.refs[value.object]):
                    if ref.sort == "mod":
                        out += _variable(frame, ref.name, value.field, depth - 1)
            case Join(fields=None):
                out += frame.constants(at)
            case Call(args=(_, default, *_)):
                known = {ref.name for ref in frame.refs[value.callee] if ref.sort == "ext"}
                if known & _LOOKUPS:
                    out += possible(frame, default, depth - 1)
                elif value.receiver is not None and _kept(frame, value):
                    out += possible(frame, value.receiver, depth - 1)
            case Call(receiver=int() as receiver) if _kept(frame, value):
                out += possible(frame, receiver, depth - 1)
    return list(dict.fromkeys(out))


def _kept(frame: Frame, call: Call) -> bool:
    """Whether a method gives the text that it is called on, perhaps in pieces."""
    callee = frame.values[call.callee]
    return isinstance(callee, Load) and callee.field in _SAME


def _variable(frame: Frame, module: str, name: str, depth: int) -> list[object]:
    """The literals that a variable of a module may be."""
    body = frame.world.frames.get(f"{module}:")
    out: list[object] = []
    if body is not None:
        for store in body.stores():
            held = body.values[store.object]
            if store.field == name and isinstance(held, Global) and held.name == "<module>":
                out += possible(body, store.value, depth)
    return out
