"""Source text and places in it; the only file that turns byte offsets into lines and columns."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Language(StrEnum):
    """A source language, and the grammar that reads it."""

    PYTHON = "python"
    JAVASCRIPT = "javascript"
    TYPESCRIPT = "typescript"
    TSX = "tsx"

    @property
    def family(self) -> str:
        """`python` or `javascript`: the models and the frontend that apply."""
        return "python" if self is Language.PYTHON else "javascript"


class Role(StrEnum):
    """How a file of the target is treated (architecture, section on targets)."""

    FIRST_PARTY = "first-party"
    TEST = "test"
    EXAMPLE = "example"
    DOCS = "docs"
    GENERATED = "generated"
    VENDORED = "vendored"


class Span(NamedTuple):
    """A half-open range of bytes in one file."""

    file: str
    """Path relative to the root of the target, with forward slashes."""
    start: int
    end: int


class Position(NamedTuple):
    """A place as a person counts it: both numbers start at 1, columns in characters."""

    line: int
    column: int


@dataclass(slots=True, eq=False)
class SourceFile:
    """One file of the target, decoded, with its line table."""

    path: str
    """Relative to the root of the target, with forward slashes."""
    language: Language
    data: bytes
    """The text as UTF-8; bytes that were not UTF-8 have become U+FFFD."""
    role: Role = Role.FIRST_PARTY
    _starts: list[int] = field(default_factory=list, repr=False)

    @property
    def starts(self) -> list[int]:
        """Byte offset of the first byte of every line."""
        if not self._starts:
            starts = [0]
            find = self.data.find
            at = find(b"\n")
            while at >= 0:
                starts.append(at + 1)
                at = find(b"\n", at + 1)
            self._starts = starts
        return self._starts

    def offset(self, line: int, byte_column: int) -> int:
        """The byte offset of a line (from 1) and a column in UTF-8 bytes (from 0)."""
        return self.starts[line - 1] + byte_column

    def position(self, offset: int) -> Position:
        """Line and column, both from 1, of a byte offset."""
        starts = self.starts
        line = bisect_right(starts, offset)
        head = self.data[starts[line - 1] : offset]
        return Position(line, len(head.decode("utf-8", "replace")) + 1)

    def line_of(self, offset: int) -> int:
        """The line, from 1, that holds a byte offset."""
        return bisect_right(self.starts, offset)

    def line_text(self, line: int) -> str:
        """The text of a line (from 1) without its line break."""
        starts = self.starts
        end = starts[line] if line < len(starts) else len(self.data)
        return self.data[starts[line - 1] : end].decode("utf-8", "replace").rstrip("\r\n")

    def text(self, span: Span) -> str:
        """The text of a span."""
        return self.data[span.start : span.end].decode("utf-8", "replace")
