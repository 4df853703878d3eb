"""A target with all that is known of it: what every rule but a flow looks at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mcpward.audit import sites
from mcpward.audit.calls import Calls, named_calls
from mcpward.audit.declared import coded
from mcpward.audit.definitions import Definition, definitions
from mcpward.audit.disclosed import Origin
from mcpward.audit.environment import reads
from mcpward.audit.exposure import Exposure, exposure
from mcpward.audit.leaks import Leaks
from mcpward.audit.listings import declared
from mcpward.audit.origins import Origins
from mcpward.audit.places import handler_of, value_place
from mcpward.audit.privileges import effects, privileges
from mcpward.audit.recognize import is_guidance, is_prose
from mcpward.audit.sites import ModuleVariable, Site
from mcpward.audit.survey import Outlet, Survey
from mcpward.audit.written import Reader
from mcpward.core.finding import (
    Confidence,
    Handler,
    Place,
    Severity,
    SkipKind,
    Skipped,
    Step,
    StepKind,
)
from mcpward.core.privilege import Privilege
from mcpward.core.source import SourceFile
from mcpward.documents.clients import ConfiguredServer, configured_servers
from mcpward.documents.commands import Command, Variable, commands, variables
from mcpward.documents.load import document_format, read
from mcpward.documents.tree import Document
from mcpward.ir.values import Call, Id, Param
from mcpward.surface.surface import Surface, merged
from mcpward.taint import entries
from mcpward.taint.binding import receivers
from mcpward.taint.entry import Entry
from mcpward.taint.facts import Source
from mcpward.taint.frame import Frame
from mcpward.taint.world import World

_DESCRIPTIONS = ("package.json", "pyproject.toml", "readme", "manifest.json", "server.json")
_CALLERS = 20
_DESCRIBED = 20_000
"""Bytes of a description that are looked at."""


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
    steps: tuple[Step, ...] = ()
    """The way to the place, where there is one."""


@dataclass(eq=False)
class Subject:
    """A target: its files, and its program with all that is known of it."""

    world: World
    sources: Mapping[str, SourceFile]
    """The code that is audited, by path."""
    texts: Mapping[str, bytes] = field(default_factory=dict)
    """Manifests, configurations and other files that are no code, by path."""
    own_texts: frozenset[str] = frozenset()
    """The paths of the texts that are part of the product."""
    locks: frozenset[str] = frozenset()
    """The paths of lock files."""

    @cached_property
    def _read(self) -> Mapping[str, Document | Skipped]:
        paths = sorted(path for path in self.own_texts if document_format(path) is not None)
        return {path: read(path, self.texts[path]) for path in paths}

    @cached_property
    def documents(self) -> Mapping[str, Document]:
        """The texts of the product that could be read, by path."""
        return {path: made for path, made in self._read.items() if isinstance(made, Document)}

    @cached_property
    def servers(self) -> Mapping[str, tuple[ConfiguredServer, ...]]:
        """The servers that each document configures."""
        return {path: configured_servers(document) for path, document in self.documents.items()}

    @cached_property
    def commands(self) -> Mapping[str, tuple[Command, ...]]:
        """The command lines of each document."""
        return {
            path: tuple(commands(document, self.servers[path]))
            for path, document in self.documents.items()
        }

    @cached_property
    def variables(self) -> Mapping[str, tuple[Variable, ...]]:
        """The variables that each document sets for programs."""
        return {
            path: tuple(variables(document, self.servers[path], self.commands[path]))
            for path, document in self.documents.items()
        }

    @property
    def unread(self) -> tuple[Skipped, ...]:
        """What could not be looked at: texts that cannot be read, questions without an end."""
        made = tuple(made for made in self._read.values() if isinstance(made, Skipped))
        if self.origins.spent:
            reason = "too involved: not everything that is returned or logged could be looked at"
            return (*made, Skipped(".", SkipKind.LIMIT, reason))
        return made

    @cached_property
    def leaks(self) -> Leaks:
        """The secrets in the files."""
        texts = {
            path: data
            for path, data in self.texts.items()
            if not is_prose(path) and not is_guidance(path)
        }
        return Leaks(self.sources, texts)

    @cached_property
    def callees(self) -> Mapping[str, tuple[str, ...]]:
        """The functions that each function calls."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for callee in sorted(self.world.callers):
            for caller in self.world.callers[callee]:
                found[caller].append(callee)
        return {caller: tuple(names) for caller, names in found.items()}

    def reachable(self, function: str) -> set[str]:
        """A function and everything that it calls, directly or not."""
        found: set[str] = set()
        pending = [function]
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending += self.callees.get(name, ())
        return found

    @cached_property
    def effects(self) -> Mapping[str, tuple[Privilege, ...]]:
        """What the calls in each function need from the machine."""
        return effects(self.sites, self.written, self.handler)

    @cached_property
    def variables_read(self) -> tuple[Privilege, ...]:
        """The environment variables that the code reads."""
        return tuple(reads(self.world))

    @property
    def privileges(self) -> tuple[Privilege, ...]:
        """Everything that the code needs, each place by itself."""
        return privileges(self.world, self.variables_read, self.effects, self.exposure)

    @cached_property
    def survey(self) -> Survey:
        """What is stored where, and by which calls something leaves the server."""
        return Survey(self.world)

    @cached_property
    def origins(self) -> Origins:
        """Where the text of values comes from."""
        return Origins(self.world, self.survey)

    @cached_property
    def reached(self) -> Mapping[str, Entry]:
        """Functions that a handler reaches, each with the first handler that does."""
        found: dict[str, Entry] = {}
        for entry in sorted(self.world.entries.values(), key=lambda e: (e.handler.name, e.index)):
            for name in self.reachable(entry.handler.name) - found.keys():
                found[name] = entry
        return found

    @cached_property
    def written(self) -> Reader:
        """The reader of values as they are written."""
        return Reader(self.world)

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """What the code declares to clients: tools, prompts, resources, the server itself."""
        return tuple(definitions(self.written))

    @cached_property
    def calls(self) -> Calls:
        """Every call by what it may call."""
        return named_calls(self.world)

    @cached_property
    def exposure(self) -> Exposure:
        """How clients reach the server."""
        return exposure(self.world, self.calls, self.sources)

    @cached_property
    def surface(self) -> Surface:
        """What a model or a person gets to read of the target."""
        return merged((coded(self.definitions), declared(self.documents.values())))

    def handler(self, function: str, at: Id) -> Handler | None:
        """The handler that reaches an instruction, if one does."""
        entry = self.reached.get(function)
        return handler_of(self.world, entry, (function, at)) if entry is not None else None

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Every call of something that is known by name."""
        return tuple(sites.sites(self.world))

    @cached_property
    def called(self) -> Mapping[str, list[Site]]:
        """Function → its calls."""
        return sites.by_name(self.sites)

    @cached_property
    def module_variables(self) -> Mapping[ModuleVariable, list[tuple[Frame, Id]]]:
        """Variable of a module → what is stored in it."""
        return sites.variables(self.world)

    def about(self, rule: str) -> list[Site]:
        """The calls of the functions that a rule's check is about."""
        found = {
            (site.frame.name, site.at): site
            for name in self.world.catalog.rules[rule].about
            for site in self.called.get(name, ())
        }
        return [found[key] for key in sorted(found)]

    def sighting(
        self, site: Site, detail: str = "", severity: Severity | None = None, sink: str = ""
    ) -> Sighting:
        """A sighting at a call."""
        frame = site.frame
        return Sighting(
            value_place(self.world, frame.name, site.at),
            detail,
            severity,
            handler=self.handler(frame.name, site.at),
            sink=sink or site.name,
        )

    def leaving(
        self, outlet: Outlet, origin: Origin, detail: str, source: str, how: str
    ) -> Sighting:
        """A sighting of data that leaves: where it comes from, and the call it is handed to."""
        frame = outlet.frame
        place = value_place(self.world, frame.name, outlet.at)
        start = value_place(self.world, origin.function, origin.at)
        return Sighting(
            place,
            detail,
            handler=self.handler(frame.name, outlet.at),
            sink=outlet.name,
            steps=(
                Step(start, StepKind.SOURCE, source, 0),
                Step(place, StepKind.SINK, f"{how} `{outlet.name}`", 0),
            ),
        )

    @cached_property
    def handlers(self) -> Mapping[str, list[Entry]]:
        """Function → the handlers that it is."""
        found: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in self.world.entries.values():
            found[entry.handler.name].append(entry)
        return found

    def kinds(self, frame: Frame, at: Id, depth: int = 3) -> set[str]:
        """The kinds of the sources whose data is in a value, or in something inside it.

        Parameters of functions that are no handlers are followed to a few callers.
        """
        found: set[str] = set()
        for origin, _ in frame.deep(at):
            if type(origin) is Source:
                found.add(origin.kind)
                continue
            assert not isinstance(origin, Source)
            handlers = self.handlers.get(frame.name, ())
            known = [entries.source(self.world, frame, entry, origin) for entry in handlers]
            found |= {one[0] for one in known if one is not None}
            if not handlers and depth > 0:
                for caller, value in self._given(frame, origin.index):
                    found |= self.kinds(caller, value, depth - 1)
        return found

    def _given(self, frame: Frame, index: int) -> Iterator[tuple[Frame, Id]]:
        """What callers give a function for a parameter."""
        position = index - receivers(frame.function)
        names = [v.name for p in frame.function.params if isinstance(v := frame.values[p], Param)]
        for name in sorted(self.world.callers.get(frame.name, ()))[:_CALLERS]:
            caller = self.world.frames.get(name)
            for at in caller.live if caller is not None else ():
                assert caller is not None
                call = caller.values[at]
                if not isinstance(call, Call) or call.callee < 0 or call.spread >= 0:
                    continue
                if any(ref.name == frame.name for ref in caller.refs[call.callee]):
                    if 0 <= position < len(call.args):
                        yield caller, call.args[position]
                    yield from (
                        (caller, value)
                        for said, value in call.keywords
                        if said in names[index : index + 1]
                    )

    @cached_property
    def lasting(self) -> frozenset[str]:
        """The classes of which a module makes an instance when it is loaded."""
        return frozenset(
            ref.name
            for name, frame in self.world.frames.items()
            if name.endswith(":")
            for at in frame.live
            if isinstance(value := frame.values[at], Call) and value.callee >= 0
            for ref in frame.refs[value.callee]
            if ref.sort == "cls"
        )

    @cached_property
    def described(self) -> str:
        """What the packages say of themselves, and the names of their handlers."""
        kept = [
            data[:_DESCRIBED].decode("utf-8", "replace")
            for path, data in sorted(self.texts.items())
            if path.rpartition("/")[2].lower().startswith(_DESCRIPTIONS)
        ]
        labels = (entry.label for entry in self.world.entries.values())
        return "\n".join((*kept, *labels))
