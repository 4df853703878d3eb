"""The reader of `anchors.json`: texts of which every match of a pattern holds one.

Most patterns have nothing to do with most texts. A pattern is only compiled and run where its
anchors are, and looking for those costs next to nothing. A pattern that the file does not know,
because it was changed since the file was made, is run everywhere.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path

Clause = tuple[str, ...]
"""Texts of which every match holds at least one."""


def fingerprint(pattern: str) -> str:
    """The name of a pattern in the file."""
    return f"{zlib.crc32(pattern.encode()):08x}"


def read_anchors(file: Path) -> Mapping[str, tuple[Clause, ...]]:
    """The clauses of each pattern by its fingerprint; none where there is no such file."""
    if not file.is_file():
        return {}
    data = json.loads(file.read_text(encoding="utf-8"))
    clauses = [tuple(clause) for clause in data["clauses"]]
    return {
        name: tuple(clauses[number] for number in numbers)
        for name, numbers in data["patterns"].items()
    }
