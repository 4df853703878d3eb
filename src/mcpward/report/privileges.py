"""What the code needs from its machine, grouped: a document for programs and rows for people."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mcpward import __version__
from mcpward.core.finding import Place, Report
from mcpward.core.privilege import Chosen, Privilege, Sort
from mcpward.report.terminal import clean
from mcpward.report.wording import counted

VERSION = 1
"""Raised when a field is renamed, removed or changes its meaning; new fields do not raise it."""
SCHEMA = "urn:mcpward:privileges:1"
"""The `$id` of `privileges.schema.json`, which lies beside this file."""
MOST = 500
"""Entries of the inventory that a SARIF file carries, which has a limit of its size."""
_SHOWN = 8
"""Names that one row lists."""
_ROWS = (
    ("environment", Sort.ENVIRONMENT, "read"),
    ("hosts", Sort.HOST, "connect"),
    ("programs", Sort.PROGRAM, "run"),
    ("reads files", Sort.FILE, "read"),
    ("lists files", Sort.FILE, "list"),
    ("writes files", Sort.FILE, "write"),
    ("deletes files", Sort.FILE, "delete"),
    ("listens on", Sort.LISTEN, "listen"),
)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that is needed, with all the places that need it."""

    sort: Sort
    action: str
    value: str
    chosen: Chosen
    required: bool
    defaults: tuple[str, ...]
    handlers: tuple[str, ...]
    places: tuple[Place, ...]


def needs(privileges: Iterable[Privilege]) -> list[Need]:
    """The privileges grouped by what is needed, in order."""
    groups: dict[tuple[Sort, str, str, Chosen], list[Privilege]] = {}
    for one in privileges:
        groups.setdefault((one.sort, one.action, one.value, one.chosen), []).append(one)
    return [
        Need(
            *key,
            required=any(one.required for one in group),
            defaults=tuple(sorted({one.default for one in group if one.default is not None})),
            handlers=tuple(sorted({one.handler for one in group if one.handler})),
            places=tuple(one.place for one in group),
        )
        for key, group in sorted(groups.items())
    ]


def render(report: Report) -> str:
    """The inventory as JSON, the same bytes for the same report."""
    document = {
        "$schema": SCHEMA,
        "version": VERSION,
        "tool": {"name": "mcpward", "version": __version__},
        "target": report.target,
        "complete": not any(not entry.kind.expected for entry in report.skipped),
        "privileges": [as_json(need) for need in needs(report.privileges)],
    }
    text = json.dumps(document, ensure_ascii=True, indent=2, allow_nan=False)
    return text.encode("ascii", "replace").decode("ascii") + "\n"


def as_json(need: Need) -> dict[str, Any]:
    """One need as an object of the inventory."""
    return {
        "sort": need.sort.value,
        "action": need.action,
        "value": need.value,
        "chosen": need.chosen.value,
        "required": need.required,
        "defaults": list(need.defaults),
        "handlers": list(need.handlers),
        "places": [{"file": p.file, "line": p.start.line} for p in need.places],
    }


def rows(report: Report) -> list[str]:
    """One row for each sort of privilege that is needed."""
    known = needs(report.privileges)
    out = []
    for title, sort, action in _ROWS:
        group = [need for need in known if (need.sort, need.action) == (sort, action)]
        if group:
            out.append(f"{title}: {_listed(group)}")
    return out


def _listed(group: list[Need]) -> str:
    fixed = [_named(need) for need in group if need.value and need.chosen is Chosen.FIXED]
    parts = fixed[:_SHOWN]
    if len(fixed) > _SHOWN:
        parts.append(f"{len(fixed) - _SHOWN} more")
    for chosen, words in (
        (Chosen.CALLER, "chosen by a caller"),
        (Chosen.CONFIGURED, "configured"),
        (Chosen.COMPUTED, "computed"),
    ):
        count = sum(len(need.places) for need in group if need.chosen is chosen)
        if count:
            parts.append(f"{words} ({counted(count, 'place')})")
    return ", ".join(parts)


def _named(need: Need) -> str:
    return clean(need.value, 80) + (" (required)" if need.required else "")
