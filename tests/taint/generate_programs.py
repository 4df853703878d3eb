"""A writer of random handlers, driven by a grammar in a text file of typed templates.

A grammar file has sections `[type]` with one expression per line, and `[do]` with statements, which
are separated by blank lines. Holes in a template:

    ‹text›      an expression of the type         ‹=text›   a new variable of the type
    ‹$text›     the name of a variable            ‹.text›   a new variable of the block that opens
    ‹!text›     a variable that may be assigned   ‹#a›      a fresh name, the same within a template
    ‹text/v›    an expression that may use `v`    ‹body›    some statements, alone on its line

A template that begins with `%gap` is left out, because what it does is in `known_gaps.py`; one that
begins with `%async` needs an asynchronous function. Lines behind `^` go to the module level, lines behind `~` to another file.
"""  # noqa: RUF002  # the quotes are the notation

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

HOLE = re.compile(r"‹([=.$!#]?)(\w+)(?:/(\w+))?›")
Line = TypeVar("Line")
NAMED = re.compile(r"(?m)^(?:export )?(?:async )?(?:class |def |function\*? ?|const )?(\w+)")
AWAITS = re.compile(r"^%async\n|^[^\n]*\bawait [^\n]*$|\basync for\b")
SYNCHRONOUS = re.compile(r"\blambda\b|=>")
TEXTS = re.compile(r"\"[^\"]*\"|`[^`]*`")
BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}")


def read_grammar(path: Path) -> dict[str, list[str]]:
    """Section → templates."""
    grammar: dict[str, list[str]] = {}
    for part in re.split(r"(?m)^\[(?=\w+\]$)", path.read_text("utf-8"))[1:]:
        name, _, body = part.partition("]\n")
        pieces = re.split(r"\n\n+", body) if name in ("do", "prelude") else body.split("\n")
        found = [piece.strip("\n") for piece in pieces if piece.strip()]
        grammar[name] = [piece for piece in found if not piece.startswith("%gap")]
    return grammar


@dataclass
class Unit:
    """One handler with what belongs to it at module level and in the other file."""

    number: int
    asynchronous: bool = False
    top: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)


def written(program: str, number: int) -> Unit:
    """The unit of a program in which `^`, `~` and `%async` mean what they mean in a grammar."""
    made = Unit(number, program.startswith("%async\n"))
    for row in program.removeprefix("%async\n").strip("\n").split("\n"):
        target = {"^": made.top, "~": made.other}.get(row[:1], made.body)
        target.append(row.lstrip("^~"))
    return made


@dataclass
class Scope:
    """The variables of a block as (type, name), oldest first."""

    variables: list[tuple[str, str]] = field(default_factory=list)
    function: bool = False
    asynchronous: bool = False


@dataclass(frozen=True)
class Language:
    """What the writer has to know about a language."""

    grammar: dict[str, list[str]]
    assign: str
    """How a variable is made, with `?` for the name and the value."""
    sink: str
    opener: re.Pattern[str]
    """Finds the line that opens a function."""


