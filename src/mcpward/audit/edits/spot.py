"""The place that an edit is asked to repair, and how its syntax is looked at."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import tree_sitter_python
from tree_sitter import Language as Grammar, Node, Parser, Tree

from mcpward.core.finding import StepKind
from mcpward.core.source import Language
from mcpward.frontends.javascript_scopes import grammar

CALLS = frozenset({"call", "call_expression", "new_expression"})
_ARGUMENTS = ("arguments", "argument_list")
_SILENT = frozenset({"comment", "(", ")", "[", "]", "{", "}", ","})


class Change(NamedTuple):
    """Bytes of the text from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


class Stop(NamedTuple):
    """One step of a finding's path, if it is in the same file."""

    kind: StepKind
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A finding, as an edit sees it."""

    path: str
    data: bytes
    """The text of the file as UTF-8."""
    start: int
    end: int
    tree: Tree | None = None
    """The syntax of code; none for other texts."""
    python: bool = False
    sink: str = ""
    """What is called, as models name it."""
    stops: tuple[Stop, ...] = ()
    known: dict[str, object] = field(default_factory=dict)
    """What has been found out about the file as a whole."""

    @property
    def root(self) -> Node | None:
        """The root of the syntax tree."""
        return self.tree.root_node if self.tree is not None else None

    @property
    def name(self) -> str:
        """The name of the file, without its folders."""
        return posixpath.basename(self.path)

    @property
    def newline(self) -> str:
        """How the file ends its lines."""
        return "\r\n" if b"\r\n" in self.data else "\n"

    def text(self, node: Node) -> str:
        """The text of a node."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def indent(self, at: int) -> str:
        """The blanks that begin the line of an offset."""
        line = self.data[self.data.rfind(b"\n", 0, at) + 1 : at]
        return line[: len(line) - len(line.lstrip(b" \t"))].decode("ascii")


@cache
def parser(language: Language) -> Parser:
    """The parser of a language."""
    if language is Language.PYTHON:
        return Parser(Grammar(tree_sitter_python.language()))
    return Parser(grammar(language))


def covering(spot: Spot, start: int, end: int) -> Node | None:
    """The largest of the nodes that are just the given range, else the smallest around it."""
    node = spot.root.descendant_for_byte_range(start, end) if spot.root is not None else None
    while node is not None and (above := node.parent) is not None:
        if (above.start_byte, above.end_byte) != (node.start_byte, node.end_byte):
            break
        node = above
    return node


def call_at(spot: Spot, start: int = -1, end: int = -1) -> Node | None:
    """The call that a range, by default the place of the finding, is or is a part of."""
    root = spot.root
    if root is None:
        return None
    span = (spot.start, spot.end) if start < 0 else (start, end)
    node = root.descendant_for_byte_range(*span)
    while node is not None and node.type not in CALLS:
        node = node.parent
    return node


def callee(call: Node) -> Node | None:
    """What a call calls."""
    return call.child_by_field_name("function") or call.child_by_field_name("constructor")


def bracket(call: Node) -> Node | None:
    """The list of arguments of a call; none for `f(x for x in y)` and `new C`."""
    found = call.child_by_field_name("arguments")
    return found if found is not None and found.type in _ARGUMENTS else None


def items(node: Node) -> list[Node]:
    """The parts of a bracketed list, without brackets, commas and comments."""
    return [child for child in node.children if child.type not in _SILENT]


def positional(listed: Node) -> list[Node] | None:
    """The arguments without a keyword; none if a `*` hides how many there are."""
    found = [node for node in items(listed) if node.type != "keyword_argument"]
    kinds = {node.type for node in found}
    hidden = {"list_splat", "dictionary_splat", "spread_element"}
    return None if kinds & hidden else found


def keyword(spot: Spot, listed: Node, name: str) -> Node | None:
    """The keyword argument of a Python call."""
    for node in listed.children:
        if node.type == "keyword_argument":
            named = node.child_by_field_name("name")
            if named is not None and spot.text(named) == name:
                return node
    return None


def pair(spot: Spot, table: Node, name: str) -> Node | None:
    """The property of an object literal; the last one, which counts."""
    found = None
    for node in table.children:
        key = node.child_by_field_name("key") if node.type == "pair" else None
        if key is not None and spot.text(key).strip("\"'`") == name:
            found = node
    return found


def otherwise(spot: Spot, table: Node, name: str) -> bool:
    """Whether an object literal has a property in a way in which its value cannot be replaced."""
    for node in table.children:
        if node.type == "shorthand_property_identifier" and spot.text(node) == name:
            return True
        named = node.child_by_field_name("name") if node.type == "method_definition" else None
        if named is not None and spot.text(named) == name:
            return True
    return False


def descendants(node: Node) -> Iterator[Node]:
    """A node and all below it, in the order of the text."""
    pending = [node]
    while pending:
        at = pending.pop()
        yield at
        pending.extend(reversed(at.children))
