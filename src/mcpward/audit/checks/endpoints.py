"""Checks of where data is sent: hosts of collectors and tunnels, recipients nobody asked for."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

from mcpward.audit.places import value_place
from mcpward.audit.sites import Site, stores, uses
from mcpward.audit.spelling import HOLE, spelled
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity
from mcpward.core.late import late
from mcpward.ir.values import Call, Const, Id, Join
from mcpward.taint.frame import Frame

_COLLECTORS = (
    *("webhook.site", "requestbin.com", "requestbin.net", "requestcatcher.com", "beeceptor.com"),
    *("pipedream.net", "oastify.com", "burpcollaborator.net", "interact.sh", "interactsh.com"),
    *("oast.pro", "oast.live", "oast.site", "oast.online", "oast.fun", "oast.me", "dnslog.cn"),
    *("ceye.io", "hookbin.com", "canarytokens.com", "requestinspector.com", "typedwebhook.tools"),
)
_TUNNELS = (
    *("ngrok.io", "ngrok.app", "ngrok-free.app", "trycloudflare.com", "localhost.run"),
    *("serveo.net", "loca.lt", "localtunnel.me", "lhr.life", "onion", "pinggy.link"),
)
_DROPS = ("transfer.sh", "file.io", "0x0.st", "anonfiles.com", "gofile.io", "paste.ee", "ix.io")
_SHORT = ("bit.ly", "tinyurl.com", "t.co", "is.gd", "cutt.ly", "rebrand.ly", "shorturl.at")
_HOOKS = late(
    r"""^https?://(?:
        (?:\w{1,20}\.)?discord(?:app)?\.com/api/webhooks/\d
      | api\.telegram\.org/bot\d{6}
      | hooks\.slack\.com/services/T\w
      | pastebin\.com/raw/\w
    )""",
    re.VERBOSE,
)
_HOST = late(r"^(?:https?|wss?|ftp)://(?:[^/@\s\0]{0,200}@)?(\[[0-9a-fA-F:.]+\]|[\w.-]{1,253})")
_MAIL = late(r"^[^@\s<>\0]{1,64}@[\w.-]{1,200}\.[A-Za-z]{2,20}$")
_COPIES = frozenset(["bcc", "Bcc", "BCC"])
_RECIPIENTS = frozenset(["to", "To", "recipients", "recipient", "to_emails", "toAddresses"])


def suspicious_endpoint(subject: Subject) -> Iterator[Sighting]:
    """Addresses in the code that belong to places where data is dropped."""
    for site in subject.sites:
        for use in uses(site, ("url", "url-host")):
            if use.place.path and use.place.path[-1] not in ("url", "baseURL", "uri", "host"):
                continue
            for address in _addresses(subject, site, use.values, use.place.path):
                found = _judged(address)
                if found is not None:
                    what, level = found
                    yield subject.sighting(site, what, level)


def _addresses(
    subject: Subject, site: Site, values: Iterable[Id], path: tuple[str, ...]
) -> Iterator[str]:
    frame = site.frame
    for value in values:
        if not path:
            yield from spelled(subject, frame, value)
        else:
            for ref in sorted(frame.read_refs(value, path)):
                if ref.sort == "const" and ref.name[:2] == "s:":
                    yield ref.name[2:]


def _judged(address: str) -> tuple[str, Severity] | None:
    found = _HOST.match(address)
    if found is None:
        return None
    host = found[1].lower().strip("[]").rstrip(".")
    if _within(host, _COLLECTORS):
        return f"`{host}`, which collects requests for others to read", Severity.HIGH
    if _within(host, _TUNNELS):
        return f"`{host}`, a tunnel to a machine that nobody can name", Severity.MEDIUM
    if _within(host, _DROPS) or _HOOKS.match(address):
        return f"`{host}`, where anybody can leave data under a name of their own", Severity.MEDIUM
    if _within(host, _SHORT):
        return f"`{host}`, which hides the real address", Severity.LOW
    if _public(host):
        return f"the bare address `{host}`", Severity.MEDIUM
    return None


def _within(host: str, names: tuple[str, ...]) -> bool:
    return any(host == name or host.endswith("." + name) for name in names)


def _public(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast and str(address) not in _RESOLVERS


_RESOLVERS = frozenset(["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"])
"""Addresses that programs use to find their own address, without sending anything."""


def hidden_recipient(subject: Subject) -> Iterator[Sighting]:
    """Recipients of messages that are written in the code beside the one who was asked for."""
    for frame, at, value in stores(subject.world):
        if value.field in _COPIES and _written(subject, frame, value.value):
            yield _copied(subject, frame, at, f"`{value.field}`")
    for name in sorted(subject.world.frames):
        frame = subject.world.frames[name]
        for at in frame.live:
            made = frame.values[at]
            if isinstance(made, Join) and made.fields is not None:
                said = dict(zip(made.fields, made.operands, strict=False))
                yield from _checked(subject, frame, at, said)
            elif isinstance(made, Call):
                yield from _checked(subject, frame, at, dict(made.keywords))
    for site in subject.about("hidden-recipient"):
        recipients = site.call.args[1:2] or [v for n, v in site.call.keywords if n == "to_addrs"]
        for recipient in recipients:
            both = list(_members(subject, site.frame, recipient))
            if any(_MAIL.match(text) for text in both) and HOLE in both:
                yield _copied(subject, site.frame, site.at, "the list of recipients")


def _checked(subject: Subject, frame: Frame, at: Id, said: dict[str, Id]) -> Iterator[Sighting]:
    asked = [value for name, value in said.items() if name in _RECIPIENTS]
    if not asked or any(_written(subject, frame, value) for value in asked):
        return
    for name, value in said.items():
        if name in _COPIES and _written(subject, frame, value):
            yield _copied(subject, frame, at, f"`{name}`")


def _members(subject: Subject, frame: Frame, at: Id) -> Iterator[str]:
    value = frame.values[at]
    if isinstance(value, Join) and value.fields is not None:
        for operand in value.operands[:20]:
            yield spelled(subject, frame, operand)[0]
    elif not isinstance(value, Const):
        yield spelled(subject, frame, at)[0]


def _written(subject: Subject, frame: Frame, at: Id) -> bool:
    """Whether a value is an address, or a list with an address, that stands in the code."""
    texts = [*spelled(subject, frame, at), *_members(subject, frame, at)]
    return any(_MAIL.match(text) for text in texts)


def _copied(subject: Subject, frame: Frame, at: Id, where: str) -> Sighting:
    place = value_place(subject.world, frame.name, at)
    return Sighting(place, where, handler=subject.handler(frame.name, at))
