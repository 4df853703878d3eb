"""The report for people: the line, the path, the fix, and what was not looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mcpward.core.finding import Finding, Handler, Report, Severity, Skipped
from mcpward.core.rule import Rule
from mcpward.report.finding_text import (
    MARGIN,
    SEVERITY_STYLES,
    Frame,
    finding_lines,
    title_of,
)
from mcpward.report.folds import Fold, fold
from mcpward.report.paint import BLANK, Line, Piece, coloured, line, plain
from mcpward.report.privileges import rows
from mcpward.report.terminal import clean, width, wrap
from mcpward.report.wording import (
    HANDLER_SORTS,
    SKIP_WORDS,
    at,
    by_severity,
    counted,
    handler_order,
    listed,
    named,
    shortened,
    sort_word,
)

NARROWEST = 40
"""Columns below which nothing is squeezed further."""
ROWS_OF_A_LIST = 20
PATHS_OF_A_KIND = 3


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How the reader wants to see it."""

    width: int = 100
    verbose: bool = False
    """Whole paths, whole lists, suppressed findings."""
    colour: bool = False
    """Escape sequences of a terminal; only then is `rich` imported."""
    threshold: Severity = Severity.INFO
    """Findings below are counted, not shown."""
    patterns: tuple[tuple[int, str], ...] = ()
    """Number and title of each vulnerability pattern when findings are grouped by them."""


def render(report: Report, rules: Mapping[str, Rule], options: TextOptions) -> str:
    """The whole report as text that is safe to print on a terminal."""
    lines = _lines(report, rules, options)
    return coloured(lines) if options.colour else plain(lines)


def _lines(report: Report, rules: Mapping[str, Rule], options: TextOptions) -> Iterator[Line]:
    shown = fold(f for f in report.open_findings if f.severity >= options.threshold)
    told: set[str] = set()
    for heading, folds in _grouped(shown, rules, options):
        yield from heading
        yield BLANK
        for one in folds:
            rule = rules.get(one.finding.rule)
            frame = Frame(_width(options), options.verbose, one.finding.rule in told)
            yield from finding_lines(one, rule, frame)
            yield BLANK
            told.add(one.finding.rule)
    yield from _section("Needs", rows(report), options)
    yield from _section("Not checked", _not_checked(report, options), options)
    if options.verbose:
        yield from _section("Suppressed", _suppressed(report, rules), options)
    unused = _cut([at(place) for place in report.unused_ignores], options)
    yield from _section("Ignore comments that suppress nothing", unused, options)
    yield from _section("Notes", [clean(note) for note in report.notes], options)
    yield from _summary(report, shown, options)


def _width(options: TextOptions) -> int:
    return max(options.width, NARROWEST)


def _grouped(
    folds: Sequence[Fold], rules: Mapping[str, Rule], options: TextOptions
) -> Iterator[tuple[Iterable[Line], list[Fold]]]:
    """Headings with what stands below them: by handler, or by pattern if the reader asked."""
    if not options.patterns:
        for handler, of_handler in _groups(folds):
            yield _group_heading(handler, _width(options)), of_handler
        return
    titles = dict(options.patterns)
    by_number: dict[int, list[Fold]] = {}
    for one in folds:
        rule = rules.get(one.finding.rule)
        tags = rule.tags if rule is not None else ()
        numbers = [int(tag.rpartition("/")[2]) for tag in tags if tag.startswith("pattern-22/")]
        by_number.setdefault(min(numbers, default=len(titles) + 1), []).append(one)
    for number in sorted(by_number):
        title = f"{number}. {titles[number]}" if number in titles else "Beyond the patterns"
        heading = [line(part, "bold underline") for part in wrap(title, _width(options))]
        yield heading, sorted(by_number[number], key=_severest_first)


def _groups(folds: Sequence[Fold]) -> Iterator[tuple[Handler | None, list[Fold]]]:
    groups: dict[Handler | None, list[Fold]] = {}
    for one in folds:
        groups.setdefault(one.finding.handler, []).append(one)
    for handler in sorted(groups, key=handler_order):
        yield handler, sorted(groups[handler], key=_severest_first)


def _severest_first(one: Fold) -> tuple[int, str, int, int, str]:
    finding = one.finding
    place = finding.place
    return (-finding.severity, place.file, place.start.line, place.start.column, finding.rule)


def _group_heading(handler: Handler | None, columns: int) -> Iterator[Line]:
    name = "Not tied to a handler" if handler is None else named(handler)
    at_file = ""
    if handler is not None and handler.place is not None:
        at_file = f"{clean(handler.place.file)}:{handler.place.start.line}"
    if width(name) + 2 + width(at_file) <= columns:
        yield (Piece(name, "bold underline"), *([Piece(f"  {at_file}", "dim")] if at_file else []))
        return
    yield from (line(part, "bold underline") for part in wrap(name, columns))
    yield from (line(part, "dim", MARGIN) for part in wrap(at_file, columns - MARGIN))


def _section(title: str, rows: Sequence[str], options: TextOptions) -> Iterator[Line]:
    said = [row for row in rows if row]
    if not said:
        return
    yield line(title, "bold")
    for row in said:
        first, *rest = wrap(row, _width(options) - 2 * MARGIN)
        yield line(first, indent=MARGIN)
        for more in rest:
            yield line(more, indent=2 * MARGIN)
    yield BLANK


