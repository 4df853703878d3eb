"""Rules about packages that are named almost like known ones."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from mcpward.audit.launched import bare, own_packages, started, word_node
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence
from mcpward.documents.commands import simple_commands
from mcpward.documents.launches import Launch, launch, shell_script
from mcpward.documents.lookalikes import Ecosystem, lookalike
from mcpward.documents.packages import dependencies
from mcpward.documents.tree import Document, Entry, Node

_PYTHON = frozenset({"uvx", "uv tool run", "pipx run"})
_IMAGES = frozenset({"docker", "podman", "nerdctl"})


def typosquatted_package(subject: Subject) -> Iterator[Sighting]:
    """Dependencies, and packages that clients start, that a known name is hidden in."""
    own = own_packages(subject)
    told: set[tuple[str, str]] = set()
    for document, ecosystem, name, node in _names(subject):
        key = (document.path, name)
        if key in told or name.lower().replace("_", "-") in own:
            continue
        told.add(key)
        if found := lookalike(ecosystem, name):
            detail = f"`{name[:80]}` {found.how}: the known one is `{found.known}`"
            yield Sighting(document.place(node), detail, confidence=Confidence.MEDIUM)


def _names(subject: Subject) -> Iterator[tuple[Document, Ecosystem, str, Node | Entry]]:
    for document, server in started(subject):
        if script := shell_script(server.words):
            at, text = script
            for words, _ in simple_commands(text):
                if found := launch(words):
                    yield from _launched(document, found, word_node(server, at))
        elif found := launch(server.words):
            yield from _launched(document, found, word_node(server, found.at))
    for path, document in subject.documents.items():
        ecosystem: Ecosystem = "npm" if posixpath.basename(path) == "package.json" else "pypi"
        for one in dependencies(document):
            if one.source == "registry":
                yield document, ecosystem, one.name, one.node


def _launched(
    document: Document, found: Launch, node: Node
) -> Iterator[tuple[Document, Ecosystem, str, Node]]:
    if "://" in found.package or found.package.startswith("git@"):
        return
    if found.launcher in _IMAGES:
        image = found.package.partition("@")[0]
        folder, _, last = image.rpartition("/")
        yield document, "image", f"{folder}/{last.partition(':')[0]}".lstrip("/"), node
    elif found.launcher in _PYTHON:
        yield document, "pypi", bare(found.package), node
    elif found.launcher != "go run" and (found.package.startswith("@") or "/" not in found.package):
        yield document, "npm", found.package[:1] + found.package[1:].partition("@")[0], node
