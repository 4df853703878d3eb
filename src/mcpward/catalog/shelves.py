"""Model files cut into rows that are only parsed when somebody asks for their name.

An audit of a small server needs a few dozen of some thousand rows, and parsing all of them would
take longer than the audit. Cutting and finding the names takes two regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from mcpward.catalog.rows import (
    read_calls,
    read_entries,
    read_fields,
    read_guards,
    read_interpreter,
)
from mcpward.catalog.tables import Table, closest, parse_toml
from mcpward.catalog.vocabulary import Vocabulary
from mcpward.core.errors import CatalogError
from mcpward.core.rule import CallModel, EntryModel, FieldModel, GuardModel, Interpreter

_HEADER = re.compile(r"^\[\[?([\w-]+)\]\]?[ \t]*(?:#.*)?$", re.MULTILINE)
_NAME = re.compile(r"""^name\s*=\s*(\[[^\]]*\]|"[^"\n]*"|'[^'\n]*')""", re.MULTILINE)
_QUOTED = re.compile(r"""#.*$|"([^"\n]*)"|'([^'\n]*)'""", re.MULTILINE)
_LOOSE = re.compile(r"^loose\s*=\s*true\b", re.MULTILINE)

ROWS = frozenset({"call", "guard", "field", "entry", "interpreter"})
TABLES = frozenset({"alias", "subclass"})


class Named(Protocol):
    """A row that is about something with a qualified name."""

    @property
    def name(self) -> str: ...


_ALIAS_CHAIN = 4  # an alias of an alias is fine, a circle must end


