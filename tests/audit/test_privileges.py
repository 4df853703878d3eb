"""The inventory says what the code needs, where, and who decides about it."""

import json

from inline_snapshot import snapshot

from mcpward.audit.run import audit_sources
from mcpward.report.privileges import needs, render, rows


def needed(**files):
    report = audit_sources({name.replace("_", "."): text.encode() for name, text in files.items()})
    found = needs(report.privileges)
    return [
        (n.sort.value, n.action, n.value, n.chosen.value, n.required, n.defaults) for n in found
    ]


PYTHON = """
import os
import subprocess
import httpx
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("notes")
KEY = os.environ["NOTES_KEY"]
LEVEL = os.getenv("NOTES_LEVEL", "info")
BASE = os.environ.get("NOTES_URL")

@mcp.tool()
def read(name: str) -> str:
    with open("/srv/notes/index") as file:
        return file.read()

@mcp.tool()
def fetch(url: str) -> str:
    httpx.get("https://api.notes.example/v1", headers={"x": KEY})
    httpx.get(BASE)
    return httpx.get(url).text

@mcp.tool()
def log() -> str:
    return subprocess.run(["git", "log"], capture_output=True).stdout.decode()
"""

JAVASCRIPT = """
import fs from "node:fs";
import { execFile } from "node:child_process";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";

const { NOTES_KEY, NOTES_LEVEL = "info" } = process.env;
const base = process.env.NOTES_URL ?? "https://notes.example";
const server = new McpServer({ name: "notes", version: "1" });
server.registerTool("read", { inputSchema: { url: z.string() } }, async ({ url }) => {
  fs.readFileSync("/srv/notes/index");
  execFile("git", ["log"]);
  await fetch("https://api.notes.example/v1");
  await fetch(url);
  return { content: [] };
});
"""


def test_python_code_is_told_with_variables_files_hosts_and_programs():
    assert needed(server_py=PYTHON) == snapshot(
        [
            ("environment", "read", "NOTES_KEY", "fixed", True, ()),
            ("environment", "read", "NOTES_LEVEL", "fixed", False, ("info",)),
            ("environment", "read", "NOTES_URL", "fixed", False, ()),
            ("file", "read", "/srv/notes/index", "fixed", False, ()),
            ("host", "connect", "", "caller", False, ()),
            ("host", "connect", "", "configured", False, ()),
            ("host", "connect", "api.notes.example", "fixed", False, ()),
            ("program", "run", "git", "fixed", False, ()),
        ]
    )


def test_javascript_code_is_told_with_variables_files_hosts_and_programs():
    assert needed(server_js=JAVASCRIPT) == snapshot(
        [
            ("environment", "read", "NOTES_KEY", "fixed", False, ()),
            ("environment", "read", "NOTES_LEVEL", "fixed", False, ("info",)),
            ("environment", "read", "NOTES_URL", "fixed", False, ("https://notes.example",)),
            ("file", "read", "/srv/notes/index", "fixed", False, ()),
            ("host", "connect", "", "caller", False, ()),
            ("host", "connect", "api.notes.example", "fixed", False, ()),
            ("host", "connect", "notes.example", "computed", False, ()),
            ("program", "run", "git", "fixed", False, ()),
        ]
    )


def test_comments_and_assignments_are_no_reads():
    found = needed(
        server_js="// process.env.A\nprocess.env.B = '1';\nexport const c = process.env.C || process.env.D;\n"
    )

    assert [value for _, _, value, *_ in found] == ["C", "D"]


def test_settings_classes_are_variables_with_their_prefix():
    found = needed(
        settings_py="""
from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="NOTES_")
    key: str
    level: str = "info"
    place: str = Field(default="here", validation_alias="PLACE_OF_NOTES")
    team: str = Field(..., validation_alias=AliasChoices("TEAM", "GROUP"))
"""
    )

    assert [(value, required, defaults) for _, _, value, _, required, defaults in found] == [
        ("GROUP", True, ()),
        ("NOTES_KEY", True, ()),
        ("NOTES_LEVEL", False, ("info",)),
        ("PLACE_OF_NOTES", False, ()),
        ("TEAM", True, ()),
    ]


def test_a_default_that_is_a_secret_is_not_shown():
    report = audit_sources(
        {"s.py": b'import os\nK = os.getenv("NOTES_TOKEN", "kd83hf73kfh38fj3")\n'}
    )

    assert "kd83hf73kfh38fj3" not in render(report)
    assert "NOTES_TOKEN" in render(report)


def test_the_rows_of_the_text_report_are_short():
    report = audit_sources({"server.py": PYTHON.encode()})

    assert rows(report) == snapshot(
        [
            "environment: NOTES_KEY (required), NOTES_LEVEL, NOTES_URL",
            "hosts: api.notes.example, chosen by a caller (1 place), configured (1 place)",
            "programs: git",
            "reads files: /srv/notes/index",
        ]
    )


def test_the_document_says_whether_everything_was_checked():
    report = audit_sources({"a.py": b"def f(:\n", "b.py": b"import os\nos.getenv('A')\n"})

    document = json.loads(render(report))
    assert document["complete"] is all(skip.kind.expected for skip in report.skipped)
