"""What a rule looks for, and the rows of library knowledge that the engine works with.

Rows describe calls by *places*. A place is written

    0          the first argument            self       the receiver
    path       the keyword argument          return     the result
    0:path     the argument by either        args       every positional argument
    2+         the third and all after it    kwargs     every keyword argument
    0()        what the function given as first argument returns
    0(1)       the second parameter of the function given as first argument
    0:f(1)     the same for a function given as first argument or as keyword argument `f`

with a dotted path behind it: `0.headers`, `self.*` (any element), `1.shell`, `return.body`, `0.1+`
(the second element of a list and all after it). A field named by a constant argument is written in
braces: `self.{0}` (the key is argument 0). `docs/models.md` has the same with examples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mcpward.core.finding import Severity

Constant = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a call a value sits."""

    base: str
    """`arg`, `rest`, `keyword`, `args`, `kwargs`, `self`, `return`, `result-of`, `parameter-of`."""
    index: int = -1
    """Position for `arg`, `rest`, `result-of` and `parameter-of`."""
    name: str = ""
    """Keyword, for `arg`, `keyword`, `result-of` and `parameter-of`."""
    parameter: int = -1
    """Parameter index for `parameter-of`."""
    path: tuple[str, ...] = ()
    """Fields behind it; `*` is any element, `{0}` the field named by constant argument 0."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A test on an argument that decides whether a row applies."""

    place: Place
    values: tuple[Constant, ...]
    """Constants of which one must be equal, qualified names (the argument refers to it), or words:

    `<absent>` not given, `<present>` given, `<text>` a string, `<list>` a list or tuple,
    `<constant>` a literal, `<constant-set>` a collection of literals, `<trusted>` carries no taint,
    `<ends-with-separator>` a path prefix that ends in a separator, `<dynamic>` not a literal,
    `~regex` a literal that the regular expression after `~` finds a match in.
    """


Pass = tuple[Place, Place]


@dataclass(frozen=True, slots=True)
class CallModel:
    """What one library function does with its arguments.

    Among the rows of one name the first whose conditions hold is used. A value that is not known
    counts as fulfilling `when` and as not fulfilling `unless`. A row states all: what it does
    not pass does not flow. A call without any row passes everything and lowers the confidence.
    """

    name: str
    """Qualified: `subprocess.run`, `pathlib.Path.open`, `fs.promises.readFile`, `str.strip`."""
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    sinks: tuple[tuple[Place, str], ...] = ()
    """Places that must not be reached, each with a sink kind of `kinds.toml`."""
    passes: tuple[Pass, ...] = ()
    """Where values go: from place, to place."""
    marks: tuple[str, ...] = ()
    """Marks that every passed value gains."""
    forgets: tuple[str, ...] = ()
    """Marks that every passed value loses; `*` is all."""
    sources: tuple[tuple[Place, str], ...] = ()
    """Places that become tainted, each with a source kind."""
    returns: str = ""
    """Qualified name of the type of the result; `self` for the receiver (builders)."""
    calls: tuple[int, ...] = ()
    """Argument positions of functions that are called (parameters are bound by `passes`)."""
    exits: bool = False
    """The call does not return (`sys.exit`)."""
    text: str = ""
    """How a step through this call reads in a trace."""
    loose: bool = False
    """Also matched by the last part of the name when the receiver is not known."""
    also: bool = False
    """Applied in addition to the first row that matches."""


@dataclass(frozen=True, slots=True)
class FieldModel:
    """A field whose value is a source, or has a known type."""

    name: str
    """Qualified: `starlette.requests.Request.headers`."""
    source: str = ""
    returns: str = ""


