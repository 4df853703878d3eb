"""Which names a piece of Python binds, and which a function takes from the functions around it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}
"""Node type → fields that hold nodes."""
_NAMELESS = frozenset(
    [
        "annotation",
        "arg",
        "asname",
        "attr",
        "conversion",
        "ctx",
        "id",
        "is_async",
        "kind",
        "level",
        "module",
        "n",
        "name",
        "op",
        "ops",
        "rest",
        "returns",
        "simple",
        "type_comment",
    ]
)
_NESTS = re.compile(rb"\b(?:class|def|lambda)\b")
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True, eq=False)
class Scope:
    """The names of one function, as the compiler sees them."""

    bound: dict[str, int] = field(default_factory=dict)
    """Local variable → how many places assign it; a parameter counts as one."""
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    inner: set[str] = field(default_factory=set)
    """Names that nested functions take from outside themselves."""
    rebound: set[str] = field(default_factory=set)
    """Names that nested functions assign by `nonlocal`."""
    nests: bool = False
    """Whether there are nested functions at all."""

    @property
    def free(self) -> set[str]:
        """Names taken from further out."""
        return self.uses.union(self.inner, self.rebound) - self.bound.keys() - self.globals

    def bind(self, name: str) -> None:
        """Counts one more assignment."""
        self.bound[name] = self.bound.get(name, 0) + 1


def parameters(node: FunctionNode) -> Iterator[tuple[ast.arg, str]]:
    """The parameters in declared order, with the sort that the graph of values gives them."""
    arguments = node.args
    for arg in arguments.posonlyargs:
        yield arg, "plain"
    for arg in arguments.args:
        yield arg, "plain"
    if arguments.vararg is not None:
        yield arguments.vararg, "args"
    for arg in arguments.kwonlyargs:
        yield arg, "keyword"
    if arguments.kwarg is not None:
        yield arguments.kwarg, "kwargs"


def defaults(node: FunctionNode) -> dict[str, ast.expr]:
    """The default values of parameters."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args][-len(arguments.defaults) or None :]
    given = zip(positional, arguments.defaults, strict=False)
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=False)
    return {arg.arg: value for arg, value in (*given, *named) if value is not None}


def scope_of(node: FunctionNode, data: bytes, start: int, end: int) -> Scope:
    """The scope of a function that stands at these bytes.

    The text decides how closely to look: expressions matter only if there is a `:=`, or a nested
    function that may capture.
    """
    inside = _NESTS.finditer(data, start, end)
    nested = next(inside, None) is not None and next(inside, None) is not None
    if nested or data.find(b":=", start, end) >= 0:
        return closely(node)
    scope = Scope()
    for arg, _ in parameters(node):
        scope.bind(arg.arg)
    if not isinstance(node, ast.Lambda):
        stored(node.body, scope)
        _settle(scope)
    return scope


def closely(node: FunctionNode) -> Scope:
    """The scope of a function with everything its nested functions take from it."""
    scope = Scope()
    for arg, _ in parameters(node):
        scope.bind(arg.arg)
    _walk(node.body if isinstance(node.body, list) else [node.body], scope, scope)
    _settle(scope)
    for name in scope.rebound & scope.bound.keys():
        scope.bound[name] += 2
    return scope


def _settle(scope: Scope) -> None:
    for name in scope.globals | scope.nonlocals:
        scope.bound.pop(name, None)
    scope.uses |= scope.nonlocals


def stored(body: Iterable[ast.AST], scope: Scope, fields: set[str] | None = None) -> None:
    """Adds what statements bind, without a look into expressions or nested functions.

    `fields` also receives the attributes and constant keys that are assigned.
    """
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _target(target, scope, fields)
        elif isinstance(node, ast.Expr):
            continue
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For, ast.AsyncFor)):
            if isinstance(node, ast.AnnAssign) and node.value is None:
                if isinstance(node.target, ast.Name):
                    scope.bound.setdefault(node.target.id, 0)
            else:
                _target(node.target, scope, fields)
        elif isinstance(node, _DEFINITIONS):
            scope.bind(node.name)
            continue
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if item.optional_vars is not None:
                    _target(item.optional_vars, scope, fields)
        else:
            _declare(node, scope)
        for block in _BLOCKS:
            inside = getattr(node, block, None)
            if inside:
                stack.extend(inside)


