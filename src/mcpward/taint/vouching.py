"""First-party validators that are too involved to be proven, but plainly do the right checks.

A function vouches for its argument when its name says that it checks a path or an address, and its
body (or a function it calls) holds every ingredient of a complete check. A check that was found to
be weak is never vouched for.
"""

from __future__ import annotations

import re

from mcpward.ir.program import bare
from mcpward.ir.values import Call, Const, Function, Global, Load, Value
from mcpward.taint.facts import Ref, Summary, Symbol, ordered
from mcpward.taint.world import World

_CHECKS = (
    "valid|safe|secur|confine|ensure|assert|check|within|sanit|allow|contain|jail|guard|resolve"
    "|restrict|protect|verify|block|reject|under|inside"
)
_PATH = re.compile(
    rf"(?i)(?=.*({_CHECKS}))(?=.*(path|file|dir|folder|location|workspace|root|output))"
)
_URL = re.compile(
    rf"(?i)(?=.*({_CHECKS}|^is|ssrf|private|public|internal))(?=.*(url|uri|host|address|ssrf|ip|private|domain|destination|target|webhook))"
)
_RESOLVES = frozenset(["realpath", "realpathSync", "resolve", "abspath", "native"])
_FOLLOWS = frozenset(["realpath", "realpathSync", "native"])
_CONTAINS = frozenset(
    ["is_relative_to", "relative_to", "commonpath", "relative", "startswith", "startsWith"]
)
_LOOKS_UP = frozenset(
    [
        "getaddrinfo",
        "gethostbyname",
        "gethostbyname_ex",
        "lookup",
        "resolve4",
        "resolve6",
        "resolveAny",
    ]
)
_HANDS_OVER = frozenset(["to_thread", "run_in_executor", "run_sync", "submit", "partial"])
"""Calls of a function that is among their arguments."""
_CONNECTED = frozenset(["getpeername"])
_JUDGES = re.compile(r"(?i)private|public|internal|loopback|reserved|ssrf|block|forbid|allowed")
_PROPERTIES = frozenset(["is_private", "is_global", "is_loopback", "is_reserved"])
_WEAK = ("prefix-checked", "unnormalized-checked", "dotdot-checked", "absolute-refused")
_DEPTH = 3
_NOT_YET = -1
_LATER = 1.3
"""A function that nothing spoke for is judged again when so much more is known."""


def vouched(world: World, name: str) -> int:
    """The marks a function vouches for; 0 for nearly all functions."""
    if world.quiet:
        # What the analysis itself finds out about a check comes later, and weighs more.
        return 0
    known = world.vouched.get(name)
    if known is None:
        known = world.vouched[name] = (_NOT_YET, 0) if any(_promises(name)) else (0, 0)
    if known[0] < 0 and world.version > known[1] * _LATER:
        marks = _judge(world, name)
        known = world.vouched[name] = (marks or _NOT_YET, world.version)
    return max(known[0], 0)


def _promises(name: str) -> tuple[bool, bool]:
    """Whether a function is called like a check of a path, and of an address."""
    last = bare(name)
    return bool(_PATH.match(last)), bool(_URL.match(last))


def _judge(world: World, name: str) -> int:
    path, url = _promises(name)
    words = _words(world, name, _DEPTH, set())
    marks = 0
    contains = path and words & _CONTAINS and words & _RESOLVES
    if contains and not _weak(world, name) and not _understood(world, name):
        python = world.program.module(name).language.family == "python"
        follows = bool(words & _FOLLOWS) or (python and "resolve" in words)
        marks |= world.bits["confined" if follows else "lexically-confined"]
    if path and not marks and _refuses_dots(world, name):
        marks |= world.bits["dotdot-checked"]
    if url and words & _LOOKS_UP:
        marks |= world.bits["address-checked"]
    return marks


def _understood(world: World, name: str) -> bool:
    """Whether a proof was found: it says of which argument, and the name of a function does not."""
    summary = world.summaries.get(name)
    strong = world.mask(("confined", "lexically-confined"))
    return summary is not None and any(
        marks & strong for proofs in summary.outcomes.values() for marks in proofs.values()
    )


