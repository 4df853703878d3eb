"""What a finding is worth in its place, and which ones are reported."""

from dataclasses import replace
from itertools import permutations

import pytest

from mcpward.audit.baseline import Baseline, Entry
from mcpward.audit.exposure import Exposure, Start
from mcpward.audit.ignores import PathIgnore
from mcpward.audit.options import AuditOptions, selected
from mcpward.audit.triage import triage
from mcpward.core.errors import UsageError
from mcpward.core.finding import (
    Confidence,
    Finding,
    Handler,
    Place,
    Severity,
    Step,
    StepKind,
    Suppression,
)
from mcpward.core.rule import Rule
from mcpward.core.source import Language, Position, Role, SourceFile

MINE = AuditOptions(trust_target=True)


def rule(name, *, strict=False):
    return Rule(name, "input", f"About {name}", Severity.HIGH, (22,), "", "", "", strict=strict)


RULES = {name: rule(name) for name in ("path-escape", "shell-command")} | {
    "tidy": rule("tidy", strict=True)
}


def place(line=2, file="server.py", column=5):
    return Place(file, Position(line, column), Position(line, column + 4), "open(p)")


def finding(line=2, file="server.py", **more):
    base = Finding(
        "path-escape", "m", Severity.HIGH, Confidence.HIGH, place(line, file), fingerprint="f"
    )
    return replace(base, **more)


def source(text="x\nopen(p)\n", path="server.py", role=Role.FIRST_PARTY):
    return SourceFile(path, Language.PYTHON, text.encode(), role)


def triaged(findings, sources=(), options=MINE):
    return triage(findings, sources or [source()], RULES, options)


@pytest.mark.parametrize("role", [Role.TEST, Role.EXAMPLE, Role.DOCS])
def test_a_finding_outside_the_product_is_two_steps_lower_and_says_why(role):
    (found,) = triaged([finding()], [source(role=role)]).findings

    assert (found.severity, found.context) == (Severity.LOW, role.value)
    assert found.adjustments == (f"lower than usual: {role.value} code",)


@pytest.mark.parametrize("role", [Role.GENERATED, Role.VENDORED])
def test_code_that_runs_in_the_product_keeps_its_severity(role):
    (found,) = triaged([finding()], [source(role=role)]).findings

    assert (found.severity, found.context, found.adjustments) == (Severity.HIGH, role.value, ())


OPEN = Exposure(frozenset({"http"}), frozenset(), authentication=False, places=())
STEPS = (Step(place(), StepKind.SOURCE, "argument", 0),)
SAID = "higher than usual: the server is on a network and authenticates nobody"


def weighed(one, exposure=OPEN):
    (out,) = triage([one], [source()], RULES, MINE, exposure).findings
    return out.severity, out.adjustments


def test_a_flow_weighs_more_in_a_server_that_is_open_to_the_network():
    medium = finding(severity=Severity.MEDIUM, steps=STEPS)

    assert weighed(medium) == (Severity.HIGH, (SAID,))


@pytest.mark.parametrize(
    "exposure",
    [
        None,
        replace(OPEN, authentication=True),
        replace(OPEN, transports=frozenset({"stdio"})),
        replace(OPEN, transports=frozenset({"http", "stdio"})),
        replace(OPEN, places=(Start("http", place(), "f", "run", certain=False),)),
    ],
)
def test_a_flow_weighs_the_same_in_all_other_servers(exposure):
    assert weighed(finding(steps=STEPS), exposure) == (Severity.HIGH, ())


def test_only_flows_weigh_more_and_never_more_than_critical():
    assert weighed(finding()) == (Severity.HIGH, ())
    assert weighed(finding(steps=STEPS, severity=Severity.CRITICAL)) == (Severity.CRITICAL, ())


def test_a_severity_that_cannot_sink_is_not_called_lower():
    options = AuditOptions(severity=Severity.INFO)
    found = triaged([finding(severity=Severity.INFO)], [source(role=Role.TEST)], options).findings

    assert found[0].adjustments == ()


def test_a_context_that_is_known_already_is_not_applied_twice():
    before = finding(context="test")

    assert triaged([before], [source(role=Role.TEST)]).findings == (before,)


