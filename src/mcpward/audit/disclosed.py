"""What must not be told: secrets, the environment, errors, traces, and how each is recognised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mcpward.core.late import late
from mcpward.ir.values import Assume, Call, Compare, Global, Id, Join, Load, Outcome, Phi
from mcpward.secrets import secret_name
from mcpward.taint.facts import Path, Ref, ordered
from mcpward.taint.frame import Frame
from mcpward.taint.library import applies

ENVIRONMENTS = frozenset(["os.environ", "process.env", "os.environb", "Bun.env"])
READS = frozenset(["os.getenv", "os.environ.get", "os.environ.pop", "Deno.env.get"])
_WHOLE = frozenset(
    [
        *("os.environ.copy", "os.environ.items", "os.environ.values", "Deno.env.toObject"),
        *("dotenv.dotenv_values", "os.environ.__repr__"),
    ]
)
_SECRETS = frozenset(["secret", "environment", "chosen"])
_HIDES = late(
    r"mask|redact|sanitiz|censor|obfuscat|hash|encrypt|digest|scrub|anonymi|fingerprint|hide"
    r"|truncate|hmac|preview",
    re.IGNORECASE,
)
_HARMLESS = frozenset(
    [
        *("code", "name", "status", "statusCode", "status_code", "errno", "statusText", "type"),
        *("reason_phrase", "__class__", "returncode", "exitCode", "exit_code", "lineno", "line"),
        *("issues", "length", "killed", "signal", "retryable", "reason"),
    ]
)
"""Fields of an error that say what happened, not where."""
_OUTPUT = frozenset(["stderr", "stdout", "output"])
_TRACE = frozenset(["stack", "__traceback__", "stackTrace"])
_OWN = frozenset(
    [
        *("ValueError", "TypeError", "KeyError", "IndexError", "AttributeError", "LookupError"),
        *("AssertionError", "NotImplementedError", "UnicodeDecodeError", "OverflowError"),
        *("ZeroDivisionError", "StopIteration", "KeyboardInterrupt", "asyncio.CancelledError"),
        *("TimeoutError", "asyncio.TimeoutError", "ArithmeticError", "UnicodeError"),
    ]
)
"""Exceptions whose text is about the caller's input."""
_VALIDATION = late(
    r"(?:ValidationError|ZodError|DecodeError|ParseError|ParserError|SyntaxError|InputError"
    r"|ToolError|McpError|MCPError|UserError|TimeoutError|TimeoutExpired|TimeoutException)"
)


class Origin(NamedTuple):
    """Something that must not be told, and where it comes in."""

    kind: str
    """`secret`, `environment`, `chosen`, `error`, `trace`, `output`, `fetched`, `file`."""
    function: str
    at: Id
    label: str

    @property
    def secret(self) -> bool:
        """Whether a piece of it says little."""
        return self.kind in _SECRETS


class Told(NamedTuple):
    """What a library call brings in; `key` names a variable that is not known."""

    origins: tuple[Origin, ...] = ()
    key: Id | None = None


def variable(frame: Frame, at: Id, name: str) -> Iterator[Origin]:
    """A variable of the environment, when its name is one of a credential."""
    if secret_name(name):
        yield Origin("secret", frame.name, at, name)


def environment(frame: Frame, at: Id) -> Origin:
    """All variables of the environment."""
    return Origin("environment", frame.name, at, "the environment")


def chosen(frame: Frame, at: Id) -> bool:
    """Whether the elements of a collection are tested: then not all of them go on.

    A test that lets credentials through, and nothing else, is none.
    """
    return any(
        type(value) is Assume
        and value.outcome is not Outcome.RETURNED
        and _of(frame, value, at)
        and not (value.outcome is Outcome.TRUE and _asks_for_secrets(frame, value.test))
        for value in frame.values
    )


_SECRET_WORDS = frozenset(
    ["KEY", "API_KEY", "APIKEY", "SECRET", "TOKEN", "PASSWORD", "PASSWD", "PASS", "CREDENTIAL"]
)


