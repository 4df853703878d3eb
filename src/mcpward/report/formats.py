"""The formats a report can be written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mcpward.core.finding import Report
from mcpward.core.rule import Rule
from mcpward.report import as_json, as_sarif, as_text
from mcpward.report.as_text import TextOptions

Renderer = Callable[[Report, Mapping[str, Rule], TextOptions], str]


def _json(report: Report, rules: Mapping[str, Rule], options: TextOptions) -> str:
    if options.verbose:
        return as_json.render_with_timings(report, rules)
    return as_json.render(report, rules)


def _sarif(report: Report, rules: Mapping[str, Rule], _options: TextOptions) -> str:
    return as_sarif.render(report, rules)


RENDERERS: Mapping[str, Renderer] = {"text": as_text.render, "json": _json, "sarif": _sarif}
"""By the name that users type. Options are about reading: of them JSON heeds only `verbose`."""
