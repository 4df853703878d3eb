"""Fixes that are often recommended, each with the weakness that remains and has to be reported."""

from typing import NamedTuple

import pytest

from mcpward.audit.options import AuditOptions
from mcpward.audit.run import audit_sources
from mcpward.core.finding import Severity


class Fix(NamedTuple):
    """A server with a fix, and what the audit must say and must not say about it."""

    code: str
    found: dict[str, Severity]
    silent: tuple[str, ...] = ()


FIXES = {
    "a list of allowed programs that holds one which reads any file": Fix(
        """
import subprocess
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("tasks")
ALLOWED = {"ls", "cat", "date"}

class Tasks:
    @mcp.tool()
    def perform(self, line: str) -> str:
        words = line.split()
        if words[0] not in ALLOWED:
            raise ValueError("not allowed")
        done = subprocess.run(words, capture_output=True, text=True, timeout=5, shell=False)
        return done.stdout[:4000]
""",
        {"weak-command-filter": Severity.HIGH, "environment-inheritance": Severity.LOW},
        ("os-command-injection",),
    ),
    "errors that are told apart while the name still chooses the path": Fix(
        """
import logging
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("letters")
log = logging.getLogger(__name__)

@mcp.tool()
def letter(name: str) -> str:
    path = f"letters/{name}.txt"
    try:
        with open(path) as file:
            return file.read(4000)
    except FileNotFoundError:
        return "there is no such letter"
    except PermissionError as error:
        log.warning("refused %s: %s", path, error)
        return "this letter is not for you"
""",
        {"path-traversal": Severity.HIGH, "log-injection": Severity.LOW},
    ),
    "a limiter that keeps a list for every caller": Fix(
        """
from collections import defaultdict
from time import monotonic
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("greetings")

class Limiter:
    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self.calls = defaultdict(list)

    def admit(self, caller: str) -> bool:
        now = monotonic()
        recent = [at for at in self.calls[caller] if now - at < self.seconds]
        self.calls[caller] = recent
        if len(recent) >= self.most:
            return False
        recent.append(now)
        return True

limiter = Limiter(10, 60)

@mcp.tool()
def greet(caller: str) -> str:
    if not limiter.admit(caller):
        raise ValueError("too many calls")
    return f"Hello {caller}"
""",
        {"unbounded-state-growth": Severity.LOW},
        ("missing-rate-limit",),
    ),
    "a real path that is compared with a folder and a separator": Fix(
        """
import os
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("letters")
HOME = os.path.realpath("/srv/letters")

@mcp.tool()
def letter(name: str) -> str:
    path = os.path.realpath(os.path.join(HOME, name))
    if not path.startswith(HOME + os.sep):
        raise ValueError("not a letter")
    with open(path) as file:
        return file.read(4000)
""",
        {},
        ("path-traversal", "incomplete-path-containment", "symlink-or-race-bypass"),
    ),
    "a resolved path that is compared with the beginning of a text": Fix(
        """
from pathlib import Path
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("letters")
HOME = Path("/srv/letters").resolve()

@mcp.tool()
def letter(name: str) -> str:
    path = (HOME / name).resolve()
    if not str(path).startswith(str(HOME)):
        raise ValueError("not a letter")
    return path.read_text()[:4000]
""",
        {"incomplete-path-containment": Severity.HIGH},
        ("path-traversal",),
    ),
    "an argument that is quoted for a shell which is not there": Fix(
        """
import shlex
import subprocess
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("letters")

@mcp.tool()
def find(word: str) -> str:
    words = ["grep", "-r", shlex.quote(word), "letters"]
    return subprocess.run(words, capture_output=True, text=True, timeout=5).stdout[:4000]
""",
        {"argument-injection": Severity.MEDIUM},
        ("os-command-injection",),
    ),
}

EXPECTED = [
    pytest.param(fix, rule, level, id=f"{rule}: {name}")
    for name, fix in FIXES.items()
    for rule, level in fix.found.items()
]


def audited(fix):
    options = AuditOptions(strict=True, severity=Severity.INFO)
    return audit_sources({"server.py": fix.code.encode()}, options).findings


@pytest.mark.parametrize(("fix", "rule", "level"), EXPECTED)
def test_what_remains_is_reported(fix, rule, level):
    assert {f.severity for f in audited(fix) if f.rule == rule} == {level}


@pytest.mark.parametrize("name", FIXES)
def test_what_is_fixed_is_not_reported(name):
    fix = FIXES[name]

    assert [f.rule for f in audited(fix) if f.rule in fix.silent] == []
