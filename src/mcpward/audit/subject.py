"""A target with all that is known of it: what every rule but a flow looks at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mcpward.audit.calls import Calls, named_calls
from mcpward.audit.exposure import Exposure, exposure
from mcpward.audit.places import handler_of
from mcpward.core.finding import Confidence, Handler, Place, Severity
from mcpward.core.source import SourceFile
from mcpward.ir.values import Id
from mcpward.taint.entry import Entry
from mcpward.taint.world import World


@dataclass(frozen=True, slots=True)
class Sighting:
    """A place where a rule sees what it looks for; the rule's card says the rest."""

    place: Place
    detail: str = ""
    """What `{detail}` in the message says."""
    severity: Severity | None = None
    """Where it differs from the rule's own; `adjustments` then says why."""
    confidence: Confidence = Confidence.HIGH
    handler: Handler | None = None
    adjustments: tuple[str, ...] = ()
    sink: str = ""
    """What `{sink}` in the message says: the name of a function or field."""


@dataclass(eq=False)
class Subject:
    """A target: its files, and its program with all that is known of it."""

    world: World
    sources: Mapping[str, SourceFile]
    """The code that is audited, by path."""
    texts: Mapping[str, bytes] = field(default_factory=dict)
    """Manifests, configurations and other files that are no code, by path."""

    @cached_property
    def reached(self) -> Mapping[str, Entry]:
        """Functions that a handler reaches, each with the first handler that does."""
        callees: defaultdict[str, list[str]] = defaultdict(list)
        for callee, callers in self.world.callers.items():
            for caller in callers:
                callees[caller].append(callee)
        found: dict[str, Entry] = {}
        for entry in sorted(self.world.entries.values(), key=lambda e: (e.handler.name, e.index)):
            pending = [entry.handler.name]
            while pending:
                name = pending.pop()
                if name not in found:
                    found[name] = entry
                    pending += callees[name]
        return found

    @cached_property
    def calls(self) -> Calls:
        """Every call by what it may call."""
        return named_calls(self.world)

    @cached_property
    def exposure(self) -> Exposure:
        """How clients reach the server."""
        return exposure(self.world, self.calls, self.sources)

    def handler(self, function: str, at: Id) -> Handler | None:
        """The handler that reaches an instruction, if one does."""
        entry = self.reached.get(function)
        return handler_of(self.world, entry, (function, at)) if entry is not None else None
