"""The reader of pip requirements: files with options, and single requirements anywhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mcpward.core.late import late
from mcpward.documents.settings import lines
from mcpward.documents.tree import Array, Budget, Document, Entry, Node, Scalar, Table

_COMMENT = late(r"(?:^|[ \t])#")
_HASH = late(r"[ \t]++--hash[= ]\s*+([a-z0-9]++:[0-9a-fA-F]++)")
_PER_REQUIREMENT = late(r"[ \t]++--[a-z]")
_OPTION = late(r"(--[a-z][a-z-]*+|-[a-zA-Z])(?:[= ][ \t]*+(.*+))?$")
_EGG = late(r"[#&]egg=([\w.-]++)")
_URL = late(r"(?:git|hg|svn|bzr)\+\S|(?:https?|ftp|file)://\S", re.IGNORECASE)
_PATH = late(r"\.{0,2}/|\.{1,2}$|~/|[A-Za-z]:[\\/]|.*\.(?:whl|tar\.gz|zip)$")
_MOST_CHARACTERS = 4_000
_EXACT = late(r"===?[^*]++")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One package that is asked for."""

    name: str
    """Empty for a path or an address that does not say it."""
    specifier: str
    """`>=2,<3`, with spaces removed."""
    url: str
    """An address or path instead of a version."""
    marker: str
    hashes: tuple[str, ...]
    node: Node

    @property
    def exact(self) -> bool:
        """Whether only one version fits."""
        return bool(_EXACT.fullmatch(self.specifier))

    @property
    def bounded(self) -> bool:
        """Whether the specifier has an upper bound."""
        return any(part.startswith(("<", "==", "~=")) for part in self.specifier.split(","))


@dataclass(frozen=True, slots=True)
class Option:
    """An option in a requirements file."""

    name: str
    value: str
    node: Node


def read_requirements(text: str) -> Array:
    """One table for each requirement or option. Raises `UnreadableError`."""
    budget = Budget()
    items: list[Node] = []
    for start, end, line in _logical(text):
        budget.spend(1, 4)
        items.append(_line(line, start, end))
    return Array(tuple(items), 0, len(text))


def requirements(document: Document) -> tuple[Requirement, ...]:
    """The requirements of a requirements file."""
    return tuple(
        Requirement(
            table.text("name"),
            table.text("specifier"),
            table.text("url"),
            table.text("marker"),
            tuple(table.text("hashes").split()),
            table,
        )
        for table in _rows(document)
        if table.get("option") is None
    )


def options(document: Document) -> tuple[Option, ...]:
    """The options of a requirements file."""
    return tuple(
        Option(table.text("option"), table.text("value"), table)
        for table in _rows(document)
        if table.get("option") is not None
    )


def parse_requirement(text: str, node: Node) -> Requirement | None:
    """A requirement as it stands in `pyproject.toml`; nothing when it is none."""
    from packaging.requirements import InvalidRequirement, Requirement as Parsed

    if len(text) > _MOST_CHARACTERS:
        return None
    try:
        parsed = Parsed(text)
    except (InvalidRequirement, RecursionError):
        return None
    specifier = ",".join(sorted(str(part) for part in parsed.specifier))
    marker = str(parsed.marker or "")
    return Requirement(parsed.name, specifier, parsed.url or "", marker, (), node)


def _rows(document: Document) -> Iterator[Table]:
    items = document.root.items if isinstance(document.root, Array) else ()
    return (item for item in items if isinstance(item, Table))


def _logical(text: str) -> Iterator[tuple[int, int, str]]:
    """Lines with those that a backslash continues joined, without comments."""
    start, parts = -1, []
    for at, line in lines(text):
        if start < 0:
            start = at + len(line) - len(line.lstrip())
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            parts.append(line[:-1])
            continue
        if comment := _COMMENT.search(line):
            line = line[: comment.start()]
        parts.append(line)
        joined = " ".join(part.strip() for part in parts).strip()
        if joined:
            yield start, at + len(line.rstrip()), joined
        start, parts = -1, []
    joined = " ".join(part.strip() for part in parts).strip()
    if joined:
        yield start, len(text), joined


def _line(line: str, start: int, end: int) -> Table:
    def table(**parts: str) -> Table:
        entries = (
            Entry(Scalar(key, start, start), Scalar(value, start, end))
            for key, value in parts.items()
        )
        return Table(tuple(entries), start, end)

    if line.startswith("-"):
        found = _OPTION.match(line)
        name = found[1] if found else line.split(maxsplit=1)[0]
        value = (found[2] or "").strip() if found else ""
        if name not in ("-e", "--editable"):
            return table(option=name, value=value)
        line = value
    hashes = " ".join(found[1] for found in _HASH.finditer(line))
    if extra := _PER_REQUIREMENT.search(line):
        line = line[: extra.start()].rstrip()
    if _URL.match(line):
        egg = _EGG.search(line)
        return table(name=egg[1] if egg else "", url=line.split(" ;")[0], hashes=hashes)
    parsed = parse_requirement(line, Scalar(line, start, end))
    if parsed is not None:
        return table(
            name=parsed.name,
            specifier=parsed.specifier,
            url=parsed.url,
            marker=parsed.marker,
            hashes=hashes,
        )
    if _PATH.match(line):
        return table(url=line, hashes=hashes)
    return table(option="unknown", value=line[:200])
