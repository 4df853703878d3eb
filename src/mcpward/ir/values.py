"""The instructions both frontends lower to: a graph of values in static single assignment form.

Lowering removes variables, nested expressions, loops of every flavour, `with`, `switch`, `match`,
destructuring, comprehensions, template strings, `await`, optional chaining, decorators (they become
calls) and classes (they become closures with methods). A condition becomes an `Assume` on each
branch: the same value, on a path where a test came out one way. So whatever a guard proves is
carried by the value itself and the engine needs no state per program point.

An instruction is named by its index in `Function.values`; operands are such indexes. Instructions
are mutable only while a builder completes loop `Phi`s and captures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from mcpward.core.source import Language, SourceFile

Id = int


class Outcome(Enum):
    """How a test came out."""

    TRUE = "true"
    FALSE = "false"
    RETURNED = "returned"
    """The test is a call that returned instead of raising."""

    @property
    def opposite(self) -> Outcome:
        """The other branch; a call that returned has none."""
        if self is Outcome.TRUE:
            return Outcome.FALSE
        return Outcome.TRUE if self is Outcome.FALSE else self


class Unknown(Enum):
    """The type of `UNKNOWN`, a constant whose value is not known (and not tainted)."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression literal."""

    text: str
    flags: str = ""


@dataclass(frozen=True, slots=True)
class TypeExpr:
    """A type annotation with qualified names.

    Python `Annotated[str, Field(pattern="^a$")]` is
    `TypeExpr("typing.Annotated", (TypeExpr("str"), TypeExpr("pydantic.Field", (),
    (("pattern", "^a$"),))))`. Builtins and TypeScript primitives are bare (`str`, `string`), names
    from imports stand behind their module (`httpx.AsyncClient`, `ssh2.Client`), names of this
    module behind its own name (`app.server.Client`, `src/lib/x.Client`). A union is named `|`, a
    literal type `=` with the value in `literal`.
    """

    name: str
    args: tuple[TypeExpr, ...] = ()
    keywords: tuple[tuple[str, object], ...] = ()
    literal: object = None


@dataclass(slots=True, eq=False)
class Param:
    """The n-th parameter; captured variables are parameters behind the declared ones."""

    name: str
    index: int
    sort: str = "plain"
    """`plain`, `args` (rest), `kwargs`, `keyword` (keyword only) or `capture`."""
    annotation: TypeExpr | None = None
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False)
class Const:
    """A literal, or `UNKNOWN`: text, number, truth value, `None`, bytes or `Pattern`."""

    value: object
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False)
class Global:
    """A name from outside the function.

    `absolute`: a dotted module path (`os.path`) or module specifier (`fs`, `src/lib/files`);
    otherwise a module variable of this module or a builtin. The name `<module>` is the object that
    holds the module variables, `<exports>` the one that holds what importers see (JavaScript).
    """

    name: str
    absolute: bool = False
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False)
class Phi:
    """One of several values, by control flow."""

    operands: list[Id]
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False)
class Join:
    """Made from all operands.

    With `fields` it is a fresh object or container: operand k sits in field k (`"0"`, `"name"`,
    `"*"` for an unknown key or set element, `"**"` for spread). Without, it is text or arithmetic.
    """

    label: str
    """Text: `concat`, `f-string`, `template`, `format`, `arithmetic`. Containers: `list`, `tuple`,
    `set`, `dict`, `object`, `array`, `scope`, `arguments`. What is caught: `exception`, with the
    types that are caught where they are written."""
    operands: tuple[Id, ...]
    fields: tuple[str, ...] | None = None
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False)
class Load:
    """Reads a field, key or index; `*` when it is not a constant (`key` then holds the value)."""

    object: Id
    field: str
    start: int = 0
    end: int = 0
    key: Id | None = None
    subscript: bool = False
    """Written `o[k]`, not `o.k`."""


@dataclass(slots=True, eq=False)
class Store:
    """Writes a field, key or index; yields nothing."""

    object: Id
    field: str
    value: Id
    start: int = 0
    end: int = 0
    key: Id | None = None


