"""What a tool says of itself beside what its code does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.definitions import Definition
from mcpward.audit.places import value_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.audit.written import Fields, Plain
from mcpward.core.finding import Confidence, Handler, Severity
from mcpward.core.late import late
from mcpward.ir.liveness import operands
from mcpward.ir.values import Load, Param, Return, Store
from mcpward.taint.facts import Hit, Source
from mcpward.taint.frame import Frame

_READS = late(
    r"(?:get|list|read|show|view|describe|count|calculate|compute|check|lookup|search|find)(?![a-z])",
    re.IGNORECASE,
)
"""Beginnings of names and descriptions that promise to change nothing."""
_CHANGES = late(
    r"\b(?:writ|sav|creat|delet|remov|updat|stor|download|export|cach|log|run|execut|cop|mov|renam"
    r"|modif|insert|add|set|edit|append|generat|upload|send|post|install|record|persist|clon"
    r"|open|launch|start|build|convert|extract|render|screenshot|captur|kill|stop|command|shell"
    r"|fil|disk|output|sync|index|git|process|script|program)",
    re.IGNORECASE,
)
"""Beginnings of words by which a description admits that something is changed or run."""
_CHANGING = {
    "path-write": "writes a file",
    "path-delete": "deletes a file",
    "shell": "runs a program",
    "program": "runs a program",
}
"""Kinds of sinks by which a tool changes what its caller names."""
_LEFT_ALONE = late(r"_|ctx$|context$|kwargs$|args$|dummy|random_string|no_params", re.IGNORECASE)
"""Names that say themselves that nothing is done with them."""
_STUB = 3
"""Values of a function that only stands for one."""


def misleading_tool_annotations(subject: Subject) -> Iterator[Sighting]:
    """Tools that are declared as read-only and change what a caller names, once for each place."""
    told: dict[Hit, list[Definition]] = {}
    for tool in _tools(subject):
        hints = tool.fields.get("annotations")
        for key in ("readOnlyHint", "read_only_hint"):
            hint = hints.get(key) if isinstance(hints, Fields) else None
            if isinstance(hint, Plain) and hint.value is True:
                for hit in _changes(subject, tool):
                    told.setdefault(hit, []).append(tool)
                    break
    for hit, tools in told.items():
        yield _sighting(subject, tools[0], hit, len(tools) - 1)


def description_behaviour_mismatch(subject: Subject) -> Iterator[Sighting]:
    """Tools that promise to read and change what a caller names."""
    for tool in _tools(subject):
        about = tool.fields.get("description")
        said = about.value if isinstance(about, Plain) and isinstance(about.value, str) else ""
        if not said or not _READS.match(tool.name) or _CHANGES.search(f"{tool.name} {said}"):
            continue
        for hit in _changes(subject, tool):
            yield _sighting(subject, tool, hit)
            break


def dynamic_tool_description(subject: Subject) -> Iterator[Sighting]:
    """Descriptions that are made from what the server fetched, read or was told."""
    world = subject.world
    for definition in subject.definitions:
        for key, (function, at) in definition.texts:
            frame = world.frames.get(function)
            facts = frame.deep(at) if frame is not None else frozenset()
            origins = sorted({origin.label for origin, _ in facts if isinstance(origin, Source)})
            for origin in origins[:1]:
                assert frame is not None
                named = definition.name or "the server"
                local = not _remote(frame, origin)
                yield Sighting(
                    definition.fields.place,
                    f"the {key} of `{named}` holds `{origin}`",
                    Severity.LOW if local else None,
                    Confidence.MEDIUM,
                    adjustments=("low because the source is on this machine",) if local else (),
                )
    for name in sorted(subject.reached.keys() & world.frames.keys()):
        for index, value in enumerate(world.frames[name].function.values):
            if isinstance(value, Store) and value.field == "__doc__":
                place = value_place(world, name, index)
                handler = subject.handler(name, index)
                yield Sighting(place, "a handler rewrites a docstring", handler=handler)


def _remote(frame: Frame, called: str) -> bool:
    """Whether a source is a call that connects to an address."""
    rows = frame.library.calls(called)
    known = any(
        kind.startswith("path") or kind in ("shell", "program")
        for row in rows
        for _, kind in row.sinks
    )
    return not known


def unused_tool_parameter(subject: Subject) -> Iterator[Sighting]:
    """Parameters that a model is asked for and that the code never looks at."""
    for tool in _tools(subject):
        frame = subject.world.frames.get(tool.handler)
        schema = tool.fields.get("inputSchema")
        properties = schema.get("properties") if isinstance(schema, Fields) else None
        if frame is None or not isinstance(properties, Fields) or len(frame.values) <= _STUB:
            continue
        used = _used(frame)
        for name, written in properties.items if used is not None else ():
            if name not in (used or ()) and not _LEFT_ALONE.match(name):
                handler = Handler("tool", tool.name, tool.fields.place)
                yield Sighting(written.place, f"`{name}`", handler=handler)


def _used(frame: Frame) -> set[str] | None:
    """The parameters that a handler looks at; `None` when it takes them as a whole."""
    function = frame.function
    params = {
        at: value
        for at in function.params
        if isinstance(value := function.values[at], Param) and value.sort != "receiver"
    }
    if any(param.sort in ("args", "kwargs") for param in params.values()):
        return None
    annotated = frame.library.family == "python"
    used: set[str] = set()
    for value in function.values:
        read = (value.value,) if isinstance(value, Return) else operands(value)
        for operand in read:
            param = params.get(operand)
            if param is None:
                continue
            if annotated:
                used.add(param.name)
            elif param.index == 0:
                if not isinstance(value, Load) or value.field == "*":
                    return None
                used.add(value.field)
    return used


def _tools(subject: Subject) -> Iterator[Definition]:
    return (one for one in subject.definitions if one.sort == "tools" and one.handler)


def _changes(subject: Subject, tool: Definition) -> Iterator[Hit]:
    """Where an argument of a tool decides what is changed or run."""
    world = subject.world
    indexes = {e.index for e in world.entries.values() if e.handler.name == tool.handler}
    for source, _, hit in sorted(world.findings):
        if source.kind == "model" and source.entry in indexes and hit.kind in _CHANGING:
            yield hit


def _sighting(subject: Subject, tool: Definition, hit: Hit, others: int = 0) -> Sighting:
    at = value_place(subject.world, hit.function, hit.at)
    written = hit.kind == "path-write"
    more = f", like {others} other tool{'s' * (others > 1)}," if others else ""
    named = f"`{tool.name}`{more}"
    return Sighting(
        tool.fields.place,
        f"{named} {_CHANGING[hit.kind]} that its caller chooses ({at.file}:{at.start.line})",
        severity=Severity.MEDIUM if written else None,
        handler=Handler("tool", tool.name, tool.fields.place),
        adjustments=("medium because a file may be a cache",) if written else (),
    )
