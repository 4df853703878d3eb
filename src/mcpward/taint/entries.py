"""Finds the handlers a client or a model can call, and what their schemas guarantee."""

from __future__ import annotations

from mcpward.core.rule import CallModel, EntryModel
from mcpward.ir.program import bare
from mcpward.ir.values import Call, Closure, Function, Id, Load, Param
from mcpward.taint import places, schemas
from mcpward.taint.annotations import guarantee
from mcpward.taint.binding import receivers
from mcpward.taint.entry import Entry
from mcpward.taint.facts import NO_FACTS, NO_REFS, Ref, Refs, Symbol, marked, ordered
from mcpward.taint.frame import Frame
from mcpward.taint.world import World

_METHODS = {
    "CallToolRequestSchema": "tools/call",
    "ReadResourceRequestSchema": "resources/read",
    "GetPromptRequestSchema": "prompts/get",
    "CompleteRequestSchema": "completion/complete",
}

_PLAIN = frozenset(["str", "string", "list", "|", "pathlib.Path", "pathlib.PurePath"])
"""Types of arguments that have no arguments inside."""


def registered(frame: Frame, at: Id, call: Call) -> bool:
    """Notes every handler that a call declares; whether the call was such a declaration."""
    found = False
    callee = frame.values[call.callee]
    for ref in ordered(frame.refs[call.callee]):
        if ref.sort == "ext":
            name = frame.library.canonical(ref.name)
            found = _named(frame, at, call, name) or found
        elif ref.sort == "cls":
            for outside in frame.world.classes.outside(ref.name)[:2]:
                found = _named(frame, at, call, outside) or found
    if not found and isinstance(callee, Load) and call.receiver is not None:
        if any(r.sort in ("fn", "cls") for r in frame.refs[call.callee]):
            rows = _bundled(frame, call.receiver, callee.field)
        else:
            loose = frame.library.loose_entries(callee.field)
            rows = [row for row in loose if _plausible(frame, call, row)]
        for row in rows:
            found = _declared(frame, at, call, row, call) or found
    elif not found and isinstance(callee, Call) and _decorates(frame, call):
        factory = frame.values[callee.callee]
        if isinstance(factory, Load) and not frame.refs[callee.callee]:
            for row in frame.library.loose_entries(factory.field):
                if row.how == "decorator":
                    found = _declared(frame, at, call, row, callee) or found
    return found


def _plausible(frame: Frame, call: Call, row: EntryModel) -> bool:
    """A loose row needs a receiver that is not known to be something else."""
    if call.receiver is None:
        return False
    known = [r for r in frame.refs[call.receiver] if r.sort in ("inst", "self", "obj", "const")]
    owner = row.name.rpartition(".")[0]
    return not known or any(r.name.rpartition(".")[2] == owner.rpartition(".")[2] for r in known)


def _bundled(frame: Frame, receiver: Id, method: str) -> list[EntryModel]:
    """The rows for a method of a library's class that a bundler has put into the program.

    What the library registers with itself is none of the program's handlers.
    """
    known = frame.library.servers
    if _class_name(frame.function.owner) in known:
        return []
    names = {_class_name(r.name) for r in frame.refs[receiver] if r.sort == "self"}
    return [row for name in sorted(names & known.keys()) for row in known[name].get(method, ())]


def _class_name(name: str) -> str:
    """The name of a class in its source; bundlers add numbers to names that they have twice."""
    return bare(name).rstrip("0123456789")


def _named(frame: Frame, at: Id, call: Call, name: str) -> bool:
    found = False
    for row in frame.library.entries(name):
        if row.how == "decorator" and call.sort != "decorator" and not _functions(frame, call):
            frame.refer(at, frozenset([Ref("ext", name + "()")]))
            found = True
        else:
            found = _declared(frame, at, call, row, call) or found
    if name.endswith("()") and _decorates(frame, call):
        factory = frame.values[call.callee]
        for row in frame.library.entries(name[:-2]):
            if row.how == "decorator" and isinstance(factory, Call):
                found = _declared(frame, at, call, row, factory) or found
    return found


def _decorates(frame: Frame, call: Call) -> bool:
    """Whether a call hands a function to a decorator: `@server.tool()`, `server.tool()(f)`."""
    return call.sort == "decorator" or (len(call.args) == 1 and bool(_functions(frame, call)))


