"""The command `mcpward audit`: from flags and settings to a report and an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from mcpward.core.errors import TargetError, UsageError

if TYPE_CHECKING:  # these cost more than `mcpward --help` should
    from mcpward.audit.options import AuditOptions
    from mcpward.cli.settings import Settings
    from mcpward.core.finding import Report
    from mcpward.report.as_text import TextOptions

CLEAN, FINDINGS = 0, 1

_SEVERITIES = click.Choice(("info", "low", "medium", "high", "critical"))
_CONFIDENCES = click.Choice(("low", "medium", "high"))
_ROLES = click.Choice(("test", "example", "docs", "generated", "vendored"))
_FORMATS = click.Choice(("text", "json", "sarif"))
_WHENS = click.Choice(("auto", "always", "never"))

_LEGEND = """\
\b
LEVEL  of severity:   info, low, medium, high, critical
       of confidence: low, medium, high
CODE   test, example, docs, generated, vendored
RULE   a name that `mcpward rules` lists

Exits with 0 when nothing was found, 1 with findings, 2 when it could not audit.
"""

_UNREAD = frozenset({"unparsable", "too-deep"})
"""Skips of files that are counted as looked at."""

WIDTH = 100
"""Columns of a report at most: paths and sentences are hard to follow when they are longer."""


@click.command(short_help="Audit a server.", epilog=_LEGEND)
@click.argument("target")
@click.option("--format", "format_", type=_FORMATS, help="How to write the report [text].")
@click.option("-o", "--output", metavar="FILE", help="Write the report to a file.")
@click.option(
    "--severity", type=_SEVERITIES, metavar="LEVEL", help="Leave out what is less severe [low]."
)
@click.option(
    "--confidence", type=_CONFIDENCES, metavar="LEVEL", help="Leave out what is less sure [low]."
)
@click.option(
    "--fail-on", type=_SEVERITIES, metavar="LEVEL", help="Count only this severity and above."
)
@click.option("--rule", multiple=True, metavar="RULE", help="Run only this rule; repeatable.")
@click.option("--not-rule", multiple=True, metavar="RULE", help="Do not run it; repeatable.")
@click.option(
    "--include", multiple=True, type=_ROLES, metavar="CODE", help="Audit this too; repeatable."
)
@click.option("--strict", is_flag=True, help="Run the rules that ask for hardening too.")
@click.option("--baseline", metavar="FILE", help="Suppress the findings listed in a file.")
@click.option("--write-baseline", metavar="FILE", help="List the open findings in a file.")
@click.option("--config", metavar="FILE", help="Read these settings and no others.")
@click.option("--no-config", is_flag=True, help="Read no settings file.")
@click.option(
    "--trust-target/--no-trust-target",
    default=None,
    help="Honour settings and ignores inside the target.",
)
@click.option(
    "--by",
    type=click.Choice(("handler", "pattern")),
    default="handler",
    help="Group the text report by handler, or by the 22 patterns [handler].",
)
@click.option(
    "--privileges", is_flag=True, help="Write what the code needs as JSON, instead of a report."
)
@click.option("-v", "--verbose", is_flag=True, help="Show whole paths and what is suppressed.")
@click.option("-q", "--quiet", is_flag=True, help="Print no text report and no progress.")
@click.option("--color", type=_WHENS, default="auto", help="When to use colours [auto].")
def audit(target: str, **given: Any) -> int:
    """Audit the server in TARGET (a folder, a file or an archive) without running it."""
    from dataclasses import replace

    from mcpward.cli.trust import not_honoured, trusts

    if not target:
        # A variable that is not set must not become the current folder.
        raise UsageError("the target is empty", hint="For the current folder, say `.`.")
    if given["config"] and given["no_config"]:
        raise UsageError("--config and --no-config contradict each other", hint="Drop one of them.")
    trusted = trusts(target, given["trust_target"])
    settings = _settings(target, given, trusted=trusted)
    options = _options(target, settings, trusted=trusted)
    report = _run(target, options, quiet=given["quiet"])
    notes = settings.notes if trusted else (*settings.notes, *not_honoured(target))
    report = replace(report, notes=(*notes, *report.notes))
    _deliver(report, settings, given)
    if given["write_baseline"]:
        _write_baseline(report, given["write_baseline"])
    return _exit_code(report, settings)


def _settings(target: str, given: dict[str, Any], *, trusted: bool) -> Settings:
    from mcpward.cli.settings import combined, read_settings
    from mcpward.cli.trust import inside, read_steering, settings_in

    file = given["config"]
    if not file and not given["no_config"]:
        folders: tuple[str, ...] = (target, ".") if trusted else (".",)
        if not trusted and inside(".", target):
            folders = ()  # the current folder is part of a stranger's tree
        file = next(filter(None, map(settings_in, folders)), None)
    values: dict[str, Any] = {}
    if file:
        from datetime import datetime

        text = read_steering(file, target, trusted=trusted)
        values = read_settings(text, file, datetime.now().astimezone().date())
    return combined(_flags(given), values)


def options_for(target: str, given: dict[str, Any]) -> AuditOptions:
    """The options of another command that looks at a target as an audit does."""
    from mcpward.cli.trust import trusts

    trusted = trusts(target, given["trust_target"])
    return _options(target, _settings(target, given, trusted=trusted), trusted=trusted)


def _flags(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of `Settings` that flags gave."""
    from mcpward.cli.settings import CONFIDENCES, ROLES, SEVERITIES

    flags = {
        "severity": SEVERITIES.get(given["severity"]),
        "confidence": CONFIDENCES.get(given.get("confidence", "")),
        "fail_on": SEVERITIES.get(given.get("fail_on", "")),
        "rules": frozenset(given["rule"]) or None,
        "not_rules": frozenset(given["not_rule"]) or None,
        "include": frozenset(ROLES[word] for word in given.get("include", ())) or None,
        "strict": given["strict"] or None,
        "baseline": given.get("baseline"),
        "format": given.get("format_"),
    }
    return {key: value for key, value in flags.items() if value is not None}


