"""Schemas as values: what zod, TypeBox and JSON Schema objects guarantee about what they accept.

A schema is kept on the heap like any other object, so it may be built in one file and used in
another. Fields in angle brackets hold what the builder calls said.
"""

from __future__ import annotations

from mcpward.ir.values import Call, Id, Pattern
from mcpward.taint.constants import constant, literal
from mcpward.taint.facts import NO_FACTS, Ref, Refs, ordered
from mcpward.taint.frame import Frame
from mcpward.taint.patterns import proven

_NUMBERS = frozenset(
    ["number", "int", "bigint", "boolean", "date", "uuid", "ulid", "cuid", "cuid2", "nan", "null",
     "undefined", "void", "never", "guid", "int32", "uint32", "float32", "float64", "integer",
     "stringbool", "nanoid"]
)  # fmt: skip
_TEXTS = frozenset(["string", "email", "url", "iso", "jwt", "base64", "templateLiteral"])
_LISTED = frozenset(["enum", "literal", "nativeEnum", "picklist"])
_OBJECTS = frozenset(["object", "strictObject", "looseObject", "interface"])
_INNER = frozenset(
    ["array", "optional", "nullable", "nullish", "set", "promise", "preprocess", "lazy"]
)
_UNIONS = frozenset(["union", "discriminatedUnion", "or"])
_LIBRARIES = ("zod.", "valibot.", "@sinclair/typebox.Type.", "arktype.")
_CHECKS = frozenset(
    ["parse", "safeParse", "parseAsync", "safeParseAsync", "decode", "check", "assert"]
)
_DEPTH = 6
_FIELDS = 60

Marks = dict[tuple[str, ...], int]


def built(frame: Frame, at: Id, call: Call, name: str) -> bool:
    """Keeps what a builder call says about a schema; whether it was one."""
    if not name.startswith(_LIBRARIES):
        return False
    method = name.rpartition(".")[2]
    if method in _CHECKS:
        return False
    made = Ref("obj", "schema", frame.name, at)
    if method in _NUMBERS:
        _say(frame, made, "number", at)
    elif method in _LISTED:
        _say(frame, made, "listed", at)
    elif method in _TEXTS:
        _say(frame, made, "scalar", at)
    elif method in _OBJECTS and call.args:
        frame.put((made, "<shape>"), NO_FACTS, frame.refs[call.args[0]], at)
    elif method in _UNIONS and call.args:
        for argument in call.args:
            for ref in frame.refs[argument]:
                if ref.sort == "obj" and ref.name in ("array", "list"):
                    frame.put((made, "<any>"), NO_FACTS, frame.field_refs(ref, "*"), at)
                elif ref.sort == "obj":
                    frame.put((made, "<any>"), NO_FACTS, frozenset([ref]), at)
        if call.receiver is not None:
            frame.put((made, "<any>"), NO_FACTS, _schemas(frame.refs[call.receiver]), at)
    elif method == "regex" and call.args:
        frame.put((made, "<pattern>"), NO_FACTS, frame.refs[call.args[0]], at)
        if call.receiver is not None:
            frame.put((made, "<base>"), NO_FACTS, _schemas(frame.refs[call.receiver]), at)
    elif method in ("max", "lte", "lt") and call.receiver is not None:
        frame.put((made, "<base>"), NO_FACTS, _schemas(frame.refs[call.receiver]), at)
        _say(frame, made, "bounded", at)
    elif method in _INNER and call.args:
        frame.put((made, "<base>"), NO_FACTS, _schemas(frame.refs[call.args[-1]]), at)
    elif method in ("extend", "merge", "and", "safeExtend") and call.args:
        frame.put((made, "<shape>"), NO_FACTS, frame.refs[call.args[0]], at)
        if call.receiver is not None:
            frame.put((made, "<base>"), NO_FACTS, _schemas(frame.refs[call.receiver]), at)
    elif method == "transform":
        return True
    elif call.receiver is not None and _schemas(frame.refs[call.receiver]):
        frame.refer(at, _schemas(frame.refs[call.receiver]))
        return True
    frame.refer(at, frozenset([made]))
    return True


