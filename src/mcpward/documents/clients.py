"""The typed view of client configurations: the servers a client starts or connects to."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from mcpward.documents.tree import Array, Document, Entry, Node, Scalar, Table

_PATHS: tuple[tuple[str, ...], ...] = (
    ("mcpServers",),
    ("mcp_servers",),
    ("context_servers",),
    ("mcp", "servers"),
    ("mcp", "mcpServers"),
    ("amp.mcpServers",),
    ("amp", "mcpServers"),
    ("powers", "mcpServers"),
    ("settings", "mcp", "servers"),
    ("customizations", "vscode", "mcp", "servers"),
)
"""Where servers stand whatever the file is called."""
_PROJECTS = "projects"
"""Holds one table for each folder, each with servers of its own."""
_NAMED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("servers", ("mcp.json",)),
    ("mcp", ("opencode.json", "opencode.jsonc", "crush.json", ".crush.json")),
    ("extensions", ("config.yaml", "config.yml")),
)
"""Keys that mean servers only in files of these names."""
_FLAT = frozenset({"mcp.json", ".mcp.json"})
"""Files that may hold nothing but servers by name."""
_URLS = ("url", "httpUrl", "serverUrl", "uri")
_ENVIRONMENTS = ("env", "envs", "environment")
_HEADERS = ("headers", "http_headers")
_FOLDERS = ("cwd", "working_directory", "workingDirectory", "workingDir")
_COMMANDS = ("command", "cmd")
_MOST_SERVERS = 1_000


@dataclass(frozen=True, slots=True)
class ConfiguredServer:
    """One server in the configuration of a client."""

    name: str
    command: str
    """The program that is started; empty for a server that is only connected to."""
    args: tuple[Scalar, ...]
    env: tuple[Entry, ...]
    """Names and values; never the names of variables that are only passed on."""
    url: str
    headers: tuple[Entry, ...]
    cwd: str
    disabled: bool
    node: Table
    """The table of the server."""
    command_node: Node | None = None
    url_node: Node | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The command line: the program and its arguments."""
        return (self.command, *(arg.text for arg in self.args)) if self.command else ()


def configured_servers(document: Document) -> tuple[ConfiguredServer, ...]:
    """The servers that a client configuration names; nothing for any other document."""
    out: list[ConfiguredServer] = []
    seen: set[int] = set()
    for node in _collections(document):
        if id(node) in seen:
            continue
        seen.add(id(node))
        for name, table in _members(node):
            if len(out) < _MOST_SERVERS and (server := _server(name, table)) is not None:
                out.append(server)
    return tuple(out)


def _collections(document: Document) -> Iterator[Node]:
    top = document.table
    found = False
    for base in (top, *_projects(top)):
        for path in _PATHS:
            node = base.get(*path)
            if isinstance(node, Table | Array):
                found = True
                yield node
    name = posixpath.basename(document.path).lower()
    if name == "manifest.json" and top.table("server", "mcp_config"):
        yield Table(tuple(e for e in top.entries if e.name == "server"), top.start, top.end)
        return
    for key, files in _NAMED:
        node = top.get(key)
        if name in files and isinstance(node, Table):
            found = True
            yield node
    if name in _FLAT and not found:
        yield top


def _projects(top: Table) -> Iterator[Table]:
    folders = top.table(_PROJECTS)
    for entry in folders.entries if folders else ():
        if isinstance(entry.value, Table):
            yield entry.value


def _members(node: Node) -> Iterator[tuple[str, Table]]:
    match node:
        case Table(entries=entries):
            for entry in entries:
                if isinstance(entry.value, Table):
                    yield entry.name, entry.value
        case Array(items=items):
            for item in items:
                if isinstance(item, Table):
                    yield item.text("name"), item
        case Scalar():
            pass


def _server(name: str, table: Table) -> ConfiguredServer | None:
    # Some clients nest what describes the connection.
    inner = table
    for key in ("transport", "command", "mcp_config"):
        inner = table.table(key) or inner
    command_node = _first(inner, (*_COMMANDS, "path"))
    words = _words(command_node)
    args = (*words[1:], *_words(inner.get("args")), *_words(inner.get("arguments")))
    url_node = _first(inner, _URLS)
    url = url_node.text if isinstance(url_node, Scalar) else ""
    if not words and not url:
        return None
    return ConfiguredServer(
        name=name,
        command=words[0].text if words else "",
        args=args,
        env=_pairs(inner, _ENVIRONMENTS),
        url=url,
        headers=(*_pairs(inner, _HEADERS), *_nested(inner)),
        cwd=next((inner.text(key) for key in _FOLDERS if inner.text(key)), ""),
        disabled=_disabled(table),
        node=table,
        command_node=command_node,
        url_node=url_node,
    )


def _first(table: Table, keys: tuple[str, ...]) -> Node | None:
    return next((node for key in keys if (node := table.get(key)) is not None), None)


def _words(node: Node | None) -> tuple[Scalar, ...]:
    match node:
        case Scalar(value=str(text)) if text:
            return (node,)
        case Array(items=items):
            return tuple(item for item in items if isinstance(item, Scalar))
        case _:
            return ()


def _pairs(table: Table, keys: tuple[str, ...]) -> tuple[Entry, ...]:
    nodes = (table.table(key) for key in keys)
    entries = (entry for node in nodes if node for entry in node.entries)
    return tuple(entry for entry in entries if isinstance(entry.value, Scalar))


def _nested(table: Table) -> tuple[Entry, ...]:
    options = table.table("requestOptions") or table.table("requestInit")
    return _pairs(options, _HEADERS) if options else ()


def _disabled(table: Table) -> bool:
    off, on = table.get("disabled"), table.get("enabled")
    return (isinstance(off, Scalar) and off.value is True) or (
        isinstance(on, Scalar) and on.value is False
    )
