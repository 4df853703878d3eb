"""Checks of code that acts only at some times, on some machines, or while nobody looks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.places import value_place
from mcpward.audit.sites import Site, uses
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity
from mcpward.core.late import late
from mcpward.ir.values import Assume, Call, Compare, Const, Id, Join, Load, Outcome
from mcpward.taint.frame import Frame

_NOW = frozenset(
    [
        *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"),
        *("datetime.date.today", "time.time", "Date.now", "Date", "performance.now"),
    ]
)
_MOMENT = frozenset(["datetime.datetime", "datetime.date", "Date", "Date.parse", "Date.UTC"])
_PARTS = frozenset(
    [
        *("year", "month", "day", "timestamp", "getTime", "getFullYear", "getMonth", "getDate"),
        *("date", "isoformat", "toISOString", "valueOf", "replace"),
    ]
)
_MACHINE = frozenset(
    [
        *("socket.gethostname", "platform.node", "os.getlogin", "getpass.getuser", "os.hostname"),
        *("os.userInfo", "os.uname"),
    ]
)
_ISO = late(r"^20\d\d-\d\d-\d\d")
_ACTS = {
    "shell": Severity.HIGH,
    "program": Severity.HIGH,
    "code": Severity.HIGH,
    "remote-shell": Severity.HIGH,
    "url": Severity.MEDIUM,
    "path-delete": Severity.HIGH,
}
_YEAR, _EPOCH = (2020, 2100), 1_500_000_000
_WATCHERS = late(r"^(?:mcp[-_ ]?scan|mcp[-_ ]?inspector|inspector|mcpscan|scanner)$", re.IGNORECASE)
_DEPTH = 8


def delayed_or_conditional_activation(subject: Subject) -> Iterator[Sighting]:
    """Programs and connections that start only after a date, or on one machine."""
    for site in subject.sites:
        kinds = [use.kind for use in uses(site, _ACTS)]
        if kinds:
            level = max(_ACTS[kind] for kind in kinds)
            for test in _tests(site):
                what = _gate(site.frame, test)
                if what:
                    yield subject.sighting(site, what, level)
                    break


def _tests(site: Site) -> Iterator[Id]:
    function = site.frame.function
    condition = function.conditions.get(site.call.block)
    while condition is not None:
        yield condition.test
        condition = condition.outer


def _gate(frame: Frame, at: Id, depth: int = 4) -> str:
    value = frame.values[at]
    if isinstance(value, Assume):
        return _gate(frame, value.value, depth - 1) if depth else ""
    if not isinstance(value, Compare):
        return ""
    if value.operator in ("and", "or", "not"):
        found = (_gate(frame, one, depth - 1) for one in value.operands) if depth else ()
        return next((what for what in found if what), "")
    if len(value.operands) != 2:
        return ""
    for one, other in (value.operands, value.operands[::-1]):
        if value.operator in ("<", ">", "<=", ">=", "==") and _derived(frame, one, _NOW, _PARTS):
            if _date(frame, other):
                return "after a date that stands in the code"
        if value.operator in ("==", "in", "is") and _derived(frame, one, _MACHINE, None):
            if any(isinstance(c, str) and c for c in frame.constants(other)):
                return "on a machine or for a user whose name stands in the code"
    return ""


def _derived(frame: Frame, at: Id, names: frozenset[str], parts: frozenset[str] | None) -> bool:
    """Whether a value is the result of one of some functions, or a part of it."""
    for _ in range(_DEPTH):
        value = frame.values[at]
        match value:
            case Assume():
                at = value.value
            case Load() if parts is None or value.field in parts:
                at = value.object
            case Join(label="arithmetic") if value.operands:
                at = value.operands[0]
            case Call():
                known = {
                    frame.library.canonical(ref.name)
                    for ref in frame.refs[value.callee]
                    if ref.sort == "ext"
                }
                if known & names:
                    return not value.args or parts is None or "Date" not in known
                callee = frame.values[value.callee]
                if not isinstance(callee, Load) or value.receiver is None:
                    return False
                if parts is not None and callee.field not in parts:
                    return False
                at = value.receiver
            case _:
                return False
    return False


def _date(frame: Frame, at: Id) -> bool:
    """Whether a value is a moment that is written in the code."""
    value = frame.values[at]
    while isinstance(value, Assume):
        value = frame.values[value.value]
    if isinstance(value, Call):
        names = {
            frame.library.canonical(ref.name)
            for ref in frame.refs[value.callee]
            if ref.sort == "ext"
        }
        callee = frame.values[value.callee]
        if isinstance(callee, Load) and callee.field in ("getTime", "timestamp", "valueOf"):
            return value.receiver is not None and _date(frame, value.receiver)
        written = value.args and all(isinstance(frame.values[a], Const) for a in value.args)
        return bool(names & _MOMENT and written)
    for constant in frame.constants(at):
        if isinstance(constant, str) and _ISO.match(constant):
            return True
        if isinstance(constant, int | float) and not isinstance(constant, bool):
            return _YEAR[0] <= constant <= _YEAR[1] or constant >= _EPOCH
    return False


def anti_analysis(subject: Subject) -> Iterator[Sighting]:
    """Code that asks whether it is watched."""
    for site in subject.about("anti-analysis"):
        if _decides(site.frame, site.at):
            yield subject.sighting(site, "asks for a debugger")
    for name in sorted(subject.world.frames):
        frame = subject.world.frames[name]
        for at in frame.live:
            value = frame.values[at]
            if isinstance(value, Compare) and value.operator in ("==", "in", "is"):
                if _about_watcher(frame, value):
                    place = value_place(subject.world, name, at)
                    handler = subject.handler(name, at)
                    yield Sighting(place, "asks whether its client is a scanner", handler=handler)


def _about_watcher(frame: Frame, value: Compare) -> bool:
    constants = {c for one in value.operands for c in frame.constants(one) if isinstance(c, str)}
    if not any(_WATCHERS.match(text) for text in constants):
        return False
    return any(_client(frame, one) for one in value.operands)


def _client(frame: Frame, at: Id) -> bool:
    for _ in range(_DEPTH):
        value = frame.values[at]
        if isinstance(value, Assume):
            at = value.value
        elif isinstance(value, Load):
            if re.search(r"client_?info|client_?name|user_?agent", value.field, re.IGNORECASE):
                return True
            at = value.object
        elif isinstance(value, Call) and value.receiver is not None:
            at = value.receiver
        else:
            return False
    return False


def _decides(frame: Frame, at: Id) -> bool:
    """Whether a branch depends on a value."""
    tests = {at}
    for other, value in enumerate(frame.values):
        match value:
            case Compare() if tests & set(value.operands):
                tests.add(other)
            case Assume() if value.value in tests:
                tests.add(other)
            case _:
                pass
    for condition in frame.function.conditions.values():
        if condition.test in tests and condition.outcome in (Outcome.TRUE, Outcome.FALSE):
            return True
    return False
