"""Checks of what has no bound: calls, results, memory, work done at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.places import handler_of, span_place, value_place
from mcpward.audit.sites import Site, stores, uses
from mcpward.audit.spelling import HERE, spelled
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity
from mcpward.core.late import late
from mcpward.core.rule import Condition, Place
from mcpward.ir.values import Assume, Call, Global, Id, Join, Load, Phi, Return
from mcpward.taint import places
from mcpward.taint.entry import Entry
from mcpward.taint.facts import Ref
from mcpward.taint.frame import Frame

_LIMITED = late(
    rb"rate.?limit|limiter|throttl|slowapi|bottleneck|too.?many.?requests|\b429\b|token.?bucket"
    rb"|quota|max.?requests|requests.?per",
    re.IGNORECASE,
)
_SERVED = late(
    rb"streamable.?http|SSEServerTransport|sse_app|http_app|transport\s{0,2}=\s{0,2}[\"'](?:sse|http)",
    re.IGNORECASE,
)
_COSTLY = ("shell", "program", "sql", "nosql", "query", "url", "browser-url", "path-write", "code")
_CHOSEN = frozenset(["model", "wire"])
_DEPTH = 12
_NAMED = 3
_PRESENT = ("<present>",)
_WRAPPERS = frozenset(["str", "String", "json.dumps", "JSON.stringify", "bytes.decode"])
_LASTING = (":", ".__init__", ".constructor")
_GROWERS = frozenset(["append", "add", "push", "set", "appendleft", "extend", "setdefault"])
_CONTAINERS = frozenset(["dict", "list", "object", "array", "set", "Map", "Set"])
_SEMAPHORE = late(
    rb"semaphore|p-?limit|p-?map|p-?queue|limiter|\.slice\(|chunk|batch", re.IGNORECASE
)


def missing_rate_limit(subject: Subject) -> Iterator[Sighting]:
    """A server whose tools cost something, and nothing that counts the calls."""
    if any(_LIMITED.search(source.data) for source in subject.sources.values()) or any(
        _LIMITED.search(text) for text in subject.texts.values()
    ):
        return
    costly: dict[str, Entry] = {}
    for site in subject.sites:
        entry = subject.reached.get(site.frame.name)
        if entry is not None and entry.model.sort in ("tool", "raw") and any(uses(site, _COSTLY)):
            costly.setdefault(entry.label, entry)
    if not costly:
        return
    named = sorted(filter(None, costly))
    served = any(_SERVED.search(source.data) for source in subject.sources.values())
    entry = costly[named[0] if named else ""]
    function = subject.world.program.function(entry.handler.name)
    assert function is not None
    shown = ", ".join(f"`{name}`" for name in named[:_NAMED]) or "all of them"
    rest = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    yield Sighting(
        span_place(subject.world, function, function.start, function.start),
        shown + rest,
        None if served else Severity.INFO,
    )


def missing_timeout(subject: Subject) -> Iterator[Sighting]:
    """Requests of JavaScript servers that nothing ends early: one finding for all of them."""
    found = [
        site
        for site in subject.about("missing-timeout")
        if site.frame.name in subject.reached and not _ended(site)
    ]
    if found:
        more = f", and {len(found) - 1} more like it" if len(found) > 1 else ""
        what = f"a slow answer holds the request for minutes{more}"
        yield subject.sighting(found[0], what, Severity.INFO)


def _ended(site: Site) -> bool:
    """Whether a request has a limit, or may have one: options that are not seen count as such."""
    frame, call = site.frame, site.call
    made = call.receiver is not None and any(
        ref.sort == "inst" for ref in frame.refs[call.receiver]
    )
    return made or any(
        places.holds(
            frame, call, Condition(Place("arg", index, path=(option,)), _PRESENT), unknown=True
        )
        for index in range(3)
        for option in ("timeout", "signal")
    )


def unbounded_output(subject: Subject) -> Iterator[Sighting]:
    """Results that are a whole file, page or table."""
    whole = {(site.frame.name, site.at): site for site in subject.about("unbounded-output")}
    for entry in sorted(subject.world.entries.values(), key=lambda entry: entry.index):
        frame = subject.world.frames.get(entry.handler.name)
        if frame is None or entry.model.sort not in ("tool", "resource", "client"):
            continue
        for at in frame.exits:
            value = frame.values[at]
            found = _whole(frame, value.value, whole, _DEPTH) if type(value) is Return else None
            if found is not None and not _shipped(subject, found):
                place = value_place(subject.world, frame.name, found.at)
                handler = handler_of(subject.world, entry, (frame.name, at))
                yield Sighting(place, handler=handler, sink=found.name)


def _shipped(subject: Subject, site: Site) -> bool:
    """Whether a file that is read is one of the package's own, hence of a known size."""
    path = list(site.call.args[:1])
    if site.call.receiver is not None:
        path.append(site.call.receiver)
    return any(HERE in spelled(subject, site.frame, value)[0] for value in path)


def _whole(frame: Frame, at: Id, whole: dict[tuple[str, Id], Site], depth: int) -> Site | None:
    """The call that read everything, when a value is its result and nothing less."""
    if (frame.name, at) in whole:
        return whole[frame.name, at]
    value = frame.values[at]
    if depth <= 0:
        return None
    inner: tuple[Id, ...] = ()
    match value:
        case Assume():
            inner = (value.value,)
        case Phi():
            inner = tuple(value.operands[:8])
        case Join() if value.label not in ("slice", "arithmetic", "/"):
            inner = tuple(value.operands[:8])
        case Call() if value.args:
            names = {ref.name for ref in frame.refs[value.callee] if ref.sort == "ext"}
            inner = value.args[:1] if names & _WRAPPERS else ()
        case Load() if value.field in ("text", "content", "stdout", "data"):
            inner = (value.object,)
        case _:
            pass
    for operand in inner:
        found = _whole(frame, operand, whole, depth - 1)
        if found is not None:
            return found
    return None


