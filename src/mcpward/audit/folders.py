"""The files below a folder, found without following links or waiting for anything."""

from __future__ import annotations

import os
import posixpath
import stat
from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from mcpward.audit import roles
from mcpward.audit.members import Found, Interest, Limits, printable, unread
from mcpward.audit.recognize import IGNORED, interest, language
from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.source import Role

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def walk(root: Path, limits: Limits, include: frozenset[Role]) -> Iterator[Found | Skipped]:
    """The files below a folder, the shallow ones first: a limit costs the deep ones."""
    real = os.path.realpath(root)
    pending = deque([(str(root), "", 0)])
    left = limits.max_files
    while pending:
        folder, shown, depth = pending.popleft()
        try:
            with os.scandir(folder) as scan:
                entries = sorted(islice(scan, left + 1), key=lambda entry: entry.name)
        except OSError as error:
            if not shown:
                raise
            yield Skipped(shown, SkipKind.UNREADABLE, error.strerror or "cannot be listed")
            continue
        if (
            depth
            and Role.VENDORED not in include
            and roles.is_vendor_folder(posixpath.basename(shown), (e.name for e in entries))
        ):
            yield unread(shown, Role.VENDORED, 1, "folder")
            continue
        for entry in entries[:left]:
            path = posixpath.join(shown, printable(entry.name))
            try:
                if entry.is_symlink():
                    if _hides(entry.path, path, real):
                        yield Skipped(path, SkipKind.LINK, "links are not followed")
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name in IGNORED:
                        continue
                    if depth >= limits.max_depth:
                        reason = f"more than {limits.max_depth} folders deep"
                        yield Skipped(path, SkipKind.TOO_DEEP, reason)
                    else:
                        pending.append((entry.path, path, depth + 1))
                elif interest(path, include=include) is not Interest.NONE:
                    if entry.is_file(follow_symlinks=False):
                        yield Found(path, partial(read, entry.path, path, _NO_FOLLOW))
                    else:
                        yield Skipped(path, SkipKind.SPECIAL_FILE, "is a device, pipe or socket")
            except OSError as error:
                yield Skipped(path, SkipKind.UNREADABLE, error.strerror or "cannot be read")
        left -= len(entries)
        if left < 0:
            reason = f"the target has more than {limits.max_files} entries; the rest was not read"
            yield Skipped(shown or ".", SkipKind.TOO_MANY, reason)
            return


def _hides(link: str, shown: str, root: str) -> bool:
    """Whether a link makes code reachable that is not read under its own name."""
    try:
        target = os.path.realpath(link, strict=True)
        is_folder = stat.S_ISDIR(os.stat(target).st_mode)  # noqa: PTH116  # paths are texts in here
    except OSError:
        return language(shown) is not None
    if not is_folder and language(shown) is None:
        return False
    if not Path(target).is_relative_to(root):
        return True
    inside = Path(target).relative_to(root)
    return not IGNORED.isdisjoint(inside.parts) or (
        not is_folder and language(inside.name) != language(shown)
    )


def read(path: str, shown: str, flags: int, limit: int) -> bytes | Skipped:
    """The start of a regular file; a pipe that took its place is noticed and never waited for."""
    flags |= os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_NOCTTY", 0))
        with open(handle, "rb", buffering=0) as file:  # noqa: PTH123  # a descriptor, no path
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return Skipped(shown, SkipKind.SPECIAL_FILE, "is no longer a file")
            chunks = []
            while limit > 0 and (chunk := file.read(limit)):
                chunks.append(chunk)
                limit -= len(chunk)
            return b"".join(chunks)
    except OSError as error:
        return Skipped(shown, SkipKind.UNREADABLE, error.strerror or "cannot be read")
