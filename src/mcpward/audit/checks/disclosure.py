"""Rules about what a handler tells: secrets, the environment, errors, and what it fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mcpward.audit.addresses import fixed_address
from mcpward.audit.disclosed import Origin
from mcpward.audit.places import handler_of, value_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.audit.survey import Outlet
from mcpward.audit.walk import Given
from mcpward.core.finding import Confidence, Handler, Step, StepKind
from mcpward.ir.values import Call, Id, Join, Return
from mcpward.taint import entries, places
from mcpward.taint.entry import Entry
from mcpward.taint.facts import Symbol
from mcpward.taint.frame import Frame

_OUTSIDE = frozenset(["completion", "route"])
"""Handlers whose results are not what a model reads."""


class Told(NamedTuple):
    """Something that a handler returns."""

    entry: Entry
    frame: Frame
    leaf: Origin | Given
    at: Id
    """The expression in the handler that brings it in."""


def environment_disclosure(subject: Subject) -> Iterator[Sighting]:
    """The environment, or a variable that the caller names, in what a handler returns."""
    for told in _once(_results(subject), "environment", "chosen"):
        assert isinstance(told.leaf, Origin)
        if told.leaf.kind == "environment" or told.leaf.function == told.frame.name:
            yield _sighting(subject, told, told.leaf.label)


def secret_in_tool_output(subject: Subject) -> Iterator[Sighting]:
    """A credential in what a handler returns."""
    for told in _once(_results(subject), "secret"):
        yield _sighting(subject, told, f"`{told.leaf.label}`")  # type: ignore[union-attr]  # `_once` gives origins


def stack_trace_disclosure(subject: Subject) -> Iterator[Sighting]:
    """The stack of an error in what a handler returns."""
    for told in _once(_results(subject), "trace"):
        yield _sighting(subject, told, "")


def verbose_error_disclosure(subject: Subject) -> Iterator[Sighting]:
    """The text of any error in what a handler returns."""
    results = list(_results(subject))
    worse = {told.entry.handler.name for told in _once(results, "trace")}
    for told in _once(results, "error"):
        if told.entry.handler.name not in worse:
            yield _sighting(subject, told, "")


def subprocess_output_passthrough(subject: Subject) -> Iterator[Sighting]:
    """The error output of a program in what a handler returns."""
    for told in _once(_results(subject), "output"):
        assert isinstance(told.leaf, Origin)
        yield _sighting(subject, told, told.leaf.label)


def untrusted_content_passthrough(subject: Subject) -> Iterator[Sighting]:
    """The answer of an address that the caller chooses in what a handler returns."""
    for told in _once(_results(subject), "fetched"):
        assert isinstance(told.leaf, Origin)
        if _chosen_address(subject, told.leaf):
            yield _sighting(subject, told, f"`{told.leaf.label}`")


def _chosen_address(subject: Subject, origin: Origin) -> bool:
    """Whether the caller of a handler says where to connect."""
    frame = subject.world.frames[origin.function]
    call = frame.values[origin.at]
    if not isinstance(call, Call):
        return False
    handlers = {entry.handler.name for entry in subject.world.entries.values()}
    if any(
        hit.function == origin.function and hit.at == origin.at and source.kind == "model"
        for source, marks, hit in subject.world.findings
        if not marks & subject.world.bits["fixed-host"]
    ):
        return True
    given = call.args[:1]
    return origin.function in handlers and any(
        isinstance(leaf, Given) and not fixed_address(frame, at)
        for at in given
        for leaf in subject.origins.of(frame, at)
    )


# ── prompts and logs ──────────────────────────────────────────────────────────────────────────


def unvalidated_prompt_argument(subject: Subject) -> Iterator[Sighting]:
    """An argument of a prompt among instructions, with nothing around it."""
    seen: set[str] = set()
    for told in _results(subject):
        name = told.entry.handler.name
        if told.entry.model.sort != "prompt" or name in seen or not isinstance(told.leaf, Given):
            continue
        label = _argument(subject, told.entry, told.frame, told.leaf)
        joined = told.frame.values[told.at]
        if label and isinstance(joined, Join) and _bare(subject, told, joined):
            seen.add(name)
            yield _sighting(subject, told, f"`{label}`")


_AROUND = ("`", '"', "'", ">", "“", "«", "[", "{", "(", "<")


def _bare(subject: Subject, told: Told, joined: Join) -> bool:
    """Whether the argument stands in a text without a mark that says where it begins."""
    before = ""
    frame = told.frame
    for operand in joined.operands:
        texts = [c for c in frame.constants(operand) if isinstance(c, str)]
        if texts:
            before = texts[0]
            continue
        value = frame.values[operand]
        if isinstance(value, Join):
            if value.fields is None and _bare(subject, told, value):
                return True
        elif _open(before) and told.leaf in subject.origins.of(frame, operand):
            return True
        before = ""
    return False


def _open(before: str) -> bool:
    text = before.rstrip(" \t")
    return bool(text.strip()) and not text.endswith((*_AROUND, "\n", ":"))


def _argument(subject: Subject, entry: Entry, frame: Frame, leaf: Given) -> str:
    """The name of an argument that can hold any text; nothing for others."""
    world = subject.world
    known = entries.source(world, frame, entry, Symbol(leaf.parameter, leaf.path))
    if known is None or known[0] != "model":
        return ""
    if known[1] & world.mask(("number", "listed", "identifier", "word", "digest")):
        return ""
    return known[2]


def log_injection(subject: Subject) -> Iterator[Sighting]:
    """An argument of a handler as part of a line of a log."""
    handlers = {entry.handler.name: entry for entry in subject.world.entries.values()}
    seen: set[str] = set()
    for outlet in subject.survey.logs:
        entry = handlers.get(outlet.frame.name)
        if entry is None or outlet.frame.name in seen:
            continue
        for at in _logged(outlet):
            label = _written_plainly(subject, entry, outlet.frame, at)
            if label:
                seen.add(outlet.frame.name)
                place = value_place(subject.world, outlet.frame.name, outlet.at)
                yield Sighting(
                    place, f"`{label}`", handler=_handler(subject, entry, outlet), sink=outlet.name
                )
                break


def _written_plainly(subject: Subject, entry: Entry, frame: Frame, at: Id) -> str:
    """The argument that a text is made of, unless it is written as a literal."""
    value = frame.values[at]
    if not isinstance(value, Join) or value.fields is not None:
        return ""
    text = value_place(subject.world, frame.name, at).code
    if "!r}" in text or "%r" in text:
        return ""
    for operand in value.operands:
        if isinstance(frame.values[operand], Join):
            label = _written_plainly(subject, entry, frame, operand)
            if label:
                return label
        elif not isinstance(frame.values[operand], Call):
            for leaf in subject.origins.of(frame, operand):
                label = _argument(subject, entry, frame, leaf) if isinstance(leaf, Given) else ""
                if label:
                    return label
    return ""


_PRINTS = frozenset(
    ["print", "pprint.pprint", "sys.stdout.write", "console.log", "process.stdout.write"]
)
"""What a command shows to the person who runs it, unless a handler does it."""


def secret_in_log(subject: Subject) -> Iterator[Sighting]:
    """A credential, or the environment, in a line of a log."""
    for outlet in subject.survey.logs:
        if outlet.name in _PRINTS and outlet.frame.name not in subject.reached:
            continue
        for at in _logged(outlet):
            found = [
                leaf
                for leaf in subject.origins.of(outlet.frame, at)
                if isinstance(leaf, Origin) and leaf.kind in ("secret", "environment")
            ]
            if found:
                leaf = min(found)
                label = leaf.label if leaf.kind == "environment" else f"`{leaf.label}`"
                yield subject.leaving(outlet, leaf, label, label, "written by")
                break


def _logged(outlet: Outlet) -> list[Id]:
    """What a call writes to a log."""
    call = outlet.call
    if outlet.row is None:
        return [*call.args, *(value for _, value in call.keywords)]
    return [
        value
        for place, kind in outlet.row.sinks
        if kind == "log"
        for value in places.values(call, place)
    ]


# ── results ───────────────────────────────────────────────────────────────────────────────────


def _results(subject: Subject) -> Iterator[Told]:
    """Everything that is known of what handlers return."""
    done: set[tuple[str, str]] = set()
    world = subject.world
    for entry in sorted(world.entries.values(), key=lambda e: (e.handler.name, e.index)):
        frame = world.frames.get(entry.handler.name)
        key = (entry.handler.name, entry.model.sort)
        if frame is None or entry.model.sort in _OUTSIDE or key in done:
            continue
        done.add(key)
        for at in frame.exits:
            value = frame.values[at]
            assert isinstance(value, Return)
            for leaf, shown in subject.origins.of(frame, value.value).items():
                if isinstance(leaf, Origin | Given):
                    yield Told(entry, frame, leaf, shown)


def _once(results: Iterable[Told], *kinds: str) -> Iterator[Told]:
    """The first of each handler and label; what several handlers share is told of the first."""
    seen: set[tuple[str, object]] = set()
    for told in results:
        if not isinstance(told.leaf, Origin) or told.leaf.kind not in kinds:
            continue
        own = (told.entry.handler.name, told.leaf.label if "secret" in kinds else "")
        cause = (told.leaf.function, told.leaf.at)
        if own in seen or (told.leaf.kind in _CAUGHT and cause in seen):
            continue
        seen |= {own, cause}
        yield told


_CAUGHT = frozenset(["error", "trace", "output"])


def _sighting(subject: Subject, told: Told, detail: str) -> Sighting:
    """The place where a handler returns something, or where the function does that caught it."""
    world = subject.world
    place = value_place(world, told.frame.name, told.at)
    handler = handler_of(world, told.entry, (told.frame.name, told.at))
    steps: tuple[Step, ...] = ()
    confidence = Confidence.HIGH
    if isinstance(told.leaf, Origin):
        start = value_place(world, told.leaf.function, told.leaf.at)
        steps = (
            Step(start, StepKind.SOURCE, told.leaf.label, 0),
            Step(place, StepKind.SINK, f"returned by the {handler.sort} `{handler.name}`", 0),
        )
        if told.leaf.kind in _CAUGHT and told.leaf.function != told.frame.name:
            place, confidence = start, Confidence.MEDIUM
    return Sighting(
        place, detail, confidence=confidence, handler=handler, steps=steps, sink=handler.name
    )


def _handler(subject: Subject, entry: Entry, outlet: Outlet) -> Handler:
    return handler_of(subject.world, entry, (outlet.frame.name, outlet.at))
