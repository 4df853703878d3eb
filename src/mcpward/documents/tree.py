"""A document as a tree of nodes, each with its place in the text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from mcpward.core.finding import Place, SkipKind
from mcpward.core.source import Position

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 200_000
_SHOWN = 400
"""Characters of a line that a place quotes."""


class Format(StrEnum):
    """How a document is written."""

    JSON = "json"
    """With comments and trailing commas, as editors accept it."""
    TOML = "toml"
    YAML = "yaml"
    DOCKERFILE = "dockerfile"
    REQUIREMENTS = "requirements"
    ENV = "env"
    INI = "ini"


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A text, number, truth value or nothing."""

    value: str | int | float | bool | None
    start: int
    """Offset of the first character in the text of the document."""
    end: int

    @property
    def text(self) -> str:
        """The value as a configuration means it where only text makes sense."""
        match self.value:
            case None:
                return ""
            case bool():
                return "true" if self.value else "false"
            case _:
                return str(self.value)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One key of a table with its value."""

    key: Scalar
    value: Node

    @property
    def name(self) -> str:
        """The key as text."""
        return self.key.text


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Keys and values in the order of the text; a key that comes twice is there twice."""

    entries: tuple[Entry, ...]
    start: int
    end: int

    def entry(self, name: str) -> Entry | None:
        """The entry that counts: the last one of this name, as all parsers have it."""
        return next((entry for entry in reversed(self.entries) if entry.name == name), None)

    def get(self, *path: str) -> Node | None:
        """The node at a path of keys."""
        at: Node = self
        for name in path:
            entry = at.entry(name) if isinstance(at, Table) else None
            if entry is None:
                return None
            at = entry.value
        return at

    def text(self, *path: str) -> str:
        """The text at a path of keys; empty when there is none."""
        node = self.get(*path)
        return node.text if isinstance(node, Scalar) else ""

    def table(self, *path: str) -> Table | None:
        """The table at a path of keys."""
        node = self.get(*path)
        return node if isinstance(node, Table) else None

    @property
    def duplicates(self) -> tuple[Scalar, ...]:
        """The keys that repeat an earlier one."""
        seen: set[str] = set()
        again = []
        for entry in self.entries:
            if entry.name in seen:
                again.append(entry.key)
            seen.add(entry.name)
        return tuple(again)


@dataclass(frozen=True, slots=True, eq=False)
class Array:
    """Nodes in order."""

    items: tuple[Node, ...]
    start: int
    end: int


Node = Scalar | Table | Array


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One file that is not code, read."""

    path: str
    """Relative to the root of the target, with forward slashes."""
    format: Format
    text: str
    """Decoded, with `\\n` or `\\r\\n` line breaks; all offsets count its characters."""
    root: Node
    starts: tuple[int, ...] = field(repr=False)
    """Offset of the first character of every line."""

    @property
    def table(self) -> Table:
        """The root as a table; an empty one when it is something else."""
        return self.root if isinstance(self.root, Table) else Table((), 0, 0)

    def position(self, offset: int) -> Position:
        """Line and column, both from 1."""
        line = bisect_right(self.starts, offset)
        return Position(line, offset - self.starts[line - 1] + 1)

    def place(self, node: Node | Entry) -> Place:
        """The region of a node; of an entry, that of its key and value."""
        if isinstance(node, Entry):
            return self.region(node.key.start, max(node.key.end, node.value.end))
        return self.region(node.start, node.end)

    def region(self, start: int, end: int) -> Place:
        """The region between two offsets."""
        first = self.position(start)
        begin = self.starts[first.line - 1]
        stop = self.starts[first.line] if first.line < len(self.starts) else len(self.text)
        code = self.text[begin : min(stop, begin + _SHOWN)].rstrip("\r\n")
        return Place(self.path, first, self.position(max(start, end)), code)


def line_starts(text: str) -> tuple[int, ...]:
    """Offset of the first character of every line."""
    starts = [0]
    at = text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return tuple(starts)


def scalars(node: Node) -> Iterator[Scalar]:
    """Every scalar value below a node, in the order of the text; keys are no values."""
    waiting: list[Node] = [node]
    while waiting:
        match waiting.pop():
            case Scalar() as scalar:
                yield scalar
            case Array(items=items):
                waiting.extend(reversed(items))
            case Table(entries=entries):
                waiting.extend(entry.value for entry in reversed(entries))


def tables(node: Node) -> Iterator[Table]:
    """Every table below a node and the node itself, in the order of the text."""
    waiting: list[Node] = [node]
    while waiting:
        match waiting.pop():
            case Scalar():
                pass
            case Array(items=items):
                waiting.extend(reversed(items))
            case Table(entries=entries) as table:
                yield table
                waiting.extend(entry.value for entry in reversed(entries))


Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


def plain(node: Node) -> Plain:
    """The values alone, as Python has them."""
    match node:
        case Scalar(value=value):
            return value
        case Array(items=items):
            return [plain(item) for item in items]
        case Table(entries=entries):
            return {entry.name: plain(entry.value) for entry in entries}


# ---- while reading -------------------------------------------------------------------------------


class UnreadableError(Exception):
    """The document cannot be read, or is more than a reader looks at."""

    def __init__(self, kind: SkipKind, reason: str) -> None:
        """`reason` goes into the report."""
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


def malformed(text: str, offset: int, reason: str) -> UnreadableError:
    """The error for text that is not what its name says."""
    return UnreadableError(
        SkipKind.UNPARSABLE, f"line {text.count(chr(10), 0, offset) + 1}: {reason}"
    )


@dataclass(slots=True)
class Budget:
    """Counts the nodes of one document."""

    left: int = MAX_NODES

    def spend(self, depth: int, nodes: int = 1) -> None:
        """Raises `UnreadableError` when the document is too deep or has too many nodes."""
        if depth > MAX_DEPTH:
            raise UnreadableError(SkipKind.TOO_DEEP, f"nested more than {MAX_DEPTH} levels")
        self.left -= nodes
        if self.left < 0:
            raise UnreadableError(SkipKind.TOO_MANY, f"holds more than {MAX_NODES} values")
