"""One line on standard error that says what a longer audit is doing."""

from __future__ import annotations

import sys
import time
from typing import TextIO

PATIENCE = 1.0
"""Seconds of silence before the line appears: most audits are over by then."""
PACE = 0.1
"""Seconds between two versions of the line."""


class Progress:
    """Called by the audit; writes only to a terminal."""

    def __init__(self, stream: TextIO) -> None:
        """`stream` is a terminal."""
        self._stream = stream
        self._next = time.monotonic() + PATIENCE
        self._shown = 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Shows how far a stage is; `total` is 0 when it is not known."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PACE
        self._show(f"{stage} {done:,} of {total:,}" if total else f"{stage} {done:,}")

    def close(self) -> None:
        """Removes the line."""
        if self._shown:
            self._show("")
            self._stream.write("\r")
            self._stream.flush()

    def _show(self, text: str) -> None:
        # Blanks instead of an escape sequence: every terminal knows them.
        self._stream.write(f"\r{text:<{self._shown}}")
        self._stream.flush()
        self._shown = len(text)


def progress_on(stream: TextIO | None = None) -> Progress | None:
    """A progress line if somebody is watching standard error."""
    watched = stream or sys.stderr
    return Progress(watched) if watched is not None and watched.isatty() else None
