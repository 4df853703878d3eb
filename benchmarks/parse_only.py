"""Parses every file of a folder with tree-sitter and does nothing else: the floor of an audit."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_typescript
from tree_sitter import Language, Parser

gc.disable()

PYTHON = Parser(Language(tree_sitter_python.language()))
SCRIPT = Parser(Language(tree_sitter_javascript.language()))
TYPED = Parser(Language(tree_sitter_typescript.language_typescript()))
TSX = Parser(Language(tree_sitter_typescript.language_tsx()))
PARSERS = {
    ".py": PYTHON,
    **dict.fromkeys((".js", ".mjs", ".cjs"), SCRIPT),
    **dict.fromkeys((".ts", ".mts", ".cts"), TYPED),
    ".tsx": TSX,
}

for path in Path(sys.argv[1]).rglob("*"):
    parser = PARSERS.get(path.suffix)
    if parser is not None and path.is_file():
        parser.parse(path.read_bytes())
