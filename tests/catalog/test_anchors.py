"""That no pattern matches a text without its anchors, proved from the patterns themselves."""

import subprocess
import sys
from pathlib import Path
from re import _constants as ops, _parser as parser

import pytest

from mcpward.catalog.anchors import fingerprint, read_anchors
from mcpward.catalog.catalog import HOME, load_catalog

ROOT = Path(__file__).resolve().parents[2]
ANCHORS = read_anchors(HOME / "signals" / "anchors.json")
PATTERNS = [p for signal in load_catalog().signals.values() for p in signal.patterns]
REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
NESTED = 64


class Avoiding:
    """The ways through a pattern on which none of some words has been read so far.

    A state is the longest end of what was read that some word begins with. A class of characters
    stands for every character there is, so more ways are counted than there are: where none is
    left, every match holds one of the words.
    """

    def __init__(self, words):
        self.words = tuple(words)
        self.beginnings = {word[:end] for word in words for end in range(len(word) + 1)}
        self.letters = frozenset("".join(words) + "\0")
        self.known = {}

    def read(self, states, letters):
        return set().union(*(self.ways(state, letters) for state in states))

    def ways(self, state, letters):
        found = self.known.get((state, letters))
        if found is None:
            texts = [state + letter for letter in letters]
            found = {self.end(text) for text in texts if not text.endswith(self.words)}
            self.known[state, letters] = found
        return found

    def end(self, text):
        return next(text[at:] for at in range(len(text) + 1) if text[at:] in self.beginnings)

    def through(self, nodes, states):
        for op, value in nodes:
            states = self.past(op, value, states)
        return states

    def past(self, op, value, states):
        if op is ops.LITERAL:
            return self.read(states, chr(value))
        if op is ops.BRANCH:
            return set().union(*(self.through(branch, states) for branch in value[1]))
        if op is ops.SUBPATTERN:
            assert not value[1], "a flag would change what a letter matches"
            return self.through(value[3], states)
        if op in REPEATS:
            least, most, inner = value
            for _ in range(min(least, NESTED)):
                states = self.through(inner, states)
            for _ in range(most - least):
                more = self.through(inner, states)
                if more <= states:
                    break
                states = states | more
            return states
        if op in (ops.AT, ops.ASSERT, ops.ASSERT_NOT):
            return states
        assert op in (ops.IN, ops.ANY, ops.NOT_LITERAL), op
        spelled = op is ops.IN and all(kind is ops.LITERAL for kind, _ in value)
        return self.read(states, frozenset(chr(c) for _, c in value) if spelled else self.letters)


def avoidable(pattern, words):
    return bool(Avoiding(words).through(parser.parse(pattern), {""}))


@pytest.mark.parametrize("pattern", PATTERNS, ids=fingerprint)
def test_every_match_holds_an_anchor_of_each_clause(pattern):
    for clause in ANCHORS[fingerprint(pattern)]:
        assert not avoidable(pattern, clause), clause
        assert min(map(len, map(str.encode, clause))) >= 3


@pytest.mark.parametrize("pattern", PATTERNS, ids=fingerprint)
def test_no_pattern_matches_an_empty_text(pattern):
    assert parser.parse(pattern).getwidth()[0] > 0


@pytest.mark.parametrize(
    ("pattern", "words", "expected"),
    [
        ("abc|bcd", ("abc", "bcd"), False),
        ("abc|bcd", ("bc",), False),
        ("abc|bcd", ("abc",), True),
        ("x(?:abc)?y", ("abc",), True),
        ("x(?:abc){1,9}y", ("abc",), False),
        ("x[a-z]{0,9}abc", ("abc",), False),
        ("x[a-z]{0,9}ab", ("abc",), True),
        ("(?:a|b)c", ("ac",), True),
        ("(?<!a)bc(?= )", ("abc",), True),
        ("aab", ("ab",), False),
        ("x(?:ab)?y", ("xy", "xaby"), False),
        ("x(?:ab){0,2}y", ("xy", "xaby"), True),
    ],
)
def test_the_proof_tells_what_can_be_avoided(pattern, words, expected):
    assert avoidable(pattern, words) is expected


def test_nearly_every_pattern_has_anchors():
    without = [pattern for pattern in PATTERNS if not ANCHORS[fingerprint(pattern)]]
    assert len(without) <= 3


def test_a_pattern_that_is_not_in_the_file_has_no_anchors(tmp_path):
    assert read_anchors(tmp_path / "anchors.json") == {}
    assert fingerprint("changed " + PATTERNS[0]) not in ANCHORS


def test_the_file_is_up_to_date():
    script = ROOT / "docs/build_anchors.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
