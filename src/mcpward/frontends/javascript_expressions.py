"""Lowers JavaScript and TypeScript expressions and patterns to values."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from tree_sitter import Node

from mcpward.core.source import Span
from mcpward.frontends.javascript_calls import Calls
from mcpward.frontends.javascript_flow import DEPTH, OPERANDS
from mcpward.ir.builder import Block
from mcpward.ir.values import Assume, Const, Id, Outcome, Pattern

_SIMPLE = frozenset(
    {"identifier", "string", "number", "true", "false", "null", "undefined", "this", "regex"},
)
_COMPARISONS = {"===": "==", "==": "==", "!==": "!=", "!=": "!="}
_COMPARISONS |= {operator: operator for operator in ("<", "<=", ">", ">=", "in", "instanceof")}
_LOGICAL = frozenset({"&&", "||", "??"})
_JSX = frozenset(
    {
        "jsx_element",
        "jsx_opening_element",
        "jsx_self_closing_element",
        "jsx_fragment",
        "jsx_attribute",
    },
)


class Expressions(Calls):
    """Expressions of one file; functions and classes are lowered by the class built on it."""

    # ── literals ──────────────────────────────────────────────────────────────────────────────

    def x_string(self, node: Node) -> Id:
        return self.const(self.string(node), node)

    def x_number(self, node: Node) -> Id:
        return self.const(self.number(self.node_text(node)), node)

    def x_true(self, node: Node) -> Id:
        return self.const(True, node)

    def x_false(self, node: Node) -> Id:
        return self.const(False, node)

    def x_null(self, node: Node) -> Id:
        return self.const(None, node)

    x_undefined = x_null

    def x_regex(self, node: Node) -> Id:
        text, _, flags = self.node_text(node).rpartition("/")
        return self.const(Pattern(text[1:], flags), node)

    def x_template_string(self, node: Node) -> Id:
        parts = self.template_parts(node)
        if len(parts) == 1 and isinstance(parts[0], str):
            return self.const(parts[0], node)
        values = [
            self.const(part, node) if isinstance(part, str) else self.expr(part) for part in parts
        ]
        return self.b.join("template", values, self.span(node))

    def x_array(self, node: Node) -> Id:
        fields: list[tuple[str, Id]] = []
        spread = False
        for kid in node.named_children:
            kind = kid.type
            if kind == "spread_element":
                fields.append(("**", self.expr(kid)))
                spread = True
            elif kind != "comment":
                fields.append(("*" if spread else str(len(fields)), self.expr(kid)))
        return self.b.record("array", fields, self.span(node))

    def x_spread_element(self, node: Node) -> Id:
        kids = node.named_children
        return self.expr(kids[-1]) if kids else self.unknown(node)

    def x_object(self, node: Node) -> Id:
        fields: list[tuple[str, Id]] = []
        for kid in node.named_children:
            kind = kid.type
            if kind == "pair":
                kids = kid.named_children
                name, _ = self.key(kids[0])
                fields.append((name, self.named(kids[-1], "" if name == "*" else name)))
            elif kind == "shorthand_property_identifier":
                fields.append((self.node_text(kid), self.x_identifier(kid)))
            elif kind == "method_definition":
                named = kid.child_by_field_name("name")
                name = "*" if named is None else self.key(named)[0]
                fields.append((name, self.function_value(kid, "" if name == "*" else name)))
            elif kind == "spread_element":
                fields.append(("**", self.expr(kid)))
        return self.b.record("object", fields, self.span(node))

    def x_arrow_function(self, node: Node) -> Id:
        return self.function_value(node)

    x_function_expression = x_arrow_function
    x_generator_function = x_arrow_function

    def x_class(self, node: Node) -> Id:
        return self.class_value(node)

    # ── effects ───────────────────────────────────────────────────────────────────────────────

    def effects(self, node: Node) -> None:
        """Evaluates an expression whose value nobody reads."""
        stack = [node]
        while stack:
            node = stack.pop()
            kind = node.type
            if kind in ("parenthesized_expression", "sequence_expression"):
                stack += reversed(node.named_children)
            elif kind == "unary_expression":
                stack += node.named_children[-1:]
            elif kind == "ternary_expression":
                self._ternary(node, effects=True)
            elif kind == "binary_expression":
                self._binary_effects(node)
            elif kind not in ("comment", "string"):
                self.settle(node, self.expr(node))

    def _binary_effects(self, node: Node) -> None:
        kids = node.named_children
        operator = self.operator(kids[0], kids[-1], node) if len(kids) > 1 else ""
        if operator not in ("&&", "||") or self.depth > DEPTH:
            self.expr(node)
            return
        self.depth += 1
        left = kids[0]
        if operator == "&&":
            _, go, skip = self.condition(left)
        else:
            _, skip, go = self.condition(left)
        self.b.enter(go)
        self.effects(kids[-1])
        end = self.b.leave()
        self.b.enter(skip)
        self.merge(end, self.b.leave())
        self.depth -= 1

    # ── wrappers that leave the value alone ───────────────────────────────────────────────────

    def x_parenthesized_expression(self, node: Node) -> Id:
        kids = node.named_children
        for kid in kids:
            if kid.type != "comment":
                return self.expr(kid)
        return self.unknown(node)

    x_await_expression = x_parenthesized_expression
    x_non_null_expression = x_parenthesized_expression
    x_as_expression = x_parenthesized_expression
    x_satisfies_expression = x_parenthesized_expression
    x_instantiation_expression = x_parenthesized_expression
    x_expression_statement = x_parenthesized_expression

    def x_type_assertion(self, node: Node) -> Id:
        kids = node.named_children
        return self.expr(kids[-1]) if kids else self.unknown(node)

    def x_sequence_expression(self, node: Node) -> Id:
        kids = node.named_children
        for kid in kids[:-1]:
            self.effects(kid)
        return self.expr(kids[-1]) if kids else self.unknown(node)

    def x_yield_expression(self, node: Node) -> Id:
        kids = node.named_children
        value = self.expr(kids[-1]) if kids else self.unknown(node)
        if self.frame.awaiting:
            return value
        self.b.yield_(value, self.span(node))
        return self.unknown(node)

    def x_internal_module(self, node: Node) -> Id:
        self.inline(node)
        return self.unknown(node)

    # ── assignments and patterns ──────────────────────────────────────────────────────────────

    def x_assignment_expression(self, node: Node) -> Id:
        targets: list[Node] = []
        while node.type == "assignment_expression":
            kids = node.named_children
            if len(kids) < 2:
                return self.unknown(node)
            targets.append(kids[0])
            node = kids[-1]
        value = self.named(node, self._hint(targets[-1]))
        self.settle(node, value)
        for target in reversed(targets):
            self.bind(target, value)
        return value

    def _hint(self, target: Node) -> str:
        kind = target.type
        if kind == "identifier":
            return self.node_text(target)
        if kind == "member_expression":
            kids = target.named_children
            name = self.node_text(kids[-1]) if kids else ""
            return "" if name == "exports" else name
        return ""

    def x_augmented_assignment_expression(self, node: Node) -> Id:
        kids = node.named_children
        if len(kids) < 2:
            return self.unknown(node)
        target, right = kids[0], kids[-1]
        operator = self.operator(target, right, node)
        present = self.expr(target)
        span = self.span(node)
        if operator in ("||=", "&&=", "??="):
            fork = self.fork(present)
            self.b.enter(fork.true if operator == "&&=" else fork.false)
            value = self.named(right, self._hint(target))
            end = self.b.leave()
            self.b.enter(fork.false if operator == "&&=" else fork.true)
            self.merge(end, self.b.leave())
            value = self.b.phi((present, value), span)
        else:
            label = "concat" if operator == "+=" else "arithmetic"
            value = self.b.join(label, (present, self.expr(right)), span)
        self.bind(target, value)
        return value

    def x_update_expression(self, node: Node) -> Id:
        kids = node.named_children
        if not kids:
            return self.unknown(node)
        value = self.b.join("arithmetic", (self.expr(kids[0]),), self.span(node))
        self.bind(kids[0], value)
        return value

    def bind(self, target: Node, value: Id) -> None:
        """Gives a value to a variable, a member or a whole pattern."""
        kind = target.type
        if kind in ("identifier", "shorthand_property_identifier_pattern"):
            self.assign(self.node_text(target), value, self.span(target))
            return
        binder = self._binders.get(kind)
        if binder is None:
            return
        if self.depth > DEPTH:
            self.too_deep(target)
            return
        self.depth += 1
        kids = target.named_children
        if kids:
            binder(self, target, kids, value)
        self.depth -= 1

    def _bind_member(self, target: Node, kids: list[Node], value: Id) -> None:
        span = self.span(target)
        if len(kids) < 2:
            return
        owner, last = kids[0], kids[-1]
        if target.type == "subscript_expression":
            at = self.expr(owner)
            name, key = self.index(last)
            self.b.store(at, name, value, span, key=key)
            return
        name = self.node_text(last)
        whole = name == "exports" and self.node_text(owner) == "module"
        if whole and not self.bound("module"):
            self.b.store(self.b.name("<exports>", span), "=", value, span)
        else:
            self.b.store(self.expr(owner), name, value, span)

    def _bind_object(self, target: Node, kids: list[Node], value: Id) -> None:
        b = self.b
        for kid in kids:
            kind = kid.type
            span = self.span(kid)
            if kind == "shorthand_property_identifier_pattern":
                name = self.node_text(kid)
                self.assign(name, b.load(value, name, span), span)
            elif kind == "pair_pattern":
                pair = kid.named_children
                if pair:
                    name, at = self.key(pair[0])
                    self.bind(pair[-1], b.load(value, name, span, key=at, subscript=name == "*"))
            elif kind == "object_assignment_pattern":
                pair = kid.named_children
                if len(pair) > 1:
                    name = self.node_text(pair[0])
                    self._bind_default(kid, pair, b.load(value, name, self.span(pair[0])))
            elif kind == "rest_pattern":
                inner = kid.named_children
                if inner:
                    self.bind(inner[-1], b.join("slice", (value,), span))

    def _bind_array(self, target: Node, kids: list[Node], value: Id) -> None:
        b = self.b
        at = 0
        for kid in target.children:
            if not kid.is_named:
                at += kid.type == ","
                continue
            span = self.span(kid)
            if kid.type == "rest_pattern":
                inner = kid.named_children
                if inner:
                    self.bind(inner[-1], b.join("slice", (value,), span))
            elif kid.type != "comment":
                self.bind(kid, b.load(value, str(at), span, subscript=True))

    def _bind_default(self, target: Node, kids: list[Node], value: Id) -> None:
        default = self.named(kids[-1], self._hint(kids[0]))
        self.bind(kids[0], self.b.phi((value, default), self.span(target)))

    def _bind_inner(self, target: Node, kids: list[Node], value: Id) -> None:
        self.bind(kids[0], value)

    _binders: ClassVar[dict[str, Callable[[Expressions, Node, list[Node], Id], None]]] = {
        "member_expression": _bind_member,
        "subscript_expression": _bind_member,
        "object_pattern": _bind_object,
        "array_pattern": _bind_array,
        "assignment_pattern": _bind_default,
        "object_assignment_pattern": _bind_default,
        "parenthesized_expression": _bind_inner,
        "non_null_expression": _bind_inner,
        "as_expression": _bind_inner,
        "satisfies_expression": _bind_inner,
        "rest_pattern": _bind_inner,
    }

    # ── operators ─────────────────────────────────────────────────────────────────────────────

    def x_binary_expression(self, node: Node) -> Id:
        """Operators from the left: a text may be added up from thousands of pieces."""
        spine: list[tuple[str, Node, Node]] = []
        left = node
        while left.type == "binary_expression":
            kids = left.named_children
            if len(kids) < 2:
                break
            operator = self.operator(kids[0], kids[-1], left)
            if operator in _LOGICAL:
                if not spine:
                    return self._logical(operator, left)
                break
            spine.append((operator, kids[-1], left))
            left = kids[0]
        if not spine:
            return self.unknown(node)
        operands = [self.expr(left)]
        label = ""
        whole = left
        for operator, right, whole_ in reversed(spine):
            compared = _COMPARISONS.get(operator)
            if compared is not None:
                pair = (self._joined(label, operands, whole), self.expr(right))
                operands = [self.b.compare(compared, pair, self.span(whole_))]
            else:
                wanted = "concat" if operator == "+" else "arithmetic"
                if label != wanted and len(operands) > 1:
                    operands = [self._joined(label, operands, whole)]
                label = wanted
                operands.append(self.expr(right))
            whole = whole_
        return self._joined(label, operands, node)

    def _joined(self, label: str, operands: list[Id], node: Node) -> Id:
        if len(operands) == 1:
            return operands[0]
        if label == "concat":
            texts: list[str] = []
            for operand in operands:
                made = self.b.values[operand]
                if type(made) is not Const or not isinstance(made.value, str):
                    break
                texts.append(made.value)
            else:
                return self.const("".join(texts), node)
        return self.b.join(label, operands, self.span(node))

    def _logical(self, operator: str, node: Node) -> Id:
        operands: list[Node] = []
        at = node
        while at.type == "binary_expression":
            kids = at.named_children
            if len(kids) < 2 or self.operator(kids[0], kids[-1], at) != operator:
                break
            operands.append(kids[-1])
            at = kids[0]
        operands.append(at)
        operands.reverse()
        if operator == "&&":
            return self._conjunction(operands, node)
        b = self.b
        values = [self.expr(operands[0])]
        ends: list[Block | None] = []
        for operand in operands[1:]:
            # Literals and names have no effects that only happen on one path.
            if operand.type not in _SIMPLE and len(ends) < OPERANDS:
                if operator == "??":
                    nothing = b.const(None, self.span(operand))
                    test = b.compare("==", (values[-1], nothing), self.span(node))
                    fork = self.fork(test)
                    skip, go = fork.false, fork.true
                else:
                    fork = self.fork(values[-1])
                    skip, go = fork.true, fork.false
                b.enter(skip)
                ends.append(b.leave())
                b.enter(go)
            values.append(self.expr(operand))
        if ends:
            ends.append(b.leave())
            self.merge(*ends)
        return b.phi(values, self.span(node))

    def _conjunction(self, operands: list[Node], node: Node) -> Id:
        b = self.b
        span = self.span(node)
        if len(operands) > 2:
            test, true, false = self._combined("&&", operands[:-1], node)
        else:
            test, true, false = self.condition(operands[0])
        b.enter(true)
        value = self.expr(operands[-1])
        end = b.leave()
        b.enter(false)
        failed = b.add(Assume(test, test, Outcome.FALSE, span.start, span.end))
        self.merge(end, b.leave())
        return b.phi((failed, value), span)

    def x_ternary_expression(self, node: Node) -> Id:
        return self._ternary(node, effects=False)

    def _ternary(self, node: Node, *, effects: bool) -> Id:
        b = self.b
        whole = node
        values: list[Id] = []
        ends: list[Block | None] = []
        while True:
            kids = [kid for kid in node.named_children if kid.type != "comment"]
            if len(kids) < 3:
                break
            _, true, false = self.condition(kids[0])
            b.enter(true)
            if effects:
                self.effects(kids[1])
            else:
                values.append(self.expr(kids[1]))
            ends.append(b.leave())
            b.enter(false)
            node = kids[2]
            if node.type == "parenthesized_expression":
                inner = node.named_children
                if len(inner) == 1 and inner[0].type == "ternary_expression":
                    node = inner[0]
            if node.type != "ternary_expression":
                if effects:
                    self.effects(node)
                else:
                    values.append(self.expr(node))
                break
        ends.append(b.leave())
        self.merge(*ends)
        if effects or not values:
            return self.unknown(whole)
        return b.phi(values, self.span(whole))

    def x_unary_expression(self, node: Node) -> Id:
        kids = node.named_children
        if not kids:
            return self.unknown(node)
        operand = kids[-1]
        operator = self._text[node.start_byte : operand.start_byte].strip()
        b = self.b
        if operand.type == "number":
            number = self.number(self.node_text(operand))
            if operator == "-" and isinstance(number, int | float):
                return self.const(-number, node)
            if operator == "!":
                return self.const(not number, node)
            if operator == "void":
                return self.unknown(node)
        value = self.expr(operand)
        if operator == "!":
            return b.compare("not", (value,), self.span(node))
        if operator in ("-", "~"):
            return b.join("arithmetic", (value,), self.span(node))
        if operator in ("+", "typeof"):
            word = "Number" if operator == "+" else "typeof"
            called = b.name(word, Span(self.file, node.start_byte, operand.start_byte))
            return b.call(called, (value,), self.span(node))
        return self.unknown(node)

    # ── JSX ───────────────────────────────────────────────────────────────────────────────────

    def x_jsx_element(self, node: Node) -> Id:
        """All expressions of an element and of the elements in it, in one value."""
        values: list[Id] = []
        stack = [node]
        while stack:
            at = stack.pop()
            for kid in at.named_children:
                kind = kid.type
                if kind == "jsx_expression":
                    inner = kid.named_children
                    if inner and inner[0].type != "comment":
                        values.append(self.expr(inner[0]))
                elif kind in _JSX:
                    stack.append(kid)
        return self.b.join("jsx", values, self.span(node))

    x_jsx_self_closing_element = x_jsx_element
    x_jsx_fragment = x_jsx_element
