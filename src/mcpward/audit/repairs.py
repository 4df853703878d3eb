"""What the edits on a rule's card make of a finding: the fix that reports offer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from tree_sitter import Tree

from mcpward.audit.edits.spot import CALLS, Change, Spot, Stop, call_at, callee, descendants, parser
from mcpward.audit.edits.table import EDITS, title
from mcpward.core.errors import CatalogError
from mcpward.core.finding import Confidence, Edit, Finding, Fix, Place
from mcpward.core.rule import Repair, Rule
from mcpward.core.source import Language, Position, SourceFile
from mcpward.documents.load import read
from mcpward.documents.tree import Document

MOST = 500
"""Fixes that one report offers."""
_LONGEST = 2_000
"""Characters that one edit may put in."""


class Repairs:
    """Makes fixes; each file is parsed once, and only when a finding in it may have one."""

    def __init__(
        self,
        sources: Iterable[SourceFile],
        texts: Mapping[str, bytes],
        rules: Mapping[str, Rule],
    ) -> None:
        """`texts` are the files that are not code."""
        self._sources = {source.path: source for source in sources}
        self._texts = texts
        self._rules = rules
        self._trees: dict[str, Tree | None] = {}
        self._shown: dict[str, SourceFile | None] = {}
        self._known: dict[str, dict[str, object]] = {}

    def offered(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings, each with its fix if it has one."""
        return tuple(self._offered(findings))

    def _offered(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        made = 0
        for finding in findings:
            rule = self._rules.get(finding.rule)
            fix = None
            if rule is not None and rule.repairs and finding.suppression is None and made < MOST:
                fix = self.fix(finding, rule.repairs)
            made += fix is not None
            yield finding if fix is None else replace(finding, repair=fix)

    def fix(self, finding: Finding, repairs: Iterable[Repair]) -> Fix | None:
        """The first of some repairs that fits a finding."""
        file = finding.place.file
        source = self.text(file)
        if source is None:
            return None
        code = file in self._sources
        family = source.language.family if code else "document"
        spot: Spot | None = None
        for repair in repairs:
            if repair.family not in ("", family) or repair.says not in finding.message:
                continue
            if spot is None:
                spot = self._spot(finding, source, code=code)
            if not _about(repair, spot):
                continue
            if repair.edit not in EDITS:
                raise CatalogError(f"`{finding.rule}` names the edit `{repair.edit}`")
            given = dict(repair.given)
            edit = EDITS[repair.edit][0]
            spots = _everywhere(spot) if given.get("everywhere") else [spot]
            made = [edit(one, given) for one in spots]
            changes = sorted({change for each in made for change in each or ()})
            if changes and all(made) and _sound(changes):
                said = repair.title or title(repair.edit, given)
                edits = tuple(_edit(source, change) for change in changes)
                return Fix(said, edits, repair.safe and finding.confidence > Confidence.LOW)
        return None

    def text(self, file: str) -> SourceFile | None:
        """The text of a file as it was audited, whatever it is."""
        if file in self._sources:
            return self._sources[file]
        if file not in self._shown:
            data = self._texts.get(file)
            made = read(file, data) if data is not None else None
            self._shown[file] = (
                SourceFile(file, Language.PYTHON, made.text.encode("utf-8", "replace"))
                if isinstance(made, Document)
                else None
            )
        return self._shown[file]

    def _spot(self, finding: Finding, source: SourceFile, *, code: bool) -> Spot:
        tree = self._tree(source) if code else None
        stops = tuple(
            Stop(step.kind, step.text, *_range(source, step.place))
            for step in finding.steps
            if step.place.file == source.path
        )
        start, end = _range(source, finding.place)
        python = code and source.language is Language.PYTHON
        known = self._known.setdefault(source.path, {})
        return Spot(source.path, source.data, start, end, tree, python, finding.sink, stops, known)

    def _tree(self, source: SourceFile) -> Tree | None:
        if source.path not in self._trees:
            self._trees[source.path] = parser(source.language).parse(source.data)
        return self._trees[source.path]


def _sound(changes: list[Change]) -> bool:
    """Whether changes are of moderate size and none is inside another."""
    apart = all(one.end <= other.start for one, other in pairwise(changes))
    return apart and all(len(change.text) <= _LONGEST for change in changes)


def _everywhere(spot: Spot) -> list[Spot]:
    """The places of all calls in a file that are written like that of the finding."""
    call = call_at(spot)
    called = callee(call) if call is not None else None
    if called is None or spot.root is None:
        return []
    name = spot.text(called)
    found = [
        replace(spot, start=node.start_byte, end=node.end_byte)
        for node in descendants(spot.root)
        if node.type in CALLS and (one := callee(node)) is not None and spot.text(one) == name
    ]
    return found[:MOST]


def _about(repair: Repair, spot: Spot) -> bool:
    """Whether a repair is for what is called, or for what the call is written like."""
    if not repair.sinks or spot.sink:
        return not repair.sinks or spot.sink in repair.sinks
    call = call_at(spot)
    called = callee(call) if call is not None else None
    written = spot.text(called) if called is not None else ""
    return any(written in (name, name.rpartition(".")[2]) for name in repair.sinks)


def _range(source: SourceFile, place: Place) -> tuple[int, int]:
    start = _offset(source, place.start)
    return start, max(start, _offset(source, place.end))


def _offset(source: SourceFile, at: Position) -> int:
    """The byte offset of a line and a column, both from 1."""
    starts = source.starts
    if at.line > len(starts):
        return len(source.data)
    begin = starts[at.line - 1]
    end = starts[at.line] if at.line < len(starts) else len(source.data)
    line = source.data[begin:end].decode("utf-8", "replace")
    return min(begin + len(line[: at.column - 1].encode("utf-8", "replace")), end)


def _edit(source: SourceFile, change: Change) -> Edit:
    first, last = source.position(change.start), source.position(change.end)
    return Edit(source.path, change.start, change.end, change.text, first, last)
