"""Rules about what a server asks the user of its client for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mcpward.audit.calls import Named
from mcpward.audit.places import span_place, value_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.audit.written import At, Fields, Plain, Reader, Written
from mcpward.core.finding import Confidence, Place, Severity
from mcpward.documents.addresses import address
from mcpward.ir.values import Join
from mcpward.secrets.names import secret_name
from mcpward.taint.constants import literal
from mcpward.taint.facts import ordered

_ASKS = (
    *("mcp.server.fastmcp.Context.elicit", "mcp.server.mcpserver.Context.elicit"),
    *("fastmcp.Context.elicit", "mcp.server.ServerSession.elicit"),
    *("mcp.server.ServerSession.elicit_form", "mcp.server.elicitation.elicit_with_validation"),
    *("@modelcontextprotocol/sdk/server.Server.elicitInput", ".elicitInput"),
    "@modelcontextprotocol/sdk/server/mcp.McpServer.elicitInput",
)
_SENDS_AWAY = (
    *("mcp.server.fastmcp.Context.elicit_url", "mcp.server.mcpserver.Context.elicit_url"),
    "mcp.server.ServerSession.elicit_url",
)
_SCHEMAS = ("schema", "response_type", "requestedSchema", "requested_schema")
_SECRET = re.compile(
    r"(?:enter|provide|type|paste|supply|share|give (?:me|us)|what is|what's|input)\b[^.?!\n]{0,40}"
    r"\b(?:password|passphrase|api[ -]key|access token|api token|secret key|private key|seed phrase"
    r"|recovery phrase|one-time code|pin code)\b",
    re.IGNORECASE,
)
_IDENTITY = re.compile(
    r"(?:credit_?card|card)_?(?:number|no)|cvv2?|cvc|iban|(?:bank_?)?account_?number|routing_?number"
    r"|ssn|social_?security(?:_?number)?|passport(?:_?(?:number|no|id))?|mother_?s?_?maiden_?name"
    r"|driving_?licen[cs]e(?:_?number)?|tax_?id",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^\s<>\"')\]…]{3,300}", re.IGNORECASE)
_SHORT = frozenset({"bit.ly", "tinyurl.com", "t.co", "is.gd", "cutt.ly", "rebrand.ly"})
_NUMBERS = re.compile(r"[0-9.]+|[0-9a-f]*:[0-9a-f:.]*")
"""An address of version 4 or 6."""
_SEPARATORS = re.compile(r"[\s-]+")
_FIXED_HOST = ("fixed-host", "host-listed", "listed", "number")


@dataclass(frozen=True, slots=True)
class _Request:
    """One request to the user."""

    named: Named
    place: Place
    message: At | None = None
    url: At | None = None
    fields: tuple[tuple[str, str, Place], ...] = ()
    """Name, title and place of what the form asks for."""


def secret_requested_by_form_elicitation(subject: Subject) -> Iterator[Sighting]:
    """Forms that ask for a credential; the answer goes through the client in clear."""
    reader = subject.written
    for request in _requests(subject, reader):
        if request.url is not None:
            continue
        handler = subject.handler(request.named.frame.name, request.named.at)
        asked = [one for one in request.fields if secret_name(one[0]) or secret_name(one[1])]
        for name, _, place in asked[:1]:
            yield Sighting(place, f"`{name[:60]}`", handler=handler)
        text = reader.text(request.message) if request.message and not asked else None
        if text is not None and (found := _SECRET.search(str(text.value)[:2_000])):
            detail = f"the message “{found[0][:80]}”"
            yield Sighting(request.place, detail, confidence=Confidence.MEDIUM, handler=handler)


def elicitation_phishing(subject: Subject) -> Iterator[Sighting]:
    """Requests that lead the user to other hosts, speak for strangers, or ask who they are."""
    reader = subject.written
    for request in _requests(subject, reader):
        handler = subject.handler(request.named.frame.name, request.named.at)
        for level, confidence, detail, place in _doubts(subject, reader, request):
            yield Sighting(place, detail, level, confidence, handler)
            break


_Doubt = tuple[Severity | None, Confidence, str, Place]


def _doubts(subject: Subject, reader: Reader, request: _Request) -> Iterator[_Doubt]:
    if request.url is not None:
        yield from _led_away(subject, reader, request, request.url)
        return
    message = reader.text(request.message) if request.message else None
    if message is not None and isinstance(message.value, str):
        for found in _URL.finditer(message.value[:4_000]):
            host = address(found[0])
            if host is not None and not host.loopback and not host.unknown:
                detail = f"the message of a form leads to `{found[0][:80]}`"
                yield Severity.LOW, Confidence.HIGH, detail, request.place
    if request.message and "third" in _kinds(subject, request.message):
        detail = "the message of a form is made from text that was fetched"
        yield None, Confidence.MEDIUM, detail, request.place
    for name, title, place in request.fields:
        if any(_IDENTITY.fullmatch(_SEPARATORS.sub("_", one.strip())) for one in (name, title)):
            yield None, Confidence.MEDIUM, f"a form asks for `{name[:60]}`", place


def _led_away(subject: Subject, reader: Reader, request: _Request, url: At) -> Iterator[_Doubt]:
    written = reader.text(url)
    text = str(written.value) if written is not None else ""
    found = address(text)
    if found is not None and not found.unknown and "…" not in found.host:
        why = ""
        if found.user:
            why = "hides its host behind a user name"
        elif found.host.startswith("xn--") or ".xn--" in found.host or not found.host.isascii():
            why = "has a host in letters that look like others"
        elif found.host in _SHORT:
            why = "is a short link"
        elif found.loopback:
            return
        elif found.scheme == "http":
            why = "is not encrypted"
        elif _NUMBERS.fullmatch(found.host):
            why = "has a number instead of a host"
        if why:
            yield None, Confidence.HIGH, f"`{text[:80]}` {why}", request.place
    elif _kinds(subject, url, _FIXED_HOST) & {"model", "third"}:
        detail = "somebody else decides which page the user is led to"
        yield Severity.HIGH, Confidence.MEDIUM, detail, request.place


def _kinds(subject: Subject, at: At, unless: tuple[str, ...] = ()) -> set[str]:
    """Where the data in a value comes from, but for data with one of the marks."""
    frame = subject.world.frames.get(at[0])
    if frame is None:
        return set()
    mask = subject.world.mask(unless) if unless else 0
    if mask and all(marks & mask for _, marks in frame.deep(at[1])):
        return set()
    return subject.kinds(frame, at[1])


def _requests(subject: Subject, reader: Reader) -> Iterator[_Request]:
    told: set[tuple[str, int]] = set()
    for name in (*_ASKS, *_SENDS_AWAY):
        for named in subject.calls.get(name, []):
            if (named.frame.name, named.at) in told:
                continue
            told.add((named.frame.name, named.at))
            if named.family == "javascript":
                yield _in_javascript(subject, reader, named)
            else:
                yield _in_python(subject, reader, named, leads=name in _SENDS_AWAY)


def _in_javascript(subject: Subject, reader: Reader, named: Named) -> _Request:
    place = value_place(subject.world, named.frame.name, named.at)
    if not named.call.args:
        return _Request(named, place)
    holder = reader.origin((named.frame.name, named.call.args[0]))
    function = subject.world.program.function(holder[0]) if holder is not None else None
    value = function.values[holder[1]] if holder is not None and function is not None else None
    if holder is None or not isinstance(value, Join) or not value.fields:
        return _Request(named, place)
    parts = {
        field: (holder[0], operand)
        for field, operand in zip(value.fields, value.operands, strict=True)
    }
    schema = parts.get("requestedSchema")
    fields = tuple(_asked(reader.read(schema))) if schema else ()
    return _Request(named, place, parts.get("message"), parts.get("url"), fields)


def _in_python(subject: Subject, reader: Reader, named: Named, *, leads: bool) -> _Request:
    place = value_place(subject.world, named.frame.name, named.at)
    message = named.argument("message", 0)
    at = (named.frame.name, message) if message is not None else None
    if leads:
        url = named.argument("url", 1)
        return _Request(named, place, at, (named.frame.name, url) if url is not None else None)
    given = (named.argument(name) for name in _SCHEMAS)
    schema = next((one for one in given if one is not None), named.argument("", 1))
    if schema is None:
        return _Request(named, place, at)
    fields = tuple(_asked(reader.read((named.frame.name, schema))))
    return _Request(named, place, at, None, fields or tuple(_of_class(subject, named, schema)))


def _asked(written: Written) -> Iterator[tuple[str, str, Place]]:
    """The fields of a form that is written as JSON Schema."""
    properties = written.get("properties") if isinstance(written, Fields) else None
    for name, inner in properties.items if isinstance(properties, Fields) else ():
        title = inner.get("title") if isinstance(inner, Fields) else None
        said = title.value if isinstance(title, Plain) and isinstance(title.value, str) else ""
        yield name, said, inner.place


def _of_class(subject: Subject, named: Named, schema: int) -> Iterator[tuple[str, str, Place]]:
    """The fields of a form that is written as a class."""
    refs = ordered(named.frame.refs[schema])
    for ref in refs:
        made = subject.world.program.classes.get(ref.name) if ref.sort == "cls" else None
        function = subject.world.program.function(made.scope) if made is not None else None
        if made is None or function is None:
            continue
        source = subject.world.program.modules[made.module].source
        for name in made.fields:
            text = source.data[made.start : made.end]
            found = re.search(rb"(?m)^\s{1,20}" + re.escape(name.encode()) + rb"\s?:", text)
            start = made.start + (found.end() - len(name) - 1 if found else 0)
            end = start + len(name) if found else made.end
            yield name, "", span_place(subject.world, function, start, end)
    for ref in refs:
        said = literal(ref) if ref.sort == "const" else None
        if isinstance(said, str):
            yield said, "", value_place(subject.world, named.frame.name, schema)
