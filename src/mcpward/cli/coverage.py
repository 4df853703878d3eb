"""The coverage matrix of the rules as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from mcpward.catalog.coverage import Coverage
from mcpward.core.rule import Rule


def as_text(matrix: Coverage) -> str:
    """For people: one line per pattern and per entry, with the names of the rules."""
    covered = [one for one in matrix.patterns if one.rules]
    entries = [code for code, (_, rules) in matrix.owasp.items() if rules]
    total = {rule.name for one in matrix.patterns for rule in one.rules}
    total |= {rule.name for _, rules in matrix.owasp.values() for rule in rules}
    lines = [f"{len(covered)} of {len(matrix.patterns)} vulnerability patterns", ""]
    for one in matrix.patterns:
        lines.append(f"  {one.number:>2}  {one.title}")
        lines += _wrapped(one.rules)
    lines += ["", f"{len(entries)} of {len(matrix.owasp)} entries of the OWASP MCP Top 10", ""]
    for code, (name, rules) in matrix.owasp.items():
        lines.append(f"  {code}  {name}")
        lines += _wrapped(rules)
    lines += ["", f"{len(total)} rules. Not there yet:", ""]
    lines += [f"  {name}: {reason}" for name, reason in matrix.missing.items()]
    return "\n".join(lines) + "\n"


def _wrapped(rules: Iterable[Rule]) -> list[str]:
    from textwrap import wrap

    names = ", ".join(rule.name for rule in rules) or "no rule of this version"
    return wrap(
        names,
        width=96,
        initial_indent=" " * 8,
        subsequent_indent=" " * 8,
        break_on_hyphens=False,
    )


def as_json(matrix: Coverage) -> str:
    """The same for programs."""
    document = {
        "patterns": [
            {
                "number": one.number,
                "name": one.name,
                "title": one.title,
                "rules": [rule.name for rule in one.rules],
            }
            for one in matrix.patterns
        ],
        "owasp_mcp": {
            code: {"name": name, "rules": [rule.name for rule in rules]}
            for code, (name, rules) in matrix.owasp.items()
        },
        "missing": dict(matrix.missing),
    }
    return json.dumps(document, indent=2) + "\n"
