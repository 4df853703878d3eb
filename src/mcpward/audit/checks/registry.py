"""Checks of what a server says it has: tools with one name, tools that change while it runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from mcpward.audit.places import value_place
from mcpward.audit.sites import stores
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity
from mcpward.ir.values import Call
from mcpward.taint.entry import Entry

_OFFERED = frozenset(["tool", "resource", "prompt", "raw"])
_CHANGES = frozenset(["update", "remove", "enable", "disable"])
_REGISTERS = frozenset(
    [
        *("add_tool", "remove_tool", "add_prompt", "add_resource", "registerTool"),
        *("registerPrompt", "registerResource", "addTool", "removeTool", "tool"),
    ]
)


def duplicate_tool_registration(subject: Subject) -> Iterator[Sighting]:
    """Tools of one server that have the same name."""
    world = subject.world
    known: defaultdict[tuple[object, ...], list[Entry]] = defaultdict(list)
    for entry in world.entries.values():
        frame = world.frames.get(entry.function)
        call = frame.values[entry.at] if frame is not None else None
        if entry.model.sort != "tool" or not entry.label or not isinstance(call, Call):
            continue
        assert frame is not None
        if frame.function.conditions.get(call.block) is not None:
            continue
        receiver = call.receiver
        if receiver is None and isinstance(factory := frame.values[call.callee], Call):
            receiver = factory.receiver
        if receiver is None:
            continue
        servers = tuple(sorted(r for r in frame.refs[receiver] if r.sort in ("obj", "self")))
        if len(servers) == 1:
            known[servers, entry.label, entry.function].append(entry)
    for same in known.values():
        first, *others = sorted(same, key=lambda entry: entry.at)
        for entry in others:
            if entry.at != first.at and entry.handler.name != first.handler.name:
                place = value_place(world, entry.function, entry.at)
                yield Sighting(place, f"`{entry.label}`")


def handler_mutates_registry(subject: Subject) -> Iterator[Sighting]:
    """Handlers that add, remove or reword what the server offers."""
    reached = _offered(subject)
    world = subject.world
    told: set[tuple[str, int]] = set()
    for entry in sorted(world.entries.values(), key=lambda entry: entry.index):
        if entry.function in reached and entry.model.sort in _OFFERED:
            if (entry.function, entry.at) not in told:
                told.add((entry.function, entry.at))
                yield _seen(subject, entry.function, entry.at, "registers a handler")
    for site in subject.about("handler-mutates-registry"):
        last = site.name.rpartition(".")[2]
        where = (site.frame.name, site.at)
        if site.frame.name in reached and where not in told and last in (_CHANGES | _REGISTERS):
            told.add(where)
            grave = any(
                name == "description"
                for value in site.call.args
                for name in getattr(site.frame.values[value], "fields", None) or ()
            )
            level = Severity.HIGH if grave else None
            yield _seen(subject, *where, f"calls `{last}`", level)
    handlers = {entry.handler.name for entry in world.entries.values()}
    for frame, at, store in stores(world):
        if frame.name in reached and store.field in ("__doc__", "description"):
            described = any(r.sort == "fn" and r.name in handlers for r in frame.refs[store.object])
            if described or (store.field == "description" and _tool(frame.refs[store.object])):
                yield _seen(subject, frame.name, at, "rewrites a description", Severity.HIGH)


def _tool(refs: object) -> bool:
    return any(
        ref.sort == "inst" and ref.name.endswith(("mcp.types.Tool", ".RegisteredTool"))
        for ref in refs  # type: ignore[attr-defined]  # a set of referents
    )


def _offered(subject: Subject) -> set[str]:
    """The functions that a tool, resource or prompt reaches; routes set up servers of their own."""
    callees: defaultdict[str, list[str]] = defaultdict(list)
    for callee, callers in subject.world.callers.items():
        for caller in callers:
            callees[caller].append(callee)
    entries = subject.world.entries.values()
    pending = [e.handler.name for e in entries if e.model.sort in _OFFERED]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += callees[name]
    return found


def _seen(
    subject: Subject, function: str, at: int, what: str, level: Severity | None = None
) -> Sighting:
    place = value_place(subject.world, function, at)
    return Sighting(place, what, level, handler=subject.handler(function, at))
