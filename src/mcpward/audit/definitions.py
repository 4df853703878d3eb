"""What a server offers, as its code declares it: tools, prompts, resources and instructions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mcpward.audit.places import span_place, value_place
from mcpward.audit.schemas import Schemas
from mcpward.audit.written import At, Fields, Made, Plain, Reader, Written
from mcpward.ir.values import Call, Function, Id, Join
from mcpward.taint.entry import Entry
from mcpward.taint.world import World

_SORTS = {"tool": "tools", "resource": "resources", "prompt": "prompts"}
_CLASSES = {
    "Tool": "tools",
    "Prompt": "prompts",
    "Resource": "resources",
    "ResourceTemplate": "resources",
}
_SERVERS = frozenset(["FastMCP", "MCPServer", "McpServer", "Server", "LiteMCP", "MCPServerBase"])
_SCHEMAS = ("inputSchema", "input_schema", "parameters", "argsSchema", "schema", "paramsSchema")
_PLAIN = (
    "name",
    "title",
    "description",
    "uri",
    "uriTemplate",
    "mimeType",
    "icons",
    "meta",
    "_meta",
)
_TEXTS = frozenset(["description", "title", "instructions"])
_TELLING = frozenset(["description", "inputSchema", "uri"])
_HANDLERS = frozenset(["handler", "execute", "run", "callback", "cb"])


@dataclass(frozen=True, slots=True)
class Definition:
    """One tool, prompt or resource, or the server itself."""

    sort: str
    """`tools`, `prompts`, `resources` or `server`."""
    name: str
    """Empty when it is only known at run time."""
    fields: Fields
    """With the names of the protocol: `description`, `inputSchema`, `annotations`, …"""
    handler: str = ""
    """Name of the function that answers, where it is known."""
    texts: tuple[tuple[str, At], ...] = ()
    """The values that texts are made of: field → function and value in it."""


def definitions(reader: Reader) -> Iterator[Definition]:
    """Everything that is declared, each once, in the order of files."""
    world, schemas = reader.world, Schemas(reader)
    seen: set[tuple[str, int, int]] = set()
    found = [*_registered(world, schemas), *_listed(world, schemas)]
    for one in sorted(found, key=lambda d: (d.fields.place.file, d.fields.place.start)):
        place = one.fields.place
        key = (place.file, *place.start)
        if key not in seen:
            seen.add(key)
            yield one


# ── declared with their handler ───────────────────────────────────────────────────────────────


def _registered(world: World, schemas: Schemas) -> Iterator[Definition]:
    for entry in world.entries.values():
        sort = _SORTS.get(entry.model.sort)
        subclass = entry.model.how == "subclass"
        if sort is None or not entry.label or (entry.model.label is None and not subclass):
            continue
        if subclass:
            yield from _class(world, schemas, entry, sort)
        else:
            yield _declared(world, schemas, entry, sort)


def _declared(world: World, schemas: Schemas, entry: Entry, sort: str) -> Definition:
    reader = schemas.reader
    function = world.program.function(entry.function)
    assert function is not None
    call = _labels(function, entry.at)
    place = value_place(world, entry.function, entry.at)
    given = dict(_given(reader, function, call))
    pairs: dict[str, Written] = {"name": Plain(entry.label, place)}
    for key in (*_PLAIN, "annotations"):
        if key in given:
            pairs[key] = _keywords(reader, given[key])
    if "description" not in pairs:
        doc = _docstring(world, entry)
        if doc is not None:
            pairs["description"] = doc
    if sort == "resources":
        pairs.setdefault("uri", pairs["name"])
    schema = next((given[key] for key in _SCHEMAS if key in given), None)
    shape = schemas.schema(schema) if schema is not None else schemas.parameters(entry)
    if shape is not None:
        pairs["inputSchema"] = shape
    fields = Fields(tuple(pairs.items()), place)
    values = tuple(_values(function, call))
    return Definition(sort, entry.label, fields, entry.handler.name, values)


def _values(function: Function, made: Call | Join) -> Iterator[tuple[str, At]]:
    """The values that the texts of a declaration are made of."""
    if isinstance(made, Join):
        named = list(zip(made.fields or (), made.operands, strict=False))
    else:
        named = list(made.keywords)
        for argument in made.args:
            value = function.values[argument]
            if isinstance(value, Join) and value.fields:
                named += zip(value.fields, value.operands, strict=True)
    yield from ((name, (function.name, at)) for name, at in named if name in _TEXTS)


def _labels(function: Function, at: Id) -> Call:
    """The call that holds the name: a decorator's own call stands around it."""
    call = function.values[at]
    assert isinstance(call, Call)
    factory = function.values[call.callee] if call.callee >= 0 else None
    if isinstance(factory, Call) and (call.sort == "decorator" or len(call.args) == 1):
        return factory
    return call