@dataclass(frozen=True, slots=True)
class GuardModel:
    """A test, and what its outcome proves about the tested value."""

    name: str
    """Qualified name of the function, or an operator: `operator.in`, `operator.==`, …"""
    value: Place
    """The tested value."""
    outcome: Literal["true", "false", "returned"]
    """The outcome under which the marks are granted; `returned`: the call did not raise."""
    grants: tuple[str, ...]
    """Marks, or `<pattern>`: what the regular expression at `pattern` proves."""
    needs: tuple[str, ...] = ()
    """Marks the tested value must have already, else nothing is granted."""
    unless: tuple[str, ...] = ()
    """Marks of the tested value under which nothing is granted (it is only a part)."""
    when: tuple[Condition, ...] = ()
    pattern: Place | None = None
    text: str = ""
    """How the check reads in a trace."""


@dataclass(frozen=True, slots=True)
class EntryModel:
    """A way to declare a handler that a client or a model can call."""

    name: str
    """Qualified name of the callable, class (for `subclass`) or decorator."""
    how: Literal["decorator", "argument", "subclass", "member"]
    """`decorator`: `@x.tool()` or `@x.tool`; `argument`: a call that receives the handler;
    `subclass`: a class that extends `name` with a method `handler`;
    `member`: a call that receives an object with the handler in a member."""
    sort: str
    """`tool`, `resource`, `prompt`, `raw`, `route`, `completion`."""
    handler: Place | None = None
    """Where the function is; `None` for decorators and for the last function argument."""
    method: str = ""
    """Method name for `subclass`."""
    label: Place | None = None
    """Where the declared name is; without it, the handler's own name."""
    schema: Place | None = None
    """Where the schema of the first parameter is."""
    style: Literal["annotations", "zod", "json-schema", "none"] = "none"
    """What guarantees the shape of the parameters before the handler runs."""
    parameters: tuple[tuple[int, tuple[str, ...], str], ...] = ()
    """(parameter index, field path, source kind); empty: every parameter is a source."""
    kind: str = "model"
    """The source kind of the parameters when `parameters` is empty."""
    when: tuple[Condition, ...] = ()
    loose: bool = False
    """Also matched by the last part of the name when the receiver is not known."""
    injected: tuple[str, ...] = ()
    """Types and default factories that mark a parameter as injected, hence no source."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Programs that run one of their own arguments as code."""

    programs: tuple[str, ...]
    flags: tuple[str, ...]
    kind: str
    """The sink kind of what follows the flag: `shell` or `code`."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow from a source kind to a sink kind."""

    sources: tuple[str, ...]
    sinks: tuple[str, ...]
    cleared_by: tuple[str, ...]
    """Any of these marks on the flow clears it."""
    requires: tuple[str, ...] = ()
    """One of these marks must be on the flow: the rules of incomplete guards."""
    requires_all: tuple[str, ...] = ()
    """All of these marks must be on the flow."""
    source_severity: tuple[tuple[str, Severity], ...] = ()
    """The severity when the source is of this kind, where it differs."""
    sink_severity: tuple[tuple[str, Severity], ...] = ()
    """The severity when the sink is of this kind, where it differs."""
    mark_severity: tuple[tuple[str, Severity], ...] = ()
    """The highest severity of a flow with this mark."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A call or an assignment that is wrong by how it is written, whatever data comes to it.

    A value that is not known counts as not fulfilling `when` and as fulfilling `unless`: a shape
    that cannot be seen is not reported.
    """

    names: tuple[str, ...]
    """Qualified names of functions, or of fields for `store`: `requests.Session.verify`."""
    how: Literal["call", "store"] = "call"
    family: str = ""
    """`python` or `javascript`; empty: both."""
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    """For `store` the stored value is argument 0."""
    within: Literal["anywhere", "handler", "async-handler"] = "anywhere"
    """`handler`: in code that a handler reaches; `async-handler`: in an asynchronous function that
    one reaches."""
    severity: Severity | None = None
    """Where it differs from the rule's own."""
    text: str = ""
    """What `{detail}` in the message says for this shape."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Weak evidence in a text; alone it is never a finding."""

    name: str
    says: str
    """What it means, as the end of "The text …"."""
    patterns: tuple[str, ...] = field(default=(), hash=False)
    """Regular expressions over the plain reading of a text."""
    anchors: tuple[tuple[tuple[str, ...], ...], ...] = field(default=(), hash=False, repr=False)
    """For each pattern sets of texts; every match holds at least one of each set."""
    detector: str = ""
    """A function that finds it instead, by name."""
    deniable: bool = False
    """A negation right before it cancels it: "never reads ~/.ssh"."""
    quotable: bool = False
    """A sentence that talks about such texts does not count: "detects phrases such as …"."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A combination of signals in one text of the surface."""

    signals: tuple[tuple[str, int], ...]
    """Signals with their weights; each counts once."""
    needs: int
    """The total weight that makes a finding."""
    certain: int = 0
    """The total weight from which the finding is certain; 0: never."""
    requires: tuple[str, ...] = ()
    """One of these signals must be there."""
    requires_also: tuple[str, ...] = ()
    """One of these must be there as well."""
    fields: tuple[str, ...] = ()
    """Patterns such as `parameters.*` of the fields that are read; empty: all."""
    of: tuple[str, ...] = ()
    """Sorts of owners: `tools`, `prompts`, `resources`, `server`; empty: all."""
    reach: int = 3
    """How many sentences in a row may carry the signals together; 0: the whole text."""
    like: str = ""
    """A rule whose signals, with weights, and requirements this one shares."""
    below: tuple[str, ...] = ()
    """Rules that say it better: where one of them speaks about a text, this one is silent."""


