"""Matches the shapes of rules against every call and assignment of the program."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from heapq import merge

from mcpward.audit.places import value_place
from mcpward.audit.sites import Site, stores
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence
from mcpward.core.rule import Condition, Rule, Shape
from mcpward.ir.values import Assume, Call, Id, Load, Param, Store
from mcpward.taint import places
from mcpward.taint.facts import Refs, ordered
from mcpward.taint.frame import Frame

Found = tuple[Rule, Sighting]
Index = dict[str, list[tuple[Rule, Shape]]]


def shapes(subject: Subject, rules: Iterable[Rule]) -> Iterator[Found]:
    """Everything that has the shape of a rule."""
    yield from _once(_shaped(subject, rules))


def _shaped(subject: Subject, rules: Iterable[Rule]) -> Iterator[Found]:
    wanted = [rule for rule in rules if rule.shapes]
    indexes = {family: _index(subject, family, wanted) for family in _families(subject)}
    assigned = (_assignment(frame, at, value) for frame, at, value in stores(subject.world))
    calls = ((site, 0) for site in subject.sites)
    for site, which in merge(calls, ((site, 1) for site in assigned), key=_order):
        yield from _matched(subject, site, indexes[site.frame.library.family][which])


def _order(one: tuple[Site, int]) -> tuple[str, Id]:
    return one[0].frame.name, one[0].at


def _assignment(frame: Frame, at: Id, value: Store) -> Site:
    """An assignment as a call of the field with one argument."""
    said = Call(value.object, None, (value.value,), start=value.start, end=value.end)
    return Site(frame, at, said, tuple(_fields(frame, value)))


def _families(subject: Subject) -> set[str]:
    return {module.language.family for module in subject.world.program.modules.values()}


def _index(subject: Subject, family: str, rules: Iterable[Rule]) -> tuple[Index, Index]:
    """The shapes for calls and those for assignments, by canonical name."""
    library = subject.world.catalog.library(family)
    calls: Index = defaultdict(list)
    fields: Index = defaultdict(list)
    for rule in rules:
        for shape in rule.shapes:
            if shape.family in ("", family):
                index = calls if shape.how == "call" else fields
                for name in shape.names:
                    index[library.canonical(name)].append((rule, shape))
    return dict(calls), dict(fields)


def _fields(frame: Frame, value: Store) -> list[str]:
    owners: Refs = frame.refs[value.object]
    return [
        frame.library.canonical(f"{ref.name}.{value.field}")
        for ref in ordered(owners)
        if ref.sort in ("ext", "inst")
    ]


def _matched(subject: Subject, site: Site, index: Index) -> Iterator[Found]:
    frame, call, at = site.frame, site.call, site.at
    told: set[str] = set()
    for name in site.names:
        for candidate in frame.library.lineage(name) if index else ():
            for rule, shape in index.get(candidate, ()):
                if rule.name in told or not _fits(subject, frame, call, shape):
                    continue
                told.add(rule.name)
                place = value_place(subject.world, frame.name, at)
                sure = all(_direct(frame, call, condition) for condition in shape.when)
                yield (
                    rule,
                    Sighting(
                        place,
                        shape.text,
                        shape.severity,
                        Confidence.HIGH if sure else Confidence.MEDIUM,
                        subject.handler(frame.name, at),
                        sink=name,
                    ),
                )


def _once(found: Iterable[Found]) -> Iterator[Found]:
    """What is not written at the call was decided once for all calls of a file."""
    told: set[tuple[str, str]] = set()
    for rule, sighting in found:
        key = rule.name, sighting.place.file
        if sighting.confidence is Confidence.HIGH or key not in told:
            yield rule, sighting
        if sighting.confidence is not Confidence.HIGH:
            told.add(key)


def _direct(frame: Frame, call: Call, condition: Condition) -> bool:
    """Whether a literal stands at the call itself, or in the options that are written there."""
    for value in places.values(call, condition.place):
        one = frame.values[value]
        while isinstance(one, Assume):
            one = frame.values[one.value]
        if isinstance(one, Param | Load) and frame.constants(value):
            return False
    return True


def _fits(subject: Subject, frame: Frame, call: Call, shape: Shape) -> bool:
    if shape.within != "anywhere":
        if frame.name not in subject.reached:
            return False
        if shape.within == "async-handler" and not frame.function.asynchronous:
            return False
    if any(sort == "**" for sort, _ in call.keywords) or call.spread >= 0:
        return False
    return all(_written(frame, call, c) for c in shape.when) and not any(
        places.holds(frame, call, c, unknown=True) for c in shape.unless
    )


def _written(frame: Frame, call: Call, condition: Condition) -> bool:
    """Whether a condition is seen to hold; what is not given is not the same as false here."""
    if "<absent>" not in condition.values:
        given = Condition(condition.place, ("<present>",))
        if not places.holds(frame, call, given, unknown=False):
            return False
    return places.holds(frame, call, condition, unknown=False)