def _asks_for_secrets(frame: Frame, test: Id, depth: int = 6) -> bool:
    """Whether a test is true for names that have a word for a credential in them."""
    value = frame.values[test]
    if depth <= 0:
        return False
    if isinstance(value, Assume):
        return _asks_for_secrets(frame, value.value, depth - 1)
    if isinstance(value, Call) and value.args:
        names = {ref.name for ref in frame.refs[value.callee]}
        return "any" in names and _asks_for_secrets(frame, value.args[0], depth - 1)
    if isinstance(value, Join) and value.fields is not None:
        return any(_asks_for_secrets(frame, one, depth - 1) for one in value.operands)
    if isinstance(value, Compare) and value.operator == "or":
        return any(_asks_for_secrets(frame, one, depth - 1) for one in value.operands)
    if isinstance(value, Compare) and value.operator == "in":
        return not _SECRET_WORDS.isdisjoint(_words(frame, value.operands[0], 3))
    return False


def _words(frame: Frame, at: Id, depth: int) -> set[str]:
    """The texts that a value, or an element of a list that is written there, may be."""
    found = {c.upper().strip("_") for c in frame.constants(at) if isinstance(c, str)}
    value = frame.values[at]
    if not depth:
        return found
    if isinstance(value, Load | Assume):
        inner = value.object if isinstance(value, Load) else value.value
        found |= _words(frame, inner, depth - 1)
    elif isinstance(value, Join) and value.fields is not None:
        for operand in value.operands[:32]:
            found |= _words(frame, operand, depth - 1)
    return found


def _of(frame: Frame, value: Assume, whole: Id) -> bool:
    at = value.value
    for _ in range(6):
        if at == whole:
            return True
        inner = frame.values[at]
        if isinstance(inner, Load):
            at = inner.object
        elif isinstance(inner, Assume):
            at = inner.value
        elif isinstance(inner, Call) and inner.args:
            at = inner.args[0]
        elif isinstance(inner, Phi) and inner.operands:
            at = inner.operands[0]
        else:
            return False
    return False


def tested(frame: Frame, at: Id) -> bool:
    """Whether a name was looked up in a list, or compared with a pattern, before it is used."""
    listed = frame.world.bits["listed"]
    facts = frame.facts[at]
    if facts and all(marks & listed for _, marks in facts):
        return True
    for _ in range(12):
        value = frame.values[at]
        if not isinstance(value, Assume):
            return False
        test = frame.values[value.test]
        if isinstance(test, Compare) and test.operator in ("in", "not in"):
            known = frame.refs[test.operands[1]]
            if not any(ref.name in ENVIRONMENTS for ref in known):
                return True
        elif isinstance(test, Call) and value.outcome is not Outcome.RETURNED:
            return True
        at = value.value
    return False


def error(frame: Frame, at: Id, path: Path) -> Origin | None:
    """What is told of an exception when a field of it, or all of it, is."""
    names = set(path)
    if names & _TRACE:
        return Origin("trace", frame.name, at, "the stack of an error")
    if names & _HARMLESS:
        return None
    if names & _OUTPUT:
        return Origin("output", frame.name, at, "the output of a program that failed")
    return Origin("error", frame.name, at, "an error")


def validates(frame: Frame, value: Join) -> bool:
    """Whether all exceptions that a handler catches are about the caller's input."""
    refs: list[Ref] = []
    for caught in value.operands:
        kinds = [frame.refs[caught], *frame.elements(caught)]
        refs += [r for kind in kinds for r in kind if r.sort in ("ext", "cls", "inst")]
    return bool(refs) and all(_own(ref) for ref in refs)


def _own(ref: Ref) -> bool:
    if ref.sort == "cls":
        return True
    last = ref.name.rpartition(".")[2]
    return ref.name in _OWN or bool(_VALIDATION.fullmatch(last) or _VALIDATION.search(last[-20:]))


def narrowed(frame: Frame, value: Assume) -> bool:
    """Whether an error was tested to be one of the program's own, or about the input."""
    test = frame.values[value.test]
    if value.outcome is not Outcome.TRUE:
        return False
    if isinstance(test, Compare) and test.operator == "instanceof" and value.value in test.operands:
        wanted = test.operands[1]
    elif isinstance(test, Call) and len(test.args) == 2 and test.args[0] == value.value:
        wanted = test.args[1]
        if not any(ref.name == "isinstance" for ref in frame.refs[test.callee]):
            return False
    else:
        return False
    refs = [r for r in frame.refs[wanted] if r.sort in ("ext", "cls")]
    return bool(refs) and all(_own(ref) for ref in refs)


