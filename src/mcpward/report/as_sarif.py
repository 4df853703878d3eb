"""The report for code scanning: SARIF 2.1.0 inside the limits of GitHub."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath, PureWindowsPath
from typing import Any

from mcpward import __version__
from mcpward.core.finding import Place, Report, Skipped, Step, StepKind, Suppression
from mcpward.core.rule import Rule
from mcpward.report.folds import Fold, fold
from mcpward.report.privileges import MOST, as_json, needs
from mcpward.report.sarif_places import (
    artifact,
    logical,
    message,
    physical,
    physical_with_code,
    proposed,
    relative_uri,
    unlinked,
)
from mcpward.report.sarif_rules import SECURITY_SEVERITY, descriptor, rule_id
from mcpward.report.terminal import clean
from mcpward.report.wording import SKIP_WORDS, at, counted, named, shortened

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one upload may hold; the defaults are those of GitHub code scanning."""

    results: int = 25_000
    steps: int = 10_000
    """Thread-flow locations of one result."""
    related: int = 1_000
    """Related locations of one result."""
    notifications: int = 10_000
    """Ours: there is no public figure."""
    compressed: int = 10_000_000
    """Bytes after compression, below the 10 MB that are accepted in either sense of MB."""


GITHUB = Limits()
LINKS = 10
"""Entry points that a message names."""


def render(report: Report, rules: Mapping[str, Rule], limits: Limits = GITHUB) -> str:
    """The same bytes for the same report: no times, no absolute paths, and nothing but ASCII."""
    folds = fold(report.findings)
    keep = min(len(folds), limits.results)
    while True:
        text = _written(_log(report, rules, _worst(folds, keep), len(folds) - keep, limits))
        size = _compressed(text, limits)
        if size <= limits.compressed or keep == 0:
            return text
        # Results differ in size, so the first guess can be too high: always drop some.
        keep = min(keep - 1, int(keep * limits.compressed / size * 0.9))


def _written(log: dict[str, Any]) -> str:
    return json.dumps(log, ensure_ascii=True, indent=1, allow_nan=False) + "\n"


def _compressed(text: str, limits: Limits) -> int:
    # Compressing is slow, and needless for a file that fits as it is.
    if len(text) <= limits.compressed:
        return len(text)
    return len(zlib.compress(text.encode("ascii")))


def _worst(folds: Sequence[Fold], keep: int) -> list[Fold]:
    """The most important folds, in their own order."""
    if keep >= len(folds):
        return list(folds)

    def importance(index: int) -> tuple[bool, int, int, int]:
        finding = folds[index].finding
        return (finding.suppression is not None, -finding.severity, -finding.confidence, index)

    return [folds[index] for index in sorted(sorted(range(len(folds)), key=importance)[:keep])]


def _log(
    report: Report,
    rules: Mapping[str, Rule],
    folds: Sequence[Fold],
    dropped: int,
    limits: Limits,
) -> dict[str, Any]:
    names = sorted({rule_id(one.finding.rule): one.finding.rule for one in folds}.items())
    index = {identity: position for position, (identity, _) in enumerate(names)}
    cuts = _cuts(folds, dropped, limits)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "mcpward",
                        "semanticVersion": __version__,
                        "rules": [descriptor(name, rules.get(name)) for _, name in names],
                    }
                },
                "automationDetails": {"id": _category(report.target)},
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(report, cuts, limits)],
                "results": [_result(one, rules, index, limits) for one in folds],
                "properties": {"privileges": [as_json(n) for n in needs(report.privileges)[:MOST]]},
            }
        ],
    }


def _category(target: str) -> str:
    """The part of the repository that was audited: GitHub replaces alerts of an equal category.

    An absolute path says where a checkout lies, not what is in it, so it says nothing here.
    """
    if PurePath(target).is_absolute() or PureWindowsPath(target).drive or "://" in target:
        return "mcpward/"
    parts = [part for part in target.replace("\\", "/").split("/") if part not in ("", ".")]
    return "/".join(["mcpward", relative_uri("/".join(parts)), ""]) if parts else "mcpward/"


def _invocation(report: Report, cuts: Sequence[str], limits: Limits) -> dict[str, Any]:
    failed = any(not entry.kind.expected for entry in report.skipped)
    # Failures first: where there are too many, the expected ones are those to go.
    entries = sorted(report.skipped, key=lambda entry: entry.kind.expected)
    shown = entries[: limits.notifications]
    left_out = len(entries) - len(shown)
    missing = [f"{counted(left_out, 'notification')} left out: too many"] if left_out else []
    unused = report.unused_ignores[: limits.notifications]
    return {
        "executionSuccessful": report.files > 0 or not failed,
        "toolExecutionNotifications": [
            *(_remark("cut", "warning", text) for text in [*cuts, *missing]),
            *(_remark("note", "note", note) for note in report.notes[: limits.notifications]),
            *(_notification(entry) for entry in shown),
            *(_unused(place) for place in unused),
        ],
    }


def _notification(entry: Skipped) -> dict[str, Any]:
    reason = clean(entry.reason) or SKIP_WORDS[entry.kind]
    files = f", {counted(entry.count, 'file')}" if entry.count > 1 else ""
    text = f"Not checked: {entry.path or 'part of the target'} ({reason}{files})"
    notification: dict[str, Any] = {
        "descriptor": {"id": entry.kind.value},
        "level": "note" if entry.kind.expected else "warning",
        "message": message(text, "Not checked"),
        "properties": {"count": entry.count},
    }
    if entry.path:
        notification["locations"] = [{"physicalLocation": artifact(entry.path)}]
    return notification


