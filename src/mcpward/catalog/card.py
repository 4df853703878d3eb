"""The reader of rule cards: one Markdown file is the data, the page and the tests of one rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from string import Formatter
from typing import Any, Literal

from mcpward.catalog.repairs import read_repairs
from mcpward.catalog.shapes import read_shapes
from mcpward.catalog.tables import SEVERITIES, Table, known_word, parse_toml
from mcpward.catalog.vocabulary import Vocabulary
from mcpward.catalog.wordings import read_wording
from mcpward.core.errors import CatalogError
from mcpward.core.finding import Severity
from mcpward.core.rule import Example, Flow, Project, Rule

Section = Literal["vulnerable", "safe", "gap", "fixed"]

EXAMPLE_SECTIONS: dict[str, Section] = {
    "Vulnerable": "vulnerable",
    "Safe": "safe",
    "Known gaps": "gap",
    "Fixed": "fixed",
}
SECTIONS = frozenset({*EXAMPLE_SECTIONS, "Fix"})
SUFFIXES = {"python": "py", "ts": "ts", "tsx": "tsx", "js": "js"}
OTHERS = frozenset({"json", "toml", "yaml", "dockerfile", "env", "ini", "text"})
"""Languages of examples that are no code; their blocks need the name of a file."""
HOLES = frozenset({"source", "sink", "handler", "detail"})
PATTERNS = 22
MOST_TAGS = 20  # GitHub shows no more

_FENCE = re.compile(r"(`{3,}|~{3,})(.*)")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class _Block:
    """A fenced block."""

    info: str
    code: str
    line: int
    """Where the code starts."""
    section: str
    follows: bool
    """Whether nothing but blank lines stands between this block and the one before."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A card taken apart, nothing interpreted yet."""

    title: str
    fix: str
    text: str
    """Everything but the data block."""
    data: _Block
    examples: tuple[_Block, ...]


def read_card(text: str, *, name: str, category: str, file: str, words: Vocabulary) -> Rule:
    """Reads the rule `name` from the text of its card; `file` is what errors call it.

    Raises CatalogError when the card misses a part or contradicts the vocabulary.
    """
    if not _NAME.fullmatch(name):
        raise CatalogError(f"{file}: `{name}` is not a rule name", hint="Use `kebab-case.md`.")
    page = _take_apart(text, file)
    table = Table(
        parse_toml(page.data.code, f"{file}:{page.data.line}"), f"{file}:{page.data.line}"
    )
    checks, about = _checks(table)
    rule = Rule(
        name=name,
        category=category,
        title=page.title,
        severity=_severity(table.text("severity"), table.where),
        cwe=table.numbers("cwe"),
        message=_message(table),
        fix=page.fix,
        page=page.text,
        flow=_flow(table.table("flow"), words) if table.has("flow") else None,
        shapes=read_shapes(table),
        checks=checks,
        about=about,
        wording=read_wording(table.table("text")),
        tags=_tags(table),
        since=table.text("since"),
        strict=table.flag("strict"),
        repairs=read_repairs(table),
        projects=tuple(_projects(page.examples, file)),
    )
    table.finish()
    if not (rule.flow or rule.shapes or rule.checks or rule.wording):
        raise CatalogError(
            f"{table.where}: the card does not say what it looks for",
            hint="Add `[flow]`, `[[shape]]`, `[text]` or `[check]`.",
        )
    return rule


