"""Edits of calls: their arguments, options and what is called."""

from __future__ import annotations

from collections.abc import Mapping

from tree_sitter import Node

from mcpward.audit.edits.imports import bound
from mcpward.audit.edits.lists import appended, removed
from mcpward.audit.edits.spot import (
    CALLS,
    Change,
    Spot,
    bracket,
    call_at,
    callee,
    descendants,
    items,
    keyword,
    otherwise,
    pair,
    positional,
)

Given = Mapping[str, str]
Changes = list[Change] | None


def set_argument(spot: Spot, given: Given) -> Changes:
    """Gives the keyword argument `name` the value `value`; `position` is where it may stand too.

    `without` names keyword arguments that are taken out.
    """
    call = target(spot, given)
    listed = bracket(call) if call is not None else None
    if listed is None or not spot.python:
        return None
    plain = positional(listed)
    if plain is None or any(node.type == "dictionary_splat" for node in items(listed)):
        return None
    wanted = _imports(spot, given)
    if wanted is None:
        return None
    for name in given.get("without", "").split():
        if other := keyword(spot, listed, name):
            wanted = [*wanted, removed(spot, listed, other)]
    position = int(given.get("position", "-1"))
    now = keyword(spot, listed, given["name"])
    value = now.child_by_field_name("value") if now is not None else None
    if value is None and 0 <= position < len(plain):
        value = plain[position]
    if value is not None:
        if not _replaceable(spot, value, given):
            return None
        return [*wanted, Change(value.start_byte, value.end_byte, given["value"])]
    if given.get("only"):
        return None
    return [*wanted, appended(spot, listed, f"{given['name']}={given['value']}")]


def remove_argument(spot: Spot, given: Given) -> Changes:
    """Takes the keyword argument `name` out, if its value is the literal `only`."""
    call = target(spot, given)
    listed = bracket(call) if call is not None else None
    now = keyword(spot, listed, given["name"]) if listed is not None else None
    value = now.child_by_field_name("value") if now is not None else None
    if listed is None or now is None or value is None or not _replaceable(spot, value, given):
        return None
    return [removed(spot, listed, now)]


def set_option(spot: Spot, given: Given) -> Changes:
    """Sets the property `name` to `value` in the object literal that is the last argument.

    `behind` is the number of arguments after which such an object may be added.
    """
    call = target(spot, given)
    listed = bracket(call) if call is not None else None
    if listed is None or spot.python:
        return None
    plain = positional(listed)
    if plain is None:
        return None
    text = f"{given['name']}: {given['value']}"
    if plain and plain[-1].type == "object":
        table = plain[-1]
        now = pair(spot, table, given["name"])
        value = now.child_by_field_name("value") if now is not None else None
        if value is not None:
            if not _replaceable(spot, value, given):
                return None
            return [Change(value.start_byte, value.end_byte, given["value"])]
        spread = any(node.type == "spread_element" for node in items(table))
        if spread or otherwise(spot, table, given["name"]):
            return None
        return None if given.get("only") else [appended(spot, table, text)]
    if given.get("only") or str(len(plain)) not in given.get("behind", "").split():
        return None
    # A last argument that is a name may be the options already.
    literals = ("array", "string", "template_string")
    if not given.get("sure") and len(plain) > 1 and plain[-1].type not in literals:
        return None
    return [appended(spot, listed, "{ " + text + " }")]


def remove_option(spot: Spot, given: Given) -> Changes:
    """Takes the property `name` out of an object literal of the call, if it is `only`."""
    call = target(spot, given)
    listed = bracket(call) if call is not None else None
    for node in descendants(listed) if listed is not None and not spot.python else ():
        if node.type != "object":
            continue
        now = pair(spot, node, given["name"])
        value = now.child_by_field_name("value") if now is not None else None
        if now is not None and value is not None and _replaceable(spot, value, given):
            return [removed(spot, node, now)]
    return None


def replace_callee(spot: Spot, given: Given) -> Changes:
    """Calls `to` instead, with the import that it needs; `await` also awaits it.

    `last` keeps the object and replaces its method alone, `object` the other way round; `index`
    picks a part of the result. With `most`, calls with more arguments are left alone.
    """
    call = target(spot, given)
    called = callee(call) if call is not None else None
    listed = bracket(call) if call is not None else None
    if call is None or called is None or listed is None:
        return None
    plain = positional(listed)
    if plain is None or len(plain) > int(given.get("most", "9")):
        return None
    if "object" in given:
        return _elsewhere(spot, called, given)
    if last := given.get("last"):
        named = called.child_by_field_name("attribute") or called.child_by_field_name("property")
        if named is not None:
            return [Change(named.start_byte, named.end_byte, last)]
        if "to" not in given:
            return None
    wanted = _imports(spot, given)
    if wanted is None:
        return None
    made = [Change(called.start_byte, called.end_byte, given["to"])]
    if index := given.get("index"):
        made.append(Change(call.end_byte, call.end_byte, index))
    return [*wanted, *made]


