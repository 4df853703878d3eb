"""How clients reach a server, and what that makes of findings."""

import pytest

from mcpward.audit import run
from mcpward.audit.options import AuditOptions
from mcpward.audit.run import audit_sources
from mcpward.core.finding import Severity

TOOL = """
@mcp.tool
def run(command: str) -> str:
    return subprocess.run(command, shell=True, capture_output=True).stdout


"""
FAST = "import os\nimport subprocess\n\nfrom fastmcp import FastMCP\n\nmcp = FastMCP('x')\n" + TOOL
SDK = """
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import express from "express";
const server = new McpServer({ name: "x", version: "1" });
const app = express();
"""


@pytest.fixture
def exposed(monkeypatch):
    """Gives the exposure of a file."""
    seen = []

    def keep(subject, rules):
        seen.append(subject.exposure)
        return []

    def look(text, file="server.py"):
        monkeypatch.setattr(run, "sighted", keep)
        audit_sources({file: text.encode()})
        return seen[-1]

    return look


@pytest.mark.parametrize(
    ("start", "transports"),
    [
        ("mcp.run()", {"stdio"}),
        ("mcp.run('stdio')", {"stdio"}),
        ("mcp.run(transport='http', port=1)", {"http"}),
        ("mcp.run(transport='streamable-http')", {"http"}),
        ("mcp.run(transport='sse')", {"sse"}),
        ("app = mcp.http_app()", {"http"}),
        ("mcp.run(transport=os.environ['T'])", {"http", "sse", "stdio"}),
        ("def main():\n    mcp.run(transport='http')", {"http"}),
        ("subprocess.run('ls')", set()),
    ],
)
def test_the_transport_of_a_python_server(exposed, start, transports):
    assert exposed(FAST + start).transports == transports


@pytest.mark.parametrize(
    ("start", "transports", "everywhere"),
    [
        ("await server.connect(new StdioServerTransport());", {"stdio"}, False),
        ("new StreamableHTTPServerTransport({}); app.listen(1);", {"http"}, True),
        ("new StreamableHTTPServerTransport({}); app.listen(1, () => {});", {"http"}, True),
        ("new StreamableHTTPServerTransport({}); app.listen(1, 'localhost');", {"http"}, False),
        ("class T extends StdioServerTransport {} new T();", {"stdio"}, False),
        ("const h = process.env.H ?? '0.0.0.0'; app.listen(1, h);", set(), True),
    ],
)
def test_the_transport_of_a_javascript_server(exposed, start, transports, everywhere):
    exposure = exposed(SDK + start, "server.ts")

    assert exposure.transports == transports
    assert exposure.bound_everywhere is everywhere


@pytest.mark.parametrize(
    ("code", "authenticated"),
    [
        ("", False),
        ("headers = {'Authorization': 'x'}\n", False),
        ("headers['Authorization'] = token\n", False),
        ("driver = connect('x', auth=('user', 'word'))\n", False),
        ("def f(request):\n    return request.headers.get('authorization')\n", True),
        ("from fastmcp.server.auth import JWTVerifier\n", True),
        ("import hmac\n\n\ndef same(a, b):\n    return hmac.compare_digest(a, b)\n", True),
    ],
)
def test_whether_callers_are_told_apart(exposed, code, authenticated):
    assert exposed(FAST + code + "mcp.run(transport='http')").authentication is authenticated


READER = "from fastmcp import FastMCP\n\nmcp = FastMCP('x')\n\n\n@mcp.tool\ndef read(name: str) -> str:\n    return open(name).read()\n\n\n"


def found(start):
    options = AuditOptions(rules=frozenset({"path-traversal"}))
    (finding,) = audit_sources({"server.py": (READER + start).encode()}, options).findings
    return finding


def test_a_flow_weighs_more_when_everybody_can_start_it():
    exposed = found("mcp.run(transport='http')")

    assert (found("mcp.run()").severity, exposed.severity) == (Severity.HIGH, Severity.CRITICAL)
    assert exposed.adjustments == (
        "higher than usual: the server is on a network and authenticates nobody",
    )


def test_a_server_with_another_way_in_keeps_its_severity():
    either = found(
        "import os\nif os.environ.get('H'):\n    mcp.run(transport='http')\nelse:\n    mcp.run()"
    )

    assert (either.severity, either.adjustments) == (Severity.HIGH, ())
