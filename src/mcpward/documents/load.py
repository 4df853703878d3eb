"""The one door of this room: from a file name and its bytes to a document, or why there is none."""

from __future__ import annotations

import codecs
import posixpath
import re

from mcpward.core.finding import SkipKind, Skipped
from mcpward.core.late import late
from mcpward.documents.tree import MAX_BYTES, Document, Format, Node, UnreadableError, line_starts

_NAMES: tuple[tuple[re.Pattern[str], Format], ...] = (
    (
        re.compile(r"(?:dockerfile|containerfile)(?:[.-](?!.*(?:py|[jt]s|md)$).*)?|.*\.dockerfile"),
        Format.DOCKERFILE,
    ),
    (re.compile(r"(?:.*[-_.])?(?:requirements|constraints).*\.(?:txt|in)"), Format.REQUIREMENTS),
    (re.compile(r"\.env(?:[.-].*)?|.*\.env|\.envrc"), Format.ENV),
    (
        re.compile(r"setup\.cfg|\.npmrc|npmrc|pip\.(?:conf|ini)|\.pypirc|tox\.ini|.*\.ini"),
        Format.INI,
    ),
    (re.compile(r"(?:uv|poetry|pdm|pylock.*|cargo)\.lock|.*\.toml"), Format.TOML),
    (re.compile(r".*\.ya?ml"), Format.YAML),
    (re.compile(r".*\.(?:json[c5]?|code-workspace)|\.mcprc|bun\.lock|pipfile\.lock"), Format.JSON),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LONE_CR = late(r"\r(?!\n)")


def document_format(path: str) -> Format | None:
    """How a file is written, by its name; nothing for names that are no documents."""
    name = posixpath.basename(path).lower()
    return next((format_ for pattern, format_ in _NAMES if pattern.fullmatch(name)), None)


def read(path: str, data: bytes) -> Document | Skipped:
    """Reads one document; what cannot be read comes back as the reason."""
    format_ = document_format(path)
    if format_ is None:
        return Skipped(path, SkipKind.UNSUPPORTED, "no kind of document that is read")
    if len(data) > MAX_BYTES:
        return Skipped(path, SkipKind.TOO_LARGE, f"larger than {MAX_BYTES} bytes")
    text = _decoded(data)
    if "\0" in text:
        return Skipped(path, SkipKind.UNPARSABLE, "holds NUL characters")
    try:
        root = _tree(format_, text)
    except UnreadableError as error:
        return Skipped(path, error.kind, error.reason)
    return Document(path, format_, text, root, line_starts(text))


def _decoded(data: bytes) -> str:
    encoding = "utf-8"
    if marked := next((pair for pair in _BOMS if data.startswith(pair[0])), None):
        data, encoding = data[len(marked[0]) :], marked[1]
    text = data.decode(encoding, "replace")
    # All counts of lines here are by LF, and places must agree with what an editor shows.
    return _LONE_CR.sub("\n", text) if "\r" in text else text


def _tree(format_: Format, text: str) -> Node:
    match format_:
        case Format.JSON:
            from mcpward.documents.jsonc import read_json

            return read_json(text)
        case Format.TOML:
            from mcpward.documents.toml import read_toml

            return read_toml(text)
        case Format.YAML:
            from mcpward.documents.yaml import read_yaml

            return read_yaml(text)
        case Format.DOCKERFILE:
            from mcpward.documents.dockerfile import read_dockerfile

            return read_dockerfile(text)
        case Format.REQUIREMENTS:
            from mcpward.documents.requirements import read_requirements

            return read_requirements(text)
        case Format.ENV:
            from mcpward.documents.settings import read_env

            return read_env(text)
        case Format.INI:
            from mcpward.documents.settings import read_ini

            return read_ini(text)
