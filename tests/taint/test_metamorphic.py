"""Changes that keep what a program does keep what the auditor says about it."""

import re
from typing import NamedTuple

import pytest

from mcpward.audit.run import audit_sources

PYTHON_HEAD = """\
import os
import sqlite3
import subprocess
import httpx
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("base")

"""
JAVASCRIPT_HEAD = """\
import { execSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";
const server = new McpServer({ name: "base", version: "1" });

"""


class Base(NamedTuple):
    """A program in pieces: helpers, and handlers with the statements of one as lines."""

    language: str
    helper: str
    lines: tuple[str, ...]
    sink: str


PYTHON = [
    Base(
        "python",
        "def shaped(word):\n    return word.strip()\n",
        ('extra = "x"', "line = shaped(value)"),
        'os.system("ls " + line)',
    ),
    Base(
        "python",
        "def shaped(word):\n    return [word, 'a']\n",
        ("extra = []", "line = shaped(value)[0]"),
        "subprocess.run(line, shell=True)",
    ),
    Base(
        "python",
        "def shaped(word):\n    return {'k': word}\n",
        ("extra = {}", "line = shaped(value)['k']"),
        "open(line).read()",
    ),
    Base(
        "python",
        "def shaped(word):\n    return f'http://{word}/'\n",
        ("extra = 1", "line = shaped(value)"),
        "httpx.get(line)",
    ),
    Base(
        "python",
        "def shaped(word):\n    return 'select ' + word\n",
        ("extra = 2", "line = shaped(value)"),
        "sqlite3.connect('a').execute(line)",
    ),
    Base(
        "python",
        "def shaped(word):\n    return word or 'b'\n",
        ("extra = None", "line = shaped(value)"),
        "eval(line)",
    ),
]
JAVASCRIPT = [
    Base(
        "javascript",
        "function shaped(word) {\n    return word.trim();\n}\n",
        ('const extra = "x";', "const line = shaped(value);"),
        'execSync("ls " + line);',
    ),
    Base(
        "javascript",
        "function shaped(word) {\n    return [word, 'a'];\n}\n",
        ("const extra = [];", "const line = shaped(value)[0];"),
        "execSync(line);",
    ),
    Base(
        "javascript",
        "function shaped(word) {\n    return { k: word };\n}\n",
        ("const extra = {};", "const line = shaped(value).k;"),
        "readFileSync(line);",
    ),
    Base(
        "javascript",
        "function shaped(word) {\n    return `http://${word}/`;\n}\n",
        ("const extra = 1;", "const line = shaped(value);"),
        "await fetch(line);",
    ),
    Base(
        "javascript",
        "function shaped(word) {\n    return word ?? 'b';\n}\n",
        ("const extra = 2;", "const line = shaped(value);"),
        "eval(line);",
    ),
    Base(
        "javascript",
        "const shaped = (word) => word + '!';\n",
        ("const extra = 3;", "const line = shaped(value);"),
        "new Function(line)();",
    ),
]
BASES = PYTHON + JAVASCRIPT


def handler(base, lines, name="look"):
    """The source of a handler with these lines."""
    body = "".join(f"    {line}\n" for line in "\n".join(lines).split("\n"))
    if base.language == "python":
        return f'@mcp.tool()\ndef {name}(value: str) -> str:\n{body}    return "done"\n\n'
    head = f'server.registerTool("{name}", {{ inputSchema: {{ value: z.string() }} }}, async ({{ value }}) => {{'
    return f"{head}\n{body}    return {{ content: [] }};\n}});\n\n"


def program(base, lines=None, *, helper=None, before="", other=None):
    """The files of the server, the way most tests need it."""
    python = base.language == "python"
    head = PYTHON_HEAD if python else JAVASCRIPT_HEAD
    name = "server.py" if python else "server.js"
    text = head + before + (base.helper if helper is None else helper)
    text += handler(base, lines or (*base.lines, base.sink))
    files = {name: text}
    return files | (other or {})


def said(files):
    """Rule, handler and fingerprint of each finding."""
    report = audit_sources({name: text.encode() for name, text in files.items()})
    return sorted((f.rule, f.handler and f.handler.name, f.fingerprint) for f in report.findings)


def coarse(files):
    """Rule and handler of each finding."""
    return [(rule, name) for rule, name, _ in said(files)]


bases = pytest.mark.parametrize("base", BASES, ids=lambda base: f"{base.language}: {base.sink}")


@bases
def test_the_base_has_one_finding_at_least(base):
    assert said(program(base))


@bases
def test_renaming_variables_and_functions(base):
    def renamed(text):
        for old, new in (("line", "outcome"), ("shaped", "given_form"), ("word", "piece")):
            text = re.sub(rf"\b{old}\b", new, text)
        return text

    files = {name: renamed(text) for name, text in program(base).items()}
    assert coarse(files) == coarse(program(base))


@bases
def test_code_before_and_comments_keep_the_fingerprint(base):
    mark = "#" if base.language == "python" else "//"
    before = f"{mark} a comment\n\n{mark} another\n"
    before += "UNRELATED = 1\n" if base.language == "python" else "const UNRELATED = 1;\n"
    assert said(program(base, before=before)) == said(program(base))


@bases
def test_independent_statements_change_places(base):
    lines = (*reversed(base.lines), base.sink)
    assert said(program(base, lines)) == said(program(base))


@bases
def test_extracting_the_sink_into_a_function(base):
    if base.language == "python":
        helper = f"{base.helper}\ndef act(line):\n    {base.sink}\n\n"
        lines = (*base.lines, "act(line)")
    else:
        helper = f"{base.helper}\nasync function act(line) {{\n    {base.sink}\n}}\n"
        lines = (*base.lines, "await act(line);")
    assert coarse(program(base, lines, helper=helper)) == coarse(program(base))


@bases
def test_inlining_the_helper(base):
    found = re.search(r"return (.*?);?\n|=> (.*?);\n", base.helper)
    value = re.sub(r"\bword\b", "value", found[1] or found[2])
    lines = [line.replace("shaped(value)", f"({value})") for line in base.lines]
    assert coarse(program(base, (*lines, base.sink), helper="")) == coarse(program(base))


@bases
def test_moving_the_helper_to_another_file(base):
    if base.language == "python":
        files = program(
            base, helper="from shapes import shaped\n\n", other={"shapes.py": base.helper}
        )
    else:
        other = {"shapes.js": "export " + base.helper}
        files = program(base, helper='import { shaped } from "./shapes.js";\n', other=other)
    assert said(files) == said(program(base))


@bases
def test_a_branch_that_is_always_taken(base):
    if base.language == "python":
        lines = (*base.lines, "if True:", f"    {base.sink}")
    else:
        lines = (*base.lines, "if (true) {", f"    {base.sink}", "}")
    assert said(program(base, lines)) == said(program(base))


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_handlers_change_places(language):
    mine = [base for base in BASES if base.language == language]
    name, head = (
        ("server.py", PYTHON_HEAD) if language == "python" else ("server.js", JAVASCRIPT_HEAD)
    )
    pieces = [
        re.sub(
            r"\bshaped\b",
            f"shaped{at}",
            base.helper + handler(base, (*base.lines, base.sink), f"look{at}"),
        )
        for at, base in enumerate(mine)
    ]
    forth, back = ({name: head + "".join(order)} for order in (pieces, pieces[::-1]))
    assert said(forth) == said(back)
    assert len(said(forth)) >= len(mine)
