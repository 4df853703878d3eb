"""Rules about how a server speaks the protocol: its output, capabilities and state."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from mcpward.audit.calls import Named
from mcpward.audit.places import span_place, value_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Place
from mcpward.core.late import late
from mcpward.core.source import Role
from mcpward.ir.program import bare

_PRINTS = ("print", "builtins.print", "sys.stdout.write")
_LOGS = (
    *("console.log", "console.info", "console.debug", "process.stdout.write"),
    *("console.table", "console.dir"),
)
_REDIRECTED = late(
    rb"console\.(?:log|info|debug) ?= |sys\.stdout ?= |redirect_stdout|process\.stdout\.write ?="
    rb"|\bprint ?= |globalThis\.console ?="
)


def stdout_pollution(subject: Subject) -> Iterator[Sighting]:
    """What handlers print while the protocol goes over standard output; once for each file."""
    if "stdio" not in subject.exposure.transports or _written(subject, _REDIRECTED):
        return
    serving = _serving(subject)
    found: defaultdict[str, list[Place]] = defaultdict(list)
    for name in (*_PRINTS, *_LOGS):
        for named in subject.calls.get(name, []):
            if named.frame.name in serving and not _elsewhere(named):
                place = value_place(subject.world, named.frame.name, named.at)
                found[place.file].append(place)
    for file in sorted(found):
        places = sorted(set(found[file]), key=lambda p: (p.start.line, p.start.column))
        count = len(places)
        detail = "in one place" if count == 1 else f"in {count} places of this file"
        yield Sighting(places[0], detail)


def _serving(subject: Subject) -> set[str]:
    """Functions that run while the server serves: what handlers of the protocol reach."""
    return {name for name, entry in subject.reached.items() if entry.model.sort != "route"}


def _elsewhere(named: Named) -> bool:
    """Whether a `print` goes to another stream, or is how a bundled transport speaks."""
    if "Transport" in bare(named.function.owner):
        return True
    return named.argument("file") is not None or named.open_ended


def _written(subject: Subject, pattern: re.Pattern[bytes]) -> bool:
    return any(
        pattern.search(source.data) is not None
        for source in subject.sources.values()
        if source.role is Role.FIRST_PARTY
    )


_ASKS = (
    ("createMessage", "sampling"),
    ("create_message", "sampling"),
    ("listRoots", "roots"),
    ("list_roots", "roots"),
)
_CHECKED = late(
    rb"getClientCapabilities|check_client_capability|client_params|clientCapabilities"
    rb"|client_capabilities|enforceStrictCapabilities"
)


def undeclared_capability_use(subject: Subject) -> Iterator[Sighting]:
    """Requests to the client in programs that never look at what it can do; one for each kind."""
    if _written(subject, _CHECKED):
        return
    for method, capability in _ASKS:
        for owner in (
            "@modelcontextprotocol/sdk/server.Server",
            "@modelcontextprotocol/sdk/server/mcp.McpServer.server",
            "mcp.server.ServerSession",
        ):
            for named in subject.calls.get(f"{owner}.{method}", [])[:1]:
                place = value_place(subject.world, named.frame.name, named.at)
                yield Sighting(place, capability, sink=method)


_IRREVERSIBLE = late(
    r"(?i)(?:\w{1,30}[_-])?(?:delete|drop|purge|wipe|destroy|truncate|terminate)"
    r"(?:[_-]\w{1,60}|[A-Z]\w{0,60})?"
)
_CONFIRMS = late(
    rb"(?i)confirm|elicit|dry_?run|destructiveHint|destructive_hint|annotations|force\b|approv"
    rb"|read_?only|readonly|allow_?(?:write|delete|dangerous)|enable_?(?:write|delete)"
)
_BEFORE = 1_200
"""Bytes in front of a handler in which its declaration stands."""


def destructive_tool_without_confirmation(subject: Subject) -> Iterator[Sighting]:
    """Tools that delete by their name, and say so nowhere else; one for each file."""
    world = subject.world
    told: set[str] = set()
    for entry in sorted(world.entries.values(), key=lambda e: (e.function, e.at, e.label)):
        if entry.model.sort != "tool" or not _IRREVERSIBLE.fullmatch(entry.label[:120]):
            continue
        function = world.program.function(entry.handler.name)
        if function is None:
            continue
        source = world.program.modules[function.module].source
        text = source.data[max(0, function.start - _BEFORE) : function.end]
        place = value_place(world, entry.function, entry.at)
        if place.file in told or _CONFIRMS.search(text):
            continue
        told.add(place.file)
        yield Sighting(place, f"`{entry.label[:80]}`")


_STATE = late(rb"(?:extra|ctx|context)\??\.(?:session_?[iI]d|request_context\.session_id)")


def session_dependent_state(subject: Subject) -> Iterator[Sighting]:
    """Handlers that keep something under the identifier of the session; one for each file."""
    told: set[str] = set()
    for name in sorted(_serving(subject)):
        frame = subject.world.frames.get(name)
        if frame is None:
            continue
        function = frame.function
        data = frame.module.source.data[function.start : function.end]
        hit = _STATE.search(data)
        file = frame.module.source.path
        if hit and file not in told and not function.name.endswith(":"):
            told.add(file)
            start = function.start + hit.start()
            end = function.start + hit.end()
            yield Sighting(span_place(subject.world, function, start, end))
