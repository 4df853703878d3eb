"""Turns what reached a sink into findings: the rule, its severity here, the path and its words."""

from __future__ import annotations

from collections.abc import Iterable

from mcpward.audit.places import handler_of, value_place
from mcpward.catalog.catalog import Catalog
from mcpward.core.finding import (
    Confidence,
    Finding,
    Handler,
    Severity,
    Step,
    StepKind,
)
from mcpward.core.rule import Flow, Rule
from mcpward.ir.values import Id
from mcpward.taint.facts import Hit, Source
from mcpward.taint.trace import KEPT, Link, Tracer
from mcpward.taint.world import World

_ASSUMED_MEDIUM = 2
"""So many unknown calls on a path still leave medium confidence."""
_CALLS = 4
"""A chain with more calls leaves medium confidence."""
_FINDINGS = 5_000


def findings(world: World, catalog: Catalog, active: frozenset[str]) -> list[Finding]:
    """One finding for each source that reaches each sink under a rule."""
    rules = [r for name, r in catalog.rules.items() if name in active and r.flow is not None]
    chosen = _chosen(world, catalog, rules)
    tracer = Tracer(world)
    out = []
    for source, marks, hit, rule in chosen[:_FINDINGS]:
        function, via = world.findings[(source, marks, hit)]
        links = tracer.path(source, marks, hit, function, via)
        out.append(_finding(world, catalog, rule, source, marks, hit, links, (function, via)))
    return out


Choice = tuple[Source, int, Hit, Rule]
Ranked = tuple[tuple[int, int, int, int], Choice]


def _chosen(world: World, catalog: Catalog, rules: list[Rule]) -> list[Choice]:
    best: dict[tuple[object, ...], Ranked] = {}
    for source, marks, hit in sorted(world.findings):
        rule = pick(world, catalog, rules, source.kind, marks, hit.kind)
        if rule is None:
            continue
        level = severity(world, rule, source, hit.kind, marks)
        rank = (int(level), -marks.bit_count(), -len(source.label), marks)
        _keep(best, (hit, *_cause(source)), (rank, (source, marks, hit, rule)))
    told: dict[tuple[object, ...], Ranked] = {}
    for rank, choice in best.values():
        source, _, hit, rule = choice
        _keep(told, (hit.function, hit.at, rule.name, *_cause(source)), (rank, choice))
    direct = {(c[2].function, c[2].at) for _, c in told.values() if c[0].kind != "third"}
    kept = [
        c
        for _, c in told.values()
        if c[0].kind != "third" or (c[2].function, c[2].at) not in direct
    ]
    return sorted(kept, key=lambda c: (c[2], c[0], c[1], c[3].name))


def _keep(best: dict[tuple[object, ...], Ranked], key: tuple[object, ...], one: Ranked) -> None:
    had = best.get(key)
    if had is None or one[0] > had[0]:
        best[key] = one


def _cause(source: Source) -> tuple[str, str, int]:
    """What a reader takes for one cause: an argument with all its parts, or a function's source."""
    if source.entry < 0:
        return source.kind, source.function, source.entry
    named = (part for part in source.label.split(".") if not part.isdigit())
    return source.kind, next(named, ""), source.entry


def pick(
    world: World, catalog: Catalog, rules: Iterable[Rule], kind: str, marks: int, sink: str
) -> Rule | None:
    """The rule for one flow: the most specific one, unless a mark clears it."""
    fitting: dict[int, list[Rule]] = {}
    for rule in rules:
        flow = rule.flow
        if flow is None or kind not in flow.sources or sink not in flow.sinks:
            continue
        fitting.setdefault(_specific(world, catalog, flow, marks), []).append(rule)
    fitting.pop(-1, None)
    if not fitting:
        return None
    for rule in fitting[max(fitting)]:
        if rule.flow is not None and not marks & world.mask(rule.flow.cleared_by):
            return rule
    return None


def _specific(world: World, catalog: Catalog, flow: Flow, marks: int) -> int:
    """How closely a rule asks for these marks; negative when it does not apply."""
    every = world.mask(flow.requires_all)
    if every & marks != every:
        return -1
    if flow.requires:
        present = [name for name in flow.requires if marks & world.bits[name]]
        if not present:
            return -1
        return 2 if any(catalog.marks[name].weakness for name in present) else 1
    return 1 if flow.requires_all else 0


def severity(world: World, rule: Rule, source: Source, sink: str, marks: int) -> Severity:
    """The severity of a rule for one source and kind of sink, with what is known of the data."""
    assert rule.flow is not None
    base = dict(rule.flow.sink_severity).get(sink, rule.severity)
    base = min(base, dict(rule.flow.source_severity).get(source.kind, base))
    base = min([base, *(most for _, most in _lowered(world, rule.flow, marks))])
    return max(base.shifted(-1), Severity.LOW) if _on_disk(world, source) else base


