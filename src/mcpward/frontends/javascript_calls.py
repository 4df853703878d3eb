"""Lowers JavaScript members, calls, and the calls that compilers and bundlers put in."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from tree_sitter import Node

from mcpward.core.source import Span
from mcpward.frontends.javascript_flow import CALLS, FUNCTIONS, Flow
from mcpward.ir.values import Const, Global, Id, Load

_CHAIN = frozenset({"member_expression", "subscript_expression", "call_expression"})
_INTEROP = frozenset(
    {
        "__importDefault",
        "__importStar",
        "__toESM",
        "__toCommonJS",
        "_interopRequireDefault",
        "_interopRequireWildcard",
        "_interopNamespace",
        "_interopDefault",
        "_interop_require_default",
        "_interop_require_wildcard",
    },
)


class Calls(Flow):
    """Members and calls of one file."""

    # ── members and calls ─────────────────────────────────────────────────────────────────────

    def x_member_expression(self, node: Node) -> Id:
        """Members, subscripts and calls, from the inside out: chains can be thousands long."""
        links: list[tuple[Node, str, list[Node]]] = []
        kind = node.type
        while kind in _CHAIN:
            kids = node.named_children
            if len(kids) < 2:
                break
            links.append((node, kind, kids))
            node = kids[0]
            kind = node.type
        if not links:
            return self.unknown(node)
        name = self.node_text(node) if kind in ("identifier", "import") else ""
        if name in self._magic and self.bound(name):
            name = ""
        b = self.b
        base = node
        value: Id | None = None
        receiver: Id | None = None
        sort = "call"
        while links:
            link, kind, kids = links.pop()
            span = Span(self.file, link.start_byte, link.end_byte)
            if kind == "call_expression":
                special = self._specials.get(name)
                made = (
                    special(self, kids[-1], link, None if receiver is None else base)
                    if special
                    else None
                )
                if made is None:
                    if value is None:
                        value, receiver, sort = self._callee(base)
                    made = self._call(kids[-1], span, value, receiver, sort)
                value = made
                receiver = None
                # What `createRequire` gives is called like `require` itself.
                name = "require" if name == "createRequire" else ""
                continue
            property_ = self.node_text(kids[-1]) if kind == "member_expression" else ""
            if value is None:
                if name == "module" and property_ == "exports":
                    value = b.name("<exports>", span)
                    continue
                if name == "require" and property_ == "resolve":
                    value = b.name(name, span)
                elif base.type == "identifier":
                    value = self.read(name or self.node_text(base), base.start_byte, base.end_byte)
                else:
                    value = self.expr(base)
                sort = "super" if base.type == "super" else "call"
            else:
                sort = "call"
            called = bool(links) and links[-1][1] == "call_expression"
            owner = value
            name = property_
            if property_:
                if called:
                    value = b.method(owner, name, span)
                else:
                    if self.frame.parent is not None:
                        self.frame.captured_field(owner, name, span)
                    value = b.load(owner, name, span)
            else:
                field, at = self.index(kids[-1])
                if called and at is None:
                    value = b.method(owner, field, span)
                else:
                    value = b.load(owner, field, span, key=at, subscript=True)
            receiver = owner if called else None
        return self.unknown(node) if value is None else value

    x_subscript_expression = x_member_expression
    x_call_expression = x_member_expression

    def _callee(self, base: Node) -> tuple[Id, Id | None, str]:
        """The function that is called, its receiver and the sort of the call."""
        span = self.span(base)
        kind = base.type
        if kind == "super":
            this = self.x_this(base)
            return self.b.method(this, "constructor", span), this, "super"
        if kind == "import":
            return self.b.name("import", span), None, "call"
        inner = base
        while inner.type in ("parenthesized_expression", "non_null_expression", "as_expression"):
            kids = inner.named_children
            if not kids:
                break
            inner = kids[0]
        if inner is not base and inner.type == "member_expression":
            kids = inner.named_children
            if len(kids) > 1:
                owner = self.expr(kids[0])
                return self.b.method(owner, self.node_text(kids[-1]), span), owner, "call"
        return self.expr(base), None, "call"

    def _call(self, given: Node, span: Span, callee: Id, receiver: Id | None, sort: str) -> Id:
        if given.type == "template_string":
            return self._tag(given, span, callee, receiver)
        args, spread = self._arguments_of(given)
        return self.b.call(callee, args, span, receiver=receiver, spread=spread, sort=sort)

    def _arguments_of(self, given: Node) -> tuple[list[Id], int]:
        args: list[Id] = []
        spread = -1
        for kid in given.named_children:
            kind = kid.type
            if kind == "comment":
                continue
            if kind == "spread_element" and spread < 0:
                spread = len(args)
            args.append(self.expr(kid))
        return args, spread

    def _tag(self, template: Node, span: Span, callee: Id, receiver: Id | None) -> Id:
        texts: list[tuple[str, Id]] = []
        values: list[Id] = []
        pending = ""
        for part in self.template_parts(template):
            if isinstance(part, str):
                pending = part
            else:
                texts.append((str(len(texts)), self.const(pending, template)))
                pending = ""
                values.append(self.expr(part))
        texts.append((str(len(texts)), self.const(pending, template)))
        literal = self.b.record("array", texts, self.span(template))
        return self.b.call(callee, [literal, *values], span, receiver=receiver, sort="tag")

    def x_new_expression(self, node: Node) -> Id:
        kids = node.named_children
        if not kids:
            return self.unknown(node)
        callee = self.expr(kids[0])
        args: list[Id] = []
        spread = -1
        if kids[-1].type == "arguments":
            args, spread = self._arguments_of(kids[-1])
        return self.b.call(callee, args, self.span(node), spread=spread, sort="new")

    def x_import(self, node: Node) -> Id:
        return self.b.name("import", self.span(node))

    def x_meta_property(self, node: Node) -> Id:
        text = self.node_text(node)
        return self.b.name(text, self.span(node)) if text == "import.meta" else self.unknown(node)

    # ── calls of what compilers and bundlers put in ───────────────────────────────────────────

    def _require(self, given: Node, link: Node, owner: Node | None) -> Id | None:
        """`require("m")` and `import("m")` are the module, if the specifier is constant."""
        kids = [kid for kid in given.named_children if kid.type != "comment"]
        if not kids or owner is not None:
            return None
        first = kids[0]
        if first.type == "string":
            text: object = self.string(first)
        elif first.type in ("template_string", "binary_expression"):
            made = self.b.values[self.expr(first)]
            text = made.value if type(made) is Const else None
        else:
            return None
        if not isinstance(text, str):
            return None
        return self.b.name(self.resolve(text), self.span(link), absolute=True)

    def _interop(self, given: Node, link: Node, owner: Node | None) -> Id | None:
        kids = given.named_children
        return self.expr(kids[0]) if kids else None

    def _awaited(self, given: Node, link: Node, owner: Node | None) -> Id | None:
        """`await (0, m.f)(x)`, which the grammar reads as a call of a function named `await`."""
        kids = [kid for kid in given.named_children if kid.type != "comment"]
        if not kids or owner is not None or given.type != "arguments":
            return None
        return [self.expr(kid) for kid in kids][-1]

    def _awaiter(self, given: Node, link: Node, owner: Node | None) -> Id | None:
        """`__awaiter(this, args, P, function* () {…})` runs the generator as an async function."""
        kids = given.named_children
        if len(kids) < 3 or kids[-1].type not in FUNCTIONS:
            return None
        args: list[Id] = []
        spread = -1
        passed = kids[1]
        if passed.type == "array":
            args, spread = self._arguments_of(passed)
        elif passed.type == "identifier" and self.node_text(passed) == "arguments":
            args, spread = [self.x_identifier(passed)], 0
        run = self.function_value(kids[-1], lexical=True)
        return self.b.call(run, args, self.span(link), spread=spread)

    def _export_star(self, given: Node, link: Node, owner: Node | None) -> Id | None:
        for kid in given.named_children[:3]:
            if kid.type in CALLS:
                made = self.b.values[self.expr(kid)]
                if type(made) is Global and made.absolute:
                    self.module.stars.append(made.name)
        return self.unknown(link)

    def _define(self, given: Node, link: Node, owner: Node | None) -> Id | None:
        """`Object.defineProperty(o, "x", {get: …})` stores what the getter gives."""
        kids = given.named_children
        if len(kids) != 3 or kids[1].type != "string":
            return None
        getter: Node | None = kids[2]
        if kids[2].type == "object":
            getter = self._member(kids[2], "get")
            if getter is None:
                value = self._member(kids[2], "value")
                if value is None:
                    return None
                self.b.store(
                    self.expr(kids[0]), self.string(kids[1]), self.expr(value), self.span(link)
                )
                return self.unknown(link)
        returned = None if getter is None else self._returned(getter)
        if returned is None:
            return None
        target = self.expr(kids[0])
        self.b.store(target, self.string(kids[1]), self._late(returned), self.span(link))
        return self.unknown(link)

    def _define_all(self, given: Node, link: Node, owner: Node | None) -> Id | None:
        """Esbuild's `__export(o, {x: () => x})` and webpack's `require.d(o, {x: () => x})`."""
        kids = given.named_children
        if len(kids) == 3:
            return self._define(given, link, owner)
        if len(kids) != 2 or kids[1].type != "object":
            return None
        getters: list[tuple[str, Node]] = []
        for pair in kids[1].named_children:
            inner = pair.named_children
            returned = self._returned(inner[-1]) if pair.type == "pair" and inner else None
            if returned is None:
                return None
            getters.append((self.key(inner[0])[0], returned))
        if not getters:
            return None
        target = self.expr(kids[0])
        for name, returned in getters:
            self.b.store(target, name, self._late(returned), self.span(returned))
        return target

    def _member(self, record: Node, name: str) -> Node | None:
        for pair in record.named_children:
            kids = pair.named_children
            if kids and pair.type in ("pair", "method_definition"):
                key = kids[0]
                if self.node_text(key) == name:
                    return kids[-1] if pair.type == "pair" else pair
        return None

    def _returned(self, function: Node) -> Node | None:
        """The expression that a small getter returns."""
        if function.type not in FUNCTIONS and function.type != "method_definition":
            return None
        body = function.named_children[-1]
        if body.type != "statement_block":
            return body
        kids = body.named_children
        if len(kids) != 1 or kids[0].type != "return_statement":
            return None
        inner = kids[0].named_children
        return inner[0] if inner else None

    def _late(self, node: Node) -> Id:
        """The value a variable will have when somebody asks, not the one it has now."""
        if node.type != "identifier":
            return self.expr(node)
        name = self.node_text(node)
        span = self.span(node)
        found = None if self.scope is None else self.scope.find(name)
        if found is None:
            return self.b.name(name, span)
        owner, variable = found
        owner.share(variable, span)
        return self.b.add(Load(self.frame.box_of(owner, span), variable, span.start, span.end))

    _specials: ClassVar[dict[str, Callable[[Calls, Node, Node, Node | None], Id | None]]] = {
        **dict.fromkeys(("require", "__require", "import"), _require),
        **dict.fromkeys(_INTEROP, _interop),
        "await": _awaited,
        **dict.fromkeys(("__awaiter", "__async"), _awaiter),
        **dict.fromkeys(("__exportStar", "__reExport"), _export_star),
        **dict.fromkeys(("__export", "d"), _define_all),
        "defineProperty": _define,
    }
    _magic = frozenset(_specials) | {"module", "createRequire"}
