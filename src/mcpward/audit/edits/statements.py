"""Edits of expressions and statements: checks, comparisons, defaults, lists of words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from mcpward.audit.edits.arguments import Changes, Given, around
from mcpward.audit.edits.imports import bound
from mcpward.audit.edits.lists import appended, removed
from mcpward.audit.edits.spot import (
    CALLS,
    Change,
    Spot,
    bracket,
    call_at,
    callee,
    covering,
    descendants,
    items,
    pair,
)
from mcpward.core.finding import StepKind

_STATEMENTS = frozenset({"expression_statement"})
_PIECES = {"interpolation", "template_substitution"}
_NAMES = frozenset(
    {"identifier", "attribute", "subscript", "member_expression", "subscript_expression"}
)
_LITERALS = frozenset({"string", "integer", "number", "concatenated_string"})


def remove_statement(spot: Spot, _given: Given) -> Changes:
    """Deletes the statement of the finding, with its line."""
    node = covering(spot, spot.start, spot.end)
    while node is not None and node.type not in _STATEMENTS:
        node = node.parent
    if node is None or node.parent is None:
        return None
    if len(items(node.parent)) == 1 and node.parent.type != "module":
        return [Change(node.start_byte, node.end_byte, "pass")] if spot.python else None
    begin = spot.data.rfind(b"\n", 0, node.start_byte) + 1
    end = spot.data.find(b"\n", node.end_byte)
    end = len(spot.data) if end < 0 else end + 1
    rest = spot.data[node.end_byte : end].strip().lstrip(b";").strip()
    alone = not spot.data[begin : node.start_byte].strip()
    if not alone or (rest and not rest.startswith((b"#", b"//"))):
        return None
    return [Change(begin, end, "")]


def wrap_part(spot: Spot, given: Given) -> Changes:
    """Puts `before` and `behind` around what the finding's data fills into a text.

    `after` are the characters of which one must stand before the gap, `until` those of which one
    must stand behind it (or nothing): so a gap is known to hold one segment or word. `unless` is a
    regular expression of names that may hold more, `barred` one for the text before.
    """
    wanted = bound(spot, given["import"]) if spot.python and "import" in given else []
    if wanted is None:
        return None
    for start, end in _joins(spot):
        node = covering(spot, start, end)
        gaps = list(_gaps(spot, node, given)) if node is not None else []
        told = [gap for gap in gaps if _names(spot, gap) & _source_names(spot)]
        chosen = told or (gaps if len(gaps) == 1 else [])
        if chosen:
            made = [change for gap in chosen for change in around(gap, _quoted(spot, gap, given))]
            return [*wanted, *made]
    return None


def _quoted(spot: Spot, gap: Node, given: Given) -> Given:
    """The words around a gap with the quotes that its text does not use itself."""
    above = gap.parent.parent if gap.parent is not None else None
    double = above is not None and above.type == "string" and '"' in spot.text(above)[:3]
    return given if double else {name: text.replace("'", '"') for name, text in given.items()}


def _joins(spot: Spot) -> Iterator[tuple[int, int]]:
    """Where a text is made, the last place first; without a path, the arguments of the call."""
    for stop in reversed(spot.stops):
        if stop.kind is StepKind.PASS and stop.text.startswith("joined"):
            yield stop.start, stop.end
    call = call_at(spot) if not spot.stops else None
    listed = bracket(call) if call is not None else None
    for one in items(listed) if listed is not None else ():
        yield one.start_byte, one.end_byte


def _gaps(spot: Spot, node: Node, given: Given) -> Iterator[Node]:
    """The names that are filled into a text between the given characters."""
    parts = list(_parts(spot, node))
    for number, (part, literal) in enumerate(parts):
        if literal is not None or part.type not in _NAMES:
            continue
        if spot.text(part).isupper():
            continue  # a constant of the module
        before = parts[number - 1][1] if number else None
        behind = parts[number + 1][1] if number + 1 < len(parts) else ""
        if not before or behind is None:
            continue
        if "unless" in given and re.search(given["unless"], spot.text(part)):
            continue
        if "barred" in given and re.search(given["barred"], before[-200:]):
            continue
        if before[-1] in given["after"] and (not behind or behind[0] in given["until"]):
            yield part


def _parts(spot: Spot, node: Node) -> Iterator[tuple[Node, str | None]]:
    """The parts of a joined text in order, each with its characters if it is a literal."""
    if node.type in ("binary_operator", "binary_expression"):
        operator = node.child_by_field_name("operator")
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if operator is None or operator.type != "+" or left is None or right is None:
            yield node, None
            return
        yield from _parts(spot, left)
        yield from _parts(spot, right)
    elif node.type in ("string", "template_string"):
        for child in node.children:
            if child.type in _PIECES:
                inside = items(child)
                formatted = any(one.type == "format_specifier" for one in inside) or (
                    any(one.type == "type_conversion" for one in inside)
                )
                parts = [one for one in inside if one.type not in ("${", "}")]
                yield (child if formatted or len(parts) != 1 else parts[0]), None
            elif child.type in ("string_content", "string_fragment", "escape_sequence"):
                yield child, spot.text(child)
    else:
        yield node, None


def _names(spot: Spot, node: Node) -> set[str]:
    return {spot.text(one) for one in descendants(node) if one.type.endswith("identifier")}


def _source_names(spot: Spot) -> set[str]:
    found: set[str] = set()
    for stop in spot.stops:
        if stop.kind is StepKind.SOURCE:
            node = covering(spot, stop.start, stop.end)
            found |= _names(spot, node) if node is not None else set()
    return found


def end_options(spot: Spot, given: Given) -> Changes:
    """Puts `text` before the first word of a list of words that is no literal.

    `programs` are those that understand it.
    """
    for start, end in [(spot.start, spot.end), *((s.start, s.end) for s in reversed(spot.stops))]:
        node = covering(spot, start, end)
        for listed in descendants(node) if node is not None else ():
            if listed.type not in ("list", "array", "argument_list"):
                continue
            made = _ended(spot, listed, given)
            if made is not None:
                return [made]
    return None


def _ended(spot: Spot, listed: Node, given: Given) -> Change | None:
    words = items(listed)
    texts = [spot.text(one).strip("\"'") for one in words]
    program = texts[0] if texts else ""
    if listed.type == "array" and program not in given["programs"].split():
        # In JavaScript the program stands before the list.
        above = listed.parent
        beside = items(above) if above is not None else []
        program = spot.text(beside[0]).strip("\"'`") if beside and beside[0].id != listed.id else ""
        first = 0
    else:
        first = 1
    if program not in given["programs"].split():
        return None
    for number, word in enumerate(words[first:], start=first):
        if word.type in ("keyword_argument", "list_splat", "spread_element", "object"):
            return None
        if word.type not in _LITERALS:
            before = texts[number - 1] if number > first else ""
            taken = before.startswith("-") and before not in given.get("flags", "").split()
            if taken or given["text"] in texts:
                return None
            return Change(word.start_byte, word.start_byte, f'"{given["text"]}", ')
    return None


def add_separator(spot: Spot, _given: Given) -> Changes:
    """Lets a test of a path's beginning compare whole folder names."""
    for stop in spot.stops:
        node = covering(spot, stop.start, stop.end) if stop.kind is StepKind.GUARD else None
        calls = [one for one in descendants(node) if one.type in CALLS] if node is not None else []
        for call in calls:
            called, listed = callee(call), bracket(call)
            words = items(listed) if listed is not None else []
            if called is None or len(words) != 1:
                continue
            field = "attribute" if spot.python else "property"
            method, value = called.child_by_field_name(field), called.child_by_field_name("object")
            if method is None or value is None or spot.text(method).lower() != "startswith":
                continue
            return _separated(spot, call, value, words[0])
    return None