def _elsewhere(spot: Spot, called: Node, given: Given) -> Changes:
    """The same method of another object; only where the object is a module by its own name."""
    owner = called.child_by_field_name("object")
    if owner is None or spot.text(owner) != given["import"]:
        return None
    return [Change(owner.start_byte, owner.end_byte, given["object"])]


def wrap_argument(spot: Spot, given: Given) -> Changes:
    """Puts `before` and `behind` around the argument `at` (a position) or `name` (a keyword)."""
    call = target(spot, given)
    listed = bracket(call) if call is not None else None
    plain = positional(listed) if listed is not None else None
    wanted = _imports(spot, given)
    if listed is None or plain is None or wanted is None:
        return None
    value: Node | None = None
    if name := given.get("name"):
        now = keyword(spot, listed, name)
        value = now.child_by_field_name("value") if now is not None else None
    if value is None and 0 <= (at := int(given.get("at", "-1"))) < len(plain):
        value = plain[at]
    if value is None or value.type in ("string", "template_string"):
        return None
    return [*wanted, *around(value, given)]


def target(spot: Spot, given: Given) -> Node | None:
    """The call that is edited: that of the finding, or with `of` the one that made an argument.

    `of` is a position, or a position and a keyword: `1:parser`.
    """
    call = call_at(spot)
    listed = bracket(call) if call is not None else None
    of = given.get("of", "")
    if not of or listed is None:
        return call
    position, _, name = of.partition(":")
    plain = positional(listed)
    now = keyword(spot, listed, name)
    value = now.child_by_field_name("value") if now is not None else None
    if value is None and plain is not None and int(position) < len(plain):
        value = plain[int(position)]
    return _made(spot, value) if value is not None else None


def _made(spot: Spot, value: Node) -> Node | None:
    """The call that a value is, or that the variable was given once."""
    if value.type in CALLS:
        return value
    if value.type != "identifier" or spot.root is None:
        return None
    found = _assigned(spot).get(spot.text(value), [])
    made = found[0] if len(found) == 1 else None
    return made if made is not None and made.type in CALLS else None


def _assigned(spot: Spot) -> dict[str, list[Node | None]]:
    """What each variable of a file is given."""
    known = spot.known.get("assigned")
    if isinstance(known, dict):
        return known
    found: dict[str, list[Node | None]] = {}
    for node in descendants(spot.root) if spot.root is not None else ():
        if node.type in ("assignment", "variable_declarator"):
            left = node.child_by_field_name("left") or node.child_by_field_name("name")
            right = node.child_by_field_name("right") or node.child_by_field_name("value")
            if left is not None and left.type == "identifier":
                found.setdefault(spot.text(left), []).append(right)
    spot.known["assigned"] = found
    return found


def around(node: Node, given: Given) -> list[Change]:
    """Two insertions, so that the text between them is kept as it is."""
    return [
        Change(node.start_byte, node.start_byte, given["before"]),
        Change(node.end_byte, node.end_byte, given["behind"]),
    ]


def _imports(spot: Spot, given: Given) -> Changes:
    module = given.get("import", "")
    return bound(spot, module) if module and spot.python else []


def _replaceable(spot: Spot, value: Node, given: Given) -> bool:
    only = given.get("only")
    if not only:
        return True
    return spot.text(value) in only.split(" | ")


def await_in_thread(spot: Spot, _given: Given) -> Changes:
    """Lets a thread make a call that blocks, and awaits it."""
    call = call_at(spot)
    called = callee(call) if call is not None else None
    listed = bracket(call) if call is not None else None
    if call is None or called is None or listed is None or not spot.python:
        return None
    wanted = bound(spot, "asyncio")
    if wanted is None:
        return None
    above = call.parent
    inner = above is not None and above.type in ("attribute", "subscript", "call")
    before, behind = ("(await ", ")") if inner else ("await ", "")
    comma = ", " if items(listed) else ""
    return [
        *wanted,
        Change(call.start_byte, call.start_byte, f"{before}asyncio.to_thread("),
        Change(called.end_byte, listed.start_byte + 1, comma),
        *([Change(call.end_byte, call.end_byte, behind)] if behind else []),
    ]
