"""Lowers JavaScript, TypeScript and TSX files: blocks, declarations, imports, exports."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tree_sitter import Node, Parser

from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.source import Language, SourceFile, Span
from mcpward.frontends.javascript_flow import DEPTH
from mcpward.frontends.javascript_functions import Pending
from mcpward.frontends.javascript_scopes import LEXICAL, Frame, bound_names, grammar
from mcpward.frontends.javascript_statements import Statements
from mcpward.ir.values import Function, Id, Module

_FUNCTION_DECLARATIONS = frozenset({"function_declaration", "generator_function_declaration"})
_CLASS_DECLARATIONS = frozenset({"class_declaration", "abstract_class_declaration"})
_NAMED = _FUNCTION_DECLARATIONS | _CLASS_DECLARATIONS | {"enum_declaration"}
_TYPES = _CLASS_DECLARATIONS | {
    "interface_declaration",
    "type_alias_declaration",
    "enum_declaration",
}


def parse(
    source: SourceFile,
    name: str,
    *,
    resolve: Callable[[str], str],
    notes: list[Skipped],
) -> Module | Skipped:
    """Reads a file and lowers its module body; `resolve` names the modules it imports."""
    root = _parser(source.language).parse(source.data).root_node
    if root.has_error:
        line = source.line_of(_first_error(root))
        reason = f"syntax error at line {line}; the rest was analysed"
        notes.append(Skipped(source.path, SkipKind.UNPARSABLE, reason))
    module = Module(name, source)
    lowering = Lowering(source, module, resolve, notes)
    try:
        lowering.lower_module(root)
    except RecursionError:
        lowering.too_deep(root)
    return module


def lower(module: Module, function: str) -> None:
    """Lowers a pending function of a module, and all functions in it."""
    pending = module.pending.get(function)
    if not isinstance(pending, Pending):
        return
    try:
        pending.lowering.lower_pending(function, pending)
    except RecursionError:
        if pending.node is not None:
            pending.lowering.too_deep(pending.node)


@cache
def _parser(language: Language) -> Parser:
    return Parser(grammar(language))


def _first_error(root: Node) -> int:
    """The offset of the first place that the grammar could not read."""
    node = root
    while node.type != "ERROR" or node is root:
        following = next((k for k in node.children if k.has_error or k.is_missing), None)
        if following is None:
            break
        node = following
    return node.start_byte


class Lowering(Statements):
    """One file: the module body at once, the functions of the module when they are asked for."""

    def __init__(
        self,
        source: SourceFile,
        module: Module,
        resolve: Callable[[str], str],
        notes: list[Skipped],
    ) -> None:
        """`resolve` turns an import specifier of this file into a module name."""
        super().__init__(source, module, resolve, notes)
        self._exported: list[tuple[str, str, Span]] = []
        self._namespace: Id | None = None

    # ── the module ────────────────────────────────────────────────────────────────────────────

    def lower_module(self, root: Node) -> None:
        """Lowers the module body; functions become pending."""
        function = Function(self.module.name + ":", self.module.name, end=root.end_byte)
        self.module.functions[function.name] = function
        self.taken.add(function.name)
        self.unit = root
        frame = Frame(function, self.writes)
        frame.outermost = True
        self.frame = frame
        self.b = frame.builder
        self.scope = None
        self.block(root.named_children)
        exports = -1
        for local, name, span in self._exported:
            value = self.b.read(local)
            if exports < 0:
                exports = self.b.name("<exports>", span)
            if value is None:
                value = self.b.name(local, span)
            self.b.store(exports, name, value, span)

    # ── blocks ────────────────────────────────────────────────────────────────────────────────

    def block(self, kids: list[Node], after: Callable[[], None] | None = None) -> None:
        """Statements in the scope that is open, with what they declare."""
        kinds = [kid.type for kid in kids]
        functions: list[tuple[Node, Id, str]] = []
        outermost = self.frame.outermost
        for kind, kid in zip(kinds, kids, strict=True):
            if kind in LEXICAL:
                if not outermost:
                    self.declare_all(kid)
                continue
            exported = ""
            if kind == "export_statement":
                inner = kid.child_by_field_name("declaration")
                if inner is None:
                    continue
                exported = "default" if _has_child(kid, "default") else "="
                kid = inner
                kind = inner.type
            elif kind == "ambient_declaration":
                continue
            if kind not in _NAMED and kind not in _TYPES:
                continue
            named = kid.child_by_field_name("name")
            if named is None:
                continue
            name = self.node_text(named)
            if outermost and kind in _TYPES:
                self.type_names[name] = f"{self.module.name}.{name}"
            if kind in _NAMED:
                self.declare(name, named.start_byte)
            if kind in _FUNCTION_DECLARATIONS:
                target = self.fresh(name, kid)
                at = self.b.closure(target, self.span(kid))
                self.assign(name, at, self.span(named))
                if exported:
                    self._export(name if exported == "=" else exported, at, self.span(named))
                functions.append((kid, at, target))
        for kid, at, target in functions:
            self.enqueue(target, kid, at)
        statements = self.statements
        b = self.b
        for kind, kid in zip(kinds, kids, strict=True):
            statement = statements.get(kind)
            if statement is not None:
                if b.current is None:
                    return
                if self.depth > DEPTH:
                    self.too_deep(kid)
                    return
                self.depth += 1
                statement(kid)
                self.depth -= 1
                if after is not None:
                    after()

    # ── declarations ──────────────────────────────────────────────────────────────────────────

    def s_lexical_declaration(self, node: Node) -> None:
        for declarator in node.named_children:
            if declarator.type == "variable_declarator":
                self._declarator(declarator, lexical=True)

    s_using_declaration = s_lexical_declaration

    def s_variable_declaration(self, node: Node) -> None:
        for declarator in node.named_children:
            if declarator.type == "variable_declarator":
                self._declarator(declarator, lexical=False)

    def _declarator(self, node: Node, *, lexical: bool) -> None:
        kids = node.named_children
        if not kids:
            return
        target = kids[0]
        last = kids[-1]
        if last is target or last.type == "type_annotation":
            if self.frame.outermost or not lexical:
                return
            name = self.node_text(target)
            variable = self.scope.names.get(name) if self.scope is not None else None
            if variable is not None:
                self.frame.loose.add(variable)
                self.assign(name, self.unknown(target), self.span(target))
            return
        value = self.named(last, self.node_text(target) if target.type == "identifier" else "")
        if self.b.current is not None:
            self.settle(last, value)
            self.bind(target, value)

    def s_function_declaration(self, node: Node) -> None:
        return

    s_generator_function_declaration = s_function_declaration

    def s_class_declaration(self, node: Node) -> None:
        self._class_statement(node)

    s_abstract_class_declaration = s_class_declaration

    def _class_statement(self, node: Node) -> Id:
        at = self.class_value(node)
        named = node.child_by_field_name("name")
        if named is not None:
            self.assign(self.node_text(named), at, self.span(named))
        return at

    def s_enum_declaration(self, node: Node) -> None:
        named = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        if named is None or body is None:
            return
        fields: list[tuple[str, Id]] = []
        for number, member in enumerate(body.named_children):
            if member.type == "enum_assignment":
                kids = member.named_children
                if kids:
                    fields.append((self.key(kids[0])[0], self.expr(kids[-1])))
            elif member.type != "comment":
                fields.append((self.key(member)[0], self.const(number, member)))
        at = self.b.record("object", fields, self.span(node))
        self.assign(self.node_text(named), at, self.span(named))

    def inline(self, node: Node) -> None:
        """A namespace: an object whose fields are what its body exports."""
        named = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        if named is None or body is None:
            return
        name = self.node_text(named).partition(".")[0]
        at = self.b.record("object", (), self.span(named))
        self.declare(name, named.start_byte)
        self.assign(name, at, self.span(named))
        saved = self._namespace
        self._namespace = at
        self.nested_block(body)
        self._namespace = saved

    def s_internal_module(self, node: Node) -> None:
        self.inline(node)

    def s_import_alias(self, node: Node) -> None:
        kids = node.named_children
        if len(kids) > 1:
            value: Id | None = None
            for part in self.node_text(kids[-1]).split("."):
                span = self.span(kids[-1])
                if value is None:
                    value = self.read(part, span.start, span.end)
                else:
                    value = self.b.load(value, part, span)
            if value is not None:
                self.assign(self.node_text(kids[0]), value, self.span(kids[0]))

    # ── imports and exports ───────────────────────────────────────────────────────────────────

    def s_import_statement(self, node: Node) -> None:
        source = node.child_by_field_name("source")
        clause: Node | None = None
        typed = False
        for kid in node.children:
            kind = kid.type
            if kind in ("type", "typeof"):
                typed = True
            elif kind == "import_require_clause":
                kids = kid.named_children
                if len(kids) > 1 and kids[-1].type == "string":
                    module = self._module(kids[-1])
                    self.assign(self.node_text(kids[0]), module, self.span(kids[0]))
                    self.type_names[self.node_text(kids[0])] = self._specifier(kids[-1])
                return
            elif kind == "import_clause":
                clause = kid
        if source is None or clause is None:
            return
        specifier = self._specifier(source)
        module = -1 if typed else self._module(source)
        for kid in clause.named_children:
            kind = kid.type
            if kind == "identifier":
                self._import(kid, kid, "default", specifier, module)
            elif kind == "namespace_import":
                kids = kid.named_children
                if kids:
                    name = self.node_text(kids[-1])
                    self.type_names[name] = specifier
                    if not typed:
                        self.assign(name, module, self.span(kids[-1]))
            elif kind == "named_imports":
                for one in kid.named_children:
                    kids = one.named_children
                    if one.type == "import_specifier" and kids:
                        head = self._text[one.start_byte : kids[0].start_byte]
                        wanted = -1 if head.startswith("type") else module
                        self._import(kids[0], kids[-1], "", specifier, wanted)

    def _import(self, name: Node, local: Node, field: str, specifier: str, module: Id) -> None:
        if not field:
            field = self.string(name) if name.type == "string" else self.node_text(name)
        text = self.node_text(local)
        self.type_names[text] = f"{specifier}.{field}"
        if module >= 0:
            self.assign(text, self.b.load(module, field, self.span(name)), self.span(local))

    def _specifier(self, source: Node) -> str:
        return self.resolve(self.string(source))

    def _module(self, source: Node) -> Id:
        return self.b.name(self._specifier(source), self.span(source), absolute=True)

    def _export(self, name: str, value: Id, span: Span) -> None:
        """Makes a value visible to importers, or a field of the namespace around."""
        owner = self._namespace
        if owner is None:
            owner = self.b.name("<exports>", span)
        self.b.store(owner, name, value, span)

    def s_export_statement(self, node: Node) -> None:
        source = node.child_by_field_name("source")
        declaration = node.child_by_field_name("declaration")
        default = False
        decorators: list[Id] = []
        for kid in node.children:
            kind = kid.type
            if kind == "default":
                default = True
            elif kind == "type":
                return
            elif kind == "decorator":
                decorators.append(self._decorator(kid))
            elif kind == "export_clause":
                self._export_clause(kid, source)
                return
            elif kind == "namespace_export" and source is not None:
                kids = kid.named_children
                if kids:
                    name = self.node_text(kids[-1])
                    self._export(name, self._module(source), self.span(kid))
                return
            elif kind == "*" and source is not None:
                self.module.stars.append(self._specifier(source))
                return
            elif kind == "=":
                kids = node.named_children
                if kids:
                    self._export("=", self.expr(kids[-1]), self.span(node))
                return
        if declaration is not None:
            self._export_declaration(declaration, decorators, default=default)
            return
        value = node.child_by_field_name("value")
        if value is not None:
            at = self.named(value, "default" if default else "")
            self._export("default", at, self.span(value))

    def _export_declaration(self, node: Node, decorators: list[Id], *, default: bool) -> None:
        kind = node.type
        if kind in _FUNCTION_DECLARATIONS:
            if node.child_by_field_name("name") is None:
                self._export("default", self.function_value(node, "default"), self.span(node))
            return
        if kind in _CLASS_DECLARATIONS:
            at = self._class_statement(node)
            for decorator in decorators:
                self.b.call(decorator, (at,), self.span(node), sort="decorator")
            named = node.child_by_field_name("name")
            if default or named is not None:
                name = "default" if default or named is None else self.node_text(named)
                self._export(name, at, self.span(node))
            return
        statement = self.statements.get(kind)
        if statement is None:
            return
        statement(node)
        names: list[Node] = []
        if kind in LEXICAL or kind == "variable_declaration":
            for declarator in node.named_children:
                names += [n for k in declarator.named_children[:1] for n in bound_names(k)]
        else:
            named = node.child_by_field_name("name")
            if named is not None:
                names.append(named)
        for named in names:
            name = self.node_text(named)
            self._export(name, self.read(name, *self.span(named)[1:]), self.span(named))

    def _export_clause(self, clause: Node, source: Node | None) -> None:
        module = -1 if source is None else self._module(source)
        for one in clause.named_children:
            kids = one.named_children
            if one.type != "export_specifier" or not kids:
                continue
            if self._text[one.start_byte : kids[0].start_byte].startswith("type"):
                continue
            local, name = (
                self.string(n) if n.type == "string" else self.node_text(n)
                for n in (kids[0], kids[-1])
            )
            if source is not None:
                self._export(name, self.b.load(module, local, self.span(one)), self.span(one))
            elif self._namespace is not None:
                self._export(name, self.read(local, *self.span(one)[1:]), self.span(one))
            else:
                # Variables are often exported above their definition.
                self._exported.append((local, name, self.span(one)))


def _has_child(node: Node, kind: str) -> bool:
    return any(kid.type == kind for kid in node.children)
