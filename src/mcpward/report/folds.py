"""Findings that belong together: those of one sink, and those of one argument below an error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mcpward.core.finding import Finding, Handler, Place


@dataclass(frozen=True, slots=True)
class Fold:
    """Findings of one rule that are told as one: the worst, and the others.

    The others reach the same sink by another way, or come from the same argument and reach another
    sink, where neither is an error.
    """

    finding: Finding
    others: tuple[Finding, ...] = ()

    @property
    def all(self) -> tuple[Finding, ...]:
        """Every finding of the fold, the worst first."""
        return (self.finding, *self.others)

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """The distinct handlers through which a sink is reached, in the order of `all`."""
        return tuple(dict.fromkeys(f.handler for f in self.all if f.handler is not None))

    @property
    def elsewhere(self) -> tuple[Place, ...]:
        """The other sinks, in the order of `all`."""
        return tuple(dict.fromkeys(f.place for f in self.others if f.place != self.finding.place))


def fold(findings: Iterable[Finding]) -> tuple[Fold, ...]:
    """Folds in order of first appearance; equal findings keep the order they came in."""
    same: dict[object, list[Finding]] = {}
    for finding in findings:
        key = (finding.rule, finding.place, finding.suppression)
        same.setdefault(key, []).append(finding)
    causes: dict[object, list[Finding]] = {}
    for number, group in enumerate(map(_worst_first, same.values())):
        worst = group[0]
        cause: object = number
        if worst.steps and worst.level != "error":
            source = worst.steps[0]
            cause = (worst.rule, worst.handler, source.place, source.text, worst.suppression)
        causes.setdefault(cause, []).extend(group)
    return tuple(Fold(group[0], tuple(group[1:])) for group in map(_worst_first, causes.values()))


def _worst_first(group: list[Finding]) -> list[Finding]:
    return sorted(group, key=lambda f: (-f.severity, -f.confidence))
