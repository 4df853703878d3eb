"""What is found by asking backwards where the text of a result or a log line comes from."""

import pytest

from mcpward.audit import origins
from mcpward.audit.options import AuditOptions
from mcpward.audit.run import audit_sources
from mcpward.core.finding import Severity, SkipKind

PYTHON = """
import json, os, subprocess, traceback
from mcp.server.fastmcp import FastMCP
mcp = FastMCP("notes")
TOKEN = os.environ["NOTES_TOKEN"]
"""

TYPESCRIPT = """
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
const server = new McpServer({ name: "notes", version: "1" });
const token = process.env.NOTES_TOKEN ?? "";
"""


def rules(files):
    report = audit_sources(
        {name: text.encode() for name, text in files.items()},
        AuditOptions(severity=Severity.INFO),
    )
    return {finding.rule for finding in report.findings}


def python(body, **others):
    return rules({"server.py": PYTHON + body, **others})


def typescript(body, **others):
    return rules({"server.ts": TYPESCRIPT + body, **others})


@pytest.mark.parametrize(
    "body",
    [
        "    return TOKEN",
        "    return f'{TOKEN}'",
        "    return {'a': [{'b': TOKEN}]}",
        "    out = {}\n    out['t'] = TOKEN\n    return out",
        "    lines = ['a']\n    lines.append('t ' + TOKEN)\n    return ', '.join(lines)",
        "    return json.dumps({'t': TOKEN.strip()})",
        "    return echo(TOKEN)",
        "    return echo({'t': TOKEN})['t']",
        "    return wrapped(lambda: TOKEN)",
    ],
)
def test_a_secret_is_followed_through_what_carries_it(body):
    helpers = "def echo(value):\n    return value\ndef wrapped(make):\n    return make()\n"

    found = python(f"{helpers}\n@mcp.tool()\ndef status() -> str:\n{body}\n")

    assert "secret-in-tool-output" in found


@pytest.mark.parametrize(
    "body",
    [
        "    return TOKEN[:4]",
        "    return str(len(TOKEN))",
        "    return 'set' if TOKEN else 'missing'",
        "    return mask(TOKEN)",
        "    return {'t': TOKEN, 'a': 'x'}['a']",
        "    return unknown.Client(TOKEN).ask()",
        "    return unknown.call(TOKEN)",
        "    return str(Box(TOKEN))",
        "    return echo('a') if echo(TOKEN) else 'b'",
    ],
)
def test_what_does_not_show_a_secret_is_silent(body):
    helpers = (
        "import unknown\n"
        "def echo(value):\n    return value\n"
        "def mask(value):\n    return value[:1] + value\n"
        "class Box:\n    def __init__(self, value):\n        self.value = value\n"
    )

    found = python(f"{helpers}\n@mcp.tool()\ndef status() -> str:\n{body}\n")

    assert "secret-in-tool-output" not in found


def test_a_secret_of_another_module_is_known():
    config = "export const settings = { key: process.env.NOTES_API_KEY, port: process.env.PORT };"
    tool = (
        'import { settings } from "./config.js";\n'
        'server.tool("status", async () => ({ content: [{ type: "text", text: %s }] }));'
    )

    assert "secret-in-tool-output" in typescript(
        tool % "`k ${settings.key}`", **{"config.ts": config}
    )
    assert "secret-in-tool-output" not in typescript(
        tool % "`p ${settings.port}`", **{"config.ts": config}
    )


def test_what_a_wrapped_handler_catches_is_told():
    body = """
    const guarded = (run) => async (args) => {
      try { return await run(args); }
      catch (error) { return { content: [{ type: "text", text: String(error) }] }; }
    };
    server.tool("status", guarded(async () => ({ content: [{ type: "text", text: "ready" }] })));
    """

    assert "verbose-error-disclosure" in typescript(body)


def test_one_error_is_told_once_for_all_handlers_that_share_it():
    body = "def load():\n    try:\n        return open('a').read()\n"
    body += "    except Exception as error:\n        return f'failed: {error}'\n"
    body += "\n".join(f"@mcp.tool()\ndef tool_{n}() -> str:\n    return load()\n" for n in range(3))

    report = audit_sources({"server.py": (PYTHON + body).encode()}, AuditOptions())

    told = [f for f in report.findings if f.rule == "verbose-error-disclosure"]

    assert [f.place.code.strip() for f in told] == ["except Exception as error:"]


def test_a_variable_that_chooses_itself_comes_to_an_end():
    body = """
@mcp.tool()
def status(name: str) -> str:
    while name:
        name = os.environ[name]
        name = os.environ[os.environ.get(name, name)]
    return name
"""

    assert "environment-disclosure" in python(body)


def test_functions_that_return_each_other_come_to_an_end():
    body = """
def ping(value, n):
    return pong(value, n - 1) if n else value

def pong(value, n):
    return ping(value, n - 1) if n else value

@mcp.tool()
def status() -> str:
    return ping(TOKEN, 4)
"""

    assert "secret-in-tool-output" in python(body)


def test_an_exhausted_search_is_reported(monkeypatch):
    monkeypatch.setattr(origins, "_MOST", 2)
    body = "@mcp.tool()\ndef status() -> str:\n    return 'a' + 'b' + str(len(TOKEN))\n"

    report = audit_sources({"server.py": (PYTHON + body).encode()}, AuditOptions())

    assert [s.kind for s in report.skipped] == [SkipKind.LIMIT]
