"""What is too much is cut, said to be, and hides nothing else."""

import pytest

from mcpward.audit.run import audit_sources
from mcpward.taint import engine

MANY = 500


def test_one_long_branch_of_a_dispatch_does_not_hide_the_others():
    calls = "\n".join(f'    os.system(arguments["k{n}"])' for n in range(MANY))
    code = f"""\
import os
from mcp.server import Server

server = Server("dispatch")


def many(arguments):
{calls}


def late(arguments):
    open(arguments["path"])


def dispatch(name, arguments):
    if name == "many":
        return many(arguments)
    return late(arguments)


@server.call_tool()
async def call_tool(name, arguments):
    return dispatch(name, arguments)
"""
    report = audit_sources({"server.py": code.encode()})
    line = code[: code.index("open(")].count("\n") + 1
    assert ("path-traversal", line) in {(f.rule, f.place.start.line) for f in report.findings}


@pytest.mark.parametrize("share", [0.05, 0.6, 0.9])
def test_a_program_that_is_too_involved_is_cut_and_says_so(monkeypatch, share):
    code = "from mcp.server.fastmcp import FastMCP\nmcp = FastMCP('a')\n" + "\n".join(
        f"@mcp.tool()\ndef t{n}(x: str) -> str:\n    return {f't{n - 1}(x)' if n else 'x'}"
        for n in range(200)
    )
    whole = audit_sources({"server.py": code.encode()})
    assert not whole.skipped
    monkeypatch.setattr(engine, "_FLOOR", int(2_000 * share))
    monkeypatch.setattr(engine, "_BYTES", 1 << 20)
    cut = audit_sources({"server.py": code.encode()})
    assert ["too involved" in skipped.reason for skipped in cut.skipped] == [True]
