"""Literals as referents, so that constants travel wherever values do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpward.ir.values import UNKNOWN, Const, Id, Join, Pattern
from mcpward.taint.facts import Ref, ordered

if TYPE_CHECKING:
    from mcpward.taint.frame import Frame

TEXT_LIMIT = 300
"""Characters of a literal that are kept."""
_PARTS = 16


def constant(value: object) -> Ref | None:
    """The referent that stands for a literal."""
    if isinstance(value, Pattern):
        return Ref("const", "r:" + value.text[:TEXT_LIMIT], value.flags)
    if isinstance(value, str):
        return Ref("const", "s:" + value[:TEXT_LIMIT])
    if value is None or isinstance(value, bool | int | float):
        return Ref("const", f"v:{value!r}")
    if isinstance(value, bytes):
        return Ref("const", "s:" + value[:TEXT_LIMIT].decode("latin-1"))
    return None


def literal(ref: Ref) -> object:
    """The literal that a `const` referent stands for; patterns give `Pattern`."""
    kind, text = ref.name[:2], ref.name[2:]
    if kind == "s:":
        return text
    if kind == "r:":
        return Pattern(text, ref.site)
    return {"None": None, "True": True, "False": False}.get(text, _number(text))


def _number(text: str) -> object:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return UNKNOWN


def literals(frame: Frame, at: Id) -> list[object]:
    """The literals a value may be; empty when it may be anything else."""
    value = frame.values[at]
    if isinstance(value, Const):
        return [] if value.value is UNKNOWN else [value.value]
    if isinstance(value, Join) and value.fields is None and value.operands:
        return _joined(frame, value)
    refs = frame.refs[at]
    found = [literal(ref) for ref in ordered(refs) if ref.sort == "const"]
    return found if found and len(found) == len(refs) else []


def _joined(frame: Frame, value: Join) -> list[object]:
    text = ""
    for operand in value.operands[:_PARTS]:
        parts = [c for c in literals(frame, operand) if isinstance(c, str)]
        if len(parts) != 1:
            return []
        text += parts[0]
    return [text[:TEXT_LIMIT]]
