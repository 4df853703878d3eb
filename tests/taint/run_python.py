"""Generated Python handlers: how they are laid out as a server, run, and audited."""

import asyncio
import builtins
import contextlib
import gc
import io
import re
import sys
import threading
import types
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from generate_programs import Language, Unit, Writer, prelude, read_grammar, shrunken

from mcpward.audit.run import audit_sources

LANGUAGE = Language(
    grammar=read_grammar(Path(__file__).with_name("python.grammar")),
    assign="{name} = {value}",
    sink="os.system(‹text›)",
    opener=re.compile(r"^(?:async )?def "),
)
SIGN = "€"
STEPS = 5_000
INPUTS = ("€€€€€€", "a €,X€\n€ {€}")
IMPORTS = """\
import asyncio, base64, collections, concurrent.futures, contextlib, contextvars, copy, dataclasses
import functools, io, itertools, json, operator, queue, re, textwrap, threading, types, urllib.parse
import os
"""
SERVER = (
    'from mcp.server.fastmcp import FastMCP\nfrom parts import *\n\nmcp = FastMCP("generated")\n'
)


class Flow(NamedTuple):
    """Data of a handler at a line."""

    handler: str
    file: str
    line: int


def unit(number: int, seed: str) -> dict[str, list[str]]:
    """The lines of a random handler with all it needs: file → lines."""
    return laid_out(Writer(LANGUAGE, number, seed).write())


def laid_out(made: Unit) -> dict[str, list[str]]:
    """The lines of a handler with all it needs: file → lines."""
    number = made.number
    before = prelude(LANGUAGE.grammar, made)
    head = [
        "@mcp.tool()",
        f"{'async ' if made.asynchronous else ''}def handler_{number}(text: str) -> str:",
    ]
    body = [f"    {line}" for line in made.body]
    return {
        "server.py": [*before, *made.top, *head, *body, '    return "done"'],
        "parts.py": made.other,
    }


def server(units: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, str]:
    """The files of a server with these handlers."""
    units = list(units)
    server = [line for unit in units for line in unit["server.py"]]
    parts = [line for unit in units for line in unit["parts.py"]]
    return {
        "server.py": IMPORTS + SERVER + "\n".join(server) + "\n",
        "parts.py": IMPORTS + "\n".join(parts) + "\n",
    }


def reported(files: Mapping[str, str]) -> set[Flow]:
    """What the auditor says reaches a shell; other things that it says there do not count."""
    report = audit_sources({path: text.encode() for path, text in files.items()})
    return {
        Flow(found.handler.name, found.place.file, found.place.start.line)
        for found in report.findings
        if found.handler is not None and found.source_kind
    }


def reached(files: Mapping[str, str]) -> set[Flow]:
    """What really reaches the shell when every handler is called twice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen = _reached(files)
        gc.collect()
    return seen


def _reached(files: Mapping[str, str]) -> set[Flow]:
    seen: set[Flow] = set()
    current = ""

    def system(command: object = "", *_rest: object, **_named: object) -> int:
        if SIGN in str(command) or "\\u20ac" in str(command):
            frame = sys._getframe(1)
            while frame is not None and frame.f_code.co_filename not in files:
                frame = frame.f_back
            if frame is not None:
                seen.add(Flow(current, frame.f_code.co_filename, frame.f_lineno))
        return 0

    class Tools:
        def __init__(self, _name: str) -> None:
            self.kept: list[object] = []

        def tool(self) -> object:
            return lambda handler: self.kept.append(handler) or handler

    own = {
        "os": _module("os", system=system),
        "mcp.server.fastmcp": _module("mcp.server.fastmcp", FastMCP=Tools),
    }
    own["mcp"] = own["mcp.server.fastmcp"]

    def imported(
        name: str, scope: object = None, local: object = None, names: object = (), level: int = 0
    ) -> object:
        return own[name] if name in own else __import__(name, scope, local, names, level)

    words = vars(builtins) | {"__import__": imported}
    own["parts"] = parts = _module("parts", __builtins__=words)
    exec(compile(files["parts.py"], "parts.py", "exec"), vars(parts))
    main = _module("server", __builtins__=words)
    exec(compile(files["server.py"], "server.py", "exec"), vars(main))

    for value in INPUTS:
        for handler in main.mcp.kept:
            current = handler.__name__
            with contextlib.redirect_stdout(io.StringIO()), bounded(STEPS):
                if asyncio.iscoroutinefunction(handler):
                    asyncio.run(asyncio.wait_for(handler(value), 2))
                else:
                    handler(value)
    return seen


@contextlib.contextmanager
def bounded(steps: int) -> Iterator[None]:
    """Lets generated code fail in any way, and ends it when it runs for ever."""

    def trace(frame: types.FrameType, _event: str, _value: object) -> object:
        nonlocal steps
        steps -= 1
        if steps < 0 and frame.f_code.co_filename in ("server.py", "parts.py"):
            raise TimeoutError
        return trace

    had, hook = sys.gettrace(), threading.excepthook
    sys.settrace(trace)
    threading.settrace(trace)
    threading.excepthook = lambda _failure: None
    try:
        with contextlib.suppress(Exception):
            yield
    finally:
        sys.settrace(had)
        threading.settrace(had)
        threading.excepthook = hook


def missed(units: Iterable[Mapping[str, Sequence[str]]]) -> set[Flow]:
    """What reaches the shell and is not reported."""
    files = server(units)
    return reached(files) - reported(files)


def smallest(unit: Mapping[str, Sequence[str]]) -> str:
    """The shortest program made of lines of this one of which something is missed."""

    def build(lines: list[tuple[str, str]]) -> dict[str, list[str]]:
        return {file: [text for had, text in lines if had == file] for file in unit}

    def fails(lines: list[tuple[str, str]]) -> bool:
        files = server([build(lines)])
        with contextlib.suppress(Exception):
            real = reached(files)
            return bool(real) and not real <= reported(files)
        return False

    lines = shrunken([(file, text) for file, texts in unit.items() for text in texts], fails)
    return "\n".join(f"{'' if file == 'server.py' else file + ': '}{text}" for file, text in lines)


def _module(name: str, **members: object) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(members)
    return module