class Writer:
    """Writes one unit."""

    def __init__(self, language: Language, number: int, seed: str) -> None:
        self.language = language
        self.grammar = language.grammar
        self.chance = random.Random(seed)
        self.unit = Unit(number, self.chance.random() < 0.4)
        self.scopes = [Scope([("text", "text")], True, self.unit.asynchronous)]
        self.names = 0
        self.depth = 0
        self.synchronous = 0
        """How many functions without `await` enclose the expression that is written."""

    def write(self) -> Unit:
        for _ in range(self.chance.choice((1, 2, 2, 3, 3, 4, 5))):
            self.statement(self.unit.body, "")
            if self.chance.random() < 0.2:
                self.sink(self.unit.body, "")
        for _ in range(self.chance.choice((1, 1, 2))):
            self.sink(self.unit.body, "")
        return self.unit

    def sink(self, lines: list[str], indent: str) -> None:
        lines.extend(self.line(self.language.sink, indent, {}, [], []))

    def statement(self, lines: list[str], indent: str) -> None:
        usable = [template for template in self.grammar["do"] if self.fits(template)]
        recent = [kind for scope in self.scopes for kind, _ in scope.variables][-1:]
        if recent and self.chance.random() < 0.7:
            wanted = re.compile(rf"‹[$!]?{recent[0]}(?:/\w+)?›")
            usable = [template for template in usable if wanted.search(template)] or usable
        self.template(self.chance.choice(usable), lines, indent)

    def fits(self, template: str) -> bool:
        if "‹body›" in template and self.depth >= 2:
            return False
        if "asyncio.run(" in template:
            return not any(scope.asynchronous for scope in self.scopes)
        if not AWAITS.search(template):
            return True
        return self.inside().asynchronous and not self.synchronous

    def inside(self) -> Scope:
        """The function that is being written."""
        return next(scope for scope in reversed(self.scopes) if scope.function)

    def template(self, template: str, lines: list[str], indent: str) -> None:
        fresh: dict[str, str] = {}
        rows = template.removeprefix("%async\n").split("\n")
        for mark, target in (("~", self.unit.other), ("^", self.unit.top)):
            mine = [row[1:] for row in rows if row.startswith(mark)]
            kept, self.scopes = self.scopes, [Scope([], True)]
            self.stream(mine, target, "", fresh)
            self.scopes = kept
        self.stream([row for row in rows if row[0] not in "^~"], lines, indent, fresh)

    def stream(self, rows: list[str], lines: list[str], indent: str, fresh: dict[str, str]) -> None:
        levels: list[int] = []
        for row in rows:
            bare = row.strip()
            level = len(row) - len(row.lstrip())
            while levels and level <= levels[-1]:
                levels.pop()
                self.scopes.pop()
            if bare == "‹body›":
                self.block(lines, indent + row[:level])
                continue
            after: list[tuple[str, str]] = []
            inner: list[tuple[str, str]] = []
            lines.extend(self.line(bare, indent + row[:level], fresh, after, inner))
            self.scopes[-1].variables.extend(after)
            if bare.endswith((":", "{")):
                opener = self.language.opener.search(bare)
                asynchronous = opener is not None and "async" in opener[0]
                self.scopes.append(Scope(inner, opener is not None, asynchronous))
                levels.append(level)
        for _ in levels:
            self.scopes.pop()

    def block(self, lines: list[str], indent: str) -> None:
        self.depth += 1
        self.scopes.append(Scope())
        for _ in range(self.chance.choice((1, 1, 2))):
            self.statement(lines, indent)
        if self.chance.random() < 0.3:
            self.sink(lines, indent)
        self.scopes.pop()
        self.depth -= 1

    def line(
        self,
        template: str,
        indent: str,
        fresh: dict[str, str],
        after: list[tuple[str, str]],
        inner: list[tuple[str, str]],
    ) -> list[str]:
        before: list[str] = []

        def fill(hole: re.Match[str]) -> str:
            sort, kind, local = hole.groups()
            match sort:
                case "#":
                    return fresh.setdefault(kind, self.name(kind[0]))
                case "=" | ".":
                    name = self.name(kind[0])
                    (after if sort == "=" else inner).append((kind, name))
                    return name
                case "$" | "!":
                    return self.variable(kind, before, indent, assigned=sort == "!")
                case _:
                    return self.expression(kind, before, indent, 0, local)

        text = self.filled(template, fill)
        return [*before, indent + text]

    def filled(self, template: str, fill: Callable[[re.Match[str]], str]) -> str:
        within = SYNCHRONOUS.search(template) is not None and not template.endswith("{")
        self.synchronous += within
        text = HOLE.sub(fill, template)
        self.synchronous -= within
        return text

    def name(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.unit.number}_{self.names}"

    def visible(self, kind: str, *, assigned: bool = False) -> list[str]:
        scopes = self.scopes
        if assigned:
            scopes = scopes[max(at for at, scope in enumerate(scopes) if scope.function) :]
        return [name for scope in scopes for had, name in scope.variables if had == kind]

    def variable(self, kind: str, before: list[str], indent: str, *, assigned: bool = False) -> str:
        names = self.visible(kind, assigned=assigned)
        if names and self.chance.random() < 0.9:
            return names[-1] if self.chance.random() < 0.6 else self.chance.choice(names)
        value = self.expression(kind, before, indent, 1)
        name = self.name(kind[0])
        before.append(indent + self.language.assign.format(name=name, value=value))
        self.scopes[-1].variables.append((kind, name))
        return name

    def expression(
        self, kind: str, before: list[str], indent: str, depth: int, local: str | None = None
    ) -> str:
        if local is not None and self.chance.random() < 0.8:
            return local
        names = self.visible(kind)
        if names and self.chance.random() < 0.65:
            return names[-1] if self.chance.random() < 0.7 else self.chance.choice(names)
        templates = self.grammar[kind]
        plain = [template for template in templates if "‹" not in template]
        if plain and (depth >= 2 or self.chance.random() < 0.35):
            return self.chance.choice(plain)
        allowed = [template for template in templates if self.fits(template)]

        def fill(hole: re.Match[str]) -> str:
            sort, wanted, name = hole.groups()
            if sort == "$":
                return self.variable(wanted, before, indent)
            return self.expression(wanted, before, indent, depth + 1, name)

        text = self.filled(self.chance.choice(allowed), fill)
        return f"({text})" if loose(text) else text


def prelude(grammar: dict[str, list[str]], unit: Unit) -> list[str]:
    """The declarations that the unit uses, under names of its own."""
    pieces = {NAMED.search(piece)[1]: piece for piece in grammar["prelude"]}
    word = re.compile(rf"(?<![.\w])({'|'.join(pieces)})\b(?!=)")
    used: dict[str, str] = {}
    work = ["\n".join([*unit.top, *unit.other, *unit.body])]
    while work:
        for name in word.findall(work.pop()):
            if name not in used:
                used[name] = pieces[name]
                work.append(pieces[name])
    for lines in (unit.top, unit.other, unit.body):
        lines[:] = [word.sub(rf"\1_{unit.number}", line) for line in lines]
    text = "\n".join(pieces[name] for name in pieces if name in used)
    return word.sub(rf"\1_{unit.number}", text).split("\n") if text else []


def loose(expression: str) -> bool:
    """Whether it has an operator outside all brackets, or begins like a block."""
    if expression.startswith("{"):
        return True
    rest = TEXTS.sub("", expression)
    while (fewer := BRACKETS.sub("", rest)) != rest:
        rest = fewer
    return re.search(r"[^\w.]", rest) is not None


def shrunken(lines: list[Line], fails: Callable[[list[Line]], bool]) -> list[Line]:
    """The lines that are needed for it to fail: in halves, quarters, and at last one by one."""
    lines = list(lines)
    size = max(1, len(lines) // 2)
    while size:
        at = 0
        while at < len(lines):
            fewer = lines[:at] + lines[at + size :]
            if fails(fewer):
                lines = fewer
            else:
                at += 1
        size = size // 2 if size > 1 else 0
    return lines
