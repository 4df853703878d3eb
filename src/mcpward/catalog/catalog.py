"""The catalog: all rules, the vocabulary, and the models of each language on demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from mcpward.catalog.card import read_card
from mcpward.catalog.shelves import Block, Library, cut, shelve
from mcpward.catalog.tables import Table, known_word, parse_toml
from mcpward.catalog.vocabulary import Vocabulary, read_vocabulary
from mcpward.catalog.wordings import check_wordings, read_signals, shared
from mcpward.core.errors import CatalogError
from mcpward.core.rule import Mark, Rule, Signal

__all__ = ["FAMILIES", "HOME", "Catalog", "Library", "catalog_in", "load_catalog", "read_all"]

FAMILIES = ("javascript", "python")
"""The folders below `models/`: the families of `core.source.Language`."""

HOME = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Catalog:
    """What we know. Rules and words are there at once, models when they are asked for."""

    words: Vocabulary
    rules: Mapping[str, Rule]
    """By name, sorted."""
    home: Path = field(repr=False)
    extra: tuple[tuple[str, str], ...] = ()
    """Models of the user: TOML text and the file it came from; they win over ours."""
    _libraries: dict[str, Library] = field(default_factory=dict, repr=False, compare=False)
    _signals: dict[str, Signal] = field(default_factory=dict, repr=False, compare=False)

    @property
    def sources(self) -> Mapping[str, str]:
        """Source kinds, each with its sentence."""
        return self.words.sources

    @property
    def sinks(self) -> Mapping[str, str]:
        """Sink kinds, each with its sentence."""
        return self.words.sinks

    @property
    def marks(self) -> Mapping[str, Mark]:
        return self.words.marks

    @property
    def bits(self) -> Mapping[str, int]:
        """The number of each mark."""
        return self.words.bits

    @property
    def services(self) -> Mapping[str, str]:
        """Constructors of clients, each with the host that they connect to by default."""
        return _services(self.home)

    @property
    def signals(self) -> Mapping[str, Signal]:
        """Weak evidence in texts, by name; read when first asked for.

        Raises CatalogError when a file of signals contradicts itself or a card.
        """
        if not self._signals:
            found = read_signals(self.home / "signals")
            check_wordings(self.rules.values(), found)
            self._signals.update(found)
        return self._signals

    def library(self, family: str) -> Library:
        """What is known about the libraries of a language family, `python` or `javascript`.

        Raises CatalogError when a model file or a model of the user cannot be read.
        """
        if family not in self._libraries:
            known_word(family, FAMILIES, what="language", where="the models")
            self._libraries[family] = shelve(self.blocks(family), self.words)
        return self._libraries[family]

    def blocks(self, family: str) -> list[Block]:
        """The model rows of a language family as text, in the order in which they win."""
        blocks = [block for text, origin in self.extra for block in cut(text, origin)]
        for path in sorted((self.home / "models" / family).glob("*.toml")):
            origin = path.relative_to(self.home).as_posix()
            blocks += cut(path.read_text(encoding="utf-8"), origin)
        return blocks

    def extended(self, text: str, origin: str) -> Catalog:
        """The same catalog with models of the user, which apply to every language.

        Raises CatalogError when they contradict the vocabulary: a user must hear about a mistake
        now, not when the first audited program happens to use the name.
        """
        read_all(shelve(cut(text, origin), self.words))
        return replace(self, extra=((text, origin), *self.extra), _libraries={})


def read_all(models: Library) -> None:
    """Parses every row.

    Raises CatalogError at the first one that contradicts the vocabulary.
    """
    for shelf in (models.calls, models.guards, models.fields, models.entries):
        for name in shelf:
            if not shelf[name]:
                raise CatalogError(f"`{name}` was found in a model file but not read")


@lru_cache(maxsize=1)
def load_catalog() -> Catalog:
    """The catalog that comes with mcpward.

    Raises CatalogError when a card contradicts the vocabulary.
    """
    return catalog_in(HOME)


def catalog_in(home: Path) -> Catalog:
    """The catalog in a folder with `kinds.toml`, `rules/` and `models/`.

    Raises CatalogError when a card contradicts the vocabulary.
    """
    words = read_vocabulary((home / "kinds.toml").read_text(encoding="utf-8"), "kinds.toml")
    return Catalog(words, MappingProxyType(shared(dict(_rules(home, words)))), home)


@lru_cache(maxsize=2)
def _services(home: Path) -> Mapping[str, str]:
    text = (home / "services.toml").read_text(encoding="utf-8")
    hosts = Table(parse_toml(text, "services.toml"), "services.toml").table("host")
    return MappingProxyType({n: host for host in hosts.names for n in hosts.texts(host)})


def _rules(home: Path, words: Vocabulary) -> Iterable[tuple[str, Rule]]:
    cards = sorted((home / "rules").glob("*/*.md"), key=lambda path: path.stem)
    names: dict[str, str] = {}
    for path in cards:
        file = path.relative_to(home).as_posix()
        if path.stem in names:
            raise CatalogError(f"{file}: there is a rule of this name in {names[path.stem]}")
        names[path.stem] = file
        text = path.read_text(encoding="utf-8")
        yield (
            path.stem,
            read_card(text, name=path.stem, category=path.parent.name, file=file, words=words),
        )
