"""The pipeline of an audit: collect, parse, find handlers, follow data, judge, report."""

from __future__ import annotations

import gc
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from mcpward.audit.collect import Collected, collect, collect_memory
from mcpward.audit.exposure import STARTS
from mcpward.audit.fingerprints import numbered
from mcpward.audit.flows import findings
from mcpward.audit.options import AuditOptions, selected
from mcpward.audit.places import span_place
from mcpward.audit.redaction import without_secrets
from mcpward.audit.sightings import sighted
from mcpward.audit.subject import Subject
from mcpward.audit.triage import triage
from mcpward.catalog.catalog import Catalog, load_catalog
from mcpward.core.finding import Finding, Handler, Place, Report, Timing
from mcpward.frontends.load import load
from mcpward.ir.program import Program
from mcpward.taint.engine import solve
from mcpward.taint.entry import Entry
from mcpward.taint.world import World

_RECURSION = 20_000
"""Frontends and the engine recurse on syntax; pure Python calls do not use the C stack."""


def audit(target: str, options: AuditOptions | None = None) -> Report:
    """Audits a folder, file or archive.

    Raises `McpwardError` when it cannot be audited at all.
    """
    options = options or AuditOptions()
    return audit_collected(collect(target, include=options.include), options)


def audit_sources(files: Mapping[str, bytes], options: AuditOptions | None = None) -> Report:
    """Audits files that are already in memory: path → content."""
    return audit_collected(collect_memory(files), options or AuditOptions())


def audit_collected(collected: Collected, options: AuditOptions) -> Report:
    """Audits what has been collected."""
    catalog = load_catalog()
    for model in options.models:
        catalog = catalog.extended(model.text, model.origin)
    active = selected(catalog.rules, options)
    timings: list[Timing] = []
    with _undisturbed():
        with _timed(timings, "parse"):
            program = load(collected.sources, collected.texts, _told(options, "reading"))
        world = World(program, catalog)
        with _timed(timings, "follow"):
            cut = solve(world, roots(program, catalog), _told(options, "following"))
        with _timed(timings, "explain"):
            found = findings(world, catalog, active)
        with _timed(timings, "look"):
            subject = Subject(
                world,
                {s.path: s for s in collected.sources},
                collected.texts,
                collected.own_texts,
                collected.locks,
            )
            found += sighted(subject, [catalog.rules[name] for name in sorted(active)])
            needed, exposure = subject.privileges, subject.exposure
    judged = triage(numbered(found), collected.sources, catalog.rules, options, exposure)
    report = Report(
        target=collected.root_label,
        findings=_repaired(judged.findings, collected, catalog),
        skipped=(*collected.skipped, *program.skipped, *cut, *subject.unread),
        handlers=tuple(handlers(world)),
        files=len(collected.sources),
        lines=sum(source.data.count(b"\n") + 1 for source in collected.sources),
        timings=tuple(timings),
        unused_ignores=judged.unused_ignores,
        notes=judged.notes,
        privileges=needed,
    )
    return without_secrets(report, subject.leaks)


def _repaired(
    found: tuple[Finding, ...], collected: Collected, catalog: Catalog
) -> tuple[Finding, ...]:
    """The findings with the fixes of their rules."""
    if not any(catalog.rules[finding.rule].repairs for finding in found):
        return found
    from mcpward.audit.repairs import Repairs  # parsers and edits that most audits can do without

    return Repairs(collected.sources, collected.texts, catalog.rules).offered(found)


def roots(program: Program, catalog: Catalog) -> list[str]:
    """Where the analysis starts: module bodies, functions that declare handlers or start a server.

    What a package's scripts start is often called by nobody in the program.
    """
    out = [f"{name}:" for name in sorted(program.modules)]
    for name in sorted(program.modules):
        module = program.modules[name]
        words = _words(catalog, module.language.family)
        data = module.source.data
        offsets = [found.start() for found in words.finditer(data)]
        offsets += [found.start() for found in STARTS.finditer(data)]
        out += sorted(program.at(name, offsets)) if offsets else []
    return out


def _words(catalog: Catalog, family: str) -> re.Pattern[bytes]:
    library = catalog.library(family)
    names = {name.rpartition(".")[2] for name in library.loose_entries}
    names |= {
        name.rpartition(".")[2]
        for name, rows in library.entries.items()
        if any(row.sort != "route" for row in rows)
    }
    calls = "|".join(sorted(re.escape(n) for n in names if n and not n[0].isupper()))
    classes = "|".join(sorted(re.escape(n) for n in names if n and n[0].isupper()))
    return re.compile(rf"[.@](?:{calls})\b|\b(?:{classes})\s*\(".encode())


def handlers(world: World) -> Iterator[Handler]:
    """Every handler that was found, as reports show it."""
    seen = set()
    for entry in sorted(world.entries.values(), key=_entry_order):
        place = _registered(world, entry)
        handler = Handler(entry.model.sort, entry.label, place)
        if handler not in seen:
            seen.add(handler)
            yield handler


def _entry_order(entry: Entry) -> tuple[str, int, str]:
    return entry.function, entry.at, entry.handler.name


def _registered(world: World, entry: Entry) -> Place | None:
    function = world.program.function(entry.handler.name)
    if function is None:
        return None
    return span_place(world, function, function.start, function.end)


def _told(options: AuditOptions, stage: str) -> Callable[[int, int], None] | None:
    progress = options.progress
    if progress is None:
        return None
    return lambda done, total: progress(stage, done, total)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without the garbage collector: a quarter of the time, and nothing to free."""
    enabled = gc.isenabled()
    limit = sys.getrecursionlimit()
    gc.disable()
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if enabled:
            gc.enable()


@contextmanager
def _timed(timings: list[Timing], stage: str) -> Iterator[None]:
    start = time.process_time()
    yield
    timings.append(Timing(stage, time.process_time() - start))
