"""Expressions that need exponential time are told from those that only look like it."""

import re
import time

import pytest

from mcpward.taint.backtracking import exponential

EXPONENTIAL = [
    r"(a+)+$",
    r"^(a|a)*$",
    r"^(\w+\s?)*$",
    r"([a-zA-Z]+)*b",
    r"^([\w.-]+)+@x",
    r"(\s*,\s*)*$",
    r"(a*)*b",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(.*)*x",
    r"^(?:[^/]+(?:,[^/]+)*)$",
    r"(x+x+)+y",
    r"(a|aa)+$",
    r"^(\d+)*\.$",
    r"(?:a|b|ab)*c",
    r"(\d+|\w+)*!",
    r"(?i)^(ab|AB)*$",
]
HARMLESS = [
    r"a+",
    r"(a+)+",
    r"(a+)*",
    r"(a+)+[\s\S]*$",
    r"^[\w.-]+@[\w-]+\.[a-z]+$",
    r"^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]+$",
    r"(\d{1,3}\.){3}\d{1,3}",
    r"^(ab)*$",
    r"^(a|b)*$",
    r"^(ab|AB)*$",
    r".*.*x",
    r"\s+$",
    r'([^"\\]|\\.)*"',
    r"^\w+(\.\w+)*$",
    r"(?:(?!x).)*y",
    r"^(?:\w+\s)*\w+$",
    r"^[a-z]+(?:-[a-z]+)*$",
    r"(\w+)\s*=\s*(\"[^\"]*\"|\S+)",
    r"/\*(?:[^*]|\*(?!/))*\*/",
    r"(",
    r"(?P<a>b)(?P=a)*",
]
HOSTILE = [
    "(" * 200 + "a" + ")*" * 200,
    "(?:a?b?c?d?e?f?g?h?i?j?)*" * 8 + "$",
    "(?:" + "|".join(f"ab{n}" for n in range(40)) + ")*$",
    "(a?){50}a{50}",
    "(?:" * 400,
]


@pytest.mark.parametrize("pattern", EXPONENTIAL)
def test_a_loop_with_two_ways_that_can_fail_is_found(pattern):
    re.compile(pattern)
    assert exponential(pattern, "")


@pytest.mark.parametrize("pattern", HARMLESS)
def test_one_way_through_a_loop_is_harmless(pattern):
    assert not exponential(pattern, "")


def test_a_match_of_the_whole_text_can_fail_behind_the_loop():
    assert not exponential(r"([a-z]+)+", "")
    assert exponential(r"([a-z]+)+", "", whole=True)


def test_flags_decide_what_a_class_admits():
    assert exponential(r"^(ab|AB)*$", "i")
    assert not exponential(r"^(.|\n)*$", "")
    assert exponential(r"^(.|\n)*$x", "s")


@pytest.mark.parametrize("pattern", HOSTILE)
def test_an_expression_does_not_keep_the_auditor_busy(pattern):
    start = time.process_time()
    exponential(pattern, "")
    assert time.process_time() - start < 5
