"""That patterns which are compiled late are right, and behave like those compiled at once."""

import pkgutil
import re
from importlib import import_module

import pytest

import mcpward
from mcpward.core.late import _Late, late

MODULES = [
    found.name
    for found in pkgutil.walk_packages(mcpward.__path__, "mcpward.")
    if not found.name.endswith("__main__")
]


def test_every_late_pattern_compiles():
    found = [
        value
        for name in MODULES
        for value in vars(import_module(name)).values()
        if isinstance(value, _Late)
    ]
    assert len(found) > 100
    assert all(re.compile(one.pattern, one.flags & ~re.UNICODE) for one in found)


@pytest.mark.parametrize("text", ["xab", "b", ""])
def test_a_late_pattern_finds_what_the_pattern_finds(text):
    pattern = re.compile("A|b", re.IGNORECASE)
    other = late("A|b", re.IGNORECASE)

    assert bool(other.search(text)) == bool(pattern.search(text))
    assert other.findall(text) == pattern.findall(text)
    assert other.sub("-", text) == pattern.sub("-", text)
    assert other.flags == pattern.flags


def test_a_late_pattern_of_bytes():
    assert late(b"a+").findall(b"aa ba") == [b"aa", b"a"]


def test_a_wrong_pattern_is_found_when_it_is_used():
    wrong = late("(")
    with pytest.raises(re.error):
        wrong.search("")