def hides(frame: Frame, call: Call) -> bool:
    """Whether a function is called so that what it gives is no longer the secret."""
    callee = frame.values[call.callee] if call.callee >= 0 else None
    name = callee.field if isinstance(callee, Load) else getattr(callee, "name", "")
    if isinstance(callee, Load) and name in ("replace", "replaceAll", "padEnd", "padStart"):
        return False
    return isinstance(callee, Load | Global) and bool(_HIDES.search(name[:60]))


def called(frame: Frame, at: Id, call: Call, path: Path) -> Told | None:
    """What a library call brings in by itself; `None` when it passes something on at most."""
    for ref in ordered(frame.refs[call.callee]) if call.callee >= 0 else ():
        if ref.sort != "ext":
            continue
        name = frame.library.canonical(ref.name)
        if name in READS:
            return _read(frame, at, call, path)
        if name in _WHOLE:
            return Told() if path and chosen(frame, at) else Told((environment(frame, at),))
        told = _modelled(frame, at, call, name, path)
        if told is not None:
            return told
    return None


def _read(frame: Frame, at: Id, call: Call, path: Path) -> Told:
    names = [c for a in call.args[:1] for c in frame.constants(a) if isinstance(c, str)]
    if path:
        return Told()
    if names:
        return Told(tuple(o for name in names for o in variable(frame, at, name)))
    return Told(key=call.args[0] if call.args else None)


_KINDS = {"secret": "secret", "stack-trace": "trace"}
_STARTED = frozenset(["shell", "program", "argv", "remote-shell"])
_ASKED = frozenset(["url", "browser-url"])


def _modelled(frame: Frame, at: Id, call: Call, name: str, path: Path) -> Told | None:
    """A call that a row of the models says to bring in something."""
    for row in frame.library.calls(name):
        if not applies(frame, call, row):
            continue
        for place, kind in row.sources:
            if kind in _KINDS and place.base == "return":
                if kind == "secret" and path:
                    return Told()
                return Told((Origin(_KINDS[kind], frame.name, at, name),))
        sinks = {kind for _, kind in row.sinks}
        if sinks & _STARTED:
            # What a program writes to its error stream, not what it was run for.
            if "stderr" in path:
                return Told((Origin("output", frame.name, at, "the error output of a program"),))
            return Told()
        if sinks & _ASKED:
            return Told((Origin("fetched", frame.name, at, name),))
        if "path-read" in sinks and any(place.base in ("arg", "self") for place, _ in row.sinks):
            return Told(tuple(_file(frame, at, call, name)))
        return None
    return None


_CREDENTIALS = late(
    r"(?:^|/)(?:\.ssh/(?:id_[a-z0-9]+)?|\.aws/credentials|\.netrc|\.git-credentials|\.pypirc"
    r"|\.kube/config|\.docker/config\.json|\.npmrc|\.gnupg/|\.config/gcloud/|etc/shadow)"
)


def _file(frame: Frame, at: Id, call: Call, name: str) -> Iterator[Origin]:
    """A file of credentials that is read."""
    given = [*call.args[:1], *([] if call.receiver is None else [call.receiver])]
    for text in (_written(frame, value, 4) for value in given):
        if _CREDENTIALS.search(text):
            yield Origin("file", frame.name, at, f"{name} of a file with credentials")
            return


def _written(frame: Frame, at: Id, depth: int) -> str:
    """The fixed parts of a path, in order."""
    texts = [c for c in frame.constants(at) if isinstance(c, str)]
    if texts:
        return texts[0]
    value = frame.values[at]
    if depth and isinstance(value, Join):
        return "/".join(_written(frame, o, depth - 1) for o in value.operands).replace("//", "/")
    if depth and isinstance(value, Call):
        inner = [*([] if value.receiver is None else [value.receiver]), *value.args]
        return "/".join(_written(frame, o, depth - 1) for o in inner).replace("//", "/")
    return ""
