"""Imports that an edit needs, added where a person would put them."""

from __future__ import annotations

import sys

from tree_sitter import Node

from mcpward.audit.edits.spot import Change, Spot, descendants

_IMPORTS = frozenset({"import_statement", "import_from_statement"})


def bound(spot: Spot, module: str) -> list[Change] | None:
    """The changes after which `module` is the Python module of that name.

    None when the name means something else somewhere in the file.
    """
    assert spot.root is not None
    if _imported(spot, module):
        return []
    first = module.partition(".")[0]
    if _package(spot, first):
        return [_inserted(spot, module)]
    return None if first in _names(spot) else [_inserted(spot, module)]


def _names(spot: Spot) -> frozenset[str]:
    """The names that are used or bound anywhere in the file."""
    found = spot.known.get("names")
    if not isinstance(found, frozenset):
        assert spot.root is not None
        found = frozenset(
            spot.text(node)
            for node in descendants(spot.root)
            if node.type == "identifier" and not _harmless(node)
        )
        spot.known["names"] = found
    return found


def _imported(spot: Spot, module: str) -> bool:
    assert spot.root is not None
    for node in spot.root.children:
        if node.type == "import_statement":
            names = node.children_by_field_name("name")
            if any(one.type == "dotted_name" and spot.text(one) == module for one in names):
                return True
    return False


def _package(spot: Spot, first: str) -> bool:
    """Whether a module of the same package is imported under its own name."""
    assert spot.root is not None
    return any(
        spot.text(one).partition(".")[0] == first
        for node in spot.root.children
        if node.type == "import_statement"
        for one in node.children_by_field_name("name")
        if one.type == "dotted_name"
    )


def _harmless(node: Node) -> bool:
    """Whether a name is that of an attribute, a keyword or a part of an import path."""
    above = node.parent
    if above is None:
        return False
    if above.type == "attribute":
        named = above.child_by_field_name("attribute")
        return named is not None and named.id == node.id
    if above.type == "keyword_argument":
        named = above.child_by_field_name("name")
        return named is not None and named.id == node.id
    if above.type == "dotted_name" and above.parent is not None:
        source = above.parent.child_by_field_name("module_name")
        return source is not None and source.id == above.id
    return False


def _inserted(spot: Spot, module: str) -> Change:
    assert spot.root is not None
    line = f"import {module}{spot.newline}"
    block = _first_block(spot)
    if not block:
        at = _after_head(spot)
        return Change(at, at, line + spot.newline)
    first = block[0]
    if not _standard(spot, first) and _is_standard(module):
        return Change(first.start_byte, first.start_byte, line + spot.newline)
    plain = [node for node in block if node.type == "import_statement"]
    following = next((node for node in plain if _module(spot, node) > module), None)
    if following is None:
        after = plain[-1] if plain else None
        if after is None:
            return Change(first.start_byte, first.start_byte, line)
        return Change(after.end_byte, after.end_byte, f"{spot.newline}import {module}")
    return Change(following.start_byte, following.start_byte, line)


def _first_block(spot: Spot) -> list[Node]:
    """The first imports that stand together, apart from those of `__future__`."""
    assert spot.root is not None
    block: list[Node] = []
    for node in spot.root.children:
        if node.type in _IMPORTS:
            if block and node.start_point.row > block[-1].end_point.row + 1:
                break
            block.append(node)
        elif block and node.type != "comment":
            break
    return block


def _after_head(spot: Spot) -> int:
    """Behind the comments, the docstring and the imports of `__future__` that begin a file."""
    assert spot.root is not None
    at = 0
    told = False
    for node in spot.root.children:
        first = node.child(0) if node.type == "expression_statement" and not told else None
        told = told or first is not None
        if node.type not in ("comment", "future_import_statement") and (
            first is None or first.type != "string"
        ):
            break
        end = spot.data.find(b"\n", node.end_byte)
        at = len(spot.data) if end < 0 else end + 1
    return at


def _module(spot: Spot, node: Node) -> str:
    field = "module_name" if node.type == "import_from_statement" else "name"
    named = node.child_by_field_name(field)
    if named is not None and named.type == "aliased_import":
        named = named.child_by_field_name("name")
    return spot.text(named) if named is not None else ""


def _standard(spot: Spot, node: Node) -> bool:
    return _is_standard(_module(spot, node))


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names
