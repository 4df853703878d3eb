"""Rules about sessions, event replay and objects that clients share."""

from __future__ import annotations

from collections.abc import Iterator

from mcpward.audit.calls import Named
from mcpward.audit.places import span_place, value_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.late import late
from mcpward.ir.program import bare
from mcpward.ir.values import Function
from mcpward.taint.facts import ordered

_RANDOM = late(rb"(?i)random_?uuid|uuid|random_?bytes|getRandomValues|nanoid|crypto|secrets")
_WEAK = late(rb"Math\.random|Date\.now|\+\+|\+= ?1|getTime\(|performance\.now")
_NETWORK = frozenset(
    {
        "StreamableHTTPServerTransport",
        "SSEServerTransport",
        "NodeStreamableHTTPServerTransport",
        "WebStandardStreamableHTTPServerTransport",
    }
)
_SERVER_CLASSES = frozenset({"McpServer", "Server"})


def predictable_session_id(subject: Subject) -> Iterator[Sighting]:
    """Generators of session identifiers made of clocks, counters or Math.random."""
    for named in _transports(subject):
        for ref in ordered(named.frame.read_refs(named.call.args[0], ("sessionIdGenerator",))):
            made = subject.world.program.function(ref.name) if ref.sort == "fn" else None
            if made is None:
                continue
            text = _text(subject, made)
            if _WEAK.search(text) and not _RANDOM.search(text):
                place = span_place(subject.world, made, made.start, made.end)
                yield Sighting(place, handler=None)


def _transports(subject: Subject) -> Iterator[Named]:
    for name in sorted(subject.calls):
        if bare(name.replace("/", ".")) in _NETWORK:
            yield from (n for n in subject.calls[name] if n.call.args and n.call.spread < 0)


def _text(subject: Subject, function: Function) -> bytes:
    source = subject.world.program.modules[function.module].source
    return source.data[function.start : function.end]


def shared_server_instance(subject: Subject) -> Iterator[Sighting]:
    """Routes that connect a server made once to a transport made for the request."""
    routes = {e.handler.name for e in subject.world.entries.values() if e.model.sort == "route"}
    for name in sorted(subject.calls):
        if not name.endswith(".connect"):
            continue
        for named in subject.calls[name]:
            if named.call.receiver is None or not named.call.args:
                continue
            if named.frame.name in routes and _is_shared(named):
                yield Sighting(value_place(subject.world, named.frame.name, named.at))


def _is_shared(named: Named) -> bool:
    """Whether the server was made outside of the function, and the transport inside."""
    frame, receiver = named.frame, named.call.receiver
    assert receiver is not None
    owners = frame.refs[receiver]
    classes = {bare(r.name.replace("/", ".")) for r in owners if r.sort == "inst"}
    made = {r.site for r in owners if r.sort == "obj" and r.name == "new"}
    handed = frame.refs[named.call.args[0]]
    carried = {bare(r.name.replace("/", ".")) for r in handed if r.sort == "inst"}
    here = {r.site for r in handed if r.sort == "obj" and r.name == "new"}
    return (
        bool(classes & _SERVER_CLASSES)
        and bool(carried & _NETWORK)
        and here == {frame.name}
        and len(made) == 1
        and next(iter(made)).endswith(":")
    )


_REPLAY = frozenset({"replayEventsAfter", "replay_events_after"})
_STREAM = late(rb"(?i)stream_?id|streamid|subject|principal|session_?id|user_?id")


def unbound_event_replay(subject: Subject) -> Iterator[Sighting]:
    """Event stores that replay without looking at the stream that an event belongs to."""
    program = subject.world.program
    for name in sorted(program.classes):
        made = program.classes[name]
        stores = {"storeEvent", "store_event"} & made.methods.keys()
        for method in sorted(_REPLAY & made.methods.keys()) if stores else ():
            function = program.function(made.methods[method])
            if function is not None and not _STREAM.search(_text(subject, function)):
                yield Sighting(span_place(subject.world, function, function.start, function.end))
