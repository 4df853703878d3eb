"""The report for code scanning."""

import json
from dataclasses import replace

import github_limits
import pytest
from report_samples import DEBUG, ESCAPE, FULL, IGNORED, NOTES, RULES, STEPS, WRITE, place, report
from report_schemas import SARIF

from mcpward.core.finding import Confidence, Handler, Severity, SkipKind, Skipped, Suppression
from mcpward.report import as_sarif
from mcpward.report.as_sarif import Limits


def run_of(sample, rules=RULES, **limits):
    text = as_sarif.render(sample, rules, Limits(**limits))
    log = json.loads(text)
    SARIF.validate(log)
    assert github_limits.problems(text) == []
    return log["runs"][0]


def results(*findings, rules=RULES, **limits):
    return run_of(report(*findings), rules, **limits)["results"]


def notifications(sample, **limits):
    return run_of(sample, **limits)["invocations"][0]["toolExecutionNotifications"]


def test_the_full_report_is_valid_and_always_the_same():
    run_of(FULL)
    assert as_sarif.render(FULL, RULES) == as_sarif.render(FULL, dict(reversed(RULES.items())))


def test_only_rules_with_results_are_described():
    run = run_of(report(ESCAPE))
    (rule,) = run["tool"]["driver"]["rules"]

    assert rule["id"] == "path-escape"
    assert rule["fullDescription"]["text"] == "A name is not a path."
    assert rule["help"]["markdown"] == RULES["path-escape"].page
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"] == {
        "precision": "high",
        "problem.severity": "error",
        "security-severity": "8.0",
        "tags": [
            "security",
            "external/cwe/cwe-022",
            "external/cwe/cwe-073",
            "owasp-mcp/MCP05",
            "safe-mcp/SAFE-T1105",
        ],
    }


def test_a_rule_has_at_most_twenty_tags_and_a_short_description():
    rule = replace(
        RULES["path-escape"], tags=tuple(f"x/{n}" for n in range(40)), page="# T\n\n" + "w " * 2000
    )
    (described,) = run_of(report(ESCAPE), {rule.name: rule})["tool"]["driver"]["rules"]

    assert len(described["properties"]["tags"]) == 20
    assert len(described["fullDescription"]["text"]) <= 1_024


def test_a_rule_that_is_not_known_does_not_stop_the_report():
    (result,) = results(ESCAPE, rules={})

    assert result["ruleId"] == "path-escape"


def test_the_result_lies_at_the_sink_and_the_path_leads_to_it():
    (result,) = results(ESCAPE)
    (flow,) = result["codeFlows"]
    steps = flow["threadFlows"][0]["locations"]

    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "store.py"},
        "region": {"startLine": 9, "startColumn": 15, "endLine": 9, "endColumn": 19},
        "contextRegion": {"startLine": 9, "snippet": {"text": "    with open(path) as file:"}},
    }
    assert [step["kinds"] for step in steps] == [[s.kind.value] for s in STEPS]
    assert [step["nestingLevel"] for step in steps] == [0, 0, 0, 1, 1]
    assert [step["importance"] for step in steps][::4] == ["essential", "essential"]
    assert steps[3]["location"]["message"]["text"] == "assumed: passed through `tidy`"
    assert result["partialFingerprints"]["primaryLocationLineHash"] == ESCAPE.fingerprint
    assert result["properties"]["confidence"] == "medium"
    assert result["properties"]["guardNotes"] == list(ESCAPE.guard_notes)


def test_a_fix_says_what_is_deleted_and_inserted_in_each_file():
    (result,) = results(DEBUG)
    (fix,) = result["fixes"]

    assert fix["description"]["text"] == "Remove the argument `debug`"
    assert [change["artifactLocation"]["uri"] for change in fix["artifactChanges"]] == [
        "server.py",
        "settings.py",
    ]
    assert [change["replacements"] for change in fix["artifactChanges"]] == [
        [{"deletedRegion": {"startLine": 50, "startColumn": 9, "endLine": 50, "endColumn": 19}}],
        [
            {
                "deletedRegion": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
                "insertedContent": {"text": "import os\n"},
            }
        ],
    ]


def test_ways_to_one_sink_are_one_result_with_several_flows():
    other = tuple(reversed(STEPS))
    (result,) = results(ESCAPE, replace(ESCAPE, handler=WRITE, steps=other))

    assert len(result["codeFlows"]) == 2
    assert result["message"]["text"].endswith(
        "Reached from [tool read_note](1), [tool write_note](2)."
    )
    assert [location["id"] for location in result["relatedLocations"]] == [1, 2]


def test_level_follows_severity_and_confidence():
    unsure = replace(ESCAPE, confidence=Confidence.MEDIUM, severity=Severity.CRITICAL)
    (result,) = results(unsure)
    (vague,) = results(replace(unsure, confidence=Confidence.LOW))

    assert result["level"] == "warning"
    assert vague["level"] == "note"
    assert result["properties"]["security-severity"] == "9.5"


