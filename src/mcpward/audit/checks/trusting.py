"""Rules about checks that let everybody in when a key is missing, and state that is believed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.places import text_place, value_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.late import late
from mcpward.core.source import Language, Role, SourceFile
from mcpward.ir.values import Call, Join
from mcpward.taint.constants import literal
from mcpward.taint.facts import ordered
from mcpward.taint.frame import Frame

_KEY = r"[\w.$]{0,60}?(?:api_?key|token|secret|password)"
_OPTIONAL = {
    "python": re.compile(
        rf"(?i)\bif (?P<key>{_KEY}) and (?:not )?[^\n#]{{0,160}}?(?:!= ?(?:f\"Bearer \{{)?"
        rf"|compare_digest\([^\n]{{0,80}}?, ?)(?P=key)\b".encode()
    ),
    "javascript": re.compile(
        (
            rf"(?i)\bif ?\((?P<key>{_KEY}) && [^\n]{{0,160}}?"
            rf"!==? ?(?:`Bearer \$\{{)?(?P=key)\b"
        ).encode()
    ),
}
_DENIES = late(rb"(?i)401|403|unauthori[sz]ed|forbidden|denied")
_AFTER = 400
"""Bytes behind a test in which a request is refused."""


def fail_open_authentication(subject: Subject) -> Iterator[Sighting]:
    """Keys from the environment that are only compared when they are set; one for each file."""
    if not subject.exposure.networked:
        return
    for path in sorted(subject.sources):
        source = subject.sources[path]
        if source.role is not Role.FIRST_PARTY:
            continue
        family = "python" if source.language is Language.PYTHON else "javascript"
        for hit in _OPTIONAL[family].finditer(source.data):
            denied = _DENIES.search(source.data, hit.end(), hit.end() + _AFTER)
            if (
                denied
                and _from_environment(source, hit["key"])
                and not _demanded(source, hit["key"])
            ):
                yield Sighting(text_place(source, hit.start(), hit.end()))
                break


def _from_environment(source: SourceFile, key: bytes) -> bool:
    """Whether a name is read from the environment in the same file."""
    if key.startswith((b"process.env.", b"os.environ")):
        return True
    name = re.escape(key)
    reads = (
        rb"\b"
        + name
        + rb"\b(?:: ?[\w| ]{1,30})? ?= ?[^\n]{0,20}(?:process\.env|os\.getenv|os\.environ\.get)"
    )
    return re.search(reads, source.data) is not None


def _demanded(source: SourceFile, key: bytes) -> bool:
    """Whether the program ends when it is missing."""
    test = (
        rb"if (?:not |\(!)" + re.escape(key) + rb"\)?[^\n]{0,40}\n?[^\n]{0,160}(?:\n[^\n]{0,160})?"
    )
    found = re.search(test, source.data)
    return found is not None and re.search(rb"exit\(|raise |throw ", found[0]) is not None


_DECODERS = frozenset(
    {
        "json.loads",
        "base64.b64decode",
        "base64.urlsafe_b64decode",
        "JSON.parse",
        "atob",
        "Buffer.from",
    }
)
_STATE = late(rb"request_?[sS]tate")
_PROTECTED = late(rb"(?i)hmac|verify|decrypt|fernet|aesgcm|codec|unseal|timingSafeEqual")


def unprotected_request_state(subject: Subject) -> Iterator[Sighting]:
    """State that comes back from the client and is decoded in a file that verifies nothing."""
    for name in sorted(_DECODERS & subject.calls.keys()):
        for named in subject.calls[name]:
            data = named.frame.module.source.data
            text = data[named.call.start : min(named.call.end, named.call.start + 300)]
            if _STATE.search(text) and not _PROTECTED.search(data):
                yield Sighting(value_place(subject.world, named.frame.name, named.at), sink=name)


_SCOPES = frozenset({"cacheScope", "cache_scope"})


def public_cache_of_private_result(subject: Subject) -> Iterator[Sighting]:
    """Results that others may keep, in a server that tells its callers apart."""
    if not subject.exposure.authentication:
        return
    for frame, at, field, value in _written_fields(subject):
        if field in _SCOPES and frame.constants(value) == ["public"]:
            yield Sighting(value_place(subject.world, frame.name, at))


_DOMAINS = frozenset({"connectDomains", "resourceDomains", "frameDomains", "baseUriDomains"})
_ANYWHERE = late(r"\*|https?://\*?|https?:|http://(?!localhost|127\.0\.0\.1).{1,200}")


def mcp_app_unsafe_policy(subject: Subject) -> Iterator[Sighting]:
    """Pages of MCP Apps that may load from, or talk to, every host."""
    for frame, at, field, value in _written_fields(subject):
        if field in _DOMAINS:
            refs = {ref for element in frame.elements(value) for ref in element}
            texts = [literal(ref) for ref in ordered(refs) if ref.sort == "const"]
            broad = [t for t in texts if isinstance(t, str) and _ANYWHERE.fullmatch(t)]
            if broad:
                place = value_place(subject.world, frame.name, at)
                yield Sighting(place, f"`{field}` holds `{broad[0][:60]}`")


def _written_fields(subject: Subject) -> Iterator[tuple[Frame, int, str, int]]:
    """Fields of objects that are written out, and keyword arguments."""
    world = subject.world
    for name in sorted(world.frames):
        frame = world.frames[name]
        for at, value in enumerate(frame.values):
            if type(value) is Join and value.fields is not None:
                for field, operand in zip(value.fields, value.operands, strict=False):
                    yield frame, at, field, operand
            elif type(value) is Call:
                for field, operand in value.keywords:
                    yield frame, at, field, operand
