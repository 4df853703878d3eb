"""Writes `rules.md`, the index of all rule cards; `--check` says whether it is up to date."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from mcpward.catalog.catalog import load_catalog
from mcpward.cli.explain import languages
from mcpward.core.rule import Rule

PAGE = Path(__file__).resolve().parent / "rules.md"
CARDS = "../src/mcpward/catalog/rules"
HEAD = """\
# Rules

Each rule is a page with vulnerable and safe code; `mcpward explain RULE` prints it. Rules marked
with * run only with `--strict`. This list is made by `docs/build_rules.py`.
"""


def page() -> str:
    """The text of the index."""
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
    if "--check" in sys.argv[1:]:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == page() else f"{PAGE} is out of date")
    PAGE.write_text(page(), encoding="utf-8")
