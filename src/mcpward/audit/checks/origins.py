"""Rules about who may read answers in a browser, and what travels without encryption."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from mcpward.audit.calls import Named, possible
from mcpward.audit.places import value_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity
from mcpward.core.late import late
from mcpward.ir.values import Id, Join
from mcpward.taint.constants import literal
from mcpward.taint.facts import ordered
from mcpward.taint.frame import Frame

_MIDDLEWARE = "starlette.middleware.cors.CORSMiddleware"
_CORS = frozenset({_MIDDLEWARE, "fastapi.middleware.cors.CORSMiddleware"})
_SETTERS = (
    *("express.Response.setHeader", "express.Response.header", "express.Response.set"),
    *("http.ServerResponse.setHeader", ".setHeader", ".header"),
)


_COMPARED = late(
    rb"(?i)originValidation|headers?(?:\.get)?[\(\[.]\s?b?[\"'`]?origin\b|allowed_?origins? ?="
)
"""What is written where a program looks at the origin itself."""


def permissive_cors(subject: Subject) -> Iterator[Sighting]:
    """Programs on a network that let every origin in; one for each file."""
    if not subject.exposure.networked:
        return
    told: set[str] = set()
    for named, credentials in _open(subject):
        place = value_place(subject.world, named.frame.name, named.at)
        compared = not credentials and _COMPARED.search(named.frame.module.source.data)
        if place.file in told or compared:
            continue
        told.add(place.file)
        if credentials:
            reason = ("higher than usual: with the cookies of the user",)
            detail = "all origins are allowed, with credentials"
            yield Sighting(place, detail, Severity.HIGH, adjustments=reason)
        elif subject.exposure.authentication:
            reason = ("lower than usual: callers are authenticated somewhere in the program",)
            yield Sighting(place, "all origins are allowed", Severity.LOW, adjustments=reason)
        else:
            yield Sighting(place, "all origins are allowed")


def _open(subject: Subject) -> Iterator[tuple[Named, bool]]:
    for name in sorted(subject.calls):
        for named in subject.calls[name]:
            if named.family == "python":
                if _about_cors(named) and "*" in _origins(named):
                    yield named, named.literals("allow_credentials") == [True]
            elif name in ("cors", "cors.default", "hono/cors.cors", "@fastify/cors"):
                yield from _cors(named)
            elif name in _SETTERS and len(named.call.args) > 1:
                header = [h.lower() for h in named.literals("", 0) if isinstance(h, str)]
                if header == ["access-control-allow-origin"] and named.literals("", 1) == ["*"]:
                    yield named, False


def _about_cors(named: Named) -> bool:
    """Whether a call makes the middleware, or hands it to an application."""
    if named.name in _CORS:
        return True
    first = named.call.args[0] if named.call.args else None
    refs = named.frame.refs[first] if first is not None else frozenset()
    return any(ref.sort == "ext" and ref.name in _CORS for ref in refs)


def _origins(named: Named) -> list[object]:
    value = named.argument("allow_origins")
    if value is None:
        return []
    refs = {ref for element in named.frame.elements(value) for ref in element}
    known = [literal(ref) for ref in ordered(refs) if ref.sort == "const"]
    if not known:
        whole = [text for text in possible(named.frame, value) if isinstance(text, str)]
        known = [part.strip() for text in whole for part in text.split(",")]
    return known


def _cors(named: Named) -> Iterator[tuple[Named, bool]]:
    if not named.call.args:
        yield named, False
        return
    refs = named.frame.refs[named.call.args[0]]
    if not any(ref.sort == "obj" and ref.name == "object" for ref in refs):
        return
    origin = named.option(0, "origin")
    credentials = named.option(0, "credentials") == [True]
    if origin == [True] or (not credentials and "*" in origin):
        yield named, credentials
    elif not named.has_option(0, "origin") and not credentials:
        yield named, False


_CLIENTS = frozenset(
    {
        *(f"{lib}.{m}" for lib in ("requests", "httpx") for m in ("get", "post", "put", "delete")),
        *("requests.patch", "httpx.patch", "requests.request", "httpx.request", "fetch"),
        *(
            "httpx.AsyncClient.get",
            "httpx.AsyncClient.post",
            "httpx.Client.get",
            "httpx.Client.post",
        ),
        *("requests.Session.get", "requests.Session.post", "aiohttp.ClientSession.get"),
        *("aiohttp.ClientSession.post", "axios.get", "axios.post", "axios.put", "axios.delete"),
        *("axios", "node-fetch", "node-fetch.default"),
    }
)
_CREDENTIALS = late(r"(?i)authorization|(?:x-)?(?:api|auth|access)[-_]?(?:key|token)|cookie")
_LOCAL = late(
    r"(?i)localhost|[^.]*|.*\.(?:local|internal|localhost|test|example|invalid|lan|svc|home\.arpa)"
    r"|(?:.*\.)?example\.(?:com|org|net)"
)


def cleartext_transport(subject: Subject) -> Iterator[Sighting]:
    """Requests with credentials to a remote host over plain HTTP."""
    for name in sorted(_CLIENTS & subject.calls.keys()):
        for named in subject.calls[name]:
            position = 1 if name.endswith(".request") else 0
            value = named.argument("url", position)
            host = _plain_host(named.frame, value) if value is not None else ""
            if host and _credentials(named):
                place = value_place(subject.world, named.frame.name, named.at)
                yield Sighting(place, f"`{host[:80]}`", sink=name)


def _plain_host(frame: Frame, at: Id) -> str:
    """The host of a literal beginning `http://`, unless it is local."""
    value = frame.values[at]
    texts = possible(frame, at)
    if not texts and isinstance(value, Join) and value.fields is None and value.operands:
        texts = possible(frame, value.operands[0])
        if not all(isinstance(t, str) and t.count("/") > 2 for t in texts):
            return ""
    hosts = {_remote(text) for text in texts if isinstance(text, str)}
    return hosts.pop() if len(hosts) == 1 else ""


def _remote(text: str) -> str:
    if not text.lower().startswith("http://"):
        return ""
    try:
        host = urlsplit(text).hostname or ""
        address = ipaddress.ip_address(host)
    except ValueError:
        host = urlsplit(text).hostname or "" if "[" not in text else ""
        return "" if _LOCAL.fullmatch(host) else host
    return host if address.is_global else ""


def _credentials(named: Named) -> bool:
    if named.argument("auth") is not None:
        return True
    values = [v for v in (named.argument("headers"),) if v is not None]
    for value in values:
        if _carries(named.frame.names(r) for r in named.frame.refs[value] if r.sort == "obj"):
            return True
    for value in named.call.args[1:]:
        headers = named.frame.read_refs(value, ("headers",))
        if _carries(named.frame.names(r) for r in headers if r.sort == "obj"):
            return True
    return False


def _carries(objects: Iterator[list[str]]) -> bool:
    return any(_CREDENTIALS.fullmatch(name) for names in objects for name in names)
