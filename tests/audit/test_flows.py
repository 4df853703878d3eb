"""How severe a flow is, and how sure its path."""

import pytest

from mcpward.audit.run import audit
from mcpward.core.finding import Confidence, Severity

SERVER = """
import os
from pathlib import Path
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("notes")

@mcp.tool()
def save(folder: str, text: str) -> None:
    with open({path}, "w") as file:
        file.write(text)
"""

KEPT = """
import httpx
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("web")

class Web:
    def __init__(self) -> None:
        self.address = ""

web = Web()

@mcp.tool()
def choose(address: str) -> None:
    web.address = address

@mcp.tool()
def fetch() -> str:
    return httpx.get(web.address).text
"""


def findings(folder, code):
    (folder / "server.py").write_text(code)
    return audit(str(folder)).findings


@pytest.mark.parametrize(
    "path",
    [
        'os.path.join(folder, "note.md")',
        'Path(folder) / "note.md"',
        'Path(folder).joinpath("note.md")',
        'f"{folder}/note.md"',
        'Path(folder) / "notes" / "note.md"',
        'os.path.join(Path(folder).parent, "note.md")',
    ],
)
def test_the_choice_of_a_folder_alone_is_less_severe(tmp_path, path):
    (found,) = findings(tmp_path, SERVER.replace("{path}", path))

    assert found.severity is Severity.MEDIUM
    assert [text.partition(" data ")[0] for text in found.adjustments] == ["medium because the"]


@pytest.mark.parametrize(
    "path",
    [
        "folder",
        'f"{folder}.md"',
        'os.path.join("/srv", folder)',
        'os.path.join(folder, "..")',
        'Path("/srv") / folder',
        '(Path(folder) / "note.md").parent',
        'os.path.dirname(os.path.join(folder, "note.md"))',
        'f"{folder}/{folder}"',
    ],
)
def test_the_choice_of_a_name_is_as_severe_as_ever(tmp_path, path):
    (found,) = findings(tmp_path, SERVER.replace("{path}", path))

    assert found.severity is Severity.CRITICAL
    assert found.adjustments == ()


def test_data_that_waits_between_two_calls_is_less_sure(tmp_path):
    (found,) = findings(tmp_path, KEPT)

    assert found.confidence is Confidence.MEDIUM
    assert any("kept for later" in step.text for step in found.steps)


HANDED_ON = """
import httpx
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("web")

class Web:
    def __init__(self) -> None:
        self.address = ""
        self.chosen = ""

    def prepare(self) -> None:
        self.address = self.chosen

web = Web()

@mcp.tool()
def choose(address: str) -> None:
    web.chosen = address

@mcp.tool()
def fetch() -> str:
    web.prepare()
    return httpx.get(web.address).text
"""


def test_data_that_somebody_else_keeps_is_not_sure_at_all(tmp_path):
    (found,) = findings(tmp_path, HANDED_ON)

    assert found.confidence is Confidence.LOW
    assert found.level == "note"


@pytest.mark.parametrize(
    ("content", "severity"),
    [
        ('await (await fetch("https://api.example.com/plan")).text()', Severity.CRITICAL),
        ('await fs.readFile("/srv/plan", "utf8")', Severity.HIGH),
        ('(await fs.readdir("/srv"))[0]', Severity.HIGH),
    ],
)
def test_content_of_a_local_file_weighs_less_than_fetched_content(tmp_path, content, severity):
    (tmp_path / "server.js").write_text(
        'import fs from "node:fs/promises";\nimport { execSync } from "node:child_process";\n'
        f"execSync({content});\n"
    )
    found = [f for f in audit(str(tmp_path)).findings if f.rule == "os-command-injection"]

    assert [one.severity for one in found] == [severity]


@pytest.mark.parametrize(
    ("call", "severity"),
    [
        ('get(f"https://api.example.com/users/{name}")', Severity.LOW),
        ('request("GET", f"https://api.example.com/users/{name}")', Severity.LOW),
        ('request("delete", f"https://api.example.com/users/{name}")', Severity.MEDIUM),
        ('request(verb, f"https://api.example.com/users/{name}")', Severity.MEDIUM),
        ('delete(f"https://api.example.com/users/{name}")', Severity.MEDIUM),
    ],
)
def test_a_steered_request_that_only_reads_is_less_severe(tmp_path, call, severity):
    code = (
        "import httpx\nfrom mcp.server.fastmcp import FastMCP\nmcp = FastMCP('users')\n"
        f"@mcp.tool()\ndef user(name: str, verb: str) -> str:\n    return httpx.{call}.text\n"
    )
    (found,) = (f for f in findings(tmp_path, code) if f.rule == "api-path-injection")

    assert found.severity is severity


