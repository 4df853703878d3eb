"""Sinks and sources of libraries: what must not be reached, and what is untrusted in itself."""

from __future__ import annotations

from mcpward.core.rule import Place
from mcpward.ir.values import Call, Id, Store
from mcpward.taint import places
from mcpward.taint.calls import inside, reached, run_callback
from mcpward.taint.facts import (
    NO_FACTS,
    NO_REFS,
    Facts,
    Hit,
    Ref,
    Source,
    marked,
    union,
)
from mcpward.taint.frame import Frame


def sink(
    frame: Frame, at: Id, call: Call, place: Place, kind: str, name: str, marks: int = 0
) -> None:
    if kind not in frame.world.relevance.sinks:
        return
    facts = marked(places.facts(frame, call, place, sink=True), marks)
    if not facts:
        return
    if kind in ("argv", "program"):
        kind = _interpreted(frame, call, kind)
    if kind in ("argv", "program"):
        # What follows a fixed text neither names the program nor begins an option.
        fixed = frame.world.bits["prefixed"]
        facts = frozenset([fact for fact in facts if not fact[1] & fixed])
    reached(frame, at, Hit(kind, frame.name, at, name), facts)


_STARTERS = frozenset(
    ["sudo", "env", "nohup", "nice", "timeout", "xargs", "time", "stdbuf", "doas"]
)
"""Programs that start the program which one of their arguments names."""


def _interpreted(frame: Frame, call: Call, kind: str) -> str:
    """An argument of a shell or interpreter behind its code flag is code, not an argument."""
    words: list[list[str]] = []
    for argument in (*call.args[:3], *(v for _, v in call.keywords[:3])):
        words += _words(frame, argument)
    programs: list[str] = []
    for word in words:
        names = [w.replace("\\", "/").rpartition("/")[2].lower() for w in word]
        programs += names
        if _STARTERS.isdisjoint(programs):
            break
    if kind == "argv" and frame.library.family == "python":
        # Node refuses to start batch files without a shell.
        if any(program.endswith((".bat", ".cmd")) for program in programs):
            return "batch"
    flags = {w for word in words for w in word}
    for row in frame.library.interpreters:
        if any(p in row.programs for p in programs) and any(f in flags for f in row.flags):
            return row.kind
    return kind


def _words(frame: Frame, argument: Id) -> list[list[str]]:
    """What the words of an argument may be: a text is one, a list has several."""
    texts = [c for c in frame.constants(argument) if isinstance(c, str)]
    if texts:
        return [texts]
    out: list[list[str]] = []
    for element in [frame.refs[argument], *frame.elements(argument)[:16]]:
        word = sorted(r.name[2:] for r in element if r.sort == "const" and r.name[:2] == "s:")
        word += ["python" for r in element if r.name == "sys.executable"]
        word += ["node" for r in element if r.name == "process.execPath"]
        out.append(word)
    return out if len(out) == 1 else out[1:]


def source(frame: Frame, at: Id, call: Call, place: Place, kind: str, name: str) -> None:
    world = frame.world
    if kind not in world.relevance.sources:
        return
    if world.quiet:
        world.sourced.add(frame.name)
        frame.lively.add(at)
        if place.base == "return" and not place.path:
            return
    fact = NO_FACTS if world.quiet else frozenset([(Source(kind, frame.name, at, name), 0)])
    if place.base == "return":
        if place.path:
            made = Ref("obj", "result", frame.name, at)
            frame.refer(at, frozenset([made]))
            inside(frame, made, place.path, fact, NO_REFS, at)
        else:
            frame.add(at, fact)
    elif place.base == "parameter-of" and place.index < len(call.args):
        for ref in sorted(frame.refs[call.args[place.index]]):
            if ref.sort == "fn":
                run_callback(frame, at, ref, {place.parameter: fact})


def field_source(frame: Frame, at: Id, name: str) -> None:
    """A field of a library object that is a source."""
    row = frame.library.field(name)
    if row is None or not row.source:
        return
    if frame.world.quiet:
        frame.world.sourced.add(frame.name)
        frame.lively.add(at)
    else:
        frame.add(at, frozenset([(Source(row.source, frame.name, at, name), 0)]))


def stored(frame: Frame, at: Id, name: str, value: Store, facts: Facts) -> None:
    """A write into a library object: the environment of the process is a sink."""
    if name in ("os.environ", "process.env"):
        keys = frame.facts[value.key] if value.key is not None else NO_FACTS
        reached(frame, at, Hit("environment", frame.name, at, name), union(facts, keys))