@dataclass(frozen=True, slots=True)
class Example:
    """A block of code on a rule card: one file of one project."""

    language: str
    """The fence word: `python`, `ts`, `json`, `toml`, …"""
    file: str
    code: str
    line: int
    """Line of the card where the code starts."""


@dataclass(frozen=True, slots=True)
class Project:
    """Example files that belong together, and what the auditor must say about them."""

    section: Literal["vulnerable", "safe", "gap", "fixed"]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """How findings of a rule are repaired: a named edit with its arguments."""

    edit: str
    """The name of a function of `audit/edits`."""
    given: tuple[tuple[str, str], ...]
    safe: bool
    """Whether the edit keeps what the code does for legitimate use."""
    title: str = ""
    """What the edit does here; empty: the edit's own words."""
    family: str = ""
    """`python`, `javascript` or `document`; empty: all."""
    sinks: tuple[str, ...] = ()
    """Only for findings at these functions or fields; empty: all."""
    says: str = ""
    """Only for findings whose message holds these words."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the data, the page, and the examples, all from one card."""

    name: str
    """Kebab-case, the name of the file; used everywhere a rule is named."""
    category: str
    title: str
    severity: Severity
    cwe: tuple[int, ...]
    message: str
    """With the holes `{source}`, `{sink}`, `{handler}` and `{detail}`."""
    fix: str
    """The section "Fix" of the card as one paragraph of plain text."""
    page: str
    """The card as Markdown without the data block."""
    flow: Flow | None = None
    shapes: tuple[Shape, ...] = ()
    checks: tuple[str, ...] = ()
    """The modules of `audit/checks` that have a function of the rule's name."""
    about: tuple[str, ...] = ()
    """Names of libraries that these functions ask for: the engine keeps track of these too."""
    wording: Wording | None = None
    tags: tuple[str, ...] = ()
    """`owasp-mcp/MCP05`, `safe-mcp/SAFE-T1105`, `pattern-22/1`, …"""
    since: str = ""
    strict: bool = False
    """Only reported with `--strict`."""
    repairs: tuple[Repair, ...] = ()
    """The first that fits a finding is offered."""
    projects: tuple[Project, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Mark:
    """A promise about a value, declared in `kinds.toml`."""

    name: str
    promise: str
    """What the mark promises, as a sentence."""
    weakness: str = ""
    """For marks of incomplete guards: why the guard does not suffice."""
    about: tuple[str, ...] = ()
    """Beginnings of the sink kinds at which the weakness explains something."""
