"""Type annotations: what a value of a type may be, and what a checked type guarantees."""

from __future__ import annotations

from mcpward.ir.values import Pattern, TypeExpr
from mcpward.taint.facts import NO_REFS, Ref, Refs
from mcpward.taint.frame import Frame
from mcpward.taint.members import exported
from mcpward.taint.patterns import proven

_NUMBERS = frozenset(
    [
        "int",
        "float",
        "bool",
        "complex",
        "number",
        "boolean",
        "bigint",
        "decimal.Decimal",
        "datetime.datetime",
        "datetime.date",
        "datetime.time",
        "datetime.timedelta",
        "uuid.UUID",
        "uuid.UUID4",
        "pydantic.UUID4",
        "pydantic.PositiveInt",
        "pydantic.NonNegativeInt",
        "pydantic.StrictInt",
        "pydantic.StrictBool",
        "pydantic.conint",
        "pydantic.confloat",
        "ipaddress.IPv4Address",
        "ipaddress.IPv6Address",
        "Date",
        "None",
        "NoneType",
        "null",
        "undefined",
    ]
)
_WRAPPERS = frozenset(
    [
        "typing.Optional",
        "typing.Annotated",
        "typing.Union",
        "typing.Final",
        "typing.Required",
        "typing.NotRequired",
        "typing.ClassVar",
        "typing_extensions.Annotated",
        "typing_extensions.NotRequired",
        "|",
        "Promise",
        "Readonly",
        "Partial",
        "Required",
        "NonNullable",
        "typing.Awaitable",
        "collections.abc.Awaitable",
    ]
)
_SEQUENCES = frozenset(
    ["list", "set", "tuple", "frozenset", "typing.List", "typing.Sequence", "typing.Set", "Array"]
)
_DEPTH = 8


def referents(frame: Frame, annotation: object, depth: int = 0) -> Refs:
    """What a value with this annotation may be."""
    if not isinstance(annotation, TypeExpr) or depth > _DEPTH:
        return NO_REFS
    name = annotation.name
    if name in _WRAPPERS:
        args = annotation.args[:1] if name.endswith("Annotated") else annotation.args
        out = NO_REFS
        for arg in args:
            out |= referents(frame, arg, depth + 1)
        return out
    if name in ("str", "string"):
        return frozenset([frame.text])
    if name in _SEQUENCES or not name or name == "=" or name in _NUMBERS:
        return NO_REFS
    if "." not in name:
        known = frame.library.canonical(name)
        return frozenset([Ref("inst", known)]) if known[:1].isupper() else NO_REFS
    return instance_of(frame, name)


def instance_of(frame: Frame, name: str) -> Refs:
    """An instance of a class by its qualified name."""
    module, _, member = name.rpartition(".")
    if member == "default" and frame.library.family == "javascript":
        member = "default"
    if module in frame.world.program.modules:
        direct = f"{module}:{member}"
        if direct in frame.world.program.classes:
            return frozenset([Ref("self", direct)])
        found = exported(frame, module, member)
        classes = [Ref("self", r.name) for r in found if r.sort == "cls"]
        outside = [Ref("inst", r.name) for r in found if r.sort == "ext"]
        return frozenset(classes + outside)
    known = frame.library.canonical(name)
    last = known.rpartition(".")[2]
    return frozenset([Ref("inst", known)]) if last[:1].isupper() or "." in known else NO_REFS


def guarantee(frame: Frame, annotation: object, depth: int = 0) -> int:
    """The marks of a value that was checked against a type before the handler ran."""
    if not isinstance(annotation, TypeExpr) or depth > _DEPTH:
        return 0
    bits = frame.world.bits
    name = annotation.name
    last = name.rpartition(".")[2]
    if name in _NUMBERS:
        return bits["number"]
    if name == "=" or last == "Literal":
        return bits["listed"]
    if name == "|" or last in ("Union", "Optional"):
        marks = [guarantee(frame, arg, depth + 1) for arg in annotation.args]
        total = marks[0] if marks else 0
        none = bits["number"]
        for arg, mark in zip(annotation.args, marks, strict=True):
            if arg.name in ("None", "NoneType", "null", "undefined"):
                continue
            total = mark if total == none and not _textless(arg) else total & mark
        shared = [m for a, m in zip(annotation.args, marks, strict=True) if not _nothing(a)]
        if not shared:
            return total
        total = shared[0]
        for mark in shared[1:]:
            total = _either(total, mark, bits)
        return total
    if last == "Annotated":
        total = guarantee(frame, annotation.args[0], depth + 1) if annotation.args else 0
        for extra in annotation.args[1:]:
            total |= _constraint(frame, extra)
        return total
    if last in (
        "constr",
        "conint",
        "confloat",
        "StringConstraints",
        "Field",
        "Le",
        "Lt",
        "Interval",
    ):
        return _constraint(frame, annotation)
    if name in _SEQUENCES and annotation.args:
        return guarantee(frame, annotation.args[0], depth + 1)
    if _enumeration(frame, name):
        return bits["listed"]
    return 0


def _nothing(annotation: TypeExpr) -> bool:
    return annotation.name in ("None", "NoneType", "null", "undefined")


def _textless(annotation: TypeExpr) -> bool:
    return annotation.name in _NUMBERS


def _either(one: int, other: int, bits: dict[str, int]) -> int:
    harmless = bits["number"] | bits["listed"]
    if one & harmless and other & harmless:
        return bits["listed"]
    return one & other


def _constraint(frame: Frame, extra: TypeExpr) -> int:
    total = 0
    for key, value in extra.keywords:
        if key in ("pattern", "regex"):
            text = value.text if isinstance(value, Pattern) else value
            if isinstance(text, str):
                total |= frame.world.mask(proven(text, "", whole=False))
        elif key in ("le", "lt"):
            total |= frame.world.bits["bounded"]
    return total


def _enumeration(frame: Frame, name: str) -> bool:
    module, _, member = name.rpartition(".")
    classes = []
    if f"{module}:{member}" in frame.world.program.classes:
        classes.append(f"{module}:{member}")
    elif module in frame.world.program.modules:
        classes += [r.name for r in exported(frame, module, member) if r.sort == "cls"]
    for current in classes:
        if any(
            o.rpartition(".")[2] in ("Enum", "StrEnum", "IntEnum")
            for o in frame.world.classes.outside(current)
        ):
            return True
    return False
