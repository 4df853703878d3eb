"""The surface that the code of a target declares, from its definitions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mcpward.audit.definitions import Definition
from mcpward.audit.written import Dynamic, Fields, Items, Made, Plain, Written
from mcpward.core.finding import Place
from mcpward.surface.listing import Path, read_surface
from mcpward.surface.surface import Surface, merged

_UNKNOWN = "…"
"""Stands for what is only known when the program runs."""
_HIDDEN = {"$ref": _UNKNOWN}
"""A schema of which nothing is known; it counts as a reference to one elsewhere."""


def coded(definitions: Iterable[Definition]) -> Surface:
    """The surface of all definitions together."""
    return merged(_surface(one) for one in definitions)


def _surface(one: Definition) -> Surface:
    places: dict[tuple[Path, bool], Place] = {}
    inside: Path = () if one.sort == "server" else (one.sort, 0)
    value = _plain(one.fields, inside, places)
    if one.sort == "server":
        value.setdefault("instructions", None)
    elif not isinstance(value.get("name"), str):
        value["name"] = one.name or _UNKNOWN
        places[(*inside, "name"), False] = one.fields.place
    document = value if one.sort == "server" else {one.sort: [value]}
    return read_surface(document, lambda path, key: places.get((path, key)))


def _plain(written: Written, path: Path, places: dict[tuple[Path, bool], Place]) -> Any:
    """The value as JSON has it; what is not known is left out, or `…` where a text stands."""
    places[path, False] = written.place
    match written:
        case Plain(value=value):
            return value
        case Items(items=items):
            return [_plain(item, (*path, number), places) for number, item in enumerate(items)]
        case Fields(items=items):
            out: dict[str, Any] = {}
            for name, item in items:
                at: Path = (*path, name)
                places[at, True] = item.place
                if not isinstance(item, Made | Dynamic):
                    out[name] = _plain(item, at, places)
                elif name in ("name", "description", "title"):
                    places[at, False] = item.place
                    out[name] = _UNKNOWN
                elif path and path[-1] == "properties":
                    out[name] = dict(_HIDDEN)
            return out
        case _:
            return None
