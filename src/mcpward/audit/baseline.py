"""The findings of an earlier day that somebody decided to live with, as a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mcpward.core.errors import UsageError
from mcpward.core.finding import Finding

VERSION = 1
_HINT = "Write a new one with --write-baseline."


class Entry(NamedTuple):
    """One accepted finding; only the fingerprint decides, the rest tells people what it is."""

    fingerprint: str
    rule: str
    file: str
    line: int


class Baseline(NamedTuple):
    """The accepted findings of one file; equal fingerprints accept as many findings."""

    origin: str
    """The file, as the user named it."""
    entries: tuple[Entry, ...]


def read_baseline(text: str, origin: str) -> Baseline:
    """Reads the text of a baseline file.

    Raises UsageError when it is not one.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{origin}: not a baseline: it is not JSON", hint=_HINT) from error
    if not isinstance(data, dict) or not isinstance(data.get("findings"), list):
        raise UsageError(f"{origin}: not a baseline: there is no list `findings`", hint=_HINT)
    if data.get("version") != VERSION or data["version"] is True:
        raise UsageError(
            f"{origin}: version {VERSION} of the baseline format is needed", hint=_HINT
        )
    return Baseline(origin, tuple(_entry(item, origin) for item in data["findings"]))


def render_baseline(findings: Iterable[Finding]) -> str:
    """The text of a baseline that accepts these findings.

    The order does not depend on line numbers, so that moved code changes single lines of the file.
    """
    entries = sorted((f.place.file, f.rule, f.fingerprint, f.place.start.line) for f in findings)
    rows = (
        {"fingerprint": fingerprint, "rule": rule, "file": file, "line": line}
        for file, rule, fingerprint, line in entries
    )
    body = ",\n".join(f"    {json.dumps(row)}" for row in rows)
    listed = f"[\n{body}\n  ]" if body else "[]"
    return f'{{\n  "version": {VERSION},\n  "findings": {listed}\n}}\n'


def matched(findings: Sequence[Finding], baseline: Baseline) -> list[bool]:
    """Whether the baseline accepts each of the findings, the first of equal ones first."""
    left = Counter(entry.fingerprint for entry in baseline.entries)
    accepted = []
    for finding in findings:
        accepted.append(left[finding.fingerprint] > 0)
        left[finding.fingerprint] -= 1
    return accepted


def gone(findings: Iterable[Finding], baseline: Baseline, active: frozenset[str]) -> int:
    """How many entries of rules that ran accept nothing any more."""
    left = Counter(entry.fingerprint for entry in baseline.entries if entry.rule in active)
    left.subtract(finding.fingerprint for finding in findings)
    return sum(count for count in left.values() if count > 0)


def _entry(item: Any, origin: str) -> Entry:
    match item:
        case {"fingerprint": str(mark), "rule": str(rule), "file": str(file), "line": int(line)}:
            return Entry(mark, rule, file, line)
    raise UsageError(
        f"{origin}: not a baseline: an entry lacks fingerprint, rule, file or line", hint=_HINT
    )
