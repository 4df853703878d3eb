"""The formats of secrets as rows of the catalog, compiled when they are needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from mcpward.catalog.catalog import HOME
from mcpward.catalog.tables import Table, known_word, parse_toml
from mcpward.secrets.checksums import CHECKSUMS

FILE = "secrets.toml"


@dataclass(frozen=True, slots=True)
class Format:
    """How the secrets of one kind look; `catalog/secrets.toml` explains the fields."""

    name: str
    title: str
    keywords: tuple[str, ...]
    pattern: str
    before: tuple[int, ...]
    inner: bool
    anywhere: bool
    first: str
    digits: bool
    entropy: float
    checksum: str
    structure: bool

    @property
    def compiled(self) -> re.Pattern[str]:
        return compiled(self.pattern)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled once."""
    return re.compile(pattern)


@cache
def formats() -> tuple[Format, ...]:
    """All rows in the order in which they win.

    Raises CatalogError when a row cannot be read.
    """
    document = parse_toml((HOME / FILE).read_text(encoding="utf-8"), FILE)
    return tuple(
        _read(Table(row, f"{FILE}: row {number}"))
        for number, row in enumerate(document["secret"], start=1)
    )


def _read(table: Table) -> Format:
    checksum = table.text("checksum", "")
    if checksum:
        known_word(checksum, CHECKSUMS, what="checksum", where=table.where)
    row = Format(
        name=table.text("name"),
        title=table.text("title"),
        keywords=table.texts("keywords"),
        pattern=table.text("pattern"),
        before=table.numbers("before") or (0,),
        inner=table.flag("inner"),
        anywhere=table.flag("anywhere"),
        first=table.text("first", ""),
        digits=table.flag("digits"),
        entropy=table.fraction("entropy"),
        checksum=checksum,
        structure=table.flag("structure"),
    )
    table.finish()
    return row