def _functions(frame: Frame, call: Call) -> list[Ref]:
    found = [r for a in call.args[:1] for r in ordered(frame.refs[a]) if r.sort == "fn"]
    if found and all(_passes_on(frame.world, ref) for ref in found):
        inner = _decorated(frame, call.args[0])
        if inner is not None:
            return [inner]
    return found


def _passes_on(world: World, ref: Ref) -> bool:
    """Whether a function only takes `*args, **kwargs`: a wrapper that calls what it wraps."""
    function = world.program.function(ref.name)
    if function is None:
        return False
    sorts = {
        value.sort
        for value in (function.values[at] for at in function.params)
        if isinstance(value, Param) and value.sort != "capture"
    }
    return bool(sorts) and sorts <= {"args", "kwargs"}


def _decorated(frame: Frame, at: Id) -> Ref | None:
    """The function under a chain of decorators."""
    for _ in range(8):
        value = frame.values[at]
        if isinstance(value, Closure):
            return Ref("fn", value.target, frame.name, at)
        if not isinstance(value, Call) or value.sort != "decorator" or not value.args:
            return None
        at = value.args[0]
    return None


def _declared(frame: Frame, at: Id, call: Call, row: EntryModel, labels: Call) -> bool:
    """Notes the handlers of one declaration; `labels` is the call that holds name and schema."""
    if not all(places.holds(frame, labels, c, unknown=False) for c in row.when):
        return False
    found = False
    for ref in _handlers(frame, call, row):
        _note(frame, at, row, ref, labels)
        found = True
    if found and row.how == "decorator" and call.args:
        frame.refer(at, frame.refs[call.args[0]])
    return found


def _handlers(frame: Frame, call: Call, row: EntryModel) -> list[Ref]:
    if row.how == "decorator":
        return _functions(frame, call)
    if row.how == "subclass":
        return []
    if row.handler is None:
        for value in reversed(call.args):
            found = [r for r in ordered(frame.refs[value]) if r.sort == "fn"]
            if found:
                return found
        return []
    refs = places.refs(frame, call, row.handler)
    return [r for r in ordered(refs) if r.sort == "fn"]


def _note(frame: Frame, at: Id, row: EntryModel, ref: Ref, labels: Call) -> None:
    world = frame.world
    key = (ref.name, row.sort, frame.name, at)
    schema = places.refs(frame, labels, row.schema) if row.schema is not None else NO_REFS
    entry = world.entries.get(key)
    if entry is None:
        label = _label(frame, row, labels, ref)
        entry = Entry(row, ref, label, frame.name, at, len(world.entries), schema)
        world.entries[key] = entry
        world.heat(ref.name)
        world.enqueue(ref.name)
    elif schema - entry.schema:
        entry.schema = entry.schema | schema
    if schema:
        entry.marks = schemas.guaranteed(frame, entry.schema)


def _label(frame: Frame, row: EntryModel, call: Call, ref: Ref) -> str:
    if row.label is not None:
        for value in places.values(call, row.label):
            path = places.path_of(frame, call, row.label, value) or ()
            known = frame.read_refs(value, path) if path else frame.refs[value]
            for one in sorted(known):
                if one.sort == "const" and one.name[:2] == "s:":
                    return one.name[2:]
                last = one.name.rpartition(".")[2]
                if one.sort == "ext" and last in _METHODS:
                    return _METHODS[last]
    tail = bare(ref.name)
    return "" if tail.startswith("<") else tail.partition("@")[0]


def subclassed(frame: Frame, at: Id, name: str) -> None:
    """Notes the handler methods of a class that extends or plainly implements a known base."""
    world = frame.world
    rows: list[EntryModel] = []
    for outside in world.classes.outside(name):
        rows += frame.library.entries(frame.library.canonical(outside))
    made = world.program.classes.get(name)
    for method in made.methods if made is not None else ():
        rows += frame.library.loose_entries(method)
    for row in rows:
        method_name = world.classes.method(name, row.method) if row.how == "subclass" else None
        if method_name is None:
            continue
        fields = world.heap_refs.get((Ref("self", world.classes.kin(name)), "schema"), NO_REFS)
        key = (method_name, row.sort, frame.name, at)
        if key not in world.entries:
            label = _class_label(frame, name)
            ref = Ref("fn", method_name)
            world.entries[key] = Entry(row, ref, label, frame.name, at, len(world.entries))
            world.heat(method_name)
            world.enqueue(method_name)
        if fields:
            world.entries[key].marks = schemas.guaranteed(frame, fields)


