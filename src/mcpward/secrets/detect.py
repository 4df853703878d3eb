"""The search for secrets that have a format of their own, in one pass over a text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from mcpward.core.late import late
from mcpward.secrets.checksums import CHECKSUMS, value_of
from mcpward.secrets.formats import Format, compiled, formats
from mcpward.secrets.values import entropy, placeholder

_RUN = 20
"""Nearly every secret holds a run of so many letters, digits, `_` and `-`, with a digit in it."""
_AROUND = 128
"""Bytes around a run where its keyword can be."""
_ATTEMPTS = 20_000
"""Places of one text at which one row is tried: hostile text is full of keywords."""
_MOST = 2_000
"""Secrets of one text that are told."""
_LONG = 200
"""Keys, signed tokens and the like are not read as words beyond this length."""

_WORD = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_CLASSES = bytes(ord("a") if byte in _WORD else ord(" ") for byte in range(256))
_DIGIT = late(rb"\d")


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in a text."""

    kind: str
    """The name of the format, such as `github-token`, or `generic`."""
    title: str
    start: int
    """Character offset in the searched text."""
    end: int
    verified: bool
    """Whether a checksum or the structure of the format was verified."""


def search(text: str) -> list[Secret]:
    """The secrets of a text in order, none inside another.

    Documented samples, placeholders and keys that are public by design are left out.
    """
    taken: list[tuple[int, int]] = []
    found: list[Secret] = []
    near = _near_runs(text)
    firsts: dict[str, bool] = {"": True}
    for row in formats():
        if len(found) >= _MOST:
            break
        if row.first not in firsts:
            firsts[row.first] = compiled(row.first).search(text) is not None
        if not firsts[row.first]:
            continue
        where = text if row.anywhere or row.first else near
        if not where or not any(word in where for word in row.keywords):
            continue
        for secret in _of(row, text):
            at = bisect_left(taken, (secret.start, secret.end))
            if at < len(taken) and taken[at][0] < secret.end:
                continue
            if at and taken[at - 1][1] > secret.start:
                continue
            taken.insert(at, (secret.start, secret.end))
            found.append(secret)
    return sorted(found, key=lambda secret: secret.start)


def _near_runs(text: str) -> str:
    """The parts of a text where a long run of word characters is; the rest has no secret."""
    data = text.encode("utf-8", "replace")
    classes = data.translate(_CLASSES)
    pieces: list[bytes] = []
    done = 0
    at = classes.find(b"a" * _RUN)
    while at >= 0:
        end = classes.find(b" ", at)
        end = len(data) if end < 0 else end
        if _DIGIT.search(data, at, end):
            start = max(at - _AROUND, done)
            done = end + _AROUND
            pieces.append(data[start:done])
        at = classes.find(b"a" * _RUN, end)
    return b"\n".join(pieces).decode("utf-8", "replace")


def _of(row: Format, text: str) -> Iterator[Secret]:
    """The secrets of one row, which may overlap those of others but not each other."""
    match = row.compiled.match
    attempts = 0
    done = 0
    for word in row.keywords:
        at = text.find(word)
        done = 0
        while at >= 0 and attempts < _ATTEMPTS:
            after = at + 1
            for back in row.before:
                start = at - back
                if start < done or (not row.inner and _inside(text, start)):
                    continue
                attempts += 1
                matched = match(text, start)
                if matched and (secret := _judged(row, matched)):
                    yield secret
                    after = done = max(secret.end, after)
                    break
            at = text.find(word, after)


def _inside(text: str, at: int) -> bool:
    """Whether a place is in the middle of a word."""
    return at > 0 and (text[at - 1].isalnum() or text[at - 1] == "_") and not _escaped(text, at)


def _escaped(text: str, at: int) -> bool:
    r"""Whether the letter before is the end of a `\n` or `\t` of a string."""
    return text[at - 2 : at] in ("\\n", "\\t", "\\r")


def _judged(row: Format, match: re.Match[str]) -> Secret | None:
    value = value_of(match)
    group = 1 if match.re.groups else 0
    start, end = match.span(group)
    if not row.checksum and end < len(match.string):
        after = match.string[end]
        if after.isascii() and after.isalnum():
            return None
    if row.entropy and entropy(value) < row.entropy:
        return None
    if row.digits and not any("0" <= c <= "9" for c in value):
        return None
    if len(value) <= _LONG and placeholder(value):
        return None
    verdict = CHECKSUMS[row.checksum](match) if row.checksum else None
    if verdict is False:
        return None
    return Secret(row.name, row.title, start, end, verified=row.structure or verdict is True)
