"""Constructs through which the engine loses data: each is still missed, and left out of the grammars.

The files `*.gaps` hold a sentence behind `# ` and a program for each. In a program, lines behind `^`
stand at module level and lines behind `~` in the other file.
"""

from pathlib import Path
from typing import NamedTuple


class Gap(NamedTuple):
    """A program whose handler gives `text` to the shell without a report."""

    language: str
    reason: str
    program: str


def _gaps(language: str) -> list[Gap]:
    text = "\n" + Path(__file__).with_name(f"{language}.gaps").read_text("utf-8")
    pieces = [piece.strip("\n").partition("\n") for piece in text.split("\n# ")[1:]]
    return [Gap(language, reason, program) for reason, _, program in pieces]


GAPS = (*_gaps("python"), *_gaps("javascript"))
