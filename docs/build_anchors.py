"""Writes `anchors.json`, the words without which no pattern matches; `--check` says if it fits."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from re import (
    _constants as ops,  # type: ignore[attr-defined]  # not in the stubs
    _parser as parser,  # type: ignore[attr-defined]  # not in the stubs
)
from typing import Any

from mcpward.catalog.anchors import Clause, fingerprint
from mcpward.catalog.catalog import HOME, load_catalog

FILE = HOME / "signals" / "anchors.json"
LEAST = 3
"""Bytes of the shortest anchor."""
SETS = 600
"""Texts that a part of a pattern may stand for and still be spelled out."""
CROSSED = 300
"""Texts that two neighbouring parts may stand for together."""
WORST = 6
"""The cost from which a clause is not worth looking for."""
CLAUSES = 3
"""Clauses of one pattern; more are hardly ever needed to rule it out."""
_WORD = re.compile(r"\S+")
_FREQUENT = {
    **dict(zip(" etaoinsrhldcu", (18, 10, 7, 7, 6, 6, 6, 5, 5, 5, 3, 3, 2, 2), strict=True)),
    **dict(zip("mfpgwybvkxjqz", (2, 2, 2, 2, 2, 2, 1, 0.8, 0.6, 0.2, 0.1, 0.1, 0.1), strict=True)),
}
"""Characters of English texts, in percent."""
_COMMON = frozenset(
    [
        *(
            "the",
            "and",
            "for",
            "with",
            "from",
            "this",
            "that",
            "when",
            "all",
            "any",
            "are",
            "can",
            "will",
            "not",
            "use",
        ),
        *(
            "used",
            "using",
            "return",
            "returns",
            "get",
            "list",
            "name",
            "file",
            "files",
            "path",
            "user",
            "data",
        ),
        *(
            "text",
            "tool",
            "url",
            "type",
            "value",
            "string",
            "number",
            "optional",
            "default",
            "required",
        ),
        *("description", "request", "response", "message", "search", "query", "server", "result"),
        *(
            "content",
            "include",
            "create",
            "update",
            "delete",
            "read",
            "write",
            "set",
            "add",
            "call",
            "called",
        ),
        *("function", "parameter", "must", "should"),
    ]
)
"""Words of which descriptions of tools are full: an anchor in one of them rules out little."""


def anchors() -> dict[str, tuple[Clause, ...]]:
    """The clauses of each pattern of the signals, by its fingerprint."""
    return {
        fingerprint(pattern): tuple(chosen(pattern))
        for signal in load_catalog().signals.values()
        for pattern in signal.patterns
    }


def chosen(pattern: str) -> list[Clause]:
    """The clauses that rule out most."""
    found = {_covering(one) for one in clauses(pattern)}
    useful = sorted((cost(one), one) for one in found)
    return [one for price, one in useful[:CLAUSES] if price < WORST]


def clauses(pattern: str) -> Iterator[Exact]:
    """Sets of texts of which every match holds at least one."""
    exact, required = _sequence(parser.parse(pattern))
    yield from filter(_usable, (exact, *required))


def cost(clause: Iterable[str]) -> float:
    """About how likely one of the anchors is in a text that has nothing to do with the pattern.

    Looking for an anchor has its price, too.
    """
    return sum(_likely(anchor) for anchor in clause)


@cache
def _likely(anchor: str) -> float:
    if any(anchor.strip() in word for word in _COMMON):
        return 0.4
    if all(word in _COMMON for word in anchor.split()):
        return 0.2
    rare = 300 * math.prod(_FREQUENT.get(char, 0.3) / 100 for char in anchor)
    return min(0.4, rare + 0.003)


def _usable(exact: frozenset[str] | None) -> bool:
    return bool(exact) and all(len(text.encode()) >= LEAST for text in exact or ())


def _covering(texts: Iterable[str]) -> Clause:
    """Few and rare pieces such that each of the texts holds one; greedily."""
    left = set(texts)
    pieces = {piece: frozenset(t for t in left if piece in t) for piece in _pieces(left)}
    kept: list[str] = []
    while left:
        best = min(pieces, key=lambda p: (_likely(p) / (len(pieces[p] & left) or 1e-9), p))
        left -= pieces[best]
        kept.append(best)
    return tuple(sorted(p for p in kept if not any(o != p and o in p for o in kept)))


def _pieces(texts: Iterable[str]) -> set[str]:
    """Runs of up to three words, and the texts themselves."""
    found: set[str] = set()
    for text in texts:
        found.add(text)
        words = [match.span() for match in _WORD.finditer(text)]
        found |= {
            text[start : words[min(n + more, len(words) - 1)][1]]
            for n, (start, _) in enumerate(words)
            for more in range(3)
        }
    return {piece for piece in found if len(piece.encode()) >= LEAST}


Exact = frozenset[str] | None
"""Everything that a part of a pattern matches, or nothing where that is too much to spell out."""
Part = tuple[Exact, list[frozenset[str]]]
"""What a part matches, and sets of texts of which every match of it holds one."""
_NOTHING: frozenset[str] = frozenset({""})
_UNKNOWN: Part = (None, [])


def _sequence(nodes: Iterable[tuple[Any, Any]]) -> Part:
    required: list[frozenset[str]] = []
    run = _NOTHING
    whole = True
    for node in nodes:
        exact, inner = _part(*node)
        required += inner
        if exact is None:
            required.append(run)
            run, whole = _NOTHING, False
        elif len(run) * len(exact) <= CROSSED or min(len(run), len(exact)) == 1:
            run = frozenset(map("".join, product(run, exact)))
        else:
            required += [run, exact]
            run, whole = exact, False
    if whole:
        return run, required
    return None, [*required, run]


def _part(op: Any, value: Any) -> Part:
    if op is ops.LITERAL:
        return frozenset({chr(value)}), []
    if op is ops.IN:
        return _members(value), []
    if op is ops.BRANCH:
        return _branch([_sequence(branch) for branch in value[1]])
    if op is ops.SUBPATTERN:
        _, added, removed, inner = value
        return _UNKNOWN if added or removed else _sequence(inner)
    if op is ops.ATOMIC_GROUP:
        return _sequence(value)
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
        least, most, inner = value
        exact, required = _sequence(inner)
        if least == 0:
            return (exact | _NOTHING if most == 1 and exact is not None else None), []
        if least == most == 1:
            return exact, required
        return None, [*required, *([exact] if exact is not None else [])]
    if op in (ops.AT, ops.ASSERT, ops.ASSERT_NOT):
        return _NOTHING, []
    return _UNKNOWN


def _members(items: list[tuple[Any, Any]]) -> Exact:
    found: set[str] = set()
    for op, value in items:
        if op is ops.LITERAL:
            found.add(chr(value))
        elif op is ops.RANGE and value[1] - value[0] < 4:
            found.update(map(chr, range(value[0], value[1] + 1)))
        else:
            return None
    return frozenset(found)


def _branch(parts: list[Part]) -> Part:
    required: list[frozenset[str]] = []
    best = [_best(part) for part in parts]
    if all(best):
        required.append(frozenset(text for one in best for text in one))
    sets = [exact for exact, _ in parts if exact is not None]
    if len(sets) == len(parts):
        united = frozenset().union(*sets)
        if len(united) <= SETS:
            return united, []
    return None, required


def _best(part: Part) -> Clause:
    exact, required = part
    known = [_covering(one) for one in (exact, *required) if one is not None and _usable(one)]
    return min(known, key=cost, default=())


def made() -> str:
    """The text of the file: every clause once, and for each pattern the numbers of its clauses."""
    found = anchors()
    numbers = {clause: n for n, clause in enumerate(sorted(set().union(*found.values())))}
    return "".join(
        (
            '{"clauses": [\n',
            ",\n".join(json.dumps(clause, ensure_ascii=False) for clause in numbers),
            '\n],\n"patterns": {\n',
            ",\n".join(
                f'"{key}": {json.dumps([numbers[clause] for clause in found[key]])}'
                for key in sorted(found)
            ),
            "\n}}\n",
        )
    )


if __name__ == "__main__":
    text = made()
    if "--check" in sys.argv[1:]:
        sys.exit("out of date: anchors.json" if FILE.read_text(encoding="utf-8") != text else 0)
    FILE.write_text(text, encoding="utf-8")
