"""Nothing in a document can make reading it endless, huge or fail with an exception."""

import time

import pytest
from hypothesis import given, strategies as st

from mcpward.core.finding import SkipKind, Skipped
from mcpward.documents.clients import configured_servers
from mcpward.documents.commands import commands, simple_commands, variables
from mcpward.documents.load import read
from mcpward.documents.packages import dependencies
from mcpward.documents.tree import MAX_BYTES, MAX_NODES, Document, plain, scalars

NAMES = [
    "a.json",
    "a.toml",
    "a.yaml",
    "Dockerfile",
    "requirements.txt",
    ".env",
    "setup.cfg",
    ".mcp.json",
]
DEEP = 100_000
SECONDS = 20
"""Generous: the tests share their machine. What is looked for takes minutes or forever."""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.json", "[" * DEEP),
        ("a.json", "[" * DEEP + "]" * DEEP),
        ("a.json", '{"a":' * DEEP),
        ("a.toml", "a = " + "[" * DEEP),
        ("a.toml", "a = " + "[" * DEEP + "]" * DEEP),
        ("a.toml", ".".join("a" * DEEP) + " = 1"),
        ("a.toml", "[" + ".".join("a" * DEEP) + "]"),
        ("a.yaml", "[" * DEEP),
        ("a.yaml", "- " * DEEP),
        ("a.yaml", "{a: " * DEEP),
    ],
)
def test_deep_nesting_is_refused(path, text):
    start = time.process_time()
    made = read(path, text.encode())

    assert isinstance(made, Skipped)
    assert made.kind in (SkipKind.TOO_DEEP, SkipKind.UNPARSABLE, SkipKind.TOO_MANY)
    assert time.process_time() - start < SECONDS


def bomb(levels, width):
    lines = [f"a0: &a0 [{','.join('x' * width)}]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines).encode()


def test_an_alias_bomb_does_not_expand():
    assert read("a.yaml", bomb(10, 10)).kind is SkipKind.TOO_MANY
    small = read("a.yaml", bomb(3, 10))
    assert isinstance(small, Document)
    assert len(list(scalars(small.root))) == 10 + 100 + 1000


def test_aliases_cannot_nest_beyond_the_depth():
    lines = ["a0: &a0 " + "[" * 60 + "]" * 60]
    lines += [f"a{n}: &a{n} " + "[" * 60 + f"*a{n - 1}" + "]" * 60 for n in range(1, 5)]

    assert read("a.yaml", "\n".join(lines).encode()).kind is SkipKind.TOO_DEEP


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: *b", "&a a: *a\n? *a\n: *a"])
def test_odd_aliases_are_no_exception(text):
    made = read("a.yaml", text.encode())

    assert isinstance(made, Document | Skipped)


@pytest.mark.parametrize("path", NAMES)
def test_ten_megabytes_are_refused(path):
    made = read(path, b"x" * 10_000_000)

    assert made.kind is SkipKind.TOO_LARGE
    assert str(MAX_BYTES) in made.reason


@pytest.mark.parametrize("path", NAMES)
def test_nuls_are_refused(path):
    assert read(path, b'{"a": "\0"}').kind is SkipKind.UNPARSABLE


@pytest.mark.parametrize("path", NAMES)
def test_bytes_that_are_no_text_are_no_exception(path):
    for data in (b'{"a": "\xff\xfe\xc3"}', b"a = '\xff'", b"\xff\xfe\x00\xd8", b"a: \xed\xa0\x80"):
        assert isinstance(read(path, data), Document | Skipped)


def test_half_a_surrogate_pair_can_be_written_again():
    made = read("a.json", b'{"a": "\\ud800"}')

    assert made.table.text("a").encode() == "\N{REPLACEMENT CHARACTER}".encode()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.json", "[" + "1," * (MAX_NODES + 1) + "]"),
        ("a.yaml", "- 1\n" * (MAX_NODES + 1)),
        ("setup.cfg", "a=1\n" * (MAX_NODES + 1)),
        (".env", "a=1\n" * (MAX_NODES + 1)),
    ],
)
def test_too_many_values_are_refused(path, text):
    assert read(path, text.encode()).kind is SkipKind.TOO_MANY


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.json", '"' + "\\" * 1_000_001),
        ("a.json", "/*" * 500_000),
        ("a.json", "[" + "9" * 1_000_000 + "]"),
        ("a.toml", "a = " + "9" * 1_000_000),
        (".env", 'A="\n' * 100_000),
        ("requirements.txt", "a " * 500_000),
        ("requirements.txt", "a==1 \\\n" * 100_000),
        ("requirements.txt", "a;" + "(" * 1_900 + "\n"),
        ("Dockerfile", "RUN <<A\n" * 50_000),
        ("Dockerfile", "RUN \\\n" * 100_000),
        ("Dockerfile", "RUN " + "<<A " * 100_000),
        ("Dockerfile", "RUN " + "curl " * 4_000),
        ("Dockerfile", 'CMD "' + "a;" * 50_000),
        ("setup.cfg", "a=1\n" + " b\n" * 20_000),
    ],
)
def test_repetition_takes_no_time(path, text):
    start = time.process_time()
    made = read(path, text.encode())
    if isinstance(made, Document):
        everything(made)

    assert time.process_time() - start < SECONDS


def everything(made):
    servers = configured_servers(made)
    found = list(commands(made, servers))
    list(variables(made, servers, found))
    dependencies(made)
    plain(made.root)


PIECES = st.sampled_from(
    ["{", "}", "[", "]", '"', "'", ":", ",", "\n", "\\", "#", "//", "/*", "*/", "=", "&a", "*a", "<<", "- ",
     "mcpServers", "command", "args", "é", "😀", " ", '"""', "RUN", "FROM a", "-e", "==", "1", "${X}", "\r", "|", ">"]
)  # fmt: skip


@given(st.sampled_from(NAMES), st.lists(PIECES, max_size=40).map("".join))
def test_any_text_is_a_document_or_a_reason(path, text):
    made = read(path, text.encode())

    if isinstance(made, Document):
        everything(made)
        for scalar in scalars(made.root):
            place = made.place(scalar)
            assert place.start <= place.end
            assert place.end.line <= text.count("\n") + text.count("\r") + 1
    else:
        assert made.reason


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_line_of_shell_can_be_taken_apart(text):
    assert all(isinstance(word, str) for words, _ in simple_commands(text) for word in words)
