"""The habits of the source tree that no linter knows."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TREES = (ROOT / "src", ROOT / "packages" / "safe" / "src")

FORBIDDEN_NAMES = {"base", "common", "helpers", "manager", "misc", "utils"}
LINES = 400
LINES_OF_A_FRONTEND = 800

MODULES = sorted(path for tree in TREES for path in tree.rglob("*.py"))


def place(path):
    return path.relative_to(ROOT).as_posix()


def test_the_trees_are_found():
    for tree in TREES:
        assert any(path.is_relative_to(tree) for path in MODULES)


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_first_line_is_one_sentence_about_the_module(path):
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

    assert docstring, "no docstring"
    assert first.startswith('"""'), "the docstring starts on line 1"
    sentence = docstring.partition("\n")[0]
    assert sentence.endswith("."), f"not a whole sentence: {sentence!r}"
    assert not re.search(r"[.!?] [A-Z]", sentence), f"more than one sentence: {sentence!r}"


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_module_keeps_its_length_budget(path):
    budget = LINES_OF_A_FRONTEND if path.parent.name == "frontends" else LINES

    assert len(path.read_text(encoding="utf-8").splitlines()) <= budget


@pytest.mark.parametrize("tree", TREES, ids=place)
def test_no_name_that_could_hold_anything(tree):
    vague = [place(path) for path in tree.rglob("*") if path.stem in FORBIDDEN_NAMES]

    assert vague == []
