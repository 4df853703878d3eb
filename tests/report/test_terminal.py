"""Text from strangers on a terminal."""

import io

import pytest
from hypothesis import given, strategies as st

from mcpward.report import terminal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("title\x1b]0;owned\x07", r"title\x1b]0;owned\x07"),
        ("a\x9b2Jb", r"a\x9b2Jb"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("ad\u200bmin", r"ad\u200bmin"),
        ("tag\U000e0041\U000e007f", r"tag\U000e0041\U000e007f"),
        ("vs\ufe0f\U000e0100", r"vs\ufe0f\U000e0100"),
        ("half\udc80", r"half\udc80"),
        ("a\u2028b", r"a\u2028b"),
        ("filler\u3164", r"filler\u3164"),
        ("two\r\nlines\tand\n\n more ", "two lines and more"),
        ("über 文字", "über 文字"),
        ("\xa0\u3000", ""),
        ("\x1c", r"\x1c"),
    ],
)
def test_what_is_invisible_or_moves_the_cursor_is_written_out(text, shown):
    assert terminal.clean(text) == shown


def test_length_is_bounded():
    assert terminal.clean("x" * 10_000_000) == "x" * terminal.LONGEST + "…"


def test_a_block_keeps_its_lines():
    assert terminal.clean_block("a\r\n\tb\x00\n") == "a\n\tb\\x00\n"


def test_wide_characters_count_twice_and_marks_not_at_all():
    assert terminal.width("ab文字") == 6
    assert terminal.width("e\u0301") == 1
    assert terminal.trim("文字文字", 5) == "文字…"


def test_the_column_that_matters_stays_in_sight():
    code = "    " + "a" * 5_000 + "SINK" + "b" * 5_000

    shown = terminal.window(code, 5_005, 40)

    assert "SINK" in shown
    assert terminal.width(shown) <= 40


def test_words_that_are_too_long_are_broken():
    assert list(terminal.wrap("a bcdefgh ij", 4)) == ["a", "bcde", "fgh", "ij"]


@given(st.text(), st.integers(2, 60))
def test_wrapping_loses_nothing_and_fits(text, columns):
    line = terminal.clean(text)
    wrapped = list(terminal.wrap(line, columns))

    assert "".join(wrapped).replace(" ", "") == line.replace(" ", "")
    assert all(terminal.width(part) <= columns for part in wrapped)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "wanted"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colour_is_for_terminals_whose_user_wants_it(stream, environment, wanted):
    assert terminal.wants_colour(stream, environment) is wanted
