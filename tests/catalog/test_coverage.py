"""The 22 patterns and the OWASP entries are told with the rules that look for them."""

import pytest

from mcpward.catalog.catalog import HOME, load_catalog
from mcpward.catalog.coverage import coverage, pattern, patterns
from mcpward.core.errors import UsageError

RULES = load_catalog().rules.values()


def test_there_are_22_patterns_in_order_each_with_a_page():
    known = patterns(HOME, RULES)

    assert [one.number for one in known] == list(range(1, 23))
    for one in known:
        assert len(one.page.split("\n\n")) >= 2, one.name


def test_a_pattern_is_found_by_number_and_by_name():
    known = patterns(HOME, RULES)

    assert pattern("6", known) is pattern("os-command-injection", known)
    with pytest.raises(UsageError, match="no pattern `23`"):
        pattern("23", known)


def test_a_tag_on_a_card_puts_the_rule_on_the_page():
    known = patterns(HOME, RULES)

    for rule in RULES:
        for tag in rule.tags:
            if tag.startswith("pattern-22/"):
                assert rule in known[int(tag.partition("/")[2]) - 1].rules


def test_what_is_named_as_missing_does_not_exist():
    matrix = coverage(HOME, RULES)

    assert not set(matrix.missing) & {rule.name for rule in RULES}
    assert len(matrix.owasp) == 10
