"""Python that `ast` rejects, newer or broken, read by tree-sitter into `ast` nodes."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from typing import Any

import tree_sitter_python
from tree_sitter import Language, Node, Parser

from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.source import SourceFile
from mcpward.frontends.python_fallback_expressions import (
    CONSTANTS,
    DEPTH,
    OPERATORS,
    Forms,
    located,
    meaningful,
)


def recovered(source: SourceFile, notes: list[Skipped]) -> ast.Module | None:
    """The tree of a file that `ast` does not accept, as far as it can be understood.

    Statements with errors are converted without the parts that make no sense, and noted.
    """
    tree = Parser(Language(tree_sitter_python.language())).parse(source.data)
    converter = _Converter(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        body = converter.block(tree.root_node)
    if tree.root_node.has_error and not converter.errors:
        converter.error(_first_error(tree.root_node))
    if not body and converter.errors:
        return None
    if converter.errors:
        places = "1 place" if converter.errors == 1 else f"{converter.errors:,} places"
        reason = f"{places} could not be parsed and were left out, first in line {converter.line:,}"
        if converter.errors == 1:
            reason = reason.replace("were", "was")
        notes.append(Skipped(source.path, SkipKind.UNPARSABLE, reason))
    if converter.cut:
        reason = f"code nested deeper than {DEPTH:,} levels was left out"
        notes.append(Skipped(source.path, SkipKind.TOO_DEEP, reason))
    return ast.Module(body=body, type_ignores=[])


def _first_error(node: Node) -> Node:
    """Where recovery first had to add something that is missing."""
    found = node
    while True:
        inside = next((child for child in found.children if child.has_error), None)
        if inside is None:
            return found
        found = inside


class _Converter(Forms):
    """Turns one tree-sitter tree into `ast` nodes."""

    # ── statements ────────────────────────────────────────────────────────────────────────────

    def block(self, node: Node | None) -> list[ast.stmt]:
        """The statements below a node."""
        if node is None:
            return []
        if self.depth >= DEPTH:
            self.cut = True
            return []
        self.depth += 1
        body: list[ast.stmt] = []
        stack = list(reversed(node.children))
        while stack:
            child = stack.pop()
            kind = child.type
            if kind == "ERROR":
                # Recovery may have put whole statements around the wrong place into it.
                self.error(child)
                inside = [c for c in child.children if c.type in _STATEMENTS or c.type == "block"]
                stack.extend(reversed(inside))
                continue
            if kind == "block":
                stack.extend(reversed(child.children))
                continue
            handler = _STATEMENTS.get(kind)
            if handler is None:
                continue
            if kind not in _COMPOUND and child.has_error:
                self.error(child)
            made = handler(self, child)
            if isinstance(made, list):
                body.extend(made)
            else:
                body.append(made)
        self.depth -= 1
        return body

    def suite(self, node: Node | None) -> list[ast.stmt]:
        """The body of a compound statement, which must not be empty."""
        body = self.block(node)
        if not body and node is not None:
            body.append(located(ast.Pass(), node))
        return body

    def body_of(self, node: Node, field: str = "body") -> list[ast.stmt]:
        found = node.child_by_field_name(field)
        if found is None:
            found = next((c for c in node.children if c.type == "block"), None)
        for child in node.children:
            if child.type == "ERROR":
                self.error(child)
        return self.suite(found) or [located(ast.Pass(), node)]

    def expression_statement(self, node: Node) -> list[ast.stmt]:
        parts = meaningful(node)
        if not parts:
            return []
        if len(parts) > 1 or node.children[-1].type == ",":
            value: ast.expr = self.tuple_of(parts, node)
            return [located(ast.Expr(value=value), node)]
        child = parts[0]
        if child.type == "assignment":
            return [self._assignment(child)]
        if child.type == "augmented_assignment":
            return [self._augmented(child)]
        return [located(ast.Expr(value=self.expr(child)), node)]

    def _assignment(self, node: Node) -> ast.stmt:
        annotation = node.child_by_field_name("type")
        right = node.child_by_field_name("right")
        left = node.child_by_field_name("left")
        if annotation is not None:
            value = self.expr(right) if right is not None else None
            target: Any = self.target(left, node)
            declared = self.expr(annotation)
            return located(
                ast.AnnAssign(target=target, annotation=declared, value=value, simple=1), node
            )
        targets = [self.target(left, node)]
        while right is not None and right.type == "assignment":
            targets.append(self.target(right.child_by_field_name("left"), right))
            right = right.child_by_field_name("right")
        value = self.nothing(node) if right is None else self.expr(right)
        return located(ast.Assign(targets=targets, value=value), node)

    def _augmented(self, node: Node) -> ast.stmt:
        operator = node.child_by_field_name("operator")
        op = OPERATORS.get(self.ident(operator).removesuffix("="), ast.Add)
        target: Any = self.target(node.child_by_field_name("left"), node)
        value = self.field(node, "right")
        return located(ast.AugAssign(target=target, op=op(), value=value), node)

    def exec_statement(self, node: Node) -> ast.stmt:
        """`print` and `exec` as Python 2 had them."""
        word = node.children[0]
        args = [self.expr(part) for part in meaningful(node) if part.type != "chevron"]
        call = ast.Call(func=self.name(self.text(word), word), args=args, keywords=[])
        return located(ast.Expr(value=located(call, node)), node)

    print_statement = exec_statement

    def return_statement(self, node: Node) -> ast.stmt:
        parts = meaningful(node)
        value = self.expr(parts[0]) if parts else None
        return located(ast.Return(value=value), node)

    def raise_statement(self, node: Node) -> ast.stmt:
        parts = meaningful(node)
        cause = node.child_by_field_name("cause")
        exc = self.expr(parts[0]) if parts and parts[0] != cause else None
        made = ast.Raise(exc=exc, cause=self.expr(cause) if cause is not None else None)
        return located(made, node)

    def assert_statement(self, node: Node) -> ast.stmt:
        parts = [self.expr(part) for part in meaningful(node)]
        test = parts[0] if parts else self.nothing(node)
        return located(ast.Assert(test=test, msg=parts[1] if len(parts) > 1 else None), node)

    def delete_statement(self, node: Node) -> ast.stmt:
        targets: list[ast.expr] = []
        for part in meaningful(node):
            made = self.expr(part)
            listed = part.type == "expression_list" and isinstance(made, ast.Tuple)
            targets.extend(made.elts if listed and isinstance(made, ast.Tuple) else [made])
        for target in targets:
            if isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)):
                target.ctx = ast.Del()
        return located(ast.Delete(targets=targets), node)

    def global_statement(self, node: Node) -> ast.stmt:
        names = [self.text(part) for part in meaningful(node)]
        kind = ast.Global if node.type == "global_statement" else ast.Nonlocal
        return located(kind(names=names), node)

    nonlocal_statement = global_statement

    def break_statement(self, node: Node) -> ast.stmt:
        return located(_WORDS[node.type](), node)

    continue_statement = break_statement
    pass_statement = break_statement

    def import_statement(self, node: Node) -> ast.stmt:
        return located(ast.Import(names=self._aliases(node)), node)

    def _aliases(self, node: Node) -> list[ast.alias]:
        aliases: list[ast.alias] = []
        for part in node.children_by_field_name("name"):
            named, asname = part, None
            if part.type == "aliased_import":
                named = part.child_by_field_name("name") or part
                asname = self.ident(part.child_by_field_name("alias"))
            dotted = "".join(self.text(named).split())
            if dotted:
                aliases.append(located(ast.alias(name=dotted, asname=asname), part))
        return aliases

    def future_import_statement(self, node: Node) -> ast.stmt:
        aliases = self._aliases(node)
        module, level = "__future__", 0
        named = node.child_by_field_name("module_name")
        if named is not None:
            text = "".join(self.text(named).split())
            module = text.lstrip(".")
            level = len(text) - len(module)
        for part in node.children:
            if part.type == "wildcard_import":
                aliases = [located(ast.alias(name="*", asname=None), part)]
        made = ast.ImportFrom(module=module or None, names=aliases, level=level)
        return located(made, node)

    import_from_statement = future_import_statement

    def type_alias_statement(self, node: Node) -> ast.stmt:
        """`type X[T] = …` as a plain assignment."""
        left = node.child_by_field_name("left")
        inside = left
        while inside is not None and inside.type in ("type", "generic_type"):
            inside = inside.named_children[0] if inside.named_children else None
        target: ast.expr = self.name(self.ident(inside), left or node)
        if inside is not None and inside.type == "attribute":
            # The grammar also takes `type(self).x = …` for an alias.
            target = self.attribute(inside)
            located(target, inside)
            word = self.name("type", node.children[0])
            owner = inside.child_by_field_name("object")
            if isinstance(target, ast.Attribute) and owner is not None:
                call = ast.Call(func=word, args=[target.value], keywords=[])
                target.value = located(call, node, owner)
        if isinstance(target, (ast.Name, ast.Attribute)):
            target.ctx = ast.Store()
        return located(ast.Assign(targets=[target], value=self.field(node, "right")), node)

    # ── compound statements ───────────────────────────────────────────────────────────────────

    def if_statement(self, node: Node) -> ast.stmt:
        clauses = node.children_by_field_name("alternative")
        orelse: list[ast.stmt] = []
        for clause in reversed(clauses):
            if clause.type == "elif_clause":
                made = ast.If(
                    test=self.field(clause, "condition"),
                    body=self.body_of(clause, "consequence"),
                    orelse=orelse,
                )
                orelse = [located(made, clause, node)]
            else:
                orelse = self.body_of(clause)
        made = ast.If(
            test=self.field(node, "condition"),
            body=self.body_of(node, "consequence"),
            orelse=orelse,
        )
        return located(made, node)

    def _orelse(self, node: Node) -> list[ast.stmt]:
        clause = node.child_by_field_name("alternative")
        return self.body_of(clause) if clause is not None else []

    def for_statement(self, node: Node) -> ast.stmt:
        kind = ast.AsyncFor if node.children[0].type == "async" else ast.For
        made = kind(
            target=self.target(node.child_by_field_name("left"), node),
            iter=self.field(node, "right"),
            body=self.body_of(node),
            orelse=self._orelse(node),
        )
        return located(made, node)

    def while_statement(self, node: Node) -> ast.stmt:
        made = ast.While(
            test=self.field(node, "condition"), body=self.body_of(node), orelse=self._orelse(node)
        )
        return located(made, node)

    def try_statement(self, node: Node) -> ast.stmt:
        handlers: list[ast.ExceptHandler] = []
        orelse: list[ast.stmt] = []
        finalbody: list[ast.stmt] = []
        body = self.body_of(node)
        starred = False
        for clause in node.children:
            if clause.type == "except_clause":
                handlers.append(self._handler(clause))
                starred |= any(c.type in ("*", "except*") for c in clause.children)
            elif clause.type == "except_group_clause":
                handlers.append(self._handler(clause))
                starred = True
            elif clause.type == "else_clause":
                orelse = self.body_of(clause)
            elif clause.type == "finally_clause":
                finalbody = self.body_of(clause)
        kind = ast.TryStar if starred else ast.Try
        made = kind(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody)
        return located(made, node)

    def _handler(self, clause: Node) -> ast.ExceptHandler:
        values = [p for p in meaningful(clause) if p.type != "block"]
        name: str | None = None
        kind: ast.expr | None = None
        if len(values) == 1 and values[0].type == "as_pattern":
            inside = values[0].child_by_field_name("alias")
            parts = meaningful(values[0])
            kind = self.expr(parts[0]) if parts else None
            name = self.ident(inside)
        elif len(values) == 1:
            kind = self.expr(values[0])
        elif values:
            kind = self.tuple_of(values, values[0], values[-1])
        made = ast.ExceptHandler(type=kind, name=name, body=self.body_of(clause))
        return located(made, clause)

    def with_statement(self, node: Node) -> ast.stmt:
        items: list[ast.withitem] = []
        clause = next((c for c in node.children if c.type == "with_clause"), None)
        for item in meaningful(clause) if clause is not None else ():
            value = item.child_by_field_name("value")
            if value is None:
                continue
            name: ast.expr | None = None
            if value.type == "as_pattern":
                name = self.target(value.child_by_field_name("alias"), value)
                parts = meaningful(value)
                value = parts[0] if parts else value
            items.append(ast.withitem(context_expr=self.expr(value), optional_vars=name))
        kind = ast.AsyncWith if node.children[0].type == "async" else ast.With
        return located(kind(items=items, body=self.body_of(node)), node)

    def decorated_definition(self, node: Node) -> list[ast.stmt]:
        definition = node.child_by_field_name("definition")
        if definition is None:
            return []
        decorators: list[ast.expr] = []
        for child in node.children:
            parts = meaningful(child) if child.type == "decorator" else []
            decorators.extend(self.expr(part) for part in parts[:1])
        if definition.type == "class_definition":
            return [self.class_definition(definition, decorators)]
        return [self.function_definition(definition, decorators)]

    def function_definition(self, node: Node, decorators: list[ast.expr] | None = None) -> ast.stmt:
        kind = ast.AsyncFunctionDef if node.children[0].type == "async" else ast.FunctionDef
        returns = node.child_by_field_name("return_type")
        made = kind(
            name=self.ident(node.child_by_field_name("name")),
            args=self.parameters(node.child_by_field_name("parameters")),
            body=self.body_of(node),
            decorator_list=decorators or [],
            returns=self.expr(returns) if returns is not None else None,
        )
        return located(made, node)

    def class_definition(self, node: Node, decorators: list[ast.expr] | None = None) -> ast.stmt:
        bases, keywords = self.arguments(node.child_by_field_name("superclasses"))
        made = ast.ClassDef(
            name=self.ident(node.child_by_field_name("name")),
            bases=bases,
            keywords=keywords,
            body=self.body_of(node),
            decorator_list=decorators or [],
        )
        return located(made, node)

    # ── match ─────────────────────────────────────────────────────────────────────────────────

    def match_statement(self, node: Node) -> ast.stmt:
        cases: list[ast.match_case] = []
        block = node.child_by_field_name("body")
        for clause in block.children if block is not None else ():
            if clause.type == "ERROR":
                self.error(clause)
            if clause.type != "case_clause":
                continue
            patterns = [p for p in meaningful(clause) if p.type == "case_pattern"]
            guard = clause.child_by_field_name("guard")
            tests = meaningful(guard) if guard is not None else []
            listed = any(c.type == "," for c in clause.children)
            if len(patterns) == 1 and not listed:
                pattern = self.pattern(patterns[0])
            else:
                made = [self.pattern(p) for p in patterns]
                pattern = located(ast.MatchSequence(patterns=made), clause)
            cases.append(
                ast.match_case(
                    pattern=pattern,
                    guard=self.expr(tests[0]) if tests else None,
                    body=self.body_of(clause, "consequence"),
                )
            )
        subjects = node.children_by_field_name("subject")
        listed = any(c.type == "," for c in node.children)
        if len(subjects) == 1 and not listed:
            subject = self.expr(subjects[0])
        else:
            subject = self.tuple_of(subjects, node)
        if not cases:
            return located(ast.Expr(value=subject), node)
        return located(ast.Match(subject=subject, cases=cases), node)

    def pattern(self, node: Node) -> ast.pattern:
        """A pattern of `match`."""
        if self.depth >= DEPTH:
            self.cut = True
            return located(ast.MatchAs(pattern=None, name=None), node)
        self.depth += 1
        made = self._pattern(node)
        self.depth -= 1
        return located(made, node) if not hasattr(made, "lineno") else made

    def _pattern(self, node: Node) -> ast.pattern:
        parts = meaningful(node)
        kind = node.type
        if kind == "case_pattern":
            if len(parts) == 1 and node.children[0].type != "-":
                return self.pattern(parts[0])
            if not parts:
                return ast.MatchAs(pattern=None, name=None)
            value = located(ast.UnaryOp(op=ast.USub(), operand=self.expr(parts[0])), node)
            return ast.MatchValue(value=value)
        if kind in ("dotted_name", "identifier"):
            names = [self.text(p) for p in parts] if parts else [self.text(node)]
            if len(names) == 1:
                return ast.MatchAs(pattern=None, name=None if names[0] == "_" else names[0])
            return ast.MatchValue(value=self.expr(node))
        if kind in ("none", "true", "false"):
            return ast.MatchSingleton(value=CONSTANTS[kind])
        if kind == "as_pattern":
            inner = self.pattern(parts[0]) if parts else None
            return ast.MatchAs(pattern=inner, name=self.ident(parts[-1] if parts else None))
        if kind == "union_pattern":
            return ast.MatchOr(patterns=[self.pattern(p) for p in parts])
        if kind in ("list_pattern", "tuple_pattern"):
            if kind == "tuple_pattern" and len(parts) == 1 and node.children[-2].type != ",":
                return self.pattern(parts[0])
            return ast.MatchSequence(patterns=[self.pattern(p) for p in parts])
        if kind == "splat_pattern":
            name = self.text(parts[0]) if parts else "_"
            return ast.MatchStar(name=None if name == "_" else name)
        if kind == "dict_pattern":
            return self._mapping(node)
        if kind == "class_pattern":
            return self._class_pattern(parts)
        return ast.MatchValue(value=self.expr(node))

    def _mapping(self, node: Node) -> ast.pattern:
        rest: str | None = None
        keys: list[ast.expr] = []
        values: list[ast.pattern] = []
        for part in meaningful(node):
            if part.type == "splat_pattern":
                rest = self.ident(next(iter(meaningful(part)), None))
            elif len(keys) == len(values):
                keys.append(self.expr(part))
            else:
                values.append(self.pattern(part))
        return ast.MatchMapping(keys=keys[: len(values)], patterns=values, rest=rest)

    def _class_pattern(self, parts: list[Node]) -> ast.pattern:
        patterns: list[ast.pattern] = []
        names: list[str] = []
        named: list[ast.pattern] = []
        for part in parts[1:]:
            inside = meaningful(part)
            if len(inside) == 1 and inside[0].type == "keyword_pattern":
                pair = meaningful(inside[0])
                names.append(self.ident(pair[0] if pair else None))
                named.append(self.pattern(pair[-1] if pair else part))
            else:
                patterns.append(self.pattern(part))
        return ast.MatchClass(
            cls=self.expr(parts[0]), patterns=patterns, kwd_attrs=names, kwd_patterns=named
        )


_WORDS: dict[str, Callable[[], ast.stmt]] = {
    "break_statement": ast.Break,
    "continue_statement": ast.Continue,
    "pass_statement": ast.Pass,
}
_COMPOUND = frozenset(
    (
        "class_definition",
        "decorated_definition",
        "for_statement",
        "function_definition",
        "if_statement",
        "match_statement",
        "try_statement",
        "while_statement",
        "with_statement",
    )
)
_STATEMENTS: dict[str, Callable[[_Converter, Node], ast.stmt | list[ast.stmt]]] = {
    name: method
    for name, method in vars(_Converter).items()
    if name.endswith(("_statement", "_definition"))
}
