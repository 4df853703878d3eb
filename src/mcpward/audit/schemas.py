"""Schemas of parameters as JSON Schema: from zod chains, annotations and dictionaries."""

from __future__ import annotations

from collections.abc import Iterator

from mcpward.audit.places import span_place
from mcpward.audit.written import At, Dynamic, Fields, Items, Made, Plain, Reader, Written
from mcpward.core.finding import Place
from mcpward.ir.values import Call, Closure, Function, Param, TypeExpr
from mcpward.taint.entry import Entry

_DEPTH = 8
_CHAIN = 40
"""Methods that are chained on one schema."""
_ZOD = {
    **dict.fromkeys(
        ("string", "email", "url", "uuid", "jwt", "iso", "base64", "cuid", "ulid", "nanoid"),
        "string",
    ),
    **dict.fromkeys(("number", "float32", "float64", "nan"), "number"),
    **dict.fromkeys(("int", "int32", "uint32", "bigint"), "integer"),
    **dict.fromkeys(("boolean", "stringbool"), "boolean"),
    **dict.fromkeys(("array", "set", "tuple"), "array"),
    **dict.fromkeys(("record", "map"), "object"),
    **dict.fromkeys(("object", "strictObject", "looseObject"), "object"),
    **dict.fromkeys(("enum", "literal", "nativeEnum"), "string"),
    **dict.fromkeys(("any", "unknown", "union", "discriminatedUnion", "preprocess", "lazy"), ""),
}
"""Makers of schemas, each with the JSON type."""
_OPTIONAL = frozenset(["optional", "nullish", "default", "prefault", "catch"])
_LIMITS = {
    "max": "max", "lte": "max", "lt": "max", "min": "min", "gte": "min", "gt": "min",
    "length": "max", "regex": "pattern", "startsWith": "pattern", "positive": "minimum",
    "nonnegative": "minimum", "email": "format", "url": "format", "uuid": "format",
    "datetime": "format", "ip": "format",
}  # fmt: skip
"""Methods that limit a value, each with the keyword (`max` and `min` depend on the type)."""
_TYPES = {
    "str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array",
    "dict": "object", "set": "array", "tuple": "array", "bytes": "string", "None": "null",
    "typing.List": "array", "typing.Dict": "object", "typing.Sequence": "array",
    "pathlib.Path": "string",
}  # fmt: skip
_BOUNDS = {
    "max_length": "maxLength", "min_length": "minLength", "pattern": "pattern", "regex": "pattern",
    "ge": "minimum", "gt": "minimum", "le": "maximum", "lt": "maximum", "max_items": "maxItems",
}  # fmt: skip
"""Arguments of a pydantic field, each with the keyword."""
_SAID = frozenset(["description", "title", "examples", "default"])
_INNER = frozenset(["zodToJsonSchema", "toJSONSchema", "toJsonSchema"])
"""Functions whose result is the schema that they are given."""

Pairs = tuple[tuple[str, Written], ...]


