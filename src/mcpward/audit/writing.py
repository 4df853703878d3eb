"""Fixed files put in the place of the old ones: whole or not at all, and never through a link."""

from __future__ import annotations

import codecs
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mcpward.audit.fixes import Changed

_BINARY = getattr(os, "O_BINARY", 0)
_CLOSED = getattr(os, "O_CLOEXEC", 0) | _BINARY
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0)
_AT = os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd


class WriteError(Exception):
    """Why a file cannot be replaced, as the end of a sentence that begins with its name."""


@dataclass(frozen=True, slots=True)
class _Where:
    """A folder that was reached without links, and a name in it."""

    folder: int | None
    path: str
    name: str

    def at(self, name: str) -> str:
        return name if self.folder is not None else os.path.join(self.path, name)  # noqa: PTH118  # texts


def checked(root: Path, change: Changed) -> None:
    """Whether a file is still what was audited and may be replaced.

    Raises WriteError when it is not.
    """
    with _where(root, change.path) as where:
        _current(where, change)


def write(root: Path, change: Changed) -> None:
    """Replaces a file that has been audited.

    Raises WriteError when it cannot be, or when somebody has changed it since.
    """
    with _where(root, change.path) as where:
        mark, mode = _current(where, change)
        draft = f".mcpward-{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _CLOSED
        try:
            handle = os.open(where.at(draft), flags, 0o600, dir_fd=where.folder)
            try:
                with open(handle, "wb") as file:  # noqa: PTH123  # a handle has no path
                    file.write(mark + change.after)
                    file.flush()
                    if hasattr(os, "fchmod"):
                        os.fchmod(file.fileno(), stat.S_IMODE(mode))
                    os.fsync(file.fileno())
                _current(where, change)  # the last moment to see that somebody else wrote
                _rename(where, draft)
            except BaseException:
                os.unlink(where.at(draft), dir_fd=where.folder)
                raise
        except OSError as error:
            raise WriteError(error.strerror or "cannot be written") from error


def _rename(where: _Where, draft: str) -> None:
    if where.folder is None:
        os.replace(where.at(draft), where.at(where.name))  # noqa: PTH105  # texts
    else:
        os.rename(draft, where.name, src_dir_fd=where.folder, dst_dir_fd=where.folder)


@contextmanager
def _where(root: Path, path: str) -> Iterator[_Where]:
    """The folder of a file below the root, opened step by step so that no link is followed."""
    *folders, name = path.split("/")
    if not name or any(part in ("", ".", "..") for part in (*folders, name)) or "\\" in path:
        raise WriteError("has a name that is not written to")
    if not _AT:
        yield _plain(root, folders, name)
        return
    handle = -1
    try:
        try:
            handle = os.open(root, os.O_RDONLY | _FOLDER | _CLOSED)
            for part in folders:
                flags = os.O_RDONLY | _FOLDER | _NO_FOLLOW | _CLOSED
                inner = os.open(part, flags, dir_fd=handle)
                os.close(handle)
                handle = inner
        except OSError as error:
            raise WriteError("is no longer in a folder of the target") from error
        yield _Where(handle, "", name)
    finally:
        if handle >= 0:
            os.close(handle)


def _plain(root: Path, folders: list[str], name: str) -> _Where:
    """The same where folders cannot be held open: links are looked for by name."""
    at = root
    for part in folders:
        at = at / part
        if at.is_symlink():
            raise WriteError("lies behind a link")
    if (at / name).is_symlink():
        raise WriteError("is a link")
    return _Where(None, str(at), name)


def _current(where: _Where, change: Changed) -> tuple[bytes, int]:
    """The byte order mark and the mode of a file that holds what was audited."""
    try:
        flags = os.O_RDONLY | _NO_FOLLOW | _NO_WAIT | _CLOSED
        handle = os.open(where.at(where.name), flags, dir_fd=where.folder)
    except OSError as error:
        raise WriteError("is a link or can no longer be read") from error
    with open(handle, "rb") as file:  # noqa: PTH123  # a handle has no path
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise WriteError("is no regular file")
        if not state.st_mode & stat.S_IWUSR:
            raise WriteError("is read-only")
        data = file.read(len(change.before) * 4 + 16)
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    if data[len(mark) :] == change.before:
        return mark, state.st_mode
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WriteError("is not UTF-8, so that it is left as it is") from error
    raise WriteError("is not what was audited, or ends lines in an old way")
