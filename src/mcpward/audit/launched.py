"""The servers that configurations start, and the packages that belong to the target itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from mcpward.audit.subject import Subject
from mcpward.documents.clients import ConfiguredServer
from mcpward.documents.tree import Document, Node


def bare(package: str) -> str:
    """The name of a package without version and extras."""
    name = package[:1] + package[1:].partition("@")[0]
    return re.split(r"[\[=<>~! ]", name, maxsplit=1)[0].lower().replace("_", "-")


def own_packages(subject: Subject) -> frozenset[str]:
    """The packages whose manifests are in the target."""
    names = set()
    for path, document in subject.documents.items():
        match posixpath.basename(path):
            case "package.json":
                names.add(document.table.text("name"))
            case "pyproject.toml":
                names.add(document.table.text("project", "name"))
            case _:
                pass
    return frozenset(name.lower().replace("_", "-") for name in names if name)


def started(subject: Subject) -> Iterator[tuple[Document, ConfiguredServer]]:
    """The servers that clients start as programs."""
    for path, document in subject.documents.items():
        for server in subject.servers[path]:
            if server.words and not server.disabled:
                yield document, server


def word_node(server: ConfiguredServer, at: int) -> Node:
    """The node of a word of the command line."""
    if at > 0 and at <= len(server.args):
        return server.args[at - 1]
    return server.command_node if server.command_node is not None else server.node
