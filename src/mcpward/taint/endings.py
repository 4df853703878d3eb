"""How a text ends, as far as its last part is constant: a separator, or the name of a script."""

from __future__ import annotations

import re

from mcpward.ir.values import Call, Const, Id, Join, Load, Phi
from mcpward.taint.frame import Frame

_SEPARATORS = ("/", "\\")
_SEPARATOR_NAMES = frozenset(["os.sep", "os.path.sep", "path.sep", "os.altsep", "path.posix.sep"])
_RUNNABLE = re.compile(
    r"\.(?:py|pyw|sh|bash|zsh|js|mjs|cjs|ts|rb|pl|lua|ps1|bat|cmd|vbs|applescript|service|desktop|mk)$"
    r"|(?:^|[/\\])(?:Makefile|Dockerfile|crontab|\.bashrc|\.zshrc|\.profile|\.bash_profile)$"
    r"|\.github[/\\]workflows[/\\].{0,200}\.ya?ml$"
)
_JOINS = frozenset(["join", "resolve", "joinpath", "Path", "with_suffix", "with_name", "normpath"])
_DEPTH = 6


def ends_with_separator(frame: Frame, value: Id) -> bool:
    """Whether a text is known to end in a path separator."""
    instruction = frame.values[value]
    if isinstance(instruction, Join) and instruction.fields is None and instruction.operands:
        return ends_with_separator(frame, instruction.operands[-1])
    if isinstance(instruction, Const):
        constant = instruction.value
        return isinstance(constant, str) and constant.endswith(_SEPARATORS)
    constants = frame.constants(value)
    if constants:
        return all(isinstance(c, str) and c.endswith(_SEPARATORS) for c in constants)
    names = [ref.name for ref in frame.refs[value] if ref.sort == "ext"]
    return bool(names) and all(name in _SEPARATOR_NAMES for name in names)


def runnable(frame: Frame, value: Id, depth: int = 0) -> bool:
    """Whether a path names a file that is run: a script, a build file, a start-up file."""
    if depth > _DEPTH:
        return False
    constants = frame.constants(value)
    if constants:
        return any(isinstance(c, str) and bool(_RUNNABLE.search(c[-300:])) for c in constants)
    instruction = frame.values[value]
    match instruction:
        case Join(fields=None) if instruction.operands:
            return runnable(frame, instruction.operands[-1], depth + 1)
        case Phi():
            return any(runnable(frame, one, depth + 1) for one in instruction.operands[:4])
        case Call():
            callee = frame.values[instruction.callee] if instruction.callee >= 0 else None
            name = callee.field if isinstance(callee, Load) else getattr(callee, "name", "")
            return (
                name in _JOINS
                and bool(instruction.args)
                and runnable(frame, instruction.args[-1], depth + 1)
            )
        case _:
            return False
