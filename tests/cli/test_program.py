"""The program as a process: what it prints, and how it exits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from mcpward import __version__
from mcpward.catalog.catalog import load_catalog
from mcpward.cli import app
from mcpward.cli.audit import _exit_code
from mcpward.cli.settings import Settings
from mcpward.core.errors import TargetError
from mcpward.core.finding import (
    Confidence,
    Finding,
    Handler,
    Place,
    Report,
    Severity,
    SkipKind,
    Skipped,
    Suppression,
)
from mcpward.core.source import Position

KEPT = ("SYSTEMROOT", "TEMP", "TMP", "TMPDIR")


@pytest.fixture
def mcpward(tmp_path, monkeypatch):
    """Runs the program in an empty folder, with nothing of the user's environment."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "mcpward", *arguments],
            env={k: os.environ[k] for k in KEPT if k in os.environ} | environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=30,
            check=False,
        )

    return run


def test_without_arguments_it_says_what_to_try_and_that_nothing_was_audited(mcpward):
    done = mcpward()

    assert done.returncode == 2
    for example in ("mcpward audit .", "mcpward rules", "mcpward explain path-traversal"):
        assert example in done.stdout
    assert done.stderr == ""


def test_the_rule_that_the_short_help_explains_exists(mcpward):
    done = mcpward("explain", "path-traversal")

    assert done.returncode == 0
    assert done.stdout.startswith(f"# {load_catalog().rules['path-traversal'].title}\n")
    assert "`path-traversal` · high · CWE-22" in done.stdout


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("audit", "--help"), ("rules", "-h")])
def test_help_is_printed(mcpward, arguments):
    done = mcpward(*arguments)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: mcpward")


@pytest.mark.parametrize("arguments", [("--version",), ("--version", "audit")])
def test_the_version_is_printed(mcpward, arguments):
    done = mcpward(*arguments)

    assert (done.returncode, done.stdout) == (0, f"mcpward {__version__}\n")


def test_rules_are_listed_for_people_and_for_programs(mcpward):
    names = list(load_catalog().rules)
    table = mcpward("rules").stdout.splitlines()
    data = json.loads(mcpward("rules", "--format", "json").stdout)

    assert table[0].split() == ["RULE", "SEVERITY", "LANGUAGES", "CWE", "FIX", "TITLE"]
    assert [line.split()[0] for line in table[1:]] == names
    assert [row["name"] for row in data] == names
    assert all(row["languages"] for row in data)


