"""Whatever a target makes us say, every renderer says it, and says it safely."""

import json
import unicodedata

import github_limits
from hypothesis import HealthCheck, given, settings, strategies as st
from report_samples import RULES
from report_schemas import JSON, SARIF

from mcpward.core import finding as nouns
from mcpward.core.finding import Confidence, Severity, SkipKind, StepKind
from mcpward.core.rule import Rule
from mcpward.core.source import Position
from mcpward.report import as_json, as_sarif
from mcpward.report.as_text import TextOptions, render
from mcpward.report.folds import fold
from mcpward.report.terminal import width

ODD = ["\x1b[2J", "\u202e", "\udc80", "\U000e0041", "](http://x)", "文字", "\r\n", "\x00", "//", ""]

texts = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(categories=None), max_size=12),
    st.lists(st.sampled_from(ODD), max_size=4).map("".join),
)
numbers = st.integers(-2, 200_000)
positions = st.builds(Position, numbers, numbers)
places = st.builds(nouns.Place, texts, positions, positions, texts)
handlers = st.builds(
    nouns.Handler, st.one_of(st.sampled_from(["tool", "raw"]), texts), texts, st.none() | places
)
steps = st.builds(nouns.Step, places, st.sampled_from(StepKind), texts, st.integers(-1, 40))
several = st.lists(texts, max_size=2).map(tuple)
findings = st.builds(
    nouns.Finding,
    rule=st.sampled_from([*RULES, "unknown"]) | texts,
    message=texts,
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    place=places,
    steps=st.lists(steps, max_size=3).map(tuple),
    handler=st.none() | handlers,
    source_kind=texts,
    guard_notes=several,
    adjustments=several,
    fix=texts,
    repair=st.none()
    | st.builds(
        nouns.Fix,
        texts,
        st.lists(
            st.builds(
                nouns.Edit,
                file=texts,
                start=st.just(0),
                end=st.just(4),
                text=texts,
                first=st.just(Position(1, 2)),
                last=st.just(Position(3, 4)),
            ),
            min_size=1,
            max_size=1,
        ).map(tuple),
        st.booleans(),
    ),
    context=texts,
    fingerprint=texts,
    suppression=st.none() | st.builds(nouns.Suppression, texts, texts),
)
reports = st.builds(
    nouns.Report,
    target=texts,
    findings=st.lists(findings, max_size=3).map(tuple),
    skipped=st.lists(
        st.builds(nouns.Skipped, texts, st.sampled_from(SkipKind), texts, st.integers(0, 9)),
        max_size=2,
    ).map(tuple),
    handlers=st.lists(handlers, max_size=2).map(tuple),
    files=st.integers(0, 9),
    lines=st.integers(0, 9),
    timings=st.lists(st.builds(nouns.Timing, texts, st.floats(0, 9)), max_size=1).map(tuple),
    unused_ignores=st.lists(places, max_size=1).map(tuple),
    notes=several,
)
rules = st.builds(
    Rule,
    name=texts,
    category=texts,
    title=texts,
    severity=st.sampled_from(Severity),
    cwe=st.lists(st.integers(0, 9999), max_size=2).map(tuple),
    message=texts,
    fix=texts,
    page=texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    strict=st.booleans(),
)
catalogs = st.fixed_dictionaries(dict.fromkeys(RULES, rules))

# A report is a large example: fewer than usual, in proportion to the effort that was asked for.
few = settings(
    max_examples=settings.default.max_examples * 3 // 10,
    suppress_health_check=[HealthCheck.too_slow],
)


@few
@given(reports, catalogs, st.integers(0, 120), st.booleans(), st.sampled_from(Severity))
def test_text_holds_nothing_that_moves_a_cursor(report, catalog, columns, verbose, threshold):
    text = render(report, catalog, TextOptions(columns, verbose, False, threshold))

    bad = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert bad <= {"\n"}
    text.encode("utf-8")
    assert all(width(row) <= max(columns, 40) for row in text.split("\n"))


@few
@given(reports, catalogs)
def test_sarif_is_always_valid_and_accepted(report, catalog):
    text = as_sarif.render(report, catalog)

    SARIF.validate(json.loads(text))
    assert github_limits.problems(text) == []


@few
@given(reports, catalogs)
def test_json_is_always_valid(report, catalog):
    JSON.validate(json.loads(as_json.render_with_timings(report, catalog)))


@few
@given(reports)
def test_folding_loses_no_finding(report):
    folded = [finding for one in fold(report.findings) for finding in one.all]

    assert sorted(map(repr, folded)) == sorted(map(repr, report.findings))
