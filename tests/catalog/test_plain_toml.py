"""That the quick reader reads what the real one reads, and leaves to it what it does not know."""

import re
import tomllib

import pytest
from hypothesis import given, strategies as st

from mcpward.catalog.catalog import FAMILIES, HOME, load_catalog
from mcpward.catalog.plain_toml import plain_toml

CARDS = {
    path.stem: re.search(r"(?ms)^```toml\n(.*?)^```", path.read_text(encoding="utf-8"))[1]
    for path in (HOME / "rules").glob("*/*.md")
}
SIGNALS = {p.name: p.read_text(encoding="utf-8") for p in (HOME / "signals").glob("*.toml")}
ROWS = {b.where: b.text for family in FAMILIES for b in load_catalog().blocks(family)}
LINES = st.sampled_from(
    [
        *("[a]", "[a.b]", "[[a]]", "[b]", "[[b]]", "[ c ]", "[a.b.c]", "[[a.b]]", "# x", "", " "),
        *('a = "x"', "a = 1", "b = []", "b = {}", "c = { d = 1 }", "c = {", 'd = ["x", 2]'),
        *("b = true", "c = 1.5", "c = null", "c = NaN", "c = 1e5", "c = +1", "c = 1_000", "c = -0"),
        *(
            "e = [",
            "]",
            '"x",',
            '"y"',
            "1,",
            ",",
            '"x", # y',
            "# ]",
            "f = 'x'",
            "f = ''",
            "f = '",
            "f = 'x' # 'y'",
            "f = 'x' # '",
            "f.g = 1",
            "h = ",
        ),
        *('"a" = 1', 'i = "x" # y', "i = '''x", 'i = "\\/"', r'i = "\ud800"', r'i = "\n\\"'),
        *(r'j = "\e"', 'j = "\x0b"', "k = 2020-01-01", "k = 1\r", "k = [{ x = 1 }]", "k = 0x1f"),
        *('l = """', 'l = """x"""', "l = [[1], [2]]", "l = [1,]", "  m = 1  ", "m=1", "é = 1"),
    ]
)


@pytest.mark.parametrize("some", [CARDS, SIGNALS, ROWS], ids=["cards", "signals", "rows"])
def test_the_catalog_reads_the_same(some):
    quick = {name: plain_toml(text) for name, text in some.items()}
    known = {name: read for name, read in quick.items() if read is not None}

    assert known == {name: tomllib.loads(some[name]) for name in known}
    assert len(known) >= 0.9 * len(some), sorted(quick.keys() - known.keys())


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_what_is_read_is_what_the_real_reader_reads(text):
    quick = plain_toml(text)
    if quick is not None:
        assert repr(quick) == repr(tomllib.loads(text))
