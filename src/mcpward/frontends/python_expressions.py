"""Lowering of Python expressions and names into the value graph of one function."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.source import Span
from mcpward.frontends.python_scopes import FunctionNode, Scope, target_names
from mcpward.frontends.python_syntax import (
    NUMBERS,
    is_access,
    is_key,
    is_number,
    is_plain,
    is_test,
    is_text,
    operator_label,
)
from mcpward.ir.builder import Block, Builder, Name
from mcpward.ir.values import (
    UNKNOWN,
    Class,
    Const,
    Function,
    Global,
    Id,
    Load,
    Module,
    Param,
    Store,
)

DEPTH = 1_000
"""Levels of nested expressions that are followed."""
_LONG = 1_000
"""Elements of a literal container after which constants are left out: they are data."""

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_new = tuple.__new__


@dataclass(slots=True, eq=False)
class File:
    """What all functions of one source file share while they are lowered."""

    module: Module
    starts: list[int]
    """Byte offset of every line, as the parser counted lines."""
    package: str
    """The package that relative imports start from."""
    resolve: Callable[[str], str]
    notes: list[Skipped]
    names: dict[str, str] = field(default_factory=dict)
    """What the module's names mean in annotations."""
    taken: set[str] = field(default_factory=set)
    exits: frozenset[str] = frozenset()
    """The functions that do not return."""
    noted: set[SkipKind] = field(default_factory=set)

    def note(self, kind: SkipKind, reason: str) -> None:
        """Says once per file that something was not looked at."""
        if kind not in self.noted:
            self.noted.add(kind)
            self.notes.append(Skipped(self.module.source.path, kind, reason))

    def unique(self, label: str, offset: int) -> str:
        """A name in this module that nothing else has."""
        name = f"{self.module.name}:{label}"
        if name in self.taken:
            name = f"{name}@{offset}"
            while name in self.taken:
                name += "+"
        self.taken.add(name)
        return name


@dataclass(slots=True, eq=False)
class Task:
    """A function that waits to be lowered, with what it may capture."""

    file: File
    node: FunctionNode
    name: str
    parent: str
    start: int
    end: int
    owner: str = ""
    static: bool = False
    closure: Id | None = None
    env: dict[Name, Id] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """Comprehension variable → its key in `env`."""
    depth: int = 0
    within: tuple[int, int] | None = None


@dataclass(slots=True, eq=False)
class ClassBody:
    """The class whose body is being lowered."""

    made: Class
    closure: Id
    properties: set[str] = field(default_factory=set)


