"""Findings that share a rule and a sink, folded into one with several ways in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mcpward.core.finding import Finding, Handler


@dataclass(frozen=True, slots=True)
class Fold:
    """One sink of one rule: the finding that is worst, and those that reach it by another way."""

    finding: Finding
    others: tuple[Finding, ...] = ()

    @property
    def all(self) -> tuple[Finding, ...]:
        """Every finding of the fold, the worst first."""
        return (self.finding, *self.others)

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """The distinct handlers through which the sink is reached, in the order of `all`."""
        return tuple(dict.fromkeys(f.handler for f in self.all if f.handler is not None))


def fold(findings: Iterable[Finding]) -> tuple[Fold, ...]:
    """Folds in order of first appearance; equal findings keep the order they came in."""
    same: dict[object, list[Finding]] = {}
    for finding in findings:
        key = (finding.rule, finding.place, finding.suppression)
        same.setdefault(key, []).append(finding)
    return tuple(_worst_first(group) for group in same.values())


def _worst_first(group: list[Finding]) -> Fold:
    worst = sorted(group, key=lambda f: (-f.severity, -f.confidence))
    return Fold(worst[0], tuple(worst[1:]))
