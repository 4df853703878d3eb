"""Addresses as they are written in the code: whether the host is fixed, and which one it is."""

from __future__ import annotations

import re

from mcpward.core.late import late
from mcpward.ir.values import Assume, Id, Join
from mcpward.taint.frame import Frame

_HOST = late(r"[a-z][a-z0-9+.-]{1,10}://(?:[^/@?#\s]{0,80}@)?([^/:?#\s]{1,255})", re.IGNORECASE)
_LOCAL = late(r"localhost|127\..*|0\.0\.0\.0|\[?::1\]?|.*\.(?:local|internal|test|example)")


def fixed_address(frame: Frame, at: Id) -> str:
    """The host that an address begins with in the code; nothing when that is not fixed."""
    for _ in range(4):
        texts = [c for c in frame.constants(at) if isinstance(c, str)]
        found = _HOST.match(texts[0][:400]) if texts else None
        if found is not None:
            return found[1].lower()
        value = frame.values[at]
        if isinstance(value, Assume):
            at = value.value
        elif isinstance(value, Join) and value.fields is None and value.operands:
            at = value.operands[0]
        else:
            return ""
    return ""


def foreign(host: str) -> bool:
    """Whether a host is another machine."""
    return bool(host) and not _LOCAL.fullmatch(host)
