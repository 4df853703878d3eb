"""Lowers JavaScript functions and classes: parameters, receivers, methods and fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tree_sitter import Node

from mcpward.core.finding import Skipped
from mcpward.core.source import SourceFile, Span
from mcpward.frontends.javascript_expressions import Expressions
from mcpward.frontends.javascript_flow import DEPTH
from mcpward.frontends.javascript_scopes import Frame, Scope, bound_names
from mcpward.frontends.javascript_types import type_expression
from mcpward.ir.values import Class, Function, Id, Module, TypeExpr

_FIELDS = frozenset({"field_definition", "public_field_definition"})


@dataclass(slots=True, eq=False)
class Pending:
    """What it takes to lower a function later."""

    lowering: Functions
    node: Node | None
    """`None`: the constructor that a class with initialisers has without writing it."""
    owner: Class | None = None
    static: bool = False
    fields: tuple[Node, ...] = ()
    lexical: bool = False


class Functions(Expressions):
    """Functions and classes of one file; their statements are lowered by the class built on it."""

    def __init__(
        self,
        source: SourceFile,
        module: Module,
        resolve: Callable[[str], str],
        notes: list[Skipped],
    ) -> None:
        """`resolve` turns an import specifier of this file into a module name."""
        super().__init__(source, module, resolve, notes)
        self.taken: set[str] = set()
        self.type_names: dict[str, str] = {}

    def block(self, kids: list[Node], after: Callable[[], None] | None = None) -> None:
        """Lowers statements in the scope that is open."""
        raise NotImplementedError

    def nested_block(self, node: Node) -> None:
        """Lowers statements in a scope of their own."""
        raise NotImplementedError

    def lower_pending(self, name: str, pending: Pending) -> None:
        """Lowers a function of the module with everything in it."""
        self.depth = 0
        self.unit = pending.node
        self._writes = None
        owner = pending.owner
        if pending.node is None:
            if owner is None:
                raise AssertionError
            self._synthetic_constructor(name, owner, pending.fields, None, -1)
        else:
            self._function(
                name,
                pending.node,
                None,
                -1,
                owner=owner,
                static=pending.static,
                fields=pending.fields,
                lexical=pending.lexical,
            )
        self._writes = None
        self.unit = None

    # ── functions ─────────────────────────────────────────────────────────────────────────────

    def fresh(self, hint: str, node: Node) -> str:
        """A name for a function or class that nothing else has."""
        outer = self.frame.function.name
        start = node.start_byte
        name = hint or f"<anonymous@{start}>"
        name = outer + name if self.frame.outermost else f"{outer}.{name}"
        if name in self.taken:
            name = f"{name}@{start}"
        self.taken.add(name)
        return name

    def function_value(self, node: Node, hint: str = "", *, lexical: bool = False) -> Id:
        """A closure; its function is lowered now, or becomes pending at module level."""
        own = ""
        if node.type in ("function_expression", "generator_function"):
            named = node.child_by_field_name("name")
            if named is not None:
                own = self.node_text(named)
        name = self.fresh(hint or own, node)
        at = self.b.closure(name, self.span(node))
        outer = self.scope
        if own and outer is not None:
            # The function knows itself by this name; nobody outside does.
            self.scope = Scope(self.frame, outer)
            variable = f"{own}@{node.start_byte}"
            self.scope.names[own] = variable
            self.b.write(variable, at)
        self.enqueue(name, node, at, lexical=lexical)
        self.scope = outer
        return at

    def enqueue(
        self,
        name: str,
        node: Node,
        closure: Id,
        *,
        owner: Class | None = None,
        static: bool = False,
        fields: tuple[Node, ...] = (),
        lexical: bool = False,
        extent: tuple[int, int] | None = None,
    ) -> None:
        if self.frame.outermost:
            pending = Pending(self, node, owner, static, fields, lexical)
            self.module.pending[name] = pending
            self.module.spans[name] = extent or (node.start_byte, node.end_byte)
        elif self.depth > DEPTH:
            self.too_deep(node)
        else:
            self.depth += 3
            self._function(
                name,
                node,
                self.frame,
                closure,
                owner=owner,
                static=static,
                fields=fields,
                lexical=lexical,
            )
            self.depth -= 3

    def _open(
        self,
        name: str,
        extent: tuple[int, int],
        parent: Frame | None,
        closure: Id,
        *,
        owner: Class | None,
        static: bool,
        lexical: bool,
    ) -> Frame:
        function = Function(name, self.module.name, start=extent[0], end=extent[1])
        function.parent = self.module.name + ":" if parent is None else parent.function.name
        if owner is not None:
            function.owner = owner.name
            function.static = static
        self.module.functions[name] = function
        frame = Frame(
            function, self.writes, parent=parent, closure=closure, lexical=lexical, owner=owner
        )
        self.frame = frame
        self.b = frame.builder
        self.scope = Scope(frame, self.scope if parent is not None else None)
        return frame

    def _function(
        self,
        name: str,
        node: Node,
        parent: Frame | None,
        closure: Id,
        *,
        owner: Class | None = None,
        static: bool = False,
        fields: tuple[Node, ...] = (),
        lexical: bool = False,
    ) -> None:
        saved = (self.frame if parent is not None else None, self.scope)
        start = node.start_byte
        end = node.end_byte
        arrow = node.type == "arrow_function"
        frame = self._open(
            name,
            (start, end),
            parent,
            closure,
            owner=owner,
            static=static,
            lexical=arrow or lexical,
        )
        function = frame.function
        b = self.b
        scope = self.scope
        if scope is None:
            raise AssertionError
        parameters = node.child_by_field_name("parameters")
        body = node.child_by_field_name("body")
        head_end = start if body is None else body.start_byte
        if parameters is not None:
            head_end = parameters.start_byte
        head = self._text[start : min(head_end, start + 200)].replace("*", " * ").split()
        function.asynchronous = "async" in head[:6]
        function.generator = "*" in head[:8]
        if lexical:
            frame.awaiting = True
            function.asynchronous = True
            function.generator = False
        data = self.source.data
        span = Span(self.file, start, start)
        if not frame.lexical and not static:
            method = owner is not None
            if (
                method
                or data.find(b"this", start, end) >= 0
                or data.find(b"super", start, end) >= 0
            ):
                frame.receiver = b.param("this", span, sort="receiver")
        if parent is None and node.type == "function_expression":
            named = node.child_by_field_name("name")
            if named is not None:
                own = self.node_text(named)
                scope.names[own] = own
                b.write(own, b.closure(name, span))
        self._parameters(frame, node, parameters)
        if not frame.lexical and data.find(b"arguments", start, end) >= 0 and not frame.variadic():
            b.param("arguments", span, sort="args")
        if data.find(b"var", start, end) >= 0:
            hoisted = self.writes().hoisted(start)
            names = scope.names
            for var in hoisted:
                if var in names:
                    frame.loose.add(var)
                else:
                    names[var] = var
                    if not self._var_once(var, hoisted):
                        frame.loose.add(var)
        for field in fields:
            self._initialise(field)
        if body is None:
            pass
        elif body.type == "statement_block":
            self.block(body.named_children)
        else:
            b.ret(self.expr(body), self.span(body))
        if b.current is not None:
            at = Span(self.file, end, end)
            b.ret(b.const(None, at), at)
        if saved[0] is not None:
            self.frame = saved[0]
            self.b = saved[0].builder
        self.scope = saved[1]

    def _var_once(self, var: str, hoisted: list[str]) -> bool:
        if len(hoisted) > 200:
            return False
        return hoisted.count(var) == 1

    def _parameters(self, frame: Frame, node: Node, parameters: Node | None) -> None:
        b = self.b
        scope = self.scope
        if scope is None:
            raise AssertionError
        if parameters is None:
            single = node.child_by_field_name("parameter")
            if single is not None:
                name = self.node_text(single)
                scope.names[name] = name
                b.param(name, self.span(single))
            return
        later: list[tuple[Node, Id, Node | None]] = []
        position = 0
        for kid in parameters.named_children:
            kind = kid.type
            if kind == "identifier":
                name = self.node_text(kid)
                scope.names[name] = name
                b.param(name, self.span(kid))
                position += 1
                continue
            default: Node | None = None
            annotation: TypeExpr | None = None
            pattern = kid
            property_ = False
            if kind in ("required_parameter", "optional_parameter"):
                inner = kid.child_by_field_name("pattern")
                if inner is None or inner.type == "this":
                    continue
                pattern = inner
                default = kid.child_by_field_name("value")
                declared = kid.child_by_field_name("type")
                if declared is not None:
                    annotation = self._type(declared)
                first = kid.named_children[0].type if kid.start_byte < inner.start_byte else ""
                property_ = first in ("accessibility_modifier", "override_modifier") or (
                    kid.start_byte < inner.start_byte
                    and "readonly" in self._text[kid.start_byte : inner.start_byte]
                )
            elif kind == "assignment_pattern":
                pair = kid.named_children
                if len(pair) > 1:
                    pattern, default = pair[0], pair[-1]
            elif kind in ("comment", "decorator", "ERROR"):
                continue
            sort = "plain"
            if pattern.type == "rest_pattern":
                sort = "args"
                inner_kids = pattern.named_children
                if inner_kids:
                    pattern = inner_kids[-1]
            plain = pattern.type == "identifier"
            name = self.node_text(pattern) if plain else f"<{position}>"
            at = b.param(name, self.span(pattern), sort=sort, annotation=annotation)
            position += 1
            for bound in bound_names(pattern):
                text = self.node_text(bound)
                scope.names[text] = text
            if default is not None or not plain:
                later.append((pattern, at, default))
            if property_ and plain and frame.receiver is not None:
                span = self.span(pattern)
                b.store(frame.receiver, name, at, span)
                if annotation is not None and frame.owner is not None:
                    frame.owner.fields[name] = annotation
        for pattern, at, default in later:
            value = at
            if default is not None:
                other = self.named(default, self._hint(pattern))
                value = b.phi((at, other), self.span(pattern))
            self.bind(pattern, value)

    # ── types ─────────────────────────────────────────────────────────────────────────────────

    def _type(self, node: Node) -> TypeExpr:
        return type_expression(node, self.node_text, self._qualify)

    def _qualify(self, name: str) -> str:
        return self.type_names.get(name, name)

    # ── classes ───────────────────────────────────────────────────────────────────────────────

    def class_value(self, node: Node, hint: str = "") -> Id:
        """A closure of the class; its methods are lowered now or become pending."""
        kids = node.named_children
        body = kids[-1] if kids else None
        named = node.child_by_field_name("name")
        if named is not None:
            hint = self.node_text(named)
        name = self.fresh(hint, node)
        bases: list[Id] = []
        decorators: list[Id] = []
        for kid in kids:
            if kid.type == "class_heritage":
                bases += self._bases(kid)
            elif kid.type == "decorator":
                decorators.append(self._decorator(kid))
        at = self.b.closure(name, self.span(node))
        made = Class(
            name,
            self.module.name,
            tuple(bases),
            self.frame.function.name,
            start=node.start_byte,
            end=node.end_byte,
        )
        self.module.classes[name] = made
        if named is not None and node.type == "class" and self.scope is not None:
            # A named class expression knows itself; the name is not visible outside.
            self.scope = Scope(self.frame, self.scope)
            self.scope.names[hint] = f"{hint}@{node.start_byte}"
            self.b.write(f"{hint}@{node.start_byte}", at)
            self._class_body(made, body, at)
            self.scope = self.scope.outer
        else:
            self._class_body(made, body, at)
        for decorator in decorators:
            self.b.call(decorator, (at,), self.span(node), sort="decorator")
        return at

    def _bases(self, heritage: Node) -> list[Id]:
        kids = heritage.named_children
        if not kids or kids[0].type == "implements_clause":
            return []
        first = kids[0]
        if first.type == "extends_clause":
            inner = first.named_children
            return [self.expr(inner[0])] if inner else []
        return [self.expr(first)]

    def _decorator(self, node: Node) -> Id:
        kids = node.named_children
        return self.expr(kids[0]) if kids else self.unknown(node)

    def _class_body(self, made: Class, body: Node | None, closure: Id) -> None:
        if body is None or body.type != "class_body":
            return
        members = body.named_children
        fields: list[Node] = []
        constructor: Node | None = None
        decorators: list[Node] = []
        properties: set[str] = set()
        for member in members:
            kind = member.type
            if kind == "decorator":
                decorators.append(member)
                continue
            if kind == "method_definition":
                if self._is_constructor(member):
                    constructor = member
                else:
                    own = [k for k in member.named_children if k.type == "decorator"]
                    self._method(made, member, decorators + own, properties)
            elif kind in _FIELDS:
                self._field(made, member, fields, closure)
            elif kind == "class_static_block":
                self._static(made, closure, member)
            if kind != "comment":
                decorators = []
        made.properties = frozenset(properties)
        extent = (body.start_byte, body.end_byte) if fields else None
        if constructor is not None:
            name = f"{made.name}.constructor"
            self.taken.add(name)
            made.methods["constructor"] = name
            at = -1
            if not self.frame.outermost:
                at = self.b.closure(name, self.span(constructor))
            self.enqueue(name, constructor, at, owner=made, fields=tuple(fields), extent=extent)
        elif fields:
            name = f"{made.name}.constructor"
            self.taken.add(name)
            made.methods["constructor"] = name
            if self.frame.outermost:
                self.module.pending[name] = Pending(self, None, made, fields=tuple(fields))
                self.module.spans[name] = (body.start_byte, body.end_byte)
            else:
                at = self.b.closure(name, self.span(body))
                self._synthetic_constructor(name, made, tuple(fields), self.frame, at)

    def _is_constructor(self, member: Node) -> bool:
        named = member.child_by_field_name("name")
        return named is not None and self.node_text(named) == "constructor"

    def _head(self, member: Node, named: Node) -> list[str]:
        """The modifiers before the name of a member."""
        text = self._text[max(member.start_byte, named.start_byte - 100) : named.start_byte]
        return text.split()

    def _method(
        self,
        made: Class,
        member: Node,
        decorators: list[Node],
        properties: set[str],
    ) -> None:
        named = member.child_by_field_name("name")
        if named is None:
            return
        head = self._head(member, named)
        static = "static" in head
        field, _ = self.key(named)
        if field == "*":
            field = f"<anonymous@{member.start_byte}>"
        key = field
        if "get" in head:
            properties.add(field)
        elif "set" in head:
            key = f"set {field}"
        name = f"{made.name}.{key}"
        if name in self.taken:
            name = f"{name}@{member.start_byte}"
        self.taken.add(name)
        if not (static and key in made.methods):
            made.methods[key] = name
        at = -1
        if decorators or not self.frame.outermost:
            at = self.b.closure(name, self.span(member))
        self.enqueue(name, member, at, owner=made, static=static)
        for decorator in decorators:
            value = self._decorator(decorator)
            self.b.call(value, (at,), self.span(member), sort="decorator")

    def _field(self, made: Class, member: Node, fields: list[Node], closure: Id) -> None:
        kids = [k for k in member.named_children if k.type not in ("decorator", "comment")]
        named = member.child_by_field_name("name") or member.child_by_field_name("property")
        if named is None or not kids:
            return
        declared = member.child_by_field_name("type")
        if declared is not None:
            made.fields[self.node_text(named)] = self._type(declared)
        value = member.child_by_field_name("value")
        if value is None:
            return
        if "static" in self._head(member, named):
            self._with_this(closure, lambda: self._store_field(named, value, closure))
        else:
            fields.append(member)

    def _store_field(self, named: Node, value: Node, owner: Id) -> None:
        field, key = self.key(named)
        made = self.named(value, "" if field == "*" else field)
        self.b.store(owner, field, made, self.span(named), key=key)

    def _with_this(self, this: Id, run: Callable[[], object]) -> None:
        saved = self.this_value, self.this_frame
        self.this_value, self.this_frame = this, self.frame
        run()
        self.this_value, self.this_frame = saved

    def _static(self, made: Class, closure: Id, member: Node) -> None:
        body = member.child_by_field_name("body")
        if body is not None:
            self._with_this(closure, lambda: self.nested_block(body))

    def _initialise(self, field: Node) -> None:
        named = field.child_by_field_name("name") or field.child_by_field_name("property")
        value = field.child_by_field_name("value")
        receiver = self.frame.receiver
        if named is not None and value is not None and receiver is not None:
            self._store_field(named, value, receiver)

    def _synthetic_constructor(
        self,
        name: str,
        owner: Class,
        fields: tuple[Node, ...],
        parent: Frame | None,
        closure: Id,
    ) -> None:
        saved = (self.frame if parent is not None else None, self.scope)
        if parent is None:
            self.unit = fields[0].parent
        extent = (fields[0].start_byte, fields[-1].end_byte)
        frame = self._open(name, extent, parent, closure, owner=owner, static=False, lexical=False)
        b = self.b
        span = Span(self.file, extent[0], extent[0])
        frame.receiver = this = b.param("this", span, sort="receiver")
        if owner.bases:
            rest = b.param("arguments", span, sort="args")
            callee = b.method(this, "constructor", span)
            b.call(callee, (rest,), span, receiver=this, spread=0, sort="super")
        for field in fields:
            self._initialise(field)
        b.ret(b.const(None, span), span)
        if saved[0] is not None:
            self.frame = saved[0]
            self.b = saved[0].builder
        self.scope = saved[1]