Row = TypeVar("Row", bound=Named)
Reader = Callable[[Table], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class Block:
    """One table of a model file as text."""

    sort: str
    """The name in the header: `call`, `guard`, `alias`, …"""
    text: str
    origin: str
    """The file."""
    line: int
    """Where the table starts."""

    @property
    def where(self) -> str:
        return f"{self.origin}:{self.line}"

    @property
    def names(self) -> tuple[str, ...]:
        """What the row is about, read without parsing."""
        found = _NAME.search(self.text)
        if found is None:
            return ()
        return tuple(one or other for one, other in _QUOTED.findall(found[1]) if one or other)

    @property
    def loose(self) -> bool:
        return _LOOSE.search(self.text) is not None

    def parse(self) -> Any:
        """The content: a dictionary.

        Raises CatalogError when it is not TOML.
        """
        value = parse_toml(self.text, self.where)[self.sort]
        return value[0] if isinstance(value, list) else value


def cut(text: str, origin: str) -> list[Block]:
    """The tables of a model file.

    Raises CatalogError for a header that no reader knows.
    """
    headers = list(_HEADER.finditer(text))
    blocks = []
    line, counted = 1, 0
    for index, header in enumerate(headers):
        end = headers[index + 1].start() if index + 1 < len(headers) else len(text)
        line += text.count("\n", counted, header.start())
        counted = header.start()
        sort = header[1]
        if (sort not in ROWS or header[0][1] != "[") and (
            sort not in TABLES or header[0][1] == "["
        ):
            raise CatalogError(
                f"{origin}:{line}: unknown table `{header[0].strip()}`",
                hint=closest(
                    header[0].strip(), {f"[[{row}]]" for row in ROWS} | {f"[{t}]" for t in TABLES}
                ),
            )
        blocks.append(Block(sort, text[header.start() : end], origin, line))
    return blocks


class _Later(Generic[Row]):
    """The rows of one block, parsed once and only when needed."""

    __slots__ = ("_block", "_read", "_rows")

    def __init__(self, block: Block, read: Reader[Row]) -> None:
        self._block = block
        self._read = read
        self._rows: tuple[Row, ...] | None = None

    def rows(self) -> tuple[Row, ...]:
        if self._rows is None:
            self._rows = tuple(self._read(Table(self._block.parse(), self._block.where)))
        return self._rows


class Shelf(Mapping[str, tuple[Row, ...]], Generic[Row]):
    """Rows by name, in the order of the files."""

    __slots__ = ("_key", "_later", "_rows")

    def __init__(self, key: Callable[[str], str] = str) -> None:
        """`key` makes the name on the shelf from the name of a row."""
        self._key = key
        self._later: dict[str, list[_Later[Row]]] = {}
        self._rows: dict[str, tuple[Row, ...]] = {}

    def put(self, names: tuple[str, ...], later: _Later[Row]) -> None:
        """Adds the rows of one block.

        Raises CatalogError when no name was found: reading tells why.
        """
        if not names:
            later.rows()
        for key in dict.fromkeys(map(self._key, names)):
            self._later.setdefault(key, []).append(later)

    def __getitem__(self, name: str) -> tuple[Row, ...]:
        rows = self._rows.get(name)
        if rows is None:
            rows = self._rows[name] = tuple(
                row
                for later in self._later[name]
                for row in later.rows()
                if self._key(row.name) == name
            )
        return rows

    def get(self, name: str, default: Any = ()) -> Any:
        """The rows of a name, or nothing; the engine asks this for every call it sees."""
        return self[name] if name in self._later else default

    def __contains__(self, name: object) -> bool:
        return name in self._later

    def __iter__(self) -> Iterator[str]:
        return iter(self._later)

    def __len__(self) -> int:
        return len(self._later)


def last_part(name: str) -> str:
    """What is behind the last dot of a qualified name."""
    return name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Library:
    """Everything known about the libraries of one language."""

    calls: Mapping[str, tuple[CallModel, ...]]
    loose: Mapping[str, tuple[CallModel, ...]]
    """Call models that also apply to an unknown receiver, by the last part of the name."""
    guards: Mapping[str, tuple[GuardModel, ...]]
    fields: Mapping[str, tuple[FieldModel, ...]]
    entries: Mapping[str, tuple[EntryModel, ...]]
    loose_entries: Mapping[str, tuple[EntryModel, ...]]
    interpreters: tuple[Interpreter, ...]
    returned: frozenset[str]
    """The last parts of the names of guards that speak by returning instead of raising."""
    alias: Mapping[str, str]
    """Whole dotted prefixes, each with the name that rows use."""
    subclass: Mapping[str, str]
    """Classes, each with the class whose methods it has too."""

    def canonical(self, name: str) -> str:
        """The name that rows use for a qualified name."""
        for _ in range(_ALIAS_CHAIN):
            prefix = name
            while prefix not in self.alias:
                prefix, dot, _rest = prefix.rpartition(".")
                if not dot:
                    return name
            name = self.alias[prefix] + name[len(prefix) :]
        return name


def shelve(blocks: Iterable[Block], words: Vocabulary) -> Library:
    """Puts the blocks of one language in order; earlier blocks win."""
    calls: Shelf[CallModel] = Shelf()
    loose: Shelf[CallModel] = Shelf(last_part)
    guards: Shelf[GuardModel] = Shelf()
    fields: Shelf[FieldModel] = Shelf()
    entries: Shelf[EntryModel] = Shelf()
    loose_entries: Shelf[EntryModel] = Shelf(last_part)
    interpreters: list[Interpreter] = []
    returned: set[str] = set()
    names: dict[str, dict[str, str]] = {"alias": {}, "subclass": {}}
    for block in blocks:
        match block.sort:
            case "call":
                call = _Later(block, partial(read_calls, words=words))
                calls.put(block.names, call)
                if block.loose:
                    loose.put(block.names, call)
            case "guard":
                guards.put(block.names, _Later(block, partial(read_guards, words=words)))
                if '"returned"' in block.text:
                    returned.update(map(last_part, block.names))
            case "field":
                fields.put(block.names, _Later(block, partial(read_fields, words=words)))
            case "entry":
                entry = _Later(block, partial(read_entries, words=words))
                entries.put(block.names, entry)
                if block.loose:
                    loose_entries.put(block.names, entry)
            case "interpreter":
                interpreters.append(read_interpreter(Table(block.parse(), block.where), words))
            case sort:
                table = Table(block.parse(), block.where)
                for name in table.names:
                    names[sort].setdefault(name, table.text(name))
    return Library(
        calls=calls,
        loose=loose,
        guards=guards,
        fields=fields,
        entries=entries,
        loose_entries=loose_entries,
        interpreters=tuple(interpreters),
        returned=frozenset(returned),
        alias=names["alias"],
        subclass=names["subclass"],
    )
