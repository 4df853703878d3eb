"""The surface of a server: every string that a model or a person gets to read, with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mcpward.core.finding import Place

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Text:
    """One string."""

    owner: str
    """`tools.read_note`, `prompts.review`, `resources.readme` or `server`."""
    field: str
    """`name`, `description`, `parameters.path.description`, `parameters.path.enum.0`,
    `annotations.title`, `instructions`, …"""
    text: str
    place: Place | None = None

    @property
    def sort(self) -> str:
        """`tools`, `prompts`, `resources` or `server`."""
        return self.owner.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool, as its schema declares it."""

    name: str
    type: str = ""
    """The JSON type; empty when the schema does not say."""
    required: bool = False
    described: bool = False
    constraints: tuple[str, ...] = ()
    """Keywords that limit the value, sorted: `enum`, `maxLength`, `pattern`, …"""
    keywords: tuple[tuple[str, Scalar], ...] = ()
    """Other keywords with a plain value, sorted: `$ref`, `format`, `x-mcp-header`, …"""
    choices: tuple[str, ...] = ()
    """The texts that `enum` or `const` allows."""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool."""

    name: str
    texts: tuple[Text, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    annotations: tuple[tuple[str, Scalar], ...] = ()
    """`readOnlyHint` and its kind, sorted."""
    faults: tuple[str, ...] = ()
    """What is wrong with the schema itself, one sentence fragment each."""
    references: tuple[Text, ...] = ()
    """Every `$ref`, `$dynamicRef` and `$schema` of its schemas."""
    icons: tuple[Text, ...] = ()
    place: Place | None = None

    def annotation(self, name: str) -> Scalar:
        return dict(self.annotations).get(name)


@dataclass(frozen=True, slots=True)
class Entity:
    """A prompt or a resource."""

    name: str
    texts: tuple[Text, ...] = ()
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Surface:
    """All of it; equal surfaces are equal values."""

    texts: tuple[Text, ...] = ()
    """Every text, in the order of the document."""
    tools: tuple[Tool, ...] = ()
    prompts: tuple[Entity, ...] = ()
    resources: tuple[Entity, ...] = ()
    instructions: Text | None = None
    cut: bool = False
    """Whether a limit was reached and something was not read."""


def merged(surfaces: Iterable[Surface]) -> Surface:
    """Several surfaces as one: a server that is described in more than one place."""
    parts = tuple(surfaces)
    return Surface(
        tuple(text for part in parts for text in part.texts),
        tuple(tool for part in parts for tool in part.tools),
        tuple(prompt for part in parts for prompt in part.prompts),
        tuple(resource for part in parts for resource in part.resources),
        next((part.instructions for part in parts if part.instructions), None),
        any(part.cut for part in parts),
    )
