"""Every example of every rule card goes through the real audit, and what the card says must be true."""

import re
from functools import cache

import pytest

from mcpward.audit.collect import collect_memory
from mcpward.audit.fixes import fix
from mcpward.audit.options import AuditOptions
from mcpward.audit.run import audit_sources
from mcpward.catalog.catalog import load_catalog
from mcpward.core.finding import Severity

MARK = re.compile(r"(?:#|//)\s*(source|finding|missed|noise)\s*$")

CATALOG = load_catalog()
CASES = [
    pytest.param(rule, project, id=f"{rule.name}:{project.examples[0].line}")
    for rule in CATALOG.rules.values()
    for project in rule.projects
]


def marked(project, word):
    """The lines with a mark; one that stands alone is about the line below it."""
    return {
        (example.file, line + (not text[: found.start()].strip()))
        for example in project.examples
        for line, text in enumerate(example.code.splitlines(), start=1)
        if (found := MARK.search(text)) and found[1] == word
    }


def siblings(rule):
    """The rules that share a sink kind with this one."""
    return {rule.name} | {
        other.name
        for other in CATALOG.rules.values()
        if other.flow and rule.flow and set(other.flow.sinks) & set(rule.flow.sinks)
    }


@cache
def audit(project):
    files = {example.file: example.code.encode() for example in project.examples}
    return audit_sources(files, AuditOptions(strict=True, severity=Severity.INFO))


def lines(findings):
    return {(finding.place.file, finding.place.start.line) for finding in findings}


def paths(findings):
    return "\n".join(
        f"{f.rule} at {f.place.file}:{f.place.start.line}: "
        + " > ".join(f"{s.place.start.line} {s.text}" for s in f.steps)
        for f in findings
    )


@pytest.mark.parametrize(("rule", "project"), CASES)
def test_the_audit_says_what_the_card_says(rule, project):
    report = audit(project)
    unread = [skipped for skipped in report.skipped if not skipped.kind.expected]
    own = [finding for finding in report.findings if finding.rule == rule.name]
    expected = marked(project, "finding") | marked(project, "noise")

    assert unread == []
    assert lines(own) == expected, paths(report.findings)
    sources = marked(project, "source")
    if sources:
        starts = lines_of_sources(own)
        assert starts <= sources, paths(own)


def lines_of_sources(findings):
    return {(f.steps[0].place.file, f.steps[0].place.start.line) for f in findings if f.steps}


@pytest.mark.parametrize(
    ("rule", "project"), [case for case in CASES if case.values[1].section == "safe"]
)
def test_safe_code_is_silent_for_all_rules_of_the_same_sinks(rule, project):
    near = siblings(rule)

    found = [finding for finding in audit(project).findings if finding.rule in near]

    assert found == [], paths(found)


def test_marks_are_comments_of_the_language():
    for case in CASES:
        for example in case.values[1].examples:
            sign = "// " if example.language in ("ts", "tsx", "js", "json") else "# "
            for text in example.code.splitlines():
                if found := MARK.search(text):
                    assert found[0].startswith(sign), (case.id, text)


def unmarked(code):
    """The code without its marks, and without the lines that are nothing else."""
    out = []
    for text in code.splitlines():
        found = MARK.search(text)
        head = text[: found.start()] if found else text
        if not found or head.strip():
            out.append(head.rstrip() if found else text)
    return "\n".join(out) + "\n"


@pytest.mark.parametrize(
    "rule", [pytest.param(r, id=name) for name, r in CATALOG.rules.items() if r.repairs]
)
def test_fixes_make_of_the_vulnerable_code_what_the_card_shows(rule):
    made, shown = [], []
    for project in rule.projects:
        if project.section == "vulnerable":
            files = {one.file: unmarked(one.code).encode() for one in project.examples}
            options = AuditOptions(severity=Severity.INFO, rules=frozenset({rule.name}))
            changed = fix(collect_memory(files), options, suggested=True).changed
            made += [(one.path, one.after.decode()) for one in changed]
        if project.section == "fixed":
            shown += [(one.file, unmarked(one.code)) for one in project.examples]

    assert made, f"no fix of {rule.name} fits its examples"
    assert sorted(made) == sorted(shown)
