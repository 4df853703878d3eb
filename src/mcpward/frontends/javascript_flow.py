"""What lowering JavaScript stands on: source text, variables, conditions and merging paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tree_sitter import Node

from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.source import SourceFile, Span
from mcpward.frontends.javascript_scopes import Frame, Scope, Writes
from mcpward.ir.builder import Block, Builder, Fork, Name
from mcpward.ir.values import (
    UNKNOWN,
    Const,
    Global,
    Id,
    Load,
    Module,
    Store,
)

DEPTH = 1_000
"""How deep statements, expressions and functions may nest before the rest is left out."""
OPERANDS = 200
"""How many operands of one `&&` or `||` are told apart by control flow."""
_CROWDED = 2_000
_CROWDED_WHEN_SLOW = 300
SLOW = 1_000_000
_ENDS = 32

FUNCTIONS = frozenset({"arrow_function", "function_expression", "generator_function"})
CALLS = frozenset(
    {"call_expression", "await_expression", "new_expression", "yield_expression"},
)
_ESCAPE = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{1,3})|(\r\n|.))",
    re.DOTALL,
)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
_LETTERS |= {"\n": "", "\r": "", "\r\n": "", "\u2028": "", "\u2029": ""}


def _escaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is not None:
        number = int(code, 16)
    elif match[4] is not None:
        number = int(match[4], 8)
    else:
        return _LETTERS.get(match[5], match[5])
    # A lone surrogate cannot be written anywhere, so it becomes the replacement character.
    return "\ufffd" if number > 0x10FFFF or 0xD800 <= number < 0xE000 else chr(number)


def unescape(text: str) -> str:
    """The value of the text between the quotes of a string literal."""
    return _ESCAPE.sub(_escaped, text) if "\\" in text else text


class Flow:
    """One file; the classes built on it lower calls, expressions and statements."""

    b: Builder
    frame: Frame
    scope: Scope | None

    def __init__(
        self,
        source: SourceFile,
        module: Module,
        resolve: Callable[[str], str],
        notes: list[Skipped],
    ) -> None:
        """`resolve` turns an import specifier of this file into a module name."""
        self.source = source
        self.file = source.path
        self.module = module
        self.resolve = resolve
        self.notes = notes
        self.depth = 0
        self.unit: Node | None = None
        self._writes: Writes | None = None
        self._told_depth = False
        self._plain = source.data.isascii()
        # Latin-1 gives every byte one character, so byte offsets index the text directly.
        self._text = source.data.decode("latin-1")
        self._expressions: dict[str, Callable[[Node], Id]] = {
            name[2:]: getattr(self, name) for name in dir(self) if name.startswith("x_")
        }

    # ── text, spans, small things ─────────────────────────────────────────────────────────────

    def text(self, start: int, end: int) -> str:
        """The text between two byte offsets."""
        text = self._text[start:end]
        if self._plain or text.isascii():
            return text
        return self.source.data[start:end].decode("utf-8", "replace")

    def node_text(self, node: Node) -> str:
        """The text of a (small) node."""
        return self.text(node.start_byte, node.end_byte)

    def span(self, node: Node) -> Span:
        return Span(self.file, node.start_byte, node.end_byte)

    def unknown(self, node: Node) -> Id:
        return self.b.add(Const(UNKNOWN, node.start_byte, node.end_byte))

    def const(self, value: object, node: Node) -> Id:
        return self.b.add(Const(value, node.start_byte, node.end_byte))

    def writes(self) -> Writes:
        """The assignments of the function that is being lowered, with all nested in it."""
        if self._writes is None:
            if self.unit is None:
                raise AssertionError
            self._writes = Writes(self.unit, self.source.language, self.text)
        return self._writes

    def too_deep(self, node: Node) -> Id:
        if not self._told_depth:
            self._told_depth = True
            line = self.source.line_of(node.start_byte)
            reason = f"code nested too deeply at line {line} was left out"
            self.notes.append(Skipped(self.file, SkipKind.TOO_DEEP, reason))
        return self.unknown(node)

    # ── functions and classes, which the statements know how to lower ─────────────────────────

    def function_value(self, node: Node, hint: str = "", *, lexical: bool = False) -> Id:
        raise NotImplementedError

    def class_value(self, node: Node, hint: str = "") -> Id:
        raise NotImplementedError

    def inline(self, node: Node) -> None:
        raise NotImplementedError

    # ── control flow ──────────────────────────────────────────────────────────────────────────

    def fork(self, test: Id) -> Fork:
        """Ends the block with a test, and keeps the work per test bounded."""
        here = self.b.current
        if here is not None:
            frame = self.frame
            size = len(here.env)
            frame.copied += size + 16
            if size > (_CROWDED if frame.copied < SLOW else _CROWDED_WHEN_SLOW):
                self._spill(here, self.values_span(test))
            frame.tests += 1
            if frame.tests % 256 == 0:
                # Merging compares whole chains of conditions; a huge function starts a new one.
                here.condition = None
        return self.b.branch(test)

    def _spill(self, block: Block, span: Span) -> None:
        """Forgets access paths, and moves variables to the scope object if they are too many."""
        frame = self.frame
        env: dict[Name, Id] = {
            name: value for name, value in block.env.items() if isinstance(name, str)
        }
        block.env = env
        if len(env) <= _CROWDED_WHEN_SLOW:
            return
        keep = frame.parameter_names()
        if frame.outermost:
            # Module variables are stored with every write, so reading them as such is enough.
            block.env = {name: value for name, value in env.items() if name in keep}
            return
        box = frame.box(span)
        for name, value in env.items():
            if isinstance(name, str) and name not in keep and name not in frame.captured_names:
                frame.spilled.add(name)
                if name not in frame.boxed:
                    frame.boxed.add(name)
                    self.b.add(Store(box, name, value, span.start, span.end))
        block.env = {name: value for name, value in env.items() if name not in frame.spilled}

    def values_span(self, at: Id) -> Span:
        value = self.b.values[at]
        return Span(self.file, value.start, value.end)

    def merge(self, *ends: Block | None) -> None:
        """Goes on behind several blocks, in which captured variables may have been met or not."""
        captured = self.frame.captured_names
        if captured:
            for end in ends:
                if end is not None:
                    for name, value in captured.items():
                        end.env.setdefault(name, value)
        if len(ends) <= _ENDS:
            self.b.merge(*ends)
            return
        # In portions: the builder looks through all values of a name for each end.
        live: Sequence[Block | None] = [end for end in ends if end is not None]
        while len(live) > 1:
            portions = []
            for at in range(0, len(live), _ENDS):
                self.b.merge(*live[at : at + _ENDS])
                portions.append(self.b.leave())
            live = portions
        self.b.current = live[0] if live else None

    def condition(self, node: Node) -> tuple[Id, Block, Block]:
        """Evaluates a test for control flow: its value, and the blocks where it held and not."""
        flipped = False
        while True:
            kind = node.type
            if kind == "parenthesized_expression":
                kids = node.named_children
                if not kids:
                    break
                node = kids[-1]
            elif kind == "unary_expression" and self._text[node.start_byte] == "!":
                kids = node.named_children
                if not kids:
                    break
                flipped = not flipped
                node = kids[-1]
            else:
                break
        if node.type == "binary_expression":
            operator, operands = self._logical_chain(node)
            if operator:
                test, true, false = self._combined(operator, operands, node)
                return self._flipped(test, true, false, node) if flipped else (test, true, false)
        test = self.expr(node)
        fork = self.fork(test)
        if flipped:
            return self._flipped(test, fork.true, fork.false, node)
        return test, fork.true, fork.false

    def _flipped(self, test: Id, true: Block, false: Block, node: Node) -> tuple[Id, Block, Block]:
        return self.b.compare("not", (test,), self.span(node)), false, true

    def _logical_chain(self, node: Node) -> tuple[str, list[Node]]:
        """The operands of an `&&` or `||` and of the equal operators to its left."""
        operands: list[Node] = []
        operator = ""
        while node.type == "binary_expression":
            kids = node.named_children
            if len(kids) < 2:
                break
            found = self.operator(kids[0], kids[-1], node)
            if found not in ("&&", "||") or (operator and found != operator):
                break
            operator = found
            operands.append(kids[-1])
            node = kids[0]
        operands.append(node)
        return operator, operands[::-1]

    def _combined(
        self,
        operator: str,
        operands: list[Node],
        node: Node,
    ) -> tuple[Id, Block, Block]:
        b = self.b
        conjunction = operator == "&&"
        word = "and" if conjunction else "or"
        span = self.span(node)
        exits: list[Block] = []
        test, true, false = self.condition(operands[0])
        for operand in operands[1:OPERANDS]:
            b.enter(true if conjunction else false)
            exits.append(false if conjunction else true)
            right, true, false = self.condition(operand)
            test = b.compare(word, (test, right), span)
        if len(operands) > OPERANDS:
            b.enter(true if conjunction else false)
            exits.append(false if conjunction else true)
            for operand in operands[OPERANDS:]:
                test = b.compare(word, (test, self.expr(operand)), span)
            fork = self.fork(test)
            true, false = fork.true, fork.false
        exits.append(false if conjunction else true)
        ends: list[Block | None] = []
        for block in exits:
            b.enter(block)
            ends.append(b.leave())
        self.merge(*ends)
        fork = self.fork(test)
        return (test, true, fork.false) if conjunction else (test, fork.true, false)

    def operator(self, left: Node, right: Node, node: Node) -> str:
        """The operator between two operands."""
        found = self._text[left.end_byte : right.start_byte].strip()
        if len(found) > 3 and found != "instanceof":
            # A comment stands beside it.
            inner = node.child_by_field_name("operator")
            return inner.type if inner is not None else ""
        return found

    # ── dispatch ──────────────────────────────────────────────────────────────────────────────

    def expr(self, node: Node) -> Id:
        """The value of any expression."""
        handler = self._expressions.get(node.type)
        if handler is None:
            return self.unknown(node)
        if self.depth > DEPTH:
            return self.too_deep(node)
        self.depth += 1
        value = handler(node)
        self.depth -= 1
        return value

    def named(self, node: Node, hint: str) -> Id:
        """The value of an expression that is about to get a name."""
        kind = node.type
        if kind in FUNCTIONS:
            return self.function_value(node, hint)
        if kind == "class":
            return self.class_value(node, hint)
        return self.expr(node)

    def settle(self, node: Node, value: Id) -> None:
        """If the expression is a call: from here on it has returned."""
        if node.type in CALLS:
            self.b.returned(value, self.module.telling)

    # ── names ─────────────────────────────────────────────────────────────────────────────────

    def x_identifier(self, node: Node) -> Id:
        start = node.start_byte
        end = node.end_byte
        return self.read(self.text(start, end), start, end)

    def x_shorthand_property_identifier(self, node: Node) -> Id:
        return self.x_identifier(node)

    def read(self, name: str, start: int, end: int) -> Id:
        """The value of a variable here."""
        scope = self.scope
        while scope is not None:
            variable = scope.names.get(name)
            if variable is not None:
                return self._variable(scope.frame, variable, Span(self.file, start, end))
            scope = scope.outer
        current = self.b.current
        if current is not None and self.frame.outermost:
            found = current.env.get(name)
            if found is not None:
                return found
        if name == "arguments" and not self.frame.outermost:
            return self._arguments(Span(self.file, start, end))
        if name == "exports":
            name = "<exports>"
        return self.b.add(Global(name, False, start, end))

    def _variable(self, owner: Frame, variable: str, span: Span) -> Id:
        frame = self.frame
        if owner is not frame:
            return frame.captured(owner, variable, span)
        if variable in frame.shared:
            # A function inside may have assigned it since: always look.
            return self.b.add(Load(frame.box(span), variable, span.start, span.end))
        value = self.b.read(variable)
        if value is not None:
            return value
        if variable in frame.spilled:
            return self.b.load(frame.box(span), variable, span)
        return self.b.unknown(span)

    def bound(self, name: str) -> bool:
        """Whether a name is a variable of some function (not of the module) here."""
        return self.scope is not None and self.scope.find(name) is not None

    def assign(self, name: str, value: Id, span: Span) -> None:
        """Gives a variable a new value."""
        frame = self.frame
        found = None if self.scope is None else self.scope.find(name)
        if found is None:
            if frame.outermost:
                self.b.write(name, value)
            if self.b.current is not None:
                if frame.module_object < 0:
                    frame.module_object = self.b.name("<module>", span)
                self.b.add(Store(frame.module_object, name, value, span.start, span.end))
            return
        owner, variable = found
        if owner is not frame:
            frame.assign_captured(owner, variable, value, span)
            return
        self.b.write(variable, value)
        if variable in frame.boxed:
            self.b.add(Store(frame.box(span), variable, value, span.start, span.end))

    def _lexical_frame(self) -> Frame | None:
        frame: Frame | None = self.frame
        while frame is not None and frame.lexical:
            frame = frame.parent
        return frame

    def x_this(self, node: Node) -> Id:
        owner = self._lexical_frame()
        span = self.span(node)
        if self.this_value is not None and self.frame is self.this_frame:
            return self.this_value
        if owner is None or owner.outermost:
            return self.b.unknown(span)
        if owner.receiver is None:
            if owner.owner is not None:
                return self.b.closure(owner.owner.name, span)
            return self.b.unknown(span)
        value = self.frame.held(owner, "this", span)
        return self.b.unknown(span) if value is None else value

    this_value: Id | None = None
    this_frame: Frame | None = None

    def x_super(self, node: Node) -> Id:
        return self.x_this(node)

    def _arguments(self, span: Span) -> Id:
        frame = self.frame
        if frame.lexical:
            return self.b.unknown(span)
        return self.b.record("arguments", frame.argument_fields(), span)

    # ── literals and keys ─────────────────────────────────────────────────────────────────────

    def string(self, node: Node) -> str:
        """The value of a string literal."""
        return unescape(self.text(node.start_byte + 1, node.end_byte - 1))

    def number(self, text: str) -> object:
        text = text.replace("_", "").rstrip("n")
        try:
            if text[:1] == "0" and text[1:2] in "xXoObB" and len(text) > 2:
                return int(text, 0)
            return int(text) if text.isdigit() else float(text)
        except ValueError:
            return UNKNOWN

    def template_parts(self, node: Node) -> list[str | Node]:
        """Literal texts and expressions of a template, without empty texts."""
        parts: list[str | Node] = []
        at = node.start_byte + 1
        for kid in node.named_children:
            if kid.type == "template_substitution":
                if kid.start_byte > at:
                    parts.append(unescape(self.text(at, kid.start_byte)))
                inner = kid.named_children
                if inner:
                    parts.append(inner[0])
                at = kid.end_byte
        end = node.end_byte - 1
        if end > at or not parts:
            parts.append(unescape(self.text(at, end)))
        return parts

    def key(self, node: Node) -> tuple[str, Id | None]:
        """The field that a property name means, and the value of a computed one."""
        kind = node.type
        if kind == "string":
            return self.string(node), None
        if kind == "number":
            return str(self.number(self.node_text(node))), None
        if kind == "computed_property_name":
            kids = node.named_children
            if not kids:
                return "*", None
            return self.index(kids[0])
        return self.node_text(node), None

    def index(self, node: Node) -> tuple[str, Id | None]:
        """The field that a subscript means, and its value if it is not constant."""
        kind = node.type
        if kind == "string":
            return self.string(node), None
        if kind == "number":
            return str(self.number(self.node_text(node))), None
        at = self.expr(node)
        made = self.b.values[at]
        if type(made) is Const and isinstance(made.value, str):
            return made.value, None
        return "*", at