def _checks(table: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    inner = table.table("check")
    names = inner.texts("in") if table.has("check") else ()
    about = inner.texts("about")
    inner.finish()
    return names, about


def _message(table: Table) -> str:
    message = table.text("message")
    for _, hole, _, _ in Formatter().parse(message):
        if hole is not None:
            known_word(hole, HOLES, what="hole in the message", where=table.where)
    return message


def _severity(word: str, where: str) -> Severity:
    return SEVERITIES[known_word(word, SEVERITIES, what="severity", where=where)]


def _flow(table: Table, words: Vocabulary) -> Flow:
    where = table.where
    sources = tuple(words.source(kind, where) for kind in table.texts("from"))
    sinks = tuple(words.sink(kind, where) for kind in table.texts("to"))
    if not sources or not sinks:
        raise CatalogError(f"{where}: a flow needs `from` and `to`")
    flow = Flow(
        sources,
        sinks,
        cleared_by=tuple(words.mark(mark, where) for mark in table.texts("cleared_by")),
        requires=tuple(words.mark(mark, where) for mark in table.texts("requires")),
        requires_all=tuple(words.mark(mark, where) for mark in table.texts("requires_all")),
        source_severity=_severities(table, "source_severity", sources),
        sink_severity=_severities(table, "sink_severity", sinks),
        mark_severity=_severities(table, "mark_severity", tuple(words.marks)),
    )
    table.finish()
    return flow


def _severities(table: Table, key: str, kinds: tuple[str, ...]) -> tuple[tuple[str, Severity], ...]:
    return tuple(
        (
            known_word(kind, kinds, what="kind of this flow", where=table.where),
            _severity(str(word), table.where),
        )
        for kind, word in table.pairs(key)
    )


def _tags(table: Table) -> tuple[str, ...]:
    patterns = table.numbers("pattern")
    if not all(1 <= pattern <= PATTERNS for pattern in patterns):
        raise table.wrong("pattern", f"between 1 and {PATTERNS}")
    if not table.numbers("cwe"):
        raise CatalogError(f"{table.where}: `cwe` is missing", hint="Add `cwe = [22]`.")
    tags = (
        "security",
        *(f"external/cwe/cwe-{number:03}" for number in table.numbers("cwe")),
        *(f"owasp-mcp/{code}" for code in table.texts("owasp")),
        *(f"safe-mcp/{code}" for code in table.texts("safe_mcp")),
        *(f"pattern-22/{pattern}" for pattern in patterns),
    )
    if len(tags) > MOST_TAGS:
        raise CatalogError(f"{table.where}: {len(tags)} tags, at most {MOST_TAGS} are shown")
    return tags


def _projects(blocks: tuple[_Block, ...], file: str) -> Iterator[Project]:
    pending: list[Example] = []
    section: Section = "vulnerable"
    for block in blocks:
        language, _, name = block.info.partition(" ")
        where = f"{file}:{block.line - 1}"
        if language not in OTHERS or not name:
            known_word(language, SUFFIXES, what="language", where=where)
        example = Example(
            language, name.strip() or f"example.{SUFFIXES[language]}", block.code, block.line
        )
        joins = (
            name
            and block.follows
            and EXAMPLE_SECTIONS[block.section] == section
            and example.file not in {other.file for other in pending}
        )
        if pending and not joins:
            yield Project(section, tuple(pending))
            pending = []
        section = EXAMPLE_SECTIONS[block.section]
        pending.append(example)
        if not name:
            yield Project(section, tuple(pending))
            pending = []
    if pending:
        yield Project(section, tuple(pending))


def _take_apart(text: str, file: str) -> _Page:
    title, section = "", ""
    kept: list[str] = []
    fix: list[str] = []
    data: _Block | None = None
    examples: list[_Block] = []
    follows = False
    lines = text.splitlines()
    number = 0
    seen: set[str] = set()
    while number < len(lines):
        line = lines[number]
        number += 1
        fence = _FENCE.match(line) if line.startswith(("```", "~~~")) else None
        if fence:
            end = _closing(lines, number, fence[1], file)
            block = _Block(
                fence[2].strip(),
                "\n".join([*lines[number:end], ""]),
                number + 1,
                section,
                follows,
            )
            if block.info == "toml" and data is None:
                data = block
                number = end + 1
                continue
            if section not in EXAMPLE_SECTIONS:
                raise CatalogError(
                    f"{file}:{number}: a code block outside the sections of examples",
                    hint=f"Move it below one of: {', '.join(EXAMPLE_SECTIONS)}.",
                )
            examples.append(block)
            kept += lines[number - 1 : end + 1]
            number = end + 1
            follows = True
            continue
        if line.startswith("# ") and not title:
            title = line[2:].strip()
        elif line.startswith("## "):
            section = known_word(
                line[3:].strip(), SECTIONS, what="section", where=f"{file}:{number}"
            )
            if section in seen:
                raise CatalogError(f"{file}:{number}: the section `{section}` comes twice")
            seen.add(section)
        elif section == "Fix":
            fix.append(line.strip())
        follows = follows and not line.strip()
        kept.append(line)
    return _Page(
        title=_present(title, "title", "# What goes wrong", file),
        fix=_LINK.sub(r"\1", _present(" ".join(filter(None, fix)), "section", "## Fix", file)),
        text="\n".join(_without_double_blanks(kept)).strip() + "\n",
        data=_present(data, "data block", "```toml", file),
        examples=tuple(examples),
    )


def _closing(lines: list[str], start: int, fence: str, file: str) -> int:
    for number in range(start, len(lines)):
        if lines[number].startswith(fence) and lines[number].rstrip() == fence:
            return number
    raise CatalogError(f"{file}:{start}: this code block is never closed", hint=f"Add `{fence}`.")


def _without_double_blanks(lines: list[str]) -> Iterator[str]:
    previous = ""
    for line in lines:
        if line or previous:
            yield line
        previous = line


def _present(value: Any, part: str, how: str, file: str) -> Any:
    if not value:
        raise CatalogError(f"{file}: the {part} is missing", hint=f"Add `{how}`.")
    return value
