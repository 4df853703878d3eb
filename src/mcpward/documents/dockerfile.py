"""The reader of Dockerfiles: instructions with flags, here-documents and stages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mcpward.core.late import late
from mcpward.documents.settings import lines
from mcpward.documents.tree import Array, Budget, Document, Entry, Node, Scalar, Table

_ESCAPE = late(r"#[ \t]*+escape[ \t]*+=[ \t]*+([\\`])[ \t]*+$", re.IGNORECASE)
_DIRECTIVE = late(r"#[ \t]*+\w++[ \t]*+=")
_WORD = late(r"[ \t]*+([A-Za-z]++)(?:[ \t]++|$)")
_FLAG = late(r"--([a-z][a-z-]*+)(?:=(\S*+))?[ \t\n]*+")
_HEREDOC = late(r"(?<!<)<<-?([\"']?)([A-Za-z_]\w*+)\1")
_MOST_HEREDOCS = 20
_WITH_HEREDOC = frozenset({"RUN", "COPY", "ADD"})
_STAGE = late(r"(\S++)(?:\s++[Aa][Ss]\s++(\S++))?")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a Dockerfile."""

    name: str
    """In capitals."""
    flags: tuple[tuple[str, str], ...]
    """`--from=build` as `("from", "build")`."""
    value: str
    """What follows, with continued lines joined and comments between them left out."""
    heredocs: tuple[str, ...]
    node: Table

    @property
    def words(self) -> tuple[str, ...] | None:
        """The words of the JSON form (`["node", "main.js"]`), if it is in that form."""
        if not self.value.startswith("["):
            return None
        try:
            words = json.loads(self.value)
        except (ValueError, RecursionError):
            return None
        return tuple(map(str, words)) if isinstance(words, list) else None


@dataclass(frozen=True, slots=True)
class Stage:
    """What one `FROM` begins."""

    image: str
    """As written, perhaps with variables, or the name of an earlier stage."""
    name: str
    instructions: tuple[Instruction, ...]
    """With the `FROM` itself."""


def read_dockerfile(text: str) -> Array:
    """One table for each instruction. Raises `UnreadableError`."""
    budget = Budget()
    rows = list(lines(text))
    escape = _escape(rows)
    items: list[Node] = []
    number = 0
    while number < len(rows):
        at, line = rows[number]
        number += 1
        found = _WORD.match(line)
        if found is None or line.lstrip().startswith("#"):
            continue
        budget.spend(1, 6)
        value, end, number = _logical(rows, number, line[found.end() :], at + len(line), escape)
        name = found[1].upper()
        bodies: list[Scalar] = []
        if name in _WITH_HEREDOC:
            for mark in list(_HEREDOC.finditer(value))[:_MOST_HEREDOCS]:
                body, number = _heredoc(rows, number, mark[2])
                bodies.append(body)
                end = max(end, body.end)
        budget.spend(2, len(bodies))
        items.append(_instruction(name, value.strip(), at + found.start(1), end, bodies))
    return Array(tuple(items), 0, len(text))


def instructions(document: Document) -> tuple[Instruction, ...]:
    """The instructions of a Dockerfile in order."""
    root = document.root
    items = root.items if isinstance(root, Array) else ()
    return tuple(_typed(item) for item in items if isinstance(item, Table))


def stages(document: Document) -> tuple[Stage, ...]:
    """The stages of a Dockerfile; what stands above the first `FROM` belongs to none."""
    out: list[Stage] = []
    for one in instructions(document):
        if one.name == "FROM":
            found = _STAGE.match(one.value)
            image, name = (found[1], found[2] or "") if found else (one.value, "")
            out.append(Stage(image, name, (one,)))
        elif out:
            last = out[-1]
            out[-1] = Stage(last.image, last.name, (*last.instructions, one))
    return tuple(out)


def final_stages(document: Document) -> Iterator[Stage]:
    """The last stage and the stages of the same file that it is built on, last first."""
    every = stages(document)
    number = len(every) - 1
    while number >= 0:
        stage = every[number]
        yield stage
        earlier = (n for n in range(number) if every[n].name and every[n].name == stage.image)
        number = next(earlier, -1)


def _escape(rows: list[tuple[int, str]]) -> str:
    for _, line in rows:
        if found := _ESCAPE.match(line.strip()):
            return found[1]
        if not _DIRECTIVE.match(line.strip()):
            break
    return "\\"


def _logical(
    rows: list[tuple[int, str]], number: int, first: str, end: int, escape: str
) -> tuple[str, int, int]:
    """The rest of an instruction over continued lines, its end, and the next line."""
    parts = [first]
    while parts[-1].rstrip().endswith(escape) and number < len(rows):
        parts[-1] = parts[-1].rstrip()[:-1]
        while number < len(rows) and _between(rows[number][1]):
            number += 1
        if number == len(rows):
            break
        at, line = rows[number]
        number += 1
        parts.append(line)
        end = at + len(line.rstrip())
    return " ".join(part.strip() for part in parts), end, number


def _between(line: str) -> bool:
    bare = line.strip()
    return not bare or bare.startswith("#")


def _heredoc(rows: list[tuple[int, str]], number: int, word: str) -> tuple[Scalar, int]:
    start = rows[number][0] if number < len(rows) else rows[-1][0] + len(rows[-1][1])
    end = start
    body = []
    while number < len(rows):
        at, line = rows[number]
        number += 1
        end = at + len(line)
        if line.strip() == word:
            break
        body.append(line)
    return Scalar("\n".join(body), start, end), number


def _instruction(name: str, value: str, start: int, end: int, bodies: list[Scalar]) -> Table:
    flags: list[Node] = []
    at = 0
    while found := _FLAG.match(value, at):
        flags.append(Scalar(f"{found[1]}={found[2] or ''}", start, end))
        at = found.end()
    parts: dict[str, Node] = {
        "instruction": Scalar(name, start, start + len(name)),
        "flags": Array(tuple(flags), start, end),
        "value": Scalar(value[at:], start, end),
        "heredocs": Array(tuple(bodies), start, end),
    }
    entries = (Entry(Scalar(key, start, start), node) for key, node in parts.items())
    return Table(tuple(entries), start, end)


def _typed(table: Table) -> Instruction:
    flags = (text.partition("=") for text in _texts(table.get("flags")))
    return Instruction(
        table.text("instruction"),
        tuple((name, value) for name, _, value in flags),
        table.text("value"),
        _texts(table.get("heredocs")),
        table,
    )


def _texts(node: Node | None) -> tuple[str, ...]:
    items = node.items if isinstance(node, Array) else ()
    return tuple(item.text for item in items if isinstance(item, Scalar))
