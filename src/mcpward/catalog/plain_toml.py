"""A quick reader of plainly written TOML: tables of texts, numbers and lists of them.

Nearly all of the catalog is written so, and the values are then JSON as well, which is read many
times faster. Everything else is left to the real reader, which also says what is wrong.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

_PAIR = re.compile(r"([A-Za-z0-9_-]+)[ \t]*=[ \t]*(.*)")
_TABLE = re.compile(r"\[([A-Za-z0-9_-]+)(?:\.([A-Za-z0-9_-]+))?\]")
_ITEM = re.compile(r"\[\[([A-Za-z0-9_-]+)\]\]")
_STRANGE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|\\[/u]|\"\"\"")
"""What JSON and TOML do not read alike, and texts of several lines."""
_decode = json.JSONDecoder().decode


class _NotPlainError(Exception):
    """It takes the real reader."""


def plain_toml(text: str) -> dict[str, Any] | None:
    """The document as a dictionary, or nothing where it is not plain or not TOML."""
    if _STRANGE.search(text):
        return None
    try:
        return _document(text.split("\n"))
    except _NotPlainError:
        return None


def _document(lines: list[str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    opened: dict[str, str] = {}
    here = out
    at = 0
    while at < len(lines):
        line = lines[at].strip(" \t")
        at += 1
        if not line or line[0] == "#":
            continue
        if line[0] == "[":
            here = _opened(line, out, opened)
            continue
        pair = _PAIR.fullmatch(line)
        if pair is None or pair[1] in here:
            raise _NotPlainError
        value = pair[2]
        if value == "[":
            value, at = _list(lines, at)
        here[pair[1]] = _value(value)
    return out


def _opened(line: str, out: dict[str, Any], opened: dict[str, str]) -> dict[str, Any]:
    """The table that a header opens; `opened` has what the names of earlier headers stand for."""
    table: dict[str, Any] = {}
    if item := _ITEM.fullmatch(line):
        if item[1] in out and opened.get(item[1]) != "items":
            raise _NotPlainError
        opened[item[1]] = "items"
        out.setdefault(item[1], []).append(table)
        return table
    header = _TABLE.fullmatch(line)
    if header is None:
        raise _NotPlainError
    name, inner = header.groups()
    if inner is None:
        if name in out:
            raise _NotPlainError
        opened[name] = "table"
        out[name] = table
        return table
    if name in out and opened.get(name) != "table":
        raise _NotPlainError
    opened[name] = "table"
    outer = out.setdefault(name, {})
    if inner in outer:
        raise _NotPlainError
    outer[inner] = table
    return table


def _list(lines: list[str], at: int) -> tuple[str, int]:
    """A list with each item on a line of its own, and the line behind it."""
    items: list[str] = []
    while at < len(lines):
        line = lines[at].strip(" \t")
        at += 1
        if line == "]":
            return f"[{' '.join(items).removesuffix(',')}]", at
        if line and line[0] != "#":
            items.append(line)
    raise _NotPlainError


def _value(text: str) -> Any:
    if text[:1] == text[-1:] == "'" and text.count("'") == 2:
        return text[1:-1]
    try:
        value = _decode(text)
    except json.JSONDecodeError:
        pass
    else:
        if _plain(value):
            return value
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError as error:
        raise _NotPlainError from error


def _plain(value: Any) -> bool:
    kind = type(value)
    return kind is str or kind is int or kind is bool or (kind is list and all(map(_plain, value)))
