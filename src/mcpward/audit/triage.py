"""What a finding is worth here: its context, duplicates, ignores, the baseline and thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from mcpward.audit.baseline import gone, matched
from mcpward.audit.exposure import Exposure
from mcpward.audit.ignores import InlineIgnore, PathIgnore, inline_ignores
from mcpward.audit.options import AuditOptions, selected
from mcpward.core.finding import Finding, Place, Severity, Suppression
from mcpward.core.rule import Rule
from mcpward.core.source import Role, SourceFile

CONTEXT_STEPS = -2
"""How far the severity moves in code that is not part of the product."""

_EXPOSED = frozenset({"execution", "input", "secrets"})
"""Categories of rules whose flows weigh more when everybody on the network can start them."""

_OUTSIDE_THE_PRODUCT = frozenset({Role.TEST, Role.EXAMPLE, Role.DOCS})


class Triaged(NamedTuple):
    """The findings that are reported, and what there is to say about those that are not."""

    findings: tuple[Finding, ...]
    unused_ignores: tuple[Place, ...]
    notes: tuple[str, ...]


def triage(
    findings: Iterable[Finding],
    sources: Iterable[SourceFile],
    rules: Mapping[str, Rule],
    options: AuditOptions,
    exposure: Exposure | None = None,
) -> Triaged:
    """The findings as they are reported: in context, once each, in order, with suppressions.

    `rules` are all rules, also those that did not run. Suppression comes before the thresholds, so
    that an ignore of a finding below them counts as used.
    """
    if exposure is not None and exposure.unprotected:
        findings = [_exposed(finding, rules) for finding in findings]
    files = {source.path: source for source in sources}
    active = selected(rules, options)
    found = _distinct(_in_context(finding, files) for finding in findings)

    notes: list[str] = []
    inline: list[InlineIgnore] = []
    if options.trust_target:
        for source in files.values():
            inline += _usable(inline_ignores(source), rules, notes)
    else:
        notes += _not_honoured(files.values())

    suppressed, used = _suppressed(found, inline, options)
    unused = tuple(i.place for i in inline if i.rule in active and i not in used)
    for entry in options.ignores:
        if entry.rule in active and entry not in used:
            notes.append(f"{entry.origin}: the ignore of `{entry.rule}` in {entry.glob} is unused")
    if options.baseline is not None:
        notes += _gone(gone(found, options.baseline, active), options.baseline.origin)

    shown = tuple(
        f
        for f in suppressed
        if f.severity >= options.severity and f.confidence >= options.confidence
    )
    notes += _hidden(suppressed, shown)
    return Triaged(shown, tuple(sorted(unused, key=_where)), tuple(notes))


def _exposed(finding: Finding, rules: Mapping[str, Rule]) -> Finding:
    """The finding where whoever reaches the port may call every tool; only flows weigh more."""
    rule = rules.get(finding.rule)
    severity = finding.severity.shifted(1)
    if not finding.steps or rule is None or rule.category not in _EXPOSED:
        return finding
    if finding.severity is Severity.INFO or severity == finding.severity:
        return finding
    said = "higher than usual: the server is on a network and authenticates nobody"
    return replace(finding, severity=severity, adjustments=(*finding.adjustments, said))


def _in_context(finding: Finding, files: Mapping[str, SourceFile]) -> Finding:
    source = files.get(finding.place.file)
    if source is None or source.role is Role.FIRST_PARTY or finding.context:
        return finding
    context = source.role.value
    if source.role not in _OUTSIDE_THE_PRODUCT:
        return replace(finding, context=context)
    severity = finding.severity.shifted(CONTEXT_STEPS)
    said = (f"lower than usual: {context} code",) if severity != finding.severity else ()
    return replace(
        finding,
        context=context,
        severity=severity,
        adjustments=finding.adjustments + said,
    )


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """The surest and shortest finding for each rule, sink, handler and parameter, in order."""
    best: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        source = finding.steps[0].place if finding.steps else None
        handler = finding.handler
        key = (
            finding.rule,
            (finding.place.file, finding.place.start, finding.place.end),
            handler and (handler.sort, handler.name, handler.place and _where(handler.place)),
            source and (source.file, source.start, source.end),
        )
        known = best.get(key)
        if known is None or _merit(finding) > _merit(known):
            best[key] = finding
    return sorted(best.values(), key=_order)


def _merit(finding: Finding) -> tuple[int, int, int]:
    return finding.confidence, finding.severity, -len(finding.steps)


def _order(finding: Finding) -> tuple[object, ...]:
    handler = finding.handler
    named = (handler.name, handler.sort, *_where(handler.place)) if handler else ("", "")
    source = _where(finding.steps[0].place) if finding.steps else ()
    return *_where(finding.place), finding.rule, named, source, finding.message


def _where(place: Place | None) -> tuple[object, ...]:
    return (place.file, place.start.line, place.start.column) if place else ()


def _suppressed(
    findings: Sequence[Finding], inline: Iterable[InlineIgnore], options: AuditOptions
) -> tuple[list[Finding], set[InlineIgnore | PathIgnore]]:
    comments: dict[tuple[str, int, str], list[InlineIgnore]] = {}
    for ignore in inline:
        comments.setdefault((ignore.place.file, ignore.line, ignore.rule), []).append(ignore)
    baseline = options.baseline
    known = matched(findings, baseline) if baseline else [False] * len(findings)

    result = []
    used: set[InlineIgnore | PathIgnore] = set()
    for finding, accepted in zip(findings, known, strict=True):
        place = finding.place
        here = comments.get((place.file, place.start.line, finding.rule), [])
        there = [entry for entry in options.ignores if entry.covers(finding.rule, place.file)]
        used.update(here, there)
        suppression = finding.suppression
        if here:
            suppression = Suppression("inline", here[0].reason)
        elif there:
            suppression = Suppression("settings", there[0].reason)
        elif accepted and baseline:
            suppression = Suppression("baseline", f"listed in {baseline.origin}")
        result.append(replace(finding, suppression=suppression) if suppression else finding)
    return result, used


def _usable(
    ignores: Iterable[InlineIgnore], rules: Mapping[str, Rule], notes: list[str]
) -> Iterator[InlineIgnore]:
    """The ignores that count; notes say why the others do not."""
    for ignore in ignores:
        where = f"{ignore.place.file}:{ignore.place.start.line}"
        if not ignore.rule:
            notes.append(f"{where}: an ignore without the name of a rule does not count")
        elif ignore.rule not in rules:
            from mcpward.catalog.tables import closest

            hint = closest(ignore.rule, rules)
            notes.append(f"{where}: there is no rule `{ignore.rule}` to ignore. {hint}".rstrip())
        elif not ignore.reason:
            notes.append(f"{where}: the ignore of `{ignore.rule}` has no reason and does not count")
        else:
            yield ignore


def _not_honoured(sources: Iterable[SourceFile]) -> Iterator[str]:
    count = len({i.place for source in sources for i in inline_ignores(source)})
    if count:
        yield (
            f"{_counted(count, 'ignore comment was', 'ignore comments were')} not honoured, "
            "because the target is not trusted (--trust-target)"
        )


def _gone(count: int, origin: str) -> Iterator[str]:
    if count:
        yield (
            f"{origin}: {_counted(count, 'entry matches', 'entries match')} nothing any more; "
            "--write-baseline drops them"
        )


def _hidden(all_of_them: Sequence[Finding], shown: Sequence[Finding]) -> Iterator[str]:
    count = sum(1 for f in all_of_them if f.suppression is None)
    count -= sum(1 for f in shown if f.suppression is None)
    if count:
        yield (
            f"{_counted(count, 'finding is', 'findings are')} below the thresholds and left out; "
            "--severity info --confidence low shows everything"
        )


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
