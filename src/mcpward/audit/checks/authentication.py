"""Rules about tokens, keys and redirects: how they are verified, compared and issued."""

from __future__ import annotations

from collections.abc import Iterator

from mcpward.audit.calls import Named, possible
from mcpward.audit.places import span_place, value_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence, Severity
from mcpward.core.late import late
from mcpward.ir.values import Compare, Const, Id
from mcpward.taint.entries import source
from mcpward.taint.facts import Source
from mcpward.taint.frame import Frame

_VERIFIES = late(r"(?i)verify|authenticat|authoriz|validate|middleware|current_?user|guard")
"""Names of functions that decide whether somebody comes in."""


def weak_jwt_verification(subject: Subject) -> Iterator[Sighting]:
    """Tokens that are decoded without their signature, where somebody is let in by them."""
    for name in ("jwt.decode", "jose.jwt.decode", "jwt.PyJWT.decode"):
        for named in subject.calls.get(name, []):
            algorithms = _texts(named, "algorithms", 2)
            if any(word.lower() == "none" for word in algorithms):
                yield _sighted(subject, named, "the algorithm `none` is accepted")
            elif _unsigned(named):
                yield from _believed(subject, named, "the signature is not checked")
    for name in ("jsonwebtoken.verify", "jose.jwtVerify"):
        for named in subject.calls.get(name, []):
            algorithms = _elements(named, 2, "algorithms")
            if any(word.lower() == "none" for word in algorithms):
                yield _sighted(subject, named, "the algorithm `none` is accepted")
            elif named.option(2, "ignoreExpiration") == [True]:
                detail = "an expired token is accepted"
                yield _sighted(subject, named, detail, Severity.HIGH)
    if not any(subject.calls.get(name) for name in ("jsonwebtoken.verify", "jose.jwtVerify")):
        for name in ("jsonwebtoken.decode", "jose.decodeJwt", "jwt-decode.jwtDecode", "jwt-decode"):
            for named in subject.calls.get(name, []):
                yield from _believed(subject, named, "the signature is not checked")


def _unsigned(named: Named) -> bool:
    value = named.argument("options", 3)
    if value is None:
        return named.literals("verify", 3) == [False]
    refs = named.frame.read_refs(value, ("verify_signature",))
    return {ref.name for ref in refs} == {"v:False"}


def _believed(subject: Subject, named: Named, detail: str) -> Iterator[Sighting]:
    """Only where the token comes from a request, or the function says that it verifies."""
    sent = bool(named.call.args) and _sent(subject, named.frame, named.call.args[0])
    within = named.function.label.rpartition(".")[2]
    if sent or (_VERIFIES.search(within) and subject.exposure.networked):
        yield _sighted(subject, named, detail)


def _sent(subject: Subject, frame: Frame, at: Id) -> bool:
    """Whether a value comes from a request."""
    handled = [e for e in subject.world.entries.values() if e.handler.name == frame.name]
    for origin, _ in frame.deep(at):
        if isinstance(origin, Source):
            known = origin.kind
        else:
            said = [source(subject.world, frame, entry, origin) for entry in handled]
            known = "wire" if any(one and one[0] == "wire" for one in said) else ""
        if known == "wire":
            return True
    return False


def _texts(named: Named, keyword: str, position: int) -> list[str]:
    value = named.argument(keyword, position)
    if value is None:
        return []
    refs = {ref for element in named.frame.elements(value) for ref in element}
    return [ref.name[2:] for ref in sorted(refs) if ref.sort == "const" and ref.name[:2] == "s:"]


def _elements(named: Named, position: int, field: str) -> list[str]:
    if position >= len(named.call.args):
        return []
    refs = named.frame.read_refs(named.call.args[position], (field, "*"))
    return [ref.name[2:] for ref in sorted(refs) if ref.sort == "const" and ref.name[:2] == "s:"]


