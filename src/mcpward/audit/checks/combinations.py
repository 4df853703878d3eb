"""Rules about what the tools of one server can do together."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence, Handler, Place, Severity
from mcpward.core.privilege import Sort
from mcpward.secrets.names import words
from mcpward.taint.entry import Entry

_ADDRESSES = frozenset(["url", "url-host", "browser-url"])
_SAME_HOST = ("number", "listed", "digest", "fixed-host", "host-listed")
"""Marks with which a caller does not decide about the host."""
_OWN_FILES = ("number", "listed", "identifier", "word", "digest", "file-name")
"""Marks of names within a store of the server."""
_READS = frozenset(["get", "read", "list", "search", "fetch", "browse", "query", "view", "show"])
_MAIL = frozenset(["email", "emails", "mail", "mails", "inbox", "gmail"])
_FOREIGN = _MAIL | frozenset(
    [
        *("issue", "issues", "comment", "comments", "webpage", "website", "url", "tweet", "tweets"),
        *("ticket", "tickets", "rss", "feed", "feeds", "article", "articles", "reviews"),
    ]
)
"""What strangers write."""
_PRIVATE = _MAIL | frozenset(["calendar", "contacts", "files", "file", "secrets", "attachment"])
_SENDS = frozenset(["send", "post", "publish", "reply", "forward", "tweet", "comment"])
_MAKES = frozenset(["create", "add", "write"])
_PUBLIC = frozenset(["issue", "issues", "comment", "comments", "tweet", "gist", "discussion"])
"""What others read when it is made."""


@dataclass(slots=True)
class _Abilities:
    """The tools of one server by what they can do."""

    foreign: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    out: set[str] = field(default_factory=set)
    anywhere: set[str] = field(default_factory=set)
    """Tools whose caller decides about the host."""
    files: set[str] = field(default_factory=set)
    """Tools whose caller decides about the file."""


def toxic_flow(subject: Subject) -> Iterator[Sighting]:
    """Servers whose tools read foreign text and private data, and send; one for each server."""
    for place, entries in _servers(subject):
        able = _abilities(subject, entries)
        if not (able.foreign and able.private and able.out):
            continue
        level, why = None, ""
        if able.foreign == able.out and len(able.out) == 1:
            level, why = Severity.LOW, "one tool is the only source and the only way out"
        elif able.anywhere and able.files:
            level, why = Severity.HIGH, "callers choose both the files and the host"
        private, out = min(able.files or able.private), min(able.anywhere or able.out)
        detail = (
            f"`{min(able.foreign)}` brings in text of strangers, `{private}` reads private data,"
            f" and `{out}` sends data out"
        )
        reasons = (why,) if why else ()
        # What arguments decide about is seen in the code; the rest is only said by names.
        seen = level is Severity.LOW and bool(able.anywhere and able.files)
        sure = Confidence.HIGH if seen else Confidence.MEDIUM
        yield Sighting(place, detail, level, sure, Handler("tool", out), adjustments=reasons)


def _servers(subject: Subject) -> Iterator[tuple[Place, list[Entry]]]:
    """Each server with its tools: of several, the one that is declared nearest above them."""
    world = subject.world
    places = [one.fields.place for one in subject.definitions if one.sort == "server"]
    found: defaultdict[Place, list[Entry]] = defaultdict(list)
    for entry in sorted(world.entries.values(), key=lambda one: one.index):
        function = world.program.function(entry.function)
        if entry.model.sort != "tool" or not entry.label or function is None:
            continue
        file = world.program.modules[function.module].source.path
        near = [one for one in places if _above(one.file, file)]
        if near:
            best = max(near, key=lambda one: (one.file == file, len(posixpath.dirname(one.file))))
            found[best].append(entry)
    yield from found.items()


def _above(server: str, file: str) -> bool:
    """Whether a file is in the folder of a server, below it, or in one beside it."""
    folder = posixpath.dirname(server)
    if server == file or not folder or file.startswith(folder + "/"):
        return True
    return file.startswith(posixpath.dirname(folder) + "/") if "/" in folder else True


def _abilities(subject: Subject, entries: Iterable[Entry]) -> _Abilities:
    able = _Abilities()
    world = subject.world
    names = {entry.index: entry.label for entry in entries}
    same_host, own_files = world.mask(_SAME_HOST), world.mask(_OWN_FILES)
    for source, marks, hit in world.findings:
        name = names.get(source.entry)
        if name is None or source.kind != "model":
            continue
        if hit.kind in _ADDRESSES and not marks & same_host:
            able.foreign.add(name)
            able.out.add(name)
            able.anywhere.add(name)
        elif hit.kind == "path-read" and not marks & own_files:
            able.private.add(name)
            able.files.add(name)
    for entry in entries:
        _named(able, entry.label, connects=_connects(subject, entry))
    return able


def _connects(subject: Subject, entry: Entry) -> bool:
    """Whether a tool talks to another machine."""
    return any(
        one.sort is Sort.HOST
        for name in subject.reachable(entry.handler.name)
        for one in subject.effects.get(name, ())
    )


def _named(able: _Abilities, name: str, *, connects: bool) -> None:
    """What a name says of a tool that talks to another machine."""
    said = words(re.sub(r"[-.]", "_", name))
    if not connects or not said:
        return
    verbs = said[:2]
    if not _READS.isdisjoint(verbs):
        if not _FOREIGN.isdisjoint(said):
            able.foreign.add(name)
        if not _PRIVATE.isdisjoint(said):
            able.private.add(name)
    elif not _SENDS.isdisjoint(verbs) or (
        not _MAKES.isdisjoint(verbs) and not _PUBLIC.isdisjoint(said)
    ):
        able.out.add(name)
