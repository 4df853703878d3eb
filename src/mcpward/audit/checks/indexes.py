"""Rules about where packages are fetched from."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence
from mcpward.core.late import late
from mcpward.documents.addresses import address
from mcpward.documents.commands import Command, Variable, entries
from mcpward.documents.requirements import options
from mcpward.documents.tree import Array, Document, Entry, Format, Node, Scalar, Table

_INDEX_OPTIONS = frozenset({"-i", "--index-url", "--extra-index-url", "--index", "--default-index"})
_EXTRA = "--extra-index-url"
_TRUSTED = frozenset({"--trusted-host", "--allow-insecure-host"})
_TRUSTED_VARIABLES = frozenset({"PIP_TRUSTED_HOST", "UV_INSECURE_HOST"})
_INDEX_VARIABLES = frozenset({"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_INDEX"})
_PUBLIC = late(
    r"(?:files\.)?pypi\.org|(?:www\.)?piwheels\.org|download\.pytorch\.org|pypi\.(?:nvidia|ngc\.nvidia)\.com"
)
"""Public indexes whose names are kept free of strangers, or that hold builds of public packages."""
_UNSAFE_STRATEGY = frozenset({"unsafe-best-match", "unsafe-first-match"})
_INSTALLERS = late(r"pip3?|uv|python3?|pipx|npm|pnpm|yarn|poetry|uvx")


@dataclass(frozen=True, slots=True)
class _Setting:
    """One setting of an installer, whatever file it stands in."""

    kind: str
    """`index`, `extra`, `trusted`, `unverified`, `strategy`."""
    value: str
    node: Node | Entry


def insecure_package_index(subject: Subject) -> Iterator[Sighting]:
    """Packages that are fetched without encryption or without a check of certificates."""
    for path, document in subject.documents.items():
        for one in _settings(document, subject.variables[path], subject.commands[path]):
            if one.kind in ("index", "extra"):
                found = address(one.value)
                if found and found.scheme == "http" and not (found.loopback or found.unknown):
                    detail = f"`http://{found.host[:120]}` is not encrypted"
                    yield Sighting(document.place(one.node), detail)
            elif one.kind == "trusted":
                host = one.value.partition(":")[0].strip()
                found = address(f"https://{host}")
                if found and not (found.loopback or found.unknown):
                    detail = f"certificates of `{host[:120]}` are not checked"
                    yield Sighting(document.place(one.node), detail)
            elif one.kind == "unverified":
                detail = "certificates are not checked"
                yield Sighting(document.place(one.node), detail)


def dependency_confusion(subject: Subject) -> Iterator[Sighting]:
    """Private packages that anybody could publish under the same name elsewhere."""
    for path, document in subject.documents.items():
        for one in _settings(document, subject.variables[path], subject.commands[path]):
            if one.kind == "extra":
                found = address(one.value)
                if found and not (found.unknown or found.loopback or _PUBLIC.fullmatch(found.host)):
                    detail = f"packages are looked for in `{found.host[:120]}` and on PyPI alike"
                    yield Sighting(document.place(one.node), detail, confidence=Confidence.MEDIUM)
            elif one.kind == "strategy" and one.value in _UNSAFE_STRATEGY:
                detail = f"`{one.value}` takes the best version of all indexes"
                yield Sighting(document.place(one.node), detail)


def _settings(
    document: Document, variables: Sequence[Variable], commands: Sequence[Command]
) -> Iterator[_Setting]:
    name = posixpath.basename(document.path).lower()
    if document.format is Format.REQUIREMENTS:
        for option in options(document):
            if option.name in _INDEX_OPTIONS:
                kind = "extra" if option.name == _EXTRA else "index"
                yield _Setting(kind, option.value, option.node)
            elif option.name in _TRUSTED:
                yield _Setting("trusted", option.value, option.node)
    elif name in (".npmrc", "npmrc"):
        yield from _npmrc(document.table)
    elif name in ("pip.conf", "pip.ini"):
        yield from _pip(document.table)
    elif name in ("pyproject.toml", "uv.toml"):
        yield from _python(document.table, name)
    for variable in variables:
        if variable.name in _TRUSTED_VARIABLES:
            for host in variable.value.split():
                yield _Setting("trusted", host, variable.node)
        elif variable.name in _INDEX_VARIABLES:
            kind = "extra" if "EXTRA" in variable.name else "index"
            yield _Setting(kind, variable.value, variable.node)
        elif variable.name == "NPM_CONFIG_STRICT_SSL" and variable.value.lower() == "false":
            yield _Setting("unverified", "", variable.node)
    for command in commands:
        yield from _command(command.words, command.node)


def _npmrc(top: Table) -> Iterator[_Setting]:
    for entry in top.entries:
        value = entry.value.text if isinstance(entry.value, Scalar) else ""
        if entry.name == "registry" or entry.name.endswith(":registry"):
            yield _Setting("index", value, entry)
        elif entry.name.lower() == "strict-ssl" and value.lower() == "false":
            yield _Setting("unverified", "", entry)


def _pip(top: Table) -> Iterator[_Setting]:
    for section in top.entries:
        for entry in entries(section.value if isinstance(section.value, Table) else None):
            value = entry.value.text if isinstance(entry.value, Scalar) else ""
            kind = {"extra-index-url": "extra", "index-url": "index", "trusted-host": "trusted"}
            if found := kind.get(entry.name.replace("_", "-")):
                for word in value.split():
                    yield _Setting(found, word, entry)


def _python(top: Table, name: str) -> Iterator[_Setting]:
    uv = top if name == "uv.toml" else top.table("tool", "uv")
    pip = uv.table("pip") if uv else None
    for table in (uv, pip):
        if table is None:
            continue
        if isinstance(url := table.get("index-url"), Scalar):
            yield _Setting("index", url.text, url)
        for key, kind in (("allow-insecure-host", "trusted"), ("index-strategy", "strategy")):
            for node in _all(table.get(key)):
                yield _Setting(kind, node.text, node)
    poetry = top.get("tool", "poetry", "source")
    for listed in (uv.get("index") if uv else None, poetry):
        for item in listed.items if isinstance(listed, Array) else ():
            if isinstance(item, Table) and isinstance(url := item.get("url"), Scalar):
                yield _Setting("index", url.text, url)


def _all(node: Node | None) -> Iterator[Scalar]:
    match node:
        case Scalar():
            yield node
        case Array(items=items):
            yield from (item for item in items if isinstance(item, Scalar))
        case _:
            pass


def _command(words: tuple[str, ...], node: Node) -> Iterator[_Setting]:
    if not words or not _INSTALLERS.fullmatch(posixpath.basename(words[0])):
        return
    for number, word in enumerate(words):
        name, given, value = word.partition("=")
        value = value if given else next(iter(words[number + 1 : number + 2]), "")
        if name in _TRUSTED:
            yield _Setting("trusted", value, node)
        elif name in _INDEX_OPTIONS and name != "-i":
            yield _Setting("extra" if name == _EXTRA else "index", value, node)
        elif name == "--registry":
            yield _Setting("index", value, node)
        elif name == "--index-strategy":
            yield _Setting("strategy", value, node)
        elif name in ("strict-ssl", "--strict-ssl") and value.lower() == "false":
            yield _Setting("unverified", "", node)