@pytest.mark.parametrize("arguments", [("--help",), ("rules",), ("explain", "path-traversal")])
def test_cheap_commands_do_not_load_parsers(tmp_path, arguments):
    code = (
        "import sys; from mcpward.cli import app; app.main();"
        "heavy = ('tree_sitter', 'rich', 'asyncio', 'email', 'importlib.metadata');"
        "print([m for m in heavy if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=True,
    )

    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (("audti", "."), "there is no command `audti`", "Did you mean `audit`?"),
        ((".",), "there is no command `.`", "To audit it: mcpward audit ."),
        (
            ("explain", "path-travesal"),
            "there is no rule `path-travesal`",
            "Did you mean `path-traversal`?",
        ),
        (("audit", ""), "the target is empty", "For the current folder, say `.`."),
        (("audit",), "Missing argument 'TARGET'.", "mcpward audit --help shows what is possible."),
        (
            ("audit", ".", "--config", "a", "--no-config"),
            "--config and --no-config contradict each other",
            "Drop one of them.",
        ),
        (
            ("audit", ".", "--severity", "high", "--fail-on", "low"),
            "fail-on `low` is below severity `high`: findings would count that are not shown",
            "Use --severity low.",
        ),
    ],
)
def test_wrong_arguments_are_an_error_with_a_hint(mcpward, arguments, error, hint):
    done = mcpward(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {error}\nhint: {hint}\n"


def test_wrong_settings_are_an_error(mcpward):
    Path("mcpward.toml").write_text('severety = "high"\n', encoding="utf-8")
    done = mcpward("audit", ".")

    assert done.returncode == 2
    assert done.stderr == (
        "error: mcpward.toml: unknown key `severety`\nhint: Did you mean `severity`?\n"
    )


def test_settings_and_baselines_that_are_missing_are_an_error(mcpward):
    for flag in ("--config", "--baseline"):
        done = mcpward("audit", ".", flag, "nowhere")

        assert done.returncode == 2
        assert done.stderr == "error: cannot read nowhere: No such file or directory\n"


@pytest.mark.parametrize("flag", ["--config", "--baseline"])
def test_a_file_in_a_target_that_is_not_trusted_is_refused(mcpward, flag):
    Path("target").mkdir()
    Path("target/mine").write_text("", encoding="utf-8")
    done = mcpward("audit", "target", flag, "target/mine")

    assert done.returncode == 2
    assert done.stderr.startswith("error: target/mine lies inside the target, which is not trusted")


def test_an_error_shows_no_control_characters(mcpward):
    done = mcpward("explain", "\x1b[2J\u202e")

    assert done.stderr.startswith("error: there is no rule `\\x1b[2J\\u202e`\n")


@pytest.fixture
def broken(monkeypatch):
    """The program with a command that fails as told."""

    def run(failure):
        def fail():
            raise failure

        monkeypatch.setitem(app.program.commands, "broken", click.Command("broken", callback=fail))
        monkeypatch.setattr(sys, "argv", ["mcpward", "broken"])
        return app.main()

    return run


def test_a_defect_is_one_line_and_exits_with_2(broken, capsys):
    assert broken(KeyError("x")) == 2
    assert capsys.readouterr().err == (
        "error: internal error: KeyError: 'x'\n"
        "hint: This is a bug in mcpward. MCPWARD_TRACEBACK=1 shows where.\n"
    )


def test_the_traceback_is_shown_on_request(broken, capsys, monkeypatch):
    monkeypatch.setenv("MCPWARD_TRACEBACK", "1")

    assert broken(TargetError("no", hint="yes")) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert shown.endswith("error: no\nhint: yes\n")


def test_an_interrupt_is_not_a_result(broken, capsys):
    assert broken(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def report(*findings, files=1, skipped=(), handlers=()):
    return Report("server", findings, skipped, handlers, files, 10)


def finding(severity, suppression=None):
    place = Place("a.py", Position(1, 1), Position(1, 2), "x")
    return Finding("r", "m", severity, Confidence.HIGH, place, suppression=suppression)


@pytest.mark.parametrize(
    ("findings", "settings", "code"),
    [
        ([], Settings(), 0),
        ([finding(Severity.LOW)], Settings(), 1),
        ([finding(Severity.HIGH, Suppression("inline", "fine"))], Settings(), 0),
        ([finding(Severity.MEDIUM)], Settings(fail_on=Severity.HIGH), 0),
        ([finding(Severity.HIGH)], Settings(fail_on=Severity.HIGH), 1),
    ],
)
def test_what_is_open_and_severe_enough_decides_the_exit_code(findings, settings, code):
    assert _exit_code(report(*findings), settings) == code


def unparsable(path):
    return Skipped(path, SkipKind.UNPARSABLE, "no Python")


@pytest.mark.parametrize(
    "nothing",
    [
        report(files=0),
        report(files=2, skipped=(unparsable("a.py"), unparsable("b.py"))),
    ],
)
def test_a_target_of_which_nothing_was_analysed_is_not_clean(nothing):
    with pytest.raises(TargetError, match="nothing in server could be analysed"):
        _exit_code(nothing, Settings())


@pytest.mark.parametrize(
    "something",
    [
        report(files=2, skipped=(unparsable("a.py"), unparsable("a.py"))),
        report(files=1, skipped=(unparsable("a.ts"),), handlers=(Handler("tool", "read"),)),
    ],
)
def test_a_target_of_which_something_was_analysed_has_a_result(something):
    assert _exit_code(something, Settings()) == 0


# ---- with the whole pipeline ---------------------------------------------------------------------

VULNERABLE = """\
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("notes")


@mcp.tool()
def read(name: str) -> str:
    return open("notes/" + name).read()
"""
SAFE = VULNERABLE.replace('open("notes/" + name).read()', '"a note"')


@pytest.fixture
def server():
    def write(text, folder="server"):
        Path(folder).mkdir(exist_ok=True)
        Path(folder, "server.py").write_text(text, encoding="utf-8")
        return folder

    return write


def test_findings_exit_with_1_and_none_with_0(mcpward, server):
    found = mcpward("audit", server(VULNERABLE))
    assert (found.returncode, found.stderr) == (1, "")
    assert "path-traversal" in found.stdout
    assert "\x1b" not in found.stdout

    clean = mcpward("audit", server(SAFE))
    assert (clean.returncode, clean.stderr) == (0, "")


def test_the_bar_for_counting_and_for_showing(mcpward, server):
    target = server(VULNERABLE)
    shown = mcpward("audit", target, "--fail-on", "critical")
    assert shown.returncode == 0
    assert "path-traversal" in shown.stdout

    hidden = mcpward("audit", target, "--severity", "critical")
    assert hidden.returncode == 0
    assert "below the thresholds and left out" in " ".join(hidden.stdout.split())


def test_quiet_says_it_with_the_exit_code(mcpward, server):
    done = mcpward("audit", server(VULNERABLE), "--quiet")

    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@pytest.mark.parametrize("target", ["nowhere", "empty", "broken"])
def test_what_cannot_be_audited_exits_with_2(mcpward, server, target):
    Path("empty").mkdir()
    server("def (((", "broken")
    done = mcpward("audit", target)

    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "\nhint: " in done.stderr


def test_a_rule_that_does_not_exist_is_an_error_with_a_suggestion(mcpward, server):
    done = mcpward("audit", server(SAFE), "--rule", "path-travesal")

    assert done.returncode == 2
    assert done.stderr == (
        "error: there is no rule `path-travesal`\nhint: Did you mean `path-traversal`?\n"
    )


@pytest.mark.parametrize("format_", ["json", "sarif"])
def test_data_goes_to_a_file_or_alone_to_standard_output(mcpward, server, format_):
    target = server(VULNERABLE)
    piped = mcpward("audit", target, "--format", format_)
    filed = mcpward("audit", target, "--format", format_, "--output", "report")

    assert json.loads(piped.stdout) == json.loads(Path("report").read_text(encoding="utf-8"))
    assert (piped.returncode, filed.returncode, filed.stdout) == (1, 1, "")
    assert filed.stderr == "1 finding\n"


def test_a_baseline_accepts_what_is_there_and_nothing_new(mcpward, server):
    target = server(VULNERABLE)
    assert mcpward("audit", target, "--write-baseline", "b.json").returncode == 1
    assert mcpward("audit", target, "--baseline", "b.json").returncode == 0
    # Writing it again keeps what it accepted.
    mcpward("audit", target, "--baseline", "b.json", "--write-baseline", "b.json")
    assert mcpward("audit", target, "--baseline", "b.json").returncode == 0

    server(VULNERABLE + VULNERABLE[VULNERABLE.index("@mcp") :].replace("read(name", "get(name"))
    assert mcpward("audit", target, "--baseline", "b.json").returncode == 1


def test_an_ignore_comment_counts_in_a_target_that_is_mine(mcpward, server):
    text = VULNERABLE.replace(".read()", ".read()  # mcpward: ignore[path-traversal] public")
    target = server(text)

    stranger = mcpward("audit", target)
    assert stranger.returncode == 1
    assert "ignore comment was not honoured" in " ".join(stranger.stdout.split())
    assert mcpward("audit", target, "--trust-target").returncode == 0


def test_settings_in_a_target_count_only_if_it_is_mine(mcpward, server):
    target = server(VULNERABLE)
    Path(target, "mcpward.toml").write_text('not-rules = ["path-traversal"]', encoding="utf-8")

    stranger = mcpward("audit", target)
    assert stranger.returncode == 1
    assert "mcpward.toml in the target was not honoured" in " ".join(stranger.stdout.split())
    assert mcpward("audit", target, "--trust-target").returncode == 0
    assert mcpward("audit", target, "--trust-target", "--no-config").returncode == 1


def test_models_of_the_settings_are_used(mcpward, server):
    text = VULNERABLE.replace("open(", "open(inside(").replace("name)", "name))")
    target = server("from app.paths import inside\n" + text)
    assert mcpward("audit", target).returncode == 1

    row = '[[models.call]]\nname = "app.paths.inside"\npasses = { "0" = "return" }\nmarks = ["confined"]\n'
    Path("mcpward.toml").write_text(row, encoding="utf-8")
    assert mcpward("audit", target).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no such device here")
def test_a_report_can_be_written_to_a_pipe_by_name(mcpward, server):
    done = mcpward("audit", server(VULNERABLE), "-q", "--format", "json", "-o", "/dev/stdout")

    assert done.returncode == 1
    assert json.loads(done.stdout)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_report_that_cannot_be_written_exits_with_2(mcpward, server):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mcpward", "audit", server(VULNERABLE)],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr.startswith(b"error: cannot write to standard output: ")


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes here")
def test_a_reader_that_goes_away_changes_nothing(mcpward, server):
    target = server(VULNERABLE)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "mcpward", "audit", target],
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )

    assert (done.returncode, done.stderr) == (1, b"")


def test_the_value_graph_of_a_file_is_printed(mcpward, server):
    target = server(SAFE)
    done = mcpward("dump", f"{target}/server.py")

    assert done.returncode == 0
    assert "server:read(name)\n" in done.stdout
