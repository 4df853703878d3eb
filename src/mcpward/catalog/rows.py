"""Readers of model rows: one TOML table in, one row of library knowledge out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, cast

from mcpward.catalog.places import parse_place
from mcpward.catalog.tables import Table, known_word
from mcpward.catalog.vocabulary import Vocabulary
from mcpward.core.errors import CatalogError
from mcpward.core.rule import (
    CallModel,
    Condition,
    Constant,
    EntryModel,
    FieldModel,
    GuardModel,
    Interpreter,
    Pass,
    Place,
)

CONDITION_WORDS = frozenset(
    {
        "<absent>",
        "<present>",
        "<text>",
        "<list>",
        "<record>",
        "<constant>",
        "<constant-set>",
        "<trusted>",
        "<ends-with-separator>",
        "<runnable>",
        "<dynamic>",
        "<exponential>",
        "<exponential-whole>",
        "<none>",
        "<instance>",
    }
)
GRANT_WORDS = frozenset({"<pattern>", "<schema>"})
MARK_WORDS = frozenset({"<pattern-removed>", "<schema>"})
OUTCOMES = frozenset({"true", "false", "returned"})
WAYS = frozenset({"decorator", "argument", "subclass", "member"})
SORTS = frozenset({"client", "tool", "resource", "prompt", "raw", "route", "completion"})
STYLES = frozenset({"annotations", "zod", "json-schema", "none"})


def read_calls(table: Table, words: Vocabulary) -> Iterator[CallModel]:
    """The rows of one `[[call]]`, one per name."""
    where = table.where
    names = _names(table)
    when, unless = conditions(table, "when"), conditions(table, "unless")
    sinks = tuple(
        (place, words.sink(kind, where))
        for place, value in _placed(table, "sinks")
        for kind in _texts(table, "sinks", value)
    )
    sources = tuple(
        (place, words.source(kind, where))
        for place, value in _placed(table, "sources")
        for kind in _texts(table, "sources", value)
    )
    marks = tuple(
        mark if mark in MARK_WORDS else words.mark(mark, where) for mark in table.texts("marks")
    )
    forgets = tuple(
        mark if mark == "*" else words.mark(mark, where) for mark in table.texts("forgets")
    )
    passes, returns, calls = _passes(table), table.text("returns", ""), table.numbers("calls")
    exits, text = table.flag("exits"), table.text("text", "")
    loose, also = table.flag("loose"), table.flag("also")
    table.finish()
    for name in names:
        yield CallModel(
            name,
            when=when,
            unless=unless,
            sinks=sinks,
            passes=passes,
            marks=marks,
            forgets=forgets,
            sources=sources,
            returns=returns,
            calls=calls,
            exits=exits,
            text=text,
            loose=loose,
            also=also,
        )


def read_fields(table: Table, words: Vocabulary) -> Iterator[FieldModel]:
    """The rows of one `[[field]]`, one per name."""
    names, source, returns = _names(table), table.text("source", ""), table.text("returns", "")
    table.finish()
    if source:
        words.source(source, table.where)
    for name in names:
        yield FieldModel(name, source, returns)


def read_guards(table: Table, words: Vocabulary) -> Iterator[GuardModel]:
    """The rows of one `[[guard]]`, one per name."""
    where = table.where
    names = _names(table)
    value = _place(table, table.text("value"))
    outcome = known_word(table.text("outcome"), OUTCOMES, what="outcome", where=where)
    grants = tuple(
        mark if mark in GRANT_WORDS else words.mark(mark, where) for mark in table.texts("grants")
    )
    needs = tuple(words.mark(mark, where) for mark in table.texts("needs"))
    unless = tuple(words.mark(mark, where) for mark in table.texts("unless"))
    when = conditions(table, "when")
    pattern = _place(table, table.text("pattern")) if table.has("pattern") else None
    text = table.text("text", "")
    table.finish()
    if not grants:
        raise CatalogError(f"{where}: a guard must grant something", hint='Add `grants = ["…"]`.')
    if "<pattern>" in grants and pattern is None:
        raise CatalogError(f"{where}: `<pattern>` needs `pattern`, the place of the expression")
    for name in names:
        yield GuardModel(
            name,
            value,
            cast('Literal["true", "false", "returned"]', outcome),
            grants,
            needs=needs,
            unless=unless,
            when=when,
            pattern=pattern,
            text=text,
        )


def read_entries(table: Table, words: Vocabulary) -> Iterator[EntryModel]:
    """The rows of one `[[entry]]`, one per name."""
    where = table.where
    names = _names(table)
    how = known_word(table.text("how"), WAYS, what="way of registering", where=where)
    sort = known_word(table.text("sort"), SORTS, what="sort of handler", where=where)
    style = known_word(table.text("style", "none"), STYLES, what="style", where=where)
    handler = table.text("handler", "last")
    method = table.text("method", "")
    label = _place(table, table.text("label")) if table.has("label") else None
    schema = _place(table, table.text("schema")) if table.has("schema") else None
    kind = words.source(table.text("kind", "model"), where)
    parameters = tuple(
        _parameter(table, key, words.source(str(value), where))
        for key, value in table.pairs("parameters")
    )
    when = conditions(table, "when")
    loose, injected = table.flag("loose"), table.texts("injected")
    table.finish()
    for name in names:
        yield EntryModel(
            name,
            cast('Literal["decorator", "argument", "subclass", "member"]', how),
            sort,
            handler=None if handler == "last" else _place(table, handler),
            method=method,
            label=label,
            schema=schema,
            style=cast('Literal["annotations", "zod", "json-schema", "none"]', style),
            parameters=parameters,
            kind=kind,
            when=when,
            loose=loose,
            injected=injected,
        )


def read_interpreter(table: Table, words: Vocabulary) -> Interpreter:
    """The row of one `[[interpreter]]`."""
    programs, flags = table.texts("programs"), table.texts("flags")
    kind = words.sink(table.text("kind"), table.where)
    table.finish()
    return Interpreter(programs, flags, kind)


def _names(table: Table) -> tuple[str, ...]:
    names = table.texts("name")
    if not names:
        raise CatalogError(f"{table.where}: `name` is missing", hint='Add `name = "…"`.')
    return names


def _place(table: Table, text: str) -> Place:
    try:
        return parse_place(text)
    except CatalogError as error:
        raise CatalogError(f"{table.where}: {error}", hint=error.hint) from None


def _placed(table: Table, key: str) -> Iterator[tuple[Place, Any]]:
    return ((_place(table, text), value) for text, value in table.pairs(key))


def _texts(table: Table, key: str, value: Any) -> tuple[str, ...]:
    return Table({key: value}, table.where).texts(key)


def _passes(table: Table) -> tuple[Pass, ...]:
    return tuple(
        (origin, _place(table, target))
        for origin, value in _placed(table, "passes")
        for target in _texts(table, "passes", value)
    )


def conditions(table: Table, key: str) -> tuple[Condition, ...]:
    """The tests on arguments below a key, such as `when`."""
    return tuple(
        Condition(place, tuple(_constant(table, item) for item in _items(value)))
        for place, value in _placed(table, key)
    )


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _constant(table: Table, value: Any) -> Constant:
    if isinstance(value, (int, float, bool)):
        return value
    if not isinstance(value, str):
        raise CatalogError(f"{table.where}: a condition compares with constants only")
    if value.startswith("<") and value.endswith(">"):
        known_word(value, CONDITION_WORDS, what="condition", where=table.where)
    elif value.startswith("~"):
        try:
            re.compile(value[1:])
        except re.error as error:
            raise CatalogError(f"{table.where}: `{value}`: {error}") from error
    return value


def _parameter(table: Table, key: str, kind: str) -> tuple[int, tuple[str, ...], str]:
    place = _place(table, key)
    if place.base != "arg" or place.name:
        raise CatalogError(
            f"{table.where}: `{key}` is not a parameter",
            hint="Parameters are numbers with fields behind them, such as `1.headers`.",
        )
    return place.index, place.path, kind
