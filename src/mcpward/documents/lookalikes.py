"""Names of packages that are written almost like the name of a known one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from mcpward.catalog.catalog import HOME
from mcpward.catalog.tables import Table, parse_toml

FILE = "known_packages.toml"
Ecosystem = Literal["npm", "pypi", "image"]

_SEPARATORS = re.compile(r"[-_./@]+")
_SERVER = re.compile(
    r"server-[a-z]{4}[\w-]{0,80}|[\w-]{0,80}mcp-server[\w-]{0,80}|[a-z][\w-]{3,80}-mcp"
)
"""The second half of a scoped name that says enough to be copied without its scope."""
_LONGEST = 100
_OTHER, _ADDED, _TWICE, _SWAPPED, _TWO = 6, 5, 4, 3, 10
"""Letters that a word needs for another letter, one more or less, a doubled one, two that changed
places, or two differences to count: short words have neighbours that are words of their own."""
_OTHER_SCOPE = 8
"""The same for a scope with one difference."""
_SCOPE = 10
"""Letters of a scope that is recognized at the beginning of another one."""


@dataclass(frozen=True, slots=True)
class Lookalike:
    """What a name can be mistaken for."""

    known: str
    how: str
    """What the difference is, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class _Known:
    names: frozenset[str]
    folded: dict[str, str]
    """Name without separators → name."""
    scopes: frozenset[str]


def lookalike(ecosystem: Ecosystem, name: str) -> Lookalike | None:
    """The known package that a name imitates; nothing for a known one and for any other."""
    known = _known(ecosystem)
    name = _normal(ecosystem, name)
    scope, base = _scope(name)
    if not name or len(name) > _LONGEST or name in known.names or scope in known.scopes:
        return None  # only the owner of a scope publishes in it
    if other := known.folded.get(_SEPARATORS.sub("", name)):
        return Lookalike(other, "differs only in separators")
    if scope and ecosystem == "npm":
        return _of_scope(known, scope, base)
    near = (one for one in sorted(known.names) if ecosystem == "image" or not one.startswith("@"))
    for one in near:
        if how := _difference(one, name):
            return Lookalike(one, how)
    for one in sorted(known.names) if ecosystem == "npm" else ():
        if _scope(one)[0] and _scope(one)[1] == name and _SERVER.fullmatch(name):
            return Lookalike(one, "has no scope, so it belongs to somebody else")
    return None


def _of_scope(known: _Known, scope: str, base: str) -> Lookalike | None:
    for other in sorted(known.scopes):
        begins = len(other) >= _SCOPE and _flat(scope).startswith(_flat(other))
        how = "has another scope that begins alike" if begins else ""
        if not how and len(other) >= _OTHER_SCOPE:
            how = _difference(other, scope)
        if how:
            exact = f"@{other}/{base}"
            return Lookalike(exact if exact in known.names else f"@{other}", how)
    return None


def _difference(known: str, name: str) -> str:
    """How two names differ, when they differ by no more than a slip of the finger."""
    if abs(len(known) - len(name)) > 2:
        return ""
    first = _common(known, name)
    last = _common(known[first:][::-1], name[first:][::-1])
    old, new = known[first : len(known) - last], name[first : len(name) - last]
    if len(old) > 3 or len(new) > 3 or _SEPARATORS.search(old + new) or re.search(r"\d", old + new):
        return ""
    length = len(_word(known, first))
    if len(old) == 2 and new == old[::-1]:
        return "has two letters swapped" if length >= _SWAPPED else ""
    if max(len(old), len(new)) == 1:
        return _single(known, name, first, length)
    return "differs in two letters" if length >= _TWO and _edits(old, new) <= 2 else ""


def _single(known: str, name: str, at: int, length: int) -> str:
    """The one difference behind a common beginning."""
    if len(known) == len(name):
        return "has another letter" if length >= _OTHER else ""
    longer = known if len(known) > len(name) else name
    ends = at + 1 == len(longer) or bool(_SEPARATORS.match(longer[at + 1]))
    if longer[at] == "s" and ends and longer[at - 1] != "s":
        return ""  # a plural is a name of its own
    if length >= (_TWICE if longer[at] == longer[at - 1] else _ADDED):
        return "lacks a letter" if longer is known else "has a letter more"
    return ""


def _edits(old: str, new: str) -> int:
    """The edit distance of two short texts."""
    row = list(range(len(new) + 1))
    for number, letter in enumerate(old, start=1):
        before, row[0] = row[0], number
        for at, other in enumerate(new, start=1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (letter != other))
    return row[-1]


def _common(one: str, other: str) -> int:
    """The length of the common beginning."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _word(name: str, at: int) -> str:
    """The word of a name that an index is in, or ends."""
    start = 0
    for found in _SEPARATORS.finditer(name):
        if found.start() >= at:
            return name[start : found.start()]
        start = found.end()
    return name[start:]


def _scope(name: str) -> tuple[str, str]:
    if not name.startswith("@"):
        return "", name
    scope, _, base = name[1:].partition("/")
    return scope, base


def _flat(name: str) -> str:
    return _SEPARATORS.sub("", name)


def _normal(ecosystem: Ecosystem, name: str) -> str:
    """The name as the registry compares it."""
    if ecosystem == "pypi":
        return re.sub(r"[-_.]+", "-", name.strip()).lower()
    return name.strip().lower()


@lru_cache(maxsize=3)
def _known(ecosystem: Ecosystem) -> _Known:
    document = parse_toml((HOME / FILE).read_text(encoding="utf-8"), FILE)
    listed: Iterable[str] = Table(document[ecosystem], f"{FILE}: {ecosystem}").texts("names")
    names = frozenset(listed)
    scopes = frozenset(_scope(name)[0] for name in names) - {""}
    return _Known(names, {_flat(name): name for name in sorted(names)}, scopes)
