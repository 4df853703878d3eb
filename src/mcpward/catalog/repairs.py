"""The reader of `[[fix]]` blocks on rule cards."""

from __future__ import annotations

from mcpward.catalog.tables import Table, known_word
from mcpward.core.errors import CatalogError
from mcpward.core.rule import Repair

FAMILIES = frozenset({"python", "javascript", "document"})


def read_repairs(card: Table) -> tuple[Repair, ...]:
    """The repairs of a card, in the order in which they are tried.

    Raises CatalogError for an argument of an edit that is no text.
    """
    return tuple(_repair(table) for table in card.tables("fix"))


def _repair(table: Table) -> Repair:
    family = table.text("language", "")
    if family:
        known_word(family, FAMILIES, what="language", where=table.where)
    given = table.pairs("with")
    if not all(isinstance(value, str) for _, value in given):
        raise CatalogError(f"{table.where}: the arguments of an edit are texts")
    repair = Repair(
        edit=table.text("edit"),
        given=given,
        safe=table.flag("safe"),
        title=table.text("title", ""),
        family=family,
        sinks=table.texts("for"),
        says=table.text("says", ""),
    )
    table.finish()
    return repair