def _schemas(refs: Refs) -> Refs:
    return frozenset([r for r in refs if r.sort == "obj"])


def _say(frame: Frame, made: Ref, mark: str, at: Id) -> None:
    ref = constant(mark)
    assert ref is not None
    frame.put((made, "<mark>"), NO_FACTS, frozenset([ref]), at)


def guaranteed(frame: Frame, refs: Refs, depth: int = 0) -> Marks:
    """What a schema value guarantees: field path → marks; `()` is the value itself."""
    total: Marks | None = None
    if depth > _DEPTH:
        return {}
    for ref in ordered(refs):
        if ref.sort != "obj":
            continue
        marks = _one(frame, ref, depth)
        total = marks if total is None else _shared(total, marks)
    return total or {}


def _shared(one: Marks, other: Marks) -> Marks:
    return {path: marks & other.get(path, 0) for path, marks in one.items()}


def _one(frame: Frame, ref: Ref, depth: int) -> Marks:
    names = frame.names(ref)
    if ref.name == "schema":
        return _builder(frame, ref, names, depth)
    if "properties" in names:
        return _properties(frame, frame.cell_refs(ref, "properties"), depth)
    if "type" in names or "enum" in names or "const" in names:
        return _json(frame, ref, names)
    return _shape(frame, ref, names, depth)


def _builder(frame: Frame, ref: Ref, names: list[str], depth: int) -> Marks:
    out: Marks = {}
    if "<base>" in names:
        out.update(guaranteed(frame, frame.cell_refs(ref, "<base>"), depth + 1))
    if "<any>" in names:
        out.update(guaranteed(frame, frame.cell_refs(ref, "<any>"), depth + 1))
    if "<mark>" in names:
        for word in frame.cell_refs(ref, "<mark>"):
            out[()] = out.get((), 0) | frame.world.bits.get(word.name[2:], 0)
    if "<pattern>" in names:
        for word in frame.cell_refs(ref, "<pattern>"):
            known = literal(word) if word.sort == "const" else None
            if isinstance(known, Pattern):
                proof = proven(known.text, known.flags, whole=False)
                out[()] = out.get((), 0) | frame.world.mask(proof)
    if "<shape>" in names:
        for shape in ordered(frame.cell_refs(ref, "<shape>")):
            if shape.sort == "obj":
                out.update(_one(frame, shape, depth + 1) if depth < _DEPTH else {})
    return out


def _shape(frame: Frame, ref: Ref, names: list[str], depth: int) -> Marks:
    out: Marks = {}
    for name in names[:_FIELDS]:
        if name.startswith("<"):
            continue
        for path, marks in guaranteed(frame, frame.cell_refs(ref, name), depth + 1).items():
            out[(name, *path)[:3]] = marks
    return out


def _properties(frame: Frame, refs: Refs, depth: int) -> Marks:
    out: Marks = {}
    for ref in ordered(refs):
        if ref.sort == "obj":
            for name in frame.names(ref)[:_FIELDS]:
                inner = guaranteed(frame, frame.cell_refs(ref, name), depth + 1)
                for path, marks in inner.items():
                    out[(name, *path)[:3]] = marks
    return out


def _json(frame: Frame, ref: Ref, names: list[str]) -> Marks:
    bits = frame.world.bits
    marks = 0
    if "enum" in names or "const" in names:
        marks |= bits["listed"]
    for word in frame.cell_refs(ref, "type"):
        if word.name in ("s:number", "s:integer", "s:boolean", "s:null"):
            marks |= bits["number"]
    if "maximum" in names or "exclusiveMaximum" in names:
        marks |= bits["bounded"]
    for word in frame.cell_refs(ref, "pattern"):
        known = literal(word) if word.sort == "const" else None
        if isinstance(known, str):
            marks |= frame.world.mask(proven(known, "", whole=False))
    for word in frame.cell_refs(ref, "format"):
        if word.name == "s:uuid":
            marks |= bits["number"]
    out: Marks = {(): marks}
    if "items" in names:
        for path, inner in guaranteed(frame, frame.cell_refs(ref, "items"), 2).items():
            out[("*", *path)] = inner
    return out
