"""Values as the program writes them: literals with their places, whole and nested.

The engine keeps what a literal may be, cut short and without its place. A report about a text that
a model reads needs both, so this follows a value back to where it is written. Nothing is computed
that is not plainly there; the rest is `Dynamic`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from mcpward.audit.places import value_place
from mcpward.core.finding import Place
from mcpward.ir.values import Assume, Call, Const, Function, Global, Id, Join, Load, Phi, Store
from mcpward.taint.world import World

_DEPTH = 24
_NODES = 20_000
"""Values that are followed for one definition."""
_TEXT = 100_000
"""Characters of a text that is put together."""
_ALIKE = frozenset(
    ["strip", "lstrip", "rstrip", "trim", "trimStart", "trimEnd", "dedent", "cleandoc"]
)
"""Methods and functions whose result reads like their input."""

At = tuple[str, Id]
"""A function and a value in it."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A text, number, truth value or nothing."""

    value: str | int | float | bool | None
    place: Place
    whole: bool = True
    """Whether parts of the text are only known when the program runs; `…` stands for those."""


@dataclass(frozen=True, slots=True)
class Fields:
    """An object or dictionary, or the keyword arguments of a call."""

    items: tuple[tuple[str, Written], ...]
    place: Place
    made_by: str = ""
    """The last part of the name of what is called, for a call."""

    def get(self, name: str) -> Written | None:
        """The last value that is written under a name."""
        return next((value for key, value in reversed(self.items) if key == name), None)