class Expressions:
    """One function being lowered: its names and its expressions."""

    def __init__(self, file: File, function: Function, scope: Scope | None, label: str) -> None:
        """`scope` is `None` for a module body, whose variables are all visible from outside."""
        self.file = file
        self.function = function
        self.builder = Builder(function)
        self.values = function.values
        self.starts = file.starts
        self.path = file.module.source.path
        self.scope = scope
        self.prefix = label
        """What precedes the labels of functions defined here."""
        self.depth = 0
        self.keys: dict[str, str] = {}
        """Name → key of its variable, inside class bodies (`.…`) and comprehensions (`%…`)."""
        self.body_of: ClassBody | None = None
        self.waiting: list[Task] = []
        self.within: tuple[int, int] | None = None
        """The f-string around: Python 3.11 has inexact places inside."""
        self.outer: dict[str, str] = {}
        """Name of an enclosing function's variable → variable that holds its scope object."""
        self.scope_object: Id | None = None
        self.module_object: Id | None = None
        self.shared: set[str] = set()
        """Own variables that nested functions use."""
        self.volatile: set[str] = set()
        """Own variables that nested functions assign."""
        self.has_closures = False
        self.counter = 0
        self.walrus = False

    # ── places ────────────────────────────────────────────────────────────────────────────────

    def span(self, node: Any) -> Span:
        """The bytes of a node."""
        if self.within is not None:
            return self._span_within(node, self.within)
        starts = self.starts
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        return _new(Span, (self.path, start, end))

    def _span_within(self, node: Any, limits: tuple[int, int]) -> Span:
        starts = self.starts
        if node.end_lineno <= len(starts):
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            if limits[0] <= start < end <= limits[1]:
                return Span(self.path, start, end)
        return Span(self.path, *limits)

    # ── names ─────────────────────────────────────────────────────────────────────────────────

    def read(self, ident: str, span: Span) -> Id:
        """The value of a name here."""
        builder = self.builder
        current = builder.current
        if ident in self.volatile and self.scope_object is not None:
            return builder.method(self.scope_object, ident, span)
        if current is not None:
            env = current.env
            key = self.keys.get(ident)
            if key is not None:
                value = env.get(key)
                if value is not None:
                    return value
            value = env.get(ident)
            if value is not None:
                return value
        if self.scope is not None:
            if ident in self.scope.bound:
                return builder.unknown(span)
            holder = self.outer.get(ident)
            if holder is not None and current is not None:
                return builder.load(current.env[holder], ident, span)
        return builder.name(ident, span)

    def bind(self, ident: str, value: Id, span: Span) -> None:
        """Assigns a variable, wherever it lives."""
        builder = self.builder
        key = self.keys.get(ident)
        if key is not None:
            builder.write(key, value)
            if key[0] == "." and self.body_of is not None:
                self._store(self.body_of.closure, ident, value, span)
            return
        scope = self.scope
        if scope is None:
            builder.write(ident, value)
            self._store(self.module_variables(span), ident, value, span)
        elif ident in scope.globals:
            self._store(self.module_variables(span), ident, value, span)
        elif ident in scope.nonlocals:
            holder = self.outer.get(ident)
            if holder is not None and builder.current is not None:
                builder.store(builder.current.env[holder], ident, value, span)
        else:
            builder.write(ident, value)
            if (
                self.scope_object is not None
                and ident in self.shared
                and (self.has_closures or scope.bound.get(ident, 0) > 1)
            ):
                self._store(self.scope_object, ident, value, span)

    def module_variables(self, span: Span) -> Id:
        """The object that holds the module variables."""
        if self.module_object is None:
            self.module_object = self.builder.name("<module>", Span(span.file, 0, 0))
        return self.module_object

    def _store(self, owner: Id, ident: str, value: Id, span: Span) -> None:
        # The variable is in the environment already, so no access path is kept.
        if self.builder.current is not None:
            self.values.append(Store(owner, ident, value, span.start, span.end))

    # ── expressions ───────────────────────────────────────────────────────────────────────────

    def expr(self, node: ast.expr) -> Id:
        """Lowers an expression to its value."""
        kind = type(node)
        if kind is ast.Name:
            return self.read(node.id, self.span(node))  # type: ignore[attr-defined]  # a `Name` by then
        if self.depth >= DEPTH:
            return self._too_deep(node)
        handler = _EXPRESSIONS.get(kind)
        if handler is None:
            return self.builder.unknown(self.span(node))
        self.depth += 1
        value = handler(self, node)
        self.depth -= 1
        return value

    def _too_deep(self, node: ast.expr) -> Id:
        reason = f"expressions nested deeper than {DEPTH:,} levels were not followed"
        self.file.note(SkipKind.TOO_DEEP, reason)
        return self.builder.unknown(self.span(node))

    def Constant(self, node: ast.Constant) -> Id:
        value = node.value
        return self.builder.const(UNKNOWN if value is ... else value, self.span(node))

    def Attribute(self, node: ast.Attribute) -> Id:
        owner = self.expr(node.value)
        return self.builder.load(owner, node.attr, self.span(node))

    def Subscript(self, node: ast.Subscript) -> Id:
        owner = self.expr(node.value)
        name, key = self.index(node.slice)
        if key is None and name == "":
            return self.builder.join("slice", (owner,), self.span(node))
        return self.builder.load(owner, name, self.span(node), key=key, subscript=True)

    def index(self, node: ast.expr) -> tuple[str, Id | None]:
        """The field a subscript means, and its value if unknown; an empty field is a slice."""
        if isinstance(node, ast.Constant) and is_key(node.value):
            return str(node.value), None
        if isinstance(node, ast.Slice):
            self.expr(node)
            return "", None
        return "*", self.expr(node)

    def Slice(self, node: ast.Slice) -> Id:
        for part in (node.lower, node.upper, node.step):
            if part is not None and not isinstance(part, (ast.Constant, ast.Name)):
                self.expr(part)
        return self.builder.unknown(self.span(node))

    def Call(self, node: ast.Call) -> Id:
        builder = self.builder
        func = node.func
        receiver: Id | None = None
        sort = "call"
        if isinstance(func, ast.Attribute):
            inner = func.value
            if (
                isinstance(inner, ast.Call)
                and isinstance(inner.func, ast.Name)
                and inner.func.id == "super"
            ):
                sort = "super"
                receiver = self._receiver(inner)
            else:
                receiver = self.expr(inner)
            callee = builder.method(receiver, func.attr, self.span(func))
        else:
            callee = self.expr(func)
            receiver = self._bound_to(callee)
        spread = -1
        args: list[Id] = []
        for at, arg in enumerate(node.args):
            if isinstance(arg, ast.Starred) and spread < 0:
                spread = at
            args.append(self.expr(arg))
        keywords = [(keyword.arg or "**", self.expr(keyword.value)) for keyword in node.keywords]
        return builder.call(
            callee,
            args,
            self.span(node),
            receiver=receiver,
            keywords=keywords,
            spread=spread,
            sort=sort,
        )

    def _bound_to(self, callee: Id) -> Id | None:
        """The object of a method that was put into a variable (`put = parts.append`)."""
        value = self.values[callee]
        if type(value) is not Load or value.subscript or value.object == self.scope_object:
            return None
        owner = self.values[value.object]
        if isinstance(owner, Global) or (isinstance(owner, Param) and owner.sort == "capture"):
            return None
        return value.object

    def _receiver(self, node: ast.Call) -> Id:
        """The object that `super()` speaks about."""
        if len(node.args) > 1:
            return self.expr(node.args[1])
        values = self.values
        params = self.function.params
        if params:
            first = values[params[0]]
            name = getattr(first, "name", "")
            return self.read(name, self.span(node))
        return self.builder.unknown(self.span(node))

    def _join_parts(self, node: ast.BinOp) -> list[ast.expr]:
        parts: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and type(left.op) is type(node.op):
            parts.append(left.right)
            left = left.left
        parts.append(left)
        return parts[::-1]

    def BinOp(self, node: ast.BinOp) -> Id:
        op = type(node.op)
        if op is ast.Mod:
            return self._modulo(node)
        parts = self._join_parts(node)
        return self.builder.join(
            operator_label(op, parts), [self.expr(part) for part in parts], self.span(node)
        )

    def _modulo(self, node: ast.BinOp) -> Id:
        left, right = node.left, node.right
        if is_number(left) or (is_number(right) and not is_text(left)):
            operands = [self.expr(left), self.expr(right)]
            return self.builder.join("arithmetic", operands, self.span(node))
        operands = [self.expr(left)]
        if isinstance(right, ast.Tuple):
            operands.extend(self.expr(part) for part in right.elts)
        else:
            operands.append(self.expr(right))
        return self.builder.join("format", operands, self.span(node))

    def UnaryOp(self, node: ast.UnaryOp) -> Id:
        operand = node.operand
        if isinstance(node.op, ast.Not):
            return self.builder.compare("not", (self.condition(operand),), self.span(node))
        if isinstance(operand, ast.Constant) and type(operand.value) in NUMBERS:
            number: Any = operand.value
            if isinstance(node.op, ast.USub):
                return self.builder.const(-number, self.span(node))
            if isinstance(node.op, ast.UAdd):
                return self.builder.const(number, self.span(node))
        return self.builder.join("arithmetic", (self.expr(operand),), self.span(node))

    def JoinedStr(self, node: ast.JoinedStr) -> Id:
        span = self.span(node)
        around = self.within
        self.within = (span.start, span.end)
        parts: list[Id] = []
        self._fstring_parts(node, parts)
        self.within = around
        values = [self.values[part] for part in parts]
        texts = [v.value for v in values if isinstance(v, Const) and isinstance(v.value, str)]
        if len(texts) == len(parts):
            return self.builder.const("".join(texts), span)
        return self.builder.join("f-string", parts, span)

    def _fstring_parts(self, node: ast.JoinedStr, parts: list[Id]) -> None:
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                parts.append(self.FormattedValue(value))
                if isinstance(value.format_spec, ast.JoinedStr):
                    specs = value.format_spec.values
                    parts.extend(self.expr(s) for s in specs if isinstance(s, ast.FormattedValue))
            else:
                parts.append(self.expr(value))

    def FormattedValue(self, node: ast.FormattedValue) -> Id:
        if node.conversion in (ord("r"), ord("a")):
            name = ast.copy_location(ast.Name("repr", ast.Load()), node)
            written = ast.Call(func=name, args=[node.value], keywords=[])
            return self.expr(ast.copy_location(written, node))
        return self.expr(node.value)

    # ── containers ────────────────────────────────────────────────────────────────────────────

    def List(self, node: ast.List | ast.Tuple | ast.Set) -> Id:
        label = _CONTAINERS[type(node)]
        known = label != "set"
        fields: list[tuple[str, Id]] = []
        for at, part in enumerate(node.elts):
            if at >= _LONG and isinstance(part, ast.Constant):
                continue
            if isinstance(part, ast.Starred):
                known = False
                fields.append(("**", self.expr(part.value)))
            else:
                fields.append((str(at) if known else "*", self.expr(part)))
        return self.builder.record(label, fields, self.span(node))

    Set = List
    Tuple = List

    def Dict(self, node: ast.Dict) -> Id:
        fields: list[tuple[str, Id]] = []
        for at, (key, value) in enumerate(zip(node.keys, node.values, strict=False)):
            if at >= _LONG and isinstance(value, ast.Constant):
                continue
            if key is None:
                fields.append(("**", self.expr(value)))
            elif isinstance(key, ast.Constant) and isinstance(key.value, (str, int)):
                fields.append((str(key.value), self.expr(value)))
            else:
                self.expr(key)
                fields.append(("*", self.expr(value)))
        return self.builder.record("dict", fields, self.span(node))

    def DictComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Id:
        builder = self.builder
        keys = self.keys
        tested = any(generator.ifs for generator in node.generators)
        before: Block | None = None
        own: list[str] = []
        for at, generator in enumerate(node.generators):
            iterable = self.expr(generator.iter)
            if at == 0:
                self.keys = dict(keys)
                if tested:
                    before = builder.split()
            for name in target_names(generator.target):
                self.counter += 1
                key = f"%{self.counter}.{name}"
                own.append(key)
                self.keys[name] = key
            element = builder.load(iterable, "*", self.span(generator.iter))
            self.assign(generator.target, element)
            for test in generator.ifs:
                builder.enter(builder.branch(self.condition(test)).true)
        if isinstance(node, ast.DictComp):
            self.expr(node.key)
            value = self.expr(node.value)
        else:
            value = self.expr(node.elt)
        self.keys = keys
        if tested:
            self.rejoin(before)
        if builder.current is not None:
            for key in own:
                builder.current.env.pop(key, None)
        return builder.record(_COMPREHENSIONS[type(node)], (("*", value),), self.span(node))

    GeneratorExp = DictComp
    ListComp = DictComp
    SetComp = DictComp

    def rejoin(self, before: Block | None) -> None:
        """Goes on as before a part that may not run; only `:=` can have changed a variable."""
        end = self.builder.leave()
        if self.walrus:
            self.builder.merge(before, end)
        else:
            self.builder.merge(before)

    # ── conditions ────────────────────────────────────────────────────────────────────────────

    def condition(self, node: ast.expr) -> Id:
        """Lowers a test, as a tree of `Compare`s where it is written as one."""
        if isinstance(node, ast.BoolOp):
            if self.depth >= DEPTH:
                return self._too_deep(node)
            self.depth += 1
            operator = "and" if isinstance(node.op, ast.And) else "or"
            result = self._operands(node, operator, self.condition)
            test = result[0]
            for operand in result[1:]:
                test = self.builder.compare(operator, (test, operand), self.span(node))
            self.depth -= 1
            return test
        return self.expr(node)

    def _operands(
        self, node: ast.BoolOp, operator: str, lowered: Callable[[ast.expr], Id]
    ) -> list[Id]:
        """The operands of `and` or `or`, each under the assumption that it is evaluated."""
        builder = self.builder
        results = [lowered(node.values[0])]
        before: Block | None = None
        assumed = 0
        for operand in node.values[1:]:
            if not is_plain(operand):
                if not assumed:
                    for later in node.values[1:]:
                        self._look_ahead(later)
                    before = builder.split()
                for earlier in results[assumed:]:
                    fork = builder.branch(earlier)
                    builder.enter(fork.true if operator == "and" else fork.false)
                assumed = len(results)
            results.append(lowered(operand))
        if assumed:
            self.rejoin(before)
        return results

    def _look_ahead(self, node: ast.expr) -> None:
        """Reads the access paths of an operand before the branch, so that it can narrow them."""
        stack: list[ast.AST] = [node]
        for _ in range(50):
            if not stack:
                return
            at = stack.pop()
            if isinstance(at, ast.Call):
                if isinstance(at.func, ast.Attribute):
                    stack.append(at.func.value)
                stack.extend(at.args)
            elif isinstance(at, (ast.Attribute, ast.Subscript)):
                if is_access(at):
                    self.expr(at)
            elif isinstance(at, (ast.Compare, ast.UnaryOp, ast.BoolOp)):
                stack.extend(ast.iter_child_nodes(at))

    def Compare(self, node: ast.Compare) -> Id:
        builder = self.builder
        span = self.span(node)
        left = self.expr(node.left)
        test: Id | None = None
        for op, comparator in zip(node.ops, node.comparators, strict=False):
            right = self.expr(comparator)
            pair = builder.compare(_COMPARISONS[type(op)], (left, right), span)
            test = pair if test is None else builder.compare("and", (test, pair), span)
            left = right
        return left if test is None else test

    def BoolOp(self, node: ast.BoolOp) -> Id:
        if is_test(node):
            return self.condition(node)
        operator = "and" if isinstance(node.op, ast.And) else "or"
        return self.builder.phi(self._operands(node, operator, self.expr), self.span(node))

    def IfExp(self, node: ast.IfExp) -> Id:
        builder = self.builder
        test = self.condition(node.test)
        before = builder.split()
        fork = builder.branch(test)
        builder.enter(fork.true)
        first = self.expr(node.body)
        end = builder.leave()
        builder.enter(fork.false)
        second = self.expr(node.orelse)
        if self.walrus:
            builder.merge(end, builder.leave())
        else:
            builder.leave()
            builder.merge(before)
        return builder.phi((first, second), self.span(node))

    def NamedExpr(self, node: ast.NamedExpr) -> Id:
        value = self.expr(node.value)
        self.assume_returned(value)
        self.walrus = True
        keys = self.keys
        # The target belongs to the function even inside a comprehension.
        self.keys = {n: k for n, k in keys.items() if k[0] == "."}
        self.bind(node.target.id, value, self.span(node.target))
        self.keys = keys
        return value

    def assume_returned(self, value: Id) -> None:
        """After a call: it returned instead of raising, which may say something."""
        self.builder.returned(value, self.file.module.telling)

    # ── what changes the function's course ────────────────────────────────────────────────────

    def Await(self, node: ast.Await) -> Id:
        return self.expr(node.value)

    def Yield(self, node: ast.Yield) -> Id:
        span = self.span(node)
        builder = self.builder
        self.function.generator = True
        value = builder.const(None, span) if node.value is None else self.expr(node.value)
        builder.yield_(value, span)
        return builder.unknown(span)

    def YieldFrom(self, node: ast.YieldFrom) -> Id:
        span = self.span(node)
        self.function.generator = True
        self.builder.yield_(self.builder.load(self.expr(node.value), "*", span), span)
        return self.builder.unknown(span)

    def Starred(self, node: ast.Starred) -> Id:
        return self.expr(node.value)

    # ── functions ─────────────────────────────────────────────────────────────────────────────

    def Lambda(self, node: ast.Lambda) -> Id:
        span = self.span(node)
        task = self.declare(node, f"<lambda@{span.start}>", span)
        return self.close_over(task, span)

    def declare(self, node: FunctionNode, label: str, span: Span) -> Task:
        """Registers a function that is defined here; it is lowered later."""
        file = self.file
        name = file.unique(self.prefix + label, span.start)
        task = Task(file, node, name, self.function.name, span.start, span.end)
        task.depth = self.depth
        task.within = self.within
        captures = {n: k for n, k in self.keys.items() if k[0] == "%"} if self.keys else {}
        if self.scope is None and not captures:
            file.module.pending[name] = task
            file.module.spans[name] = (span.start, span.end)
        else:
            task.keys = captures
            self.waiting.append(task)
        return task

    def close_over(self, task: Task, span: Span) -> Id:
        """The declared function as a value, with its default values."""
        arguments = task.node.args
        places = len(arguments.posonlyargs) + len(arguments.args)
        defaults: list[tuple[int, Id]] = []
        first = places - len(arguments.defaults)
        for at, default in enumerate(arguments.defaults):
            defaults.append((first + at, self.expr(default)))
        if arguments.vararg is not None:
            places += 1
        for at, keyword in enumerate(arguments.kw_defaults):
            if keyword is not None:
                defaults.append((places + at, self.expr(keyword)))
        closure = self.builder.closure(task.name, span)
        if defaults:
            made: Any = self.values[closure]
            made.defaults.extend(defaults)
        task.closure = closure
        if self.scope is not None or task.keys:
            task.env = self.builder.snapshot()
            self.has_closures = True
        return closure

    # ── targets ───────────────────────────────────────────────────────────────────────────────

    def assign(self, target: ast.expr, value: Id) -> None:
        """Binds a value to an assignment target."""
        builder = self.builder
        if isinstance(target, ast.Name):
            self.bind(target.id, value, self.span(target))
        elif isinstance(target, ast.Attribute):
            builder.store(self.expr(target.value), target.attr, value, self.span(target))
        elif isinstance(target, ast.Subscript):
            owner = self.expr(target.value)
            name, key = self.index(target.slice)
            builder.store(owner, name or "*", value, self.span(target), key=key)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, builder.join("slice", (value,), self.span(target)))

    def _unpack(self, targets: Iterable[ast.expr], value: Id) -> None:
        if self.depth >= DEPTH:
            return
        self.depth += 1
        known = True
        for at, part in enumerate(targets):
            if isinstance(part, ast.Starred):
                known = False
                self.assign(part, value)
            else:
                name = str(at) if known else "*"
                self.assign(part, self.builder.load(value, name, self.span(part), subscript=True))
        self.depth -= 1


_CONTAINERS: dict[type[ast.expr], str] = {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}
_COMPREHENSIONS: dict[type[ast.expr], str] = {
    ast.ListComp: "list",
    ast.GeneratorExp: "list",
    ast.SetComp: "set",
    ast.DictComp: "dict",
}
_EXPRESSIONS: dict[type[ast.expr], Callable[[Expressions, Any], Id]] = {
    getattr(ast, name): method for name, method in vars(Expressions).items() if name[0].isupper()
}
