"""The command lines that documents hold: of clients, containers, compose services and scripts."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mcpward.core.late import late
from mcpward.documents.clients import ConfiguredServer
from mcpward.documents.dockerfile import instructions
from mcpward.documents.tree import Array, Document, Entry, Format, Node, Scalar, Table

Origin = Literal["client", "image", "build", "compose", "script"]

_STARTS = frozenset({"CMD", "ENTRYPOINT"})
_COMPOSE = late(r"(?:docker-)?compose[\w.-]*\.ya?ml", re.IGNORECASE)
_ASSIGNMENT = late(r"[A-Za-z_]\w*+=")
_MOST_CHARACTERS = 20_000
_MOST_WORDS = 5_000
_FETCHED_SHELL = late(
    r"\b(?:curl|wget)\b[^|;&\n]{0,400}\|\s{0,9}(?:sudo\s{1,9})?(?:ba|z|da|k)?sh\b"
    r"|\b(?:ba|z)?sh\s{1,9}(?:-c\s{1,9})?[\"']?(?:<\(|\$\()\s{0,9}(?:curl|wget)\b"
    r"|\b(?:iex|invoke-expression)\b[^;\n]{0,200}\b(?:irm|iwr|invoke-webrequest|downloadstring)\b"
    r"|\b(?:irm|iwr|invoke-webrequest)\b[^|;\n]{0,200}\|\s{0,9}(?:iex|invoke-expression)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command, with the variables that are set for it."""

    words: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    origin: Origin
    node: Node
    """The words as a whole; of a client, the table of the server."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that a document sets in the environment of a program."""

    name: str
    value: str
    node: Node | Entry


def runs_fetched_script(text: str) -> bool:
    """Whether a command line downloads a script and gives it to a shell."""
    return bool(_FETCHED_SHELL.search(text[:_MOST_CHARACTERS]))


def commands(document: Document, servers: Sequence[ConfiguredServer]) -> Iterator[Command]:
    """Every command line of a document that is one of those kinds."""
    name = posixpath.basename(document.path)
    for server in servers:
        if server.words and not server.disabled:
            env = tuple((entry.name, _text(entry.value)) for entry in server.env)
            yield Command(server.words, env, "client", server.node)
    if document.format is Format.DOCKERFILE:
        for one in instructions(document):
            if one.name in _STARTS:
                words = one.words
                text = shlex.join(words) if words is not None else one.value
                yield from _simple(text, "image", one.node)
            elif one.name == "RUN":
                for text in (one.value, *one.heredocs):
                    yield from _simple(text, "build", one.node)
    elif _COMPOSE.fullmatch(name):
        for service in _services(document):
            for key in ("command", "entrypoint"):
                if (node := service.get(key)) is not None:
                    yield from _simple(_joined(node), "compose", node)
    elif name == "package.json":
        for entry in entries(document.table.table("scripts")):
            yield from _simple(_text(entry.value), "script", entry.value)


def variables(
    document: Document, servers: Sequence[ConfiguredServer], found: Sequence[Command]
) -> Iterator[Variable]:
    """Every variable that a document sets for a program."""
    for server in servers:
        if not server.disabled:
            for entry in server.env:
                yield Variable(entry.name, _text(entry.value), entry)
    if document.format is Format.DOCKERFILE:
        for one in instructions(document):
            if one.name in ("ENV", "ARG"):
                for name, value in _assignments(one.value):
                    yield Variable(name, value, one.node)
    elif document.format is Format.ENV:
        for entry in document.table.entries:
            yield Variable(entry.name, _text(entry.value), entry)
    elif _COMPOSE.fullmatch(posixpath.basename(document.path)):
        for service in _services(document):
            yield from _environment(service.get("environment"))
    for command in found:
        if command.origin != "client":
            for name, value in command.env:
                yield Variable(name, value, command.node)


def compose_services(document: Document) -> tuple[tuple[str, Table], ...]:
    """The services of a compose file by name."""
    if not _COMPOSE.fullmatch(posixpath.basename(document.path)):
        return ()
    found = entries(document.table.table("services"))
    return tuple((e.name, e.value) for e in found if isinstance(e.value, Table))


def simple_commands(text: str) -> Iterator[tuple[tuple[str, ...], tuple[tuple[str, str], ...]]]:
    """The simple commands of a line of shell, each with the variables set in front of it."""
    lexer = shlex.shlex(text[:_MOST_CHARACTERS], posix=True, punctuation_chars="();|&\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for number, word in enumerate(lexer):
            if number >= _MOST_WORDS:
                break
            if set(word) <= set("();|&\n"):
                yield from _parted(words)
                words = []
            else:
                words.append(word)
    except ValueError:
        pass  # a quote that is never closed: what came before it still counts
    yield from _parted(words)


def entries(table: Table | None) -> tuple[Entry, ...]:
    """The entries of a table that may not be there."""
    return table.entries if table else ()


def _parted(words: list[str]) -> Iterator[tuple[tuple[str, ...], tuple[tuple[str, str], ...]]]:
    at = 0
    while at < len(words) and (
        _ASSIGNMENT.match(words[at]) or words[at] in ("export", "cross-env", "env")
    ):
        at += 1
    pairs = (word.partition("=") for word in words[:at] if "=" in word)
    env = tuple((name, value) for name, _, value in pairs)
    if words:
        yield tuple(words[at:]), env


def _simple(text: str, origin: Origin, node: Node) -> Iterator[Command]:
    for words, env in simple_commands(text):
        yield Command(words, env, origin, node)


def _services(document: Document) -> Iterator[Table]:
    for _, service in compose_services(document):
        yield service


def _joined(node: Node) -> str:
    if isinstance(node, Array):
        return shlex.join(item.text for item in node.items if isinstance(item, Scalar))
    return _text(node)


def _text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _environment(node: Node | None) -> Iterator[Variable]:
    match node:
        case Table():
            for entry in node.entries:
                yield Variable(entry.name, _text(entry.value), entry)
        case Array(items=items):
            for item in items:
                name, given, value = _text(item).partition("=")
                if given:
                    yield Variable(name, value, item)
        case _:
            pass


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """`A=1 B="2"`, or the older `A 1`."""
    found = False
    for words, env in simple_commands(text):
        for name, value in env:
            found = True
            yield name, value
        if not found and len(words) > 1:
            yield words[0], " ".join(words[1:])
        break
