"""What a regular expression proves about the text it matches: marks from its syntax tree.

Only anchored expressions prove anything. The expression is parsed with the parser of the standard
library, which reads what JavaScript and pydantic patterns have in common with Python; what it
rejects proves nothing. Nothing is ever matched, so no expression can backtrack here.
"""

from __future__ import annotations

import re
import string
import warnings
from functools import lru_cache
from re import _constants, _parser  # type: ignore[attr-defined]  # no other syntax tree
from typing import Any

op = _constants
_WORD = frozenset(string.ascii_letters + string.digits + "_.-")
_DIGITS = frozenset(string.digits)
_SHELL = frozenset(string.ascii_letters + string.digits + "_.-/:=,@+%")
_START = frozenset(string.ascii_letters + string.digits + "_")
_LIMIT = 2_000
_CATEGORIES = {
    op.CATEGORY_DIGIT: _DIGITS,
    op.CATEGORY_WORD: frozenset(string.ascii_letters + string.digits + "_"),
}
_ANY = None
_Chars = frozenset[str] | None
"""The characters that may occur; `None` is any."""


@lru_cache(maxsize=1024)
def proven(pattern: str, flags: str, *, whole: bool, start: bool = False) -> frozenset[str]:
    """The marks of a text in which the expression is found.

    `whole`: the call anchors both ends (`fullmatch`); `start`: it anchors the start (`match`).
    """
    if len(pattern) > _LIMIT or "m" in flags:
        return frozenset()
    tree = tree_of(pattern)
    if tree is None:
        return frozenset()
    if tree.state.flags & re.MULTILINE or any(_local_flags(code, a) for code, a in tree):
        return frozenset()
    items = list(tree)
    begins = whole or start
    ends = whole
    while (
        items and items[0][0] is op.AT and items[0][1] in (op.AT_BEGINNING, op.AT_BEGINNING_STRING)
    ):
        begins = True
        items.pop(0)
    while items and items[-1][0] is op.AT and items[-1][1] in (op.AT_END, op.AT_END_STRING):
        ends = True
        items.pop()
    marks: set[str] = set()
    if begins and not ends:
        first = _first(items)
        if first is not None and "-" not in first:
            marks.add("dash-refused")
        text = _literal_head(items).lower()
        if text.startswith(("http://", "https://", "https?")) or "://" in text:
            marks.add("scheme-checked")
        if text.strip().startswith(("select", "with", "show", "explain")) or _heads(items):
            marks.add("select-checked")
    if not (begins and ends):
        return frozenset(marks)
    chars = _characters(items)
    first = _first(items)
    if first is not None and "-" not in first:
        marks.add("dash-refused")
    if chars is not None:
        if chars <= _DIGITS:
            marks.add("number")
        if chars <= _WORD:
            marks.add("word")
            if first is not None and first <= _START:
                marks.add("identifier")
        if chars <= _SHELL:
            marks.add("no-meta")
        if "/" not in chars and "\\" not in chars and first is not None and "." not in first:
            marks.add("file-name")
    if all(_inner(choice) for choice in _choices(items)):
        marks.add("inner-path")
    if _heads(items):
        marks.add("select-checked")
    return frozenset(marks)


@lru_cache(maxsize=1024)
def remaining(pattern: str, flags: str) -> frozenset[str]:
    """The marks of a text from which every match of a one-character expression was removed.

    Only a negated class removed everywhere (`/[^a-z0-9]/g`) proves anything.
    """
    if "g" not in flags or len(pattern) > _LIMIT:
        return frozenset()
    tree = tree_of(pattern)
    if tree is None or len(tree) != 1:
        return frozenset()
    code, argument = tree[0]
    if code is op.MAX_REPEAT and len(argument[2]) == 1 and argument[0] <= 1:
        code, argument = argument[2][0]
    if code is op.NOT_LITERAL:
        return frozenset()
    if code is not op.IN or not argument or argument[0][0] is not op.NEGATE:
        return frozenset()
    kept = _class(argument[1:])
    if kept is None:
        return frozenset()
    marks = set()
    if kept <= _DIGITS:
        marks.add("number")
    if kept <= _WORD:
        marks.add("word")
        if kept <= _START:
            marks.add("identifier")
            marks.add("file-name")
    if kept <= _SHELL:
        marks.add("no-meta")
    if "-" not in kept:
        marks.add("dash-refused")
    return frozenset(marks)


def tree_of(pattern: str) -> Any:
    """The syntax tree of an expression of Python or JavaScript; `None` when it cannot be read."""
    return _tree(_pythonic(pattern))