def test_the_order_of_findings_does_not_depend_on_the_order_of_arrival():
    given = [
        finding(9),
        finding(10),
        finding(9, rule="shell-command"),
        finding(9, handler=Handler("tool", "b")),
        finding(9, handler=Handler("tool", "a")),
        finding(1, "z.py"),
    ]
    expected = triaged(given).findings

    assert [(f.place.file, f.place.start.line) for f in expected] == [
        *[("server.py", 9)] * 4,
        ("server.py", 10),
        ("z.py", 1),
    ]
    for order in permutations(given, len(given)):
        assert triaged(order).findings == expected


def test_one_sink_reached_from_two_handlers_is_two_findings():
    given = [finding(handler=Handler("tool", name)) for name in ("read", "write")]

    assert len(triaged(given).findings) == 2


def test_one_sink_reached_from_two_parameters_is_two_findings():
    given = [
        finding(steps=(Step(place(line), StepKind.SOURCE, "enters", 0),), handler=None)
        for line in (4, 5)
    ]

    assert len(triaged(given).findings) == 2


def test_of_several_ways_from_one_parameter_the_surest_then_the_shortest_is_kept():
    start = Step(place(1), StepKind.SOURCE, "enters", 0)
    more = Step(place(3), StepKind.PASS, "joined", 0)
    guessed = finding(steps=(start,), confidence=Confidence.LOW)
    long = finding(steps=(start, more, more))
    short = finding(steps=(start, more))

    for order in permutations((guessed, long, short)):
        assert triaged(order).findings == (short,)


def test_findings_below_a_threshold_are_left_out_and_counted():
    given = [
        finding(1),
        finding(2, severity=Severity.MEDIUM),
        finding(3, confidence=Confidence.LOW),
    ]
    options = AuditOptions(severity=Severity.HIGH, confidence=Confidence.MEDIUM)
    result = triaged(given, options=options)

    assert result.findings == (given[0],)
    (note,) = result.notes
    assert note.startswith("2 findings are below the thresholds and left out; ")


def test_info_is_below_the_default_threshold_and_low_confidence_is_not():
    given = [finding(1, severity=Severity.INFO), finding(2, confidence=Confidence.LOW)]

    assert triaged(given).findings == (given[1],)


def test_a_comment_with_a_reason_suppresses_and_the_finding_stays():
    text = "x\nopen(p)  # mcpward: ignore[path-escape] the folder is public\n"
    result = triaged([finding()], [source(text)])

    assert result.findings[0].suppression == Suppression("inline", "the folder is public")
    assert (result.unused_ignores, result.notes) == ((), ())


def test_a_comment_without_a_reason_does_not_count_and_says_so():
    result = triaged([finding()], [source("x\nopen(p)  # mcpward: ignore[path-escape]\n")])

    assert result.findings[0].suppression is None
    assert result.notes == (
        "server.py:2: the ignore of `path-escape` has no reason and does not count",
    )


@pytest.mark.parametrize(
    ("comment", "note"),
    [
        ("ignore it is fine", "server.py:2: an ignore without the name of a rule does not count"),
        ("ignore[] fine", "server.py:2: an ignore without the name of a rule does not count"),
        (
            "ignore[path-escap] fine",
            "server.py:2: there is no rule `path-escap` to ignore. Did you mean `path-escape`?",
        ),
    ],
)
def test_a_comment_that_names_no_rule_does_not_count_and_says_so(comment, note):
    result = triaged([finding()], [source(f"x\nopen(p)  # mcpward: {comment}\n")])

    assert result.findings[0].suppression is None
    assert result.notes == (note,)


def test_an_ignore_that_suppresses_nothing_is_reported_with_its_place():
    text = "x = 1  # mcpward: ignore[path-escape, shell-command] no longer\nopen(p)\n"
    result = triaged([finding(1)], [source(text)])

    (unused,) = result.unused_ignores
    assert unused.code[unused.start.column - 1 : unused.end.column - 1] == "shell-command"


def test_an_ignore_of_a_rule_that_did_not_run_is_not_called_unused():
    text = "x = 1  # mcpward: ignore[tidy, shell-command] fine\n"
    options = replace(MINE, rules=frozenset({"path-escape"}))

    assert triaged([], [source(text)], options).unused_ignores == ()


