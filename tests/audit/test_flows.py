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
