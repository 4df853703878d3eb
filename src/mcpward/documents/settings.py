"""The readers of files with one setting a line: `.env` files, and INI files with sections."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.core.late import late
from mcpward.documents.tree import Budget, Entry, Node, Scalar, Table

_ENV = late(r"[ \t]*+(?:export[ \t]++)?([A-Za-z_][\w.-]*+)[ \t]*+=[ \t]*+")
_DOUBLE = late(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_SINGLE = late(r"'([^']*+)'")
_COMMENT = late(r"[ \t]#")
_ESCAPE = late(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_SECTION = late(r"[ \t]*+\[([^\]\n]*+)\]")
_SETTING = late(r"([^=:\n]++)[=:][ \t]*+")
_BARE = late(r"[\w.@/-]++")


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Every line without its line break, with its offset."""
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        yield at, text[at:end].removesuffix("\r")
        at = end + 1


def read_env(text: str) -> Table:
    """The variables of an `.env` file. Raises `UnreadableError`."""
    budget = Budget()
    entries = []
    done = 0
    for at, line in lines(text):
        found = _ENV.match(line) if at >= done else None
        if found is None:
            continue
        budget.spend(1, 2)
        key = Scalar(found[1], at + found.start(1), at + found.end(1))
        value = _quoted(text, at + found.end())
        if value is None:
            rest = line[found.end() :]
            if comment := _COMMENT.search(rest):
                rest = rest[: comment.start()]
            start = at + found.end()
            value = Scalar(rest.strip(), start, start + len(rest.rstrip()))
        done = value.end
        entries.append(Entry(key, value))
    return Table(tuple(entries), 0, len(text))


def _quoted(text: str, at: int) -> Scalar | None:
    """A value in quotes, which may go over several lines."""
    if found := _SINGLE.match(text, at):
        return Scalar(found[1], at, found.end())
    if found := _DOUBLE.match(text, at):
        value = _ESCAPE.sub(lambda m: _ESCAPES.get(m[1], m[1]), found[1])
        return Scalar(value, at, found.end())
    return None


def read_ini(text: str) -> Table:
    """The settings of an INI file: those above all sections, then one table a section.

    Lines that continue a value are indented and joined by line breaks. Raises `UnreadableError`.
    """
    budget = Budget()
    top: list[Entry] = []
    into = top
    sections: list[tuple[Scalar, list[Entry]]] = []
    for at, line in lines(text):
        bare = line.strip()
        if not bare or bare.startswith(("#", ";")):
            continue
        budget.spend(2, 2)
        if found := _SECTION.match(line):
            into = []
            sections.append((Scalar(found[1].strip(), at, at + len(line.rstrip())), into))
        elif line[0] in " \t" and into:
            into[-1] = _continued(into[-1], bare, at + len(line.rstrip()))
        elif found := _SETTING.match(line):
            into.append(_setting(line, at, found))
        elif found := _BARE.match(bare):
            start = at + line.index(bare)
            key = Scalar(found[0], start, start + len(found[0]))
            into.append(Entry(key, Scalar(True, key.start, key.end)))
    for name, entries in sections:
        end = entries[-1].value.end if entries else name.end
        top.append(Entry(name, Table(tuple(entries), name.start, end)))
    return Table(tuple(top), 0, len(text))


def _setting(line: str, at: int, found: re.Match[str]) -> Entry:
    name = found[1].strip()
    start = at + found.start(1) + found[1].index(name)
    value: Node = Scalar(line[found.end() :].strip(), at + found.end(), at + len(line.rstrip()))
    return Entry(Scalar(name, start, start + len(name)), value)


def _continued(entry: Entry, more: str, end: int) -> Entry:
    before = entry.value.text if isinstance(entry.value, Scalar) else ""
    return Entry(entry.key, Scalar(f"{before}\n{more}".strip("\n"), entry.value.start, end))
