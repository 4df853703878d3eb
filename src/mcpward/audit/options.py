"""What the user wants from one audit, decided before it starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mcpward.audit.baseline import Baseline
from mcpward.audit.ignores import PathIgnore
from mcpward.core.errors import UsageError
from mcpward.core.finding import Confidence, Severity
from mcpward.core.rule import Rule
from mcpward.core.source import Role

Progress = Callable[[str, int, int], None]
"""Told about a stage, how much of it is done, and how much there is (0: unknown)."""


class ModelText(NamedTuple):
    """Models of the user, as the text of a model file."""

    text: str
    origin: str
    """Where errors say the text comes from."""


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """The choices of one audit."""

    include: frozenset[Role] = frozenset()
    """Roles that are audited besides first-party code."""
    strict: bool = False
    """Whether rules run that ask for hardening rather than report a hole."""
    rules: frozenset[str] = frozenset()
    """Only these rules; empty means all."""
    not_rules: frozenset[str] = frozenset()
    severity: Severity = Severity.LOW
    """Findings below are left out."""
    confidence: Confidence = Confidence.LOW
    """Findings below are left out."""
    trust_target: bool = False
    """Whether ignore comments inside the target count."""
    ignores: tuple[PathIgnore, ...] = ()
    baseline: Baseline | None = None
    models: tuple[ModelText, ...] = ()
    """They win over those that come with mcpward."""
    progress: Progress | None = None


def selected(rules: Mapping[str, Rule], options: AuditOptions) -> frozenset[str]:
    """The names of the rules that run.

    A rule that is named runs even if it is one of the strict ones. Raises UsageError for a name
    that no rule has.
    """
    named = dict.fromkeys(sorted(options.rules | options.not_rules), "")
    named |= {ignore.rule: ignore.origin for ignore in options.ignores}
    for name, origin in named.items():
        if name not in rules:
            from mcpward.catalog.tables import closest

            where = f"{origin}: " if origin else ""
            raise UsageError(f"{where}there is no rule `{name}`", hint=closest(name, rules))
    if options.rules:
        return options.rules - options.not_rules
    wanted = (name for name, rule in rules.items() if options.strict or not rule.strict)
    return frozenset(wanted) - options.not_rules