def _sighted(
    subject: Subject,
    named: Named,
    detail: str = "",
    severity: Severity | None = None,
    confidence: Confidence = Confidence.HIGH,
) -> Sighting:
    place = value_place(subject.world, named.frame.name, named.at)
    sink = named.name.lstrip(".")
    return Sighting(place, detail, severity, confidence=confidence, sink=sink)


_WEAK_KEY = late(
    r"(?i)(?:my[-_]?|your[-_]?|super[-_]?|jwt[-_]?|dev[-_]?|test[-_]?|default[-_]?|the[-_]?){0,3}"
    r"(?:secret|changeme|change[-_]?(?:me|this)|password|admin|test|dev|default|key|token|123456)"
    r"(?:[-_]?(?:key|token|secret|here|123|1234|in[-_]production)){0,2}"
)


def default_credentials(subject: Subject) -> Iterator[Sighting]:
    """Keys and passwords that everybody knows, where tokens are made or checked."""
    for name in (
        *("jwt.encode", "jwt.decode", "jose.jwt.encode", "jose.jwt.decode"),
        *("jsonwebtoken.sign", "jsonwebtoken.verify"),
    ):
        for named in subject.calls.get(name, []):
            for key in named.literals("key", 1):
                if isinstance(key, str) and _WEAK_KEY.fullmatch(key[:60]):
                    yield _sighted(subject, named, "the key is a word that everybody guesses")
                    break
    for name in ("express-basic-auth", "express-basic-auth.default"):
        for named in subject.calls.get(name, []):
            for user in ("admin", "root", "user", "test"):
                for password in named.option(0, "users", user):
                    if isinstance(password, str) and _WEAK_KEY.fullmatch(password[:60]):
                        yield _sighted(subject, named, f"`{user}` has a password that is guessed")
    for name in sorted(subject.calls):
        if name.startswith("fastmcp.server.auth.") and name.endswith(
            (".StaticTokenVerifier", ".DebugTokenVerifier")
        ):
            for named in subject.calls[name]:
                detail = "the verifier is meant for development"
                yield _sighted(subject, named, detail, Severity.MEDIUM)


_SECRET = late(
    rb"(?i)(?:[\w$]{1,60}(?:\.|\?\.)){0,6}"
    rb"_{0,2}(?:admin_?|expected_?|provided_?|client_?|server_?|request_?|valid_?|mcp_?|auth_?|access_?|bearer_?)"
    rb"{0,3}(?:api_?key|auth_?token|access_?token|bearer_?token|secret|signature|hmac|digest"
    rb"|password|token)"
    rb"|[\w$.?]{1,60}headers?(?:\.get\(|\[)[\"'][\w-]{0,40}(?:key|token|authorization|signature)"
    rb"[\"'][)\]]"
)


def non_constant_time_comparison(subject: Subject) -> Iterator[Sighting]:
    """Secrets of callers that are compared with `==`, in programs that serve a network."""
    if not subject.exposure.networked:
        return
    world = subject.world
    for name in sorted(world.frames):
        frame = world.frames[name]
        data = frame.module.source.data
        for value in frame.values:
            if type(value) is not Compare or value.operator not in ("==", "!="):
                continue
            if len(value.operands) == 2 and _secrets(frame, data, value):
                yield Sighting(span_place(world, frame.function, value.start, value.end))


_EQUALS = late(rb"\s*(?:===|!==|==|!=)\s*")


def _secrets(frame: Frame, data: bytes, value: Compare) -> bool:
    if any(_plain(frame, operand) for operand in value.operands):
        return False
    sides = _EQUALS.split(data[value.start : min(value.end, value.start + 300)].strip(b"() "))
    if len(sides) != 2 or not all(_SECRET.fullmatch(side.strip()) for side in sides):
        return False
    return sides[0] != sides[1]


def _plain(frame: Frame, operand: Id) -> bool:
    value = frame.values[operand]
    return isinstance(value, Const) or frame.constants(operand) == [None]


_LIMITS = frozenset({"exp", "expires_at", "expiration"})