@dataclass(slots=True, eq=False)
class Compare:
    """A test of two values, or a combination of tests; the result carries no taint.

    Operators: `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `not in`, `is`, `is not`, `instanceof`;
    `and`, `or` (two operands), `not` (one).
    """

    operator: str
    operands: tuple[Id, ...]
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False)
class Call:
    """A call. A method call has the receiver apart; `callee` is then its `Load`."""

    callee: Id
    receiver: Id | None
    args: tuple[Id, ...]
    keywords: tuple[tuple[str, Id], ...] = ()
    """A `**mapping` argument has the name `**`."""
    spread: int = -1
    """Position of the first `*iterable` argument, or -1."""
    sort: str = "call"
    """`call`, `new`, `decorator` (args[0] is the decorated function or class), `tag`
    (a tagged template: args[0] is the array of literal parts, the rest are the values), `super`."""
    block: int = 0
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False)
class Closure:
    """A function or class as a value, with what it captures."""

    target: str
    """Name of a `Function`, or of a `Class` of the same module."""
    captures: list[tuple[int, Id]] = field(default_factory=list)
    """(parameter index inside the target, value here). Captures of a method belong to the closure
    of the method, which stands beside the closure of its class."""
    defaults: list[tuple[int, Id]] = field(default_factory=list)
    """(parameter index, default value here) for Python, which evaluates defaults outside."""
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False)
class Assume:
    """The same value, on a path where `test` came out as `outcome`."""

    value: Id
    test: Id
    outcome: Outcome
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False)
class Return:
    """Leaves the function (or yields). `versions` are the parameters as they are known here."""

    value: Id
    versions: tuple[tuple[int, str, Id], ...] = ()
    """(parameter index, field or "", the value that it is known to have at this point)."""
    start: int = 0
    end: int = 0


Value = (
    Param | Const | Global | Phi | Join | Load | Store | Compare | Call | Closure | Assume | Return
)


class Condition(NamedTuple):
    """A test that holds in a block, linked to the ones around it."""

    outer: Condition | None
    test: Id
    outcome: Outcome


@dataclass(slots=True, eq=False)
class Function:
    """One lowered function, method, lambda or module body."""

    name: str
    """Unique in the program: `app.server:Client.fetch`; the module body is `app.server:`."""
    module: str
    values: list[Value] = field(default_factory=list)
    params: list[Id] = field(default_factory=list)
    """Declared parameters first (with `self`/`cls`/`this` as parameter 0 of methods, sort
    `receiver`), then captures."""
    returns: list[Id] = field(default_factory=list)
    result: TypeExpr | None = None
    """The declared type of what it returns."""
    doc: Const | None = None
    """The docstring of a Python function."""
    conditions: dict[int, Condition] = field(default_factory=dict)
    """Block number → innermost condition, for the blocks that have one."""
    owner: str = ""
    """Name of the class whose method this is."""
    parent: str = ""
    """Name of the enclosing function."""
    asynchronous: bool = False
    generator: bool = False
    static: bool = False
    live: list[Id] | None = None
    """The instructions that anything depends on (see `ir/liveness.py`), once somebody asked."""
    start: int = 0
    end: int = 0

    @property
    def label(self) -> str:
        """The name as a person would say it."""
        return self.name.rpartition(":")[2] or "module body"


@dataclass(slots=True, eq=False)
class Class:
    """A class: a namespace of methods, with its bases."""

    name: str
    """Unique in the program: `app.server:Client`."""
    module: str
    bases: tuple[Id, ...] = ()
    """The base classes as values of the function in which the class is defined."""
    scope: str = ""
    """Name of that function."""
    methods: dict[str, str] = field(default_factory=dict)
    """Method name → function name. The constructor is `__init__` or `constructor`."""
    properties: frozenset[str] = frozenset()
    """Methods that are read like fields."""
    fields: dict[str, TypeExpr] = field(default_factory=dict)
    """Declared types of fields."""
    defaults: dict[str, Id] = field(default_factory=dict)
    """Class variables: field → value in `scope`."""
    start: int = 0
    end: int = 0


@dataclass(slots=True, eq=False)
class Module:
    """One source file, lowered: the module body at once, functions on first demand."""

    name: str
    """Python: dotted path. JavaScript: path without extension, with forward slashes."""
    source: SourceFile
    functions: dict[str, Function] = field(default_factory=dict)
    """All lowered functions; the module body is `functions[name + ":"]`."""
    classes: dict[str, Class] = field(default_factory=dict)
    pending: dict[str, object] = field(default_factory=dict)
    """Function name → what the frontend needs to lower it."""
    stars: list[str] = field(default_factory=list)
    """Modules whose exports are re-exported (`export * from`, `from x import *`)."""
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Pending function → its byte range, to find what a text search hit."""
    telling: frozenset[str] | None = None
    """Names of the functions and methods whose return may say something about their arguments
    (validators that raise); `None` for all."""

    @property
    def language(self) -> Language:
        """The language of the file."""
        return self.source.language

    @property
    def body(self) -> Function:
        """The function made of the module's top level."""
        return self.functions[self.name + ":"]
