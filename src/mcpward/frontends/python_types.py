"""Python annotations as type expressions with qualified names."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping

from mcpward.ir.values import UNKNOWN, TypeExpr

_DEPTH = 30
"""Annotations nested deeper than this are cut off; no real one is."""
_LITERALS = ("typing.Literal", "typing_extensions.Literal", "Literal")
_FIELDS = ("pydantic.Field", "pydantic.fields.Field", "fastapi.Query", "fastapi.Path")
_ANNOTATED = ("typing.Annotated", "typing_extensions.Annotated", "Annotated")


def type_expression(
    node: ast.expr | None,
    names: Mapping[str, str],
    depth: int = 0,
) -> TypeExpr | None:
    """The type an annotation stands for; `names` says what the module's names mean."""
    if node is None or depth > _DEPTH:
        return None
    match node:
        case ast.Constant(value=str() as text):
            return type_expression(_parsed(text), names, depth + 1)
        case ast.Constant(value=None):
            return TypeExpr("None")
        case ast.Constant(value=value):
            return TypeExpr("...") if value is ... else TypeExpr("=", literal=value)
        case ast.Name() | ast.Attribute():
            name = qualified(node, names)
            return None if name is None else TypeExpr(name)
        case ast.Subscript():
            return _subscripted(node, names, depth)
        case ast.BinOp(op=ast.BitOr()):
            return TypeExpr("|", _members(node, names, depth))
        case ast.List() | ast.Tuple():
            return TypeExpr("[]", _all(node.elts, names, depth))
        case ast.Call():
            return _called(node, names, depth)
        case ast.Starred():
            return type_expression(node.value, names, depth + 1)
    return None


def declared_type(
    arg: ast.arg, default: ast.expr | None, names: Mapping[str, str]
) -> TypeExpr | None:
    """The type of a parameter, with what pydantic's `Field(…)` as its default says of it."""
    annotation = type_expression(arg.annotation, names) if arg.annotation else None
    if annotation is None or not isinstance(default, ast.Call):
        return annotation
    said = type_expression(default, names)
    if said is None or said.name not in _FIELDS:
        return annotation
    return TypeExpr(_ANNOTATED[0], (annotation, said))


def qualified(node: ast.expr, names: Mapping[str, str]) -> str | None:
    """The dotted name that `a.b.c` stands for."""
    tail: list[str] = []
    while isinstance(node, ast.Attribute):
        tail.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([names.get(node.id, node.id), *reversed(tail)])


def _parsed(text: str) -> ast.expr | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _all(nodes: list[ast.expr], names: Mapping[str, str], depth: int) -> tuple[TypeExpr, ...]:
    return tuple(type_expression(n, names, depth + 1) or TypeExpr("?") for n in nodes)


def _members(node: ast.expr, names: Mapping[str, str], depth: int) -> tuple[TypeExpr, ...]:
    members: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        members.append(node.right)
        node = node.left
    members.append(node)
    return _all(members[::-1], names, depth)


def _subscripted(node: ast.Subscript, names: Mapping[str, str], depth: int) -> TypeExpr | None:
    name = qualified(node.value, names)
    if name is None:
        return None
    inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name in _LITERALS:
        return TypeExpr(name, tuple(_literal(n, names, depth) for n in inside))
    if name in _ANNOTATED:
        said = tuple(_literal(n, names, depth) for n in inside[1:])
        return TypeExpr(name, (*_all(inside[:1], names, depth), *said))
    return TypeExpr(name, _all(inside, names, depth))


def _called(node: ast.Call, names: Mapping[str, str], depth: int) -> TypeExpr | None:
    name = qualified(node.func, names)
    if name is None:
        return None
    keywords = tuple(
        (keyword.arg or "**", _constant(keyword.value, names, depth)) for keyword in node.keywords
    )
    return TypeExpr(name, tuple(_literal(n, names, depth) for n in node.args), keywords)


def _literal(node: ast.expr, names: Mapping[str, str], depth: int) -> TypeExpr:
    """A value inside an annotation: text there is text, not a type."""
    value = _constant(node, names, depth)
    if isinstance(value, TypeExpr):
        return value
    return TypeExpr("?") if value is UNKNOWN else TypeExpr("=", literal=value)


def _constant(node: ast.expr, names: Mapping[str, str], depth: int) -> object:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.List() | ast.Tuple() | ast.Set() if depth <= _DEPTH:
            return tuple(_constant(n, names, depth + 1) for n in node.elts)
    return type_expression(node, names, depth + 1) or UNKNOWN


def local_names(
    bound: Mapping[str, int], imports: Mapping[str, str], module: str
) -> dict[str, str]:
    """What the names of a module mean in annotations: imports, own names; builtins stay bare."""
    own = {name: f"{module}.{name}" for name in bound if name not in imports}
    return {**own, **imports}
