"""The folder the notes are in."""

import os
from pathlib import Path

ROOT = Path("/srv/notes")
FILES = "/srv/files"


def load(name: str) -> str:
    """The text of a note."""
    path = ROOT / name
    return path.read_text(encoding="utf-8")


def attachment(name: str) -> str:
    """The path of an attachment."""
    path = os.path.realpath(os.path.join(FILES, name))
    if not path.startswith(FILES):
        raise ValueError("outside the folder")
    return path
