"""The example servers and the pages that quote them say exactly what an audit finds."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mcpward.audit.run import audit
from mcpward.catalog.catalog import load_catalog
from mcpward.cli.dump import dump
from mcpward.core.finding import Confidence
from mcpward.report.as_text import TextOptions, render

ROOT = Path(__file__).parent.parent
EXAMPLES = ("notes-python", "notes-typescript")
ROW = re.compile(r"^\| `([^`]+):(\d+)` \| `([^`]+)` \|", re.MULTILINE)


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request):
    folder = ROOT / "examples" / request.param
    return folder, audit(str(folder))


def test_an_example_has_exactly_the_holes_that_its_page_lists(example):
    folder, report = example
    listed = ROW.findall((folder / "README.md").read_text(encoding="utf-8"))
    found = {(f.place.file, f.place.start.line, f.rule) for f in report.findings}

    assert {(file, int(line), rule) for file, line, rule in listed} == found
    assert len(found) == len(report.findings) >= 4


def test_the_tools_done_right_are_silent(example):
    _, report = example
    silent = {"delete_note", "list_days"}

    assert "delete_note" in {handler.name for handler in report.handlers}
    assert silent.isdisjoint(f.handler.name for f in report.findings)
    assert not any(re.search(r"argument `(?:limit|days)`", f.message) for f in report.findings)


def test_an_example_is_read_completely_and_with_certainty(example):
    _, report = example

    assert {f.confidence for f in report.findings} == {Confidence.HIGH}
    assert report.skipped == ()


def test_the_readme_quotes_the_report_of_the_example():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (quoted,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    report = audit(str(ROOT / "examples/notes-python"))
    printed = render(report, load_catalog().rules, TextOptions(width=100))

    assert quoted.strip("\n") in printed


def test_the_readme_has_two_commands_for_the_start_and_they_name_what_exists():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    start = text.partition("## Quick start\n")[2].partition("\n## ")[0]
    commands = [shlex.split(c) for c in re.findall(r"```sh\n(.*?)\n```", start, re.DOTALL)]

    assert commands == [
        ["uv", "run", "mcpward", "audit", "examples/notes-python"],
        ["uv", "run", "--locked", "just", "check"],
    ]


LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")


PAGES = [
    "README.md",
    *sorted(
        path.relative_to(ROOT).as_posix()
        for folder in ("docs", "examples", "benchmarks")
        for path in (ROOT / folder).rglob("*.md")
    ),
]


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"(?ms)^(`{3,}).*?^\1", "", text)

    missing = [
        link for link in LINK.findall(text) if not (ROOT / page).parent.joinpath(link).exists()
    ]
    assert missing == []


def test_the_listings_of_values_are_what_dump_prints():
    text = (ROOT / "docs/how-it-works/01-from-text-to-values.md").read_text(encoding="utf-8")
    quoted = "".join(re.findall(r"```text\n(.*?)```", text, re.DOTALL)).splitlines()
    done = CliRunner().invoke(dump, [str(ROOT / "examples/notes-python/storage.py")])

    assert quoted
    assert set(quoted) <= set(done.output.splitlines())


def test_the_index_of_rules_is_up_to_date():
    script = ROOT / "docs/build_rules.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
