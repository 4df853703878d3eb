"""The typed view of package manifests: what a project depends on, and from where."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mcpward.core.late import late
from mcpward.documents.commands import entries
from mcpward.documents.requirements import Requirement, parse_requirement, requirements
from mcpward.documents.tree import Array, Document, Entry, Format, Node, Scalar, Table

_COMMIT = late(r"[0-9a-f]{40}")
_SHORT_COMMIT = late(r"[0-9a-f]{7,40}")
_REPOSITORY = late(
    r"(?:git\+|git://|git@|ssh://|(?:github|gitlab|bitbucket|gist):)|[\w.-]{1,100}/[\w.-]{1,100}(?:#|$)"
)
_NPM = ("dependencies", "optionalDependencies")
_ANY = frozenset({"", "*", "x", "X", "latest", "next", "canary", "beta"})
_OPEN = late(r">=?\s*\d[\w.-]*\s*")
_LOCAL = ("workspace:", "link:", "portal:", "file:", "catalog:", "npm:", "patch:")

Source = Literal["registry", "repository", "archive", "local"]


@dataclass(frozen=True, slots=True)
class Dependency:
    """One package that a project asks for."""

    name: str
    version: str
    """As written: a range, an address, nothing."""
    source: Source
    pinned: bool
    """Whether exactly one content fits: a version, a commit or a digest."""
    open: bool
    """Whether every later version fits."""
    node: Node | Entry


def dependencies(document: Document) -> tuple[Dependency, ...]:
    """What a manifest asks for when it is used, without what only its developers need."""
    name = posixpath.basename(document.path)
    if name == "package.json":
        return tuple(_npm(document.table))
    if name == "pyproject.toml":
        return tuple(_pyproject(document.table))
    if document.format is Format.REQUIREMENTS:
        return tuple(map(_python, requirements(document)))
    return ()


def _npm(top: Table) -> Iterator[Dependency]:
    for group in _NPM:
        for entry in entries(top.table(group)):
            if isinstance(entry.value, Scalar):
                yield _npm_dependency(entry, entry.value.text.strip())


def _npm_dependency(entry: Entry, version: str) -> Dependency:
    if version.startswith(_LOCAL):
        is_archive = version.startswith("file:") and version.endswith((".tgz", ".tar.gz"))
        source: Source = "archive" if is_archive else "local"
        return Dependency(entry.name, version, source, True, False, entry)
    if _REPOSITORY.match(version):
        pinned = bool(_SHORT_COMMIT.fullmatch(version.partition("#")[2].removeprefix("commit=")))
        return Dependency(entry.name, version, "repository", pinned, not pinned, entry)
    if version.startswith(("http://", "https://")):
        return Dependency(entry.name, version, "archive", False, False, entry)
    pinned = bool(re.fullmatch(r"=?v?\d+\.\d+\.\d+[\w.+-]*", version))
    is_open = version in _ANY or bool(_OPEN.fullmatch(version))
    return Dependency(entry.name, version, "registry", pinned, is_open, entry)


def _pyproject(top: Table) -> Iterator[Dependency]:
    sources = top.table("tool", "uv", "sources")
    listed = top.get("project", "dependencies")
    for item in listed.items if isinstance(listed, Array) else ():
        if isinstance(item, Scalar) and (found := parse_requirement(item.text, item)):
            if sources is None or sources.entry(found.name) is None:
                yield _python(found)
    for entry in entries(sources):
        if isinstance(entry.value, Table) and (made := _from_table(entry, entry.value)):
            yield made
    for entry in entries(top.table("tool", "poetry", "dependencies")):
        if entry.name == "python":
            continue
        if isinstance(entry.value, Table):
            made = _from_table(entry, entry.value)
            version = entry.value.text("version")
            yield made or _poetry(entry, version)
        elif isinstance(entry.value, Scalar):
            yield _poetry(entry, entry.value.text)


def _poetry(entry: Entry, version: str) -> Dependency:
    pinned = bool(re.fullmatch(r"(?:==?)?\s*\d+\.[\w.]+", version))
    is_open = version in _ANY or bool(_OPEN.fullmatch(version))
    return Dependency(entry.name, version, "registry", pinned, is_open, entry)


def _from_table(entry: Entry, table: Table) -> Dependency | None:
    """A package from a repository or an address, as uv and Poetry write it."""
    if url := table.text("git"):
        commit = table.text("rev") or table.text("tag")
        pinned = bool(_SHORT_COMMIT.fullmatch(table.text("rev")))
        wanted = commit or table.text("branch")
        shown = f"{url}@{wanted}" if wanted else url
        return Dependency(entry.name, shown, "repository", pinned, not pinned, entry)
    if url := table.text("url"):
        return Dependency(entry.name, url, "archive", False, False, entry)
    return None


def _python(found: Requirement) -> Dependency:
    name = found.name or found.url[:120]
    address = found.url
    if not address:
        is_open = not found.bounded
        return Dependency(name, found.specifier, "registry", found.exact, is_open, found.node)
    if address.startswith(("git+", "hg+", "svn+", "bzr+")):
        commit = address.partition("#")[0].rpartition("@")[2]
        pinned = bool(_COMMIT.fullmatch(commit))
        return Dependency(name, address, "repository", pinned, not pinned, found.node)
    if address.startswith(("http://", "https://")):
        pinned = bool(found.hashes) or "#sha" in address
        return Dependency(name, address, "archive", pinned, False, found.node)
    return Dependency(name, address, "local", True, False, found.node)