def non_expiring_token(subject: Subject) -> Iterator[Sighting]:
    """Tokens that are signed without a time at which they end."""
    for name in ("jwt.encode", "jose.jwt.encode", "jsonwebtoken.sign"):
        for named in subject.calls.get(name, []):
            fields = _fields(named)
            if fields is None or fields & _LIMITS or "*" in fields or "**" in fields:
                continue
            if name == "jsonwebtoken.sign" and len(named.call.args) > 2:
                limit = named.has_option(2, "expiresIn")
                owners = named.frame.refs[named.call.args[2]]
                if limit or not any(ref.sort == "obj" for ref in owners):
                    continue
            yield _sighted(subject, named)


def _fields(named: Named) -> set[str] | None:
    """The claims that are written; `None` when they are not all known."""
    if not named.call.args:
        return None
    refs = named.frame.refs[named.call.args[0]]
    if not refs or any(ref.sort != "obj" or ref.name not in ("dict", "object") for ref in refs):
        return None
    return {name for ref in refs for name in named.frame.names(ref)}


_REDIRECT = late(rb"(?i)[\w$.?\[\]\"']{0,80}redirect_?ur[il]")
_ENDED = late(r"[a-z][a-z0-9+.-]*://[^/]+/.*")


def loose_redirect_uri(subject: Subject) -> Iterator[Sighting]:
    """Redirect addresses that are compared by a beginning or a part, or not at all."""
    for name in sorted(subject.calls):
        tail = name.rpartition(".")[2]
        if tail in ("startswith", "startsWith", "includes"):
            for named in subject.calls[name]:
                if _redirects(named, tail):
                    yield _sighted(subject, named, "compared by a part of it only")
        elif name.startswith("fastmcp.server.auth.") and tail[:1].isupper():
            for named in subject.calls[name]:
                if "*" in _texts(named, "allowed_client_redirect_uris", -1):
                    yield _sighted(subject, named, "every address is allowed")


def _redirects(named: Named, method: str) -> bool:
    receiver = named.call.receiver
    if receiver is None or not named.call.args:
        return False
    value = named.frame.values[receiver]
    text = named.frame.module.source.data[value.start : value.end][:200].strip()
    callee = named.frame.module.source.data[named.call.start : named.call.start + 120]
    head = callee.partition(f".{method}".encode())[0].strip()
    if not (_REDIRECT.fullmatch(text) or _REDIRECT.fullmatch(head)):
        return False
    prefix = [p for p in possible(named.frame, named.call.args[0]) if isinstance(p, str)]
    # With a host and a slash behind it, a beginning is a whole origin; `https:` alone is a scheme.
    return bool(prefix) and not any(
        (method != "includes" and _ENDED.fullmatch(p)) or p.rstrip("/").endswith(":")
        for p in prefix
    )


_BROAD = {
    "https://mail.google.com/": "all mail",
    "https://www.googleapis.com/auth/drive": "every file of the drive",
    "https://www.googleapis.com/auth/cloud-platform": "the whole cloud account",
    "admin:org": "the administration of organisations",
    "admin:enterprise": "the administration of the enterprise",
    "full_access": "everything",
}


def overbroad_scope(subject: Subject) -> Iterator[Sighting]:
    """Scopes that open far more than a tool needs, once each."""
    world = subject.world
    told: set[str] = set()
    for name in sorted(world.frames):
        frame = world.frames[name]
        for at, value in enumerate(frame.values):
            if isinstance(value, Const) and isinstance(value.value, str):
                said = _BROAD.get(value.value)
                if said and value.value not in told and _near_scope(frame, value):
                    told.add(value.value)
                    yield Sighting(value_place(world, name, at), f"`{value.value}` opens {said}")


def _near_scope(frame: Frame, value: Const) -> bool:
    """Whether the text before a literal says that it is a scope that is asked for."""
    data = frame.module.source.data
    before = data[max(0, value.start - 300) : value.start].lower()
    return b"scope" in before
