"""From a target (folder, file or archive) to the texts that are analysed, and notes on the rest.

The target is hostile: nothing of it is run, imported or followed out of its root, every read is
bounded, and whatever is left out becomes a `Skipped` with the reason.
"""

from __future__ import annotations

import errno
import posixpath
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path

from mcpward.audit import roles
from mcpward.audit.archives import read_archive
from mcpward.audit.folders import read, walk
from mcpward.audit.members import Found, Limits, held, printable, unread
from mcpward.audit.recognize import (
    ARCHIVES,
    LOCKS,
    OTHER_ARCHIVES,
    SHEBANG_BYTES,
    decoded,
    interest,
    is_guidance,
    is_prose,
    is_text,
    language,
)
from mcpward.core.errors import TargetError
from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.source import Language, Role, SourceFile
from mcpward.documents.load import document_format

__all__ = ["Collected", "Limits", "collect", "collect_memory", "language"]

_NOTES_PER_KIND = 50
_PROMOTION = (Role.GENERATED, Role.EXAMPLE, Role.DOCS, Role.TEST)
"""Whom to read instead, in this order, when a target has no product code."""
_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Collected:
    """What there is to analyse."""

    root_label: str
    """The target as the user typed it."""
    sources: tuple[SourceFile, ...]
    texts: Mapping[str, bytes]
    """Manifests and settings, undecoded."""
    skipped: tuple[Skipped, ...]
    own_texts: frozenset[str] = frozenset()
    """The paths of the texts that are part of the product, not of its tests or examples."""
    locks: frozenset[str] = frozenset()
    """The paths of lock files, which are not read."""


def collect(
    target: str | Path, limits: Limits = _DEFAULT, *, include: frozenset[Role] = frozenset()
) -> Collected:
    """Reads a folder, a source file or an archive.

    Product code is always read, other roles when they are included or when there is no product
    code. Raises `TargetError` when there is nothing that could be audited.
    """
    label = str(target)
    path = Path(target)
    try:
        mode = _mode(path)
        if stat.S_ISDIR(mode):
            return _gather(label, walk(path, limits, include), limits, include)
        if not stat.S_ISREG(mode):
            raise TargetError(
                f"{printable(label)} is neither a file nor a folder",
                hint="Name a folder, a source file or an archive.",
            )
        name = path.name.lower()
        if name.endswith(ARCHIVES):
            with path.open("rb") as file:
                found = read_archive(file, limits, partial(interest, include=include))
                return _gather(label, found, limits, include, wrapper=roles.wrapper)
        if OTHER_ARCHIVES.fullmatch(name):
            raise TargetError(
                f"{printable(label)} is an archive of a kind that is not read",
                hint="Unpack it, or name a zip, wheel, .mcpb, .tar or .tar.gz file.",
            )
        single = Found(printable(path.name), partial(read, str(path), printable(path.name), 0))
        return _gather(label, [single], limits, include, named=document_format(name) is not None)
    except OSError as error:
        raise TargetError(
            f"{printable(label)} cannot be read: {error.strerror or 'unknown reason'}",
            hint="Check the path, and that you may read it.",
        ) from error


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except ValueError as error:
        raise OSError(errno.EINVAL, "the name holds a NUL") from error


def collect_memory(
    files: Mapping[str, bytes],
    limits: Limits = _DEFAULT,
    *,
    include: frozenset[Role] = frozenset(),
) -> Collected:
    """Treats named texts as a folder with these files."""
    found = [Found(printable(path), partial(held, data)) for path, data in files.items()]
    return _gather("memory", found, limits, include)


# ---- from files to what is analysed --------------------------------------------------------------