def _separated(spot: Spot, call: Node, value: Node, root: Node) -> Changes:
    name, folder = spot.text(value), spot.text(root)
    if "(" in name.removeprefix("str(").removesuffix(")"):
        return None
    same, either = ("==", "or") if spot.python else ("===", "||")
    if root.type == "string":
        if folder[-2] in "/\\":
            return None
        wider: list[Change] = [Change(root.end_byte - 1, root.end_byte - 1, "/")]
        extra: Changes = []
    else:
        module = "os" if spot.python else _path_module(spot)
        extra = bound(spot, "os") if spot.python else []
        if not module or extra is None:
            return None
        wider = [Change(root.end_byte, root.end_byte, f" + {module}.sep")]
    return [
        *(extra or []),
        Change(call.start_byte, call.start_byte, f"({name} {same} {folder} {either} "),
        *wider,
        Change(call.end_byte, call.end_byte, ")"),
    ]


def _path_module(spot: Spot) -> str:
    """The name that the module `path` of Node.js has in this file."""
    for node in descendants(spot.root) if spot.root is not None else ():
        if node.type == "import_statement":
            source = node.child_by_field_name("source")
            if source is not None and spot.text(source).strip("\"'") in ("path", "node:path"):
                for one in descendants(node):
                    if one.type == "identifier" and one.parent is not None:
                        if one.parent.type in ("import_clause", "namespace_import"):
                            return spot.text(one)
    return ""


