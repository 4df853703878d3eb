"""A TOML table that is read key by key, with errors that say where and what was probably meant."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mcpward.catalog.plain_toml import plain_toml
from mcpward.core.errors import CatalogError
from mcpward.core.finding import Severity

SEVERITIES = {severity.word: severity for severity in Severity}
"""By the word that cards use."""

_MISSING: Final = object()


def closest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word most like this one, or lists a few."""
    import difflib  # only needed when something is wrong already

    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if near:
        return f"Did you mean `{near[0]}`?"
    return f"Known: {', '.join(names)}." if names else ""


def known_word(word: str, known: Iterable[str], *, what: str, where: str) -> str:
    """The word itself if it is known.

    Raises CatalogError with a suggestion otherwise.
    """
    names = known if isinstance(known, (Mapping, frozenset)) else tuple(known)
    if word in names:
        return word
    raise CatalogError(f"{where}: unknown {what} `{word}`", hint=closest(word, names))


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """The TOML document as a dictionary.

    Raises CatalogError when it is not TOML.
    """
    plain = plain_toml(text)
    if plain is not None:
        return plain
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(
            f"{where}: not valid TOML: {error}", hint="Check quotes, brackets and commas."
        ) from error


class Table:
    """Typed access to one table; what nobody asked for is an error in the end."""

    __slots__ = ("_asked", "_data", "where")

    def __init__(self, data: Mapping[str, Any], where: str) -> None:
        """`where` is the file and line that errors begin with."""
        self._data = data
        self._asked: set[str] = set()
        self.where = where

    def has(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._data

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._data)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._value(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """One text or a list of texts; nothing when the key is absent."""
        value = self._value(key, ())
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
            raise self.wrong(key, "a text or a list of texts")
        return tuple(value)

    def numbers(self, key: str) -> tuple[int, ...]:
        """One number or a list of numbers; nothing when the key is absent."""
        value = self._value(key, ())
        items = value if isinstance(value, (list, tuple)) else (value,)
        if not all(isinstance(v, int) and not isinstance(v, bool) for v in items):
            raise self.wrong(key, "a number or a list of numbers")
        return tuple(items)

    def fraction(self, key: str) -> float:
        """A number that need not be whole; 0 when the key is absent."""
        value = self._value(key, 0.0)
        if not isinstance(value, float):
            raise self.wrong(key, "a number with a decimal point")
        return value

    def flag(self, key: str) -> bool:
        value = self._value(key, default=False)
        if not isinstance(value, bool):
            raise self.wrong(key, "`true` or `false`")
        return value

    def pairs(self, key: str) -> tuple[tuple[str, Any], ...]:
        """The items of an inline table; nothing when the key is absent."""
        value = self._value(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "a table")
        return tuple(value.items())

    def tables(self, key: str) -> tuple[Table, ...]:
        """The tables of an array of tables; nothing when the key is absent."""
        value = self._value(key, ())
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, dict) for v in value):
            raise self.wrong(key, f"an array of tables, `[[{key}]]`")
        return tuple(Table(v, f"{self.where}: `{key}`") for v in value)

    def table(self, key: str) -> Table:
        return Table(dict(self.pairs(key)), f"{self.where}: `{key}`")

    def finish(self) -> None:
        """Raises CatalogError when the table has a key that was never asked for."""
        for key in self._data:
            if key not in self._asked:
                known_word(key, tuple(self._asked), what="key", where=self.where)

    def wrong(self, key: str, expected: str) -> CatalogError:
        return CatalogError(f"{self.where}: `{key}` must be {expected}")

    def _value(self, key: str, default: Any = None) -> Any:
        self._asked.add(key)
        value = self._data.get(key, _MISSING)
        if value is not _MISSING:
            return value
        if default is None:
            raise CatalogError(f"{self.where}: `{key}` is missing", hint=f"Add `{key} = …`.")
        return default