@dataclass(slots=True)
class _Reading:
    """Files on their way to becoming sources, with what has been spent on them."""

    limits: Limits
    spent: int = 0
    sources: list[SourceFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def load(self, found: Found, most: int) -> bytes | None:
        data = found.load(most + 1)
        if isinstance(data, bytes) and len(data) > most:
            data = Skipped(found.path, SkipKind.TOO_LARGE, f"larger than {most} bytes")
        if isinstance(data, bytes) and self.spent + len(data) > self.limits.max_total_bytes:
            reason = f"the target holds more than {self.limits.max_total_bytes} bytes of text"
            data = Skipped(found.path, SkipKind.TOO_LARGE, reason)
        if isinstance(data, Skipped):
            self.skipped.append(data)
            return None
        self.spent += len(data)
        return data

    def source(self, found: Found, spoken: Language, as_role: Role) -> SourceFile | None:
        raw = self.load(found, self.limits.max_file_bytes)
        if raw is None:
            return None
        data = decoded(raw, spoken)
        if isinstance(data, str):
            self.skipped.append(Skipped(found.path, SkipKind.UNPARSABLE, data))
            return None
        return SourceFile(found.path, spoken, data, as_role)


def _gather(
    label: str,
    items: Iterable[Found | Skipped],
    limits: Limits,
    include: frozenset[Role],
    wrapper: Callable[[Iterable[str]], str] = lambda _: "",
    *,
    named: bool = False,
) -> Collected:
    """`named`: the user named the one file, so that it is read under any name."""
    reading = _Reading(limits)
    files: dict[str, Found] = {}
    for item in items:
        if isinstance(item, Skipped):
            reading.skipped.append(item)
        else:
            files.setdefault(item.path, item)
    ordered = [files[path] for path in sorted(files)]
    root = wrapper(files)
    wanted_texts = [found for found in ordered if named or is_text(found.path)]
    texts = _texts(wanted_texts, reading, roles.survey(files, {}, root), include)
    context = roles.survey(files, texts, root)

    waiting: dict[Role, list[tuple[Found, Language]]] = {role: [] for role in Role}
    for found in ordered:
        if found.path.lower().endswith(ARCHIVES):
            note = Skipped(found.path, SkipKind.UNSUPPORTED, "an archive inside the target")
            reading.skipped.append(note)
        role = roles.role(found.path, b"", context)
        foreign = role is Role.VENDORED and role not in include
        if spoken := language(found.path, b"" if foreign else _head(found)):
            waiting[role].append((found, spoken))

    chosen = {Role.FIRST_PARTY, *include}
    own = frozenset(path for path in texts if roles.role(path, b"", context) in chosen)
    locks = frozenset(path for path in files if LOCKS.fullmatch(posixpath.basename(path)))
    for wanted in sorted(chosen, key=list(Role).index):
        for found, spoken in waiting.pop(wanted):
            source = reading.source(found, spoken, wanted)
            if source is None:
                continue
            source.role = roles.role(found.path, source.data[:4096], context)
            if source.role in chosen:
                reading.sources.append(source)
            else:
                waiting[source.role].append((found, spoken))
    _promote(reading, waiting)
    for role, rest in waiting.items():
        reading.skipped.extend(_left(role, [found.path for found, _ in rest], context.root))
    skipped = _condensed(reading.skipped)
    if (
        not reading.sources
        and all(is_prose(path) or is_guidance(path) for path in texts)
        and all(skip.kind.expected for skip in skipped)
    ):
        raise TargetError(
            f"{printable(label)} holds no Python, JavaScript or TypeScript source that is its own, "
            "and no configuration",
            hint="Name the folder of the server, or read more with --include vendored.",
        )
    sources = sorted(reading.sources, key=lambda source: source.path)
    return Collected(label, tuple(sources), texts, skipped, own, locks)


def _head(found: Found) -> bytes:
    """The first bytes of a file without a suffix; nothing for all others."""
    if "." in posixpath.basename(found.path):
        return b""
    data = found.load(SHEBANG_BYTES)
    return data if isinstance(data, bytes) else b""


def _texts(
    files: Iterable[Found], reading: _Reading, context: roles.Context, include: frozenset[Role]
) -> dict[str, bytes]:
    texts: dict[str, bytes] = {}
    for found in files:
        role = roles.role(found.path, b"", context)
        if role is Role.VENDORED and role not in include:
            continue
        if len(texts) >= reading.limits.max_texts:
            reading.skipped.append(Skipped(found.path, SkipKind.TOO_MANY, "too many manifests"))
            break
        data = reading.load(found, reading.limits.max_text_bytes)
        if data is not None:
            texts[found.path] = data
    return texts


def _promote(reading: _Reading, waiting: dict[Role, list[tuple[Found, Language]]]) -> None:
    """Reads other code as product code when the target has none."""
    for role in _PROMOTION:
        if any(s.data.strip() and not roles.is_scaffold(s.path) for s in reading.sources):
            return
        for found, spoken in waiting.pop(role, ()):
            if source := reading.source(found, spoken, Role.FIRST_PARTY):
                reading.sources.append(source)


def _left(role: Role, paths: list[str], root: str) -> Iterator[Skipped]:
    """One note per top folder for the files of a role that was not read."""
    for _, group in groupby(sorted(paths), lambda p: p.removeprefix(root).partition("/")[0]):
        same = list(group)
        folders = {posixpath.dirname(path) for path in same}
        shown = same[0] if len(same) == 1 else posixpath.commonpath(folders or {"."}) or "."
        yield unread(shown, role, len(same), "file")


def _condensed(skipped: list[Skipped]) -> tuple[Skipped, ...]:
    """In order, and with the notes of one kind beyond a number made one."""
    notes: list[Skipped] = []
    ordered = sorted(set(skipped), key=lambda note: (note.kind, note.path, note.reason))
    for kind, group in groupby(ordered, lambda note: note.kind):
        same = list(group)
        notes.extend(same[:_NOTES_PER_KIND])
        if rest := same[_NOTES_PER_KIND:]:
            count = sum(note.count for note in rest)
            notes.append(Skipped(".", kind, f"{count} more, such as {rest[0].path}", count))
    return tuple(sorted(notes, key=lambda note: (note.path, note.kind, note.reason)))
