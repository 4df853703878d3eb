"""Checks of code that is written to a file and then run from there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.sites import Site, uses
from mcpward.audit.spelling import spelled
from mcpward.audit.subject import Sighting, Subject
from mcpward.ir.values import Assume, Call, Global, Id, Join, Load
from mcpward.taint.frame import Frame

_INTERPRETER = re.compile(
    r"(?:python|pypy)[\d.]*|node|nodejs|deno|bun|tsx|ts-node|(?:ba|z|da|k)?sh|fish|perl|ruby|php"
    r"|lua|julia|Rscript|osascript|powershell|pwsh|groovy|elixir"
)
_SUBCOMMANDS = frozenset(["run", "-File", "-file"])
_HARMLESS = (
    *("number", "listed", "identifier", "word", "digest", "json-encoded", "shell-quoted"),
    *("quote-escaped", "no-meta"),
)
_METHODS = frozenset(["write", "writelines", "write_text", "write_bytes"])
_FUNCTIONS = frozenset(["writeFile", "writeFileSync"])
_SAME = frozenset(
    [
        *("str", "os.fspath", "pathlib.Path", "os.path.abspath", "os.path.realpath", "String"),
        *("open", "codecs.open", "aiofiles.open", "anyio.open_file", "anyio.Path", "os.fdopen"),
        *("path.resolve", "path.normalize"),
    ]
)
_TEMPORARY = ("tempfile.", "aiofiles.tempfile.")
_PARTS = frozenset(["name", "0", "1"])
_DEPTH = 8
_WORDS = 16


def written_code_execution(subject: Subject) -> Iterator[Sighting]:
    """Files that are written with what a caller sends, and run by the same function."""
    for site in subject.sites:
        for path in dict.fromkeys(_run(subject, site)):
            if any(_free(subject, site.frame, data) for data in _written(site.frame, path)):
                yield subject.sighting(site)
                break


def _run(subject: Subject, site: Site) -> Iterator[Id]:
    """The files that a call runs as a program, or as the first argument of an interpreter."""
    frame = site.frame
    words: list[Id] = []
    for use in uses(site, ("program", "argv", "shell")):
        if use.place.name in ("cwd", "executable"):
            continue
        for value in use.values:
            if use.kind == "shell":
                yield from _inside(subject, frame, value)
            else:
                words += [one for one in _elements(frame, value) if one not in words]
    yield from _script(subject, frame, words[:_WORDS])


def _elements(frame: Frame, at: Id) -> list[Id]:
    value = frame.values[_bare(frame, at)]
    if isinstance(value, Join) and value.fields is not None:
        return list(value.operands)
    return [at]


def _script(subject: Subject, frame: Frame, words: list[Id]) -> Iterator[Id]:
    for index, at in enumerate(words):
        text = spelled(subject, frame, at)[0]
        if index == 0:
            yield _identity(frame, at)
            if not _INTERPRETER.fullmatch(text.replace("\\", "/").rpartition("/")[2]):
                return
        elif text in _SUBCOMMANDS:
            continue
        elif not text.startswith("-"):
            yield _identity(frame, at)
            return
        elif text in ("-c", "-e", "-m", "-"):
            return


def _inside(subject: Subject, frame: Frame, at: Id) -> Iterator[Id]:
    """The file in a command line of which only the file is not written."""
    value = frame.values[_bare(frame, at)]
    if not isinstance(value, Join) or value.fields is not None:
        return
    before = ""
    for operand in value.operands:
        words = before.strip("\"'` ").split()
        known = bool(words) and bool(_INTERPRETER.fullmatch(words[0].rpartition("/")[2]))
        if known and all(word.startswith("-") or word in _SUBCOMMANDS for word in words[1:]):
            yield _identity(frame, operand)
        before += spelled(subject, frame, operand)[0]


def _bare(frame: Frame, at: Id) -> Id:
    value = frame.values[at]
    while isinstance(value, Assume):
        at = value.value
        value = frame.values[at]
    return at


def _identity(frame: Frame, at: Id) -> Id:
    """The value that a file is known by: the same for its path, and for it when it is open."""
    for _ in range(_DEPTH):
        at = _bare(frame, at)
        value = frame.values[at]
        if isinstance(value, Load) and value.field in _PARTS:
            owner = _bare(frame, value.object)
            if not any(name.startswith(_TEMPORARY) for name in _names(frame, owner)):
                return at
            at = owner
        elif isinstance(value, Call) and value.args and _names(frame, at) & _SAME:
            at = value.args[0]
        else:
            return at
    return at


def _names(frame: Frame, at: Id) -> set[str]:
    value = frame.values[at]
    if not isinstance(value, Call) or value.callee < 0:
        return set()
    refs = (ref for ref in frame.refs[value.callee] if ref.sort == "ext")
    return {frame.library.canonical(ref.name) for ref in refs}


def _written(frame: Frame, path: Id) -> Iterator[Id]:
    """What a function writes to a file."""
    for at in frame.live:
        call = frame.values[at]
        if not isinstance(call, Call) or call.callee < 0 or not call.args:
            continue
        callee = frame.values[call.callee]
        name = callee.field if isinstance(callee, Load) else ""
        if isinstance(callee, Global):
            name = callee.name.rpartition(".")[2]
        if name in _FUNCTIONS and len(call.args) > 1:
            if _identity(frame, call.args[0]) == path:
                yield call.args[1]
        elif name in _METHODS and call.receiver is not None:
            if _identity(frame, call.receiver) == path:
                yield call.args[0]


def _free(subject: Subject, frame: Frame, at: Id) -> bool:
    """Whether the caller of a handler writes code into a text."""
    harmless = subject.world.mask(_HARMLESS)
    if all(marks & harmless for _, marks in frame.deep(at)):
        return False
    return not {"model", "wire"}.isdisjoint(subject.kinds(frame, at))
