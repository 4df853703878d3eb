"""What the code needs from its machine: files, hosts, variables, programs, listening sockets."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from mcpward.audit.exposure import Exposure
from mcpward.audit.places import value_place
from mcpward.audit.sites import Site
from mcpward.audit.written import At, Items, Plain, Reader, Written
from mcpward.core.finding import Handler
from mcpward.core.late import late
from mcpward.core.privilege import Chosen, Privilege, Sort
from mcpward.core.rule import CallModel
from mcpward.ir.liveness import operands
from mcpward.ir.values import Call, Const, Global, Id, Load, Param
from mcpward.taint import places
from mcpward.taint.frame import Frame
from mcpward.taint.library import applies
from mcpward.taint.world import World

_KINDS = {
    "path-read": (Sort.FILE, "read"),
    "path-list": (Sort.FILE, "list"),
    "path-probe": (Sort.FILE, "list"),
    "path-write": (Sort.FILE, "write"),
    "path-delete": (Sort.FILE, "delete"),
    "archive": (Sort.FILE, "read"),
    "url": (Sort.HOST, "connect"),
    "url-host": (Sort.HOST, "connect"),
    "browser-url": (Sort.HOST, "connect"),
    "shell": (Sort.PROGRAM, "run"),
    "program": (Sort.PROGRAM, "run"),
    "spawn-server": (Sort.PROGRAM, "run"),
}
"""Sink kinds that stand for a privilege, whatever data comes to them."""
_HOST = late(r"^(?:[a-z][a-z0-9+.-]{1,30}:)?//(?:[^/@\s]{0,200}@)?([^/?#\s]{1,253})", re.IGNORECASE)
_CONFIGURED = frozenset(["environ", "env", "argv", "getenv"])
_NAMESPACES = frozenset(["www.w3.org", "json-schema.org", "schema.org", "schemas.microsoft.com"])
"""Hosts of addresses that only serve as names."""
_FEW = 20
_STEPS = 200
"""Values that are looked at to find out where one comes from."""
_MOST = 5_000
_TEXT = 400

Found = tuple[Sort, str, str, Chosen]


Reach = Callable[[str, Id], Handler | None]
"""The handler that reaches a value of a function."""
Effects = Mapping[str, tuple[Privilege, ...]]


def privileges(
    world: World, variables: Iterable[Privilege], by_function: Effects, reached: Exposure
) -> tuple[Privilege, ...]:
    """Everything that is needed, each place once, in order."""
    called = [one for group in by_function.values() for one in group]
    found = {*variables, *called, *_mentioned(world, called), *_sockets(reached)}
    return tuple(sorted(found, key=_order)[:_MOST])


def _sockets(reached: Exposure) -> Iterator[Privilege]:
    """The addresses that the server listens on."""
    for listener in reached.listeners:
        chosen = Chosen.FIXED if listener.certain else Chosen.CONFIGURED
        for host in listener.hosts or ("",):
            yield Privilege(Sort.LISTEN, "listen", host, chosen, listener.place)
    if not reached.listeners:
        for start in reached.starts:
            yield Privilege(Sort.LISTEN, "listen", "", Chosen.CONFIGURED, start.place)


def _order(one: Privilege) -> tuple[str, str, str, str, tuple[int, int]]:
    return one.sort, one.action, one.value, one.place.file, one.place.start


def effects(sites: Iterable[Site], reader: Reader, reach: Reach) -> Effects:
    """What the calls in each function need."""
    services = reader.world.catalog.services
    found: defaultdict[str, list[Privilege]] = defaultdict(list)
    for site in sites:
        needed = list(dict.fromkeys(_of_call(reader, site, services)))
        if needed:
            function = site.frame.name
            handler = reach(function, site.at)
            place = value_place(reader.world, function, site.at)
            name = handler.name if handler is not None else ""
            found[function] += (
                Privilege(sort, action, value[:_TEXT], chosen, place, handler=name)
                for sort, action, value, chosen in needed
            )
    return {function: tuple(group) for function, group in found.items()}


def _of_call(reader: Reader, site: Site, services: Mapping[str, str]) -> Iterator[Found]:
    for called in site.names:
        if called in services:
            host = services[called]
            yield Sort.HOST, "connect", host, Chosen.FIXED if host else Chosen.CONFIGURED
        for row in site.frame.library.calls(called):
            if row.sinks and applies(site.frame, site.call, row):
                yield from _needs(reader, site.frame, site.call, row)
                break


def _mentioned(world: World, called: list[Privilege]) -> Iterator[Privilege]:
    """The addresses that are written in code which connects to something that was not followed.

    In a program with many of them, only those in the files that connect.
    """
    known = {one.value for one in called if one.sort is Sort.HOST}
    vague = {
        one.place.file for one in called if one.sort is Sort.HOST and one.chosen is not Chosen.FIXED
    }
    found = [one for one in _addresses(world) if one.value not in known] if known else []
    few = len({one.value for one in found}) <= _FEW
    yield from (one for one in found if few or one.place.file in vague)


def _addresses(world: World) -> Iterator[Privilege]:
    for name in sorted(world.program.modules):
        for function in world.program.modules[name].functions.values():
            for at, value in enumerate(function.values):
                if isinstance(value, Const) and isinstance(value.value, str):
                    host = _address(value.value)
                    if host:
                        place = value_place(world, function.name, at)
                        yield Privilege(Sort.HOST, "connect", host, Chosen.COMPUTED, place)


def _address(text: str) -> str:
    """The host of a text that is an address and nothing else."""
    if not text.startswith(("http://", "https://", "wss://", "ws://")) or " " in text:
        return ""
    found = _HOST.match(text)
    host = _plain_port(found[1].lower()) if found else ""
    return "" if host in _NAMESPACES else host


def _plain_port(host: str) -> str:
    """The host without a port that is not written here."""
    return host.removesuffix("…").removesuffix(":")


def _needs(reader: Reader, frame: Frame, call: Call, row: CallModel) -> Iterator[Found]:
    for place, kind in row.sinks:
        known = _KINDS.get(kind)
        if known is None or (place.path and place.path[0] not in ("0", "*")):
            continue
        sort, action = known
        for value in places.values(call, place)[:4]:
            written = reader.read((frame.name, value))
            if place.path and isinstance(written, Items) and written.items:
                written = written.items[0]
            text, chosen = _described(reader, frame, value, written)
            yield sort, action, _shown(sort, text), chosen


def _described(reader: Reader, frame: Frame, value: Id, written: Written) -> tuple[str, Chosen]:
    """The text of a value as far as it is fixed, and who decides about the rest."""
    if isinstance(written, Items) and written.items:
        written = written.items[0]
    if isinstance(written, Plain) and isinstance(written.value, str) and written.whole:
        return written.value, Chosen.FIXED
    texts = sorted(c for c in frame.constants(value) if isinstance(c, str))
    if texts:
        return texts[0], Chosen.FIXED
    text = written.value if isinstance(written, Plain) and isinstance(written.value, str) else ""
    if frame.facts[value] or frame.deep(value):
        return text, Chosen.CALLER
    return text, Chosen.CONFIGURED if _configured(reader, frame, value) else Chosen.COMPUTED


def _configured(reader: Reader, frame: Frame, value: Id) -> bool:
    """Whether a value is made from the environment or the command line."""
    pending, seen = [(frame.name, value)], set[At]()
    while pending and len(seen) < _STEPS:
        at = pending.pop()
        if at in seen:
            continue
        seen.add(at)
        function = reader.world.program.function(at[0])
        one = function.values[at[1]] if function is not None else None
        if one is None:
            continue
        if isinstance(one, Load) and one.field in _CONFIGURED:
            return True
        if isinstance(one, Global):
            if one.name.rpartition(".")[2] in _CONFIGURED:
                return True
            origin = reader.origin(at)
            pending += [origin] if origin is not None else []
        elif not isinstance(one, Param):
            pending += [(at[0], operand) for operand in operands(one) if operand >= 0]
    return False


def _shown(sort: Sort, text: str) -> str:
    if sort is Sort.HOST:
        found = _HOST.match(text)
        host = found[1].lower() if found else ("" if "/" in text else text.lower())
        return "" if host.startswith("…") else _plain_port(host)
    if sort is Sort.PROGRAM:
        return text.strip().split(" ")[0] if text.strip() else ""
    return text