def _on_disk(world: World, source: Source) -> bool:
    """Whether data was read from this machine: whoever may write there has won a lot already."""
    frame = world.frames.get(source.function)
    if source.kind != "third" or frame is None:
        return False
    rows = frame.library.calls(frame.library.canonical(source.label))
    kinds = {kind for row in rows for _, kind in row.sinks}
    return any(kind.startswith("path-") for kind in kinds) and "url" not in kinds


def _lowered(world: World, flow: Flow, marks: int) -> list[tuple[str, Severity]]:
    return [pair for pair in flow.mark_severity if marks & world.bits[pair[0]]]


# ── words and places ──────────────────────────────────────────────────────────────────────────


def _finding(
    world: World,
    catalog: Catalog,
    rule: Rule,
    source: Source,
    marks: int,
    hit: Hit,
    links: list[Link],
    top: tuple[str, Id],
) -> Finding:
    assert rule.flow is not None
    place = value_place(world, hit.function, hit.at)
    entry = next((e for e in world.entries.values() if e.index == source.entry), None)
    handler = handler_of(world, entry, top) if entry is not None else None
    steps = _steps(world, links, source, hit, handler)
    notes = tuple(
        mark.weakness
        for name, mark in catalog.marks.items()
        if mark.weakness and marks & world.bits[name] and hit.kind.startswith(mark.about)
    )
    spoken = _spoken(source, handler)
    message = rule.message.format_map(
        _Holes(source=spoken, sink=_sink_name(hit), handler=handler.name if handler else "")
    )
    level = severity(world, rule, source, hit.kind, marks)
    adjusted = (
        (f"{level.word} because {_why(world, catalog, source, hit.kind, rule, marks)}",)
        if level is not rule.severity
        else ()
    )
    return Finding(
        rule=rule.name,
        message=message,
        severity=level,
        confidence=_confidence(links),
        place=place,
        steps=steps,
        handler=handler,
        source_kind=source.kind,
        guard_notes=notes,
        adjustments=adjusted,
        fix=rule.fix,
        sink=hit.label,
    )


class _Holes(dict[str, str]):
    """Message holes; one that is not known stays as it is."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _why(world: World, catalog: Catalog, source: Source, sink: str, rule: Rule, marks: int) -> str:
    assert rule.flow is not None
    kind = source.kind
    if _on_disk(world, source):
        return "the data is read from a file or folder of this machine"
    for name, _ in _lowered(world, rule.flow, marks):
        return f"the data {catalog.marks[name].promise}"
    if kind in dict(rule.flow.source_severity):
        return "the data is fetched content" if kind == "third" else f"the source is {kind}"
    return f"the sink is {catalog.sinks[sink]}"


def _spoken(source: Source, handler: Handler | None) -> str:
    if handler is not None:
        sort = {"raw": "request", "route": "route"}.get(handler.sort, handler.sort)
        name = f" `{handler.name}`" if handler.name else ""
        word = "data" if source.kind == "wire" else "argument"
        return f"the {word} `{source.label}` of the {sort}{name}"
    if source.kind == "third":
        return f"content from `{source.label}`"
    return f"`{source.label}`"


def _sink_name(hit: Hit) -> str:
    return f"`{hit.label}`"


def _confidence(links: list[Link]) -> Confidence:
    """High when every step is known and belongs to one call chain of moderate length.

    Data that is kept in a field and read elsewhere may belong to another instance, and every call
    on a long chain is one more place where a check may have been overlooked. Where the data is
    kept by another function than the one that got it, half of the way is not shown.
    """
    if not links or links[0].kind is not StepKind.SOURCE or _torn(links):
        return Confidence.LOW
    assumed = sum(link.kind is StepKind.ASSUMED for link in links)
    kept = any(link.text == KEPT for link in links)
    far = sum(link.kind is StepKind.CALL for link in links) > _CALLS
    doubts = assumed + kept + far
    if doubts == 0:
        return Confidence.HIGH
    return Confidence.MEDIUM if doubts <= _ASSUMED_MEDIUM else Confidence.LOW


def _torn(links: list[Link]) -> bool:
    """Whether the way from the source to where the data is kept is not shown."""
    source = links[0]
    return any(
        link.text == KEPT and not f"{link.function}.".startswith(f"{source.function}.")
        for link in links
    )


def _steps(
    world: World, links: list[Link], source: Source, hit: Hit, handler: Handler | None
) -> tuple[Step, ...]:
    out: list[Step] = []
    for link in links:
        place = value_place(world, link.function, link.at)
        text = link.text
        if link.kind is StepKind.SOURCE:
            text = _spoken(source, handler)
        elif link.kind is StepKind.SINK:
            text = f"reaches {_sink_name(hit)}"
        elif link.kind is StepKind.CALL:
            text = f"passed to `{link.text.rpartition(':')[2]}`"
        elif link.kind is StepKind.ASSUMED:
            text = f"through `{link.text}`, of which nothing is known"
        elif link.kind is StepKind.PASS and text[:1] not in ("j", "p", "k"):
            text = f"through `{text}`"
        step = Step(place, link.kind, text, link.depth)
        if not out or (out[-1].place, out[-1].text) != (step.place, step.text):
            out.append(step)
    return tuple(out)