def _local_flags(code: Any, argument: Any) -> bool:
    """Whether a group switches flags on for itself (`(?m:…)`)."""
    return code is op.SUBPATTERN and bool(argument[1])


def _pythonic(pattern: str) -> str:
    return pattern.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")


def _tree(pattern: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError, ValueError):
        return None


def _class(items: Any) -> _Chars:
    chars: set[str] = set()
    for code, argument in items:
        if code is op.LITERAL:
            chars.add(chr(argument))
        elif code is op.RANGE:
            low, high = argument
            if high - low > 512:
                return _ANY
            chars.update(map(chr, range(low, high + 1)))
        elif code is op.CATEGORY and argument in _CATEGORIES:
            chars |= _CATEGORIES[argument]
        else:
            return _ANY
    return frozenset(chars)


def _characters(items: Any) -> _Chars:
    """Every character that can occur in a match; iterative, patterns come from attackers."""
    chars: set[str] = set()
    work = [list(items)]
    while work:
        for code, argument in work.pop():
            if code is op.LITERAL:
                chars.add(chr(argument))
            elif code is op.IN:
                if argument and argument[0][0] is op.NEGATE:
                    return _ANY
                inside = _class(argument)
                if inside is None:
                    return _ANY
                chars |= inside
            elif code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
                work.append(list(argument[2]))
            elif code is op.SUBPATTERN:
                work.append(list(argument[3]))
            elif code is op.BRANCH:
                work.extend(list(branch) for branch in argument[1])
            elif code in (op.ASSERT, op.ASSERT_NOT, op.AT):
                continue
            else:
                return _ANY
    return frozenset(chars)


def _first(items: Any) -> _Chars:
    """The characters a match can start with; `None` when it may start with any, or be empty."""
    for code, argument in items:
        if code is op.LITERAL:
            return frozenset(chr(argument))
        if code is op.IN:
            return _ANY if argument and argument[0][0] is op.NEGATE else _class(argument)
        if code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            return _ANY if argument[0] == 0 else _first(argument[2])
        if code is op.SUBPATTERN:
            return _first(argument[3])
        if code is op.BRANCH:
            firsts = [_first(branch) for branch in argument[1]]
            known = [f for f in firsts if f is not None]
            return frozenset().union(*known) if len(known) == len(firsts) else _ANY
        if code in (op.ASSERT, op.ASSERT_NOT, op.AT):
            continue
        return _ANY
    return _ANY


def _choices(items: list[Any]) -> list[list[Any]]:
    """The alternatives of an expression that is nothing but a choice; otherwise itself."""
    while len(items) == 1 and items[0][0] is op.SUBPATTERN:
        items = list(items[0][1][3])
    if len(items) == 1 and items[0][0] is op.BRANCH:
        return [list(branch) for branch in items[0][1][1]]
    return [items]


def _inner(items: list[Any]) -> bool:
    """Whether a match is a relative path that never leads up, because one dot is not enough."""
    chars, first = _characters(items), _first(items)
    return (
        chars is not None
        and first is not None
        and not first & frozenset("/~")
        and not chars & frozenset("\\:\0")
        and _dots(items) < 2
    )


def _dots(items: Any) -> int:
    """How many dots a match can hold; two stand for any number."""
    count = 0
    for code, argument in items:
        if code is op.LITERAL:
            count += argument == ord(".")
        elif code is op.IN:
            inside = _class(argument)
            count += inside is None or "." in inside
        elif code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            count += min(int(argument[1]), 2) * _dots(argument[2])
        elif code is op.SUBPATTERN:
            count += _dots(argument[3])
        elif code is op.BRANCH:
            count += max(_dots(branch) for branch in argument[1])
    return min(count, 2)


def _literal_head(items: Any) -> str:
    text = ""
    for code, argument in items:
        if code is op.LITERAL:
            text += chr(argument)
        elif code is op.MAX_REPEAT and len(argument[2]) == 1 and argument[2][0][0] is op.LITERAL:
            text += chr(argument[2][0][1])
        else:
            break
    return text


def _heads(items: Any) -> bool:
    """Whether a match begins, after white space, with a word of a read-only statement."""
    rest = list(items)
    while rest and rest[0][0] in (op.MAX_REPEAT, op.MIN_REPEAT):
        rest.pop(0)
    if rest and rest[0][0] is op.SUBPATTERN:
        inner = list(rest[0][1][3])
        if len(inner) == 1 and inner[0][0] is op.BRANCH:
            heads = [_literal_head(branch).lower() for branch in inner[0][1][1]]
            return any(
                head.startswith(("select", "with", "show", "elect", "ith")) for head in heads
            )
        rest = inner
    return _literal_head(rest).lower().startswith(("select", "with ", "show ", "explain"))
