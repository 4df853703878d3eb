"""Fixes put into the text in memory, and kept only if another audit agrees that they are."""

from __future__ import annotations

import json
import tomllib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mcpward.audit.collect import Collected
from mcpward.audit.edits.spot import parser
from mcpward.audit.options import AuditOptions, selected
from mcpward.audit.repairs import Repairs
from mcpward.audit.run import audit_collected
from mcpward.catalog.catalog import load_catalog
from mcpward.core.finding import Confidence, Edit, Finding, Report, Severity
from mcpward.core.source import Language, SourceFile
from mcpward.documents.load import document_format
from mcpward.documents.tree import Format

ROUNDS = 5
"""Edits that meet others wait for the next round."""
TRIES = 40
"""How often fixes are put in and checked, in search of those that do no harm."""

Counts = Counter[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Changed:
    """One file, before and after."""

    path: str
    before: bytes
    """As it was audited: UTF-8 without a byte order mark."""
    after: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A fix that was not kept."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """What fixing has come to."""

    changed: tuple[Changed, ...]
    applied: tuple[Finding, ...]
    refused: tuple[Refused, ...]
    suggested: int
    """Suggested fixes that were not asked for."""
    report: Report
    """The audit before."""


@dataclass(slots=True)
class _Work:
    """The state of one run."""

    collected: Collected
    options: AuditOptions
    report: Report
    tries: int = 0


def fix(collected: Collected, options: AuditOptions, *, suggested: bool = False) -> Fixed:
    """Applies the fixes of a target in memory.

    The options decide what is fixed; what is found by all rules is compared.
    """
    rules = load_catalog().rules
    active = selected(rules, options)
    everything = replace(
        options,
        rules=frozenset(),
        not_rules=frozenset(),
        strict=options.strict or any(rules[name].strict for name in options.rules),
        severity=min(options.severity, Severity.LOW),
        confidence=Confidence.LOW,
    )
    first = audit_collected(collected, everything)
    work = _Work(collected, everything, first)
    applied: list[Finding] = []
    refused: dict[str, Refused] = {}
    for _ in range(ROUNDS):
        wanted = [
            finding
            for finding in _asked(work.report, options, active)
            if finding.repair is not None
            and (suggested or finding.repair.safe)
            and finding.fingerprint not in refused
        ]
        batch = _apart(wanted)
        if not batch or work.tries >= TRIES:
            break
        kept, report, left = _kept(work, batch)
        for one in left:
            same = _edits(one.finding)
            refused |= {f.fingerprint: one for f in wanted if _edits(f) == same}
        if kept:
            applied += kept
            work.collected = _edited(work.collected, kept)
            work.report = report
    return Fixed(
        changed=tuple(_changes(collected, work.collected)),
        applied=tuple(applied),
        refused=tuple(dict.fromkeys(refused.values())),
        suggested=0 if suggested else _suggestions(_asked(work.report, options, active)),
        report=first,
    )


def _asked(report: Report, options: AuditOptions, active: frozenset[str]) -> list[Finding]:
    """The findings that the user wants to hear of."""
    return [
        finding
        for finding in report.open_findings
        if finding.rule in active
        and finding.severity >= options.severity
        and finding.confidence >= options.confidence
    ]


def _suggestions(findings: Iterable[Finding]) -> int:
    return sum(one.repair is not None and not one.repair.safe for one in findings)


def _apart(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of which the edits do not meet; of those that do, the first."""
    kept: list[Finding] = []
    taken: dict[str, list[Edit]] = {}
    for finding in findings:
        edits = _edits(finding)
        if not any(_meets(one, other) for one in edits for other in taken.get(one.file, ())):
            kept.append(finding)
            for one in edits:
                taken.setdefault(one.file, []).append(one)
    return kept


def _edits(finding: Finding) -> tuple[Edit, ...]:
    return finding.repair.edits if finding.repair is not None else ()


def _meets(one: Edit, other: Edit) -> bool:
    if (one.start, one.end, one.text) == (other.start, other.end, other.text):
        return one.start == one.end and not one.text.lstrip().startswith("import ")
    if one.start == other.start:
        return True
    return one.start < other.end and other.start < one.end


def _kept(work: _Work, batch: list[Finding]) -> tuple[list[Finding], Report, list[Refused]]:
    """The fixes that do what they should together: all, or what halving finds of them."""
    kept: list[Finding] = []
    report = work.report
    left: list[Refused] = []
    waiting: list[list[Finding]] = [batch]
    while waiting:
        part = waiting.pop()
        if work.tries >= TRIES:
            left += [Refused(one, "too many fixes to check at once") for one in part]
            continue
        verdict = _verdict(work, [*kept, *part])
        if not verdict.reason:
            kept += part
            report = verdict.report
        elif len(part) == 1:
            left.append(Refused(part[0], verdict.reason))
        else:
            waiting += reversed(_split(part, verdict))
    return kept, report, left


def _split(part: list[Finding], verdict: _Verdict) -> list[list[Finding]]:
    """The fixes that are not to blame and the others, or two halves of those."""
    for blamed in (
        [f for f in part if f.place.file == verdict.file and f.rule == verdict.rule],
        [f for f in part if f.place.file == verdict.file],
    ):
        if 0 < len(blamed) < len(part):
            return [[f for f in part if f not in blamed], blamed]
    middle = len(part) // 2
    return [part[:middle], part[middle:]]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Why some fixes must not be made, and the report with them; no reason is good news."""

    report: Report
    reason: str = ""
    file: str = ""
    rule: str = ""
    """The fixes of this rule in the file are to blame; empty: any."""


def _verdict(work: _Work, findings: list[Finding]) -> _Verdict:
    work.tries += 1
    edited = _edited(work.collected, findings)
    for change in _changes(work.collected, edited):
        if _parses(change.path, change.before, edited) and not _parses(
            change.path, change.after, edited
        ):
            return _Verdict(work.report, "the file could no longer be parsed", change.path)
    after = audit_collected(edited, work.options)
    before, now = _counts(work.report), _counts(after)
    for key, count in Counter((f.rule, f.place.file) for f in findings).items():
        before[key] -= count
    for finding in findings:
        if now[(key := (finding.rule, finding.place.file))] > before[key]:
            return _Verdict(after, "the finding would still be there", key[1], key[0])
    worse = sorted(key for key, count in now.items() if count > before[key])
    if worse:
        rule, file = worse[0]
        return _Verdict(after, f"`{rule}` would be found in {file}", file)
    if _failures(after) > _failures(work.report):
        return _Verdict(after, "less of the target could be checked")
    return _Verdict(after)


def _counts(report: Report) -> Counts:
    return Counter((finding.rule, finding.place.file) for finding in report.findings)


def _failures(report: Report) -> int:
    return sum(max(one.count, 1) for one in report.skipped if not one.kind.expected)


def _edited(collected: Collected, findings: Sequence[Finding]) -> Collected:
    """The target with some fixes in it."""
    edits: dict[str, set[tuple[int, int, bytes]]] = {}
    for finding in findings:
        for one in _edits(finding):
            edits.setdefault(one.file, set()).add((one.start, one.end, one.text.encode()))
    sources = tuple(
        SourceFile(s.path, s.language, spliced(s.data, edits[s.path]), s.role)
        if s.path in edits
        else s
        for s in collected.sources
    )
    code = {source.path for source in sources}
    shown = Repairs((), collected.texts, {})
    texts: Mapping[str, bytes] = {
        path: spliced(text.data, edits[path])
        if path in edits and path not in code and (text := shown.text(path)) is not None
        else data
        for path, data in collected.texts.items()
    }
    return replace(collected, sources=sources, texts=texts)


def spliced(data: bytes, edits: Iterable[tuple[int, int, bytes]]) -> bytes:
    """A text with edits in it that do not meet."""
    parts, done = [], 0
    for start, end, text in sorted(edits):
        parts += [data[done:start], text]
        done = end
    return b"".join([*parts, data[done:]])


def _changes(before: Collected, after: Collected) -> list[Changed]:
    old = {source.path: source.data for source in before.sources}
    new = {source.path: source.data for source in after.sources}
    shown = Repairs((), before.texts, {})
    for path, data in after.texts.items():
        if path not in new and data is not before.texts[path]:
            text = shown.text(path)
            old[path] = text.data if text is not None else before.texts[path]
            new[path] = data
    return [Changed(path, old[path], new[path]) for path in sorted(new) if new[path] != old[path]]


def _parses(path: str, data: bytes, collected: Collected) -> bool:
    """Whether the strict reader of a language accepts a text."""
    source = next((one for one in collected.sources if one.path == path), None)
    if source is None:
        return _reads(path, data)
    if source.language is not Language.PYTHON:
        return not parser(source.language).parse(data).root_node.has_error
    # Compiling runs nothing, and unlike parsing it knows where `await` may stand.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _accepts(lambda: compile(data, path, "exec", dont_inherit=True))


def _reads(path: str, data: bytes) -> bool:
    match document_format(path):
        case Format.JSON:
            return _accepts(lambda: json.loads(data))
        case Format.TOML:
            return _accepts(lambda: tomllib.loads(data.decode()))
        case _:
            return True  # read by the audit alone, which says what it could not read


def _accepts(reader: Callable[[], object]) -> bool:
    try:
        reader()
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False
    return True
