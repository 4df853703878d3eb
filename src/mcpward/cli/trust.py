"""Which files may steer an audit: what lies inside a stranger's tree must not switch us off."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from mcpward.core.errors import UsageError

SETTINGS_FILE = "mcpward.toml"
PROJECT_FILE = "pyproject.toml"
LIMIT = 16
"""MiB of a settings file or a baseline that are read."""
HOPS = 40
"""Links that a system follows before it gives up."""

_TABLE = re.compile(r"^[ \t]*\[\[?[ \t]*tool[ \t]*\.[ \t]*mcpward\b", re.MULTILINE)


def trusts(target: str, said: bool | None) -> bool:  # noqa: FBT001 - the flag as it was given
    """Whether what lies inside the target counts: as said, else if it is the current folder."""
    return os.path.realpath(target) == os.path.realpath(".") if said is None else said


def below(place: Path, target: str) -> bool:
    """Whether a place without links is the target or in its tree."""
    return place.is_relative_to(os.path.realpath(target))


def inside(path: str, target: str) -> bool:
    """Whether a path is in the tree of the target, or is chosen by a link in it."""
    return any(below(place, target) for place in (*links(path), Path(os.path.realpath(path))))


def links(path: str) -> Iterator[Path]:
    """The links that opening a path passes through, each where it really is."""
    root, *parts = Path.cwd().joinpath(path).parts
    at, todo = Path(root), parts[::-1]
    hops = 0
    while todo and hops < HOPS:
        part = todo.pop()
        if part == "..":
            at = at.parent
            continue
        step = at / part
        if os.path.islink(step):  # noqa: PTH114 - also answers where we may not look
            yield step
            hops += 1
            root, *parts = (at / step.readlink()).parts
            at, todo = Path(root), [*todo, *parts[::-1]]
        else:
            at = step


def read_steering(path: str, target: str, *, trusted: bool) -> str:
    """The text of a file that steers the audit.

    Raises UsageError when it cannot be read, or lies inside a target that is not trusted.
    """
    if not trusted and inside(path, target):
        raise UsageError(
            f"{path} lies inside the target, which is not trusted",
            hint="Keep it outside, or say that the target is yours with --trust-target.",
        )
    return read_text(path)


def read_text(path: str) -> str:
    """The text of a regular file of reasonable size.

    Raises UsageError when it cannot be read.
    """
    try:
        # A pipe would wait for a writer; the check is on what was opened.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:  # noqa: PTH123  # a descriptor, no path
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise UsageError(f"{path} is not a regular file")
            data = file.read(LIMIT * 1024 * 1024 + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name is not valid"
        raise UsageError(f"cannot read {path}: {reason}") from error
    if len(data) > LIMIT * 1024 * 1024:
        raise UsageError(f"{path} is larger than {LIMIT} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text") from error


def settings_in(folder: str) -> str | None:
    """The settings file of a folder, if it has one.

    Raises UsageError when it is there but cannot be read.
    """
    own, project = Path(folder, SETTINGS_FILE), Path(folder, PROJECT_FILE)
    try:
        if own.exists() or own.is_symlink():
            return str(own)
        if not project.is_file():
            return None
    except OSError:
        return None  # a folder that may not be entered
    return str(project) if _TABLE.search(read_text(str(project))) else None


def not_honoured(target: str) -> tuple[str, ...]:
    """A note if a target that is not trusted brings settings of its own."""
    try:
        found = settings_in(target)
    except UsageError:
        return ()  # whatever it is, it does not steer us
    if found is None:
        return ()
    reason = "the target is not trusted (--trust-target)"
    return (f"{Path(found).name} in the target was not honoured, because {reason}",)
