"""Python expressions as tree-sitter reads them, turned into `ast` nodes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tree_sitter import Node

from mcpward.core.source import SourceFile

DEPTH = 500
"""Levels of nesting that are converted."""
EXTRAS = frozenset(("comment", "line_continuation", "ERROR"))

OPERATORS: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.Div,
    "//": ast.FloorDiv,
    "%": ast.Mod,
    "**": ast.Pow,
    "@": ast.MatMult,
    "|": ast.BitOr,
    "&": ast.BitAnd,
    "^": ast.BitXor,
    "<<": ast.LShift,
    ">>": ast.RShift,
}
_COMPARISONS: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<>": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
    "in": ast.In,
    "not in": ast.NotIn,
    "is": ast.Is,
    "is not": ast.IsNot,
}
_UNARY: dict[str, type[ast.unaryop]] = {"-": ast.USub, "+": ast.UAdd, "~": ast.Invert}
CONSTANTS: dict[str, Any] = {"none": None, "true": True, "false": False, "ellipsis": ...}

_Made = TypeVar("_Made", bound=ast.AST)


def located(made: _Made, node: Node, last: Node | None = None) -> _Made:
    """Gives a made node the place of the node it comes from."""
    start = node.start_point
    end = (last or node).end_point
    made.lineno, made.col_offset = start[0] + 1, start[1]  # type: ignore[attr-defined]  # every node has it
    made.end_lineno, made.end_col_offset = end[0] + 1, end[1]  # type: ignore[attr-defined]  # as above
    return made


def meaningful(node: Node) -> list[Node]:
    """The children that mean something."""
    return [child for child in node.named_children if child.type not in EXTRAS]


class Reader:
    """What the forms of expressions share."""

    def __init__(self, source: SourceFile) -> None:
        self.data = source.data
        self.errors = 0
        self.line = 0
        self.cut = False
        self.depth = 0

    def text(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def ident(self, node: Node | None) -> str:
        """The text of a name, which recovery may have left out."""
        return (self.text(node) if node is not None else "") or "_"

    def error(self, node: Node) -> None:
        self.errors += 1
        line = node.start_point[0] + 1
        self.line = min(self.line, line) if self.line else line

    def name(self, text: str, node: Node, last: Node | None = None) -> ast.Name:
        return located(ast.Name(id=text, ctx=ast.Load()), node, last)

    def nothing(self, node: Node) -> ast.expr:
        """An expression that nothing is known about."""
        return located(ast.Constant(value=...), node)

    def field(self, node: Node, name: str) -> ast.expr:
        found = node.child_by_field_name(name)
        return self.nothing(node) if found is None else self.expr(found)

    def expr(self, node: Node) -> ast.expr:
        """An expression."""
        if self.depth >= DEPTH:
            self.cut = True
            return self.nothing(node)
        handler = _EXPRESSIONS.get(node.type)
        if handler is None:
            return self.nothing(node)
        self.depth += 1
        made = handler(self, node)
        self.depth -= 1
        return made if hasattr(made, "lineno") else located(made, node)

    def tuple_of(self, nodes: Iterable[Node], first: Node, last: Node | None = None) -> ast.Tuple:
        made = ast.Tuple(elts=[self.expr(n) for n in nodes], ctx=ast.Load())
        return located(made, first, last)

    def arguments(self, node: Node | None) -> tuple[list[ast.expr], list[ast.keyword]]:
        args: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        if node is None:
            return args, keywords
        if node.type == "generator_expression":
            return [self.expr(node)], keywords
        for part in meaningful(node):
            if part.type == "keyword_argument":
                named = self.ident(part.child_by_field_name("name"))
                value = self.field(part, "value")
                keywords.append(located(ast.keyword(arg=named, value=value), part))
            elif part.type == "dictionary_splat":
                keyword = ast.keyword(arg=None, value=self.inner(part))
                keywords.append(located(keyword, part))
            else:
                args.append(self.expr(part))
        return args, keywords

    def parameters(self, node: Node | None) -> ast.arguments:
        made = ast.arguments(
            posonlyargs=[], args=[], vararg=None, kwonlyargs=[], kw_defaults=[], kwarg=None,
            defaults=[],
        )  # fmt: skip
        keywords = False
        for part in meaningful(node) if node is not None else ():
            kind = part.type
            if kind == "positional_separator":
                made.posonlyargs, made.args = made.args, []
                continue
            if kind == "keyword_separator":
                keywords = True
                continue
            named = part.child_by_field_name("name")
            if named is None:
                named = part
                if kind == "typed_parameter" and part.named_children:
                    named = part.named_children[0]
            shape = named.type
            if shape in ("list_splat_pattern", "dictionary_splat_pattern"):
                named = meaningful(named)[0] if meaningful(named) else named
            annotation = part.child_by_field_name("type")
            arg = ast.arg(
                arg=self.text(named) if named.type == "identifier" else "_",
                annotation=self.expr(annotation) if annotation is not None else None,
            )
            located(arg, named, annotation)
            value = part.child_by_field_name("value")
            default = self.expr(value) if value is not None else None
            if shape == "list_splat_pattern":
                made.vararg = arg
                keywords = True
            elif shape == "dictionary_splat_pattern":
                made.kwarg = arg
            elif keywords:
                made.kwonlyargs.append(arg)
                made.kw_defaults.append(default)
            else:
                made.args.append(arg)
                if default is not None:
                    made.defaults.append(default)
                elif made.defaults:
                    made.defaults.append(self.nothing(part))
        return made

    def target(self, node: Node | None, around: Node) -> ast.expr:
        """An assignment target."""
        if node is None:
            return self.name("_", around)
        made = self.expr(node)
        stack: list[ast.expr] = [made]
        while stack:
            at = stack.pop()
            if isinstance(at, (ast.Tuple, ast.List)):
                stack.extend(at.elts)
            elif isinstance(at, ast.Starred):
                stack.append(at.value)
            if isinstance(
                at, (ast.Name, ast.Tuple, ast.List, ast.Starred, ast.Attribute, ast.Subscript)
            ):
                at.ctx = ast.Store()
        return made

    def inner(self, node: Node) -> ast.expr:
        parts = meaningful(node)
        return self.expr(parts[0]) if parts else self.nothing(node)


class Forms(Reader):
    """One method for each node type, called as the type is."""

    # ── expressions ───────────────────────────────────────────────────────────────────────────

    def identifier(self, node: Node) -> ast.expr:
        return ast.Name(id=self.ident(node), ctx=ast.Load())

    def ellipsis(self, node: Node) -> ast.expr:
        return ast.Constant(value=CONSTANTS[node.type])

    false_ = ellipsis
    none_ = ellipsis
    true_ = ellipsis

    def float_(self, node: Node) -> ast.expr:
        text = self.text(node).rstrip("lL")
        for spelling in (text, "0o" + text.lstrip("0")):
            try:
                return ast.Constant(value=ast.literal_eval(spelling))
            except (SyntaxError, ValueError, MemoryError, RecursionError):
                continue
        return ast.Constant(value=0)

    integer = float_

    as_pattern_target = Reader.inner
    case_pattern = Reader.inner
    constrained_type = Reader.inner
    parenthesized_expression = Reader.inner
    parenthesized_list_splat = Reader.inner
    type_ = Reader.inner

    def dotted_name(self, node: Node) -> ast.expr:
        parts = meaningful(node)
        made: ast.expr = self.name(self.ident(parts[0] if parts else None), node)
        for part in parts[1:]:
            made = ast.Attribute(value=made, attr=self.text(part), ctx=ast.Load())
            located(made, parts[0], part)
        return made

    def attribute(self, node: Node) -> ast.expr:
        attr = self.ident(node.child_by_field_name("attribute"))
        return ast.Attribute(value=self.field(node, "object"), attr=attr, ctx=ast.Load())

    def member_type(self, node: Node) -> ast.expr:
        parts = meaningful(node)
        if len(parts) < 2:
            return self.inner(node)
        return ast.Attribute(value=self.expr(parts[0]), attr=self.text(parts[1]), ctx=ast.Load())

    def subscript(self, node: Node) -> ast.expr:
        parts = node.children_by_field_name("subscript")
        listed = any(c.type == "," for c in node.children)
        index: ast.expr
        if len(parts) == 1 and not listed:
            index = self.expr(parts[0])
        elif parts:
            index = self.tuple_of(parts, parts[0], parts[-1])
        else:
            index = self.nothing(node)
        return ast.Subscript(value=self.field(node, "value"), slice=index, ctx=ast.Load())

    def generic_type(self, node: Node) -> ast.expr:
        """`list[int]` in an annotation."""
        parts = meaningful(node)
        inside = meaningful(parts[1]) if len(parts) > 1 else []
        if not inside:
            return self.inner(node)
        index = self.expr(inside[0]) if len(inside) == 1 else self.tuple_of(inside, parts[1])
        return ast.Subscript(value=self.expr(parts[0]), slice=index, ctx=ast.Load())

    def slice_(self, node: Node) -> ast.expr:
        found: list[ast.expr | None] = [None, None, None]
        at = 0
        for child in node.children:
            if child.type == ":":
                at = min(at + 1, 2)
            elif child.is_named and child.type not in EXTRAS:
                found[at] = self.expr(child)
        return ast.Slice(lower=found[0], upper=found[1], step=found[2])

    def call(self, node: Node) -> ast.expr:
        args, keywords = self.arguments(node.child_by_field_name("arguments"))
        return ast.Call(func=self.field(node, "function"), args=args, keywords=keywords)

    def binary_operator(self, node: Node) -> ast.expr:
        # A chain of thousands of `+` leans to the left, so that side is followed in a loop.
        spine: list[Node] = []
        at: Node | None = node
        while at is not None and at.type == "binary_operator":
            spine.append(at)
            at = at.child_by_field_name("left")
        made = self.nothing(node) if at is None else self.expr(at)
        for part in reversed(spine):
            operator = self.ident(part.child_by_field_name("operator"))
            op = OPERATORS.get(operator, ast.Add)()
            made = ast.BinOp(left=made, op=op, right=self.field(part, "right"))
            located(made, part)
        return made

    def union_type(self, node: Node) -> ast.expr:
        parts = [self.expr(part) for part in meaningful(node)]
        if not parts:
            return self.nothing(node)
        made = parts[0]
        for part in parts[1:]:
            made = located(ast.BinOp(left=made, op=ast.BitOr(), right=part), node)
        return made

    def boolean_operator(self, node: Node) -> ast.expr:
        word = self.ident(node.child_by_field_name("operator"))
        operands: list[ast.expr] = []
        at: Node | None = node
        while (
            at is not None
            and at.type == "boolean_operator"
            and self.ident(at.child_by_field_name("operator")) == word
        ):
            operands.append(self.field(at, "right"))
            at = at.child_by_field_name("left")
        operands.append(self.nothing(node) if at is None else self.expr(at))
        op = ast.And() if word == "and" else ast.Or()
        return ast.BoolOp(op=op, values=operands[::-1])

    def not_operator(self, node: Node) -> ast.expr:
        return ast.UnaryOp(op=ast.Not(), operand=self.field(node, "argument"))

    def unary_operator(self, node: Node) -> ast.expr:
        op = _UNARY.get(self.ident(node.child_by_field_name("operator")), ast.USub)
        return ast.UnaryOp(op=op(), operand=self.field(node, "argument"))

    def comparison_operator(self, node: Node) -> ast.expr:
        parts = [self.expr(part) for part in meaningful(node)]
        words = [" ".join(self.text(n).split()) for n in node.children_by_field_name("operators")]
        ops = [_COMPARISONS.get(word, ast.Eq)() for word in words]
        if not parts:
            return self.nothing(node)
        return ast.Compare(left=parts[0], ops=ops[: len(parts) - 1], comparators=parts[1:])

    def conditional_expression(self, node: Node) -> ast.expr:
        parts = [self.expr(part) for part in meaningful(node)]
        if len(parts) < 3:
            return parts[0] if parts else self.nothing(node)
        return ast.IfExp(test=parts[1], body=parts[0], orelse=parts[2])

    def named_expression(self, node: Node) -> ast.expr:
        target: Any = self.target(node.child_by_field_name("name"), node)
        return ast.NamedExpr(target=target, value=self.field(node, "value"))

    def lambda_(self, node: Node) -> ast.expr:
        args = self.parameters(node.child_by_field_name("parameters"))
        return ast.Lambda(args=args, body=self.field(node, "body"))

    def await_(self, node: Node) -> ast.expr:
        return ast.Await(value=self.inner(node))

    def yield_(self, node: Node) -> ast.expr:
        parts = meaningful(node)
        if any(child.type == "from" for child in node.children):
            return ast.YieldFrom(value=self.inner(node))
        return ast.Yield(value=self.expr(parts[0]) if parts else None)

    def list_splat(self, node: Node) -> ast.expr:
        return ast.Starred(value=self.inner(node), ctx=ast.Load())

    list_splat_pattern = list_splat
    splat_type = list_splat

    def expression_list(self, node: Node) -> ast.expr:
        elements = [self.expr(part) for part in meaningful(node)]
        if node.type in ("list", "list_pattern"):
            return ast.List(elts=elements, ctx=ast.Load())
        if node.type == "set":
            return ast.Set(elts=elements)
        return ast.Tuple(elts=elements, ctx=ast.Load())

    list_ = expression_list
    list_pattern = expression_list
    pattern_list = expression_list
    set_ = expression_list
    tuple_ = expression_list
    tuple_pattern = expression_list

    def dictionary(self, node: Node) -> ast.expr:
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for part in meaningful(node):
            if part.type == "pair":
                keys.append(self.field(part, "key"))
                values.append(self.field(part, "value"))
            elif part.type == "dictionary_splat":
                keys.append(None)
                values.append(self.inner(part))
        return ast.Dict(keys=keys, values=values)

    def dictionary_comprehension(self, node: Node) -> ast.expr:
        generators: list[ast.comprehension] = []
        for part in node.children:
            if part.type == "for_in_clause":
                right = part.children_by_field_name("right")
                values = [n for n in right if n.is_named]
                iterable = self.expr(values[0]) if len(values) == 1 else self.tuple_of(values, part)
                generators.append(
                    ast.comprehension(
                        target=self.target(part.child_by_field_name("left"), part),
                        iter=iterable,
                        ifs=[],
                        is_async=int(part.children[0].type == "async"),
                    )
                )
            elif part.type == "if_clause" and generators:
                generators[-1].ifs.append(self.inner(part))
        body = node.child_by_field_name("body")
        if node.type == "dictionary_comprehension" and body is not None:
            return ast.DictComp(
                key=self.field(body, "key"),
                value=self.field(body, "value"),
                generators=generators,
            )
        element = self.nothing(node) if body is None else self.expr(body)
        if node.type == "list_comprehension":
            return ast.ListComp(elt=element, generators=generators)
        if node.type == "set_comprehension":
            return ast.SetComp(elt=element, generators=generators)
        return ast.GeneratorExp(elt=element, generators=generators)

    generator_expression = dictionary_comprehension
    list_comprehension = dictionary_comprehension
    set_comprehension = dictionary_comprehension

    # ── text ──────────────────────────────────────────────────────────────────────────────────

    def concatenated_string(self, node: Node) -> ast.expr:
        strings = meaningful(node) if node.type == "concatenated_string" else [node]
        parts: list[ast.expr] = []
        formatted = False
        for string in strings:
            prefix = self.ident(string.children[0] if string.children else None).lower()
            prefix = prefix.rstrip("\"'")
            if "b" in prefix:
                self._merge(parts, self._plain(string, b""), string)
            elif "f" in prefix or "t" in prefix:
                formatted = True
                self._formatted(string, prefix, parts)
            else:
                self._merge(parts, self._plain(string, ""), string)
        if formatted:
            return ast.JoinedStr(values=parts)
        if not parts:
            return ast.Constant(value="")
        return located(parts[0], node)

    string_ = concatenated_string

    def _plain(self, node: Node, empty: str | bytes) -> str | bytes:
        try:
            value = ast.literal_eval(self.text(node))
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            inside = "".join(self.text(n) for n in node.children if n.type == "string_content")
            value = inside.encode() if isinstance(empty, bytes) else inside
        return value if isinstance(value, type(empty)) else empty

    def _merge(self, parts: list[ast.expr], value: str | bytes, node: Node) -> None:
        """Adds constant text, to the constant before it if there is one."""
        last = parts[-1] if parts else None
        if isinstance(last, ast.Constant) and type(last.value) is type(value):
            last.value += value  # type: ignore[operator]  # both text or both bytes
        elif value or isinstance(value, bytes) or not parts:
            parts.append(located(ast.Constant(value=value), node))

    def _formatted(self, node: Node, prefix: str, parts: list[ast.expr]) -> None:
        """The parts of an f-string, of which any may be nested."""
        for child in node.children:
            if child.type == "string_content":
                text = self.text(child)
                text = text.replace("{{", "{").replace("}}", "}")
                if "r" not in prefix:
                    text = _unescaped(text)
                self._merge(parts, text, child)
            elif child.type in ("interpolation", "format_expression"):
                if any(c.type == "=" for c in child.children):
                    at = self.data.find(b"=", child.start_byte, child.end_byte) + 1
                    said = self.data[child.start_byte + 1 : at].decode("utf-8", "replace")
                    self._merge(parts, said, child)
                spec = child.child_by_field_name("format_specifier")
                specs: list[ast.expr] = []
                if spec is not None:
                    self._formatted(spec, prefix, specs)
                made = ast.FormattedValue(
                    value=self.field(child, "expression"),
                    conversion=-1,
                    format_spec=located(ast.JoinedStr(values=specs), spec)
                    if spec is not None
                    else None,
                )
                parts.append(located(made, child))


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        return text.encode("latin-1", "backslashreplace").decode("unicode_escape")
    except UnicodeDecodeError:
        return text


_EXPRESSIONS: dict[str, Callable[[Any, Node], ast.expr]] = {
    name.rstrip("_"): method for name, method in vars(Forms).items() if name[0] != "_"
}
