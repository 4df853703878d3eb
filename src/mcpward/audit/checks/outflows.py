"""Rules about credentials and the environment that go to other servers and to programs."""

from __future__ import annotations

from collections.abc import Iterator

from mcpward.audit.addresses import fixed_address, foreign
from mcpward.audit.disclosed import Origin
from mcpward.audit.places import value_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.audit.survey import Outlet
from mcpward.ir.values import Call, Id
from mcpward.taint import places
from mcpward.taint.facts import Path
from mcpward.taint.frame import Frame

_PROOFS = frozenset(["headers", "auth", "cookies", "cert", "verify", "proxies", "timeout", "agent"])
"""Arguments in which a credential belongs, or that say how to connect."""
_BODIES = ("body", "data", "json", "params", "content", "form", "searchParams", "query", "url")


def data_exfiltration_flow(subject: Subject) -> Iterator[Sighting]:
    """The whole environment, or a file of credentials, sent to a host that is fixed in the code."""
    for outlet in subject.survey.connects:
        addresses = _addresses(outlet)
        hosts = [fixed_address(outlet.frame, at) for at in addresses]
        host = next((host for host in hosts if foreign(host)), "")
        if not host:
            continue
        for at, path in _sent(outlet, addresses):
            found = [
                leaf
                for leaf in subject.origins.of(outlet.frame, at, path)
                if isinstance(leaf, Origin) and leaf.kind in ("environment", "file")
            ]
            if found:
                leaf = min(found)
                detail = f"{leaf.label} to `{host}`"
                yield subject.leaving(outlet, leaf, detail, leaf.label, "handed to")
                break


def _addresses(outlet: Outlet) -> list[Id]:
    if outlet.row is None:
        return []
    return [
        value
        for place, kind in outlet.row.sinks
        if kind in ("url", "url-host") and not place.path
        for value in places.values(outlet.call, place)
    ]


def _sent(outlet: Outlet, addresses: list[Id]) -> Iterator[tuple[Id, Path]]:
    """What a request carries: its address, and its arguments but for headers."""
    for at in addresses:
        yield at, ()
    for name, at in outlet.call.keywords:
        if name not in _PROOFS and at not in addresses:
            yield at, ()
    for at in outlet.call.args:
        if at in addresses:
            continue
        labels = {ref.name for ref in outlet.frame.refs[at] if ref.sort == "obj"}
        if labels & {"object", "dict"}:
            for name in _BODIES:
                yield at, (name,)
        else:
            yield at, ()


# ── programs ──────────────────────────────────────────────────────────────────────────────────


def environment_inheritance(subject: Subject) -> Iterator[Sighting]:
    """A program that is started with all variables of the server, credentials among them."""
    secrets = sorted(set(subject.survey.secrets))
    seen: set[tuple[str, str]] = set()
    for outlet in subject.survey.starts:
        if outlet.frame.name not in subject.reached or _spawns_server(outlet):
            continue
        if _given(outlet.frame, outlet.call, outlet) is not False:
            continue
        program = _program(outlet)
        key = (outlet.frame.module.name, program)
        if key in seen or not (secrets or (not program and _chosen(outlet))):
            continue
        seen.add(key)
        place = value_place(subject.world, outlet.frame.name, outlet.at)
        handler = subject.handler(outlet.frame.name, outlet.at)
        detail = f"`{program}`" if program else "a program"
        inherited = f"`{secrets[0]}`" if secrets else "all variables"
        detail += f" inherits {inherited}" + (" and others" if len(secrets) > 1 else "")
        yield Sighting(place, detail, handler=handler, sink=outlet.name)


def _chosen(outlet: Outlet) -> bool:
    """Whether a caller decides about the program, which may be one that prints its variables.

    With a shell, that is a command injection and told as such.
    """
    frame = outlet.frame
    if outlet.row is None or any(kind == "shell" for _, kind in outlet.row.sinks):
        return False
    return any(frame.facts[at] or frame.deep(at) for at in outlet.call.args[:1])


def broad_environment_access(subject: Subject) -> Iterator[Sighting]:
    """The whole environment, handed to a program explicitly."""
    for outlet in subject.survey.starts:
        for at, path in _environments(outlet):
            found = [
                leaf
                for leaf in subject.origins.of(outlet.frame, at, path)
                if isinstance(leaf, Origin) and leaf.kind == "environment"
            ]
            if found:
                yield subject.leaving(outlet, min(found), "", min(found).label, "handed to")
                break


def _spawns_server(outlet: Outlet) -> bool:
    """The SDK gives a server that it starts only a safe part of the environment."""
    return outlet.row is not None and any(k == "spawn-server" for _, k in outlet.row.sinks)


def _environments(outlet: Outlet) -> Iterator[tuple[Id, Path]]:
    if outlet.row is None:
        return
    seen: set[tuple[Id, Path]] = set()
    for place, kind in outlet.row.sinks:
        if kind == "environment":
            path = tuple(part for part in place.path if part != "*")
            for at in places.values(outlet.call, place):
                if (at, path) not in seen:
                    seen.add((at, path))
                    yield at, path


def _given(frame: Frame, call: Call, outlet: Outlet) -> bool | None:
    """Whether the environment of a program is said; `None` when that cannot be seen."""
    if call.spread >= 0 or any(name == "**" for name, _ in call.keywords):
        return None
    for at, path in _environments(outlet):
        if not path:
            return not any(ref.name == "v:None" for ref in frame.refs[at])
        owners = [ref for ref in frame.refs[at] if ref.sort != "const"]
        if any(ref.sort == "fn" for ref in owners):
            continue
        if not owners or any(ref.sort != "obj" or ref.name != "object" for ref in owners):
            return None
        names = {name for ref in owners for name in frame.names(ref)}
        if names & {path[0], "*", "**"}:
            return True
    return False


def _program(outlet: Outlet) -> str:
    """The first word of the command, when it is fixed."""
    frame = outlet.frame
    for at in outlet.call.args[:1]:
        texts = [c for c in frame.constants(at) if isinstance(c, str)]
        for element in frame.elements(at)[:1]:
            texts += [
                r.name[2:] for r in sorted(element) if r.sort == "const" and r.name[:2] == "s:"
            ]
        for text in texts:
            words = text.split(None, 1)
            if words:
                return words[0][:40]
    return ""
