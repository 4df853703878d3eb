"""One frozen `Settings` from the flags, then a settings file, then the defaults."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from mcpward.audit.ignores import PathIgnore
from mcpward.audit.options import ModelText
from mcpward.catalog.shelves import ROWS, TABLES
from mcpward.catalog.tables import Table, known_word
from mcpward.cli.trust import PROJECT_FILE
from mcpward.core.errors import CatalogError, UsageError
from mcpward.core.finding import Confidence, Severity
from mcpward.core.source import Role

_BARE = re.compile(r"[A-Za-z0-9_-]+")

FORMATS = ("text", "json", "sarif")

SEVERITIES = {severity.word: severity for severity in Severity}
CONFIDENCES = {confidence.word: confidence for confidence in Confidence}
ROLES = {role.value: role for role in Role if role is not Role.FIRST_PARTY}


@dataclass(frozen=True, slots=True)
class Settings:
    """What is decided before an audit, wherever it was written."""

    severity: Severity = Severity.LOW
    confidence: Confidence = Confidence.LOW
    fail_on: Severity | None = None
    """Without it, every finding that is shown counts."""
    rules: frozenset[str] = frozenset()
    not_rules: frozenset[str] = frozenset()
    include: frozenset[Role] = frozenset()
    strict: bool = False
    baseline: str = ""
    format: str = "text"
    ignores: tuple[PathIgnore, ...] = ()
    models: tuple[ModelText, ...] = ()
    notes: tuple[str, ...] = ()
    """What the reader of the report should know about the settings."""

    @property
    def counts_from(self) -> Severity:
        """The severity from which a finding decides the exit code."""
        return self.severity if self.fail_on is None else self.fail_on


def combined(flags: Mapping[str, Any], file: Mapping[str, Any]) -> Settings:
    """The settings; a flag replaces the value of the file.

    Raises UsageError when they contradict each other.
    """
    settings = Settings(**{**file, **flags})
    if settings.counts_from < settings.severity:
        raise UsageError(
            f"fail-on `{settings.counts_from.word}` is below severity `{settings.severity.word}`: "
            "findings would count that are not shown",
            hint=f"Use --severity {settings.counts_from.word}.",
        )
    return settings


def read_settings(text: str, origin: str, today: date) -> dict[str, Any]:
    """The fields of `Settings` that a settings file gives.

    Raises UsageError when it is not TOML or says something unknown.
    """
    try:
        data = tomllib.loads(text)
        if Path(origin).name == PROJECT_FILE:
            data = dict(Table(data, origin).table("tool").pairs("mcpward"))
        return _fields(data, origin, today)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{origin}: not valid TOML: {error}") from error
    except CatalogError as error:
        raise UsageError(str(error), hint=error.hint) from error


def _fields(data: Mapping[str, Any], origin: str, today: date) -> dict[str, Any]:
    table = Table(data, origin)
    fields: dict[str, Any] = {}
    for key, read in _READERS.items():
        if table.has(key):
            fields[key.replace("-", "_")] = read(table, key)
    if table.has("ignore"):
        fields |= _ignores(data["ignore"], origin, today)
    if table.has("models"):
        fields["models"] = (_models(data["models"], origin),)
    table.finish()
    return fields


def _word_of(words: Mapping[str, object]) -> Callable[[Table, str], object]:
    def read(table: Table, key: str) -> object:
        return words[known_word(table.text(key), words, what=key, where=table.where)]

    return read


def _names(table: Table, key: str) -> frozenset[str]:
    return frozenset(table.texts(key))


def _roles(table: Table, key: str) -> frozenset[Role]:
    words = [
        known_word(word, ROLES, what="kind of code", where=table.where) for word in table.texts(key)
    ]
    return frozenset(ROLES[word] for word in words)


def _beside(table: Table, key: str) -> str:
    """A path relative to the file that says it, wherever the audit is started."""
    return str(Path(table.where).parent / table.text(key))


_READERS: Mapping[str, Callable[[Table, str], object]] = {
    "severity": _word_of(SEVERITIES),
    "confidence": _word_of(CONFIDENCES),
    "fail-on": _word_of(SEVERITIES),
    "rules": _names,
    "not-rules": _names,
    "include": _roles,
    "strict": Table.flag,
    "baseline": _beside,
    "format": _word_of({word: word for word in FORMATS}),
}


def _rows(value: Any, key: str, where: str) -> list[dict[str, Any]]:
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise UsageError(f"{where}: `{key}` must be a list of tables", hint=f"Write [[{key}]].")


def _ignores(value: Any, origin: str, today: date) -> dict[str, Any]:
    counting, notes = [], []
    for at, row in enumerate(_rows(value, "ignore", origin), start=1):
        entry = Table(row, f"{origin}: ignore {at}")
        ignore = PathIgnore(
            entry.text("rule"), entry.text("path", "**"), entry.text("reason"), entry.where
        )
        if not re.search(r"\w", ignore.reason):
            raise UsageError(
                f"{entry.where}: the reason is empty",
                hint="Say why the finding is acceptable; the next reader will ask.",
            )
        until = _day(row["until"], entry) if entry.has("until") else None
        entry.finish()
        if until is not None and until < today:
            notes.append(
                f"{entry.where}: the ignore of `{ignore.rule}` ended on {until} and does not count"
            )
        else:
            counting.append(ignore)
    return {"ignores": tuple(counting), "notes": tuple(notes)}


def _day(value: Any, entry: Table) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise entry.wrong("until", "a date such as 2027-01-31")


def _models(value: Any, origin: str) -> ModelText:
    """The models as the text of a model file, whose reader knows what they may say."""
    table = Table({"models": value}, origin)
    lines = []
    for key, content in table.pairs("models"):
        known_word(key, ROWS | TABLES, what="table", where=f"{origin}: models")
        if key in ROWS:
            header, rows = f"[[{key}]]", _rows(content, f"models.{key}", origin)
        else:
            header, rows = f"[{key}]", [dict(Table(value, f"{origin}: models").pairs(key))]
        for row in rows:
            lines.append(header)
            lines += [f"{_toml_key(name)} = {_toml(item, origin)}" for name, item in row.items()]
    return ModelText("".join(f"{line}\n" for line in lines), origin)


def _toml(value: Any, origin: str) -> str:
    """A value in one line: the reader of model files looks for names line by line."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            return _toml_text(value)
        case list():
            return f"[{', '.join(_toml(item, origin) for item in value)}]"
        case dict():
            pairs = (f"{_toml_key(key)} = {_toml(item, origin)}" for key, item in value.items())
            return f"{{ {', '.join(pairs)} }}" if value else "{}"
        case _:
            raise UsageError(f"{origin}: models: {value} is no value that a model may hold")


def _toml_key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _toml_text(text)


def _toml_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