@dataclass(frozen=True, slots=True)
class Items:
    """A list or tuple."""

    items: tuple[Written, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Made:
    """A call, for those who know what it makes."""

    call: Call
    at: At
    name: str
    """The last part of the name of what is called."""
    place: Place


@dataclass(frozen=True, slots=True)
class Dynamic:
    """Something that is only known when the program runs."""

    place: Place


Written = Plain | Fields | Items | Made | Dynamic


class Reader:
    """Follows values of one program back to where they are written."""

    def __init__(self, world: World) -> None:
        """For a program that has been followed."""
        self.world = world
        self._left = 0

    def read(self, at: At) -> Written:
        """What a value is written as."""
        self._left = _NODES
        return self._read(at, 0)

    def text(self, at: At) -> Plain | None:
        """The text that a value is written as, if it is one."""
        found = self.read(at)
        return found if isinstance(found, Plain) and isinstance(found.value, str) else None

    def name(self, function: Function, callee: Id) -> str:
        """The last part of the name of what is called."""
        found = self.origin((function.name, callee)) if callee >= 0 else None
        value = self._value(found) if found is not None else None
        if isinstance(value, Load):
            return value.field
        return value.name.rpartition(".")[2] if isinstance(value, Global) else ""

    def _read(self, at: At, depth: int) -> Written:
        self._left -= 1
        found = self.origin(at) if self._left > 0 and depth < _DEPTH else None
        if found is None:
            return Dynamic(value_place(self.world, *at))
        value, place = self._value(found), value_place(self.world, *found)
        match value:
            case Const(value=str() | int() | float() | bool() | None as plain):
                return Plain(plain, place)
            case Join(fields=None, label=label) if label != "arithmetic":
                return self._text(found, value, depth)
            case Join(fields=tuple()) if value.label in ("list", "tuple", "array", "set"):
                return Items(tuple(self._elements(found, value, depth)), place)
            case Join(fields=tuple()):
                return Fields(tuple(self._fields(found, value, depth)), place)
            case Call():
                return self._call(found, value, depth)
            case _:
                return Dynamic(place)

    def _text(self, at: At, value: Join, depth: int) -> Written:
        read = [self._read((at[0], operand), depth + 1) for operand in value.operands]
        place = value_place(self.world, *at)
        if any(isinstance(part, Items) for part in read):
            return Items(tuple(_spread(read)), place)
        parts: list[str] = []
        whole = True
        for part in read:
            if isinstance(part, Plain) and part.value is not None:
                parts.append(str(part.value))
                whole = whole and part.whole
            else:
                parts.append("…")
                whole = False
        return Plain("".join(parts)[:_TEXT], place, whole)

    def _elements(self, at: At, value: Join, depth: int) -> Iterator[Written]:
        for name, operand in zip(value.fields or (), value.operands, strict=True):
            inner = self._read((at[0], operand), depth + 1)
            if name in ("*", "**") and isinstance(inner, Items):
                yield from inner.items
            else:
                yield inner

    def _fields(self, at: At, value: Join, depth: int) -> Iterator[tuple[str, Written]]:
        for name, operand in zip(value.fields or (), value.operands, strict=True):
            inner = self._read((at[0], operand), depth + 1)
            if name == "**":
                yield from inner.items if isinstance(inner, Fields) else ()
            elif name != "*":
                yield name, inner

    def _call(self, at: At, call: Call, depth: int) -> Written:
        function = self._function(at[0])
        name, place = self.name(function, call.callee), value_place(self.world, *at)
        if name in _ALIKE:
            inner = call.receiver if call.receiver is not None and not call.args else None
            if inner is None and call.args:
                inner = call.args[0]
            return self._read((at[0], inner), depth + 1) if inner is not None else Dynamic(place)
        if name == "join" and call.receiver is not None and call.args:
            return self._joined(at, call, depth)
        return Made(call, at, name, place)

    def _joined(self, at: At, call: Call, depth: int) -> Written:
        """`", ".join(parts)` of Python, `parts.join(", ")` of JavaScript."""
        receiver = call.receiver
        assert receiver is not None
        both = [self._read((at[0], one), depth + 1) for one in (receiver, call.args[0])]
        parts = next((one for one in both if isinstance(one, Items)), None)
        between = next((one for one in both if isinstance(one, Plain)), None)
        place = value_place(self.world, *at)
        if parts is None or between is None or not isinstance(between.value, str):
            return Dynamic(place)
        texts = [one.value if isinstance(one, Plain) else None for one in parts.items]
        whole = all(isinstance(text, str) for text in texts)
        said = between.value.join(text if isinstance(text, str) else "…" for text in texts)
        return Plain(said[:_TEXT], place, whole)

    # ── where a value comes from ──────────────────────────────────────────────────────────────

    def origin(self, at: At) -> At | None:
        """Where a value is made, through names, tests and modules."""
        for _ in range(_DEPTH):
            value = self._value(at)
            match value:
                case Assume(value=inner):
                    at = at[0], inner
                case Phi(operands=[first, *_]):
                    at = at[0], first
                case Global(absolute=False, name=name):
                    stored = self._stored(self._function(at[0]).module, name)
                    if stored is None:
                        return at
                    at = stored
                case Load(object=holder, field=field):
                    found = self._loaded(at[0], holder, field)
                    if found is None:
                        return at
                    at = found
                case _:
                    return at
        return None

    def _loaded(self, function: str, holder: Id, field: str) -> At | None:
        frame = self.world.frames.get(function)
        if frame is not None:
            for ref in sorted(frame.refs[holder]):
                if ref.sort == "mod":
                    return self._stored(ref.name.removesuffix("#exports"), field)
        owner = self.origin((function, holder))
        value = self._value(owner) if owner is not None else None
        if owner is None or not isinstance(value, Join) or value.fields is None:
            return None
        for name, operand in zip(value.fields, value.operands, strict=True):
            if name == field:
                return owner[0], operand
        return None

    def _stored(self, module: str, name: str) -> At | None:
        """The one value that a module variable gets."""
        found = self._variables.get((module, name), ())
        return (f"{module}:", found[0]) if len(found) == 1 else None

    @cached_property
    def _variables(self) -> dict[tuple[str, str], list[Id]]:
        out: dict[tuple[str, str], list[Id]] = {}
        for module in self.world.program.modules.values():
            values = module.body.values
            for value in values:
                if isinstance(value, Store) and isinstance(values[value.object], Global):
                    holder = values[value.object]
                    assert isinstance(holder, Global)
                    if holder.name in ("<module>", "<exports>"):
                        known = out.setdefault((module.name, value.field), [])
                        if value.value not in known:
                            known.append(value.value)
        return out

    def _function(self, name: str) -> Function:
        found = self.world.program.function(name)
        assert found is not None
        return found

    def _value(self, at: At) -> object:
        return self._function(at[0]).values[at[1]]


def _spread(read: list[Written]) -> Iterator[Written]:
    """The elements of lists that are put behind one another."""
    for part in read:
        if isinstance(part, Items):
            yield from part.items
        else:
            yield part
