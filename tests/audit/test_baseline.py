"""The baseline file: what is written, and what is refused."""

import json
import random

import pytest
from hypothesis import given, strategies as st
from inline_snapshot import snapshot

from mcpward.audit.baseline import Baseline, Entry, gone, matched, read_baseline, render_baseline
from mcpward.core.errors import UsageError
from mcpward.core.finding import Confidence, Finding, Place, Severity
from mcpward.core.source import Position


def finding(mark, line=1, file="a.py", rule="path-escape"):
    place = Place(file, Position(line, 1), Position(line, 2), "x")
    return Finding(rule, "m", Severity.HIGH, Confidence.HIGH, place, fingerprint=mark)


def test_a_baseline_is_sorted_and_has_one_line_for_each_finding():
    given = [finding("f2", 9), finding("f1", 12), finding("f1", 3, 'o"dd.py'), finding("f1", 12)]

    assert render_baseline(given) == snapshot("""\
{
  "version": 1,
  "findings": [
    {"fingerprint": "f1", "rule": "path-escape", "file": "a.py", "line": 12},
    {"fingerprint": "f1", "rule": "path-escape", "file": "a.py", "line": 12},
    {"fingerprint": "f2", "rule": "path-escape", "file": "a.py", "line": 9},
    {"fingerprint": "f1", "rule": "path-escape", "file": "o\\"dd.py", "line": 3}
  ]
}
""")
    shuffled = random.Random(1).sample(given, len(given))
    assert render_baseline(shuffled) == render_baseline(given)


def test_what_is_written_can_be_read():
    entries = read_baseline(render_baseline([finding("f", 3)]), "b.json").entries

    assert entries == (Entry("f", "path-escape", "a.py", 3),)
    assert read_baseline(render_baseline([]), "b.json").entries == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"version": 1}',
        '{"version": 1, "findings": {}}',
        '{"findings": []}',
        '{"version": true, "findings": []}',
        '{"version": 2, "findings": []}',
        '{"version": 1, "findings": [1]}',
        '{"version": 1, "findings": [{"fingerprint": "f", "rule": "r", "file": "a.py"}]}',
        '{"version": 1, "findings": [{"fingerprint": 1, "rule": "r", "file": "a", "line": 1}]}',
        "[" * 100_000,
        '{"version": ' + "9" * 5_000 + "}",
    ],
    ids=range(13),
)
def test_what_is_not_a_baseline_is_refused(text):
    with pytest.raises(UsageError) as caught:
        read_baseline(text, "b.json")

    assert str(caught.value).startswith("b.json: ")
    assert caught.value.hint


def test_findings_are_matched_by_fingerprint_alone_and_as_often_as_listed():
    baseline = Baseline("b.json", (Entry("f", "r", "elsewhere.py", 99),))

    assert matched([finding("f", 1), finding("f", 2), finding("g")], baseline) == [
        True,
        False,
        False,
    ]


def test_entries_of_rules_that_did_not_run_are_not_gone():
    baseline = Baseline(
        "b.json", (Entry("f", "a", "x.py", 1), Entry("f", "a", "x.py", 2), Entry("g", "b", "x", 1))
    )

    assert gone([finding("f")], baseline, frozenset({"a"})) == 1
    assert gone([], baseline, frozenset({"a", "b"})) == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["fingerprint", "rule", "file", "line"]), inner)
    ),
    max_leaves=8,
)


@given(JSON, st.lists(JSON, max_size=3))
def test_any_json_is_a_baseline_or_an_error(version, findings):
    for data in (version, {"version": 1, "findings": findings}):
        try:
            read_baseline(json.dumps(data), "b.json")
        except UsageError:
            continue
