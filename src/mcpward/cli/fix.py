"""The command `mcpward fix`: shows what would make findings go away, and writes it when told."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from mcpward.core.errors import TargetError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from mcpward.audit.fixes import Changed, Fixed
    from mcpward.core.finding import Finding

DONE, REMAINING = 0, 1
_SEVERITIES = click.Choice(("info", "low", "medium", "high", "critical"))

_LEGEND = """\
\b
LEVEL  info, low, medium, high, critical
RULE   a name that `mcpward rules` lists

Exits with 0 when nothing is left to fix, 1 when fixes were shown and not written, 2 when it could
not do what was asked.
"""


@click.command(short_help="Repair what can be repaired safely.", epilog=_LEGEND)
@click.argument("target")
@click.option("--diff", "only_show", is_flag=True, help="Only show the changes.")
@click.option("--write", "at_once", is_flag=True, help="Write the changes without asking.")
@click.option("--suggested", is_flag=True, help="Also make fixes that somebody should look at.")
@click.option(
    "--severity", type=_SEVERITIES, metavar="LEVEL", help="Leave out what is less severe [low]."
)
@click.option("--rule", multiple=True, metavar="RULE", help="Fix only this rule; repeatable.")
@click.option("--not-rule", multiple=True, metavar="RULE", help="Do not fix it; repeatable.")
@click.option("--strict", is_flag=True, help="Also fix what the rules of hardening find.")
@click.option("--config", metavar="FILE", help="Read these settings and no others.")
@click.option("--no-config", is_flag=True, help="Read no settings file.")
@click.option(
    "--trust-target/--no-trust-target",
    default=None,
    help="Honour settings and ignores inside the target.",
)
def fix(target: str, **given: Any) -> int:
    """Show what would repair the findings in TARGET, and write it with --write.

    A change is kept only if the file can still be parsed, the finding is gone and nothing else is
    found. On a terminal the changes are shown first, and a question is asked.
    """
    from mcpward.cli.output import complain, to_stdout

    if not target:
        raise UsageError("the target is empty", hint="For the current folder, say `.`.")
    if given["only_show"] and given["at_once"]:
        raise UsageError("--diff and --write contradict each other", hint="Drop one of them.")
    fixed = _fixed(target, given)
    root = _root(target)
    ready, kept_back = _ready(root, fixed)
    text = _diff(ready)
    if text:
        to_stdout(text)
    for line in _said(fixed, ready, kept_back):
        complain(line)
    if not ready:
        return REMAINING if kept_back else DONE
    if root is None:
        if given["at_once"]:
            raise UsageError(
                "an archive is never changed", hint="Unpack it and name the folder instead."
            )
        return REMAINING
    if not _wanted(given, len(ready)):
        return REMAINING
    return _written(root, ready) or (REMAINING if kept_back else DONE)


def _fixed(target: str, given: dict[str, Any]) -> Fixed:
    from mcpward.audit.collect import collect
    from mcpward.audit.fixes import fix as fixed
    from mcpward.cli.audit import options_for

    options = options_for(target, given)
    return fixed(collect(target, include=options.include), options, suggested=given["suggested"])


def _root(target: str) -> Path | None:
    """The folder below which files are written; none for an archive."""
    from pathlib import Path

    from mcpward.audit.recognize import ARCHIVES

    path = Path(target)
    if path.is_dir():
        return path
    return None if path.name.lower().endswith(ARCHIVES) else path.parent


def _ready(root: Path | None, fixed: Fixed) -> tuple[list[Changed], dict[str, str]]:
    """The changes that can be written, and why others cannot."""
    from mcpward.audit.writing import WriteError, checked

    ready, kept_back = [], {}
    for change in fixed.changed:
        try:
            if root is not None:
                checked(root, change)
        except WriteError as error:
            kept_back[change.path] = str(error)
        else:
            ready.append(change)
    return ready, kept_back


def _diff(changes: list[Changed]) -> str:
    from difflib import unified_diff

    from mcpward.audit.leaks import Leaks
    from mcpward.audit.redaction import masked
    from mcpward.report.terminal import clean_block

    leaks = Leaks({}, {one.path: one.before for one in changes})
    parts = []
    for one in changes:
        old, new = (
            text.decode("utf-8", "replace").splitlines(keepends=True)
            for text in (one.before, one.after)
        )
        lines = unified_diff(old, new, f"a/{one.path}", f"b/{one.path}")
        for line in lines:
            parts.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    text = masked("".join(parts), leaks)
    if sys.stdout is not None and sys.stdout.isatty():
        return "".join(f"{clean_block(line)}\n" for line in text.splitlines())
    return text


def _said(fixed: Fixed, ready: list[Changed], kept_back: dict[str, str]) -> list[str]:
    from collections import Counter

    files = {one.path for one in ready}
    counts = Counter(
        (finding.rule, _title(finding)) for finding in fixed.applied if _files(finding) <= files
    )
    lines = [
        f"{rule}: {title}" + (f" ({count} times)" if count > 1 else "")
        for (rule, title), count in sorted(counts.items())
    ]
    lines += [f"not changed: {path} {why}" for path, why in sorted(kept_back.items())]
    lines += [
        f"not fixed: {one.finding.rule} in {one.finding.place.file}:"
        f"{one.finding.place.start.line}: {one.reason}"
        for one in fixed.refused
    ]
    if fixed.suggested:
        lines.append(
            f"suggested fixes that need a look: {fixed.suggested} (--suggested shows them)"
        )
    if not lines:
        lines.append("nothing to fix")
    return lines


def _title(finding: Finding) -> str:
    return finding.repair.title if finding.repair is not None else ""


def _files(finding: Finding) -> set[str]:
    return {one.file for one in finding.repair.edits} if finding.repair is not None else set()


def _wanted(given: dict[str, Any], files: int) -> bool:
    if given["at_once"]:
        return True
    if given["only_show"] or not _watched():
        return False
    what = "this file" if files == 1 else f"these {files} files"
    return click.confirm(f"Write {what}?", default=False, err=True)


def _watched() -> bool:
    streams = (sys.stdin, sys.stdout)
    return os.environ.get("CI", "") == "" and all(s is not None and s.isatty() for s in streams)


def _written(root: Path, changes: list[Changed]) -> int:
    from mcpward.audit.writing import WriteError, write
    from mcpward.cli.output import complain

    done = 0
    failed = []
    for change in changes:
        try:
            write(root, change)
        except WriteError as error:
            failed.append(f"{change.path} {error}")
        else:
            done += 1
    complain(f"{done} file{'' if done == 1 else 's'} written")
    if failed:
        raise TargetError("; ".join(failed), hint="Run the command again.")
    return 0
