"""The report for people."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest
from report_samples import (
    DEBUG,
    ESCAPE,
    FULL,
    IGNORED,
    READ,
    RULES,
    SKIPPED,
    WRITE,
    place,
    report,
    step,
)

from mcpward.core.finding import Confidence, Handler, Severity, SkipKind, Skipped, StepKind
from mcpward.report.as_text import TextOptions, render


def text_of(sample, **options):
    return render(sample, RULES, TextOptions(**options))


def last_line(sample, **options):
    return text_of(sample, width=1000, **options).rstrip("\n").rpartition("\n")[2]


def test_a_report_in_80_columns():
    assert (
        text_of(FULL, width=80)
        == """\
tool read_note  server.py:12

  high  A caller chooses which file is touched [path-escape]
  store.py:9:15
  `name` of the tool `read_note` reaches the file that is read

        server.py
    12  def read_note(name: str) -> str:
        `name` enters as an argument of the tool `read_note`
    13  if not name.startswith(ROOT):
        compared with a folder
    15  return load(name)
        passed to `load`
          store.py
     8    path = tidy(name)
          assumed: passed through `tidy`
     9    with open(path) as file:
          opened for reading

  not enough: the comparison is made on a path that may still hold `..`
  fix: Resolve the path first, then test that it lies under the folder you
    serve.
  confidence: medium
  also reached from: tool write_note, resource notes://{name}

Not tied to a handler

  low  Debug mode is on [debug-mode]
  server.py:50:9 (example)
  debug mode is on

    50  app.run(debug=True)

  severity: one step lower: the transport is stdio
  fix: Turn it off.
  confidence: high

Not checked
  big.py: holds 12 MB
  1,204 files not first-party code: node_modules, dist
  1 file not supported: main.go

Ignore comments that suppress nothing
  server.py:3:1

Notes
  settings in the target were not read

