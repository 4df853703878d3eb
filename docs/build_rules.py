"""Writes `rules.md` and `patterns.md` from the catalog; `--check` says whether they fit it."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from mcpward.catalog.catalog import HOME, load_catalog
from mcpward.catalog.coverage import Pattern, patterns
from mcpward.cli.explain import languages
from mcpward.core.rule import Rule

DOCS = Path(__file__).resolve().parent
CARDS = "../src/mcpward/catalog/rules"
HEAD = """\
# Rules

Each rule is a page with vulnerable and safe code; `mcpward explain RULE` prints it. Rules marked
with * run only with `--strict`. This list is made by `docs/build_rules.py`.
"""


PATTERNS = """\
# The 22 vulnerability patterns

What goes wrong in servers, in the words of the field. `mcpward explain --pattern N` prints one,
`mcpward audit --by pattern` groups a report by them. This page is made by `docs/build_rules.py`.
"""


def pages() -> dict[str, str]:
    """The text of each page by its name."""
    return {"rules.md": rules_page(), "patterns.md": patterns_page()}


def patterns_page() -> str:
    """All patterns with links to their rules."""
    known = patterns(HOME, load_catalog().rules.values())
    return PATTERNS + "".join(f"\n{_pattern(one)}" for one in known)


def _pattern(one: Pattern) -> str:
    links = ", ".join(f"[{r.name}]({CARDS}/{r.category}/{r.name}.md)" for r in one.rules)
    text = one.page.partition("\n")[2].strip()
    return f"## {one.number}. {one.title}\n\n{text}\n\n{links or 'No rule of this version.'}\n"


def rules_page() -> str:
    """The index of all rule cards."""
    rules = sorted(load_catalog().rules.values(), key=lambda rule: (rule.category, rule.name))
    parts = [HEAD]
    for category, group in groupby(rules, lambda rule: rule.category):
        rows = [_row(rule) for rule in group]
        head = "| Rule | Finds | Severity | CWE | Languages |\n|---|---|---|---|---|"
        parts.append(f"## {category.capitalize()}\n\n{head}\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(rule: Rule) -> str:
    name = f"[{rule.name}]({CARDS}/{rule.category}/{rule.name}.md){' *' if rule.strict else ''}"
    cwe = ", ".join(map(str, rule.cwe))
    spoken = ", ".join(languages(rule))
    return f"| {name} | {rule.title} | {rule.severity.word} | {cwe} | {spoken} |"


if __name__ == "__main__":
    made = pages()
    if "--check" in sys.argv[1:]:
        old = [n for n, text in made.items() if (DOCS / n).read_text(encoding="utf-8") != text]
        sys.exit(f"out of date: {', '.join(old)}" if old else 0)
    for name, text in made.items():
        (DOCS / name).write_text(text, encoding="utf-8")
