"""An index of the program: what is stored where, which closures exist, and which calls are outlets.

The engine answers what a value may be; this answers the opposite question, where the content of
a field or container was put. It is made in one pass over the instructions and only when asked for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import NamedTuple

from mcpward.audit.disclosed import ENVIRONMENTS, READS, variable
from mcpward.core.late import late
from mcpward.core.rule import CallModel
from mcpward.ir.values import Call, Closure, Id, Join, Load, Store
from mcpward.taint.facts import Ref, ordered
from mcpward.taint.frame import Frame
from mcpward.taint.library import applies
from mcpward.taint.world import World

_STARTS = frozenset(["shell", "program", "argv", "spawn-server"])
_CONNECTS = frozenset(["url", "url-host"])
_KEPT = frozenset(["obj", "self", "mod", "cls"])
_TEXTS = frozenset(["f-string", "concat", "template", "format"])
_ADDS = frozenset(["append", "add", "push", "unshift", "insert", "extend", "update", "appendleft"])
"""Methods that put their arguments into a container."""
_LOGS = frozenset(
    [
        *("debug", "info", "warn", "warning", "error", "critical", "exception", "fatal", "trace"),
        *("log", "notice", "success", "verbose"),
    ]
)
_LOGGER = late(r"_{0,2}(?:app|server|mcp|root|my|base)?_?log(?:ger|ging)?", re.IGNORECASE)


class Outlet(NamedTuple):
    """A call by which something leaves the function."""

    frame: Frame
    at: Id
    call: Call
    name: str
    """The library function, as rows name it, or as it is written."""
    row: CallModel | None = None


class Survey:
    """What one pass over all instructions finds."""

    def __init__(self, world: World) -> None:
        """Looks at every function that was analysed."""
        self.world = world
        self.stores: defaultdict[Ref, defaultdict[str, list[tuple[str, Id]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        """Object → field → values that are stored there, each with its function."""
        self.closures: dict[str, tuple[str, Id]] = {}
        """Function → where it is made."""
        self.logs: list[Outlet] = []
        self.starts: list[Outlet] = []
        """Calls that start a program."""
        self.connects: list[Outlet] = []
        """Calls that connect to an address."""
        self.texts: list[tuple[Frame, Id, Join]] = []
        """Texts with a query in a fixed part."""
        self.secrets: list[str] = []
        """Variables of the environment that hold credentials."""
        self._sorts: dict[tuple[str, str], str] = {}
        for name in sorted(world.frames):
            frame = world.frames[name]
            for at in frame.live:
                self._look(frame, at)

    def _look(self, frame: Frame, at: Id) -> None:
        value = frame.values[at]
        kind = type(value)
        if kind is Store:
            assert isinstance(value, Store)
            for ref in frame.refs[value.object]:
                if ref.sort in _KEPT:
                    kept = self.stores[frame.owner(ref)][value.field]
                    kept.append((frame.name, value.value))
        elif kind is Call:
            assert isinstance(value, Call)
            self._call(frame, at, value)
        elif kind is Load:
            assert isinstance(value, Load)
            for ref in frame.refs[value.object]:
                if ref.sort == "ext" and ref.name in ENVIRONMENTS:
                    self.secrets += [origin.label for origin in variable(frame, at, value.field)]
        elif kind is Closure:
            assert isinstance(value, Closure)
            self.closures.setdefault(value.target, (frame.name, at))
        elif kind is Join:
            assert isinstance(value, Join)
            if value.label in _TEXTS and any(_asks(frame, o) for o in value.operands[:-1]):
                self.texts.append((frame, at, value))

    def _call(self, frame: Frame, at: Id, call: Call) -> None:
        callee = frame.values[call.callee] if call.callee >= 0 else None
        if isinstance(callee, Load) and call.receiver is not None:
            if callee.field in _ADDS:
                for ref in frame.refs[call.receiver]:
                    if ref.sort == "obj":
                        kept = self.stores[ref]["*"]
                        kept += [(frame.name, argument) for argument in call.args[-1:]]
            elif callee.field in _LOGS and _is_logger(frame, call.receiver):
                self.logs.append(Outlet(frame, at, call, written(frame, call.callee)))
                return
        for ref in ordered(frame.refs[call.callee]) if call.callee >= 0 else ():
            if ref.name in READS:
                for name in (c for a in call.args[:1] for c in frame.constants(a)):
                    self.secrets += [o.label for o in variable(frame, at, str(name))]
            if ref.sort == "cls":
                self._constructed(frame, call, ref)
            elif ref.sort == "ext" and self._outlet(frame, at, call, ref.name):
                return

    def _constructed(self, frame: Frame, call: Call, ref: Ref) -> None:
        """A data class: arguments become fields."""
        owner = frame.owner(Ref("self", ref.name))
        if self.world.classes.method(ref.name, "__init__") is None:
            for name, value in call.keywords:
                self.stores[owner][name].append((frame.name, value))

    def _outlet(self, frame: Frame, at: Id, call: Call, name: str) -> bool:
        name = frame.library.canonical(name)
        sort = self._sort(frame, name, frame.library.calls(name))
        if not sort:
            return False
        rows = [r for r in frame.library.calls(name) if sort in _sorts(r)]
        row = next((row for row in rows if applies(frame, call, row)), rows[0])
        outlets = {"log": self.logs, "start": self.starts, "connect": self.connects}[sort]
        outlets.append(Outlet(frame, at, call, name, row))
        return True

    def _sort(self, frame: Frame, name: str, rows: tuple[CallModel, ...]) -> str:
        key = (frame.library.family, name)
        known = self._sorts.get(key)
        if known is None:
            sorts = [sort for row in rows for sort in _sorts(row)]
            known = sorts[0] if sorts else ""
            self._sorts[key] = known
        return known


def _sorts(row: CallModel) -> list[str]:
    kinds = {kind for _, kind in row.sinks}
    if "log" in kinds:
        return ["log"]
    if kinds & _STARTS and "environment" in kinds:
        return ["start"]
    return ["connect"] if kinds & _CONNECTS else []


def written(frame: Frame, at: Id) -> str:
    """A name as it stands in the code: `self.logger.info`."""
    parts: list[str] = []
    for _ in range(6):
        value = frame.values[at]
        if isinstance(value, Load):
            parts.append(value.field)
            at = value.object
        else:
            parts.append(getattr(value, "name", ""))
            break
    return ".".join(part for part in reversed(parts) if part)


def _is_logger(frame: Frame, at: Id) -> bool:
    value = frame.values[at]
    name = value.field if isinstance(value, Load) else getattr(value, "name", "")
    return bool(_LOGGER.fullmatch(name[:40]))


def _asks(frame: Frame, at: Id) -> bool:
    """Whether a value is a fixed text that ends where the value of a query parameter begins."""
    return any(isinstance(c, str) and c.endswith("=") for c in frame.constants(at))
