"""The reader of TOML, on the tree of its grammar."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from mcpward.documents.tree import Array, Budget, Entry, Node, Scalar, Table, malformed

if TYPE_CHECKING:
    import tree_sitter

_KEYS = frozenset({"bare_key", "quoted_key", "dotted_key"})
_PUNCTUATION = frozenset({"[", "]", "[[", "]]", "{", "}", ",", "=", ".", "comment"})
_MOST_DIGITS = 400


def read_toml(text: str) -> Table:
    """The tree of a text. Raises `UnreadableError`."""
    data = text.encode("utf-8", "replace")
    if not data.endswith(b"\n"):
        data += b"\n"  # the grammar wants the last line ended
    tree = _parser().parse(data)
    root = tree.root_node
    if root.has_error:
        raise malformed(text, _first_error(root, _characters(data)), "not valid TOML")
    return _Reader(text, data, _characters(data)).document(root)


@cache
def _parser() -> tree_sitter.Parser:
    import tree_sitter
    import tree_sitter_toml

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))


def _characters(data: bytes) -> list[int] | None:
    """The character offset of every byte offset; nothing when they are the same."""
    if data.isascii():
        return None
    # A byte that does not continue a character begins one.
    return [0, *accumulate((byte & 0xC0) != 0x80 for byte in data)]


def _first_error(root: tree_sitter.Node, characters: list[int] | None) -> int:
    at = root
    while child := next((c for c in at.children if c.has_error or c.is_missing), None):
        at = child
    return characters[at.start_byte] if characters else at.start_byte


@dataclass(slots=True)
class _Draft:
    """A table that may still grow: TOML opens tables again and again."""

    start: int
    end: int
    entries: list[tuple[Scalar, _Draft | _Drafts | Node]] = field(default_factory=list)
    index: dict[str, _Draft | _Drafts] = field(default_factory=dict)


@dataclass(slots=True)
class _Drafts:
    """An array of tables."""

    start: int
    items: list[_Draft] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    text: str
    data: bytes
    characters: list[int] | None
    budget: Budget = field(default_factory=Budget)

    def document(self, root: tree_sitter.Node) -> Table:
        top = _Draft(0, len(self.text))
        for child in root.children:
            match child.type:
                case "pair":
                    self.pair(top, child, 0)
                case "table" | "table_array_element":
                    self.header(top, child)
                case _:
                    pass
        return self.finished(top, 0)

    def header(self, top: _Draft, node: tree_sitter.Node) -> None:
        keys = self.keys(next(c for c in node.children if c.type in _KEYS))
        at = self.descend(top, keys[:-1])
        last = keys[-1]
        start, end = self.offset(node.start_byte), self.offset(node.end_byte)
        known = at.index.get(last.text)
        if node.type == "table_array_element":
            if not isinstance(known, _Drafts):
                known = _Drafts(start)
                at.index[last.text] = known
                at.entries.append((last, known))
            here = _Draft(start, end)
            known.items.append(here)
        elif isinstance(known, _Draft):
            here = known
        else:
            here = _Draft(start, end)
            at.index[last.text] = here
            at.entries.append((last, here))
        for child in node.children:
            if child.type == "pair":
                self.pair(here, child, len(keys))

    def descend(self, at: _Draft, keys: list[Scalar]) -> _Draft:
        for depth, key in enumerate(keys):
            self.budget.spend(depth)
            known = at.index.get(key.text)
            if isinstance(known, _Drafts):
                known = known.items[-1]
            if known is None:
                known = _Draft(key.start, key.end)
                at.index[key.text] = known
                at.entries.append((key, known))
            at = known
        return at

    def pair(self, into: _Draft, node: tree_sitter.Node, depth: int) -> None:
        key, value = (c for c in node.children if c.type not in _PUNCTUATION)
        keys = self.keys(key)
        at = self.descend(into, keys[:-1])
        at.entries.append((keys[-1], self.value(value, depth + len(keys))))
        at.end = max(at.end, self.offset(node.end_byte))

    def keys(self, node: tree_sitter.Node) -> list[Scalar]:
        waiting, found = [node], []
        while waiting:
            key = waiting.pop()
            if key.type == "dotted_key":
                waiting.extend(c for c in reversed(key.children) if c.type in _KEYS)
                continue
            raw = self.raw(key)
            name = self.string(raw, key) if key.type == "quoted_key" else raw
            found.append(Scalar(name, self.offset(key.start_byte), self.offset(key.end_byte)))
        self.budget.spend(len(found))
        return found

    def value(self, node: tree_sitter.Node, depth: int) -> Node:
        self.budget.spend(depth)
        start, end = self.offset(node.start_byte), self.offset(node.end_byte)
        match node.type:
            case "array":
                items = (c for c in node.children if c.type not in _PUNCTUATION)
                return Array(tuple(self.value(item, depth + 1) for item in items), start, end)
            case "inline_table":
                draft = _Draft(start, end)
                for child in node.children:
                    if child.type == "pair":
                        self.pair(draft, child, depth + 1)
                return self.finished(draft, depth)
            case "string":
                return Scalar(self.string(self.raw(node), node), start, end)
            case "boolean":
                return Scalar(self.raw(node) == "true", start, end)
            case "integer" | "float":
                return Scalar(_number(self.raw(node)), start, end)
            case _:
                return Scalar(self.raw(node), start, end)

    def string(self, raw: str, node: tree_sitter.Node) -> str:
        fence = 3 if raw.startswith(('"""', "'''")) else 1
        if fence == 1 and (raw.startswith("'") or "\\" not in raw):
            return raw[1:-1]
        try:
            return str(tomllib.loads(f"x = {raw}")["x"])
        except tomllib.TOMLDecodeError:
            raise malformed(self.text, self.offset(node.start_byte), "not a text") from None

    def raw(self, node: tree_sitter.Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def offset(self, byte: int) -> int:
        at = self.characters[byte] if self.characters else byte
        return min(at, len(self.text))

    def finished(self, draft: _Draft, depth: int) -> Table:
        self.budget.spend(depth)
        entries = []
        for key, value in draft.entries:
            if isinstance(value, _Draft):
                node: Node = self.finished(value, depth + 1)
            elif isinstance(value, _Drafts):
                items = tuple(self.finished(item, depth + 1) for item in value.items)
                node = Array(items, value.start, value.items[-1].end)
            else:
                node = value
            entries.append(Entry(key, node))
        return Table(tuple(entries), draft.start, draft.end)


def _number(raw: str) -> int | float | str:
    digits = raw.replace("_", "")
    if len(digits) > _MOST_DIGITS:
        return math.inf
    try:
        return int(digits, 0)
    except ValueError:
        pass
    try:
        return float(digits)
    except ValueError:
        return raw
