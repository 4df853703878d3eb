"""The report for programs."""

import json

import jsonschema
from report_samples import DEBUG, ESCAPE, FULL, RULES, report
from report_schemas import JSON, JSON_SCHEMA

from mcpward.core.finding import SkipKind
from mcpward.report import as_json


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(JSON_SCHEMA)


def test_the_schema_knows_every_kind_of_skipped_input():
    assert JSON_SCHEMA["$defs"]["skipped"]["properties"]["kind"]["enum"] == list(SkipKind)


def test_reports_are_valid_and_complete():
    for text in (as_json.render(FULL, RULES), as_json.render_with_timings(FULL, RULES)):
        document = json.loads(text)
        JSON.validate(document)
        assert len(document["findings"]) == len(FULL.findings)
        assert len(document["skipped"]) == len(FULL.skipped)
        assert len(document["handlers"]) == len(FULL.handlers)
        assert list(document["rules"]) == ["debug-mode", "path-escape"]
        assert len(document["findings"][0]["steps"]) == len(ESCAPE.steps)


def test_the_summary_counts_what_is_open():
    assert json.loads(as_json.render(FULL, RULES))["summary"] == {
        "files": 42,
        "lines": 8123,
        "findings": {"critical": 0, "high": 3, "medium": 0, "low": 1, "info": 0},
        "suppressed": 1,
        "skipped": {"expected": 1205, "unexpected": 1},
        "handlers": {"resource": 1, "tool": 2},
    }


def test_times_are_only_there_when_asked_for():
    assert "timings" not in json.loads(as_json.render(FULL, RULES))
    timings = json.loads(as_json.render_with_timings(FULL, RULES))["timings"]
    assert timings[0] == {"stage": "lower", "seconds": 0.5}


def test_text_is_kept_exactly_but_written_in_ascii():
    text = as_json.render(report(notes=("\x1b[2J\u202e\x7f",)), {})

    assert text.isascii()
    assert all(character.isprintable() or character == "\n" for character in text)
    assert json.loads(text)["notes"] == ["\x1b[2J\u202e\x7f"]


def test_half_a_surrogate_pair_is_replaced():
    assert json.loads(as_json.render(report(notes=("a\udc80",)), {}))["notes"] == ["a\ufffd"]


def test_a_fix_is_told_with_its_edits():
    document = json.loads(as_json.render(report(DEBUG), RULES))

    assert document["findings"][0]["repair"] == {
        "title": "Remove the argument `debug`",
        "safe": True,
        "edits": [
            {
                "file": "server.py",
                "start": {"line": 50, "column": 9},
                "end": {"line": 50, "column": 19},
                "text": "",
            },
            {
                "file": "settings.py",
                "start": {"line": 1, "column": 1},
                "end": {"line": 1, "column": 1},
                "text": "import os\n",
            },
        ],
    }