def _remark(kind: str, level: str, text: str) -> dict[str, Any]:
    return {"descriptor": {"id": kind}, "level": level, "message": message(text, kind)}


def _unused(place: Place) -> dict[str, Any]:
    remark = _remark("unused-ignore", "note", "This ignore comment suppresses nothing")
    return {**remark, "locations": [{"physicalLocation": physical(place)}]}


def _cuts(folds: Sequence[Fold], dropped: int, limits: Limits) -> list[str]:
    """What the limits of the receiver cost."""
    cuts = []
    if dropped:
        cuts.append(f"{counted(dropped, 'result')} of the least severity left out: too many")
    long = sum(sum(len(f.steps) for f in one.all) > limits.steps for one in folds)
    if long:
        cuts.append(f"{counted(long, 'result')} with a path cut in the middle: too long")
    wide = sum(len(one.handlers) > limits.related for one in folds)
    if wide:
        cuts.append(f"{counted(wide, 'result')} without some entry points: too many")
    return cuts


def _result(
    one: Fold, rules: Mapping[str, Rule], index: Mapping[str, int], limits: Limits
) -> dict[str, Any]:
    finding = one.finding
    identity = rule_id(finding.rule)
    rule = rules.get(finding.rule)
    title = clean(rule.title if rule else "") or identity
    related = [(named(handler), handler.place) for handler in one.handlers if handler.place]
    related = related[: limits.related]
    links = [f"[{_link_text(n)}]({number})" for number, (n, _) in enumerate(related, start=1)]
    text = message(finding.message, unlinked(title))["text"]
    location: dict[str, Any] = {"physicalLocation": physical_with_code(finding.place)}
    if finding.handler is not None:
        location["logicalLocations"] = [logical(finding.handler)]
    result: dict[str, Any] = {
        "ruleId": identity,
        "ruleIndex": index[identity],
        "level": finding.level,
        "message": {"text": f"{text}\nReached from {shortened(links, LINKS)}." if links else text},
        "locations": [location],
    }
    flows = _code_flows(one, limits)
    if flows:
        result["codeFlows"] = flows
    if related:
        result["relatedLocations"] = [
            {
                "id": number,
                "message": message(name, "entry point"),
                "physicalLocation": physical(place),
            }
            for number, (name, place) in enumerate(related, start=1)
        ]
    identity_hash = clean(finding.fingerprint, 200)
    if identity_hash:
        result["partialFingerprints"] = {
            "mcpward/v1": identity_hash,
            "primaryLocationLineHash": identity_hash,
        }
    fix = proposed(finding.repair) if finding.repair is not None else None
    if fix is not None:
        result["fixes"] = [fix]
    # The standard reads an absent array as "unknown" and an empty one as "not suppressed".
    result["suppressions"] = [_suppression(finding.suppression)] if finding.suppression else []
    result["properties"] = _properties(one)
    return result


def _link_text(text: str) -> str:
    return text.replace("[", "(").replace("]", ")").replace("\\", "/") or "handler"


def _code_flows(one: Fold, limits: Limits) -> list[dict[str, Any]]:
    """One flow per way in, sharing what one result may hold."""
    ways = list(dict.fromkeys(f.steps for f in one.all if f.steps))[: limits.steps]
    flows = []
    room = limits.steps
    for left, steps in zip(range(len(ways), 0, -1), ways, strict=True):
        kept = _ends(steps, max(room // left, 1))
        room -= len(kept)
        flows.append({"threadFlows": [{"locations": [_flow_step(step) for step in kept]}]})
    return flows


def _ends(steps: Sequence[Step], most: int) -> Sequence[Step]:
    if len(steps) <= most:
        return steps
    tail = (most + 1) // 2
    return [*steps[: most - tail], *steps[len(steps) - tail :]]


def _flow_step(step: Step) -> dict[str, Any]:
    text = f"assumed: {step.text}" if step.kind is StepKind.ASSUMED else step.text
    return {
        "location": {
            "physicalLocation": physical(step.place),
            "message": message(text, step.kind.value),
        },
        "kinds": [step.kind.value],
        "nestingLevel": max(step.depth, 0),
        "importance": _importance(step.kind),
    }


def _importance(kind: StepKind) -> str:
    match kind:
        case StepKind.SOURCE | StepKind.SINK:
            return "essential"
        case StepKind.CALL | StepKind.ASSUMED | StepKind.GUARD:
            return "important"
        case StepKind.PASS:
            return "unimportant"


def _suppression(suppression: Suppression) -> dict[str, Any]:
    kind = "inSource" if suppression.kind == "inline" else "external"
    reason = clean(suppression.reason) or clean(suppression.kind, 40) or "no reason given"
    return {"kind": kind, "justification": reason}


def _properties(one: Fold) -> dict[str, Any]:
    finding = one.finding
    properties = {
        "confidence": finding.confidence.word,
        "severity": finding.severity.word,
        "security-severity": SECURITY_SEVERITY[finding.severity],
        "sourceKind": clean(finding.source_kind, 40),
        "context": clean(finding.context, 80),
        "handlers": [named(handler) for handler in one.handlers],
        "alsoReaches": [at(place) for place in one.elsewhere],
        "guardNotes": _all_cleaned(finding.guard_notes),
        "adjustments": _all_cleaned(finding.adjustments),
        "fix": clean(finding.fix),
    }
    return {name: value for name, value in properties.items() if value}


def _all_cleaned(texts: Sequence[str]) -> list[str]:
    return [text for text in map(clean, texts) if text]
