"""A handler that a client or a model can call, as it was declared."""

from __future__ import annotations

from dataclasses import dataclass

from mcpward.core.rule import EntryModel
from mcpward.ir.values import Id
from mcpward.taint.facts import NO_REFS, Ref, Refs


@dataclass(slots=True, eq=False)
class Entry:
    """A handler that a client or a model can call."""

    model: EntryModel
    handler: Ref
    label: str
    function: str
    """Where it is registered, with `at`: the registering call."""
    at: Id
    index: int
    schema: Refs = NO_REFS
    marks: dict[tuple[str, ...], int] | None = None
    """What the schema guarantees: field path of the first parameter → marks; `None` unknown."""
