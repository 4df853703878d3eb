"""Calls of library functions, with what the models say each of them does with its arguments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mcpward.audit.places import called_names
from mcpward.core.rule import Place
from mcpward.ir.values import Call, Global, Id, Store
from mcpward.taint import places
from mcpward.taint.frame import Frame
from mcpward.taint.library import applies
from mcpward.taint.world import World


@dataclass(frozen=True, slots=True)
class Site:
    """A call of something that is known by name."""

    frame: Frame
    at: Id
    call: Call
    names: tuple[str, ...]
    """Canonical names of what is called."""

    @property
    def name(self) -> str:
        """The name that reports show."""
        return self.names[0]


class Use(NamedTuple):
    """A place of a call that is a sink, with the values in it."""

    kind: str
    place: Place
    values: tuple[Id, ...]


ModuleVariable = tuple[str, str]
"""A module, and the name of a variable in it."""


def sites(world: World) -> Iterator[Site]:
    """Every call of something known, in the order of the functions."""
    for name in sorted(world.frames):
        frame = world.frames[name]
        for at in frame.live:
            value = frame.values[at]
            if type(value) is Call:
                names = called_names(frame, value)
                if names:
                    yield Site(frame, at, value, tuple(names))


def by_name(found: Collection[Site]) -> Mapping[str, list[Site]]:
    """The calls of each function, also under the names that it is inherited from."""
    index: defaultdict[str, list[Site]] = defaultdict(list)
    for site in found:
        names = {n for name in site.names for n in site.frame.library.lineage(name)}
        for name in sorted(names):
            index[name].append(site)
    return dict(index)


def uses(site: Site, kinds: Collection[str] = ()) -> Iterator[Use]:
    """The sinks of a call, or those of some kinds."""
    for name in site.names:
        chosen = False
        for row in site.frame.library.calls(name):
            if (chosen and not row.also) or not applies(site.frame, site.call, row):
                continue
            chosen = chosen or not row.also
            for place, kind in row.sinks:
                if not kinds or kind in kinds:
                    values = places.values(site.call, place)
                    if values:
                        yield Use(kind, place, tuple(values))


def variables(world: World) -> Mapping[ModuleVariable, list[tuple[Frame, Id]]]:
    """What is stored in the variables of modules."""
    found: defaultdict[ModuleVariable, list[tuple[Frame, Id]]] = defaultdict(list)
    for name in sorted(world.frames):
        frame = world.frames[name]
        for value in frame.stores():
            owner = frame.values[value.object]
            if type(owner) is Global and owner.name == "<module>":
                found[frame.function.module, value.field].append((frame, value.value))
    return dict(found)


def stores(world: World) -> Iterator[tuple[Frame, Id, Store]]:
    """Every assignment to a field or key."""
    for name in sorted(world.frames):
        frame = world.frames[name]
        for at in frame.live:
            value = frame.values[at]
            if type(value) is Store:
                yield frame, at, value
