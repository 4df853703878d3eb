"""What is cut in a summary that is too long must not hide what stands behind it."""

from mcpward.audit.run import audit_sources

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
