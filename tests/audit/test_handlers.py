"""Handlers are found however they are registered."""

from mcpward.audit.run import audit_sources

PYTHON = """
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("notes")

def read(path: str) -> str:
    return open(path).read()

class Files:
    def __init__(self, server: FastMCP):
        server.tool(name="list")(self.list)

    def list(self, folder: str) -> str:
        return folder

def main():
    mcp.tool()(read)
    Files(mcp)
    mcp.run()
"""

BUNDLE = """
import { readFileSync } from "node:fs";

var McpServer2 = class {
  constructor(info) {
    this._tools = {};
    this.server = new Protocol(info);
  }
  tool(name, ...rest) {
    this._tools[name] = { callback: rest.at(-1) };
    this.server.setRequestHandler(CallToolRequestSchema, async (request) => {
      return await this._tools[request.params.name].callback(request.params.arguments);
    });
  }
};

function register(server) {
  server.tool("read", "Reads a note", { path: text() }, async ({ path }) => {
    return { content: [{ type: "text", text: readFileSync(path, "utf8") }] };
  });
}

register(new McpServer2({ name: "notes", version: "1.0.0" }));
"""


def found(files):
    report = audit_sources({name: text.encode() for name, text in files.items()})
    return (
        sorted((h.sort, h.name) for h in report.handlers),
        {f.rule for f in report.findings},
        [s.reason for s in report.skipped],
    )


def test_a_decorator_may_be_called_like_a_function():
    handlers, rules, _ = found({"server.py": PYTHON})
    assert handlers == [("tool", "list"), ("tool", "read")]
    assert rules == {"path-traversal"}


def test_a_library_may_be_bundled_with_the_program():
    handlers, rules, _ = found({"server.js": BUNDLE})
    assert ("tool", "read") in handlers
    assert rules == {"path-traversal"}


def test_files_that_differ_in_their_extension_are_both_read():
    names = ("a.js", "a.cjs")
    code = """
    import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
    const server = new McpServer({ name: "notes", version: "1.0.0" });
    server.tool("NAME", "Reads a note", {}, async () => ({ content: [] }));
    """
    handlers, _, skipped = found({name: code.replace("NAME", name) for name in names})
    assert handlers == sorted(("tool", name) for name in names)
    assert not skipped