def _class_label(frame: Frame, name: str) -> str:
    cell = (Ref("self", frame.world.classes.kin(name)), "name")
    for ref in ordered(frame.world.heap_refs.get(cell, NO_REFS)):
        if ref.sort == "const" and ref.name[:2] == "s:":
            return ref.name[2:]
    return name.rpartition(":")[2]


def parsed(frame: Frame, at: Id, call: Call, row: CallModel) -> None:
    """The result of `schema.parse(x)`: its fields have what the schema guarantees."""
    if call.receiver is None:
        return
    marks = schemas.guaranteed(frame, frame.refs[call.receiver])
    if not marks:
        return
    made = Ref("obj", "parsed", frame.name, at)
    whole = NO_FACTS
    for argument in call.args[:1]:
        whole = whole | frame.facts[argument]
        for path, bits in marks.items():
            if path:
                facts = marked(frame.read(argument, path[:1]), bits)
                _field(frame, made, path, facts, at, nested=_wraps(row))
    shown = marks.get((), 0)
    if shown or any(path for path in marks):
        frame.facts[at] = marked(whole, shown) if shown else NO_FACTS
        frame.refer(at, frozenset([made]))


def _wraps(row: CallModel) -> bool:
    return any(target.path[:1] == ("data",) for _, target in row.passes)


def _field(
    frame: Frame, made: Ref, path: tuple[str, ...], facts: object, at: Id, *, nested: bool
) -> None:
    assert isinstance(facts, frozenset)
    if nested:
        inner = Ref("obj", "parsed", made.site, made.at + 1_000_000)
        frame.put((made, "data"), NO_FACTS, frozenset([inner]), at)
        made = inner
    frame.put((made, path[0]), facts, NO_REFS, at)


# ── parameters of handlers ────────────────────────────────────────────────────────────────────


def source(world: World, frame: Frame, entry: Entry, symbol: Symbol) -> tuple[str, int, str] | None:
    """(source kind, marks, label) of a parameter of a handler; `None` when it is no source."""
    function = frame.function
    param = _declared_param(function, symbol.index)
    if param is None:
        return None
    position = symbol.index - receivers(function)
    row = entry.model
    label = _spoken(param, symbol)
    if row.parameters:
        for index, path, kind in row.parameters:
            reach = min(len(path), len(symbol.path))
            if index == position and path[:reach] == symbol.path[:reach]:
                return kind, _schema_marks(entry, symbol, len(path)), label
        return None
    if _injected(world, frame, row, param, symbol.index):
        return None
    marks = 0
    if row.style == "annotations":
        marks = guarantee(frame, param.annotation)
    elif position == 0:
        marks = _schema_marks(entry, symbol, 0)
    return row.kind, marks, label


def _declared_param(function: Function, index: int) -> Param | None:
    for at in function.params:
        value = function.values[at]
        if isinstance(value, Param) and value.index == index:
            return value if value.sort not in ("receiver", "capture") else None
    return None


def _schema_marks(entry: Entry, symbol: Symbol, skip: int) -> int:
    if entry.marks is None or entry.model.style == "none":
        return 0
    path = symbol.path[skip:]
    for length in range(len(path), 0, -1):
        found = entry.marks.get(path[:length])
        if found:
            return found
    return 0


def _spoken(param: Param, symbol: Symbol) -> str:
    path = [part for part in symbol.path if part not in ("*", "params", "arguments", "+")]
    plain = param.annotation is not None and param.annotation.name in _PLAIN
    if path and not plain:
        return ".".join(path)
    return param.name if not param.name.startswith("<") else "arguments"


def _injected(world: World, frame: Frame, row: EntryModel, param: Param, index: int) -> bool:
    names: set[str] = set()
    annotation = param.annotation
    work = [annotation] if annotation is not None else []
    while work:
        one = work.pop()
        names.add(one.name)
        work += one.args
    refs: Refs = world.param_refs.get((frame.name, index), NO_REFS)
    names |= {ref.name.removesuffix("()") for ref in refs if ref.sort in ("ext", "inst")}
    canonical = {frame.library.canonical(name) for name in names if name}
    if canonical & set(row.injected):
        return True
    return any(name.rpartition(".")[2] in ("Context", "Depends", "Request") for name in canonical)
