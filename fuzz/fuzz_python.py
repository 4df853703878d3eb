"""Any text, read by the frontend for Python."""
# ruff: noqa: INP001 - programs, not a package

import sys
from pathlib import Path

from mcpward.audit.recognize import decoded
from mcpward.core.finding import Skipped
from mcpward.core.source import Language, SourceFile
from mcpward.frontends.python import parse
from mcpward.ir.program import Module

LANGUAGES = (Language.PYTHON,)
sys.setrecursionlimit(20_000)  # as an audit does


def one_input(data: bytes) -> None:
    for language in LANGUAGES:
        text = decoded(data, language)
        if isinstance(text, str):
            return
        source = SourceFile("fuzzed.py", language, text)
        result = parse(source, "fuzzed", package=False, notes=[])
        if not isinstance(result, Module | Skipped):
            raise TypeError(result)


def main() -> None:
    try:
        import atheris
    except ModuleNotFoundError:
        for path in sys.argv[1:]:
            one_input(Path(path).read_bytes())
        return
    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
