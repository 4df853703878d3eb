"""Which patterns and which entries of the OWASP MCP Top 10 the rules cover, from their tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mcpward.catalog.tables import Table, closest, parse_toml
from mcpward.core.errors import CatalogError, UsageError
from mcpward.core.rule import Rule

_PAGE = re.compile(r"(\d\d)-([a-z][a-z0-9-]*)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One of the 22 vulnerability patterns: a page and the rules that look for it."""

    number: int
    name: str
    """Kebab-case, from the name of the page."""
    title: str
    page: str
    """Markdown, the title included."""
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is covered by which rules."""

    patterns: tuple[Pattern, ...]
    owasp: Mapping[str, tuple[str, tuple[Rule, ...]]]
    """Code → its name and the rules for it."""
    missing: Mapping[str, str]
    """Rules that do not exist yet, each with the reason."""


def patterns(home: Path, rules: Iterable[Rule]) -> tuple[Pattern, ...]:
    """All patterns in order.

    Raises CatalogError when a page has no number or no title.
    """
    known = list(rules)
    return tuple(_pattern(path, known) for path in sorted((home / "patterns").glob("*.md")))


def pattern(word: str, known: Iterable[Pattern]) -> Pattern:
    """The pattern of a number or name.

    Raises UsageError when there is none.
    """
    for one in known:
        if word in (str(one.number), f"{one.number:02}", one.name):
            return one
    names = [f"{one.number}" for one in known] + [one.name for one in known]
    raise UsageError(f"there is no pattern `{word}`", hint=closest(word, names))


def coverage(home: Path, rules: Iterable[Rule]) -> Coverage:
    """The matrix of the rules that exist.

    Raises CatalogError when `taxonomies.toml` names a rule as missing that exists.
    """
    known = list(rules)
    text = (home / "taxonomies.toml").read_text(encoding="utf-8")
    root = Table(parse_toml(text, "taxonomies.toml"), "taxonomies.toml")
    names, missing = root.table("owasp-mcp"), root.table("missing")
    root.finish()
    for name in missing.names:
        if any(rule.name == name for rule in known):
            raise CatalogError(f"taxonomies.toml: `{name}` is not missing: there is a card")
    return Coverage(
        patterns(home, known),
        {
            code: (names.text(code), _tagged(known, f"owasp-mcp/{code}"))
            for code in sorted(names.names)
        },
        {name: missing.text(name) for name in sorted(missing.names)},
    )


def _pattern(path: Path, rules: list[Rule]) -> Pattern:
    named = _PAGE.fullmatch(path.stem)
    page = path.read_text(encoding="utf-8")
    title = page.partition("\n")[0].removeprefix("# ").strip()
    if named is None or not page.startswith("# ") or not title:
        raise CatalogError(f"patterns/{path.name}: a page is `01-name.md` and begins with a title")
    number = int(named[1])
    return Pattern(number, named[2], title, page, _tagged(rules, f"pattern-22/{number}"))


def _tagged(rules: Iterable[Rule], tag: str) -> tuple[Rule, ...]:
    return tuple(sorted((r for r in rules if tag in r.tags), key=lambda rule: rule.name))
