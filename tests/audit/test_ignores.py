"""Where an ignore comment counts, and which files an ignore of the settings covers."""

import time

import pytest
from hypothesis import given, strategies as st

from mcpward.audit.ignores import PathIgnore, inline_ignores
from mcpward.core.source import Language, SourceFile


def ignores(text, language=Language.PYTHON):
    return inline_ignores(SourceFile("server", language, text.encode()))


def found(text, language=Language.PYTHON):
    return [(ignore.line, ignore.rule, ignore.reason) for ignore in ignores(text, language)]


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("run(x)  # mcpward: ignore[a-b] checked above", Language.PYTHON),
        ("run(x)  #mcpward:ignore [a-b]: checked above", Language.PYTHON),
        ("run(x)  # noqa: S603  # mcpward: ignore[a-b] checked above", Language.PYTHON),
        ("run('#', \"it's\")  # mcpward: ignore[a-b] checked above", Language.PYTHON),
        ("run('\\'')  # don't  # mcpward: ignore[a-b] - checked above", Language.PYTHON),
        ('run("""x""")  # mcpward: ignore[a-b] checked above\r', Language.PYTHON),
        ("run(x); // mcpward: ignore[a-b] checked above", Language.TYPESCRIPT),
        ("run(`//`, 'http://x'); // mcpward: ignore[a-b] checked above", Language.JAVASCRIPT),
    ],
)
def test_a_comment_behind_code_covers_its_line(line, language):
    assert found(f"first\n{line}\nlast\n", language) == [(2, "a-b", "checked above")]


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("x = '# mcpward: ignore[a] because'", Language.PYTHON),
        ('x = "say \\"# mcpward: ignore[a] because"', Language.PYTHON),
        ("x = f(\"it's # mcpward: ignore[a] because", Language.PYTHON),
        ("x = 4 // mcpward: ignore[a] because", Language.PYTHON),
        ("x = mcpward: ignore[a] because", Language.PYTHON),
        ("x = 1  # see mcpward: ignore[a] because", Language.PYTHON),
        ("x = 1  # mcpward: ignored[a] because", Language.PYTHON),
        ("x = `// mcpward: ignore[a] because`", Language.JAVASCRIPT),
        ("x = '// mcpward: ignore[a] because'", Language.TSX),
        ("x = 1; # mcpward: ignore[a] because", Language.JAVASCRIPT),
    ],
)
def test_what_is_not_a_comment_does_not_count(line, language):
    assert found(line, language) == []


def test_a_comment_alone_on_its_line_covers_the_next():
    assert found("  # mcpward: ignore[a] fine\nrun(x)\n") == [(2, "a", "fine")]


def test_comments_above_each_other_cover_the_line_below_them_all():
    text = (
        "# mcpward: ignore[a] one\n# mcpward: ignore[b] two\nrun(x)  # mcpward: ignore[c] three\n"
    )

    assert found(text) == [(3, "a", "one"), (3, "b", "two"), (3, "c", "three")]


def test_one_comment_can_name_several_rules():
    assert found("x  # mcpward: ignore[a, b] both") == [(1, "a", "both"), (1, "b", "both")]


@pytest.mark.parametrize("reason", ["", " ", " -", " :", " ---"])
def test_a_reason_needs_a_word(reason):
    assert found(f"x  # mcpward: ignore[a]{reason}") == [(1, "a", "")]


def test_the_place_is_the_name_in_characters():
    (ignore,) = ignores("é = 'ü'  # mcpward: ignore[rule-a] weil")
    start, end = ignore.place.start, ignore.place.end

    assert ignore.place.code[start.column - 1 : end.column - 1] == "rule-a"
    assert (start.line, end.line) == (1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "# mcpward: ignore[a] r " * 40_000,
        "# mcpward: ignore[a] r\n" * 40_000,
        "x = " + "'#" * 400_000 + "mcpward:",
        "#" * 800_000 + " mcpward: ignore[",
        "# mcpward:" + " " * 800_000 + "ignore",
        "# mcpward: ignore[" + "a," * 400_000,
        "\\" * 800_000 + "mcpward:",
    ],
    ids=range(7),
)
def test_hostile_lines_take_linear_time(text):
    begin = time.process_time()
    ignores(text)

    assert time.process_time() - begin < 3


@given(st.text(alphabet="#/'\"`\\ [](),\nmcpward: ignore-", max_size=80))
def test_any_text_is_read(text):
    for language in (Language.PYTHON, Language.TYPESCRIPT):
        for ignore in ignores(f"# mcpward: ignore[a] r\n{text} mcpward: {text}", language):
            assert ignore.line >= ignore.place.start.line


@pytest.mark.parametrize(
    ("glob", "file", "covered"),
    [
        ("**", "a/b.py", True),
        ("a.py", "a.py", True),
        ("./a.py", "a.py", True),
        ("a.py", "b/a.py", False),
        ("a", "a/b/c.py", True),
        ("a/", "a/b.py", True),
        ("a", "ab/c.py", False),
        ("*.py", "a.py", True),
        ("*.py", "b/a.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "b/c/a.py", True),
        ("a/**/z.py", "a/z.py", True),
        ("a/**/z.py", "a/b/c/z.py", True),
        ("a/**", "a/b/c.py", True),
        ("a/**", "b/a/c.py", False),
        ("a?.py", "ab.py", True),
        ("a?.py", "a/.py", False),
        ("a.py", "axpy", False),
        ("[a].py", "[a].py", True),
    ],
)
def test_globs_are_relative_to_the_target(glob, file, covered):
    assert PathIgnore("r", glob, "why").covers("r", file) is covered


def test_an_ignore_is_about_one_rule():
    assert not PathIgnore("r", "**", "why").covers("s", "a.py")
