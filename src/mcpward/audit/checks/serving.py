"""Rules about how a server is reached: addresses, origins, authentication, transports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from mcpward.audit.calls import Named
from mcpward.audit.exposure import EVERYWHERE, LOOPBACK, Listener, Start
from mcpward.audit.places import value_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence, Severity
from mcpward.core.late import late
from mcpward.core.source import Role

_GUARDS = late(
    rb"TrustedHost|TransportSecurity|transport_security|security_settings|host_origin_protection"
    rb"|allowed_?hosts|allowed_?origins|(?:host|origin)(?:Header)?Validation|DnsRebinding"
    rb"|dns_?rebinding|createMcp(?:Express|Hono)App|\bheaders?(?:\.get)?[\(\[.]\s?b?[\"'`]?(?:origin|host)\b",
    re.IGNORECASE,
)
"""What is written where Host or Origin are compared."""
_ORIGIN = late(rb"(?i)\borigins?\b|verifyClient")
_DEBUG = late(r"/(?:[\w-]{1,20}/){0,3}(?:debug|env|environ|admin|internal|pprof|heapdump)(?:/.*)?")


def bind_all_interfaces(subject: Subject) -> Iterator[Sighting]:
    """Listeners on every interface, one for each file."""
    exposure = subject.exposure
    serving = {start.place.file for start in exposure.starts}
    told: set[str] = set()
    for listener in exposure.listeners:
        file = listener.place.file
        written = not EVERYWHERE.isdisjoint(listener.hosts)
        silent = not listener.given and listener.everywhere and file in serving
        if file in told or not (written or silent):
            continue
        if not (exposure.networked or listener.certain):
            continue
        told.add(file)
        yield _bound(subject, listener)


def _bound(subject: Subject, listener: Listener) -> Sighting:
    if not listener.hosts:
        detail = "no address is given, so it listens on every interface"
    elif listener.certain:
        detail = "the address stands for every interface"
    else:
        detail = "the address stands for every interface unless it is set otherwise"
    if subject.exposure.authentication:
        reason = ("lower than usual: callers are authenticated somewhere in the program",)
        return Sighting(listener.place, detail, Severity.LOW, adjustments=reason)
    if listener.hosts and not listener.certain:
        reason = ("lower than usual: only the default",)
        return Sighting(listener.place, detail, Severity.MEDIUM, adjustments=reason)
    return Sighting(listener.place, detail)


def missing_authentication(subject: Subject) -> Iterator[Sighting]:
    """A server on the network that asks nobody who they are; once."""
    exposure = subject.exposure
    start = _first(exposure.starts)
    if start is None or exposure.authentication or not _serves(subject):
        return
    if not exposure.bound_everywhere:
        level = Severity.LOW if _local(subject) else Severity.MEDIUM
        reason = ("lower than usual: not seen to listen on every interface",)
        yield Sighting(
            start.place, _how(start), level, confidence=Confidence.MEDIUM, adjustments=reason
        )
    elif exposure.unprotected:
        yield Sighting(start.place, _how(start))
    else:
        reason = ("lower than usual: one of several ways to start the server",)
        yield Sighting(start.place, _how(start), Severity.MEDIUM, adjustments=reason)


def _first(starts: list[Start]) -> Start | None:
    return min(starts, key=lambda start: not start.certain, default=None)


def _how(start: Start) -> str:
    return {"sse": "HTTP with SSE", "websocket": "a WebSocket"}.get(start.transport, "HTTP")


def _serves(subject: Subject) -> bool:
    """Whether a client can call anything."""
    return any(e.model.sort in ("tool", "resource", "raw") for e in subject.world.entries.values())


def _local(subject: Subject) -> bool:
    """Whether only addresses of this machine are bound, as the Python SDKs do by default."""
    exposure = subject.exposure
    if exposure.addresses:
        return exposure.addresses <= LOOPBACK
    return not exposure.listeners and all(s.place.file.endswith(".py") for s in exposure.starts)


def missing_dns_rebinding_protection(subject: Subject) -> Iterator[Sighting]:
    """A transport that compares neither Host nor Origin; once."""
    exposure = subject.exposure
    for name in ("mcp.server.transport_security.TransportSecuritySettings",):
        for named in subject.calls.get(name, []):
            if named.literals("enable_dns_rebinding_protection", 0) == [False]:
                yield _sighted(subject, named, "the check is switched off")
                return
    start = _first([start for start in exposure.starts if _unchecked(subject, start)])
    if start is None or not _serves(subject) or _written(subject, _GUARDS):
        return
    detail = "neither Host nor Origin of a request is compared with anything"
    if exposure.authentication:
        reason = ("lower than usual: callers are authenticated somewhere in the program",)
        yield Sighting(start.place, detail, Severity.LOW, adjustments=reason)
    elif exposure.unprotected and not exposure.bound_everywhere:
        yield Sighting(start.place, detail)
    else:
        reason = ("lower than usual: not certain that it runs on the user's machine like this",)
        yield Sighting(start.place, detail, Severity.MEDIUM, adjustments=reason)


def _unchecked(subject: Subject, start: Start) -> bool:
    """Whether what is started checks nothing by itself, in every release."""
    name = start.name
    if start.place.file.endswith(".py"):
        if name.startswith("fastmcp.FastMCP."):
            return True
        if name.startswith(("mcp.server.fastmcp.", "mcp.server.mcpserver.")):
            # On by default, but only for an address of this machine.
            return not (subject.exposure.addresses <= LOOPBACK)
        return name.startswith(("mcp.server.sse.", "mcp.server.streamable_http"))
    method = name.rpartition(".")[2]
    if method in ("SSEServerTransport", "StreamableHTTPServerTransport"):
        return True
    return method == "NodeStreamableHTTPServerTransport" and bool(subject.exposure.listeners)


def _written(subject: Subject, pattern: re.Pattern[bytes]) -> bool:
    return any(
        pattern.search(source.data) is not None
        for source in subject.sources.values()
        if source.role is Role.FIRST_PARTY
    )


def _sighted(subject: Subject, named: Named, detail: str = "", **more: object) -> Sighting:
    place = value_place(subject.world, named.frame.name, named.at)
    return Sighting(place, detail, sink=named.name.lstrip("."), **more)  # type: ignore[arg-type]  # fields of a sighting by name


def legacy_sse_transport(subject: Subject) -> Iterator[Sighting]:
    """The transport that Streamable HTTP has replaced; once."""
    found = [start for start in subject.exposure.starts if start.transport == "sse"]
    start = _first([start for start in found if start.certain])
    if start is None:
        return
    if "http" in subject.exposure.transports:
        reason = ("lower than usual: Streamable HTTP is there as well",)
        yield Sighting(start.place, "", Severity.INFO, adjustments=reason)
    else:
        yield Sighting(start.place)


def websocket_without_origin_check(subject: Subject) -> Iterator[Sighting]:
    """WebSocket servers in files in which no origin is mentioned."""
    for name in ("WebSocketServer", "ws.WebSocketServer", "ws.Server"):
        for named in subject.calls.get(name, []):
            wanted = named.has_option(0, "port") or named.has_option(0, "server")
            if wanted and not _mentions(subject, named, _ORIGIN):
                yield _socket(subject, named)
    for name in ("websockets.serve", "websockets.asyncio.server.serve", "websockets.server.serve"):
        for named in subject.calls.get(name, []):
            given = named.argument("origins") is not None or named.open_ended
            if not given and not _mentions(subject, named, _ORIGIN):
                yield _socket(subject, named)


def _socket(subject: Subject, named: Named) -> Sighting:
    if not subject.exposure.authentication:
        return _sighted(subject, named)
    reason = ("lower than usual: callers are authenticated somewhere in the program",)
    return _sighted(subject, named, severity=Severity.MEDIUM, adjustments=reason)


def _mentions(subject: Subject, named: Named, pattern: re.Pattern[bytes]) -> bool:
    source = subject.world.program.modules[named.function.module].source
    return pattern.search(source.data) is not None


def exposed_debug_or_admin_endpoint(subject: Subject) -> Iterator[Sighting]:
    """Routes for debugging or administration of a server that authenticates nobody."""
    if subject.exposure.authentication or not subject.exposure.networked:
        return
    for entry in sorted(subject.world.entries.values(), key=lambda e: (e.function, e.at, e.label)):
        if entry.model.sort == "route" and _DEBUG.fullmatch(entry.label[:200]):
            place = value_place(subject.world, entry.function, entry.at)
            yield Sighting(place, f"`{entry.label[:80]}`")


_CHILDREN = (
    "@modelcontextprotocol/sdk/client/stdio.StdioClientTransport",
    "mcp.stdio_client",
    "fastmcp.client.transports.StdioTransport",
)


def unauthenticated_stdio_bridge(subject: Subject) -> Iterator[Sighting]:
    """Servers started over stdio by a program that serves a network without authentication."""
    exposure = subject.exposure
    if exposure.authentication or not exposure.networked:
        return
    serving = {start.place.file for start in exposure.starts}
    for name in _CHILDREN:
        for named in subject.calls.get(name, []):
            found = _sighted(subject, named)
            found = replace(found, detail="A local server is started for clients of a network")
            if found.place.file in serving:
                if not exposure.bound_everywhere:
                    reason = ("lower than usual: not seen to listen on every interface",)
                    found = replace(found, severity=Severity.MEDIUM, adjustments=reason)
                yield found
                return
