"""Literals in a text, each with the name it is given to and the way it is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mcpward.core.late import late

_BEFORE = 120
"""Characters before a literal that tell what it is given to."""
_MOST = 20_000
"""Literals of each sort in one text that are looked at: hostile text can be full of them."""
_SPEAKING = late(r"(?i)key|token|secret|pass|pwd|psk|auth|cred|bearer|_pat\b|_pw\b")
"""What every name of a credential has in it."""
_OPENERS = frozenset("=:,(frbu")
_DIGIT = late(r"\d")
_START = r"-A-Za-z0-9_+/=.~!@#$%^&*?,;:|"
_QUOTED = late(rf"""(["'`])([{_START}][{_START} ]{{7,600}})\1""")
_NAME = r"[A-Za-z_][\w$-]{1,60}"
_HEADERS = r"(?i:authorization|x-api-key|api-key|x-auth-token|x-access-token|private-token)"
_GIVEN = late(
    rf"""(?:
        (?P<name>{_NAME})(?:["'`]?\]?)\s{{0,3}}
        (?::\s{{0,2}}[\w.\[\]| ]{{1,40}}=|={{1,3}}|!={{1,2}}|:=?)
        \s{{0,3}}(?:\(\s{{0,2}})?(?:SecretStr\(|str\(|[frbu]{{1,2}})?
      | ["'`](?P<header>{_HEADERS})["'`]\s{{0,2}},\s{{0,2}}
      | ["']--(?P<flag>{_NAME})["']\s{{0,2}},\s{{0,2}}
    )$""",
    re.VERBOSE,
)
_TEXT = r"""(?P<quote>["'`])(?P<value>[^"'`\n$]{1,300})(?P=quote)"""
_OR = r"\s{0,9}(?:\|\||\?\?)=?\s{0,9}"
_OR_SECOND = (
    rf"""\(\s{{0,9}}["'](?P<name>{_NAME})["']\s{{0,3}}"""
    rf"""(?:,\s{{0,9}}(?:default\s?=\s?)?|\)\s{{0,3}}or\s{{1,3}}){_TEXT}"""
)
_DEFAULTS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"getenv{_OR_SECOND}",
        rf"environ\.get{_OR_SECOND}",
        rf"""process\.env(?:\.|\[["'])(?P<name>{_NAME})(?:["']\])?!?{_OR}{_TEXT}""",
        rf"""Deno\.env\.get\(["'](?P<name>{_NAME})["']\){_OR}{_TEXT}""",
        rf"""import\.meta\.env\.(?P<name>{_NAME}){_OR}{_TEXT}""",
    )
)
_DEFAULT = r"(?:default\s?=\s?)?"
_SCHEMA_DEFAULT = late(
    rf"""(?P<name>{_NAME})["']?\s{{0,2}}:\s{{0,2}}
        (?: z\.[\w.() ]{{1,60}}\.default\(\s{{0,2}}
          | [\w.\[\]| ]{{1,40}}=\s{{0,2}}Field\(\s{{0,2}}{_DEFAULT} )$
      | ["']--(?P<flag>{_NAME})["'][^()\n]{{0,80}}default\s?=\s?$""",
    re.VERBOSE,
)
_LINE = late(
    r"""^[ \t]{0,60}(?:export[ ]|ENV[ ]|ARG[ ]|-[ ])?[ \t]{0,3}
        ["']?(?P<name>[A-Za-z_/:.@][\w./:@-]{1,100}?)["']?[ \t]{0,3}(?:=|:[ \t])[ \t]{0,3}
        ["']?(?P<value>[^\s"'\#][^\s"']{3,600})["']?[ \t\r,]{0,3}$""",
    re.VERBOSE | re.MULTILINE,
)
_FLAG = late(rf"""--(?P<name>{_NAME})(?:=|[ ]{{1,2}})(?P<value>[^\s"'`<>$]{{8,300}})""")
_QUERY = late(r"""[?&](?P<name>[A-Za-z_][\w-]{1,40})=(?P<value>[A-Za-z0-9_.~%+-]{8,300})""")


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal text with the name it is given to; the offsets are those of the value."""

    name: str
    value: str
    start: int
    how: str
    """`assigned`, `default`, `line`, `argument` or `query`."""

    @property
    def end(self) -> int:
        return self.start + len(self.value)


def literals(text: str) -> Iterator[Literal]:
    """Quoted literals of code with a digit in them that are given to a name."""
    tried = 0
    for match in _QUOTED.finditer(text):
        if not _DIGIT.search(match[2]):
            continue
        before = text[max(match.start() - _BEFORE, 0) : match.start()]
        if before.rstrip()[-1:] not in _OPENERS or not _SPEAKING.search(before):
            continue
        tried += 1
        if tried > _MOST:
            return
        given = _GIVEN.search(before)
        how = "assigned"
        if given is None or given["name"] == "default":
            given, how = _SCHEMA_DEFAULT.search(before), "default"
        if given is not None:
            name = next(filter(None, given.groups()), "")
            yield Literal(name, match[2], match.start(2), how)


def defaults(text: str) -> Iterator[Literal]:
    """Literals that stand in for a variable of the environment that is not set."""
    for pattern in _DEFAULTS:
        for match in islice(pattern.finditer(text), _MOST):
            yield Literal(match["name"], match["value"], match.start("value"), "default")


def lines(text: str) -> Iterator[Literal]:
    """Values of settings files, one a line: `NAME=value`, `name: value`, `ENV NAME=value`."""
    for match in islice(_LINE.finditer(text), _MOST):
        name = re.split(r"[/:.@]", match["name"].rstrip("/:.@"))[-1]
        yield Literal(name, match["value"], match.start("value"), "line")


def arguments(text: str) -> Iterator[Literal]:
    """Values of options on command lines: `--api-key value`."""
    for match in islice(_FLAG.finditer(text), _MOST):
        yield Literal(match["name"], match["value"], match.start("value"), "argument")


def queries(text: str) -> Iterator[Literal]:
    """Parameters in the query of an address."""
    for match in islice(_QUERY.finditer(text), _MOST):
        yield Literal(match["name"], match["value"], match.start("value"), "query")
