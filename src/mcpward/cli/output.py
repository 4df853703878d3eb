"""Where results go: standard output that may close early, and files that appear whole."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from mcpward.cli.trust import below, links
from mcpward.core.errors import UsageError


def complain(text: str) -> None:
    """A line for the person, on standard error."""
    from mcpward.report.terminal import clean_block

    print(clean_block(text), file=sys.stderr)


def to_stdout(text: str) -> None:
    """Writes text to standard output; a reader that went away is no error.

    Data is UTF-8 wherever it goes; only a terminal gets its own encoding. Raises UsageError when
    it cannot be written.
    """
    if sys.stdout is None:
        return
    encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(encoding, "replace"))
        sys.stdout.buffer.flush()
    except OSError as error:
        # The interpreter flushes once more at exit and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise UsageError(f"cannot write to standard output: {error.strerror}") from error


def to_file(path: str, text: str, target: str) -> None:
    """Writes a file that is complete or not there.

    Raises UsageError when that is impossible, or when a link inside the audited tree would choose
    the place.
    """
    for link in links(path):
        if below(link, target):
            raise UsageError(
                f"{path}: {link} is a link inside the audited tree",
                hint="Write the file somewhere outside the target.",
            )
    data = text.encode("utf-8", "replace")
    try:
        if Path(path).exists() and not Path(path).is_file():
            Path(path).write_bytes(data)  # /dev/stdout and pipes cannot be replaced
        else:
            _replace(Path(os.path.realpath(path)), data)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name is not valid"
        raise UsageError(f"cannot write {path}: {reason}") from error


def _replace(place: Path, data: bytes) -> None:
    import tempfile

    mode = _mode_of(place)
    handle, draft = tempfile.mkstemp(prefix=".mcpward-", dir=place.parent)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  # a descriptor, no path
            file.write(data)
        Path(draft).chmod(mode)
        Path(draft).replace(place)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _mode_of(place: Path) -> int:
    """The mode of the file that is replaced, else what the process gives new files."""
    if place.exists():
        return stat.S_IMODE(place.stat().st_mode)
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
