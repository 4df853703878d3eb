"""Texts as far as they are written in the program: paths, addresses and command lines.

Parts that are not written there are holes. The home folder is `~`, and the folder of the code that
runs is `<here>`, however they were asked for.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

from mcpward.audit.sites import Site, uses
from mcpward.audit.subject import Subject
from mcpward.core.late import late
from mcpward.ir.values import Assume, Call, Const, Global, Id, Join, Load, Phi
from mcpward.taint.frame import Frame

HOLE = "\0"
HERE = "<here>"
_DEPTH = 10
_LONGEST = 2_000
_ALTERNATIVES = 4
_WORDS = 64

_JOINS = frozenset(
    ["os.path.join", "path.join", "path.resolve", "pathlib.PurePath.joinpath", "pathlib.Path"]
)
_SAME = frozenset(
    [
        *("os.path.expanduser", "os.path.expandvars", "os.path.abspath", "os.path.normpath"),
        *("os.path.realpath", "os.fspath", "str", "String", "path.normalize", "url.fileURLToPath"),
        *("anyio.Path", "fs.realpathSync", "URL", "urllib.request.Request"),
    ]
)
_SELF = frozenset(
    ["expanduser", "resolve", "absolute", "as_posix", "decode", "toString", "strip", "trim"]
)
_DECODERS = frozenset(["base64.b64decode", "base64.urlsafe_b64decode", "atob"])
TEMPORARY = "/tmp"  # noqa: S108 - it is looked for here, not written to
_FIXED = {
    "pathlib.Path.home": "~",
    "os.homedir": "~",
    "os.tmpdir": TEMPORARY,
    "tempfile.gettempdir": TEMPORARY,
}
_PROGRAMS = {"sys.executable": "python", "process.execPath": "node"}
_HOME = late(r"(?:^|\.)(?:HOME|USERPROFILE)$")
_PARENTS = frozenset(["os.path.dirname", "path.dirname"])
_EMPTY_OR = late(r"/{2,}")


class Command(NamedTuple):
    """A command line, word by word."""

    words: tuple[str, ...]
    values: tuple[Id, ...]
    """The values that it is made from."""

    @property
    def text(self) -> str:
        """The words in one line."""
        return " ".join(self.words)

    @property
    def program(self) -> str:
        """The program without its folder."""
        return _bare(self.words[0]) if self.words else ""


def _bare(word: str) -> str:
    return word.replace("\\", "/").rpartition("/")[2].removesuffix(".exe").removesuffix(".cmd")


def spelled(subject: Subject, frame: Frame, at: Id, depth: int = _DEPTH) -> list[str]:
    """The texts that a value may be, with holes for what is not written."""
    known = [c for c in frame.constants(at) if isinstance(c, str)]
    if len(known) > 1 and len(known) == len(frame.constants(at)):
        return [text[:_LONGEST] for text in known[:_ALTERNATIVES]]
    value = frame.values[at]
    if depth <= 0:
        return [HOLE]
    match value:
        case Const():
            return [_constant(value.value)]
        case Join(fields=None):
            return _joined(subject, frame, value, depth)
        case Assume():
            return spelled(subject, frame, value.value, depth - 1)
        case Phi():
            found: dict[str, None] = {}
            for operand in value.operands[:_ALTERNATIVES]:
                found |= dict.fromkeys(spelled(subject, frame, operand, depth - 2))
            return list(found)[:_ALTERNATIVES]
        case Global():
            return _variable(subject, frame.function.module, value.name, known, depth)
        case Load():
            return _loaded(subject, frame, at, value, known, depth)
        case Call():
            return _called(subject, frame, value, depth) or known or [HOLE]
        case _:
            return known or [HOLE]


def _constant(value: object) -> str:
    if isinstance(value, str):
        return value[:_LONGEST]
    if isinstance(value, bytes):
        return value[:_LONGEST].decode("latin-1")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return HOLE


def _joined(subject: Subject, frame: Frame, value: Join, depth: int) -> list[str]:
    parts = [spelled(subject, frame, operand, depth - 1)[0] for operand in value.operands[:_WORDS]]
    return [_path(parts) if value.label == "/" else "".join(parts)[:_LONGEST]]


def _path(parts: list[str]) -> str:
    text = ""
    for part in parts:
        text = part if part.startswith(("/", "~", HERE)) or not text else f"{text}/{part}"
    return _EMPTY_OR.sub("/", text)[:_LONGEST]


def _variable(subject: Subject, module: str, name: str, known: list[str], depth: int) -> list[str]:
    if name in ("__file__", "__dirname", "__filename"):
        return [HERE]
    made = subject.module_variables.get((module, name), ())
    if len(made) == 1:
        return spelled(subject, *made[0], depth - 2)
    return known or [HOLE]


def _loaded(
    subject: Subject, frame: Frame, at: Id, value: Load, known: list[str], depth: int
) -> list[str]:
    names = [ref.name for ref in frame.refs[at] if ref.sort == "ext"]
    if any(_HOME.search(name) for name in names):
        return ["~"]
    for name in names:
        if name in _PROGRAMS:
            return [_PROGRAMS[name]]
    owner = frame.values[value.object]
    if value.field in ("dirname", "filename", "url") and any("import.meta" in n for n in names):
        return [HERE]
    if isinstance(owner, Global):
        for ref in frame.refs[value.object]:
            if ref.sort == "mod":
                return _variable(subject, ref.name, value.field, known, depth)
    if value.field in ("parent", "pathname"):
        base = spelled(subject, frame, value.object, depth - 1)[0]
        return [base if base == HERE else base.rpartition("/")[0] or HOLE]
    return known or [HOLE]


def _called(subject: Subject, frame: Frame, call: Call, depth: int) -> list[str]:
    library = frame.library
    refs = sorted(frame.refs[call.callee])
    names = {library.canonical(ref.name) for ref in refs if ref.sort == "ext"}
    for name in sorted(names):
        if name in _FIXED:
            return [_FIXED[name]]
        if name in ("os.getenv", "os.environ.get") and call.args:
            key = spelled(subject, frame, call.args[0], 1)[0]
            return ["~"] if _HOME.search(key) else []
        lineage = set(library.lineage(name)) | {name}
        if lineage & _JOINS:
            first = [] if call.receiver is None or "joinpath" not in name else [call.receiver]
            parts = [
                spelled(subject, frame, a, depth - 1)[0] for a in (*first, *call.args[:_WORDS])
            ]
            return [_path(parts)] if parts else []
        if name in _PARENTS and call.args:
            base = spelled(subject, frame, call.args[0], depth - 1)[0]
            return [base if base == HERE else base.rpartition("/")[0]]
        if lineage & _SAME and call.args:
            return spelled(subject, frame, call.args[0], depth - 1)
        if name in _DECODERS and call.args:
            return [_decoded(spelled(subject, frame, call.args[0], depth - 1)[0])]
        if name == "Buffer.from" and len(call.args) > 1:
            how = spelled(subject, frame, call.args[1], 1)[0]
            text = spelled(subject, frame, call.args[0], depth - 1)[0]
            return [_decoded(text) if how == "base64" else text]
    callee = frame.values[call.callee]
    if isinstance(callee, Load) and call.receiver is not None:
        if callee.field in _SELF:
            return spelled(subject, frame, call.receiver, depth - 1)
        if callee.field == "format":
            text = spelled(subject, frame, call.receiver, depth - 1)[0]
            return [re.sub(r"\{[^{}]{0,80}\}", HOLE, text)]
    return []


def _decoded(text: str) -> str:
    if HOLE in text:
        return HOLE
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-8")[:_LONGEST]
    except (binascii.Error, ValueError):
        return HOLE


_STARTS = ("program", "argv", "shell", "remote-shell", "spawn-server", "code", "git")


def command(subject: Subject, site: Site) -> Command | None:
    """The command line that a call starts, if it starts one."""
    values: dict[Id, str] = {}
    for use in uses(site, _STARTS):
        if use.kind in ("program", "argv", "shell", "spawn-server") and use.place.name not in (
            "executable",
            "cwd",
        ):
            for value in use.values:
                values.setdefault(value, use.kind)
    if not values:
        return None
    words: list[str] = []
    for value, kind in values.items():
        elements = list(_elements(subject, site.frame, value))
        if elements or _listed(site.frame, value):
            words += elements
        else:
            text = spelled(subject, site.frame, value)[0]
            words += text.split() if kind in ("shell", "program") else [text]
    return Command(tuple(words[:_WORDS]), tuple(values)) if words else None


def _listed(frame: Frame, at: Id) -> bool:
    known = frame.refs[at]
    return any(ref.sort == "obj" and ref.name in ("list", "tuple", "array") for ref in known)


def _elements(subject: Subject, frame: Frame, at: Id) -> Iterator[str]:
    value = frame.values[at]
    while isinstance(value, Assume):
        value = frame.values[value.value]
    if isinstance(value, Join) and value.fields is not None:
        for operand, field in zip(value.operands[:_WORDS], value.fields, strict=False):
            if field == "**":
                yield from _elements(subject, frame, operand)
            elif field.isdigit() or field in ("*", "+"):
                yield spelled(subject, frame, operand)[0]
        return
    for refs in frame.elements(at)[:_WORDS]:
        texts = sorted(r.name[2:] for r in refs if r.sort == "const" and r.name[:2] == "s:")
        yield texts[0] if texts else HOLE


def commands(subject: Subject) -> Iterator[tuple[Site, Command]]:
    """Every program that is started, with its command line."""
    for site in subject.sites:
        found = command(subject, site)
        if found is not None:
            yield site, found