def _given(reader: Reader, function: Function, call: Call) -> Iterator[tuple[str, Written]]:
    """What a call says: by position, in objects, by keyword."""
    for position, argument in enumerate(call.args):
        written = reader.read((function.name, argument))
        match written:
            case Fields(items=items) if written.get("inputSchema") or (
                any(key in _PLAIN or key in _SCHEMAS or key == "annotations" for key, _ in items)
                and not any(isinstance(value, Made) for _, value in items[:1])
            ):
                yield from items
            case Fields(items=items) if items:
                yield "parameters", written
            case Plain(value=str()) if position == 1:
                yield "description", written
            case Made():
                yield "parameters", written
            case _:
                pass
    for name, value in call.keywords:
        yield name, reader.read((function.name, value))


def _keywords(reader: Reader, written: Written) -> Written:
    """`ToolAnnotations(readOnlyHint=True)` like the dictionary that it stands for."""
    if not isinstance(written, Made):
        return written
    at = written.at[0]
    pairs = tuple((name, reader.read((at, value))) for name, value in written.call.keywords)
    return Fields(pairs, written.place, written.name)


def _docstring(world: World, entry: Entry) -> Plain | None:
    function = world.program.function(entry.handler.name)
    if function is None or function.doc is None or not isinstance(function.doc.value, str):
        return None
    place = span_place(world, function, function.doc.start, function.doc.end)
    return Plain(function.doc.value, place)


def _class(world: World, schemas: Schemas, entry: Entry, sort: str) -> Iterator[Definition]:
    """A class whose fields say what the tool is."""
    made = world.program.classes.get(entry.handler.name.rpartition(".")[0])
    if made is None:
        return
    function = world.program.function(made.scope)
    if function is None:
        return
    place = span_place(world, function, made.start, made.end)
    pairs: dict[str, Written] = {"name": Plain(entry.label, place)}
    for key in (*_PLAIN, "annotations", *_SCHEMAS):
        at = made.defaults.get(key)
        if at is not None:
            value = schemas.reader.read((made.scope, at))
            if key in _SCHEMAS:
                pairs["inputSchema"] = schemas.schema(value)
            else:
                pairs[key] = _keywords(schemas.reader, value)
    yield Definition(sort, entry.label, Fields(tuple(pairs.items()), place), entry.handler.name)


# ── listed for clients ────────────────────────────────────────────────────────────────────────


def _listed(world: World, schemas: Schemas) -> Iterator[Definition]:
    """Tool objects of low-level servers, wherever they are written, and servers themselves."""
    reader = schemas.reader
    for name in sorted(world.frames):
        function = world.frames[name].function
        for at in world.frames[name].live:
            value = function.values[at]
            if isinstance(value, Join) and value.fields and "name" in value.fields:
                if "inputSchema" in value.fields or "input_schema" in value.fields:
                    yield from _object(schemas, (name, at), "tools")
            elif isinstance(value, Call):
                called = reader.name(function, value.callee)
                said = {key for key, _ in value.keywords}
                if called in _SERVERS:
                    yield from _server(reader, function, at, value)
                elif called in _CLASSES and "name" in said and said & _TELLING:
                    yield from _object(schemas, (name, at), _CLASSES[called])


def _object(schemas: Schemas, at: At, sort: str) -> Iterator[Definition]:
    written = _keywords(schemas.reader, schemas.reader.read(at))
    if not isinstance(written, Fields):
        return
    name = written.get("name")
    said = name.value if isinstance(name, Plain) and isinstance(name.value, str) else ""
    pairs = tuple(
        ("inputSchema", schemas.schema(value))
        if key in _SCHEMAS
        else (key, _keywords(schemas.reader, value))
        if key == "annotations"
        else (key, value)
        for key, value in written.items
        if key not in _HANDLERS
    )
    function = schemas.world.program.function(at[0])
    value = function.values[at[1]] if function is not None else None
    values: tuple[tuple[str, At], ...] = ()
    if function is not None and isinstance(value, Call | Join):
        values = tuple(_values(function, value))
    yield Definition(sort, said, Fields(pairs, written.place), texts=values)


def _server(reader: Reader, function: Function, at: Id, call: Call) -> Iterator[Definition]:
    """What a server tells about itself."""
    pairs = tuple(_introduced(reader, function, call))
    if pairs:
        place = value_place(reader.world, function.name, at)
        texts = tuple(_values(function, call))
        yield Definition("server", "", Fields(pairs, place), texts=texts)


def _introduced(reader: Reader, function: Function, call: Call) -> Iterator[tuple[str, Written]]:
    for argument in call.args:
        written = reader.read((function.name, argument))
        if isinstance(written, Fields):
            yield from (
                (key, value)
                for key, value in written.items
                if key in ("instructions", "title", "description", "name", "version")
            )
        elif isinstance(written, Plain) and isinstance(written.value, str):
            yield "name", written
    for key, value in call.keywords:
        if key in ("name", "title", "instructions", "description", "version"):
            yield key, reader.read((function.name, value))
