"""Which guard rows and which flows can matter at all, remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from mcpward.catalog.catalog import Catalog
from mcpward.core.rule import GuardModel
from mcpward.ir.values import Outcome


class Fitting(NamedTuple):
    """A guard row with its marks as bits."""

    row: GuardModel
    needs: int
    pieces: int
    """Marks of a mere piece: then the row speaks of that piece only."""
    bars: int
    """Marks under which the row says nothing."""


class Relevance:
    """Answers that depend on the catalog alone."""

    def __init__(self, catalog: Catalog, mask: Callable[[tuple[str, ...]], int]) -> None:
        """`mask` turns names of marks into bits."""
        self._mask = mask
        self._guard_rows: dict[
            tuple[int, Outcome],
            tuple[Iterable[GuardModel], list[Fitting]],
        ] = {}
        self._matters: dict[tuple[str, str, int], bool] = {}
        self._flows = [
            (rule.flow.sources, rule.flow.sinks, mask(rule.flow.cleared_by))
            for rule in catalog.rules.values()
            if rule.flow is not None
        ]
        self.sources = frozenset(kind for kinds, _, _ in self._flows for kind in kinds)
        """The kinds of sources that some flow begins with; others are not followed."""
        self.sinks = frozenset(kind for _, kinds, _ in self._flows for kind in kinds)
        """The kinds of sinks that some flow ends at."""

    def guard_rows(self, rows: Iterable[GuardModel], outcome: Outcome) -> list[Fitting]:
        """The rows for one outcome, each with its masks."""
        key = (id(rows), outcome)
        known = self._guard_rows.get(key)
        if known is None:
            word = outcome.value
            chosen = [self._fitting(row) for row in rows if row.outcome == word]
            known = self._guard_rows[key] = (rows, chosen)
        return known[1]

    def _fitting(self, row: GuardModel) -> Fitting:
        pieces = tuple(m for m in row.unless if m.startswith("part-"))
        others = tuple(m for m in row.unless if not m.startswith("part-"))
        return Fitting(row, self._mask(row.needs), self._mask(pieces), self._mask(others))

    def matters(self, kind: str, sink: str, marks: int) -> bool:
        """Whether a flow from a kind of source to a kind of sink can be a finding at all."""
        key = (kind, sink, marks)
        known = self._matters.get(key)
        if known is None:
            known = self._matters[key] = any(
                sink in sinks and (kind in kinds or not kind) and not marks & cleared
                for kinds, sinks, cleared in self._flows
            )
        return known