def drop_default(spot: Spot, _given: Given) -> Changes:
    """Takes the built-in value of a variable of the environment, or of a field, away."""
    node = covering(spot, spot.start, spot.end)
    while node is not None and node.type in ("string_content", "string_fragment"):
        node = node.parent
    above = node.parent if node is not None else None
    if node is None or above is None or node.type not in ("string", "template_string"):
        return None
    if above.type in ("boolean_operator", "binary_expression"):
        left = above.child_by_field_name("left")
        if left is None or left.id == node.id:
            return None
        kept = [Change(left.end_byte, node.end_byte, "")]
        if left.type != "call":
            return kept if re.match(r"process\.env\b", spot.text(left)) else None
        required = _required(spot, left)
        # The call ends where the default begins to be taken away: one change for both.
        return [*required[:-1], required[-1]._replace(end=node.end_byte)] if required else None
    listed = above.parent if above.type == "keyword_argument" else above
    call = listed.parent if listed is not None else None
    called = callee(call) if call is not None and call.type in CALLS else None
    if listed is None or call is None or called is None:
        return None
    if above.type == "keyword_argument":
        name = above.child_by_field_name("name")
        field = name is not None and spot.text(name) == "default" and "Field" in spot.text(called)
        return [removed(spot, listed, above)] if field else None
    words = items(listed)
    if spot.python:
        return _required(spot, call) if len(words) == 2 and words[1].id == node.id else None
    method, made = called.child_by_field_name("property"), called.child_by_field_name("object")
    if method is None or made is None or spot.text(method) != "default" or len(words) != 1:
        return None
    return [Change(made.end_byte, call.end_byte, "")]


def _required(spot: Spot, call: Node) -> Changes:
    """`os.environ.get(NAME)` and `os.getenv(NAME)` as `os.environ[NAME]`."""
    called, listed = callee(call), bracket(call)
    words = items(listed) if listed is not None else []
    if called is None or listed is None or not words or words[0].type == "keyword_argument":
        return None
    text = spot.text(called)
    if text not in ("os.getenv", "os.environ.get", "environ.get"):
        return None
    table = "environ" if text == "environ.get" else "os.environ"
    first = words[0]
    return [
        Change(called.start_byte, first.start_byte, f"{table}["),
        Change(first.end_byte, call.end_byte, "]"),
    ]


def compare_digest(spot: Spot, _given: Given) -> Changes:
    """Compares two texts in a time that says nothing about them."""
    node = covering(spot, spot.start, spot.end)
    for one in descendants(node) if node is not None and spot.python else ():
        if one.type != "comparison_operator" or one.child_count != 3:
            continue
        left, sign, right = one.children
        if sign.type not in ("==", "!="):
            return None
        wanted = bound(spot, "hmac")
        if wanted is None:
            return None
        negated = "not " if sign.type == "!=" else ""
        return [
            *wanted,
            Change(left.start_byte, left.start_byte, f"{negated}hmac.compare_digest(str("),
            Change(left.end_byte, right.start_byte, ").encode(), str("),
            Change(right.end_byte, right.end_byte, ").encode())"),
        ]
    return None


def set_returned(spot: Spot, given: Given) -> Changes:
    """Adds the property `name` with `value` to the object that a `catch` clause returns."""
    root = spot.root
    node = root.descendant_for_byte_range(spot.start, spot.end) if root is not None else None
    while node is not None and node.type != "catch_clause":
        node = node.parent
    found = (
        [
            one.children[1]
            for one in descendants(node)
            if one.type == "return_statement" and one.child_count > 1
        ]
        if node is not None
        else []
    )
    if len(found) != 1 or found[0].type != "object" or pair(spot, found[0], given["name"]):
        return None
    return [appended(spot, found[0], f"{given['name']}: {given['value']}")]
