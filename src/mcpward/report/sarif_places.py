"""Places as SARIF locations, and text as SARIF messages."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from mcpward.core.finding import Edit, Fix, Handler, Place
from mcpward.report.terminal import clean, clean_block

_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
SNIPPET_LENGTH = 300
"""Longer lines are left out: a cut line would not be the text of its region."""


def message(text: str, otherwise: str) -> dict[str, str]:
    """Plain text, never empty, in which nothing is a link.

    Braces are left single although the standard doubles them: they only mean something beside
    `arguments`, which are never given, and viewers show doubled ones as they are.
    """
    return {"text": unlinked(clean(text)) or otherwise}


def unlinked(text: str) -> str:
    """Text without the `](` that makes an embedded link (3.11.6 of the standard)."""
    return text.replace("](", "] (")


def relative_uri(path: str) -> str:
    """A path of the target as a relative reference, percent-encoded."""
    try:
        data = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = path.encode("utf-8", "replace")
    return quote(data, safe="/").lstrip("/")


def artifact(path: str) -> dict[str, Any]:
    """The physical location of a whole file or folder."""
    return {"artifactLocation": {"uri": relative_uri(path) or "."}}


def physical(place: Place) -> dict[str, Any]:
    """A file and a region of it."""
    return {**artifact(place.file), "region": _region(place)}


def physical_with_code(place: Place) -> dict[str, Any]:
    """The same with the line of code for viewers that do not have the file."""
    location = physical(place)
    code = place.code.rstrip("\r\n")
    if code.strip() and len(code) <= SNIPPET_LENGTH and place.start.line == place.end.line:
        line = max(place.start.line, 1)
        snippet = {"text": clean_block(code)}
        location["contextRegion"] = {"startLine": line, "snippet": snippet}
    return location


def logical(handler: Handler) -> dict[str, str]:
    """A handler as a named part of the program."""
    name = clean(handler.name, 200) or "unnamed"
    sort = clean(handler.sort, 40)
    full = f"{sort}/{name}" if sort else name
    return {"name": name, "fullyQualifiedName": full, "kind": "function"}


def proposed(fix: Fix) -> dict[str, Any] | None:
    """A fix as what is deleted and inserted in each file.

    None for one that inserts blanks alone or characters that no editor shows: cleaned, it would be
    another fix.
    """
    if any(
        one.text and (not one.text.strip() or _UNFIT.search(_inserted(one))) for one in fix.edits
    ):
        return None
    files = sorted({one.file for one in fix.edits})
    return {
        "description": message(fix.title if fix.safe else f"{fix.title} (look at it first)", "fix"),
        "artifactChanges": [
            {
                **artifact(file),
                "replacements": [_replacement(one) for one in fix.edits if one.file == file],
            }
            for file in files
        ],
    }


def _replacement(edit: Edit) -> dict[str, Any]:
    made: dict[str, Any] = {
        "deletedRegion": {
            "startLine": edit.first.line,
            "startColumn": edit.first.column,
            "endLine": edit.last.line,
            "endColumn": edit.last.column,
        }
    }
    if edit.text:
        made["insertedContent"] = {"text": _inserted(edit)}
    return made


def _inserted(edit: Edit) -> str:
    return edit.text.replace("\r\n", "\n")


def _region(place: Place) -> dict[str, int]:
    start_line, start_column = max(place.start.line, 1), max(place.start.column, 1)
    end_line, end_column = max(place.end.line, 1), max(place.end.column, 1)
    region = {"startLine": start_line, "startColumn": start_column}
    if (end_line, end_column) >= (start_line, start_column):
        region |= {"endLine": end_line, "endColumn": end_column}
    return region
