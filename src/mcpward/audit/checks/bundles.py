"""Rules about what bundles and registry entries say of a server."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from mcpward.audit.subject import Sighting, Subject
from mcpward.core.late import late
from mcpward.documents.commands import entries
from mcpward.documents.launches import image_floats
from mcpward.documents.tree import Array, Document, Entry, Node, Scalar, Table

_SECRET = late(
    r"(?:.*[_.\s-])?(?:api[_\s-]?key|apikey|token|secret|password|passwd|private[_\s-]?key"
    r"|access[_\s-]?key|credentials?)",
    re.IGNORECASE,
)
_SECRET_HEADER = late(r"authorization|cookie|(?:x-)?[\w-]{0,40}(?:key|token|secret)", re.IGNORECASE)
_EXACT = late(r"v?\d+\.\d+[\w.+-]*")
_HOME = late(r"\$\{?HOME\}?/?|~/?|/")


def bundle_manifest_overreach(subject: Subject) -> Iterator[Sighting]:
    """Bundles and registry entries that ask for too much or leave open what is meant."""
    for path, document in subject.documents.items():
        match posixpath.basename(path):
            case "manifest.json" if _is_bundle(document.table):
                yield from _bundle(document)
            case "server.json":
                yield from _server(document)
            case _:
                pass


def _is_bundle(top: Table) -> bool:
    has_version = top.get("manifest_version") or top.get("dxt_version")
    return has_version is not None and top.table("server") is not None


def _bundle(document: Document) -> Iterator[Sighting]:
    for entry in entries(document.table.table("user_config")):
        asked = entry.value
        if not isinstance(asked, Table):
            continue
        is_text = asked.text("type") in ("string", "")
        if is_text and _SECRET.fullmatch(entry.name) and not _flag(asked, "sensitive"):
            detail = f"`{entry.name[:60]}` is not marked as sensitive, so it is kept in plain text"
            yield Sighting(document.place(entry.key), detail)
        default = asked.get("default")
        if asked.text("type") == "directory":
            for node in _scalars(default):
                if _HOME.fullmatch(node.text):
                    detail = f"`{entry.name[:60]}` is `{node.text}` unless the user changes it"
                    yield Sighting(document.place(node), detail)
    for node in _scalars(document.table.get("server", "mcp_config", "args")):
        if _HOME.fullmatch(node.text):
            detail = f"the server is given `{node.text}` without asking"
            yield Sighting(document.place(node), detail)


def _server(document: Document) -> Iterator[Sighting]:
    packages = document.table.get("packages")
    for item in packages.items if isinstance(packages, Array) else ():
        if isinstance(item, Table):
            yield from _package(document, item)
    remotes = document.table.get("remotes")
    for item in remotes.items if isinstance(remotes, Array) else ():
        if isinstance(item, Table):
            yield from _inputs(document, item.get("headers"), _SECRET_HEADER)


def _package(document: Document, package: Table) -> Iterator[Sighting]:
    kind = package.text("registryType") or package.text("registry_type")
    identifier = package.get("identifier")
    version = package.get("version")
    if isinstance(identifier, Scalar):
        if kind == "oci" and image_floats(identifier.text) and not _versioned(version):
            detail = f"the image `{identifier.text[:120]}` has neither digest nor version"
            yield Sighting(document.place(identifier), detail)
        if kind == "mcpb" and not (package.text("fileSha256") or package.text("file_sha256")):
            detail = f"the bundle `{identifier.text[:120]}` has no digest"
            yield Sighting(document.place(identifier), detail)
    if isinstance(version, Scalar) and kind != "oci" and not _versioned(version):
        detail = f"`{version.text[:60]}` is not a version"
        yield Sighting(document.place(version), detail)
    names = package.get("environmentVariables") or package.get("environment_variables")
    yield from _inputs(document, names, _SECRET)


def _versioned(node: Node | None) -> bool:
    return isinstance(node, Scalar) and bool(_EXACT.fullmatch(node.text))


def _inputs(document: Document, node: Node | None, secret: re.Pattern[str]) -> Iterator[Sighting]:
    for item in node.items if isinstance(node, Array) else ():
        if not isinstance(item, Table):
            continue
        name = item.entry("name")
        is_marked = _flag(item, "isSecret") or _flag(item, "is_secret")
        if isinstance(name, Entry) and secret.fullmatch(item.text("name")) and not is_marked:
            if item.text("value") and "{" not in item.text("value"):
                continue  # a fixed value, which is no input
            detail = f"`{item.text('name')[:60]}` is not marked as secret"
            yield Sighting(document.place(name.value), detail)


def _flag(table: Table, key: str) -> bool:
    node = table.get(key)
    return isinstance(node, Scalar) and node.value is True


def _scalars(node: Node | None) -> tuple[Scalar, ...]:
    match node:
        case Scalar():
            return (node,)
        case Array(items=items):
            return tuple(item for item in items if isinstance(item, Scalar))
        case _:
            return ()
