"""From what shapes and checks see to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module

from mcpward.audit.shapes import shapes
from mcpward.audit.subject import Sighting, Subject
from mcpward.audit.texts import texts
from mcpward.core.errors import CatalogError
from mcpward.core.finding import Finding
from mcpward.core.rule import Rule

Check = Callable[[Subject], Iterable[Sighting]]

_MOST = 2_000
"""Findings of one rule; a hostile target must not fill the report."""


def sighted(subject: Subject, rules: Iterable[Rule]) -> Iterator[Finding]:
    """What every rule with a shape, a text or a check has to say."""
    wanted = list(rules)
    counts = dict.fromkeys((rule.name for rule in wanted), 0)
    for rule, sighting in _all(subject, wanted):
        counts[rule.name] += 1
        if counts[rule.name] <= _MOST:
            yield _finding(rule, sighting)


def _all(subject: Subject, rules: list[Rule]) -> Iterator[tuple[Rule, Sighting]]:
    yield from shapes(subject, rules)
    yield from texts(subject, rules)
    for rule in rules:
        for check in checks(rule):
            for sighting in check(subject):
                yield rule, sighting


def checks(rule: Rule) -> Iterator[Check]:
    """The functions of a rule with a check.

    Raises CatalogError when a module has no function of that name.
    """
    for name in rule.checks:
        module = import_module(f"mcpward.audit.checks.{name}")
        found = getattr(module, rule.name.replace("-", "_"), None)
        if found is None:
            raise CatalogError(f"`{rule.name}` has no function in `audit/checks/{name}.py`")
        yield found


def _finding(rule: Rule, sighting: Sighting) -> Finding:
    level = rule.severity if sighting.severity is None else sighting.severity
    return Finding(
        rule=rule.name,
        message=spoken(rule, sighting),
        severity=level,
        confidence=sighting.confidence,
        place=sighting.place,
        steps=sighting.steps,
        handler=sighting.handler,
        adjustments=sighting.adjustments,
        fix=rule.fix,
        sink=sighting.sink,
    )


def spoken(rule: Rule, sighting: Sighting) -> str:
    """The message of a rule with what was seen."""
    handler = sighting.handler.name if sighting.handler is not None else ""
    return rule.message.format(
        detail=sighting.detail, sink=f"`{sighting.sink}`", handler=handler, source=""
    )