@pytest.mark.parametrize(("kind", "said"), [("inline", "inSource"), ("baseline", "external")])
def test_suppressions_say_where_they_come_from(kind, said):
    (result,) = results(replace(DEBUG, suppression=Suppression(kind, "known")))

    assert result["suppressions"] == [{"kind": said, "justification": "known"}]


def test_what_was_skipped_is_a_notification():
    messages = notifications(FULL)

    assert [(n["descriptor"]["id"], n["level"]) for n in messages] == [
        ("note", "note"),
        ("too-large", "warning"),
        ("not-first-party", "note"),
        ("not-first-party", "note"),
        ("unsupported", "note"),
        ("unused-ignore", "note"),
    ]
    assert messages[1]["message"]["text"] == "Not checked: big.py (holds 12 MB)"
    assert messages[2]["properties"] == {"count": 1200}


def test_a_run_that_could_read_nothing_was_not_successful():
    nothing = report(skipped=[Skipped("a.py", SkipKind.UNREADABLE, "permission denied")], files=0)

    assert run_of(nothing)["invocations"][0]["executionSuccessful"] is False
    assert run_of(FULL)["invocations"][0]["executionSuccessful"] is True


@pytest.mark.parametrize(
    ("target", "category"),
    [
        (".", "mcpward/"),
        ("./servers/a b/", "mcpward/servers/a%20b/"),
        ("/home/me/secret", "mcpward/"),
        ("C:\\me\\secret", "mcpward/"),
    ],
)
def test_the_category_never_tells_where_a_checkout_lies(target, category):
    assert run_of(report(target=target))["automationDetails"]["id"] == category


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/ä#?.py", "a%20b/%C3%A4%23%3F.py"),
        ("javascript:x", "javascript%3Ax"),
        ("//host/x", "host/x"),
        ("a\x1b\n%41", "a%1B%0A%2541"),
        ("bad\udcff", "bad%FF"),
        ("odd\ud800", "odd%3F"),
    ],
)
def test_odd_file_names_become_relative_references(path, uri):
    (result,) = results(replace(DEBUG, place=place(1, "x", file=path)))

    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": uri}


def test_text_of_the_target_makes_no_links_and_no_control_characters():
    handler = Handler("tool", "x](http://evil.test) [y", NOTES.place)
    (result,) = results(replace(DEBUG, message="[go](http://evil.test)\x1b[2J", handler=handler))

    assert result["message"]["text"] == (
        "[go] (http://evil.test)\\x1b[2J\nReached from [tool x)(http://evil.test) (y](1)."
    )


def test_the_least_severe_results_go_first_and_it_is_said():
    run = run_of(report(IGNORED, DEBUG, ESCAPE), results=2)

    assert [r["ruleId"] for r in run["results"]] == ["debug-mode", "path-escape"]
    assert run["results"][0]["suppressions"] == []
    assert run["invocations"][0]["toolExecutionNotifications"][0] == {
        "descriptor": {"id": "cut"},
        "level": "warning",
        "message": {"text": "1 result of the least severity left out: too many"},
    }


def test_long_paths_lose_their_middle():
    run = run_of(report(ESCAPE), steps=3)
    (flow,) = run["results"][0]["codeFlows"]
    kinds = [step["kinds"][0] for step in flow["threadFlows"][0]["locations"]]

    assert kinds == ["source", "assumed", "sink"]
    assert "path cut" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_several_long_paths_share_the_room():
    (result,) = results(ESCAPE, replace(ESCAPE, handler=WRITE, steps=STEPS[:4]), steps=6)

    lengths = [len(flow["threadFlows"][0]["locations"]) for flow in result["codeFlows"]]
    assert lengths == [3, 3]


def test_too_many_ways_in_are_cut():
    ways = [replace(ESCAPE, handler=replace(WRITE, name=f"t{n}")) for n in range(12)]
    (result,) = results(*ways, related=11)

    assert len(result["relatedLocations"]) == 11
    assert result["message"]["text"].endswith("[tool t9](10) and 1 more.")


def test_too_many_notifications_keep_the_failures():
    said = notifications(FULL, notifications=1)

    assert [n["descriptor"]["id"] for n in said] == ["cut", "note", "too-large", "unused-ignore"]
    assert said[0]["message"]["text"] == "3 notifications left out: too many"


def test_the_compressed_size_is_bounded():
    findings = [
        replace(DEBUG, place=place(n, f"{n * 7919:x}"), message=f"{n**9}") for n in range(1, 400)
    ]
    full = run_of(report(*findings))
    cut = run_of(report(*findings), compressed=10_000)

    assert len(full["results"]) == 399
    assert 10 < len(cut["results"]) < 399


def test_the_limits_are_those_of_the_receiver():
    assert Limits() == Limits(
        results=github_limits.RESULTS,
        steps=github_limits.THREAD_FLOW_LOCATIONS,
        related=github_limits.LOCATIONS,
    )
    assert Limits().compressed < github_limits.GZIP_BYTES
