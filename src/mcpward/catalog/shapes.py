"""The reader of `[[shape]]` blocks on rule cards."""

from __future__ import annotations

from typing import Literal, cast

from mcpward.catalog.rows import conditions
from mcpward.catalog.tables import SEVERITIES, Table, known_word
from mcpward.core.errors import CatalogError
from mcpward.core.rule import Shape

FAMILIES = frozenset({"python", "javascript"})
WITHIN = frozenset({"anywhere", "handler", "async-handler"})


def read_shapes(card: Table) -> tuple[Shape, ...]:
    """The shapes of a card.

    Raises CatalogError for one that names neither a call nor a field.
    """
    return tuple(_shape(table) for table in card.tables("shape"))


def _shape(table: Table) -> Shape:
    where = table.where
    calls, stores = table.texts("call"), table.texts("store")
    if bool(calls) == bool(stores):
        raise CatalogError(f"{where}: a shape has either `call` or `store`")
    family = table.text("language", "")
    if family:
        known_word(family, FAMILIES, what="language", where=where)
    within = known_word(table.text("within", "anywhere"), WITHIN, what="place", where=where)
    word = table.text("severity", "")
    if word:
        known_word(word, SEVERITIES, what="severity", where=where)
    shape = Shape(
        names=calls or stores,
        how="call" if calls else "store",
        family=family,
        when=conditions(table, "when"),
        unless=conditions(table, "unless"),
        within=cast('Literal["anywhere", "handler", "async-handler"]', within),
        severity=SEVERITIES[word] if word else None,
        text=table.text("text", ""),
    )
    table.finish()
    return shape
