"""Readers of surfaces from JSON values: lists of tools, answers of servers, manifests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mcpward.core.finding import Place
from mcpward.surface.schema import parameters, problems
from mcpward.surface.surface import Entity, Surface, Text, Tool

Path = tuple[str | int, ...]
Locate = Callable[[Path, bool], Place | None]
"""The place of the value at a path, or of its key."""

MOST_ENTITIES = 2_000
MOST_TEXTS = 50_000
DEEPEST = 40

_SCHEMAS = ("inputSchema", "input_schema", "parameters")
_LISTS = {"prompts": "prompts", "resources": "resources", "resourceTemplates": "resources"}
_SELF = frozenset({"instructions", "serverInfo", "manifest_version", "dxt_version"})
_SPOKEN = ("name", "title", "display_name", "description", "long_description", "websiteUrl")
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$schema", "$id"})


def nowhere(path: Path, key: bool) -> Place | None:  # noqa: ARG001, FBT001  # the shape of Locate
    """Places for a value that comes from no file."""
    return None


def read_surface(value: Any, locate: Locate = nowhere) -> Surface:
    """The surface that a JSON value describes; an empty one when it describes none."""
    reader = _Reader(locate)
    reader.document(value, ())
    return Surface(
        tuple(reader.texts),
        tuple(reader.tools),
        tuple(reader.prompts),
        tuple(reader.resources),
        reader.instructions,
        reader.cut,
    )


@dataclass(slots=True)
class _Reader:
    locate: Locate
    texts: list[Text] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    prompts: list[Entity] = field(default_factory=list)
    resources: list[Entity] = field(default_factory=list)
    instructions: Text | None = None
    cut: bool = False

    def document(self, value: Any, path: Path) -> None:
        if isinstance(value, list):
            if value and all(_is_tool(item) for item in value[:MOST_ENTITIES]):
                self.read_tools(value, path)
            return
        if not isinstance(value, dict):
            return
        for name in ("result", "params"):
            if isinstance(value.get(name), dict):
                self.document(value[name], (*path, name))
        self.server(value, path)
        listed = value.get("tools")
        if isinstance(listed, list) and listed and all(map(_is_named, listed[:MOST_ENTITIES])):
            self.read_tools(listed, (*path, "tools"))
        for name, sort in _LISTS.items():
            entities = value.get(name)
            if isinstance(entities, list):
                self.entities(entities, (*path, name), sort)

    def server(self, value: dict[str, Any], path: Path) -> None:
        published = "description" in value and ("packages" in value or "remotes" in value)
        if not (published or _SELF & value.keys()):
            return
        instructions = value.get("instructions")
        if isinstance(instructions, str):
            self.instructions = self.text(
                "server", "instructions", instructions, path, "instructions"
            )
        info = value.get("serverInfo")
        for names, holder in (((), value), (("serverInfo",), info)):
            if isinstance(holder, dict) and (names or info is None):
                for name in _SPOKEN:
                    if isinstance(holder.get(name), str):
                        self.text(
                            "server", ".".join((*names, name)), holder[name], (*path, *names), name
                        )

    def read_tools(self, items: list[Any], path: Path) -> None:
        self.cut |= len(items) > MOST_ENTITIES
        for number, item in enumerate(items[:MOST_ENTITIES]):
            at: Path = (*path, number)
            if isinstance(item, dict) and isinstance(item.get("function"), dict):
                item, at = item["function"], (*at, "function")
            if isinstance(item, dict) and isinstance(item.get("name"), str):
                self.tools.append(self.tool(item, at))

    def tool(self, item: dict[str, Any], path: Path) -> Tool:
        name = item["name"]
        first = len(self.texts)
        for key, value in item.items():
            if key in _SCHEMAS:
                self.schema(f"tools.{name}", value, (*path, key), "parameters")
            elif key == "outputSchema":
                self.below(f"tools.{name}", "output", value, (*path, key))
            else:
                field_name = "meta" if key == "_meta" else str(key)
                self.strings(f"tools.{name}", field_name, value, (*path, key), 0)
        own = tuple(self.texts[first:])
        key = next((one for one in _SCHEMAS if one in item), "")
        hints = item.get("annotations")
        return Tool(
            name,
            own,
            parameters=parameters(item.get(key), (*path, key), self.locate) if key else (),
            annotations=tuple(
                sorted((str(k), v) for k, v in hints.items() if _is_scalar(v))
                if isinstance(hints, dict)
                else ()
            ),
            faults=problems(item.get(key)) if key else (),
            references=tuple(
                text
                for text in own
                if text.field.rpartition(".")[2] in _REFERENCES
                and text.field.partition(".")[0] in ("parameters", "output")
            ),
            icons=tuple(text for text in own if text.field.startswith("icons")),
            place=self.locate((*path, "name"), False),
        )

    def schema(self, owner: str, value: Any, path: Path, prefix: str) -> None:
        """Properties are named by themselves: `parameters.path.description`."""
        if not isinstance(value, dict):
            return
        for key, part in value.items():
            if key == "properties" and isinstance(part, dict):
                for name, inner in part.items():
                    self.text(
                        owner, f"{prefix}.{name}.name", str(name), (*path, key), name, key=True
                    )
                    self.below(owner, f"{prefix}.{name}", inner, (*path, key, name))
            else:
                self.below(owner, f"{prefix}.{key}", part, (*path, key))

    def below(self, owner: str, prefix: str, value: Any, path: Path) -> None:
        self.strings(owner, prefix, value, path, 0, keys=True)

    def strings(
        self, owner: str, prefix: str, value: Any, path: Path, depth: int, *, keys: bool = False
    ) -> None:
        """Every text below a value; also the names of properties when it is a schema."""
        if depth > DEEPEST or len(self.texts) >= MOST_TEXTS:
            self.cut = True
        elif isinstance(value, str):
            if value:
                self.texts.append(Text(owner, prefix, value, self.locate(path, False)))
        elif isinstance(value, dict):
            for key, part in value.items():
                name = f"{prefix}.{key}"
                if keys and path and path[-1] in ("properties", "$defs", "definitions"):
                    self.text(owner, f"{name}.name", str(key), path, key, key=True)
                self.strings(owner, name, part, (*path, key), depth + 1, keys=keys)
        elif isinstance(value, list):
            for number, part in enumerate(value):
                self.strings(
                    owner, f"{prefix}.{number}", part, (*path, number), depth + 1, keys=keys
                )

    def entities(self, items: list[Any], path: Path, sort: str) -> None:
        self.cut |= len(items) > MOST_ENTITIES
        for number, item in enumerate(items[:MOST_ENTITIES]):
            if not isinstance(item, dict) or not isinstance(item.get("name", item.get("uri")), str):
                continue
            name = item.get("name") or item.get("uri") or item.get("uriTemplate") or ""
            first = len(self.texts)
            at: Path = (*path, number)
            for key, value in item.items():
                label = "meta" if key == "_meta" else str(key)
                self.strings(f"{sort}.{name}", label, value, (*at, key), 0)
            entity = Entity(str(name), tuple(self.texts[first:]), self.locate((*at, "name"), False))
            (self.prompts if sort == "prompts" else self.resources).append(entity)

    def text(
        self, owner: str, name: str, value: str, path: Path, last: str, *, key: bool = False
    ) -> Text:
        found = Text(owner, name, value, self.locate((*path, last), key))
        if len(self.texts) < MOST_TEXTS:
            self.texts.append(found)
        else:
            self.cut = True
        return found


def _is_named(item: Any) -> bool:
    if isinstance(item, dict) and isinstance(item.get("function"), dict):
        item = item["function"]
    return isinstance(item, dict) and isinstance(item.get("name"), str)


def _is_tool(item: Any) -> bool:
    if not _is_named(item):
        return False
    inner = item["function"] if isinstance(item.get("function"), dict) else item
    return any(name in inner for name in _SCHEMAS)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
