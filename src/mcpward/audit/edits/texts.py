"""Edits of any text: words are replaced, characters deleted, lines added or taken out."""

from __future__ import annotations

import re
import unicodedata

from mcpward.audit.edits.arguments import Changes, Given
from mcpward.audit.edits.spot import Change, Spot

_ESCAPES = re.compile(r"\\(?:x1b|u001b|u\{1b\}|033|e)\[[0-9;?]{0,20}[A-Za-z]", re.IGNORECASE)
_RAW = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]|\x1b")
_INVISIBLE = re.compile(
    r"\\u(?:200[bcdef]|20[26][0-9a-f]|feff|00ad|180e)|\\U000e00[0-7][0-9a-f]|\\u\{e00[0-7][0-9a-f]\}"
    r"|\\ud(?:b40)\\ud(?:c[0-7][0-9a-f])",
    re.IGNORECASE,
)
_OBJECT = re.compile(rb'"?[ \t]*:[ \t]*\{[^{}]{0,4000}\}|[^{}]{0,4000}\}')
"""From a key to the end of its object, or from within an object to its end; none is nested."""
_JOINERS = frozenset("\u200c\u200d")
"""Characters that some scripts and emoji need between others."""


def replace_text(spot: Spot, given: Given) -> Changes:
    """Replaces `from` by `to`, where it stands just once in the place of the finding.

    Not where the regular expression `unless` finds something in it. With `within`, in the JSON
    object that belongs to the place.
    """
    start, end = _range(spot, given)
    place, old = spot.data[start:end], given["from"].encode()
    if place.count(old) != 1 or ("unless" in given and re.search(given["unless"].encode(), place)):
        return None
    at = start + place.find(old)
    return [Change(at, at + len(old), given["to"])]


def _range(spot: Spot, given: Given) -> tuple[int, int]:
    if given.get("within") != "object":
        return spot.start, spot.end
    behind = _OBJECT.match(spot.data, spot.end)
    return (spot.end, behind.end()) if behind is not None else (spot.start, spot.end)


def delete_characters(spot: Spot, given: Given) -> Changes:
    """Deletes the characters that cannot be seen (`invisible`) or steer terminals (`terminal`)."""
    text = spot.data[spot.start : spot.end].decode("utf-8", "replace")
    patterns = (_RAW, _ESCAPES) if given["kind"] == "terminal" else (_INVISIBLE,)
    ranges = [match.span() for pattern in patterns for match in pattern.finditer(text)]
    if given["kind"] == "invisible":
        ranges += [(at, at + 1) for at, one in enumerate(text) if _invisible(text, at, one)]
    found = [
        Change(spot.start + len(text[:start].encode()), spot.start + len(text[:end].encode()), "")
        for start, end in sorted(set(ranges))
    ]
    return found or None


def _invisible(text: str, at: int, one: str) -> bool:
    if one in _JOINERS:
        before, behind = text[at - 1 : at], text[at + 1 : at + 2]
        return before.isascii() or behind.isascii()
    if 0xFE00 <= ord(one) <= 0xFE0F:  # variation selectors: one may follow a sign
        return text[at - 1 : at].isascii() or 0xFE00 <= ord(text[at - 1 : at] or " ") <= 0xFE0F
    return unicodedata.category(one) == "Cf" or 0xE0000 <= ord(one) <= 0xE0FFF


def remove_line(spot: Spot, given: Given) -> Changes:
    """Deletes the line of the finding, if `holds` stands in it and the line holds no more."""
    begin = spot.data.rfind(b"\n", 0, spot.start) + 1
    end = spot.data.find(b"\n", spot.start)
    end = len(spot.data) if end < 0 else end + 1
    line = spot.data[begin:end].strip()
    if not re.fullmatch(given["holds"].encode(), line):
        return None
    return [Change(begin, end, "")]


def insert_line(spot: Spot, given: Given) -> Changes:
    """Adds the line `text` before the last line that begins with one of the words in `before`."""
    words = tuple(word.encode() for word in given["before"].split())
    at, found = 0, -1
    for line in spot.data.splitlines(keepends=True):
        if line.lstrip().upper().startswith(words):
            found = at
        at += len(line)
    if found < 0:
        return None
    return [Change(found, found, given["text"] + spot.newline)]


def add_entry(spot: Spot, given: Given) -> Changes:
    """Adds `name` with `value` to the JSON object whose key, or a value in which, is the place."""
    behind = _OBJECT.match(spot.data, spot.end)
    if behind is None or f'"{given["name"]}"'.encode() in behind[0]:
        return None
    body = spot.data[: behind.end() - 1].rstrip()
    gap = spot.data[len(body) : behind.end() - 1]
    if body.endswith((b"{", b",")) or b"//" in body[body.rfind(b"\n") :].replace(b"://", b""):
        return None
    start = f",{spot.newline}{spot.indent(len(body))}" if b"\n" in gap else ", "
    return [Change(len(body), len(body), f'{start}"{given["name"]}": {given["value"]}')]


def remove_entry(spot: Spot, given: Given) -> Changes:
    """Takes the JSON entry `name` with a plain value out, with one comma; `within` as above."""
    first, last = _range(spot, given)
    name = re.escape(given["name"]).encode()
    entry = rb'"%s"[ \t]*:[ \t]*(?:"[^"\\\n]*"|[\w.-]+)' % name
    either = rb"[ \t]*,[ \t]*" + entry + rb"|" + entry + rb"[ \t]*,?[ \t]*"
    found = list(re.finditer(either, spot.data[first:last]))
    if len(found) != 1:
        return None
    start, end = found[0].span()
    return [Change(first + start, first + end, "")]


def refer(spot: Spot, _given: Given) -> Changes:
    """Puts a reference to a variable of the environment in the place of a value.

    The name is that of the key before the value.
    """
    begin = spot.data.rfind(b"\n", 0, spot.start) + 1
    key = re.search(rb'"([A-Z][A-Z0-9_]*)"[ \t]*:[ \t]*"?$', spot.data[begin : spot.start])
    value = spot.data[spot.start : spot.end].strip(b'"')
    if key is None or b'"' in value or b"\n" in value:
        return None
    at = spot.start + (spot.data[spot.start : spot.start + 1] == b'"')
    return [Change(at, at + len(value), "${" + key[1].decode() + "}")]