def unbounded_state_growth(subject: Subject) -> Iterator[Sighting]:
    """Collections that outlive a call and only ever grow."""
    told: set[tuple[str, str]] = set()
    for frame, at, store in stores(subject.world):
        if store.key is None or not _lasts(frame, store.object):
            continue
        if subject.kinds(frame, store.key) & _CHOSEN:
            yield from _growing(subject, frame, at, store.object, told)
    for name in sorted(subject.reached):
        found = subject.world.frames.get(name)
        for at in found.live if found is not None else ():
            assert found is not None
            value = found.values[at]
            if type(value) is Call and value.receiver is not None and value.args:
                callee = found.values[value.callee]
                method = callee.field if isinstance(callee, Load) else ""
                if method not in _GROWERS or not _lasts(found, value.receiver):
                    continue
                if subject.kinds(found, value.args[0]) & _CHOSEN:
                    yield from _growing(subject, found, at, value.receiver, told)


def _growing(
    subject: Subject, frame: Frame, at: Id, owner: Id, told: set[tuple[str, str]]
) -> Iterator[Sighting]:
    if frame.name not in subject.reached:
        return
    kept = [ref for ref in frame.refs[owner] if ref.sort == "obj"]
    name = _variable(frame, owner)
    if not name or not kept or (frame.module.name, name) in told:
        return
    if not all(_begins_empty(subject, ref) for ref in kept if ref.name != "result"):
        return
    types = {ref.name for ref in frame.refs[owner] if ref.sort == "inst"}
    if types - _CONTAINERS or any(ref.name == "arguments" for ref in kept):
        return
    if _shrinks(frame.module.source.data, name):
        return
    told.add((frame.module.name, name))
    place = value_place(subject.world, frame.name, at)
    yield Sighting(place, f"`{name}`", handler=subject.handler(frame.name, at))


def _lasts(frame: Frame, at: Id) -> bool:
    return any(ref.sort == "obj" and ref.site.endswith(_LASTING) for ref in frame.refs[at])


def _begins_empty(subject: Subject, ref: Ref) -> bool:
    """Whether an object is made once, is empty then, and keeps what is put into it."""
    made = subject.world.frames.get(ref.site)
    if made is None or not ref.site.endswith(_LASTING) or not 0 <= ref.at < len(made.values):
        return False
    if not ref.site.endswith(":") and ref.site.rpartition(".")[0] not in subject.lasting:
        return False
    value = made.values[ref.at]
    if isinstance(value, Join):
        return not value.operands
    if not isinstance(value, Call):
        return False
    maker = made.values[value.callee]
    return not (isinstance(maker, Global) and maker.name.startswith("Weak"))


def _variable(frame: Frame, at: Id) -> str:
    """The variable or field that holds a collection; for an element, that of the whole."""
    for _ in range(4):
        value = frame.values[at]
        if isinstance(value, Global):
            return value.name
        if isinstance(value, Assume):
            at = value.value
        elif isinstance(value, Load):
            if not value.subscript:
                return value.field
            at = value.object
        else:
            return ""
    return ""


def _shrinks(data: bytes, name: str) -> bool:
    """Whether a module ever removes something from a collection, replaces it or asks its size."""
    word = re.escape(name.encode())
    removed = re.compile(
        rb"\b" + word + rb"(?:\[[^\]\n]{0,80}\]|!|\?)?\.(?:pop|popitem|popleft|clear|delete|remove|"
        rb"shift|splice|discard|size|length)\b"
        rb"|\bdel(?:ete)? (?:self\.|this\.|cls\.)?" + word + rb"\b"
        rb"|\blen\((?:self\.|cls\.)?" + word + rb"\)"
    )
    if removed.search(data):
        return True
    replaced = re.compile(
        rb"\b" + word + rb"(?:\[[^\]\n]{0,80}\])?(?:\s?:[^=\n]{1,80})?\s?=(?![=>])"
    )
    whole = [m for m in replaced.finditer(data) if b"[" not in m[0].partition(b":")[0]]
    filtered = [
        m
        for m in replaced.finditer(data)
        if re.match(
            rb"\s?\[[^\]\n]{0,200}\bfor\b|[^\n]{0,80}\.filter\(", data[m.end() : m.end() + 300]
        )
    ]
    return len(whole) > 1 or bool(filtered)


def unbounded_concurrency(subject: Subject) -> Iterator[Sighting]:
    """Work that is started at once for every element of a list that a caller chose."""
    for site in subject.about("unbounded-concurrency"):
        frame = site.frame
        if frame.name not in subject.reached or not site.call.args:
            continue
        function, data = frame.function, frame.module.source.data
        if _SEMAPHORE.search(data, function.start, function.end):
            continue
        if any(_listed(subject, frame, site.call.args[0])):
            yield subject.sighting(site)


def _listed(subject: Subject, frame: Frame, at: Id) -> Iterator[bool]:
    """Whether the elements of a list are calls with elements of a list that a caller chose."""
    value = frame.values[at]
    chosen = {"model", "wire"}
    if isinstance(value, Join) and value.fields is not None and "*" in value.fields:
        for operand in value.operands[:8]:
            inner = frame.values[operand]
            if isinstance(inner, Call):
                yield any(subject.kinds(frame, one) & chosen for one in inner.args[:8])
    elif isinstance(value, Call) and value.receiver is not None:
        callee = frame.values[value.callee]
        if isinstance(callee, Load) and callee.field == "map":
            yield bool(subject.kinds(frame, value.receiver) & chosen)
