"""One finding for a person: what, where, the path, why guards fail, and the fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mcpward.core.finding import Finding, Severity, Step, StepKind
from mcpward.core.rule import Rule
from mcpward.report.folds import Fold
from mcpward.report.paint import BLANK, Line, Piece, line
from mcpward.report.terminal import clean, trim, width, window, wrap
from mcpward.report.wording import at, named, shortened

MARGIN = 2
STEPS_SHOWN = 9
"""A path of more steps is cut in the middle unless everything is asked for."""
DEEPEST = 6
"""Call depth up to which steps are indented."""
WAYS_SHOWN = 5

SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_STEP_STYLES = {
    StepKind.SOURCE: "yellow",
    StepKind.ASSUMED: "magenta",
    StepKind.GUARD: "cyan",
    StepKind.SINK: "red",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """How much room a finding has."""

    width: int
    verbose: bool
    fix_shown: bool
    """Whether an earlier finding of the same rule has already told the fix."""


def title_of(finding: Finding, rule: Rule | None) -> str:
    """What the rule is about; its name when the rule is not known."""
    return clean((rule.title if rule else "") or finding.rule)


def fix_of(finding: Finding, rule: Rule | None) -> str:
    """What to do: the finding's own advice, or the rule's."""
    return clean(finding.fix or (rule.fix if rule else ""))


def finding_lines(fold: Fold, rule: Rule | None, frame: Frame) -> Iterator[Line]:
    """All lines of one finding, without a blank line at the end."""
    finding = fold.finding
    yield from _heading(finding, rule, frame)
    where = at(finding.place)
    if finding.context:
        where += f" ({clean(finding.context, 80)})"
    yield from _paragraph(where, frame, style="bold")
    yield from _paragraph(clean(finding.message), frame)
    yield BLANK
    yield from _path(finding, frame)
    yield BLANK
    for note in finding.guard_notes:
        yield from _labelled("not enough", clean(note), frame)
    for adjustment in finding.adjustments:
        yield from _labelled("severity", clean(adjustment), frame)
    yield from _fix(finding, rule, frame)
    yield from _labelled("confidence", finding.confidence.word, frame)
    others = [named(h) for h in fold.handlers if h != finding.handler]
    if others:
        most = len(others) if frame.verbose else WAYS_SHOWN
        yield from _labelled("also reached from", shortened(others, most), frame)
    sinks = [at(place) for place in fold.elsewhere]
    if sinks:
        most = len(sinks) if frame.verbose else WAYS_SHOWN
        yield from _labelled("also reaches", shortened(sinks, most), frame)
    if frame.verbose and finding.fingerprint:
        yield from _labelled("fingerprint", clean(finding.fingerprint, 80), frame)


def _heading(finding: Finding, rule: Rule | None, frame: Frame) -> Iterator[Line]:
    word = finding.severity.word
    indent = MARGIN + len(word) + 2
    text = f"{title_of(finding, rule)} [{clean(finding.rule, 80)}]"
    first, *rest = wrap(text, frame.width - indent)
    style = SEVERITY_STYLES[finding.severity]
    yield (Piece(" " * MARGIN), Piece(word, style), Piece("  "), Piece(first, "bold"))
    for more in rest:
        yield line(more, "bold", indent)


def _fix(finding: Finding, rule: Rule | None, frame: Frame) -> Iterator[Line]:
    fix = fix_of(finding, rule)
    if not fix:
        return
    told = frame.fix_shown and not finding.fix and not frame.verbose
    yield from _labelled("fix", "as above for this rule" if told else fix, frame)


def _path(finding: Finding, frame: Frame) -> Iterator[Line]:
    steps = finding.steps
    if not steps:
        gutter = len(str(finding.place.start.line))
        yield from _code(_Spot.of_place(finding), gutter, frame)
        return
    gutter = max(len(str(step.place.start.line)) for step in steps)
    head, tail, hidden = _ends(steps, frame)
    file = finding.place.file if steps[0].place.file == finding.place.file else ""
    for step in head:
        yield from _step(step, file, gutter, frame)
        file = step.place.file
    if hidden:
        text = f"… {hidden} more steps (--verbose shows them)"
        yield line(text, "dim", _text_column(gutter, 0))
    for step in tail:
        yield from _step(step, file, gutter, frame)
        file = step.place.file


def _ends(steps: Sequence[Step], frame: Frame) -> tuple[Sequence[Step], Sequence[Step], int]:
    if frame.verbose or len(steps) <= STEPS_SHOWN:
        return steps, (), 0
    kept = STEPS_SHOWN // 2
    return steps[:kept], steps[-kept:], len(steps) - 2 * kept


def _step(step: Step, file: str, gutter: int, frame: Frame) -> Iterator[Line]:
    spot = _Spot.of_step(step)
    column = _text_column(gutter, spot.depth)
    room = frame.width - column
    if step.place.file != file:
        for part in wrap(clean(step.place.file), room):
            yield line(part, "dim", column)
    yield from _code(spot, gutter, frame)
    text = clean(step.text)
    if step.kind is StepKind.ASSUMED:
        text = f"assumed: {text}"
    for part in wrap(text, room):
        yield line(part, _STEP_STYLES.get(step.kind, "dim"), column)


@dataclass(frozen=True, slots=True)
class _Spot:
    """A line of code as it is shown."""

    number: int
    column: int
    code: str
    depth: int

    @classmethod
    def of_step(cls, step: Step) -> _Spot:
        start = step.place.start
        depth = min(max(step.depth, 0), DEEPEST)
        return cls(start.line, start.column, step.place.code, depth)

    @classmethod
    def of_place(cls, finding: Finding) -> _Spot:
        start = finding.place.start
        return cls(start.line, start.column, finding.place.code, 0)


def _code(spot: _Spot, gutter: int, frame: Frame) -> Iterator[Line]:
    indent = _text_column(gutter, spot.depth)
    number = str(spot.number).rjust(gutter)
    room = max(frame.width - indent, 2)
    code = window(spot.code, spot.column, room)
    between = " " * (indent - 2 * MARGIN - width(number))
    yield (Piece(" " * 2 * MARGIN), Piece(number, "dim"), Piece(between), Piece(trim(code, room)))


def _text_column(gutter: int, depth: int) -> int:
    return 2 * MARGIN + gutter + 2 + 2 * depth


def _paragraph(text: str, frame: Frame, style: str = "") -> Iterator[Line]:
    for part in wrap(text, frame.width - MARGIN):
        yield line(part, style, MARGIN)


def _labelled(label: str, text: str, frame: Frame) -> Iterator[Line]:
    first, *rest = wrap(f"{label}: {text}", frame.width - 2 * MARGIN)
    yield (
        Piece(" " * MARGIN),
        Piece(first[: len(label) + 1], "dim"),
        Piece(first[len(label) + 1 :]),
    )
    for more in rest:
        yield line(more, indent=2 * MARGIN)
