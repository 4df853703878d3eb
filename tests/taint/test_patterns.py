"""Whatever a regular expression is said to prove holds for every text that it accepts."""

import json
import re
import shutil
import subprocess
import warnings
from functools import cache

import pytest
from hypothesis import given, settings, strategies as st

from mcpward.taint.patterns import proven, remaining

WORD = re.compile(r"[\w.-]*+\Z")
"""Letters and digits of any script: none of them means anything to a shell, a path or a query."""
SHELL = frozenset("|&;<>()$`\\\"'*?[]#~!{}^ \t\n\r\v\f\0")

HOLDS = {
    "number": lambda text: all(c.isdecimal() for c in text),
    "word": lambda text: WORD.match(text) is not None,
    "identifier": lambda text: WORD.match(text) is not None and text[:1] not in ("-", "."),
    "no-meta": lambda text: not SHELL & set(text),
    "dash-refused": lambda text: not text.startswith("-"),
    "inner-path": lambda text: ".." not in text and not text.startswith("/") and "\\" not in text,
    "file-name": lambda text: not {"/", "\\"} & set(text) and text not in (".", ".."),
}

PATTERNS = r"""
^[a-z]+$
^(\d{4}\.\d{4,5}(v\d+)?|[a-z\-]+(/[a-z\-]+)?/\d{7}(v\d+)?)$
^[a-z]+(/[a-z]+)*(\.md)?$
^[a-z]+(/[a-z.]+)*$
^(\.[a-z]*)*$
^[a-z/]+$
^[a-zA-Z0-9_-]+$
^[a-zA-Z0-9][a-zA-Z0-9_.-]*$
^[A-Za-z_]\w*$
^\w+$
^\w*$
\w+
^\d+$
^\d{1,3}$
\d+
^[0-9]*$
^-?\d+$
^[+-]?\d+(\.\d+)?$
^(\d{1,3}\.){3}\d{1,3}$
^[\w.-]+$
^[\w\-. ]+$
^[\w./-]+$
^[^;]+$
^[^\s;&|]+$
^[^-].*$
^[^-]
^[a-z]
^(a|b|c)$
^a|b$
^(?:main|develop)$
^main|develop$
^(get|list)
^(foo|-bar)$
^(|x)[a-z]+$
^[a-z]?[-a]+$
^x?-y$
^(?:x)?[a-z-]+$
^(?=[a-z])[-a-z;]+$
^(?=.*[a-z])[a-z0-9]+$
^(?!-)[\w-]+$
^(?!.*\.\.)[\w./-]+$
^(?<!-)[a-z-]+$
^([a-z]+)-\1$
^([a-z;])\1$
^(?P<name>[a-z]+)$
^(?<name>[a-z]+)$
^[a-f0-9]{40}$
^[0-9a-f-]{36}$
^v?\d+\.\d+\.\d+$
^https?://[a-z.]+$
^https://
^[\u00e0-\u00ff]+$
^\S+$
^\S+@\S+\.\S+$
^[A-Z][a-z]+(?: [A-Z][a-z]+)*$
^[a-z]+(?:-[a-z]+)*$
^[a-z]+(?:[;-][a-z]+)*$
^.+$
^.*$
.*
^$
^\s*$
^[a-z]+\b
\A[a-z]+\Z
\Aa-z
(^[a-z]+$)
^(^[a-z]+$)
(?:^[a-z]+$)|;
^[a-z]+$|;
(?i)^[a-z]+$
(?s)^a.b$
(?x) ^ [a-z]+ $
^(?i:k)+$
^[k]+$
^[s]+$
^[a-z]+?$
^a++$
^(?>[a-z]+)$
^([a-z]+|\d+;)$
^[]a]+$
^[!-~]+$
^[+-/]+$
^[,-:]+$
^\.?[a-z]+$
^[.]{1,2}$
^[.\w]+$
^\w[.]*$
^[%@,=+:/.\w-]+$
^\x41\u0042$
^\/[a-z]+$
^[\d\w]+$
^[\w\d.]{1,64}$
^[^\W]+$
^[^\W_]+$
^\D+$
^a{0}-b$
^(a){0,1}-$
^(?:a|)-$
^(x)?(?(1)a|;)$
^[a-z]+\n?$
""".strip().splitlines()

ONLY_JAVASCRIPT = ["^[[:alpha:]]+$", "^[a-z--]+$", r"^\p{L}+$", r"^\cA-z$", "^(?<n>a;?)$"]
"""They mean something else in Python, or nothing."""

