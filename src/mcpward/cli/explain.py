"""The commands `mcpward explain` and `mcpward rules`: what the auditor looks for, and why."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mcpward.core.rule import Rule

_FAMILIES = {"ts": "javascript", "tsx": "javascript", "js": "javascript"}


@click.command(short_help="Print what a rule or pattern is about.")
@click.argument("rule", required=False)
@click.option(
    "--pattern", metavar="N", help="Print one of the 22 vulnerability patterns, by number or name."
)
def explain(rule: str | None, pattern: str | None) -> None:
    """Print the card of RULE: the hole, vulnerable and safe code, and the fix."""
    from mcpward.catalog.catalog import load_catalog
    from mcpward.cli.output import to_stdout
    from mcpward.core.errors import UsageError

    if (rule is None) == (pattern is None):
        raise UsageError(
            "name a rule or a pattern", hint="mcpward explain path-traversal, or --pattern 1."
        )
    if rule is None:
        text = _pattern(pattern or "")
        to_stdout(_painted(text) if _watched() else text)
        return
    rules = load_catalog().rules
    if rule not in rules:
        from mcpward.catalog.tables import closest

        raise UsageError(f"there is no rule `{rule}`", hint=closest(rule, rules))
    text = _card(rules[rule])
    to_stdout(_painted(text) if _watched() else text)


@click.command()
@click.option(
    "--format",
    "format_",
    type=click.Choice(("text", "json")),
    default="text",
    help="How to write the list.",
)
@click.option(
    "--coverage", is_flag=True, help="Show which patterns and OWASP entries the rules cover."
)
def rules(format_: str, coverage: bool) -> None:  # noqa: FBT001  # click passes flags by name
    """List the rules."""
    from mcpward.catalog.catalog import load_catalog
    from mcpward.cli.output import to_stdout

    if coverage:
        from mcpward.catalog.catalog import HOME
        from mcpward.catalog.coverage import coverage as covered
        from mcpward.cli.coverage import as_json, as_text

        matrix = covered(HOME, load_catalog().rules.values())
        to_stdout(as_json(matrix) if format_ == "json" else as_text(matrix))
        return
    known = load_catalog().rules.values()
    to_stdout(_json(known) if format_ == "json" else _table(known))


def _pattern(word: str) -> str:
    from mcpward.catalog.catalog import HOME, load_catalog
    from mcpward.catalog.coverage import pattern, patterns

    found = pattern(word, patterns(HOME, load_catalog().rules.values()))
    title, _, rest = found.page.strip().partition("\n")
    rows = [f"- `{rule.name}` ({rule.severity.word}): {rule.title}" for rule in found.rules]
    if not rows:
        rows = ["No rule of this version looks for it."]
    head = f"{title} (pattern {found.number} of 22)"
    return f"{head}\n\n{rest.strip()}\n\n## Rules\n\n" + "\n".join(rows) + "\n"


def _card(rule: Rule) -> str:
    title, _, rest = rule.page.strip().partition("\n")
    facts = [f"`{rule.name}`", rule.severity.word, *_weaknesses(rule), *languages(rule)]
    if rule.strict:
        facts.append("only with --strict")
    if fix := repairable(rule):
        facts.append(f"{fix} fix")
    return f"{title}\n\n{' · '.join(facts)}\n\n{rest.strip()}\n"


def languages(rule: Rule) -> list[str]:
    """The languages of the examples on a card: those the rule is tested in."""
    words = {example.language for project in rule.projects for example in project.examples}
    return sorted({_FAMILIES.get(word, word) for word in words})


def repairable(rule: Rule) -> str:
    """What `mcpward fix` has for a rule: a `safe` fix for some findings, only `suggested` ones."""
    if not rule.repairs:
        return ""
    return "safe" if any(repair.safe for repair in rule.repairs) else "suggested"


def _weaknesses(rule: Rule) -> list[str]:
    return [f"CWE-{number}" for number in rule.cwe]


def _table(rules: Iterable[Rule]) -> str:
    rows = [("RULE", "SEVERITY", "LANGUAGES", "CWE", "FIX", "TITLE")]
    rows += [
        (
            rule.name,
            rule.severity.word + (" (strict)" if rule.strict else ""),
            ", ".join(languages(rule)),
            ", ".join(map(str, rule.cwe)),
            repairable(rule),
            rule.title,
        )
        for rule in rules
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)) for row in rows)
    return "".join(line.rstrip() + "\n" for line in lines)


def _json(rules: Iterable[Rule]) -> str:
    import json

    rows: list[dict[str, Any]] = [
        {
            "name": rule.name,
            "category": rule.category,
            "title": rule.title,
            "severity": rule.severity.word,
            "languages": languages(rule),
            "cwe": list(rule.cwe),
            "tags": list(rule.tags),
            "strict": rule.strict,
            "since": rule.since,
            "fix": repairable(rule) or None,
        }
        for rule in rules
    ]
    return json.dumps(rows, indent=2) + "\n"


def _watched() -> bool:
    from mcpward.report.terminal import wants_colour

    return sys.stdout is not None and wants_colour(sys.stdout, os.environ)


def _painted(text: str) -> str:
    from io import StringIO

    from rich.console import Console
    from rich.markdown import Markdown

    page = StringIO()
    console = Console(file=page, force_terminal=True)
    console.print(Markdown(text))
    return page.getvalue()
