"""Values made from other values: texts, sums of lists, joined paths, fresh containers."""

from __future__ import annotations

import re

from mcpward.ir.values import (
    Id,
    Join,
)
from mcpward.taint.constants import constant
from mcpward.taint.facts import (
    NO_REFS,
    Facts,
    Ref,
    below,
    marked,
    ordered,
    union,
    unmarked,
)
from mcpward.taint.frame import APPENDED, OBJECTS, Frame
from mcpward.taint.options import takes_value

_TEXT = frozenset(["f-string", "concat", "template", "format", "jsx"])
_PART = "\0"
"""Stands in a text for a part that is not constant."""
_COMMENT = re.compile(r"\s*(?:/\*.{0,200}?\*/\s*)?;?\s*", re.DOTALL)
"""What may stand around a statement without making it another one."""
_TAG = re.compile(r"<[a-zA-Z!/]")


def join(frame: Frame, at: Id, value: Join) -> None:
    """Text made of parts, or a fresh container."""
    if value.fields is not None:
        container(frame, at, value)
        return
    if value.label in _TEXT:
        if value.label == "concat" and _lists(frame, value):
            _concatenated(frame, at, value)
            return
        frame.add(at, text(frame, value.operands))
        frame.refer(at, frozenset([frame.text]))
        if value.label == "concat" and len(frame.constants(at)) == 1:
            ref = constant(frame.constants(at)[0])
            if ref is not None:
                frame.refer(at, frozenset([ref]))
    elif value.label == "slice":
        for operand in value.operands[:1]:
            frame.add(at, marked(frame.facts[operand], frame.world.bits["part-piece"]))
            frame.refer(at, frozenset(r for r in frame.refs[operand] if r.sort != "const"))
    elif value.label == "/":
        _divided(frame, at, value)
    elif value.label == "exception":
        return
    else:
        for operand in value.operands:
            frame.add(at, frame.facts[operand])


def text(frame: Frame, operands: tuple[Id, ...]) -> Facts:
    """The facts of a text made of parts, with what the parts before prove about each."""
    bits = frame.world.bits
    out: list[Facts] = []
    head = ""
    opaque = False
    known = [[c for c in frame.constants(o) if isinstance(c, str)] for o in operands]
    pieces = [texts[0] if len(texts) == 1 else _PART for texts in known]
    whole = sum(not _COMMENT.fullmatch(piece) for piece in pieces) < 2
    around = _surroundings(pieces, bits)
    for position, operand in enumerate(operands):
        facts = frame.deep(operand)
        if facts:
            marks = bits["scalar"] | (0 if whole else bits["embedded"] | around)
            if _names("".join(pieces[position + 1 :])):
                marks |= bits["named"]
            if head or opaque:
                marks |= bits["prefixed"]
                if opaque or _fixes_host(head):
                    marks |= bits["fixed-host"]
            out.append(marked(facts, marks))
        head += pieces[position]
        if pieces[position] == _PART and not facts:
            opaque = opaque or head == _PART or "://" in head
    return union(*out)


def _surroundings(pieces: list[str], bits: dict[str, int]) -> int:
    """What the fixed parts say about the language of a text."""
    marks = 0
    if any("\r\n" in piece for piece in pieces):
        marks |= bits["in-line"]
    if any(_TAG.search(piece) for piece in pieces):
        marks |= bits["in-markup"]
    return marks


def _names(tail: str) -> bool:
    """Whether what follows a folder names a file or folder in it."""
    _, slash, last = tail.rpartition("/")
    return bool(slash) and last not in ("", ".", "..")


def _fixes_host(head: str) -> bool:
    """Whether the host of an address ends within its head.

    A base address that the caller chose as well is judged by itself: what follows it and a slash
    cannot move the host.
    """
    scheme, separator, rest = head.partition("://")
    if not separator:
        return any(mark in head for mark in "/?#") and not head.startswith("//")
    return bool(scheme) and any(mark in rest for mark in "/?#")


def _lists(frame: Frame, value: Join) -> bool:
    return any(
        ref.sort == "obj" and ref.name in ("list", "tuple", "array", "result")
        for operand in value.operands
        for ref in frame.refs[operand]
    )


def _concatenated(frame: Frame, at: Id, value: Join) -> None:
    made = Ref("obj", "list" if frame.library.family == "python" else "array", frame.name, at)
    frame.refer(at, frozenset([made]))
    for position, operand in enumerate(value.operands):
        frame.add(at, frame.facts[operand])
        for ref in ordered(frame.refs[operand]):
            if ref.sort != "obj":
                continue
            for name in frame.names(ref):
                target = name if position == 0 else APPENDED
                frame.put((made, target), frame.cell(ref, name), frame.cell_refs(ref, name), at)


def _divided(frame: Frame, at: Id, value: Join) -> None:
    """Python's `/`: joining paths unless both sides are numbers."""
    bits = frame.world.bits
    lost = bits["absolute"] | bits["resolved"]
    for position, operand in enumerate(value.operands):
        facts = frame.facts[operand]
        if position:
            facts = marked(unmarked(facts, lost), bits["prefixed"])
        elif all(_names(f"/{name}") for name in frame.constants(value.operands[-1])):
            facts = marked(facts, bits["named"])
        frame.add(at, facts)
    paths = [r for o in value.operands for r in frame.refs[o] if r.sort == "inst"]
    names = [r for r in paths if "Path" in r.name or "path" in r.name]
    if names:
        frame.refer(at, frozenset(names))
    elif any(frame.facts[o] for o in value.operands):
        frame.refer(at, frozenset([Ref("inst", "pathlib.Path")]))


def container(frame: Frame, at: Id, value: Join) -> None:
    """A list, dictionary, object: one cell per field."""
    assert value.fields is not None
    made = Ref("obj", value.label, frame.name, at)
    frame.refer(at, frozenset([made]))
    positional = 0
    vector = value.label in ("list", "tuple", "array")
    awaited = 0
    for position, (name, operand) in enumerate(zip(value.fields, value.operands, strict=True)):
        behind = APPENDED if position else "*"
        facts = frame.facts[operand]
        refs = frame.refs[operand]
        if name == "**":
            awaited = 0
            if vector:
                inside = marked(below(facts, "*"), positional)
                frame.put((made, behind), inside, NO_REFS, at)
            else:
                frame.add(at, facts)
            for ref in ordered(refs):
                if ref.sort in OBJECTS and ref.sort != "fn":
                    for inner in frame.names(ref):
                        target = _moved(inner, position) if vector else inner
                        frame.put(
                            (made, target),
                            marked(frame.cell(ref, inner), positional),
                            frame.cell_refs(ref, inner),
                            at,
                        )
            continue
        target = behind if vector and name == "*" else name
        frame.put((made, target), marked(facts, positional | awaited), refs, at)
        if vector and not facts:
            texts = frame.constants(operand)
            if texts in (["--"], ["--end-of-options"]):
                positional = frame.world.bits["positional"]
            awaited = (
                frame.world.bits["option-value"] if len(texts) == 1 and takes_value(texts[0]) else 0
            )
        else:
            awaited = 0


def _moved(name: str, position: int) -> str:
    """Where an element of a list stands that is put into another one."""
    return APPENDED if position or not (name.isdigit() or name in ("*", APPENDED)) else name
