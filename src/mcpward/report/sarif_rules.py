"""Rules as code scanning wants to read them."""

from __future__ import annotations

from typing import Any

from mcpward.core.finding import Severity
from mcpward.core.rule import Rule
from mcpward.report.terminal import clean, clean_block

# Limits of GitHub code scanning, "SARIF support for code scanning".
TAGS = 20
NAME_LENGTH = 255
DESCRIPTION_LENGTH = 1_024

SECURITY_SEVERITY = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "1.0",
}
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
_PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}


def rule_id(name: str) -> str:
    """The name of a rule; never empty, because GitHub refuses empty strings."""
    return clean(name, NAME_LENGTH - 1) or "unnamed"


def descriptor(name: str, rule: Rule | None) -> dict[str, Any]:
    """The entry of `rules[]`; a rule that is not known gets the least that is accepted."""
    if rule is None:
        text = {"text": rule_id(name)}
        return {
            "id": rule_id(name),
            "shortDescription": text,
            "fullDescription": text,
            "help": text,
            "properties": {"tags": ["security"]},
        }
    level = _LEVELS.get(rule.severity, "note")
    title = clean(rule.title, DESCRIPTION_LENGTH - 1) or rule_id(name)
    why = clean(_first_paragraph(rule.page), DESCRIPTION_LENGTH - 1) or title
    fix = clean(rule.fix)
    page = clean_block(rule.page)
    return {
        "id": rule_id(name),
        "name": _pascal(rule_id(name)),
        "shortDescription": {"text": title},
        "fullDescription": {"text": why},
        "help": {
            "text": "\n\n".join([title, why, *([f"Fix: {fix}"] if fix else [])]),
            **({"markdown": page} if page.strip() else {}),
        },
        "defaultConfiguration": {"level": level},
        "properties": {
            "precision": "medium" if rule.strict else "high",
            "problem.severity": _PROBLEM[level],
            "security-severity": SECURITY_SEVERITY[rule.severity],
            "tags": _tags(rule),
        },
    }


def _tags(rule: Rule) -> list[str]:
    cwe = [f"external/cwe/cwe-{number:03}" for number in rule.cwe]
    own = [clean(tag, NAME_LENGTH - 1) for tag in rule.tags]
    return list(dict.fromkeys(tag for tag in ["security", *cwe, *own] if tag))[:TAGS]


def _pascal(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("-")) or name


def _first_paragraph(page: str) -> str:
    """The why of a card: the first text that is no heading."""
    for block in page.replace("\r\n", "\n").split("\n\n"):
        lines = [text for text in block.split("\n") if not text.lstrip().startswith("#")]
        if any(text.strip() for text in lines) and not lines[0].startswith("```"):
            return "\n".join(lines)
    return ""