2 findings: 1 high, 1 low. 1 part of the target could not be checked. 1 finding
is suppressed: 1 inline. Looked at 42 files, 8,123 lines, 2 tools and 1 resource
in 0.8 s.
"""
    )


def test_the_same_in_100_columns_uses_the_room():
    text = text_of(FULL)

    assert (
        "  fix: Resolve the path first, then test that it lies under the folder you serve.\n"
        in text
    )
    assert text.endswith(
        "2 findings: 1 high, 1 low. 1 part of the target could not be checked. 1 finding is suppressed: 1\n"
        "inline. Looked at 42 files, 8,123 lines, 2 tools and 1 resource in 0.8 s.\n"
    )


def test_a_hostile_target_cannot_write_to_the_terminal():
    hostile = Handler("tool", "a\x1b]0;t\x07\u202ex", place(1, "", file="x\n\rserver.py"))
    finding = replace(
        DEBUG,
        handler=hostile,
        message="[bold red]no\x1b[2J markup[/]\nsecond\u200b line",
        place=place(7, "\tdo('\u2066文字\x9b')  # \U000e0041", file="a\x1b[1Ab.py"),
    )

    assert (
        text_of(report(finding), width=60)
        == r"""tool a\x1b]0;t\x07\u202ex  x server.py:1

  low  Debug mode is on [debug-mode]
  a\x1b[1Ab.py:7:1 (example)
  [bold red]no\x1b[2J markup[/] second\u200b line

    7  do('\u2066文字\x9b') # \U000e0041

  severity: one step lower: the transport is stdio
  fix: Turn it off.
  confidence: high

1 finding: 1 low. Looked at 42 files, 8,123 lines, 2 tools
and 1 resource.
"""
    )


def test_long_paths_are_cut_in_the_middle_unless_all_is_asked_for():
    steps = tuple(step(n, f"line{n}", f"does {n}") for n in range(1, 15))
    long = report(replace(ESCAPE, steps=steps))

    short = text_of(long)
    assert "… 6 more steps (--verbose shows them)\n" in short
    assert "does 4\n" in short
    assert "does 5\n" not in short
    assert "does 10\n" not in short
    assert "does 11\n" in short
    assert all(f"does {n}\n" in text_of(long, verbose=True) for n in range(1, 15))


def test_many_ways_to_one_sink_are_one_finding_under_the_worst():
    worse = replace(ESCAPE, handler=WRITE, severity=Severity.CRITICAL)
    text = text_of(report(ESCAPE, worse))

    assert text.startswith("tool write_note")
    assert text.count("[path-escape]") == 1
    assert "also reached from: tool read_note\n" in text
    assert "1 finding: 1 critical." in text


def test_handlers_come_by_sort_and_findings_by_severity():
    finding = replace(DEBUG, handler=READ)
    raw = Handler("raw", "a", None)
    text = text_of(
        report(
            DEBUG,
            replace(finding, handler=raw, place=place(1, "x")),
            replace(finding, place=place(2, "x")),
            replace(finding, place=place(3, "x"), severity=Severity.CRITICAL),
        )
    )

    order = ["tool read_note", "  critical", "  low", "raw handler a", "Not tied to a handler"]
    assert sorted(order, key=text.index) == order


def test_the_fix_of_a_rule_is_told_once():
    text = text_of(report(DEBUG, replace(DEBUG, place=place(90, "x"))))

    assert text.count("fix: Turn it off.") == 1
    assert text.count("fix: as above for this rule") == 1


def test_what_lies_below_the_threshold_is_counted():
    assert last_line(FULL, threshold=Severity.HIGH).startswith(
        "1 finding: 1 high. 1 part of the target could not be checked. "
        "1 finding below high is not shown."
    )
    assert last_line(report(DEBUG), threshold=Severity.HIGH).startswith(
        "No findings of severity high or above. 1 finding below high is not shown."
    )


def test_nothing_found_says_what_was_looked_at():
    assert text_of(report()) == (
        "No findings. Looked at 42 files, 8,123 lines, 2 tools and 1 resource.\n"
    )


def test_could_not_check_never_looks_like_clean():
    assert last_line(report(skipped=SKIPPED)).startswith(
        "No findings in what could be checked. 1 part of the target could not be checked."
    )
    assert last_line(report(handlers=())).startswith(
        "No findings, but no tool, resource, prompt or route was recognised, "
        "so there was no input to follow."
    )


def test_only_skipped_input_is_nothing_audited():
    only = [
        Skipped("a.py", SkipKind.UNREADABLE, ""),
        Skipped("", SkipKind.LIMIT, "too many functions", 3),
    ]

    assert text_of(report(skipped=only, handlers=(), files=0, lines=0), width=72) == (
        """\
Not checked
  a.py: could not be read
  too many functions (3 files)

Nothing was audited: no file could be looked at. 4 parts of the target
could not be checked. Looked at 0 files, 0 lines and no handler.
"""
    )


def test_failures_are_listed_up_to_a_number():
    skipped = [Skipped(f"{n}.py", SkipKind.UNPARSABLE, "syntax error") for n in range(30)]

    assert "  19.py: syntax error\n  … 10 more (--verbose shows them)\n" in text_of(
        report(skipped=skipped)
    )
    assert "29.py" in text_of(report(skipped=skipped), verbose=True)


def test_suppressed_findings_are_shown_on_demand():
    assert "a demo" not in text_of(report(IGNORED))
    assert "  server.py:60:1: Debug mode is on [debug-mode] (inline: a demo)\n" in text_of(
        report(IGNORED), verbose=True
    )


def test_a_guess_does_not_look_sure():
    guess = replace(
        ESCAPE, confidence=Confidence.LOW, steps=(step(1, "f(x)", "f", StepKind.ASSUMED),)
    )

    assert "assumed: f\n" in text_of(report(guess))
    assert "confidence: low\n" in text_of(report(guess))


@pytest.mark.parametrize("width", [80, 100])
def test_colour_adds_escape_sequences_and_nothing_else(width):
    coloured = text_of(FULL, width=width, colour=True, verbose=True)

    assert "\x1b[31mhigh\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text_of(FULL, width=width, verbose=True)


def test_a_plain_report_does_not_import_rich():
    program = (
        "import sys\n"
        "from mcpward.core.finding import Report\n"
        "from mcpward.report.formats import RENDERERS, TextOptions\n"
        "for render in RENDERERS.values():\n"
        "    render(Report('.', (), (), (), 1, 1), {}, TextOptions())\n"
        "sys.exit('rich' in sys.modules)\n"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=30).returncode == 0


def test_long_names_are_broken_and_not_cut():
    handler = Handler("webhook", "n" * 50, place(1, "", file="f" * 50))
    finding = replace(
        DEBUG, rule="a-rule-that-nobody-knows-and-that-has-a-long-name", handler=handler
    )

    assert text_of(report(finding), width=40).startswith(
        """\
webhook handler
nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
nnnnnnnnnn
  ffffffffffffffffffffffffffffffffffffff
  ffffffffffff:1

  low  a-rule-that-nobody-knows-and-that
       -has-a-long-name
       [a-rule-that-nobody-knows-and-tha
       t-has-a-long-name]
"""
    )


def test_a_finding_without_any_advice_has_no_fix_line():
    assert "fix:" not in render(report(DEBUG), {}, TextOptions())
