"""What can be told from Python syntax alone, without values."""

from __future__ import annotations

import ast

NUMBERS = (int, float, complex)
"""The types of numeric literals."""
_PREDICATES = frozenset(
    ("all", "any", "bool", "callable", "endswith", "hasattr", "isinstance", "issubclass")
)


def is_key(value: object) -> bool:
    return isinstance(value, str) or (type(value) is int and value >= 0)


def is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in NUMBERS


def docstring(body: list[ast.stmt]) -> ast.Constant | None:
    """The text that stands first in a function."""
    match body[:1]:
        case [ast.Expr(value=ast.Constant(value=str()) as text)]:
            return text
        case _:
            return None


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
    )


def operator_label(op: type[ast.operator], parts: list[ast.expr]) -> str:
    if op is ast.Add:
        return "concat"
    if op is ast.Div:
        return "/"
    if op is ast.BitOr or op is ast.Mult:
        sequences = any(is_text(p) or isinstance(p, (ast.List, ast.Tuple)) for p in parts)
        if sequences or not any(is_number(part) for part in parts):
            return "concat"
    return "arithmetic"


def is_plain(node: ast.expr) -> bool:
    """Whether evaluating this early or late makes no difference and calls nothing."""
    if isinstance(node, (ast.Name, ast.Constant)):
        return True
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return is_access(node)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.operand, (ast.Name, ast.Constant))
    if isinstance(node, ast.Compare):
        parts = (node.left, *node.comparators)
        return all(isinstance(p, (ast.Name, ast.Constant)) or is_access(p) for p in parts)
    return False


def is_access(node: ast.expr) -> bool:
    """`a.b["c"]`: fields with constant names, from a variable."""
    at = node
    while True:
        if isinstance(at, ast.Attribute) or (
            isinstance(at, ast.Subscript) and isinstance(at.slice, ast.Constant)
        ):
            at = at.value
        else:
            return at is not node and isinstance(at, ast.Name)


def is_test(node: ast.expr) -> bool:
    """Whether the value can only be a truth value."""
    stack = [node]
    for _ in range(100):
        if not stack:
            return True
        at = stack.pop()
        if isinstance(at, ast.BoolOp):
            stack.extend(at.values)
        elif isinstance(at, ast.Call):
            func = at.func
            name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            if name not in _PREDICATES and not name.startswith("is"):
                return False
        elif isinstance(at, ast.Constant):
            if not isinstance(at.value, bool):
                return False
        elif not (
            isinstance(at, ast.Compare)
            or (isinstance(at, ast.UnaryOp) and isinstance(at.op, ast.Not))
        ):
            return False
    return False
