"""Rules about what a project depends on."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity
from mcpward.core.late import late
from mcpward.documents.addresses import address
from mcpward.documents.packages import Dependency, dependencies
from mcpward.documents.tree import Document, Format, Scalar

_DEVELOPMENT = late(
    r"(?:^|[-_./])(?:dev|development|test|tests|testing|docs?|lint|build|ci|constraints|typing)"
    r"(?:[-_.]|$)",
    re.IGNORECASE,
)
_SHOWN = 6
_MANAGERS = {"package.json": "npm", "pyproject.toml": "python"}
_LOCKS = {
    "npm": re.compile(
        r"package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock"
    ),
    "python": re.compile(
        r"(?:uv|poetry|pdm|pixi|pipfile)\.lock|pylock(?:\.[\w-]+)?\.toml|conda-lock\.ya?ml"
    ),
}
_INSTALLS = {
    "npm": re.compile(r"(?:npm|pnpm|yarn|bun) (?:ci|install|i|--frozen-lockfile)(?: -.*)?|yarn"),
    "python": re.compile(
        r"(?:uv|poetry|pdm) (?:sync|install)\b.*|.*\bpip3? install .*(?<!\S)\.(?:\[.*)?"
    ),
}


# ---- versions ------------------------------------------------------------------------------------


def unpinned_dependency(subject: Subject) -> Iterator[Sighting]:
    """Manifests that leave versions open; one sighting for each file."""
    for path, document in subject.documents.items():
        found = dependencies(document)
        if document.format is Format.REQUIREMENTS:
            if not _DEVELOPMENT.search(posixpath.basename(path)) and not _locked(
                subject, path, "python"
            ):
                yield from _open_requirements(document, found)
        elif found and (manager := _MANAGERS.get(posixpath.basename(path))):
            wild = [one for one in found if one.source == "registry" and _any_version(one, manager)]
            if wild and not _locked(subject, path, manager):
                yield _listed(document, wild)


def _any_version(one: Dependency, manager: str) -> bool:
    """A library that sets only a lower bound is normal in Python, and odd in npm."""
    return one.open and (manager == "npm" or not one.version or one.version == "*")


def _open_requirements(document: Document, found: Sequence[Dependency]) -> Iterator[Sighting]:
    loose = [one for one in found if one.source == "registry" and not one.pinned]
    if loose:
        yield _listed(document, loose)


def _listed(document: Document, loose: Sequence[Dependency]) -> Sighting:
    names = ", ".join(f"`{one.name[:60]}`" for one in loose[:_SHOWN])
    rest = f" and {len(loose) - _SHOWN} more" if len(loose) > _SHOWN else ""
    return Sighting(document.place(loose[0].node), f"{names}{rest}")


# ---- lock files ----------------------------------------------------------------------------------


def missing_lockfile(subject: Subject) -> Iterator[Sighting]:
    """Applications that are built from a manifest and no lock file."""
    for path, document in subject.documents.items():
        manager = _MANAGERS.get(posixpath.basename(path))
        if manager is None or _locked(subject, path, manager):
            continue
        registry = [one for one in dependencies(document) if one.source == "registry"]
        if all(one.pinned for one in registry):
            continue
        reason = _deployed(subject, path, document, manager)
        if reason:
            yield Sighting(
                document.place(registry[0].node), f"{reason}, and has {len(registry)} dependencies"
            )


def _deployed(subject: Subject, path: str, document: Document, manager: str) -> str:
    """Why a project counts as an application; a library is not told what to lock."""
    folder = posixpath.dirname(path)
    for other, candidate in subject.documents.items():
        if candidate.format is Format.DOCKERFILE and posixpath.dirname(other) == folder:
            for command in subject.commands[other]:
                if command.origin == "build" and _INSTALLS[manager].fullmatch(
                    " ".join(command.words)
                ):
                    return f"it is installed by `{posixpath.basename(other)}`"
    is_private = document.table.get("private")
    starts = document.table.table("scripts")
    if (
        isinstance(is_private, Scalar)
        and is_private.value is True
        and starts
        and starts.get("start")
    ):
        return "it is private and has a start script"
    return ""


def _locked(subject: Subject, path: str, manager: str) -> bool:
    """Whether a lock file lies beside a manifest or above it, as in workspaces."""
    folders = {
        posixpath.dirname(lock)
        for lock in subject.locks
        if _LOCKS[manager].fullmatch(posixpath.basename(lock).lower())
    }
    folder = posixpath.dirname(path)
    while True:
        if folder in folders:
            return True
        if not folder:
            return False
        folder = posixpath.dirname(folder)


# ---- where from ----------------------------------------------------------------------------------


def non_registry_dependency(subject: Subject) -> Iterator[Sighting]:
    """Dependencies from repositories and addresses whose content can change."""
    for path, document in subject.documents.items():
        if document.format is Format.REQUIREMENTS and _DEVELOPMENT.search(posixpath.basename(path)):
            continue
        for one in dependencies(document):
            if one.source not in ("repository", "archive") or one.pinned:
                continue
            detail = f"`{one.name[:60]}` comes from `{one.version[:120]}`"
            found = address(one.version)
            is_clear = found is not None and found.scheme in ("http", "git") and not found.loopback
            if one.source == "repository" or is_clear:
                why = "the connection is not encrypted" if is_clear else "what it names can move"
                level = Severity.MEDIUM
                yield Sighting(document.place(one.node), detail, level, adjustments=(why,))
            else:
                yield Sighting(document.place(one.node), detail)
