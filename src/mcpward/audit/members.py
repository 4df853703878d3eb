"""What every kind of archive has in common: limits, and how far a member's name is believed."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.source import Role

_KIB = 1024
MIB = 1024 * _KIB
MAX_NAME = 1024
_MAX_COMPONENT = 255
MAX_HEADER_DATA = 64 * _KIB
"""Long names and extended headers of one tar member; real ones stay far below."""
WHOLE = "."
"""The path of a note about the archive as a whole."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a target is looked at before the rest is reported as skipped."""

    max_file_bytes: int = 8 * MIB
    """One source file; bundled servers of several megabytes exist and have to pass."""
    max_total_bytes: int = 512 * MIB
    """All text that is kept."""
    max_files: int = 200_000
    """Entries of folders that are looked at, whatever they are."""
    max_depth: int = 64
    max_ratio: int = 200
    """Bytes out of an archive per byte in it; source code stays below 30."""
    ratio_floor: int = 16 * MIB
    """Up to here the ratio does not matter: one repetitive file is no bomb."""
    max_archive_members: int = 100_000
    max_archive_bytes: int = 512 * MIB
    """Everything that is decompressed, kept or not."""
    max_text_bytes: int = MIB
    """One manifest."""
    max_texts: int = 2_000


@dataclass(frozen=True, slots=True)
class Found:
    """One file that may be of interest, not read yet."""

    path: str
    load: Callable[[int], bytes | Skipped]
    """At most so many bytes of the content, or why there are none."""


class Interest(Enum):
    """What the collector wants to know about a path."""

    NONE = auto()
    NAME = auto()
    CONTENT = auto()


Interests = Callable[[str], Interest]


def printable(name: str) -> str:
    """The name with everything a terminal could act on written as an escape; never ambiguous."""
    if name.isprintable() and name.isascii() and "\\" not in name:
        return name
    return "".join(map(_shown, name))


def _shown(c: str) -> str:
    if c.isprintable() and c != "\\":
        return c
    # Surrogates stand for single bytes that are not UTF-8.
    return f"\\x{ord(c) - 0xDC00:x}" if "\udc80" <= c <= "\udcff" else f"\\u{{{ord(c):x}}}"


def fault(name: str) -> str:
    """Why a member's name must not be used as a path; empty when it may."""
    parts = name.split("/")
    checks = (
        (not any(part not in ("", ".") for part in parts), "has no name"),
        (len(name) > MAX_NAME or max(map(len, parts)) > _MAX_COMPONENT, "the name is too long"),
        ("\0" in name, "holds a NUL"),
        ("\\" in name, "holds a backslash"),
        (name.startswith("/"), "is an absolute path"),
        (name[1:2] == ":" and name[:1].isalpha(), "names a drive"),
        (".." in parts, "climbs with `..`"),
    )
    return next((reason for wrong, reason in checks if wrong), "")


class EnoughError(Exception):
    """A limit was reached: the rest of the archive is not read."""


class BrokenError(Exception):
    """The archive contradicts itself."""


@dataclass(slots=True)
class Meter:
    """Counts what comes out of an archive, and compares it with what went in."""

    limits: Limits
    consumed: Callable[[], int]
    produced: int = 0

    def add(self, count: int) -> None:
        self.produced += count
        if self.produced > self.limits.max_archive_bytes:
            raise EnoughError(f"holds more than {self.limits.max_archive_bytes} bytes")
        if self.produced > max(
            self.limits.ratio_floor, self.limits.max_ratio * max(self.consumed(), 1)
        ):
            raise EnoughError(f"grows more than {self.limits.max_ratio} times when unpacked")


@dataclass(slots=True)
class Gate:
    """Lets members pass by name: safe, not seen before, not too deep, and of interest."""

    limits: Limits
    interest: Interests
    members: int = 0
    seen: set[str] = field(default_factory=set)

    def pass_or_skip(self, name: str) -> tuple[str, Interest, Skipped | None]:
        """The path to report, what is wanted of it, and the note when it must not pass."""
        if reason := fault(name):
            # The name is no path, so it must not become the place of a note.
            note = Skipped(WHOLE, SkipKind.UNSAFE_PATH, f"`{printable(name[:200])}` {reason}")
            return WHOLE, Interest.NONE, note
        parts = [part for part in name.split("/") if part not in ("", ".")]
        path = printable("/".join(parts))
        wanted = self.interest(path)
        if wanted is Interest.NONE:
            return path, wanted, None
        if len(parts) > self.limits.max_depth:
            return path, wanted, Skipped(path, SkipKind.TOO_DEEP, f"{len(parts)} folders deep")
        key = unicodedata.normalize("NFC", path).casefold()
        if key in self.seen:
            reason = "a second member with this name; the first was read"
            return path, wanted, Skipped(path, SkipKind.UNSAFE_PATH, reason)
        self.seen.add(key)
        return path, wanted, None

    def count(self) -> None:
        self.members += 1
        if self.members > self.limits.max_archive_members:
            raise EnoughError(f"has more than {self.limits.max_archive_members} members")

    def link(self, name: str, target: str) -> Skipped | None:
        """The note about a link: only when it hides code or leaves the archive."""
        path, wanted, skip = self.pass_or_skip(name)
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        leaves = target.startswith("/") or inside.split("/")[0] == ".."
        if skip is None and (leaves or wanted is Interest.CONTENT):
            return Skipped(path, SkipKind.LINK, f"links to {printable(target[:200])}")
        return skip


def held(data: bytes, limit: int) -> bytes:
    return data[:limit]


def left_out(path: str, _limit: int) -> Skipped:
    return Skipped(path, SkipKind.NOT_FIRST_PARTY, "not unpacked")


def unread(path: str, role: Role, count: int, noun: str) -> Skipped:
    """The note about code that is not the target's own product."""
    things = noun if count == 1 else f"{noun}s"
    reason = f"{role.value}: {count} {things} (--include {role.value} reads them)"
    return Skipped(path, SkipKind.NOT_FIRST_PARTY, reason, count)