def watches(world: World, name: str) -> bool:
    """Whether a function looks up the addresses of a host and judges them."""
    reached: set[str] = set()
    words = _words(world, name, _DEPTH, reached, guess=True)
    if not words & (_LOOKS_UP | _CONNECTED):
        return False
    if any(_JUDGES.search(word) for word in (*words, *(n.rpartition(":")[2] for n in reached))):
        return True
    functions = [world.program.function(one) for one in sorted(reached)]
    return any(
        isinstance(value, Load) and value.field in _PROPERTIES
        for function in functions
        if function is not None
        for value in function.values
    )


def _refuses_dots(world: World, name: str) -> bool:
    """Whether a function looks for `..` itself, piece by piece, in a loop or a callback."""
    function = world.program.function(name)
    return function is not None and any(
        isinstance(value, Const) and value.value == ".." for value in function.values
    )


def _words(world: World, name: str, depth: int, seen: set[str], *, guess: bool = False) -> set[str]:
    """The names of everything a function calls, a few levels down.

    With `guess` a method of anything is followed when few classes have one of that name.
    """
    if depth < 0 or name in seen or len(seen) > 40:
        return set()
    seen.add(name)
    function = world.program.function(name)
    if function is None:
        return set()
    out: set[str] = set()
    module = function.module
    for value in function.values:
        for callee in _called(function, value) if isinstance(value, Call) else ():
            if isinstance(callee, Load):
                out.add(callee.field)
                inner = _method(world, function, callee.field)
                methods = (
                    [inner] if inner else world.classes.methods_named(callee.field) if guess else []
                )
                for method in methods:
                    out |= _words(world, method, depth - 1, seen, guess=guess)
            elif isinstance(callee, Global):
                out.add(callee.name)
                if world.program.declared(f"{module}:{callee.name}"):
                    out |= _words(world, f"{module}:{callee.name}", depth - 1, seen, guess=guess)
                else:
                    for ref in ordered(world.heap_refs.get((Ref("mod", module), callee.name), ())):
                        out.add(ref.name.rpartition(".")[2])
                        if ref.sort == "fn":
                            out |= _words(world, ref.name, depth - 1, seen, guess=guess)
    for nested in list(world.program.modules[module].functions):
        if nested.startswith(name + "."):
            out |= _words(world, nested, depth - 1, seen, guess=guess)
    return out


def _called(function: Function, call: Call) -> list[Value]:
    """What a call calls: its callee, and a function that is handed over to be called elsewhere."""
    callee = function.values[call.callee]
    name = callee.field if isinstance(callee, Load) else getattr(callee, "name", "")
    handed = call.args[:2] if name in _HANDS_OVER else ()
    return [callee, *(function.values[at] for at in handed)]


def _method(world: World, function: Function, name: str) -> str | None:
    return world.classes.method(function.owner, name) if function.owner else None


def _weak(world: World, name: str) -> bool:
    """Whether the analysis found the check wanting: what it proves is only a weak mark."""
    summary = world.summaries.get(name) or Summary()
    weak = world.mask(_WEAK)
    strong = world.mask(("confined", "lexically-confined", "listed", "identifier", "file-name"))
    proven = [m for proofs in summary.outcomes.values() for m in proofs.values()]
    proven += [
        marks
        for facts in summary.returns.values()
        for origin, marks in facts
        if isinstance(origin, Symbol)
    ]
    return any(m & weak and not m & strong for m in proven)


def raises(function: Function, summary: Summary) -> bool:
    """Whether a validator says no by raising, rather than by what it returns."""
    constants = {ref.name for ref in summary.refs if ref.sort == "const"}
    if constants & {"v:True", "v:False"}:
        return False
    return not any(
        isinstance(value, Const) and isinstance(value.value, bool) for value in function.values
    ) or bool(summary.returns)
