"""Writes the section "Fixed" of every card with a `[[fix]]`; `--check` says whether they fit."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from mcpward.audit.collect import collect_memory
from mcpward.audit.fixes import fix
from mcpward.audit.options import AuditOptions
from mcpward.audit.run import audit_sources
from mcpward.catalog.catalog import HOME, load_catalog
from mcpward.core.finding import Severity
from mcpward.core.rule import Project, Rule

_MARK = re.compile(r"(?:#|//)\s*(source|finding|missed|noise)\s*$")
_SIGNS = {"ts": "//", "tsx": "//", "js": "//", "json": "//"}
_LONE = ("dockerfile", "ini")
"""Languages in which a remark needs a line of its own."""


def unmarked(code: str) -> str:
    """An example without its marks."""
    lines = []
    for line in code.splitlines():
        found = _MARK.search(line)
        if found is None:
            lines.append(line)
        elif line[: found.start()].strip():
            lines.append(line[: found.start()].rstrip())
    return "".join(f"{line}\n" for line in lines)


def fixed(rule: Rule, project: Project) -> dict[str, str]:
    """The files of an example that the fixes of its rule change, after all of them."""
    files = {one.file: unmarked(one.code).encode() for one in project.examples}
    options = AuditOptions(severity=Severity.INFO, rules=frozenset({rule.name}))
    done = fix(collect_memory(files), options, suggested=True)
    return {one.path: one.after.decode() for one in done.changed}


def blocks(rule: Rule) -> Iterator[str]:
    """The code blocks of the section, with marks where something is still found."""
    for project in rule.projects:
        if project.section != "vulnerable":
            continue
        changed = fixed(rule, project)
        if not changed:
            continue
        options = AuditOptions(severity=Severity.INFO, strict=True)
        report = audit_sources({path: text.encode() for path, text in changed.items()}, options)
        for one in project.examples:
            if one.file in changed:
                left = {
                    f.place.start.line
                    for f in report.findings
                    if f.rule == rule.name and f.place.file == one.file
                }
                named = "" if one.file.startswith("example.") else f" {one.file}"
                text = _marked(changed[one.file], one.language, left)
                yield f"```{one.language}{named}\n{text}```\n"


def _marked(text: str, language: str, left: set[int]) -> str:
    sign = _SIGNS.get(language, "#")
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if number not in left:
            lines.append(line)
        elif language in _LONE:
            lines += [f"{sign} finding", line]
        else:
            lines.append(f"{line}  {sign} finding")
    return "".join(f"{line}\n" for line in lines)


def card(path: Path, rule: Rule) -> str:
    """The text of a card with its section as it should be."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\n## Fixed\n.*?(?=\n## |\Z)", "", text, flags=re.DOTALL)
    made = "\n".join(blocks(rule)) if rule.repairs else ""
    return text.replace("\n## Fix\n", f"\n## Fixed\n\n{made}\n## Fix\n", 1) if made else text


def main() -> int:
    """Writes the sections, or with `--check` tells which do not fit."""
    wrong = 0
    for rule in load_catalog().rules.values():
        path = HOME / "rules" / rule.category / f"{rule.name}.md"
        text = card(path, rule)
        if text == path.read_text(encoding="utf-8"):
            continue
        wrong += 1
        print(path.name)
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
    return int(bool(wrong) and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
