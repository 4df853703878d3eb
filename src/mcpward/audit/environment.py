"""The environment variables that code reads: names, places, defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.places import text_place
from mcpward.core.late import late
from mcpward.core.privilege import Chosen, Privilege, Sort
from mcpward.core.source import SourceFile
from mcpward.ir.values import UNKNOWN, Call, Class, Const, Function
from mcpward.taint.world import World

_NAME = r"([A-Za-z_][A-Za-z0-9_]{0,99})"
_PYTHON = late(
    rf"""(?:\bos\.)?\benviron\s*\[\s*["']{_NAME}["']\s*\](?!\s*=[^=])
      | (?:\bos\.)?(?:\benviron\.get|\bgetenv)\(\s*["']{_NAME}["']\s*(,[^\n)]{{0,200}}|\))
      | ["']{_NAME}["']\s+(?:not\s+)?in\s+os\.environ\b
      | \benvvar\s*=\s*["']{_NAME}["']
      | \b(?:decouple|env)\.?(?:config|str|int|bool|list)?\(\s*["']([A-Z][A-Z0-9_]{{2,99}})["']
      | \b(?:config|get_env\w*|require_env\w*|env_\w+)\(\s*["']([A-Z][A-Z0-9_]{{2,99}})["']
    """,
    re.VERBOSE,
)
_JAVASCRIPT = late(
    rf"""\b(?:process|default|import\.meta|Bun)\.env\.{_NAME}\b(?!\s*=[^=])
          (?=\s*(!|\?\?[^\n;,)]{{0,200}}|\|\|[^\n;,)]{{0,200}})?)
      | \b(?:process|default|import\.meta|Bun)\.env\[\s*["'`]{_NAME}["'`]\s*\](?!\s*=[^=])
      | \bDeno\.env\.get\(\s*["'`]{_NAME}["'`]
      | \b(?:getEnv\w*|requireEnv\w*|env\w*)\(\s*["'`]([A-Z][A-Z0-9_]{{2,99}})["'`]
    """,
    re.VERBOSE,
)
_TAKEN = late(r"(?:const|let|var)\s*\{([^{}]{1,2000})\}\s*=\s*process\.env\b")
_MEMBER = late(rf"{_NAME}\s*(?::\s*[\w$]+)?\s*(?:=\s*([^,}}]{{1,200}}))?")
_LITERAL = late(r"""^[\s,?|]*(["'`])([^"'`\n]{0,200})\1\s*$""")
_COMMENT = late(r"^\s*(?:#|//|\*|/\*)")
_SETTINGS = frozenset(["BaseSettings"])
_MOST = 2_000
"""Reads of one file that are listed."""


def reads(world: World) -> Iterator[Privilege]:
    """Every read of a variable, in the order of files."""
    for name in sorted(world.program.modules):
        module = world.program.modules[name]
        source = module.source
        found = 0
        for one in (*_written(source), *_settings(world, name)):
            found += 1
            if found > _MOST:
                break
            yield one


def _written(source: SourceFile) -> Iterator[Privilege]:
    text = source.data.decode("utf-8", "replace")
    if "env" not in text:
        return
    python = source.language.family == "python"
    for match in (_PYTHON if python else _JAVASCRIPT).finditer(text):
        groups = [group for group in match.groups() if group]
        name = groups[0]
        rest = groups[1] if len(groups) > 1 else ""
        needed = _needed(match[0], rest, python=python)
        yield from _one(source, text, match.start(), match.end(), name, needed, _default(rest))
    for block in () if python else _TAKEN.finditer(text):
        for member in _MEMBER.finditer(block[1]):
            start = block.start(1) + member.start()
            end = block.start(1) + member.end(1)
            yield from _one(source, text, start, end, member[1], False, _default(member[2] or ""))


def _needed(code: str, rest: str, *, python: bool) -> bool:
    """Whether reading it fails when the variable is not set."""
    return ("environ[" in code.replace(" ", "")) if python else rest == "!"


def _default(rest: str) -> str | None:
    found = _LITERAL.match(rest.removeprefix("?? ").removeprefix("|| "))
    return found[2] if found else None


def _one(
    source: SourceFile,
    text: str,
    start: int,
    end: int,
    name: str,
    needed: bool,  # noqa: FBT001  # a private function with one caller
    default: str | None,
) -> Iterator[Privilege]:
    line = text.rfind("\n", 0, start) + 1
    if _COMMENT.match(text[line:start]):
        return
    begin = len(text[:start].encode("utf-8", "replace"))
    stop = begin + len(text[start:end].encode("utf-8", "replace"))
    place = text_place(source, begin, stop)
    yield Privilege(
        Sort.ENVIRONMENT, "read", name, Chosen.FIXED, place, required=needed, default=default
    )


# ── classes whose fields are variables ────────────────────────────────────────────────────────


def _settings(world: World, module: str) -> Iterator[Privilege]:
    """The fields of pydantic settings: each is a variable with the prefix of the class."""
    for made in world.program.modules[module].classes.values():
        scope = world.program.function(made.scope)
        if scope is None or not any(_is_settings(world, scope, base) for base in made.bases):
            continue
        prefix = _prefix(scope, made)
        place = text_place(world.program.modules[module].source, made.start, made.end)
        for field in made.fields:
            if not field.startswith(("_", "model_config")):
                at = made.defaults.get(field)
                value = scope.values[at] if at is not None else None
                default = str(value.value) if isinstance(value, Const) else None
                needed = at is None or _is_required(scope, value)
                for name in _aliases(scope, value) or [(prefix + field).upper()]:
                    yield Privilege(
                        Sort.ENVIRONMENT,
                        "read",
                        name,
                        Chosen.FIXED,
                        place,
                        required=needed,
                        default=default,
                    )


def _aliases(scope: Function, value: object) -> list[str]:
    """The names that a field is given instead of its own: one, or some to choose from."""
    out: list[str] = []
    for name, at in value.keywords if isinstance(value, Call) else ():
        if name in ("validation_alias", "alias", "env"):
            said = scope.values[at]
            for one in said.args if isinstance(said, Call) else (at,):
                literal = scope.values[one]
                if isinstance(literal, Const) and isinstance(literal.value, str):
                    out.append(literal.value)
    return out


def _is_required(scope: Function, value: object) -> bool:
    """`Field(...)`, and a field without any default."""
    if not isinstance(value, Call):
        return False
    first = scope.values[value.args[0]] if value.args else None
    if isinstance(first, Const):
        return first.value is UNKNOWN
    return first is None and not any(name.startswith("default") for name, _ in value.keywords)


def _is_settings(world: World, scope: Function, base: int) -> bool:
    frame = world.frames.get(scope.name)
    return frame is not None and any(
        ref.name.rpartition(".")[2] in _SETTINGS for ref in frame.refs[base] if ref.sort == "ext"
    )


def _prefix(scope: Function, made: Class) -> str:
    """`env_prefix` of the class's configuration, when it is a literal."""
    at = made.defaults.get("model_config")
    value = scope.values[at] if at is not None else None
    if isinstance(value, Call):
        for name, argument in value.keywords:
            literal = scope.values[argument]
            if name == "env_prefix" and isinstance(literal, Const):
                return str(literal.value)
    return ""
