"""Lowering of `match` patterns: what they test and what they bind."""

from __future__ import annotations

import ast
from typing import Any

from mcpward.core.source import Span
from mcpward.frontends.python_expressions import Expressions
from mcpward.ir.values import Id

_DEPTH = 200
"""Levels of nested patterns that are followed."""
_SELF_MATCHING = frozenset(
    (
        "bool",
        "bytearray",
        "bytes",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "set",
        "str",
        "tuple",
    )
)


class Patterns(Expressions):
    """Expressions, and the patterns of `match`."""

    def pattern(self, node: Any, subject: Id, binds: list[tuple[str, Id, Span]]) -> Id | None:
        """The test a pattern makes (`None`: it always matches), and what it binds."""
        builder = self.builder
        span = self.span(node)
        tests: list[Id | None] = []
        if self.depth >= _DEPTH:
            return builder.unknown(span)
        self.depth += 1
        match node:
            case ast.MatchValue():
                tests.append(builder.compare("==", (subject, self.expr(node.value)), span))
            case ast.MatchSingleton():
                constant = builder.const(node.value, span)
                tests.append(builder.compare("is", (subject, constant), span))
            case ast.MatchAs():
                if node.pattern is not None:
                    tests.append(self.pattern(node.pattern, subject, binds))
                if node.name:
                    binds.append((node.name, subject, span))
            case ast.MatchOr():
                tests.append(self._alternatives(node, subject, binds, span))
            case ast.MatchSequence():
                kind = builder.name("list", span)
                tests.append(builder.compare("instanceof", (subject, kind), span))
                known = True
                for at, part in enumerate(node.patterns):
                    if isinstance(part, ast.MatchStar):
                        known = False
                        if part.name:
                            rest = builder.join("slice", (subject,), self.span(part))
                            binds.append((part.name, rest, self.span(part)))
                        continue
                    name = str(at) if known else "*"
                    value = builder.load(subject, name, self.span(part), subscript=True)
                    tests.append(self.pattern(part, value, binds))
            case ast.MatchMapping():
                kind = builder.name("dict", span)
                tests.append(builder.compare("instanceof", (subject, kind), span))
                for key, part in zip(node.keys, node.patterns, strict=False):
                    name, at_key = self.index(key)
                    value = builder.load(
                        subject, name or "*", self.span(part), key=at_key, subscript=True
                    )
                    tests.append(self.pattern(part, value, binds))
                if node.rest:
                    binds.append((node.rest, builder.join("slice", (subject,), span), span))
            case ast.MatchClass():
                kind = self.expr(node.cls)
                tests.append(builder.compare("instanceof", (subject, kind), span))
                alone = isinstance(node.cls, ast.Name) and node.cls.id in _SELF_MATCHING
                for part in node.patterns:
                    value = subject if alone else builder.load(subject, "*", self.span(part))
                    tests.append(self.pattern(part, value, binds))
                for attr, part in zip(node.kwd_attrs, node.kwd_patterns, strict=False):
                    value = builder.load(subject, attr, self.span(part))
                    tests.append(self.pattern(part, value, binds))
        self.depth -= 1
        made = [test for test in tests if test is not None]
        if not made:
            return None
        whole = made[0]
        for test in made[1:]:
            whole = builder.compare("and", (whole, test), span)
        return whole

    def _alternatives(
        self, node: ast.MatchOr, subject: Id, binds: list[tuple[str, Id, Span]], span: Span
    ) -> Id | None:
        builder = self.builder
        values: dict[str, list[Id]] = {}
        whole: Id | None = None
        always = False
        for part in node.patterns:
            inside: list[tuple[str, Id, Span]] = []
            test = self.pattern(part, subject, inside)
            for name, value, _ in inside:
                values.setdefault(name, []).append(value)
            if test is None:
                always = True
            elif whole is None:
                whole = test
            else:
                whole = builder.compare("or", (whole, test), span)
        for name, options in values.items():
            binds.append((name, builder.phi(options, span), span))
        return None if always else whole
