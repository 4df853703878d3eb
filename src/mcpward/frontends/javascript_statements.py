"""Lowers JavaScript statements that steer control: branches, loops, `switch`, `try`, jumps."""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from mcpward.core.finding import Skipped
from mcpward.core.source import SourceFile, Span
from mcpward.frontends.javascript_flow import DEPTH, SLOW
from mcpward.frontends.javascript_functions import Functions
from mcpward.frontends.javascript_scopes import LEXICAL, Scope, Target, bound_names
from mcpward.ir.builder import Attempt, Block
from mcpward.ir.values import Id, Module

_LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})
_EXITS = frozenset({b"process.exit", b"Deno.exit"})


class Statements(Functions):
    """Statements of one file; declarations are lowered by the class built on it."""

    def __init__(
        self,
        source: SourceFile,
        module: Module,
        resolve: Callable[[str], str],
        notes: list[Skipped],
    ) -> None:
        """`resolve` turns an import specifier of this file into a module name."""
        super().__init__(source, module, resolve, notes)
        self.statements: dict[str, Callable[[Node], None]] = {
            name[2:]: getattr(self, name) for name in dir(self) if name.startswith("s_")
        }
        self._label = ""

    def declare(self, name: str, start: int) -> None:
        """Makes a name a variable of the innermost scope."""
        scope = self.scope
        if scope is None or name in scope.names:
            return
        variable = name
        if scope.inner and scope.outer is not None and scope.outer.find(name) is not None:
            variable = f"{name}@{start}"
        scope.names[name] = variable

    def declare_all(self, declaration: Node) -> None:
        for declarator in declaration.named_children:
            kids = declarator.named_children
            if declarator.type == "variable_declarator" and kids:
                for bound in bound_names(kids[0]):
                    self.declare(self.node_text(bound), bound.start_byte)

    def nested_block(self, node: Node) -> None:
        self.in_scope(lambda: self.block(node.named_children))

    def in_scope(self, run: Callable[[], object]) -> None:
        outer = self.scope
        if outer is not None:
            self.scope = Scope(self.frame, outer, inner=True)
        run()
        self.scope = outer

    def statement(self, node: Node | None) -> None:
        """One statement that is the body of another."""
        if node is None or self.b.current is None:
            return
        if node.type == "statement_block":
            if self.depth > DEPTH:
                self.too_deep(node)
                return
            self.depth += 1
            self.nested_block(node)
            self.depth -= 1
        else:
            self.in_scope(lambda: self.block([node]))

    def s_statement_block(self, node: Node) -> None:
        self.nested_block(node)

    # ── simple statements ─────────────────────────────────────────────────────────────────────

    def s_expression_statement(self, node: Node) -> None:
        kids = node.named_children
        if not kids:
            return
        inner = kids[0]
        self.effects(inner)
        if inner.type == "call_expression":
            callee = inner.named_children[0]
            if callee.end_byte - callee.start_byte < 16:
                text = self.source.data[callee.start_byte : callee.end_byte]
                if text in _EXITS:
                    self.b.leave()

    def s_return_statement(self, node: Node) -> None:
        kids = node.named_children
        span = self.span(node)
        if kids and kids[0].type != "comment":
            value = self.expr(kids[0])
        else:
            value = self.b.const(None, span)
        if self.frame.outermost:
            self.b.leave()
        else:
            self.b.ret(value, span)

    def s_throw_statement(self, node: Node) -> None:
        tried = self.frame.tried
        for kid in node.named_children:
            value = self.expr(kid)
            if tried:
                tried[-1].append(value)
        self.b.leave()

    def s_break_statement(self, node: Node) -> None:
        target = self._target(node, loop=False)
        end = self.b.leave()
        if target is not None:
            target.breaks.append(end)

    def s_continue_statement(self, node: Node) -> None:
        target = self._target(node, loop=True)
        end = self.b.leave()
        if target is not None:
            target.continues.append(end)

    def _target(self, node: Node, *, loop: bool) -> Target | None:
        kids = node.named_children
        label = self.node_text(kids[0]) if kids and kids[0].type == "statement_identifier" else ""
        for target in reversed(self.frame.targets):
            if label:
                if target.label == label:
                    return target
            elif target.loop or (not loop and not target.label):
                return target
        return None

    def s_labeled_statement(self, node: Node) -> None:
        kids = node.named_children
        if len(kids) < 2:
            return
        label = self.node_text(kids[0])
        body = kids[-1]
        if body.type in _LOOPS:
            self._label = label
            self.statement(body)
            return
        target = Target(label, loop=False)
        self.frame.targets.append(target)
        self.statement(body)
        self.frame.targets.pop()
        self.merge(self.b.leave(), *target.breaks)

    def s_if_statement(self, node: Node) -> None:
        b = self.b
        ends: list[Block | None] = []
        while True:
            test = node.child_by_field_name("condition")
            then = node.child_by_field_name("consequence")
            other = node.child_by_field_name("alternative")
            if test is None:
                break
            _, true, false = self.condition(test)
            b.enter(true)
            self.statement(then)
            ends.append(b.leave())
            b.enter(false)
            if other is None:
                break
            kids = other.named_children
            if not kids:
                break
            if kids[-1].type != "if_statement":
                self.statement(kids[-1])
                break
            node = kids[-1]
        ends.append(b.leave())
        self.merge(*ends)

    def s_with_statement(self, node: Node) -> None:
        kids = node.named_children
        if len(kids) > 1:
            self.expr(kids[0])
            self.statement(kids[-1])

    # ── loops ─────────────────────────────────────────────────────────────────────────────────

    def _loop(
        self,
        node: Node,
        test: Node | None,
        body: Callable[[], object],
        step: Callable[[], object] | None = None,
        *,
        first: bool = False,
        endless: bool = False,
    ) -> None:
        """Any loop; `first`: the body runs before the test."""
        b = self.b
        target = Target(self._label, loop=True)
        self._label = ""
        loop = b.loop(self._assigned(node))
        exits: list[Block | None] = []
        if not first:
            if test is not None:
                _, true, false = self.condition(test)
                b.enter(true)
                exits.append(false)
            elif not endless:
                exits.append(b.split())
        self.frame.targets.append(target)
        body()
        self.frame.targets.pop()
        self.merge(b.leave(), *target.continues)
        if step is not None and b.current is not None:
            step()
        if first and test is not None and b.current is not None:
            _, true, false = self.condition(test)
            exits.append(false)
            b.enter(true)
        b.close(loop, b.leave())
        left: list[Block | None] = []
        for block in exits:
            if block is not None:
                b.enter(block)
                left.append(b.leave())
        self.merge(*left, *target.breaks)

    def _assigned(self, node: Node) -> list[str]:
        """The variables that a loop assigns; those without a value yet get one."""
        names: list[str] = []
        span = Span(self.file, node.start_byte, node.start_byte)
        for name in self.writes().within(node.start_byte, node.end_byte):
            if self.scope is None:
                names.append(name)
                continue
            found = self.scope.find(name)
            if found is None or found[0] is not self.frame:
                continue
            variable = found[1]
            names.append(variable)
            if self.b.read(variable) is None and variable not in self.frame.spilled:
                self.b.write(variable, self.b.unknown(span))
        return names

    def _test(self, node: Node) -> tuple[Node | None, bool]:
        """The test of a loop, and whether there is none to fail."""
        inner = node
        while inner.type in ("parenthesized_expression", "expression_statement"):
            kids = inner.named_children
            if not kids:
                return None, True
            inner = kids[0]
        text = self._text[inner.start_byte : inner.start_byte + 5]
        if inner.type in ("empty_statement", "true") or text in (";", "!0)"):
            return None, True
        if inner.type == "number" and self.node_text(inner) == "1":
            return None, True
        return inner, False

    def s_while_statement(self, node: Node) -> None:
        test = node.child_by_field_name("condition")
        body = node.child_by_field_name("body")
        inner, endless = (None, True) if test is None else self._test(test)
        self._loop(node, inner, lambda: self.statement(body), endless=endless)

    def s_do_statement(self, node: Node) -> None:
        test = node.child_by_field_name("condition")
        body = node.child_by_field_name("body")
        inner = None if test is None else self._test(test)[0]
        self._loop(node, inner, lambda: self.statement(body), first=True)

    def s_for_statement(self, node: Node) -> None:
        self.in_scope(lambda: self._for(node))

    def _for(self, node: Node) -> None:
        start = node.child_by_field_name("initializer")
        test = node.child_by_field_name("condition")
        step = node.child_by_field_name("increment")
        body = node.child_by_field_name("body")
        if start is not None:
            if start.type in LEXICAL and self.scope is not None:
                self.declare_all(start)
            statement = self.statements.get(start.type)
            if statement is not None:
                statement(start)
            else:
                self.effects(start)
        inner, endless = (None, True) if test is None else self._test(test)
        self._loop(
            node,
            inner,
            lambda: self.statement(body),
            None if step is None else (lambda: self.effects(step)),
            endless=endless,
        )

    def s_for_in_statement(self, node: Node) -> None:
        self.in_scope(lambda: self._for_in(node))

    def _for_in(self, node: Node) -> None:
        b = self.b
        left = node.child_by_field_name("left")
        right = node.child_by_field_name("right")
        body = node.child_by_field_name("body")
        operator = node.child_by_field_name("operator")
        if left is None or right is None:
            return
        source = self.expr(right)
        span = self.span(left)
        if operator is not None and operator.type == "in":
            keys = b.name("Object", self.span(right))
            callee = b.method(keys, "keys", self.span(right))
            source = b.call(callee, (source,), self.span(right), receiver=keys)
        if node.child_by_field_name("kind") is not None and self.scope is not None:
            for bound in bound_names(left):
                self.declare(self.node_text(bound), bound.start_byte)

        def run() -> None:
            self.bind(left, b.load(source, "*", span))
            self.statement(body)

        self._loop(node, None, run)

    # ── switch and try ────────────────────────────────────────────────────────────────────────

    def s_switch_statement(self, node: Node) -> None:
        self.in_scope(lambda: self._switch(node))

    def _switch(self, node: Node) -> None:
        b = self.b
        subject = node.child_by_field_name("value")
        body = node.child_by_field_name("body")
        if subject is None or body is None:
            return
        inner = subject.named_children
        always = bool(inner) and inner[0].type == "true"
        value = self.expr(subject)
        cases = [k for k in body.named_children if k.type in ("switch_case", "switch_default")]
        entries: list[Block | None] = []
        for case in cases:
            tested = case.child_by_field_name("value")
            if case.type == "switch_default" or tested is None:
                entries.append(None)
                continue
            given = self.expr(tested)
            test = given if always else b.compare("==", (value, given), self.span(tested))
            header = b.current
            fork = self.fork(test)
            entries.append(fork.true)
            # All tests see the subject as it was: what it is not helps nobody.
            b.current = header
        missed = b.leave()
        target = Target("", loop=False)
        self.frame.targets.append(target)
        end: Block | None = None
        default = False
        for case, entry in zip(cases, entries, strict=True):
            if entry is None:
                default = True
                if missed is not None:
                    b.enter(Block(missed.number, missed.env, None))
                    if b.current is not None:
                        b.current.condition = missed.condition
            else:
                b.enter(entry)
            if end is not None:
                self.merge(end, b.leave())
            tested = case.child_by_field_name("value")
            kids = case.named_children
            self.block(kids[1:] if tested is not None else kids)
            end = b.leave()
        self.frame.targets.pop()
        self.merge(end, *target.breaks, None if default else missed)

    def s_try_statement(self, node: Node) -> None:
        b = self.b
        body = node.child_by_field_name("body")
        handler = node.child_by_field_name("handler")
        finalizer = node.child_by_field_name("finalizer")
        tried = b.attempt()
        thrown: list[Id] = []
        if handler is not None:
            self.frame.tried.append(thrown)
        if body is not None:
            kids = body.named_children
            self.in_scope(lambda: self.block(kids, lambda: self._checkpoint(tried)))
        if handler is not None:
            self.frame.tried.pop()
        end = b.leave()
        if handler is not None:
            b.current = None
            states = list(tried.states)
            self.merge(*states)
            self.in_scope(lambda: self._catch(handler, thrown))
            self.merge(end, b.leave())
        else:
            self.merge(end)
        if finalizer is not None:
            over = b.current is None
            if over:
                self.merge(*tried.states)
            inner = finalizer.child_by_field_name("body")
            if inner is not None:
                self.statement(inner)
            if over:
                b.leave()

    def _checkpoint(self, tried: Attempt) -> None:
        """Notes that the statement may have thrown; in a huge body only now and then."""
        here = self.b.current
        if here is not None:
            frame = self.frame
            frame.tests += 1
            frame.copied += len(here.env)
            if frame.copied < SLOW or frame.tests % 64 == 0:
                self.b.checkpoint(tried)

    def _catch(self, handler: Node, thrown: list[Id]) -> None:
        parameter = handler.child_by_field_name("parameter")
        body = handler.child_by_field_name("body")
        if parameter is not None:
            if self.scope is not None:
                for bound in bound_names(parameter):
                    self.declare(self.node_text(bound), bound.start_byte)
            span = self.span(parameter)
            error = self.b.join("exception", (), span)
            self.bind(parameter, self.b.phi((error, *thrown), span))
        if body is not None:
            self.statement(body)
