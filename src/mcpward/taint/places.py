"""Places of a call, as rows of models write them, turned into values, facts and referents."""

from __future__ import annotations

import re
from functools import lru_cache

from mcpward.core.rule import Condition, Place
from mcpward.ir.values import UNKNOWN, Call, Id, Join, Pattern
from mcpward.taint.backtracking import exponential
from mcpward.taint.constants import literal
from mcpward.taint.endings import ends_with_separator, runnable
from mcpward.taint.facts import NO_REFS, Facts, Path, Refs, ordered, union
from mcpward.taint.frame import Frame

_WRITTEN = frozenset(["object", "dict"])
_LISTED = frozenset(["list", "tuple", "array"])


def values(call: Call, place: Place) -> list[Id]:
    """The values in the base of a place."""
    args = call.args
    spread = call.spread
    match place.base:
        case "arg":
            if place.index < len(args) and (spread < 0 or place.index < spread):
                return [args[place.index]]
            if place.name:
                for name, value in call.keywords:
                    if name in (place.name, "**"):
                        return [value]
            if 0 <= spread <= place.index:
                return list(args[spread:])
            return []
        case "keyword":
            return [v for name, v in call.keywords if name in (place.name, "**")]
        case "rest":
            return list(args[min(place.index, spread) if spread >= 0 else place.index :])
        case "args":
            return list(args)
        case "kwargs":
            return [v for _, v in call.keywords]
        case "self":
            return [] if call.receiver is None else [call.receiver]
        case _:
            return []


def path_of(frame: Frame, call: Call, place: Place, value: Id) -> Path | None:
    """The field path of a place, with `{0}` filled in; `None` when the key is not known."""
    path = place.path
    if call.spread >= 0 and value in call.args[call.spread :]:
        path = ("*", *path) if value == call.args[call.spread] else path
    else:
        for name, at in call.keywords:
            if at == value and name == "**":
                path = (place.name or "*", *path)
    if any(part.startswith("{") for part in path):
        filled: list[str] = []
        for part in path:
            if part.startswith("{"):
                index = int(part[1:-1])
                known = frame.constants(call.args[index]) if index < len(call.args) else []
                filled.append(str(known[0]) if len(known) == 1 else "*")
            else:
                filled.append(part)
        path = tuple(filled)
    return path


def facts(frame: Frame, call: Call, place: Place, *, sink: bool = False) -> Facts:
    """The facts at a place. For sinks, a text place includes what lies inside a container."""
    out: list[Facts] = []
    for value in values(call, place):
        path = path_of(frame, call, place, value)
        if path is None:
            continue
        if not path:
            out.append(frame.deep(value))
        elif not (sink and path[0].isidentifier() and _plain_text(frame, value)):
            out.append(_behind(frame, value, path, sink=sink))
    return union(*out)


def _plain_text(frame: Frame, value: Id) -> bool:
    """Whether a value is text and nothing else: it has no options to look into."""
    return frame.text in frame.refs[value] and not any(
        ref.sort in ("obj", "self") for ref in frame.refs[value]
    )


def _behind(frame: Frame, value: Id, path: Path, *, sink: bool) -> Facts:
    last = path[-1]
    if last.endswith("+") and last[:-1].isdigit():
        low = int(last[:-1])
        out = [frame.read(value, (*path[:-1], "*"))] if len(path) > 1 else []
        for ref in frame.refs[value] if len(path) == 1 else ():
            if ref.sort == "obj":
                out += [
                    frame.cell(ref, name)
                    for name in frame.names(ref)
                    if not name.isdigit() or int(name) >= low
                ]
        if not any(ref.sort == "obj" for ref in frame.refs[value]):
            out.append(frame.read(value, (*path[:-1], "*")))
        else:
            out.append(frame.read(value, (*path[:-1], str(low)), index_zero=True))
        return union(*out)
    return frame.read(value, path, index_zero=sink and last == "0")


def refs(frame: Frame, call: Call, place: Place) -> Refs:
    """What the value at a place may be."""
    out = NO_REFS
    for value in values(call, place):
        path = path_of(frame, call, place, value)
        if path is not None:
            out |= frame.read_refs(value, path) if path else frame.refs[value]
    return out


def holds(frame: Frame, call: Call, condition: Condition, *, unknown: bool) -> bool:
    """Whether a condition of a row holds; `unknown` is the answer when that cannot be decided."""
    place = condition.place
    given = values(call, place)
    if not given:
        return "<absent>" in condition.values or (
            False in condition.values and "<present>" not in condition.values
        )
    verdicts = []
    for value in given[:4]:
        path = path_of(frame, call, place, value) or ()
        verdicts.append(_tests(frame, value, path, condition, unknown=unknown))
    return any(verdicts)


