"""How clients reach a server: its transports, the addresses it binds to, and authentication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mcpward.audit.calls import Calls, Named
from mcpward.audit.places import value_place
from mcpward.core.finding import Place
from mcpward.core.late import late
from mcpward.core.source import Role, SourceFile
from mcpward.ir.program import bare
from mcpward.taint.world import World

Transport = Literal["stdio", "http", "sse", "websocket"]

EVERYWHERE = frozenset({"0.0.0.0", "::", "[::]", "", "*"})  # noqa: S104  # what is looked for
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})

SERVERS = (
    "mcp.server.fastmcp.FastMCP",
    "mcp.server.mcpserver.MCPServer",
    "fastmcp.FastMCP",
)
_WORDS: Mapping[str, Transport] = {
    "stdio": "stdio",
    "http": "http",
    "streamable-http": "http",
    "httpStream": "http",
    "sse": "sse",
    "websocket": "websocket",
    "ws": "websocket",
}
_METHODS: Mapping[str, Transport] = {
    "run_stdio_async": "stdio",
    "run_sse_async": "sse",
    "run_http_async": "http",
    "run_streamable_http_async": "http",
    "sse_app": "sse",
    "streamable_http_app": "http",
    "http_app": "http",
}
_PYTHON: Mapping[str, Transport] = {
    "mcp.server.stdio.stdio_server": "stdio",
    "mcp.server.sse.SseServerTransport": "sse",
    "mcp.server.streamable_http_manager.StreamableHTTPSessionManager": "http",
    "mcp.server.streamable_http.StreamableHTTPServerTransport": "http",
    "mcp.server.websocket.websocket_server": "websocket",
    "fastapi_mcp.FastApiMCP": "http",
}
_JAVASCRIPT: Mapping[str, Transport] = {
    "StdioServerTransport": "stdio",
    "SSEServerTransport": "sse",
    "StreamableHTTPServerTransport": "http",
    "WebStandardStreamableHTTPServerTransport": "http",
    "NodeStreamableHTTPServerTransport": "http",
    "createMcpHandler": "http",
    "WebSocketServerTransport": "websocket",
}
_BUNDLED = frozenset(_JAVASCRIPT) - {"createMcpHandler"}

STARTS = late(
    rb"\.(?<!subprocess\.)run(?:_\w{1,40})?\(|uvicorn\.|stdio_server\(|Server\w{0,20}Transport\("
    rb"|HTTPSessionManager\(|http_app\(|sse_app\(|\.listen\(|\.connect\(|WebSocketServer\("
    rb"|serve\(|createMcp\w{1,40}\("
)
"""What is written where a server starts; such functions are analysed even if nobody calls them."""

_AUTHENTICATES = late(
    rb"(?:requireBearerAuth|mcpAuthRouter|withMcpAuth|OAuthProvider|verifyBearerToken|BearerAuth\w*"
    rb"|RequireAuthMiddleware|AuthenticationMiddleware|TokenVerifier|token_verifier|JWTVerifier"
    rb"|auth_server_provider|AuthProvider|OAuthProxy|AuthSettings|AuthMiddleware|APIKeyHeader"
    rb"|HTTPBearer|HTTPBasic|OAuth2PasswordBearer|compare_digest|timingSafeEqual|jwtVerify"
    rb"|express-jwt|express-oauth2-jwt-bearer|passport|basicAuth|authMiddleware|auth_middleware"
    rb"|verify_(?:api_key|token|auth)|verify(?:ApiKey|Token|Auth)|check_auth|checkAuth"
    rb"|validate(?:_api_key|_token|ApiKey|Token|Auth)|authenticate(?:Request|User|_request)?"
    rb"|require(?:_auth|Auth|_token|Token|ApiKey|_api_key))\b"
    rb"|headers?(?:\.get)?[\(\[.]\s?b?[\"'`]?(?i:authorization|x-api-key|x-auth-token)\b"
    rb"(?![\"'`]?\]?\s?=[^=])"
    rb"|jwt\.(?:verify|decode)\(|authenticate\s?:\s?(?:async\s)?\("
)
"""What is written where callers are told apart; said of a server, not of a request it makes."""


@dataclass(frozen=True, slots=True)
class Start:
    """A place where the server begins to listen, or takes a transport."""

    transport: Transport
    place: Place
    function: str
    name: str
    """What is called."""
    certain: bool = True
    """Whether this is the only transport that the call may start."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A call that binds to an address."""

    place: Place
    function: str
    hosts: tuple[str, ...]
    """The addresses that are written, perhaps as defaults; empty when none is known."""
    given: bool
    """Whether an address is handed in at all."""
    everywhere: bool
    """Whether every interface is what happens without one."""
    certain: bool
    """Whether the address is one of `hosts` and nothing else."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """How clients reach the server, as far as it is seen."""

    transports: frozenset[Transport]
    addresses: frozenset[str]
    """The addresses that are written in the program."""
    authentication: bool
    """Whether anything is seen that tells callers apart."""
    places: tuple[Start, ...]
    listeners: tuple[Listener, ...] = ()

    @property
    def networked(self) -> bool:
        """Whether the server can be reached over a network at all."""
        return bool(self.transports - {"stdio"})

    @property
    def starts(self) -> list[Start]:
        """Where it is made reachable over a network, in the order of the program."""
        return [start for start in self.places if start.transport != "stdio"]

    @property
    def bound_everywhere(self) -> bool:
        """Whether some listener is on every interface unless it is told otherwise."""
        return any(_open(listener) for listener in self.listeners)

    @property
    def unprotected(self) -> bool:
        """Whether whoever reaches the port can call every tool, and there is no other way in."""
        return (
            self.networked
            and "stdio" not in self.transports
            and not self.authentication
            and all(start.certain for start in self.places)
        )


def _open(listener: Listener) -> bool:
    if listener.hosts:
        return not EVERYWHERE.isdisjoint(listener.hosts)
    return listener.everywhere and not listener.given


def exposure(world: World, calls: Calls, sources: Mapping[str, SourceFile]) -> Exposure:
    """What a program says about how it is reached."""
    places = sorted(set(_starts(world, calls)), key=lambda s: (_where(s.place), s.transport))
    listeners = sorted(set(_listeners(world, calls)), key=lambda one: _where(one.place))
    return Exposure(
        transports=frozenset(start.transport for start in places),
        addresses=frozenset(host for one in listeners for host in one.hosts),
        authentication=_authenticated(world, calls, sources),
        places=tuple(places),
        listeners=tuple(listeners),
    )


def _where(place: Place) -> tuple[str, int, int]:
    return place.file, place.start.line, place.start.column


def _starts(world: World, calls: Calls) -> Iterator[Start]:
    for name in sorted(calls):
        for named in calls[name]:
            for transport, certain in _transports(named):
                place = value_place(world, named.frame.name, named.at)
                yield Start(transport, place, named.frame.name, name, certain)


def _transports(named: Named) -> Iterator[tuple[Transport, bool]]:
    name = named.name
    method = bare(name.replace("/", "."))
    if named.family == "python":
        if name in _PYTHON:
            yield _PYTHON[name], True
        elif name.rpartition(".")[0] in (*SERVERS, ""):
            server = not name.startswith(".")
            if method in _METHODS and (server or method.startswith("run_")):
                said = [w for w in named.literals("transport") if w in _WORDS]
                yield _WORDS[str(said[0])] if said else _METHODS[method], True
            elif method in ("run", "run_async"):
                yield from _chosen(named, server=server)
        return
    scoped = name.startswith("@modelcontextprotocol/") and method in _JAVASCRIPT
    if scoped or (named.call.sort == "new" and name in _BUNDLED):
        yield _JAVASCRIPT[method], True
    elif name == "mcp-handler.createMcpHandler":
        yield "http", True
    elif name == "fastmcp.FastMCP.start":
        words = named.option(0, "transportType")
        for word in words or ["stdio"]:
            if word in _WORDS:
                yield _WORDS[str(word)], len(words) < 2


def _chosen(named: Named, *, server: bool) -> Iterator[tuple[Transport, bool]]:
    """What `run` starts: it names a transport, or it is stdio."""
    value = named.argument("transport", 0 if server else -1)
    if value is None:
        if server and not named.open_ended and not named.call.args:
            network = {"host", "port"} & {keyword for keyword, _ in named.call.keywords}
            yield "stdio", not network
        return
    found = sorted({_WORDS[str(word)] for word in named.literals("transport", 0) if word in _WORDS})
    certain = len(found) == 1 and bool(named.frame.constants(value))
    for transport in found:
        yield transport, certain
    if not found and server:
        # Chosen when it starts: all that the library has.
        for transport in ("http", "sse", "stdio"):
            yield transport, False


# ── addresses ─────────────────────────────────────────────────────────────────────────────────

_HOST_KEYWORD = frozenset(
    {
        "uvicorn.run",
        "uvicorn.Config",
        "mcp.server.fastmcp.FastMCP",
        "flask.Flask.run",
        "aiohttp.web.run_app",
        "sanic.Sanic.run",
        *(f"{server}.{m}" for server in SERVERS for m in ("run", "run_async", "run_http_async")),
    }
)
_OPTIONS = frozenset(
    {
        "argparse.ArgumentParser.add_argument",
        "argparse.ArgumentParser.add_argument_group().add_argument",
        "click.option",
        "typer.Option",
    }
)
_LOOKUPS = frozenset({"os.getenv", "os.environ.get"})
_HOST_NAME = late(r"(?i)(?:\w{1,30}_)?(?:host|bind|bind_address|listen_address)")
_HOST_FLAG = late(r"--?(?:[a-z]{1,12}-){0,2}(?:host|bind|listen|address)(?:-address)?")
_WEB = frozenset({"express.Application.listen", "http.Server.listen", "https.Server.listen"})
_SERVE = frozenset({"@hono/node-server.serve", "Bun.serve", "Deno.serve"})


def _listeners(world: World, calls: Calls) -> Iterator[Listener]:
    for name in sorted(calls):
        for named in calls[name]:
            found = _python_host(named) if named.family == "python" else _javascript_host(named)
            if found is not None:
                hosts, given, everywhere, certain = found
                place = value_place(world, named.frame.name, named.at)
                yield Listener(place, named.frame.name, hosts, given, everywhere, certain)


Bound = tuple[tuple[str, ...], bool, bool, bool]


def _python_host(named: Named) -> Bound | None:
    if named.name in _HOST_KEYWORD:
        value = named.argument("host", 0 if named.name == "flask.Flask.run" else -1)
        if value is None:
            return None
        hosts = tuple(h for h in named.literals("host", 0) if isinstance(h, str))
        return hosts, True, False, bool(named.frame.constants(value))
    if named.name in _OPTIONS:
        flags = [f for i in range(len(named.call.args)) for f in named.literals("", i)]
        if any(isinstance(flag, str) and _HOST_FLAG.fullmatch(flag) for flag in flags):
            hosts = tuple(h for h in named.literals("default") if isinstance(h, str))
            return (hosts, True, False, False) if hosts else None
    if named.name in _LOOKUPS:
        names = named.literals("key", 0)
        hosts = tuple(h for h in named.literals("default", 1) if h == "0.0.0.0")  # noqa: S104  # what is looked for
        if hosts and len(names) == 1 and _HOST_NAME.fullmatch(str(names[0])):
            return ("0.0.0.0",), True, False, False  # noqa: S104  # what is looked for
    return None


def _javascript_host(named: Named) -> Bound | None:
    name, call = named.name, named.call
    if name in _SERVE:
        hosts = tuple(h for h in named.option(0, "hostname") if isinstance(h, str))
        return hosts, named.has_option(0, "hostname"), True, False
    if name in _WEB or (name == ".listen" and len(call.args) > 1):
        if not call.args or call.spread >= 0:
            return None
        if named.has_option(0, "port"):
            hosts = tuple(h for h in named.option(0, "host") if isinstance(h, str))
            return hosts, named.has_option(0, "host"), name in _WEB, False
        second = call.args[1] if len(call.args) > 1 else None
        if second is None or any(ref.sort == "fn" for ref in named.frame.refs[second]):
            return (), False, name in _WEB, False
        hosts = tuple(h for h in named.literals("", 1) if isinstance(h, str))
        return hosts, True, False, bool(named.frame.constants(second))
    return None


# ── authentication ────────────────────────────────────────────────────────────────────────────


def _authenticated(world: World, calls: Calls, sources: Mapping[str, SourceFile]) -> bool:
    """Whether anything in the product's code tells callers apart.

    A tool of that name does not: whoever can call it has been let in already.
    """
    tools = {e.label.encode() for e in world.entries.values() if e.model.sort == "tool"}
    for server in SERVERS:
        for named in calls.get(server, []):
            value = named.argument("auth")
            if value is not None and named.frame.constants(value) != [None]:
                return True
    return any(
        found[0] not in tools
        for source in sources.values()
        if source.role is Role.FIRST_PARTY
        for found in _AUTHENTICATES.finditer(source.data)
    )