def test_an_ignore_of_a_finding_below_the_thresholds_is_used():
    text = "x\nopen(p)  # mcpward: ignore[path-escape] fine\n"
    options = replace(MINE, severity=Severity.CRITICAL)
    result = triaged([finding()], [source(text)], options)

    assert (result.findings, result.unused_ignores, result.notes) == ((), (), ())


def test_comments_in_a_target_that_is_not_trusted_do_nothing_but_are_mentioned():
    text = "x\nopen(p)  # mcpward: ignore[path-escape] trust me\n"
    result = triaged([finding()], [source(text)], AuditOptions())

    assert result.findings[0].suppression is None
    assert result.unused_ignores == ()
    assert result.notes == (
        "1 ignore comment was not honoured, because the target is not trusted (--trust-target)",
    )


def test_an_ignore_of_the_settings_suppresses_in_the_files_it_covers():
    options = AuditOptions(ignores=(PathIgnore("path-escape", "old/**", "to be removed", "s: 1"),))
    result = triaged([finding(1, "old/a.py"), finding(1, "new/a.py")], options=options)

    assert [f.suppression for f in result.findings] == [
        None,
        Suppression("settings", "to be removed"),
    ]
    assert result.notes == ()


def test_an_unused_ignore_of_the_settings_becomes_a_note():
    options = AuditOptions(
        ignores=(PathIgnore("path-escape", "old/**", "gone", "mcpward.toml: ignore 1"),)
    )

    assert triaged([], options=options).notes == (
        "mcpward.toml: ignore 1: the ignore of `path-escape` in old/** is unused",
    )


def baseline(*marks):
    return Baseline("accepted.json", tuple(Entry(m, "path-escape", "server.py", 1) for m in marks))


def test_equal_fingerprints_are_accepted_as_often_as_the_baseline_lists_them():
    options = AuditOptions(baseline=baseline("f", "f"))
    result = triaged([finding(line) for line in (1, 2, 3)], options=options)

    accepted = Suppression("baseline", "listed in accepted.json")
    assert [f.suppression for f in result.findings] == [accepted, accepted, None]
    assert result.notes == ()


def test_entries_that_match_nothing_are_counted():
    options = AuditOptions(baseline=baseline("f", "f", "g"))

    assert triaged([finding()], options=options).notes == (
        "accepted.json: 2 entries match nothing any more; --write-baseline drops them",
    )


def test_a_comment_wins_over_settings_and_settings_over_the_baseline():
    text = "x\nopen(p)  # mcpward: ignore[path-escape] here\n"
    options = replace(
        MINE,
        ignores=(PathIgnore("path-escape", "**", "there", "s: 1"),),
        baseline=baseline("f", "g"),
    )
    given = [finding(), finding(3, fingerprint="g")]
    result = triaged(given, [source(text)], options)

    assert [f.suppression.kind for f in result.findings] == ["inline", "settings"]
    assert (result.unused_ignores, result.notes) == ((), ())


def test_strict_rules_run_when_asked_for_or_named():
    assert selected(RULES, AuditOptions()) == {"path-escape", "shell-command"}
    assert selected(RULES, AuditOptions(strict=True)) == set(RULES)
    assert selected(RULES, AuditOptions(rules=frozenset({"tidy"}))) == {"tidy"}
    assert selected(RULES, AuditOptions(not_rules=frozenset({"path-escape"}))) == {"shell-command"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (AuditOptions(rules=frozenset({"path-escap"})), "there is no rule `path-escap`"),
        (AuditOptions(not_rules=frozenset({"path-escap"})), "there is no rule `path-escap`"),
        (
            AuditOptions(ignores=(PathIgnore("path-escap", "**", "r", "mcpward.toml: ignore 2"),)),
            "mcpward.toml: ignore 2: there is no rule `path-escap`",
        ),
    ],
)
def test_a_rule_that_does_not_exist_is_an_error_with_a_suggestion(options, message):
    with pytest.raises(UsageError) as caught:
        selected(RULES, options)

    assert str(caught.value) == message
    assert caught.value.hint == "Did you mean `path-escape`?"
