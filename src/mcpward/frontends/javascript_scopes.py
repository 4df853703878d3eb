"""Lexical scopes of JavaScript: which variable a name means, and how a closure gets hold of it.

A variable of an enclosing function is captured by value when nothing can assign it after the
closure was made. Every other shared variable lives in the `scope` object of its function: the owner
stores each new value there, and the functions inside read and write that object.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import cache

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language as Grammar, Node, Query, QueryCursor

from mcpward.core.source import Language, Span
from mcpward.ir.builder import Block, Builder
from mcpward.ir.values import Class, Function, Id, Param, Store

_WRITES = """
(assignment_expression left: [(identifier) (object_pattern) (array_pattern)] @write)
(augmented_assignment_expression left: (identifier) @write)
(update_expression argument: (identifier) @write)
(for_in_statement !kind left: (_) @write)
(for_in_statement kind: "var" left: (_) @var)
(variable_declaration) @declaration
[
  (function_declaration) (function_expression) (arrow_function) (method_definition)
  (generator_function) (generator_function_declaration)
] @function
"""

LEXICAL = frozenset({"lexical_declaration", "using_declaration"})
_KEYS = frozenset({"property_identifier", "string", "number", "computed_property_name"})


@cache
def grammar(language: Language) -> Grammar:
    """The grammar that reads a language of the JavaScript family."""
    if language is Language.TYPESCRIPT:
        return Grammar(tree_sitter_typescript.language_typescript())
    if language is Language.TSX:
        return Grammar(tree_sitter_typescript.language_tsx())
    return Grammar(tree_sitter_javascript.language())


@cache
def _query(language: Language) -> Query:
    return Query(grammar(language), _WRITES)


def bound_names(pattern: Node) -> list[Node]:
    """The identifiers that a declaration or assignment pattern gives a value."""
    found: list[Node] = []
    stack = [pattern]
    while stack:
        node = stack.pop()
        kind = node.type
        if kind in ("identifier", "shorthand_property_identifier_pattern"):
            found.append(node)
        elif kind in ("assignment_pattern", "object_assignment_pattern"):
            stack += node.named_children[:1]
        elif kind == "pair_pattern":
            stack += node.named_children[-1:]
        elif kind in ("required_parameter", "optional_parameter"):
            inner = node.child_by_field_name("pattern")
            if inner is not None:
                stack.append(inner)
        elif kind in ("object_pattern", "array_pattern", "rest_pattern", "formal_parameters"):
            stack += [kid for kid in reversed(node.named_children) if kid.type not in _KEYS]
    return found


class Writes:
    """Where the variables of one piece of code are assigned, and its `var` declarations."""

    def __init__(self, node: Node, language: Language, text: Callable[[int, int], str]) -> None:
        """Reads the whole piece with one query."""
        found = QueryCursor(_query(language)).captures(node)
        functions = sorted((n.start_byte, n.end_byte) for n in found.get("function", ()))
        sites: list[tuple[int, str]] = []
        for write in found.get("write", ()):
            sites += self._sites(write, text)
        self._places: dict[str, list[int]] = {}
        for start, variable in sorted(sites):
            self._places.setdefault(variable, []).append(start)
        self._vars: dict[int, list[str]] = {}
        declared: list[tuple[int, str]] = []
        for declaration in found.get("declaration", ()):
            for declarator in declaration.named_children:
                kids = declarator.named_children
                if declarator.type == "variable_declarator" and kids:
                    declared += self._sites(kids[0], text)
        for var in found.get("var", ()):
            declared += self._sites(var, text)
        declared.sort()
        self._attribute(declared, functions)
        every = sorted(sites + declared)
        self._offsets = [start for start, _ in every]
        self._names = [name for _, name in every]

    def _sites(self, pattern: Node, text: Callable[[int, int], str]) -> list[tuple[int, str]]:
        return [
            (name.start_byte, text(name.start_byte, name.end_byte)) for name in bound_names(pattern)
        ]

    def _attribute(self, declared: list[tuple[int, str]], functions: list[tuple[int, int]]) -> None:
        open_: list[tuple[int, int]] = []
        following = 0
        for start, name in declared:
            while following < len(functions) and functions[following][0] <= start:
                open_.append(functions[following])
                following += 1
            while open_ and open_[-1][1] <= start:
                open_.pop()
            # A function that ended may lie below one that is still open.
            owner = open_[-1][0] if open_ else -1
            self._vars.setdefault(owner, []).append(name)

    def within(self, start: int, end: int) -> list[str]:
        """The names that are assigned in a range of bytes."""
        first = bisect_left(self._offsets, start)
        last = bisect_left(self._offsets, end)
        return list(dict.fromkeys(self._names[first:last]))

    def written(self, name: str, start: int, end: int) -> bool:
        """Whether a name is assigned (not counting declarations) in a range of bytes."""
        places = self._places.get(name)
        if places is None:
            return False
        at = bisect_left(places, start)
        return at < len(places) and places[at] < end

    def hoisted(self, function: int) -> list[str]:
        """The `var` names of the function that starts at a byte, once per declaration."""
        return self._vars.get(function, [])


class Target:
    """Something that `break` and `continue` leave."""

    __slots__ = ("breaks", "continues", "label", "loop")

    def __init__(self, label: str, *, loop: bool) -> None:
        """Opens a loop, a `switch` or a labelled block."""
        self.label = label
        self.loop = loop
        self.breaks: list[Block | None] = []
        self.continues: list[Block | None] = []


class Scope:
    """The names of one block, with the variable of the frame that each one means."""

    __slots__ = ("frame", "inner", "names", "outer")

    def __init__(self, frame: Frame, outer: Scope | None, *, inner: bool = False) -> None:
        """`inner`: a block inside a function, not the function itself."""
        self.inner = inner
        self.names: dict[str, str] = {}
        self.outer = outer
        self.frame = frame

    def find(self, name: str) -> tuple[Frame, str] | None:
        """The frame and variable that a name means here."""
        scope: Scope | None = self
        while scope is not None:
            variable = scope.names.get(name)
            if variable is not None:
                return scope.frame, variable
            scope = scope.outer
        return None


class Frame:
    """One function while it is lowered, with what it shares with the functions around it."""

    def __init__(
        self,
        function: Function,
        writes: Callable[[], Writes],
        *,
        parent: Frame | None = None,
        closure: Id = -1,
        lexical: bool = False,
        owner: Class | None = None,
    ) -> None:
        """`lexical`: `this` and `arguments` are those of the parent (arrow functions)."""
        self.function = function
        self.builder = Builder(function)
        self.parent = parent
        self.closure = closure
        self.lexical = lexical
        self.owner = owner
        self.outermost = False
        """Whether this is the module body, whose variables are module variables."""
        self.awaiting = False
        """Whether `yield` means `await` here (the generators of down-levelled async functions)."""
        self.receiver: Id | None = None
        self.loose: set[str] = set()
        """Variables that are declared without a value or more than once."""
        self.boxed: set[str] = set()
        """Variables whose writes also go to the scope object."""
        self.shared: set[str] = set()
        """Variables that a function inside assigns."""
        self.spilled: set[str] = set()
        """Variables that live only in the scope object, because there are too many."""
        self.targets: list[Target] = []
        self.tried: list[list[Id]] = []
        """For each `try` with a handler around: what is thrown in its body."""
        self.captured_names: dict[str, Id] = {}
        """Variables captured by value, which every block knows."""
        self.module_object: Id = -1
        """The object that holds the module variables, once something was stored there."""
        self.tests = 0
        self.copied = 0
        """How many tests were met, and how many variables were copied for them."""
        self._writes = writes
        self._box: Id | None = None
        self._captures: dict[tuple[Frame, str], Id] = {}
        self._boxes: dict[Frame, Id] = {}
        self.sources: dict[Id, tuple[str, Id]] = {}
        """Parameter that holds a captured value → its name, and the value in the parent."""

    @property
    def writes(self) -> Writes:
        """The assignments of the piece of code this function belongs to."""
        return self._writes()

    def parameter_names(self) -> set[str]:
        """The variables that are parameters."""
        values = (self.builder.values[at] for at in self.function.params)
        return {value.name for value in values if isinstance(value, Param)}

    def variadic(self) -> bool:
        """Whether there is a rest parameter."""
        values = (self.builder.values[at] for at in self.function.params)
        return any(isinstance(value, Param) and value.sort == "args" for value in values)

    def argument_fields(self) -> list[tuple[str, Id]]:
        """What `arguments` holds."""
        fields: list[tuple[str, Id]] = []
        for at in self.function.params:
            value = self.builder.values[at]
            if isinstance(value, Param) and value.sort in ("plain", "args"):
                fields.append(("**" if value.sort == "args" else str(len(fields)), at))
        return fields

    def box(self, span: Span) -> Id:
        """The object that holds the variables this function shares."""
        if self._box is None:
            self._box = self.builder.record("scope", (), span)
        return self._box

    def share(self, variable: str, span: Span) -> None:
        """Keeps a variable in the scope object from here on."""
        if variable not in self.boxed:
            self.boxed.add(variable)
            value = self.builder.read(variable)
            if value is not None:
                at = self.box(span)
                self.builder.add(Store(at, variable, value, span.start, span.end))

    def box_of(self, owner: Frame, span: Span) -> Id:
        """The scope object of an enclosing function, captured through all levels between."""
        if owner is self:
            return self.box(span)
        known = self._boxes.get(owner)
        if known is not None:
            return known
        if self.parent is None:
            raise AssertionError
        outer = self.parent.box_of(owner, span)
        name = "<scope>" if self.parent is owner else f"<scope:{owner.function.label}>"
        at = self._capture(name, outer, span)
        self._boxes[owner] = at
        return at

    def held(self, owner: Frame, variable: str, span: Span) -> Id | None:
        """A variable of an enclosing function by value; `None` when it has none yet."""
        if owner is self:
            return self.builder.read(variable)
        known = self._captures.get((owner, variable))
        if known is not None:
            present = self.builder.read(variable)
            if present is None:
                self.builder.write(variable, known)
                return known
            return present
        if self.parent is None:
            return None
        outer = self.parent.held(owner, variable, span)
        if outer is None:
            return None
        at = self._capture(variable, outer, span)
        self._captures[owner, variable] = at
        self.captured_names[variable] = at
        self.sources[at] = (variable, outer)
        return at

    def steady(self, variable: str) -> bool:
        """Whether a variable of this function has its only value by now."""
        if variable in self.loose or variable in self.shared or variable in self.spilled:
            return False
        if self.builder.read(variable) is None:
            return False
        name = variable.partition("@")[0]
        return not self.writes.written(name, self.function.start, self.function.end)

    def captured_field(self, value: Id, name: str, span: Span) -> None:
        """Takes over what the enclosing function had learnt about a field of a captured value."""
        builder = self.builder
        path = (builder.root(value), name)
        if builder.read(path) is not None:
            return
        source = self.sources.get(path[0])
        if source is None or self.parent is None:
            return
        variable, outer = source
        self.parent.captured_field(outer, name, span)
        above = self.parent.builder
        known = above.read((above.root(outer), name))
        if known is None or (
            above.root(known) == known and above.root(outer) not in self.parent.sources
        ):
            return
        at = self._capture(f"{variable}.{name}", known, span)
        self.sources[at] = (f"{variable}.{name}", known)
        builder.write(path, at)

    def captured(self, owner: Frame, variable: str, span: Span) -> Id:
        """The value, inside this function, of a variable of an enclosing one."""
        if (owner, variable) in self._captures or owner.steady(variable):
            value = self.held(owner, variable, span)
            if value is not None:
                return value
        owner.share(variable, span)
        return self.builder.load(self.box_of(owner, span), variable, span)

    def assign_captured(self, owner: Frame, variable: str, value: Id, span: Span) -> None:
        """Assigns, inside this function, a variable of an enclosing one."""
        owner.share(variable, span)
        owner.shared.add(variable)
        self.builder.store(self.box_of(owner, span), variable, value, span)

    def _capture(self, name: str, outer: Id, span: Span) -> Id:
        if self.parent is None:
            raise AssertionError
        index = len(self.function.params)
        at = self.builder.param(name, span, sort="capture")
        self.parent.builder.capture(self.closure, index, outer)
        return at