PARTS = """
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import fs from "fs";
import { z } from "zod";

const server = new McpServer({ name: "papers", version: "1" });

server.tool("read", { names: z.array(z.string()) }, async (args) => {
  const picked = choose() ? args.names[0] : args.names.join("/");
  const text = fs.readFileSync(PLACE, "utf8");
  return { content: [{ type: "text", text }] };
});
"""


@pytest.mark.parametrize("place", ["picked", "choose() ? picked : args.names[1]"])
def test_an_argument_and_its_parts_are_one_finding(tmp_path, place):
    (tmp_path / "server.js").write_text(PARTS.replace("PLACE", place))

    (found,) = audit(str(tmp_path)).findings

    assert found.message.startswith("the argument `names")


ALLOWED = """
import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

import httpx
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("web")
PRIVATE = False

async def check_public(url: str) -> None:
    host = urlsplit(url).hostname
    infos = await LOOKUP
    for info in infos:
        if not ipaddress.ip_address(info[4][0]).is_global:
            raise ValueError(host)

async def guard_url(url: str) -> None:
    if not PRIVATE:
        await check_public(url)

@mcp.tool()
async def fetch(url: str) -> str:
    await guard_url(url)
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).text
"""


@pytest.mark.parametrize(
    "lookup",
    [
        "asyncio.to_thread(socket.getaddrinfo, host, 443)",
        "asyncio.get_running_loop().run_in_executor(None, socket.getaddrinfo, host, 443)",
        "asyncio.get_running_loop().getaddrinfo(host, 443)",
    ],
)
def test_a_function_that_is_handed_over_is_called_by_a_check(tmp_path, lookup):
    found = findings(tmp_path, ALLOWED.replace("LOOKUP", lookup))

    assert "server-side-request-forgery" not in {one.rule for one in found}


def test_a_function_that_nobody_calls_is_no_part_of_a_check(tmp_path):
    found = findings(tmp_path, ALLOWED.replace("LOOKUP", "note(socket.getaddrinfo, host)"))

    assert "server-side-request-forgery" in {one.rule for one in found}


COMMAND = """
import subprocess
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("lint")

def configured():
    return open("linter.txt").read().split()

@mcp.tool()
def lint(file: str) -> int:
    command = configured() + ["--config", "{file}"]
    RUN
    return subprocess.run(command).returncode
"""


@pytest.mark.parametrize(
    "run",
    [
        'command = [word.replace("{file}", file) for word in command]',
        "command.append(file)",
        "command = [*command, file]",
        "command = command + [file]",
        "command = command.copy()\n    command.append(file)",
    ],
)
def test_what_is_put_behind_or_into_a_configured_command_is_no_program(tmp_path, run):
    found = findings(tmp_path, COMMAND.replace("RUN", run))

    assert "unrestricted-program" not in {one.rule for one in found}


@pytest.mark.parametrize(
    "run",
    [
        "command = [file, *command]",
        "command[0] = file",
        "command = [file for _ in command]",
        "command = [*file.split(), *command]",
    ],
)
def test_what_stands_first_in_a_command_is_its_program(tmp_path, run):
    found = findings(tmp_path, COMMAND.replace("RUN", run))

    assert "unrestricted-program" in {one.rule for one in found}


QUERY = """
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";

const server = new McpServer({ name: "builds", version: "1" });

server.tool("builds", { branch: z.string() }, async ({ branch }) => {
  const url = new URL("https://builds.example.com/api/builds");
  CHANGE;
  const answer = await fetch(url.toString());
  return { content: [{ type: "text", text: await answer.text() }] };
});
"""


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ('url.searchParams.append("branch", branch)', set()),
        ('url.searchParams.set("branch", branch)', set()),
        ("url.host = branch", {"server-side-request-forgery"}),
    ],
)
def test_query_parameters_of_an_address_are_encoded(tmp_path, change, rules):
    (tmp_path / "server.js").write_text(QUERY.replace("CHANGE", change))

    assert {one.rule for one in audit(str(tmp_path)).findings} == rules


FACTORY = """
import httpx
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("two")

class Web:
    def load(self, key: str) -> str:
        return httpx.get(key).text

class Shelf:
    def load(self, key: str) -> str:
        return httpx.get("https://shelf.example.com/books/" + str(int(key))).text

def made(kind):
    return {"web": Web(), "shelf": Shelf()}[kind]

def shelf() -> SAID:
    return made("shelf")

@mcp.tool()
def book(key: str) -> str:
    return shelf().load(key)
"""


@pytest.mark.parametrize(
    ("said", "rules"),
    [
        ("Shelf", set()),
        ("Web", {"server-side-request-forgery"}),
        ("Web | Shelf", {"server-side-request-forgery"}),
        ("object", {"server-side-request-forgery"}),
    ],
)
def test_a_factory_makes_what_it_says(tmp_path, said, rules):
    found = findings(tmp_path, FACTORY.replace("SAID", said))

    assert {one.rule for one in found} == rules
