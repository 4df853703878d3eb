"""TypeScript annotations as type expressions with qualified names."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from mcpward.ir.values import TypeExpr

_DEPTH = 12
_WIDTH = 40
_ANY = TypeExpr("any")

Text = Callable[[Node], str]
Qualify = Callable[[str], str]


def type_expression(node: Node, text: Text, qualify: Qualify, depth: int = 0) -> TypeExpr:
    """Reads one annotation; `qualify` gives the full name of a type's (first) name."""
    if depth > _DEPTH:
        return _ANY

    def inner(kid: Node) -> TypeExpr:
        return type_expression(kid, text, qualify, depth + 1)

    kind = node.type
    match kind:
        case "predefined_type":
            return TypeExpr(text(node))
        case "type_identifier" | "identifier":
            return TypeExpr(qualify(text(node)))
        case "nested_type_identifier" | "nested_identifier":
            head, dot, rest = "".join(text(node).split()).partition(".")
            return TypeExpr(qualify(head) + dot + rest)
        case "type_annotation" | "parenthesized_type" | "readonly_type" | "optional_type":
            kids = node.named_children
            return inner(kids[-1]) if kids else _ANY
        case "generic_type":
            kids = node.named_children
            args = kids[-1].named_children if kids else []
            named = inner(kids[0]) if kids else _ANY
            return TypeExpr(named.name, tuple(map(inner, args[:_WIDTH])))
        case "union_type" | "intersection_type":
            return TypeExpr("|" if kind == "union_type" else "&", _members(node, kind, inner))
        case "array_type":
            kids = node.named_children
            return TypeExpr("Array", tuple(map(inner, kids[:1])))
        case "tuple_type":
            kids = node.named_children
            return TypeExpr("Array", (TypeExpr("|", tuple(map(inner, kids[:_WIDTH]))),))
        case "literal_type":
            return TypeExpr("=", literal=_literal(node, text))
        case "template_literal_type":
            return TypeExpr("string")
        case "object_type":
            return TypeExpr("object")
        case "function_type" | "constructor_type":
            return TypeExpr("function")
        case _:
            return _ANY


def _members(node: Node, kind: str, inner: Callable[[Node], TypeExpr]) -> tuple[TypeExpr, ...]:
    """The operands of a union, which the grammar nests to the left."""
    found: list[Node] = []
    stack = [node]
    while stack and len(found) < _WIDTH:
        at = stack.pop()
        if at.type == kind:
            stack += at.named_children
        elif at.type != "comment":
            found.append(at)
    return tuple(inner(member) for member in reversed(found))


def _literal(node: Node, text: Text) -> object:
    kids = node.named_children
    if not kids:
        return text(node)
    kind = kids[0].type
    said = text(kids[0])
    if kind == "string":
        return said[1:-1]
    if kind in ("true", "false"):
        return kind == "true"
    if kind in ("null", "undefined"):
        return None
    try:
        return float(said) if "." in said else int(said)
    except ValueError:
        return said
