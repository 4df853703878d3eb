"""Literals as referents, so that constants travel wherever values do."""

from __future__ import annotations

from mcpward.ir.values import UNKNOWN, Pattern
from mcpward.taint.facts import Ref

TEXT_LIMIT = 300
"""Characters of a literal that are kept."""


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
