"""The report for programs: everything an audit has to say, in a versioned shape."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from mcpward import __version__
from mcpward.core.finding import (
    Finding,
    Fix,
    Handler,
    Place,
    Report,
    Severity,
    Skipped,
    Step,
    Suppression,
    Timing,
)
from mcpward.core.rule import Rule
from mcpward.report.privileges import as_json, needs

VERSION = 1
"""Raised when a field is renamed, removed or changes its meaning; new fields do not raise it."""

SCHEMA = "urn:mcpward:report:1"
"""The `$id` of `report.schema.json`, which lies beside this file."""

_SURROGATES = re.compile("[\ud800-\udfff]")


def render(report: Report, rules: Mapping[str, Rule]) -> str:
    """The same bytes for the same report: no times, and nothing but ASCII."""
    return _written(_document(report, rules))


def render_with_timings(report: Report, rules: Mapping[str, Rule]) -> str:
    """The same with the CPU seconds of each stage."""
    timings = [_timing(timing) for timing in report.timings]
    return _written({**_document(report, rules), "timings": timings})


def _written(document: dict[str, Any]) -> str:
    text = json.dumps(_encodable(document), ensure_ascii=True, indent=2, allow_nan=False)
    return text + "\n"


def _encodable(value: Any) -> Any:
    """Half a surrogate pair (from the bytes of an odd file name) is refused by strict readers."""
    match value:
        case str():
            return _SURROGATES.sub("\ufffd", value)
        case list():
            return [_encodable(item) for item in value]
        case dict():
            return {_encodable(key): _encodable(item) for key, item in value.items()}
        case _:
            return value


def _document(report: Report, rules: Mapping[str, Rule]) -> dict[str, Any]:
    named = sorted({finding.rule for finding in report.findings})
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "tool": {"name": "mcpward", "version": __version__},
        "target": report.target,
        "summary": _summary(report),
        "rules": {name: _rule(rules[name]) for name in named if name in rules},
        "findings": [_finding(finding) for finding in report.findings],
        "skipped": [_skipped(entry) for entry in report.skipped],
        "handlers": [_handler(handler) for handler in report.handlers],
        "unused_ignores": [_place(place) for place in report.unused_ignores],
        "notes": list(report.notes),
        "privileges": [as_json(need) for need in needs(report.privileges)],
    }


def _summary(report: Report) -> dict[str, Any]:
    severities = Counter(finding.severity for finding in report.open_findings)
    sorts = Counter(handler.sort for handler in report.handlers)
    failed = sum(entry.count for entry in report.skipped if not entry.kind.expected)
    return {
        "files": report.files,
        "lines": report.lines,
        "findings": {s.word: severities[s] for s in sorted(Severity, reverse=True)},
        "suppressed": len(report.findings) - len(report.open_findings),
        "skipped": {
            "expected": sum(entry.count for entry in report.skipped if entry.kind.expected),
            "unexpected": failed,
        },
        "handlers": dict(sorted(sorts.items())),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "title": rule.title,
        "category": rule.category,
        "severity": rule.severity.word,
        "cwe": list(rule.cwe),
        "tags": list(rule.tags),
        "strict": rule.strict,
        "fix": rule.fix,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "message": finding.message,
        "severity": finding.severity.word,
        "confidence": finding.confidence.word,
        "level": finding.level,
        "place": _place(finding.place),
        "handler": None if finding.handler is None else _handler(finding.handler),
        "source_kind": finding.source_kind,
        "steps": [_step(step) for step in finding.steps],
        "guard_notes": list(finding.guard_notes),
        "adjustments": list(finding.adjustments),
        "fix": finding.fix,
        "repair": None if finding.repair is None else _repair(finding.repair),
        "context": finding.context,
        "fingerprint": finding.fingerprint,
        "suppression": _suppression(finding.suppression),
    }


def _repair(fix: Fix) -> dict[str, Any]:
    edits = [
        {
            "file": one.file,
            "start": {"line": one.first.line, "column": one.first.column},
            "end": {"line": one.last.line, "column": one.last.column},
            "text": one.text,
        }
        for one in fix.edits
    ]
    return {"title": fix.title, "safe": fix.safe, "edits": edits}


def _suppression(suppression: Suppression | None) -> dict[str, str] | None:
    if suppression is None:
        return None
    return {"kind": suppression.kind, "reason": suppression.reason}


def _step(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind.value,
        "text": step.text,
        "depth": step.depth,
        "place": _place(step.place),
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "file": place.file,
        "start": {"line": place.start.line, "column": place.start.column},
        "end": {"line": place.end.line, "column": place.end.column},
        "code": place.code,
    }


def _handler(handler: Handler) -> dict[str, Any]:
    place = None if handler.place is None else _place(handler.place)
    return {"sort": handler.sort, "name": handler.name, "place": place}


def _skipped(entry: Skipped) -> dict[str, Any]:
    return {
        "path": entry.path,
        "kind": entry.kind.value,
        "expected": entry.kind.expected,
        "reason": entry.reason,
        "count": entry.count,
    }


def _timing(timing: Timing) -> dict[str, Any]:
    return {"stage": timing.stage, "seconds": round(timing.seconds, 6)}
