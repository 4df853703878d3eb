"""The notation for places in a call, such as `0:path`, `self.*` or `0(1)`."""

from __future__ import annotations

import re
from functools import cache

from mcpward.core.errors import CatalogError
from mcpward.core.rule import Place

_BASE = re.compile(
    r"""(?P<word>self|return|args|kwargs)(?![\w:(+])
      | (?P<rest>\d+)\+
      | (?P<function>\d+)(?::(?P<called>[A-Za-z_]\w*))?\((?P<parameter>\d*)\)
      | (?P<index>\d+)(?::(?P<name>[A-Za-z_]\w*))?(?!\w)
      | (?P<keyword>[A-Za-z_]\w*)(?![(:+])
    """,
    re.VERBOSE,
)
_FIELD = re.compile(r"\.(\*|\{\d+\}|\d+\+|[\w$-]+)")


@cache
def parse_place(text: str) -> Place:
    """The place that a text such as `0:args.*` denotes.

    Raises CatalogError when it is not in the notation.
    """
    base = _BASE.match(text)
    if base is None:
        raise _unreadable(text)
    path = tuple(_FIELD.findall(text, base.end()))
    if "".join(f".{part}" for part in path) != text[base.end() :]:
        raise _unreadable(text)
    match base.lastgroup:
        case "word":
            return Place(base["word"], path=path)
        case "rest":
            return Place("rest", index=int(base["rest"]), path=path)
        case "keyword":
            return Place("keyword", name=base["keyword"], path=path)
        case "function" | "parameter" if base["parameter"]:
            index, name = int(base["function"]), base["called"] or ""
            return Place("parameter-of", index, name, int(base["parameter"]), path)
        case "function" | "parameter":
            index, name = int(base["function"]), base["called"] or ""
            return Place("result-of", index, name, path=path)
        case _:
            return Place("arg", index=int(base["index"]), name=base["name"] or "", path=path)


def _unreadable(text: str) -> CatalogError:
    return CatalogError(
        f"`{text}` is not a place",
        hint="Places look like `0`, `0:path`, `path`, `2+`, `self.*`, `return`, `0()`, `0(1)`.",
    )