def walrus_names(body: Iterable[ast.AST]) -> Iterator[str]:
    """The targets of `:=` anywhere in some code."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.NamedExpr) and isinstance(node.target, ast.Name):
                yield node.target.id


def target_names(target: ast.AST) -> Iterator[str]:
    """The variables an assignment target binds."""
    stack = [target]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, (ast.Tuple, ast.List)):
            stack.extend(node.elts)
        elif isinstance(node, ast.Starred):
            stack.append(node.value)


def _target(target: ast.AST, scope: Scope, fields: set[str] | None) -> None:
    if isinstance(target, ast.Name):
        scope.bind(target.id)
        return
    stack = [target]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            scope.bind(node.id)
        elif isinstance(node, (ast.Tuple, ast.List)):
            stack.extend(node.elts)
        elif isinstance(node, ast.Starred):
            stack.append(node.value)
        elif fields is not None:
            if isinstance(node, ast.Attribute):
                fields.add(node.attr)
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                fields.add(str(node.slice.value))


def _declare(node: ast.AST, scope: Scope) -> None:
    """Statements and patterns that bind names by themselves."""
    match node:
        case ast.Import():
            for alias in node.names:
                scope.bind(alias.asname or alias.name.partition(".")[0])
        case ast.ImportFrom():
            for alias in node.names:
                if alias.name != "*":
                    scope.bind(alias.asname or alias.name)
        case ast.Global():
            scope.globals.update(node.names)
        case ast.Nonlocal():
            scope.nonlocals.update(node.names)
        case ast.ExceptHandler():
            if node.name:
                scope.bind(node.name)
        case ast.match_case():
            for pattern in ast.walk(node.pattern):
                _capture(pattern, scope)
        case ast.Delete():
            for target in node.targets:
                for name in target_names(target):
                    scope.bound.setdefault(name, 1)


def _capture(pattern: ast.AST, scope: Scope) -> None:
    if isinstance(pattern, (ast.MatchAs, ast.MatchStar)) and pattern.name:
        scope.bind(pattern.name)
    elif isinstance(pattern, ast.MatchMapping) and pattern.rest:
        scope.bind(pattern.rest)


def _walk(body: Iterable[ast.AST], scope: Scope, function: Scope) -> None:
    """Adds everything in some code to `scope`; `:=` and nested functions go to `function`."""
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                scope.uses.add(node.id)
            elif isinstance(node.ctx, ast.Store):
                scope.bind(node.id)
            else:
                scope.bound.setdefault(node.id, 1)
        elif isinstance(node, ast.Constant):
            continue
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            if not isinstance(node, ast.Lambda):
                scope.bind(node.name)
                stack.extend(node.decorator_list)
            stack.extend(node.args.defaults)
            stack.extend(default for default in node.args.kw_defaults if default is not None)
            inside = closely(node)
            function.nests = True
            function.inner |= inside.free
            function.rebound |= inside.nonlocals | (inside.rebound - inside.bound.keys())
        elif isinstance(node, ast.ClassDef):
            scope.bind(node.name)
            stack.extend(node.decorator_list)
            stack.extend(node.bases)
            stack.extend(keyword.value for keyword in node.keywords)
            # What a class body binds is invisible to its methods; what it reads may be outside.
            namespace = Scope()
            _walk(node.body, namespace, function)
            scope.uses |= namespace.uses
        elif isinstance(node, _COMPREHENSIONS):
            local = Scope()
            children: list[ast.AST] = []
            _push(node, children)
            _walk(children, local, function)
            own: set[str] = set()
            for generator in node.generators:
                own.update(target_names(generator.target))
            scope.uses |= local.uses - own
            # Lambdas in here report the comprehension's own variables as taken from outside.
        elif isinstance(node, ast.NamedExpr):
            if isinstance(node.target, ast.Name):
                function.bind(node.target.id)
            stack.append(node.value)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                stack.append(node.value)
                stack.append(node.target)
            elif isinstance(node.target, ast.Name):
                scope.bound.setdefault(node.target.id, 0)
        else:
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                scope.uses.add(node.target.id)
            _capture(node, scope)
            if not isinstance(node, ast.match_case):
                _declare(node, scope)
                if isinstance(node, ast.Delete):
                    continue
            _push(node, stack)


def never_returning(body: Iterable[ast.stmt]) -> frozenset[str]:
    """The functions of a module that only ever raise: what follows a call of one is not reached.

    Methods are left out, because a subclass may do something else.
    """
    return frozenset(
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef)
        and not node.decorator_list
        and isinstance(node.body[-1], ast.Raise)
        and not any(
            isinstance(inner, (ast.Return, ast.Yield, ast.YieldFrom)) for inner in ast.walk(node)
        )
    )


def _push(node: ast.AST, stack: list[ast.AST]) -> None:
    """Adds the children of a node that may hold names."""
    kind = type(node)
    fields = _FIELDS.get(kind)
    if fields is None:
        fields = tuple(name for name in node._fields if name not in _NAMELESS)
        _FIELDS[kind] = fields
    for name in fields:
        value = getattr(node, name, None)
        if value.__class__ is list:
            stack.extend(part for part in value if isinstance(part, ast.AST))
        elif isinstance(value, ast.AST):
            stack.append(value)