def _options(target: str, settings: Settings, *, trusted: bool) -> AuditOptions:
    from mcpward.audit.options import AuditOptions

    baseline = None
    if settings.baseline:
        from mcpward.audit.baseline import read_baseline
        from mcpward.cli.trust import read_steering

        text = read_steering(settings.baseline, target, trusted=trusted)
        baseline = read_baseline(text, settings.baseline)
    return AuditOptions(
        include=settings.include,
        strict=settings.strict,
        rules=settings.rules,
        not_rules=settings.not_rules,
        severity=settings.severity,
        confidence=settings.confidence,
        trust_target=trusted,
        ignores=settings.ignores,
        baseline=baseline,
        models=settings.models,
    )


def _run(target: str, options: AuditOptions, *, quiet: bool) -> Report:
    from dataclasses import replace

    from mcpward.audit.run import audit as run
    from mcpward.cli.progress import progress_on

    progress = None if quiet else progress_on()
    try:
        return run(target, replace(options, progress=progress))
    finally:
        if progress is not None:
            progress.close()


def _deliver(report: Report, settings: Settings, given: dict[str, Any]) -> None:
    from mcpward.catalog.catalog import load_catalog
    from mcpward.cli.output import complain, to_file, to_stdout
    from mcpward.report.formats import RENDERERS
    from mcpward.report.privileges import render

    for_programs = given["privileges"] or settings.format != "text"
    if given["privileges"]:
        text = render(report)
    else:
        options = _text_options(settings, given)
        text = RENDERERS[settings.format](report, load_catalog().rules, options)
    if given["output"]:
        to_file(given["output"], text, report.target)
    elif for_programs or not given["quiet"]:
        to_stdout(text)
    if (given["output"] or for_programs) and not given["quiet"]:
        complain(_summary(report))


def _text_options(settings: Settings, given: dict[str, Any]) -> TextOptions:
    from mcpward.report.as_text import TextOptions
    from mcpward.report.terminal import wants_colour

    watched = not given["output"] and sys.stdout is not None and sys.stdout.isatty()
    width = WIDTH
    if watched:
        from shutil import get_terminal_size

        width = min(get_terminal_size((WIDTH, 0)).columns, WIDTH)
    colour = given["color"] == "always" or (
        given["color"] == "auto" and watched and wants_colour(sys.stdout, os.environ)
    )
    return TextOptions(
        width=width,
        verbose=given["verbose"],
        colour=colour,
        threshold=settings.severity,
        patterns=_patterns() if given["by"] == "pattern" else (),
    )


def _patterns() -> tuple[tuple[int, str], ...]:
    from mcpward.catalog.catalog import HOME, load_catalog
    from mcpward.catalog.coverage import patterns

    known = patterns(HOME, load_catalog().rules.values())
    return tuple((one.number, one.title) for one in known)


def _summary(report: Report) -> str:
    found = len(report.open_findings)
    missed = sum(max(entry.count, 1) for entry in report.skipped if not entry.kind.expected)
    parts = [f"{found} finding{'' if found == 1 else 's'}"]
    if missed:
        parts.append(
            f"{missed} part{'' if missed == 1 else 's'} of the target could not be checked"
        )
    return "; ".join(parts)


def _write_baseline(report: Report, file: str) -> None:
    """Lists what is open, and what the last baseline accepted: writing one must not reopen it."""
    from mcpward.audit.baseline import render_baseline
    from mcpward.cli.output import to_file

    accepted = (
        f for f in report.findings if f.suppression is None or f.suppression.kind == "baseline"
    )
    to_file(file, render_baseline(accepted), report.target)


def _exit_code(report: Report, settings: Settings) -> int:
    """The exit code when at least something was analysed.

    Raises TargetError otherwise.
    """
    failed = {entry.path for entry in report.skipped if entry.kind.value in _UNREAD}
    if len(failed) >= report.files and not report.handlers and not report.findings:
        raise TargetError(
            f"nothing in {report.target} could be analysed",
            hint="The report says why for each file.",
        )
    counted = (f for f in report.open_findings if f.severity >= settings.counts_from)
    return FINDINGS if any(counted) else CLEAN
