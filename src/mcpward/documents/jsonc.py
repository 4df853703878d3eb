"""The reader of JSON as editors accept it: with comments and trailing commas."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from mcpward.core.late import late
from mcpward.documents.tree import Array, Budget, Entry, Node, Scalar, Table, malformed

_SPACE = late(r"(?:[ \t\r\n\ufeff]++|//[^\n]*+)*+")
_STRING = late(r'"(?:[^"\\\n]++|\\.)*+"')
_NUMBER = late(r"-?\d++(?:\.\d++)?(?:[eE][+-]?\d++)?")
_WORD = late(r"true|false|null")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_MOST_DIGITS = 400
"""Longer numbers are infinite as floats and slow as integers."""


def read_json(text: str) -> Node:
    """The tree of a text. Raises `UnreadableError`."""
    reader = _Reader(text)
    reader.skip()
    node = reader.value(0)
    reader.skip()
    if reader.at < len(text):
        raise malformed(text, reader.at, "more text after the end of the value")
    return node


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    budget: Budget = field(default_factory=Budget)

    def skip(self) -> None:
        """Moves over white space and comments."""
        while True:
            found = _SPACE.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if not self.text.startswith("/*", self.at):
                return
            end = self.text.find("*/", self.at + 2)
            if end < 0:
                raise malformed(self.text, self.at, "a comment is never closed")
            self.at = end + 2

    def value(self, depth: int) -> Node:
        self.budget.spend(depth)
        match self.text[self.at : self.at + 1]:
            case "{":
                return self.table(depth)
            case "[":
                return self.array(depth)
            case '"':
                return self.string()
            case _:
                return self.word()

    def table(self, depth: int) -> Table:
        start = self.at
        entries: list[Entry] = []
        self.at += 1
        while self.more("}", first=not entries):
            if self.text[self.at : self.at + 1] != '"':
                raise malformed(self.text, self.at, "a key in quotes is missing")
            key = self.string()
            self.skip()
            if self.text[self.at : self.at + 1] != ":":
                raise malformed(self.text, self.at, "a colon is missing")
            self.at += 1
            self.skip()
            entries.append(Entry(key, self.value(depth + 1)))
        return Table(tuple(entries), start, self.at)

    def array(self, depth: int) -> Array:
        start = self.at
        items: list[Node] = []
        self.at += 1
        while self.more("]", first=not items):
            items.append(self.value(depth + 1))
        return Array(tuple(items), start, self.at)

    def more(self, close: str, *, first: bool) -> bool:
        """Whether another item begins here; moves over the comma or the closing bracket."""
        self.skip()
        if not first and self.text[self.at : self.at + 1] == ",":
            self.at += 1
            self.skip()
        elif not first and self.text[self.at : self.at + 1] != close:
            raise malformed(self.text, self.at, "a comma or the end of a list is missing")
        if self.text[self.at : self.at + 1] == close:
            self.at += 1
            return False
        return True

    def string(self) -> Scalar:
        found = _STRING.match(self.text, self.at)
        if found is None:
            raise malformed(self.text, self.at, "a text is never closed")
        raw = found[0]
        start, self.at = self.at, found.end()
        if "\\" not in raw:
            return Scalar(raw[1:-1], start, self.at)
        try:
            value = json.loads(raw, strict=False)
        except ValueError:
            raise malformed(self.text, start, "a text holds an unknown escape") from None
        # A lone half of a surrogate pair cannot be written to a report.
        clean = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return Scalar(clean, start, self.at)

    def word(self) -> Scalar:
        start = self.at
        if found := _WORD.match(self.text, start):
            self.at = found.end()
            return Scalar(_WORDS[found[0]], start, self.at)
        if found := _NUMBER.match(self.text, start):
            self.at = found.end()
            return Scalar(_number(found[0]), start, self.at)
        raise malformed(self.text, start, "no value where one has to be")


def _number(raw: str) -> int | float:
    if raw.lstrip("-").isdigit() and len(raw) < _MOST_DIGITS:
        return int(raw)
    return float(raw)