class Schemas:
    """Reads schemas of one program."""

    def __init__(self, reader: Reader) -> None:
        """With the reader of the program's values."""
        self.reader = reader
        self.world = reader.world

    def schema(self, written: Written, depth: int = 0) -> Written:
        """A written schema as JSON Schema; what is none already stays as it is."""
        if depth > _DEPTH:
            return Dynamic(written.place)
        match written:
            case Made():
                return self._made(written, depth)
            case Fields(items=items) if any(isinstance(v, Made) for _, v in items):
                return self._properties(written, depth)
            case _:
                return written

    def _properties(self, written: Fields, depth: int) -> Fields:
        """`{ name: z.string() }`: an object of these properties."""
        place = written.place
        inner = tuple((name, self.schema(value, depth + 1)) for name, value in written.items)
        needed = tuple(
            Plain(name, place)
            for (name, value), (_, made) in zip(inner, written.items, strict=True)
            if not self._optional(made)
        )
        return _object(Fields(inner, place), Items(needed, place), place)

    # ── zod ───────────────────────────────────────────────────────────────────────────────────

    def _made(self, made: Made, depth: int) -> Written:
        if made.name in _INNER and made.call.args:
            inner = self.reader.read((made.at[0], made.call.args[0]))
            return self.schema(inner, depth + 1)
        chain = list(self._chain(made))
        makers = [i for i, (name, _, _) in enumerate(chain) if name in _ZOD]
        if not makers:
            return Dynamic(made.place)
        base, within, call = chain[makers[-1]]
        kind = _ZOD[base]
        pairs: list[tuple[str, Written]] = []
        if kind:
            pairs.append(("type", Plain(kind, made.place)))
        pairs += self._contents(within, base, call, depth)
        for name, inside, step in chain[: makers[-1]]:
            pairs += self._said(inside, name, step, kind)
        return Fields(tuple(pairs), made.place)

    def _chain(self, made: Made) -> Iterator[tuple[str, str, Call]]:
        """The calls of a chain from the last to the first: method, function it is in, call."""
        at: At | None = made.at
        for _ in range(_CHAIN):
            if at is None:
                return
            function = self.world.program.function(at[0])
            call = function.values[at[1]] if function is not None else None
            if function is None or not isinstance(call, Call):
                return
            yield self.reader.name(function, call.callee), at[0], call
            if call.receiver is None:
                return
            at = self.reader.origin((at[0], call.receiver))

    def _optional(self, written: Written) -> bool:
        return isinstance(written, Made) and any(
            name in _OPTIONAL for name, _, _ in self._chain(written)
        )

    def _contents(self, function: str, base: str, call: Call, depth: int) -> Pairs:
        if not call.args:
            return ()
        inner = self.reader.read((function, call.args[0]))
        if base in ("object", "strictObject", "looseObject") and isinstance(inner, Fields):
            made = self._properties(inner, depth + 1)
            return tuple(pair for pair in made.items if pair[0] != "type")
        if base in ("enum", "nativeEnum"):
            values = (
                Items(tuple(v for _, v in inner.items), inner.place)
                if isinstance(inner, Fields)
                else inner
            )
            return (("enum", values),)
        if base == "literal":
            return (("const", inner),)
        if base in ("array", "set"):
            return (("items", self.schema(inner, depth + 1)),)
        return ()

    def _said(self, function: str, name: str, call: Call, kind: str) -> Pairs:
        """What one method of a chain says about the value."""
        if name in ("describe", "default", "title") and call.args:
            key = {"describe": "description"}.get(name, name)
            return ((key, self.reader.read((function, call.args[0]))),)
        if name == "meta" and call.args:
            inner = self.reader.read((function, call.args[0]))
            return inner.items if isinstance(inner, Fields) else ()
        limit = _LIMITS.get(name)
        if limit is None:
            return ()
        if limit in ("max", "min"):
            about = {"string": "Length", "array": "Items"}.get(kind, "imum")
            limit += about
        place = _place(self, function, call)
        value = self.reader.read((function, call.args[0])) if call.args else Plain(name, place)
        return ((limit, value),)

    # ── annotations ───────────────────────────────────────────────────────────────────────────

    def parameters(self, entry: Entry) -> Fields | None:
        """The parameters of a handler whose annotations are its schema."""
        function = self.world.program.function(entry.handler.name)
        if function is None or entry.model.style != "annotations":
            return None
        place = span_place(self.world, function, function.start, function.end)
        defaults = self._defaults(function)
        properties: list[tuple[str, Written]] = []
        needed: list[Written] = []
        for at in function.params:
            param = function.values[at]
            if not isinstance(param, Param) or param.sort not in ("plain", "keyword"):
                continue
            if self._injected(entry, param):
                continue
            where = span_place(self.world, function, param.start, param.end)
            default = defaults.get(param.index)
            properties.append((param.name, self._annotated(param.annotation, default, where)))
            if default is None:
                needed.append(Plain(param.name, where))
        return _object(Fields(tuple(properties), place), Items(tuple(needed), place), place)

    def _injected(self, entry: Entry, param: Param) -> bool:
        names = set(_names(param.annotation))
        last = {name.rpartition(".")[2] for name in names}
        return bool(names & set(entry.model.injected) or last & {"Context", "Depends", "Request"})

    def _defaults(self, function: Function) -> dict[int, At]:
        """The default of each parameter, where the function is defined."""
        outer = self.world.program.function(function.parent or f"{function.module}:")
        if outer is None:
            return {}
        for value in outer.values:
            if isinstance(value, Closure) and value.target == function.name:
                return {index: (outer.name, at) for index, at in value.defaults}
        return {}

    def _annotated(self, annotation: TypeExpr | None, default: At | None, place: Place) -> Fields:
        pairs: list[tuple[str, Written]] = list(typed(annotation, place))
        if default is not None:
            found = self.reader.read(default)
            if isinstance(found, Made) and found.name in ("Field", "Query", "Body", "Param"):
                for name, value in found.call.keywords:
                    key = _BOUNDS.get(name, name if name in _SAID else "")
                    if key:
                        pairs.append((key, self.reader.read((found.at[0], value))))
            elif isinstance(found, Plain):
                pairs.append(("default", found))
        return Fields(tuple(pairs), place)


def typed(annotation: TypeExpr | None, place: Place) -> Iterator[tuple[str, Written]]:
    """The keywords of JSON Schema that a type annotation stands for."""
    if annotation is None:
        return
    last = annotation.name.rpartition(".")[2]
    if last == "Annotated":
        yield from typed(annotation.args[0] if annotation.args else None, place)
        for said in annotation.args[1:]:
            yield from _field(said, place)
        return
    if last in ("Optional", "Union") or annotation.name == "|":
        for one in annotation.args:
            if one.name not in ("None", "NoneType"):
                yield from typed(one, place)
                return
        return
    if last == "Literal" or annotation.name == "=":
        choices = [one.literal for one in (annotation, *annotation.args) if one.name == "="]
        values = tuple(
            Plain(one, place) for one in choices if isinstance(one, str | int | float | bool)
        )
        yield "enum", Items(values, place)
        return
    kind = _TYPES.get(annotation.name)
    if kind is not None:
        yield "type", Plain(kind, place)


def _field(said: TypeExpr, place: Place) -> Iterator[tuple[str, Written]]:
    if said.name == "=" and isinstance(said.literal, str):
        yield "description", Plain(said.literal, place)
    for name, value in said.keywords:
        key = _BOUNDS.get(name, name if name in _SAID else "")
        if key and isinstance(value, str | int | float | bool):
            yield key, Plain(value, place)


def _names(annotation: TypeExpr | None) -> Iterator[str]:
    if annotation is not None:
        yield annotation.name
        for one in annotation.args[:8]:
            yield from _names(one)


def _object(properties: Fields, required: Items, place: Place) -> Fields:
    return Fields(
        (("type", Plain("object", place)), ("properties", properties), ("required", required)),
        place,
    )


def _place(schemas: Schemas, function: str, call: Call) -> Place:
    made = schemas.world.program.function(function)
    assert made is not None
    return span_place(schemas.world, made, call.start, call.end)