def _tests(frame: Frame, value: Id, path: Path, condition: Condition, *, unknown: bool) -> bool:
    wanted = condition.values
    if path:
        if _scalar(frame, value):
            return "<absent>" in wanted or False in wanted
        known = frame.read_refs(value, path)
        absent = not known and any(ref.sort == "obj" for ref in frame.refs[value])
        if (absent or _lacks(frame, value, path)) and not frame.read(value, path):
            return "<absent>" in wanted or False in wanted
        constants = [literal(ref) for ref in sorted(known) if ref.sort == "const"]
        complete = bool(constants) and len(constants) == len(known)
    else:
        known = frame.refs[value]
        constants = frame.constants(value)
        complete = bool(constants)
    decided = False
    for want in wanted:
        if isinstance(want, str) and want.startswith("<"):
            verdict = _word(frame, value, path, want, known, constants)
            if verdict:
                return True
            decided = decided or verdict is False
        elif isinstance(want, str) and want.startswith("~"):
            if complete:
                decided = True
                texts = [c.text if isinstance(c, Pattern) else c for c in constants]
                if any(isinstance(t, str) and _searched(want[1:]).search(t[:200]) for t in texts):
                    return True
        elif complete:
            decided = True
            if any(type(c) is type(want) and c == want for c in constants):
                return True
            if want is True and any(isinstance(c, str) and c for c in constants):
                return True
        elif isinstance(want, str) and known:
            names = [ref.name for ref in known if ref.sort in ("ext", "inst")]
            if names:
                decided = True
                if any(name == want or name.endswith("." + want) for name in names):
                    return True
    return False if decided else unknown


def _scalar(frame: Frame, value: Id) -> bool:
    """Whether a value is a text or number and nothing else: it has no fields that are options."""
    known = frame.refs[value]
    return bool(known) and all(ref == frame.text or ref.sort == "const" for ref in known)


def _lacks(frame: Frame, value: Id, path: Path) -> bool:
    """Whether a value is written as an object without that field, such as options without `shell`.

    What its type has under the name (`Object.shell`) is no option.
    """
    owners = frame.read_refs(value, path[:-1])
    listed = path[-1].isidentifier()
    return bool(owners) and all(
        ref.sort == "obj"
        and (ref.name in _WRITTEN or (listed and ref.name in _LISTED))
        and not any(name in (path[-1], "*") for name in frame.names(ref))
        for ref in owners
    )


@lru_cache(maxsize=512)
def _searched(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _word(
    frame: Frame, value: Id, path: Path, word: str, known: Refs, constants: list[object]
) -> bool | None:
    """Whether a word of the condition vocabulary holds; `None` when that is not known."""
    match word:
        case "<absent>":
            return False
        case "<present>":
            return True
        case "<text>":
            if constants:
                return all(isinstance(c, str) for c in constants)
            return _is_text(frame, value, known)
        case "<list>":
            labels = {ref.name for ref in known if ref.sort == "obj"}
            if labels & {"list", "tuple", "array", "arguments"}:
                return True
            return False if _is_text(frame, value, known) else None
        case "<record>":
            return any(ref.sort == "obj" and ref.name in _WRITTEN for ref in known)
        case "<instance>":
            return any(ref.sort == "inst" for ref in known)
        case "<none>":
            return constants == [None] if constants else None
        case "<constant>":
            return bool(constants)
        case "<dynamic>":
            return not constants
        case "<constant-set>":
            return constant_set(frame, value)
        case "<trusted>":
            return not (frame.read(value, path) if path else frame.deep(value))
        case "<ends-with-separator>":
            return ends_with_separator(frame, value)
        case "<runnable>":
            return runnable(frame, value)
        case "<exponential>":
            return any(exponential(p.text, p.flags) for p in _expressions(frame, value))
        case "<exponential-whole>":
            return any(exponential(p.text, p.flags, whole=True) for p in _expressions(frame, value))
        case _:
            return None


def _is_text(frame: Frame, value: Id, known: Refs) -> bool | None:
    if frame.text in known:
        return True
    instruction = frame.values[value]
    if isinstance(instruction, Join) and instruction.fields is None:
        return True
    if any(ref.sort == "obj" for ref in known):
        return False
    return None


def constant_set(frame: Frame, value: Id) -> bool:
    """Whether a value is a collection without tainted members (literals, configuration)."""
    if frame.deep(value):
        return False
    if any(isinstance(c, str) for c in frame.constants(value)):
        return False
    return True


def pattern(frame: Frame, call: Call, place: Place) -> list[Pattern]:
    """The regular expressions a place may hold."""
    return [found for value in values(call, place) for found in _expressions(frame, value)]


def _expressions(frame: Frame, value: Id) -> list[Pattern]:
    out: list[Pattern] = []
    for constant in frame.constants(value):
        if isinstance(constant, Pattern):
            out.append(constant)
        elif isinstance(constant, str):
            out.append(Pattern(constant, ""))
    for ref in ordered(frame.refs[value]):
        if ref.sort == "obj":
            kept = frame.cell_refs(ref, "<pattern>")
            out += [
                p if isinstance(p, Pattern) else Pattern(str(p), "")
                for p in (literal(r) for r in sorted(kept) if r.sort == "const")
                if p is not UNKNOWN
            ]
    return out