REMOVED = [
    "[^a-z]",
    "[^a-zA-Z0-9_.-]",
    r"[^\w]",
    r"[^\w.-]+",
    "[^0-9]",
    "[^A-Za-z0-9]",
    "[^a-z;]",
    r"[^\d-]",
    "[^a-z]{2}",
    "[^a-z]*",
    r"\W",
    r"[^\w/]",
    "^[^a-z]",
    "[^a-z]$",
    "([^a-z])",
    "[^.]",
    "[a-z]",
    "(?i)[^a-z]",
    "[^a-z]|x",
    "[^k]",
]

PIECES = [
    *"aZz09_.-/;$`| \n\r-\\é ſ",
    "\u212a",
    "٣",
    "\u2028",
    "main",
    "develop",
    "..",
    "",
    "b",
    "x-y",
    "foo",
]
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    st.text(max_size=8),
)


def broken(marks, text):
    return sorted(mark for mark in marks & HOLDS.keys() if not HOLDS[mark](text))


@cache
def compiled(pattern, flags):
    letters = {
        "i": re.IGNORECASE,
        "m": re.MULTILINE,
        "s": re.DOTALL,
        "u": re.NOFLAG,
        "g": re.NOFLAG,
        "a": re.ASCII,
        "x": re.VERBOSE,
    }
    number = re.NOFLAG
    for letter in flags:
        number |= letters[letter]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern, number)
    except re.error:
        return None


ACCEPTING = st.sampled_from(PATTERNS).flatmap(
    lambda pattern: st.tuples(
        st.just(pattern),
        st.one_of(texts, st.from_regex(compiled(pattern, "")).filter(lambda text: len(text) < 200))
        if compiled(pattern, "") is not None
        else texts,
    )
)


@settings(max_examples=400)
@given(ACCEPTING, st.sampled_from(["", "i", "s", "a", "m", "is", "x"]))
def test_what_a_python_expression_proves_holds(case, flags):
    pattern, text = case
    expression = compiled(pattern, flags)
    if expression is None:
        return
    methods = {"fullmatch": (True, True), "match": (False, True), "search": (False, False)}
    for method, (whole, start) in methods.items():
        if getattr(expression, method)(text):
            marks = proven(pattern, flags, whole=whole, start=start)
            # `$` lets one line break at the very end pass, which is let pass here as well: behind it
            # nothing of the sender's can follow.
            ending = text if method == "fullmatch" else text.removesuffix("\n")
            assert not broken(marks, ending), (method, sorted(marks))


@settings(max_examples=200)
@given(st.sampled_from(REMOVED), texts, st.sampled_from(["g", "gi", "gs", "gm"]))
def test_what_is_left_after_a_python_substitution_holds(pattern, text, flags):
    expression = compiled(pattern, flags)
    assert not broken(remaining(pattern, flags), expression.sub("", text))


JUDGE = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const out = cases.map(([pattern, flags, texts]) => {
    try {
        const e = new RegExp(pattern, flags);
        return texts.map((t) => [(e.lastIndex = 0, e.test(t)), t.replace(e, "")]);
    } catch { return null; }
});
console.log(JSON.stringify(out));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js to run the expressions")
def test_what_a_javascript_expression_proves_holds():
    texts = ["".join(t) for t in ((), *((a, b) for a in PIECES for b in PIECES))]
    texts += [f"a{t}" for t in texts] + [
        "a\n",
        "\na",
        "a\n;",
        ";\na",
        "-\na",
        "a;b",
        "--x",
        "K",
        "S",
        "12",
        "1.2.3",
        "a-a",
    ]
    texts = sorted(set(texts))
    cases = [
        (pattern, flags, texts)
        for pattern in (*PATTERNS, *ONLY_JAVASCRIPT, *REMOVED)
        for flags in ("", "i", "m", "s", "g", "iu", "giu", "gm")
    ]
    done = subprocess.run(
        ["node", "-e", JUDGE],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=40,
        check=True,
    )
    wrong = []
    for (pattern, flags, _), results in zip(cases, json.loads(done.stdout), strict=True):
        tests, subs = proven(pattern, flags, whole=False), remaining(pattern, flags)
        for text, (found, rest) in zip(texts, results or [], strict=False):
            if found and broken(tests, text):
                wrong.append((pattern, flags, text, broken(tests, text)))
                break
            if broken(subs, rest):
                wrong.append(("remaining", pattern, flags, text, broken(subs, rest)))
                break
    assert not wrong, "\n".join(map(str, wrong))


def test_a_multiline_flag_inside_the_expression_proves_nothing():
    assert re.search("(?m)^[a-z]+$", "a\n;")
    assert not broken(proven("(?m)^[a-z]+$", "", whole=False), "a\n;")


def test_removing_nothing_proves_nothing():
    assert not broken(remaining("[^a-z]??", "g"), ";")
