"""Whether deliberately vulnerable servers are told apart from their safe controls, row by row."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mcpward.audit.options import AuditOptions
from mcpward.audit.run import audit
from mcpward.core.finding import Finding, Severity
from mcpward.core.source import Role

HERE = Path(__file__).resolve().parent
KINDS = ("live", "simulated", "absent", "gap")
"""Why something that is expected cannot be found, or is not."""
KEYS = {
    "section",
    "tree",
    "root",
    "challenge",
    "file",
    "tool",
    "rules",
    "silent",
    "not_found",
    "why",
}


@dataclass(frozen=True)
class Row:
    """One line of the table: where to look, and what has to be there."""

    section: str
    tree: str
    root: str
    challenge: str
    file: str
    tool: str
    rules: tuple[str, ...]
    """Any of these has to be reported; for a silent row, none of them."""
    silent: str
    """The severity from which on nothing may be said; empty for a row that must be found."""
    not_found: str
    why: str

    @property
    def place(self) -> str:
        """The part of the tree that is audited by itself."""
        return f"{self.tree}/{self.root}".rstrip("/")


@dataclass(frozen=True)
class Result:
    """A row with what an audit says about it."""

    row: Row
    outcome: str
    """`found`, `silent`, `missed`, `false alarm`, a kind of what is not expected, `no tree`."""
    by: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether nothing has got worse, and nothing better without being written down."""
        return self.outcome not in ("missed", "false alarm", "newly found")


def read_rows(text: str) -> list[Row]:
    """The rows of a table file: keys of a server count for all of its rows.

    Raises ValueError for one that says something else than it may.
    """
    rows = []
    for server in tomllib.loads(text)["server"]:
        shared = {key: value for key, value in server.items() if key != "row"}
        for given in server["row"]:
            rows.append(_row({**shared, **given}))
    return rows


def _row(given: Mapping[str, Any]) -> Row:
    if not set(given) <= KEYS:
        raise ValueError(f"a row has keys that it must not have: {sorted(set(given) - KEYS)}")
    row = Row(
        section=given["section"],
        tree=given["tree"],
        root=given.get("root", ""),
        challenge=given.get("challenge", ""),
        file=given.get("file", ""),
        tool=given.get("tool", ""),
        rules=tuple(given.get("rules", ())),
        silent=given.get("silent", ""),
        not_found=given.get("not_found", ""),
        why=given.get("why", ""),
    )
    if row.not_found and (row.not_found not in KINDS or not row.why):
        raise ValueError(f"a row that is not found needs a kind and a reason: {given}")
    if row.silent and row.not_found:
        raise ValueError(f"a row is either silent or to be found: {given}")
    if not row.rules and not row.silent:
        raise ValueError(f"a row expects nothing: {given}")
    return row


def judge(row: Row, findings: Sequence[Finding]) -> Result:
    """What an audit says about one row."""
    about = [f for f in findings if _meant(row, f)]
    if row.silent:
        least = Severity[row.silent.upper()]
        loud = [f for f in about if f.severity >= least and (not row.rules or f.rule in row.rules)]
        names = ", ".join(sorted({f.rule for f in loud}))
        return Result(row, "false alarm" if loud else "silent", names)
    found = sorted({f.rule for f in about if f.rule in row.rules})
    if found:
        return Result(row, "newly found" if row.not_found else "found", ", ".join(found))
    return Result(row, row.not_found or "missed")


def _meant(row: Row, finding: Finding) -> bool:
    if row.tool and (finding.handler is None or finding.handler.name != row.tool):
        return False
    return not row.file or finding.place.file == row.file


def results(rows: Sequence[Row], folder: Path) -> Iterator[Result]:
    """Every row with its result; each part of a tree is audited once."""

    @cache
    def audited(place: str) -> tuple[Finding, ...] | None:
        path = folder / place
        if not path.exists():
            return None
        options = AuditOptions(include=frozenset(Role), strict=True, severity=Severity.INFO)
        return audit(str(path), options).findings

    for row in rows:
        findings = audited(row.place)
        yield Result(row, "no tree") if findings is None else judge(row, findings)


def table(found: Sequence[Result]) -> Iterator[str]:
    """The rows as Markdown, one table for each section."""
    for section in dict.fromkeys(result.row.section for result in found):
        part = [result for result in found if result.row.section == section]
        yield f"\n### {section}\n"
        yield f"{totals(part)}\n"
        yield "| Challenge | Where | Expected | Result |\n|---|---|---|---|"
        for result in part:
            yield _line(result)


def _line(result: Result) -> str:
    row = result.row
    where = " ".join(f"`{part}`" for part in (row.file or row.root, row.tool) if part)
    wanted = " or ".join(f"`{rule}`" for rule in row.rules)
    if row.silent:
        wanted = f"silent from {row.silent} on" + (f": {wanted}" if wanted else "")
    said = result.outcome
    if result.by:
        said += ": " + ", ".join(f"`{name}`" for name in result.by.split(", "))
    if row.why:
        said += f" — {row.why}"
    return f"| {row.challenge} | {where or '`.`'} | {wanted} | {said} |"


def totals(found: Sequence[Result]) -> str:
    """How often there is which outcome, in one line."""
    counts = Counter(result.outcome for result in found)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder with one folder for each tree")
    parser.add_argument("--rows", type=Path, default=HERE / "oracles.toml")
    parser.add_argument("--markdown", action="store_true", help="print the whole table")
    arguments = parser.parse_args()
    found = list(results(read_rows(arguments.rows.read_text("utf-8")), arguments.folder))
    if arguments.markdown:
        print("\n".join(table(found)).strip())
        return 0
    for result in found:
        if not result.as_expected:
            row = result.row
            where = f"{row.place} {row.file} {row.tool}"
            print(f"{result.outcome}: {where}: {'|'.join(row.rules)} {result.by}")
    print(totals(found))
    return 0 if all(result.as_expected for result in found) else 1


if __name__ == "__main__":
    sys.exit(main())
