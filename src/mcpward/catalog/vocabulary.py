"""The closed vocabulary of kinds and marks, read from `kinds.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcpward.catalog.tables import Table, known_word, parse_toml
from mcpward.core.rule import Mark


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every word that rules and models may use."""

    sources: Mapping[str, str]
    """Source kinds, each with its sentence."""
    sinks: Mapping[str, str]
    """Sink kinds, each with its sentence."""
    marks: Mapping[str, Mark]
    bits: Mapping[str, int] = field(repr=False)
    """A number per mark, from 0 in the order of the file."""
    later: frozenset[str] = frozenset()
    """Sink kinds that models may name although no rule looks at them yet."""

    def source(self, word: str, where: str) -> str:
        return known_word(word, self.sources, what="source kind", where=where)

    def sink(self, word: str, where: str) -> str:
        return known_word(word, self.sinks, what="sink kind", where=where)

    def mark(self, word: str, where: str) -> str:
        return known_word(word, self.marks, what="mark", where=where)


def read_vocabulary(text: str, file: str) -> Vocabulary:
    """Reads the text of `kinds.toml`.

    Raises CatalogError when it contradicts itself.
    """
    root = Table(parse_toml(text, file), file)
    sources = dict(_sentences(root, "source"))
    sinks = dict(_sentences(root, "sink"))
    marks = {name: _mark(name, data, file) for name, data in root.pairs("mark")}
    later = frozenset(
        known_word(kind, sinks, what="sink kind", where=file) for kind in root.texts("later")
    )
    root.finish()
    return Vocabulary(sources, sinks, marks, {name: bit for bit, name in enumerate(marks)}, later)


def _sentences(root: Table, key: str) -> list[tuple[str, str]]:
    table = root.table(key)
    return [(name, table.text(name)) for name, _ in root.pairs(key)]


def _mark(name: str, data: Any, file: str) -> Mark:
    table = Table(data if isinstance(data, dict) else {}, f"{file}: mark `{name}`")
    mark = Mark(name, table.text("promise"), table.text("weakness", ""), table.texts("about"))
    table.finish()
    return mark
