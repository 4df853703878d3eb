"""The Python frontend: turns source text into value graphs, functions only on demand."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from typing import Any

from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.source import SourceFile, Span
from mcpward.frontends.python_expressions import ClassBody, File, Task
from mcpward.frontends.python_patterns import Patterns
from mcpward.frontends.python_scopes import (
    Scope,
    closely,
    defaults,
    never_returning,
    parameters,
    scope_of,
    stored,
    target_names,
    walrus_names,
)
from mcpward.frontends.python_syntax import docstring
from mcpward.frontends.python_types import declared_type, local_names, type_expression
from mcpward.ir.builder import Block
from mcpward.ir.values import Class, Const, Function, Id, Module

_ELIFS = 300
"""Branches of one `if` chain or `match` that are told apart."""
_CHECKPOINTS = 100
"""Statements of one `try` body after which an exception is considered."""
_WORK = 5_000_000
"""Variables copied at branches of one function before the rest of it is skipped."""

_CONSUMED = frozenset(
    (
        "abstractmethod",
        "abc.abstractmethod",
        "cached_property",
        "classmethod",
        "functools.cached_property",
        "overload",
        "override",
        "property",
        "staticmethod",
        "typing.overload",
        "typing.override",
        "typing_extensions.override",
    )
)
"""Decorators that leave what a function does as it is."""
_PROPERTIES = frozenset(("cached_property", "functools.cached_property", "property"))
_EXITS = frozenset(("exit", "quit", "os._exit", "os.abort", "sys.exit"))
_OWN_FIELD = re.compile(rb"(?m)^[ \t]*self[ \t]*\.[ \t]*\w+[ \t]*:")


def _unchanged(dotted: str) -> str:
    return dotted


def parse(
    source: SourceFile,
    name: str,
    *,
    package: bool,
    resolve: Callable[[str], str] = _unchanged,
    notes: list[Skipped] | None = None,
) -> Module | Skipped:
    """Parses a file and lowers its module body; functions wait in `module.pending`.

    `resolve` turns the dotted name of an absolute import into the module it means here. `notes`
    receives what had to be left out of a file that is otherwise usable.
    """
    if notes is None:
        notes = []
    try:
        tree, starts = _tree(source, notes)
        if tree is None:
            return Skipped(source.path, SkipKind.UNPARSABLE, "not Python that could be parsed")
        parent = name if package else name.rpartition(".")[0]
        return _module(source, name, parent, resolve, notes, tree, starts)
    except (RecursionError, MemoryError):
        return Skipped(source.path, SkipKind.TOO_DEEP, "nested too deeply to be read")


def lower(module: Module, function: str) -> None:
    """Lowers a pending function and everything nested in it into `module.functions`."""
    task = module.pending.pop(function, None)
    if not isinstance(task, Task):
        return
    try:
        _lower(task, None)
    except (RecursionError, MemoryError):
        empty = Function(task.name, module.name, start=task.start, end=task.end)
        module.functions.setdefault(task.name, empty)
        task.file.note(SkipKind.TOO_DEEP, "a function is nested too deeply to be read")


def _tree(source: SourceFile, notes: list[Skipped]) -> tuple[ast.Module | None, list[int]]:
    """The syntax tree, and where lines start in it."""
    data = source.data
    text = data.decode("utf-8", "replace")
    starts = source.starts
    if b"\r" in data:
        # `ast` also ends lines at a lone carriage return.
        starts = [0, *(found.end() for found in re.finditer(rb"\r\n|\r|\n", data))]
    if text.startswith("\ufeff"):
        text = text[1:]
        starts = [3, *starts[1:]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text.replace("\0", " ")), starts
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            # The other parser knows newer syntax, repairs errors and needs no stack.
            pass
    from mcpward.frontends.python_fallback import recovered

    return recovered(source, notes), source.starts


def _module(
    source: SourceFile,
    name: str,
    package: str,
    resolve: Callable[[str], str],
    notes: list[Skipped],
    tree: ast.Module,
    starts: list[int],
) -> Module:
    module = Module(name, source)
    file = File(module, starts, "" if package == "__init__" else package, resolve, notes)
    bound = Scope()
    stored(tree.body, bound)
    file.names = local_names(bound.bound, _imports(tree.body, file), name)
    file.exits = _EXITS | never_returning(tree.body)
    file.taken.add(name + ":")
    function = Function(name + ":", name, start=0, end=len(source.data))
    module.functions[function.name] = function
    body = _Lowering(file, function, None, "")
    body.statements(tree.body)
    body.finish()
    return module


def _imports(body: list[ast.stmt], file: File) -> dict[str, str]:
    """What imports anywhere at module level make names mean."""
    found: dict[str, str] = {}
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                known = file.resolve(alias.name)
                found[alias.asname or first] = known if alias.asname else top_of(alias.name, known)
        elif isinstance(node, ast.ImportFrom):
            module = source_module(node, file)
            for alias in node.names:
                found[alias.asname or alias.name] = f"{module}.{alias.name}".lstrip(".")
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            stack.extend(ast.iter_child_nodes(node))
        elif isinstance(node, ast.ExceptHandler):
            stack.extend(node.body)
    return found


def top_of(dotted: str, resolved: str) -> str:
    """The module that `import a.b` binds to `a`."""
    first = dotted.partition(".")[0]
    if resolved.endswith(dotted):
        return resolved[: len(resolved) - len(dotted)] + first
    return first


def source_module(node: ast.ImportFrom, file: File) -> str:
    """The absolute name of the module a `from` import names."""
    name = node.module or ""
    if not node.level:
        return file.resolve(name)
    package = file.package
    for _ in range(node.level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{name}".strip(".")


def _lower(task: Task, parent: _Lowering | None) -> None:
    file, node = task.file, task.node
    function = Function(
        task.name,
        file.module.name,
        owner=task.owner,
        parent=task.parent,
        asynchronous=isinstance(node, ast.AsyncFunctionDef),
        static=task.static,
        start=task.start,
        end=task.end,
    )
    file.module.functions[task.name] = function
    if not isinstance(node, ast.Lambda) and node.returns is not None:
        function.result = type_expression(node.returns, file.names)
    data = file.module.source.data
    scope = scope_of(node, data, task.start, task.end) if parent is None else closely(node)
    lowering = _Lowering(file, function, scope, task.name.partition(":")[2] + ".")
    lowering.within = task.within
    lowering.depth = task.depth
    lowering.open(task, parent)
    if isinstance(node, ast.Lambda):
        span = lowering.span(node.body)
        lowering.builder.ret(lowering.expr(node.body), span)
    else:
        if (doc := docstring(node.body)) is not None:
            span = lowering.span(doc)
            function.doc = Const(doc.value, span.start, span.end)
        lowering.statements(node.body)
        if lowering.builder.current is not None:
            end = Span(lowering.path, task.end, task.end)
            lowering.builder.ret(lowering.builder.const(None, end), end)
    lowering.finish()


class _Lowering(Patterns):
    """Statements and definitions of one function."""

    def __init__(self, file: File, function: Function, scope: Scope | None, label: str) -> None:
        super().__init__(file, function, scope, label)
        self.loops: list[tuple[list[Block | None], list[Block | None]]] = []
        """For each loop around: the blocks that break out of it, and those that continue it."""
        self.tried: list[list[Id]] = []
        """For each `try` with handlers around: what is raised in its body."""
        self.work = _WORK

    # ── a function's beginning and end ────────────────────────────────────────────────────────

    def open(self, task: Task, parent: _Lowering | None) -> None:
        """Declares the parameters and what is captured."""
        builder, scope, node = self.builder, self.scope, task.node
        if scope is None:
            return
        names = self.file.names
        method = bool(task.owner) and not task.static
        given = defaults(node)
        for arg, sort in parameters(node):
            if method and sort == "plain":
                sort = "receiver"
            method = False
            annotation = declared_type(arg, given.get(arg.arg), names)
            builder.param(arg.arg, self.span(arg), sort=sort, annotation=annotation)
        here = Span(self.path, task.start, task.start)
        if parent is not None and task.closure is not None:
            holders: dict[Id, str] = {}
            for ident in sorted(scope.free):
                self._capture(ident, task.closure, task, parent, holders, here)
        if scope.nests:
            self.shared = scope.inner.union(scope.rebound) & scope.bound.keys()
            self.volatile = scope.rebound & scope.bound.keys()
            declared = {arg.arg for arg, _ in parameters(node)}
            if any(n not in declared or scope.bound[n] > 1 for n in self.shared):
                self.scope_object = builder.record("scope", (), here)
                builder.write("<scope>", self.scope_object)
                for name in sorted(declared & self.shared):
                    value = builder.read(name)
                    if value is not None and scope.bound[name] > 1:
                        self._store(self.scope_object, name, value, here)

    def _capture(
        self,
        ident: str,
        closure: Id,
        task: Task,
        parent: _Lowering,
        holders: dict[Id, str],
        here: Span,
    ) -> None:
        """Makes a parameter for a variable of an enclosing function, or for its scope object."""
        index = len(self.function.params)
        value = parent.captured_value(ident, task)
        if value is not None:
            self.builder.param(ident, here, sort="capture")
            parent.builder.capture(closure, index, value)
            return
        holder = parent.scope_holder(ident, task)
        if holder is None:
            return
        name, value = holder
        if value not in holders:
            holders[value] = name
            self.builder.param(name, here, sort="capture")
            parent.builder.capture(closure, index, value)
        self.outer[ident] = holders[value]

    def captured_value(self, ident: str, task: Task) -> Id | None:
        """The value a nested function captures for good, if the variable never changes."""
        key = task.keys.get(ident)
        if key is not None:
            return task.env.get(key)
        if self.scope is None:
            return None
        count = self.scope.bound.get(ident)
        if count is None:
            return None if ident in self.outer else task.env.get(ident)
        return task.env.get(ident) if count <= 1 else None

    def scope_holder(self, ident: str, task: Task) -> tuple[str, Id] | None:
        """The object that holds a variable which does change, and what nested functions call it."""
        if self.scope is None:
            return None
        if ident in self.scope.bound:
            if self.scope_object is None:
                return None
            return f"<scope:{self.function.label}>", self.scope_object
        name = self.outer.get(ident)
        if name is None:
            return None
        value = task.env.get(name)
        return None if value is None else (name, value)

    def finish(self) -> None:
        """Lowers the functions that were defined here."""
        waiting, self.waiting = self.waiting, []
        for task in waiting:
            _lower(task, self)

    # ── statements ────────────────────────────────────────────────────────────────────────────

    def statements(self, body: list[ast.stmt]) -> None:
        """Lowers a block; what cannot be reached is only searched for definitions."""
        builder = self.builder
        dispatch = _STATEMENTS
        for node in body:
            kind = type(node)
            if builder.current is None and kind not in _DEFINITIONS:
                continue
            handler = dispatch.get(kind)
            if handler is not None:
                handler(self, node)

    def _affordable(self) -> bool:
        """Whether one more branch may copy all variables; then this counts it."""
        current = self.builder.current
        if current is None:
            return True
        self.work -= len(current.env) + 1
        if self.work < 0:
            reason = "a function with too many branches was not followed to its end"
            self.file.note(SkipKind.LIMIT, reason)
            self.builder.leave()
            return False
        return True

    def Expr(self, node: ast.Expr) -> None:
        value = node.value
        if isinstance(value, ast.Constant):
            return
        self.assume_returned(self.expr(value))
        if isinstance(value, ast.Await):
            value = value.value
        if isinstance(value, ast.Call):
            func = value.func
            if isinstance(func, ast.Name):
                name = func.id
            elif isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
                name = f"{func.value.id}.{func.attr}"
            else:
                return
            if name in self.file.exits:
                self.builder.leave()

    def Assign(self, node: ast.Assign) -> None:
        value = self.expr(node.value)
        self.assume_returned(value)
        for target in node.targets:
            self.assign(target, value)

    def AnnAssign(self, node: ast.AnnAssign) -> None:
        target = node.target
        if self.body_of is not None and isinstance(target, ast.Name) and self._in_class(target.id):
            annotation = type_expression(node.annotation, self.file.names)
            if annotation is not None:
                self.body_of.made.fields[target.id] = annotation
        if node.value is not None:
            value = self.expr(node.value)
            self.assume_returned(value)
            self.assign(target, value)

    def _in_class(self, ident: str) -> bool:
        return self.keys.get(ident, "").startswith(".")

    def AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        builder = self.builder
        span = self.span(node)
        fake = ast.BinOp(left=target, op=node.op, right=node.value)
        ast.copy_location(fake, node)
        if isinstance(target, ast.Name):
            self.bind(target.id, self.expr(fake), span)
            return
        value = self.expr(fake)
        if isinstance(target, ast.Attribute):
            builder.store(self.expr(target.value), target.attr, value, span)
        else:
            self.assign(target, value)

    def Return(self, node: ast.Return) -> None:
        span = self.span(node)
        value = self.builder.const(None, span) if node.value is None else self.expr(node.value)
        self.builder.ret(value, span)

    def Raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            value = self.expr(node.exc)
            if self.tried:
                self.tried[-1].append(value)
        if node.cause is not None:
            self.expr(node.cause)
        self.builder.leave()

    def Assert(self, node: ast.Assert) -> None:
        builder = self.builder
        if not self._affordable():
            return
        fork = builder.branch(self.condition(node.test))
        if node.msg is not None and not isinstance(node.msg, ast.Constant):
            builder.enter(fork.false)
            self.expr(node.msg)
            builder.leave()
        builder.enter(fork.true)

    def Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, (ast.Attribute, ast.Subscript)):
                self.expr(target.value)

    # ── branches and loops ────────────────────────────────────────────────────────────────────

    def If(self, node: ast.If) -> None:
        builder = self.builder
        ends: list[Block | None] = []
        while True:
            if not self._affordable():
                break
            test = self.condition(node.test)
            if len(ends) < _ELIFS:
                fork = builder.branch(test)
                builder.enter(fork.true)
                self.statements(node.body)
                ends.append(builder.leave())
                builder.enter(fork.false)
            else:
                before = builder.split()
                self.statements(node.body)
                ends.append(builder.leave())
                if len(ends) > 2 * _ELIFS:
                    builder.merge(*ends[_ELIFS:])
                    ends[_ELIFS:] = [builder.leave()]
                builder.merge(before)
            orelse = node.orelse
            if len(orelse) == 1 and isinstance(orelse[0], ast.If):
                node = orelse[0]
                continue
            self.statements(orelse)
            ends.append(builder.leave())
            break
        builder.merge(*ends)

    def _assigned(self, body: list[ast.stmt], extra: ast.AST | None) -> set[str]:
        """The variables a loop assigns; access paths that it assigns are forgotten."""
        scope, fields = Scope(), set[str]()
        stored(body, scope, fields)
        names = set(scope.bound)
        if extra is not None:
            names.update(target_names(extra))
        if self.walrus or self._has_walrus:
            names.update(walrus_names(body))
            if extra is not None:
                names.update(walrus_names((extra,)))
        current = self.builder.current
        if fields and current is not None:
            stale = [n for n in current.env if isinstance(n, tuple) and n[1] in fields]
            for path in stale:
                del current.env[path]
        return {self.keys.get(name, name) for name in names} if self.keys else names

    @property
    def _has_walrus(self) -> bool:
        data = self.file.module.source.data
        return data.find(b":=", self.function.start, self.function.end) >= 0

    def For(self, node: ast.For | ast.AsyncFor) -> None:
        builder = self.builder
        iterable = self.expr(node.iter)
        if not self._affordable():
            return
        loop = builder.loop(sorted(self._assigned(node.body, node.target)))
        out = builder.split()
        span = self.span(node.iter)
        self.assign(node.target, builder.load(iterable, "*", span))
        breaks: list[Block | None] = []
        continues: list[Block | None] = []
        self.loops.append((breaks, continues))
        self.statements(node.body)
        self.loops.pop()
        builder.close(loop, builder.leave(), *continues)
        builder.merge(out)
        self.statements(node.orelse)
        builder.merge(builder.leave(), *breaks)

    AsyncFor = For

    def While(self, node: ast.While) -> None:
        builder = self.builder
        if not self._affordable():
            return
        loop = builder.loop(sorted(self._assigned(node.body, node.test)))
        test = self.condition(node.test)
        fork = builder.branch(test)
        builder.enter(fork.true)
        breaks: list[Block | None] = []
        continues: list[Block | None] = []
        self.loops.append((breaks, continues))
        self.statements(node.body)
        self.loops.pop()
        builder.close(loop, builder.leave(), *continues)
        if not (isinstance(node.test, ast.Constant) and node.test.value):
            builder.enter(fork.false)
            self.statements(node.orelse)
        builder.merge(builder.leave(), *breaks)

    def Break(self, node: ast.Break) -> None:
        end = self.builder.leave()
        if self.loops:
            self.loops[-1][0].append(end)

    def Continue(self, node: ast.Continue) -> None:
        end = self.builder.leave()
        if self.loops:
            self.loops[-1][1].append(end)

    def Try(self, node: Any) -> None:
        builder = self.builder
        if not self._affordable():
            return
        tried = builder.attempt()
        raised: list[Id] = []
        if node.handlers:
            self.tried.append(raised)
        for at, statement in enumerate(node.body):
            self.statements([statement])
            if at < _CHECKPOINTS or at == len(node.body) - 1:
                builder.checkpoint(tried)
        if node.handlers:
            self.tried.pop()
        self.statements(node.orelse)
        ends = [builder.leave()]
        for handler in node.handlers:
            if not self._caught(tried):
                break
            caught = () if handler.type is None else (self.expr(handler.type),)
            if handler.name:
                span = self.span(handler)
                error = builder.join("exception", caught, span)
                self.bind(handler.name, builder.phi((error, *raised), span), span)
            self.statements(handler.body)
            ends.append(builder.leave())
        builder.merge(*ends)
        if node.finalbody:
            if builder.current is None:
                # Everything left the `try`, so what follows it is not reached.
                self._caught(tried)
                self.statements(node.finalbody)
                builder.leave()
            else:
                self.statements(node.finalbody)

    TryStar = Try

    def _caught(self, tried: Any) -> bool:
        self.builder.handler(tried)
        # Several handlers start from the same state, so each gets its own block.
        self.builder.split()
        return self._affordable()

    def With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self.expr(item.context_expr)
            self.assume_returned(value)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value)
        self.statements(node.body)

    AsyncWith = With

    # ── match ─────────────────────────────────────────────────────────────────────────────────

    def Match(self, node: ast.Match) -> None:
        builder = self.builder
        subject = self.expr(node.subject)
        self.assume_returned(subject)
        self.counter += 1
        key = f"%{self.counter}"
        builder.write(key, subject)
        ends: list[Block | None] = []
        for case in node.cases[:_ELIFS]:
            here = builder.current
            if here is None or not self._affordable():
                break
            subject = here.env[key]
            binds: list[tuple[str, Id, Span]] = []
            test = self.pattern(case.pattern, subject, binds)
            missed: list[Block | None] = []
            if test is not None:
                fork = builder.branch(test)
                builder.enter(fork.false)
                missed.append(builder.leave())
                builder.enter(fork.true)
            for name, value, span in binds:
                current = builder.current
                if current is not None and value == subject:
                    value = current.env[key]
                self.bind(name, value, span)
            if case.guard is not None:
                guarded = builder.branch(self.condition(case.guard))
                builder.enter(guarded.false)
                missed.append(builder.leave())
                builder.enter(guarded.true)
            self.statements(case.body)
            ends.append(builder.leave())
            builder.merge(*missed)
        builder.merge(builder.leave(), *ends)

    # ── imports ───────────────────────────────────────────────────────────────────────────────

    def Import(self, node: ast.Import) -> None:
        span = self.span(node)
        for alias in node.names:
            resolved = self.file.resolve(alias.name)
            if alias.asname:
                value = self.builder.name(resolved, span, absolute=True)
                self.bind(alias.asname, value, span)
            else:
                top = top_of(alias.name, resolved)
                value = self.builder.name(top, span, absolute=True)
                self.bind(alias.name.partition(".")[0], value, span)

    def ImportFrom(self, node: ast.ImportFrom) -> None:
        builder = self.builder
        span = self.span(node)
        name = source_module(node, self.file)
        if name == "__future__":
            return
        module: Id | None = None
        for alias in node.names:
            place = self.span(alias)
            if alias.name == "*":
                self.file.module.stars.append(name)
                continue
            if not name:
                value = builder.name(alias.name, place, absolute=True)
            else:
                if module is None:
                    module = builder.name(name, span, absolute=True)
                value = builder.load(module, alias.name, place)
            self.bind(alias.asname or alias.name, value, place)

    # ── definitions ───────────────────────────────────────────────────────────────────────────

    def _whole(self, node: Any) -> Span:
        """The bytes of a definition with its decorators."""
        span = self.span(node)
        if not node.decorator_list:
            return span
        first = self.span(node.decorator_list[0]).start
        at = self.file.module.source.data.rfind(b"@", 0, first)
        return Span(span.file, at if 0 <= at < first else first, span.end)

    def FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        builder = self.builder
        span = self._whole(node)
        body_of = self.body_of
        plain: set[str] = set()
        others: list[ast.expr] = []
        for decorator in node.decorator_list:
            name = _dotted(decorator)
            if name in _CONSUMED or name == f"{node.name}.{name.rpartition('.')[2]}":
                plain.add(name)
            else:
                others.append(decorator)
        # A function that is not reached is never called with these values.
        reached = builder.current is not None
        callees = [self.expr(decorator) for decorator in others] if reached else []
        task = self.declare(node, node.name, span)
        accessor = any(name.endswith((".setter", ".deleter", ".getter")) for name in plain)
        if body_of is not None:
            task.owner = body_of.made.name
            task.static = "staticmethod" in plain
            if not accessor:
                body_of.made.methods[node.name] = task.name
            if plain & _PROPERTIES:
                body_of.properties.add(node.name)
        if not reached or (
            body_of is not None and not others and self.scope is None and not _has_values(node)
        ):
            return
        value = self.close_over(task, self.span(node))
        if body_of is not None and not others:
            builder.write(f"{self._class_key()}{node.name}", value)
            return
        for callee, decorator in zip(reversed(callees), reversed(others), strict=True):
            value = builder.call(callee, (value,), self.span(decorator), sort="decorator")
        self.bind(node.name, value, self.span(node))

    AsyncFunctionDef = FunctionDef

    def _class_key(self) -> str:
        body_of = self.body_of
        return "" if body_of is None else f".{body_of.closure}."

    def ClassDef(self, node: ast.ClassDef) -> None:
        builder = self.builder
        file = self.file
        span = self._whole(node)
        reached = builder.current is not None
        callees = [self.expr(decorator) for decorator in node.decorator_list] if reached else []
        bases = tuple(self.expr(base) for base in node.bases) if reached else ()
        for keyword in node.keywords if reached else ():
            self.expr(keyword.value)
        name = file.unique(self.prefix + node.name, span.start)
        made = Class(name, file.module.name, bases, self.function.name)
        made.start, made.end = span.start, span.end
        file.module.classes[name] = made
        closure = builder.closure(name, self.span(node))
        around = (self.body_of, self.keys, self.prefix, self.loops)
        self.body_of = ClassBody(made, closure)
        self.prefix = name.partition(":")[2] + "."
        self.loops = []
        inside = Scope()
        stored(node.body, inside)
        outside = {n: k for n, k in self.keys.items() if k[0] == "%"}
        own = {n: f".{closure}.{n}" for n in inside.bound if n not in inside.globals}
        self.keys = {**outside, **own}
        self.statements(node.body)
        if builder.current is not None:
            env = builder.current.env
            for ident, key in own.items():
                value = env.pop(key, None)
                if value is not None and ident not in made.methods:
                    made.defaults[ident] = value
        made.properties = frozenset(self.body_of.properties)
        self._own_fields(node, made)
        self.body_of, self.keys, self.prefix, self.loops = around
        result = closure
        for callee, decorator in zip(
            reversed(callees), reversed(node.decorator_list), strict=False
        ):
            result = builder.call(callee, (result,), self.span(decorator), sort="decorator")
        if reached:
            self.bind(node.name, result, self.span(node))

    def _own_fields(self, node: ast.ClassDef, made: Class) -> None:
        """Fields that methods declare as `self.x: T = …`."""
        if not _OWN_FIELD.search(self.file.module.source.data, made.start, made.end):
            return
        for method in node.body:
            if not isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            for at in ast.walk(method):
                if (
                    isinstance(at, ast.AnnAssign)
                    and isinstance(at.target, ast.Attribute)
                    and isinstance(at.target.value, ast.Name)
                    and at.target.value.id == "self"
                ):
                    annotation = type_expression(at.annotation, self.file.names)
                    if annotation is not None:
                        made.fields.setdefault(at.target.attr, annotation)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""


def _has_values(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a default value is more than a constant."""
    defaults = [*node.args.defaults, *node.args.kw_defaults]
    return any(d is not None and not isinstance(d, ast.Constant) for d in defaults)


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_STATEMENTS: dict[type[ast.stmt], Callable[[_Lowering, Any], None]] = {
    getattr(ast, name): method for name, method in vars(_Lowering).items() if name[0].isupper()
}