def _not_checked(report: Report, options: TextOptions) -> list[str]:
    failed = [_failure(entry) for entry in report.skipped if not entry.kind.expected]
    rows = _cut(failed, options)
    for kind, words in SKIP_WORDS.items():
        entries = [entry for entry in report.skipped if entry.kind is kind and kind.expected]
        if entries:
            rows.append(_policy(words, entries, options))
    return rows


def _failure(entry: Skipped) -> str:
    reason = clean(entry.reason) or SKIP_WORDS[entry.kind]
    path = f"{clean(entry.path)}: " if entry.path else ""
    many = f" ({counted(entry.count, 'file')})" if entry.count > 1 else ""
    return f"{path}{reason}{many}"


def _policy(words: str, entries: Sequence[Skipped], options: TextOptions) -> str:
    largest = sorted(entries, key=lambda entry: (-entry.count, entry.path))
    paths = [clean(entry.path) for entry in largest if entry.path]
    total = counted(_total(entries), "file")
    most = len(paths) if options.verbose else PATHS_OF_A_KIND
    return f"{total} {words}: {shortened(paths, most)}" if paths else f"{total} {words}"


def _suppressed(report: Report, rules: Mapping[str, Rule]) -> list[str]:
    return [
        f"{at(f.place)}: {title_of(f, rules.get(f.rule))} [{clean(f.rule, 80)}]"
        f" ({clean(f.suppression.kind, 40)}: {clean(f.suppression.reason) or 'no reason given'})"
        for f in report.findings
        if f.suppression is not None
    ]


def _cut(rows: list[str], options: TextOptions) -> list[str]:
    if options.verbose or len(rows) <= ROWS_OF_A_LIST:
        return rows
    return [*rows[:ROWS_OF_A_LIST], f"… {len(rows) - ROWS_OF_A_LIST:,} more (--verbose shows them)"]


def _summary(report: Report, shown: Sequence[Fold], options: TextOptions) -> Iterator[Line]:
    verdict, style = _verdict(report, shown, options)
    sentences = [verdict, *_left_out(report, options), _seen(report)]
    for index, part in enumerate(wrap(" ".join(filter(None, sentences)), _width(options))):
        # The verdict is coloured where it stands whole on the first line.
        if index == 0 and part.startswith(verdict):
            yield (Piece(verdict, style), Piece(part[len(verdict) :]))
        else:
            yield line(part)


def _verdict(report: Report, shown: Sequence[Fold], options: TextOptions) -> tuple[str, str]:
    """The sentence that must never sound clean when something could not be checked."""
    if shown:
        severities = [one.finding.severity for one in shown]
        text = f"{counted(len(shown), 'finding')}: {by_severity(severities)}."
        return text, SEVERITY_STYLES[max(severities)]
    if report.files == 0 and not report.open_findings:
        return "Nothing was audited: no file could be looked at.", "bold yellow"
    found = "No findings"
    if options.threshold > Severity.INFO:
        found = f"No findings of severity {options.threshold.word} or above"
    if _total(_failures(report)):
        return f"{found} in what could be checked.", "bold yellow"
    if not report.handlers:
        nothing = "no tool, resource, prompt or route was recognised"
        return f"{found}, but {nothing}, so there was no input to follow.", "bold yellow"
    return f"{found}.", "green"


def _left_out(report: Report, options: TextOptions) -> Iterator[str]:
    failures = _total(_failures(report))
    if failures:
        parts = counted(failures, "part")
        yield f"{parts} of the target could not be checked."
    below = fold(f for f in report.open_findings if f.severity < options.threshold)
    if below:
        verb = "is" if len(below) == 1 else "are"
        word = options.threshold.word
        yield f"{counted(len(below), 'finding')} below {word} {verb} not shown."
    yield _suppressions(report.findings)


def _suppressions(findings: Sequence[Finding]) -> str:
    kinds = Counter(f.suppression.kind for f in findings if f.suppression is not None)
    if not kinds:
        return ""
    verb = "is" if kinds.total() == 1 else "are"
    parts = ", ".join(f"{number:,} {clean(kind, 40)}" for kind, number in sorted(kinds.items()))
    return f"{counted(kinds.total(), 'finding')} {verb} suppressed: {parts}."


def _seen(report: Report) -> str:
    sorts = Counter(handler.sort for handler in report.handlers)
    order = [*HANDLER_SORTS, *sorted(sorts.keys() - HANDLER_SORTS.keys())]
    handlers = [counted(sorts[sort], sort_word(sort)) for sort in order if sorts[sort]]
    files = [counted(report.files, "file"), counted(report.lines, "line")]
    seconds = sum(timing.seconds for timing in report.timings)
    time = f" in {seconds:.1f} s" if report.timings else ""
    return f"Looked at {listed([*files, *(handlers or ['no handler'])])}{time}."


def _failures(report: Report) -> list[Skipped]:
    return [entry for entry in report.skipped if not entry.kind.expected]


def _total(entries: Sequence[Skipped]) -> int:
    return sum(max(entry.count, 1) for entry in entries)
