"""Edits that take values out of the code: bound parameters of statements, variables for secrets."""

from __future__ import annotations

import re

from tree_sitter import Node

from mcpward.audit.edits.arguments import Changes, Given
from mcpward.audit.edits.imports import bound
from mcpward.audit.edits.spot import (
    Change,
    Spot,
    bracket,
    call_at,
    covering,
    items,
    positional,
)

_VALUE_AFTER = re.compile(r"(?:[=<>]|\b(?:LIKE|VALUES))\s*\(?\s*'?$|,\s*'?$", re.IGNORECASE)
_PLAIN = frozenset(
    {"identifier", "attribute", "subscript", "member_expression", "subscript_expression"}
)
_DRIVERS = {"?": rb"sqlite3|aiosqlite", "%s": rb"psycopg2?|pymysql|MySQLdb|mysql\.connector"}


def bind_parameters(spot: Spot, given: Given) -> Changes:
    """Binds the values that a statement is made of; `sign` is the mark of a parameter.

    Only for a text with gaps that is the only argument, and only where each gap stands for a value.
    `#` in the sign is the number of the parameter. Without a sign, the driver that the file imports
    decides.
    """
    call = call_at(spot)
    listed = bracket(call) if call is not None else None
    plain = positional(listed) if listed is not None else None
    sign = given.get("sign") or _sign(spot)
    if listed is None or plain is None or not sign or len(plain) != 1 or len(items(listed)) != 1:
        return None
    text = plain[0]
    if text.type == "string" and spot.text(text).startswith(("f", "F")):
        changes = [Change(text.start_byte, text.start_byte + 1, "")]
    elif text.type == "template_string":
        changes = []
    else:
        return None
    names: list[str] = []
    for number, piece in enumerate(text.children):
        if piece.type == "string_content" and re.search(rb"[{}%?]", _bytes(spot, piece)):
            return None
        if piece.type not in ("interpolation", "template_substitution"):
            continue
        inside = [one for one in items(piece) if one.type != "${"]
        quotes = _quotes(spot, text.children, number)
        if len(inside) != 1 or inside[0].type not in _PLAIN or quotes is None:
            return None
        names.append(spot.text(inside[0]))
        start, end = piece.start_byte - quotes, piece.end_byte + quotes
        changes.append(Change(start, end, sign.replace("#", str(len(names)))))
    if not names:
        return None
    values = ", ".join(names)
    listing = f"({values}{',' * (len(names) == 1)})" if spot.python else f"[{values}]"
    return [*changes, Change(text.end_byte, text.end_byte, f", {listing}")]


def _sign(spot: Spot) -> str:
    """The mark of a parameter for the one kind of driver that a Python file imports."""
    found = {
        sign
        for sign, drivers in _DRIVERS.items()
        if re.search(
            rb"^[ \t]*(?:import|from)[ \t]+(?:" + drivers + rb")\b", spot.data, re.MULTILINE
        )
    }
    return found.pop() if len(found) == 1 else ""


def _quotes(spot: Spot, pieces: list[Node], number: int) -> int | None:
    """1 if a gap stands in quotes that go with it, 0 if in none, nothing if it is no value."""
    at = pieces[number].start_byte
    before = spot.data[max(at - 200, pieces[0].start_byte) : at].decode("utf-8", "replace")
    behind = spot.data[pieces[number].end_byte : pieces[number].end_byte + 1].decode(
        "utf-8", "replace"
    )
    head = before[before.rfind("}") + 1 :]
    if not _VALUE_AFTER.search(head):
        return None
    if head.endswith("'"):
        return 1 if behind == "'" else None
    return 0 if behind != "'" else None


def _bytes(spot: Spot, node: Node) -> bytes:
    return spot.data[node.start_byte : node.end_byte]


def from_environment(spot: Spot, _given: Given) -> Changes:
    """Reads a value that is written down from the variable of the environment with its name."""
    node = covering(spot, spot.start, spot.end)
    while node is not None and node.type in ("string_content", "string_fragment"):
        node = node.parent
    above = node.parent if node is not None else None
    if node is None or above is None or node.type != "string":
        return None
    # The place may be a part of the text only: then the rest would be lost.
    if node.end_byte - node.start_byte > spot.end - spot.start + 2:
        return None
    left = None
    if above.type in ("assignment", "variable_declarator"):
        left = above.child_by_field_name("left") or above.child_by_field_name("name")
    elif above.type in ("keyword_argument", "pair"):
        left = above.child_by_field_name("name") or above.child_by_field_name("key")
    name = spot.text(left).strip("\"'") if left is not None else ""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{2,60}", name):
        return None
    variable = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", name).upper()
    if not spot.python:
        return [Change(node.start_byte, node.end_byte, f"process.env.{variable}")]
    wanted = bound(spot, "os")
    if wanted is None:
        return None
    return [*wanted, Change(node.start_byte, node.end_byte, f'os.environ["{variable}"]')]
