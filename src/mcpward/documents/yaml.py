"""The reader of YAML, on the events of its parser; what aliases repeat is counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcpward.core.finding import SkipKind
from mcpward.core.late import late
from mcpward.documents.tree import (
    Array,
    Budget,
    Entry,
    Node,
    Scalar,
    Table,
    UnreadableError,
    malformed,
)

if TYPE_CHECKING:
    from yaml.events import Event

_PURE_LIMIT = 256 * 1024
"""Characters that the parser is given when it is not the compiled one, which is far slower."""
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_INTEGER = late(r"[-+]?\d{1,40}")
_FLOAT = late(r"[-+]?(?:\d{1,40}\.\d{0,40}|\.\d{1,40})(?:[eE][-+]?\d{1,4})?")


@dataclass(frozen=True, slots=True)
class _Done:
    """A node that is complete, with what it counts for wherever an alias repeats it."""

    node: Node
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class _Open:
    """A collection that is being read."""

    start: int
    is_table: bool
    anchor: str
    nodes: list[_Done] = field(default_factory=list)
    """Items, or keys and values in turn."""


def read_yaml(text: str) -> Node:
    """The tree of the first document of a text. Raises `UnreadableError`."""
    import yaml

    try:
        return _tree(text, _events(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = str(getattr(error, "problem", "") or "not valid YAML")[:200]
        raise malformed(text, mark.index if mark else 0, problem) from None


def _events(text: str) -> Iterator[Event]:
    import yaml

    loader: Any = yaml.SafeLoader
    if yaml.__with_libyaml__:
        loader = yaml.CSafeLoader
    elif len(text) > _PURE_LIMIT:
        raise UnreadableError(SkipKind.TOO_LARGE, f"larger than {_PURE_LIMIT} characters")
    yield from yaml.parse(text, Loader=loader)


def _tree(text: str, events: Iterator[Event]) -> Node:
    from yaml import events as kinds

    budget = Budget()
    anchors: dict[str, _Done] = {}
    stack: list[_Open] = []
    for event in events:
        mark: Any = event.start_mark
        done: _Done | None = None
        match event:
            case kinds.MappingStartEvent() | kinds.SequenceStartEvent():
                budget.spend(len(stack))
                is_table = isinstance(event, kinds.MappingStartEvent)
                anchors.pop(event.anchor or "", None)
                stack.append(_Open(mark.index, is_table, event.anchor or ""))
            case kinds.ScalarEvent():
                budget.spend(len(stack))
                anchors[event.anchor or ""] = done = _Done(_scalar(event))
            case kinds.AliasEvent():
                known = anchors.get(event.anchor or "")
                if known is None or not event.anchor:
                    raise malformed(text, mark.index, "an alias without its anchor")
                # What an alias stands for counts again: readers walk it again.
                budget.spend(len(stack) + known.height, known.size)
                done = known
            case kinds.MappingEndEvent() | kinds.SequenceEndEvent():
                opened = stack.pop()
                end: Any = event.end_mark
                done = _closed(opened, _trimmed(text, opened.start, end.index))
                anchors[opened.anchor] = done
            case kinds.DocumentEndEvent():
                break
            case _:
                pass
        if done is not None:
            if not stack:
                return done.node
            stack[-1].nodes.append(done)
    return Table((), 0, 0)


def _trimmed(text: str, start: int, end: int) -> int:
    """The end of a collection in block style is where the next thing begins."""
    while end > start and text[end - 1 : end].isspace():
        end -= 1
    return end


def _closed(opened: _Open, end: int) -> _Done:
    size = 1 + sum(done.size for done in opened.nodes)
    height = 1 + max((done.height for done in opened.nodes), default=0)
    nodes = [done.node for done in opened.nodes]
    if not opened.is_table:
        return _Done(Array(tuple(nodes), opened.start, end), size, height)
    pairs = zip(nodes[::2], nodes[1::2], strict=True)
    entries = [Entry(_key(key), value) for key, value in pairs]
    return _Done(Table(tuple(_merged(entries)), opened.start, end), size, height)


def _key(node: Node) -> Scalar:
    if isinstance(node, Scalar):
        return node if isinstance(node.value, str) else Scalar(node.text, node.start, node.end)
    return Scalar("", node.start, node.end)


def _merged(entries: list[Entry]) -> Iterator[Entry]:
    """What `<<` brings in comes first, so that own keys count."""
    for entry in entries:
        if entry.name == "<<":
            several = entry.value.items if isinstance(entry.value, Array) else (entry.value,)
            for one in reversed(several):
                if isinstance(one, Table):
                    yield from one.entries
    yield from (entry for entry in entries if entry.name != "<<")


def _scalar(event: Any) -> Scalar:
    start, end = event.start_mark.index, event.end_mark.index
    raw: str = event.value
    is_plain = event.style is None or event.style == ""
    if not is_plain or event.tag:
        return Scalar(raw, start, end)
    if raw in _WORDS:
        return Scalar(_WORDS[raw], start, end)
    if _INTEGER.fullmatch(raw):
        return Scalar(int(raw), start, end)
    if _FLOAT.fullmatch(raw):
        return Scalar(float(raw), start, end)
    return Scalar(raw, start, end)
