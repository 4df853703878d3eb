"""What a server declares to clients is read from its code, whole and with places."""

from inline_snapshot import snapshot

from mcpward.audit.collect import collect_memory
from mcpward.audit.definitions import definitions
from mcpward.audit.run import roots
from mcpward.audit.written import Fields, Items, Made, Plain, Reader
from mcpward.catalog.catalog import load_catalog
from mcpward.frontends.load import load
from mcpward.taint.engine import solve
from mcpward.taint.world import World


def declared(**files):
    texts = {name.replace("_", "."): text.encode() for name, text in files.items()}
    collected = collect_memory(texts)
    catalog = load_catalog()
    program = load(collected.sources, collected.texts)
    world = World(program, catalog)
    solve(world, roots(program, catalog))
    return [(d.sort, shown(d.fields)) for d in definitions(Reader(world))]


def shown(written):
    match written:
        case Plain():
            return written.value
        case Fields():
            return {key: shown(value) for key, value in written.items}
        case Items():
            return [shown(value) for value in written.items]
        case Made():
            return f"{written.name}()"
        case _:
            return ...


def test_a_decorated_function_is_told_with_its_docstring_and_parameters():
    found = declared(
        server_py='''
from typing import Annotated, Literal
from mcp.server.fastmcp import Context, FastMCP
from pydantic import Field

mcp = FastMCP("notes", instructions="Notes of a team.")

@mcp.tool(annotations={"readOnlyHint": True})
def read_note(
    ctx: Context,
    name: Annotated[str, Field(description="The name", max_length=10)],
    kind: Literal["new", "old"] = "new",
    count: int = Field(3, description="How many"),
) -> str:
    """Reads a note."""
    return name
'''
    )

    assert found == snapshot(
        [
            ("server", {"name": "notes", "instructions": "Notes of a team."}),
            (
                "tools",
                {
                    "name": "read_note",
                    "annotations": {"readOnlyHint": True},
                    "description": "Reads a note.",
                    "inputSchema": {
                        "type": "object",
                        "properties": {
                            "name": {
                                "type": "string",
                                "description": "The name",
                                "maxLength": 10,
                            },
                            "kind": {"enum": ["new", "old"], "default": "new"},
                            "count": {"type": "integer", "description": "How many"},
                        },
                        "required": ["name"],
                    },
                },
            ),
        ]
    )


def test_tools_that_are_listed_are_told_with_their_schema():
    found = declared(
        texts_py='ABOUT = "Reads " + "a note"\n',
        server_py="""
import mcp.types as types
from mcp.server.lowlevel import Server
from texts import ABOUT

server = Server("notes")
FIELDS = {"name": {"type": "string"}}

@server.list_tools()
async def list_tools():
    return [types.Tool(name="read", description=ABOUT, inputSchema={"type": "object", "properties": FIELDS})]
""",
    )

    assert found == snapshot(
        [
            ("server", {"name": "notes"}),
            (
                "tools",
                {
                    "name": "read",
                    "description": "Reads a note",
                    "inputSchema": {
                        "type": "object",
                        "properties": {"name": {"type": "string"}},
                    },
                },
            ),
        ]
    )


def test_schemas_of_zod_are_told_as_json_schema():
    found = declared(
        texts_ts="export const ABOUT = `Reads ${1} note`;\n",
        server_ts="""
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";
import { ABOUT } from "./texts";

const server = new McpServer({ name: "notes", version: "1" }, { instructions: "Notes." });
const kind = z.enum(["new", "old"]).optional();
server.registerTool(
  "read",
  { title: "Read", description: ABOUT, inputSchema: { name: z.string().max(3).describe("Name"), kind } },
  async ({ name }) => ({ content: [{ type: "text", text: name }] }),
);
server.tool("find", "Finds" + " notes", { words: z.array(z.string()) }, async ({ words }) => ({ content: [] }));
""",
    )

    assert found == snapshot(
        [
            ("server", {"name": "notes", "version": "1", "instructions": "Notes."}),
            (
                "tools",
                {
                    "name": "read",
                    "title": "Read",
                    "description": "Reads 1 note",
                    "inputSchema": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string", "description": "Name", "maxLength": 3},
                            "kind": {"type": "string", "enum": ["new", "old"]},
                        },
                        "required": ["name"],
                    },
                },
            ),
            (
                "tools",
                {
                    "name": "find",
                    "description": "Finds notes",
                    "inputSchema": {
                        "type": "object",
                        "properties": {"words": {"type": "array", "items": {"type": "string"}}},
                        "required": ["words"],
                    },
                },
            ),
        ]
    )


def test_a_text_that_is_made_at_run_time_is_not_whole():
    [_, (_, tool)] = declared(
        server_py="""
import os
from mcp.server.fastmcp import FastMCP

mcp = FastMCP("notes")

@mcp.tool(description="Reads " + os.environ["WHAT"])
def read(name: str) -> str:
    return name
"""
    )

    assert tool["description"] == "Reads …"


def test_a_value_that_refers_to_itself_ends():
    assert declared(
        server_js="""
const a = { name: "x", inputSchema: {} };
a.inputSchema = a;
let b = b0, b0 = b;
export const t = { name: b, description: b0, inputSchema: a };
"""
    )
