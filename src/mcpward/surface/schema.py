"""What a JSON schema of a tool says about its parameters, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mcpward.core.finding import Place
from mcpward.surface.surface import Parameter, Scalar

LIMITS = frozenset(
    {
        *("enum", "const", "pattern", "format", "maxLength", "minLength", "maxItems", "minItems"),
        *(
            "maximum",
            "minimum",
            "exclusiveMaximum",
            "exclusiveMinimum",
            "multipleOf",
            "uniqueItems",
        ),
        *("maxProperties", "propertyNames", "properties", "additionalProperties", "items"),
    }
)
"""Keywords that limit what a value may be; `items` and `properties` give it a shape."""
_COMPOSED = ("anyOf", "oneOf", "allOf")
MOST = 1_000

Place_ = Callable[[tuple[str | int, ...], bool], Place | None]


def parameters(schema: Any, path: tuple[str | int, ...], locate: Place_) -> tuple[Parameter, ...]:
    """The parameters of a tool, in the order of its schema."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return ()
    listed = schema.get("required")
    required = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    wanted = frozenset(required)
    return tuple(
        _parameter(str(name), inner, str(name) in wanted, locate((*path, "properties", name), True))
        for name, inner in list(properties.items())[:MOST]
    )


def _parameter(
    name: str,
    schema: Any,
    required: bool,  # noqa: FBT001  # private, one caller
    place: Place | None,
) -> Parameter:
    parts = [part for part in _parts(schema) if isinstance(part, dict)]
    kinds = {kind for part in parts for kind in _types(part)} - {"null"}
    keys = {key for part in parts for key in part}
    choices = [
        choice
        for part in parts
        for choice in (*_listed(part.get("enum")), part.get("const"))
        if isinstance(choice, str)
    ]
    plain = {
        str(key): value
        for part in parts
        for key, value in part.items()
        if key not in LIMITS
        and key not in ("type", "description", "title")
        and (value is None or isinstance(value, str | int | float | bool))
    }
    return Parameter(
        name,
        type="|".join(sorted(kinds)),
        required=required,
        described=any(isinstance(p.get("description"), str) and p["description"] for p in parts),
        constraints=tuple(sorted(keys & LIMITS)),
        keywords=tuple(sorted(plain.items())),
        choices=tuple(choices[:MOST]),
        place=place,
    )


def _parts(schema: Any) -> Iterator[Any]:
    """The schema and its alternatives, one level deep: `str | None` is written so."""
    yield schema
    if isinstance(schema, dict):
        for name in _COMPOSED:
            yield from _listed(schema.get(name))[:20]


def _types(schema: dict[str, Any]) -> list[str]:
    kind = schema.get("type")
    return [one for one in (kind if isinstance(kind, list) else [kind]) if isinstance(one, str)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def problems(schema: Any) -> tuple[str, ...]:
    """What makes a schema of parameters invalid, as ends of "The schema …"."""
    if not isinstance(schema, dict):
        return ("is no object",)
    out = []
    if schema.get("type", "object") != "object":
        out.append("has a type other than `object`")
    elif schema and "type" not in schema:
        out.append("does not say that its type is `object`")
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        return (*out, "has `properties` that are no object")
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(one, str) for one in required):
        return (*out, "has a `required` that is no list of names")
    missing = [one for one in required if one not in properties]
    if missing and not any(name in schema for name in (*_COMPOSED, "$ref", "patternProperties")):
        out.append(f"requires `{missing[0][:60]}`, which it does not declare")
    return tuple(out)


def keyword(parameter: Parameter, name: str) -> Scalar:
    """The value of a keyword of a parameter."""
    return dict(parameter.keywords).get(name)
