"""Generated JavaScript handlers: how they are laid out as a server, run by Node, and audited."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from generate_programs import Language, Unit, Writer, prelude, read_grammar, shrunken
from run_python import Flow, reported

HERE = Path(__file__).parent
NODE = shutil.which("node")
LANGUAGE = Language(
    grammar=read_grammar(HERE / "javascript.grammar"),
    assign="let {name} = {value};",
    sink="execSync(‹text›);",
    opener=re.compile(
        r"^(?:const \S+ = )?(?:async )?(?:\(.*\) => \{$|function)|\(\(.*\) => \{$|, \(.*\) => \{$"
        r"|^class |^(?!if|for|while|switch|\}|‹#l)\S+\([^()]*\) \{$"
    ),
)
SHELL = 'import child_process, { execSync } from "node:child_process";\n'
SDK = """\
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";
"""
REST = """\
import { EventEmitter } from "node:events";
import * as parts from "./parts.js";
const server = new McpServer({ name: "generated", version: "1" });
"""
LOOP = re.compile(r"(?m)^( *(?:\w+: )?(?:for|while|do)\b.*\{)$")
"""The heads of loops, behind which a run counts: a loop may lengthen the list that it walks."""
RECORDER = "const execSync = globalThis.__record, child_process = { execSync };\n"
STUBS = """\
class McpServer { registerTool(name, options, call) { globalThis.__kept.push([name, call]); } }
const z = { string: () => null };
"""


def unit(number: int, seed: str) -> dict[str, list[str]]:
    """The lines of a random handler with all it needs: file → lines."""
    return laid_out(Writer(LANGUAGE, number, seed).write())


def laid_out(made: Unit) -> dict[str, list[str]]:
    """The lines of a handler with all it needs: file → lines."""
    number = made.number
    before = prelude(LANGUAGE.grammar, made)
    word = "async " if made.asynchronous else ""
    head = (
        f'server.registerTool("handler_{number}", {{ inputSchema: {{ text: z.string() }} }}, '
        f"{word}({{ text }}) => {{"
    )
    body = [f"    {line}" for line in made.body]
    return {
        "server.js": [*before, *made.top, head, *body, "    return { content: [] };", "});"],
        "parts.js": made.other,
    }


def server(units: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, str]:
    """The files of a server with these handlers."""
    units = list(units)
    main = [line for unit in units for line in unit["server.js"]]
    parts = [line for unit in units for line in unit["parts.js"]]
    return {
        "server.js": SHELL + SDK + REST + "\n".join(main) + "\n",
        "parts.js": SHELL + "\n".join(parts) + "\n",
    }


def reached(servers: Sequence[Mapping[str, str]]) -> list[set[Flow]]:
    """What really reaches the shell, for each server; one process runs them all.

    Raises RuntimeError when one of them does not load.
    """
    assert NODE is not None
    with tempfile.TemporaryDirectory(prefix="oracle-") as folder:
        names = []
        for at, files in enumerate(servers):
            path = Path(folder, str(at))
            path.mkdir()
            names.append(str(path))
            for file, text in files.items():
                text = LOOP.sub(r"\1 __turn();", text)
                run = text.replace(SHELL, RECORDER).replace(SDK, STUBS).replace('.js"', '.mjs"')
                (path / file.replace(".js", ".mjs")).write_text(run, "utf-8")
        done = subprocess.run(
            [
                NODE,
                "--stack-size=800",
                "--max-old-space-size=512",
                str(HERE / "drive_javascript.mjs"),
            ],
            input=json.dumps(names),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=50,
            check=False,
        )
    out = []
    for line in done.stdout.splitlines():
        told = json.loads(line)
        if told["failure"]:
            raise RuntimeError(told["failure"])
        out.append({Flow(name, file.replace(".mjs", ".js"), at) for name, file, at in told["seen"]})
    if len(out) != len(servers):
        raise RuntimeError(done.stderr[-1000:])
    return out


def missed(units: Iterable[Mapping[str, Sequence[str]]]) -> set[Flow]:
    """What reaches the shell and is not reported."""
    files = server(units)
    return reached([files])[0] - reported(files)


def smallest(unit: Mapping[str, Sequence[str]]) -> str:
    """The shortest program made of lines of this one of which something is missed."""

    def build(lines: list[tuple[str, str]]) -> dict[str, list[str]]:
        return {file: [text for had, text in lines if had == file] for file in unit}

    def fails(lines: list[tuple[str, str]]) -> bool:
        try:
            return bool(missed([build(lines)]))
        except (RuntimeError, subprocess.TimeoutExpired):
            return False

    lines = shrunken([(file, text) for file, texts in unit.items() for text in texts], fails)
    return "\n".join(f"{'' if file == 'server.js' else file + ': '}{text}" for file, text in lines)
