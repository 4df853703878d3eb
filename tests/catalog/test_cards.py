"""Cards are complete, and a mistake in one is told with its place and a suggestion."""

import inspect
import re
from importlib import import_module
from inspect import isfunction
from pkgutil import iter_modules

import pytest

from mcpward.audit import checks
from mcpward.audit.sightings import checks as functions
from mcpward.catalog.card import OTHERS, read_card
from mcpward.catalog.catalog import HOME, catalog_in, load_catalog
from mcpward.core.errors import CatalogError
from mcpward.core.finding import Severity
from mcpward.core.source import Language

MARK = re.compile(r"(?:#|//)\s*(source|finding|missed|noise)\s*$", re.MULTILINE)
FAMILY = {
    "python": Language.PYTHON.family,
    "ts": Language.TYPESCRIPT.family,
    "tsx": Language.TSX.family,
    "js": Language.JAVASCRIPT.family,
    **dict.fromkeys(OTHERS, "document"),
}

CARD = """\
# A title

```toml
severity = "high"
cwe      = [22, 1333]
flow     = { from = ["model"], to = ["path-read"], cleared_by = ["confined"], sink_severity = { path-read = "low" }, mark_severity = { number = "info" } }
message  = "{source} reaches {sink}"
since    = "0.1"
owasp    = ["MCP05"]
safe_mcp = ["SAFE-T1105"]
pattern  = [1, 2]
```

Why.

## Vulnerable

```python
open(x)  # finding
```

Across files:

```python server.py
from files import read
```

```python files.py
open(x)  # finding
```

```ts
readFile(x);  // finding
```

## Safe

```python
open("x")
```

```ts
readFile("x");
```

## Fix

Resolve it, as [the manual](https://example.com) says,
and compare.
"""

RULES = list(load_catalog().rules.values())


def read(text):
    return read_card(
        text, name="some-rule", category="input", file="some-rule.md", words=load_catalog().words
    )


def families(rule, section):
    return {
        FAMILY.get(example.language, example.language)
        for project in rule.projects
        if project.section == section
        for example in project.examples
    }


def marks(project):
    return {word for example in project.examples for word in MARK.findall(example.code)}


def test_a_card_becomes_a_rule():
    rule = read(CARD)

    assert rule.title == "A title"
    assert rule.severity is Severity.HIGH
    assert rule.flow.sink_severity == (("path-read", Severity.LOW),)
    assert rule.flow.mark_severity == (("number", Severity.INFO),)
    assert rule.fix == "Resolve it, as the manual says, and compare."
    assert rule.tags == (
        "security",
        "external/cwe/cwe-022",
        "external/cwe/cwe-1333",
        "owasp-mcp/MCP05",
        "safe-mcp/SAFE-T1105",
        "pattern-22/1",
        "pattern-22/2",
    )
    assert "toml" not in rule.page
    assert "## Vulnerable" in rule.page


def test_named_blocks_in_a_row_are_one_project():
    projects = read(CARD).projects

    assert [[e.file for e in p.examples] for p in projects] == [
        ["example.py"],
        ["server.py", "files.py"],
        ["example.ts"],
        ["example.py"],
        ["example.ts"],
    ]
    assert [p.section for p in projects] == ["vulnerable"] * 3 + ["safe"] * 2


def test_a_project_may_end_a_card():
    text = CARD.replace('```ts\nreadFile("x")', '```ts last.ts\nreadFile("x")')

    assert [e.file for e in read(text).projects[-1].examples] == ["last.ts"]


def test_an_example_knows_its_line():
    for project in read(CARD).projects:
        for example in project.examples:
            first = example.code.splitlines()[0]
            assert CARD.splitlines()[example.line - 1] == first


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ('"model"', '"modle"', "some-rule.md:4: `flow`: unknown source kind `modle`", "`model`"),
        (
            'to = ["path-read"]',
            'to = ["path-raed"]',
            "unknown sink kind `path-raed`",
            "`path-read`",
        ),
        ('"confined"', '"confind"', "unknown mark `confind`", "`confined`"),
        ('"high"', '"hihg"', "unknown severity `hihg`", "`high`"),
        ("since ", "sinse ", "`since` is missing", "since"),
        ("owasp ", "owsap ", "unknown key `owsap`", "`owasp`"),
        ("{sink}", "{sinc}", "unknown hole in the message `sinc`", "`sink`"),
        ("path-read = ", "path-write = ", "unknown kind of this flow `path-write`", "`path-read`"),
        ('from = ["model"], ', "", "a flow needs `from` and `to`", ""),
        ("[22, 1333]", "[]", "`cwe` is missing", "cwe"),
        ("[1, 2]", "[23]", "`pattern` must be between 1 and 22", ""),
        ("[22, 1333]", '"22"', "`cwe` must be a number or a list of numbers", ""),
        ("## Safe", "## Save", "some-rule.md:36: unknown section `Save`", "`Safe`"),
        ("## Safe", "## Vulnerable", "the section `Vulnerable` comes twice", ""),
        ("```ts\nreadFile(x", "```tz\nreadFile(x", "unknown language `tz`", "`ts"),
        ("# A title", "A title", "the title is missing", ""),
        ("## Fix", "", "the section is missing", "## Fix"),
        ("```toml", "```yaml", "some-rule.md:3: a code block outside", "Vulnerable"),
        ('"high"', '"high', "not valid TOML", ""),
        ('readFile("x");\n```', 'readFile("x");', "never closed", ""),
    ],
)
def test_a_mistake_is_told_with_its_place(old, new, message, hint):
    assert old in CARD

    with pytest.raises(CatalogError) as error:
        read(CARD.replace(old, new, 1))

    assert message in str(error.value)
    assert hint in error.value.hint


def test_a_name_is_kebab_case():
    with pytest.raises(CatalogError, match="Some_Rule"):
        read_card(CARD, name="Some_Rule", category="x", file="x", words=load_catalog().words)


def test_too_many_tags_are_refused():
    many = ", ".join(f'"SAFE-T{n}"' for n in range(1000, 1020))

    with pytest.raises(CatalogError, match="at most 20"):
        read(CARD.replace('"SAFE-T1105"', many))


def test_two_rules_of_one_name_are_refused(tmp_path):
    (tmp_path / "kinds.toml").write_bytes((HOME / "kinds.toml").read_bytes())
    for folder in ("input", "execution"):
        (tmp_path / "rules" / folder).mkdir(parents=True)
        (tmp_path / "rules" / folder / "some-rule.md").write_text(CARD, encoding="utf-8")

    with pytest.raises(CatalogError, match=r"rules/input/some-rule\.md"):
        catalog_in(tmp_path)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_language_of_a_card_has_safe_code(rule):
    assert families(rule, "vulnerable")
    assert families(rule, "vulnerable") <= families(rule, "safe")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_marks_stand_in_the_section_they_belong_to(rule):
    allowed = {
        "vulnerable": {"source", "finding"},
        "safe": set(),
        "gap": {"missed", "noise", "source"},
        "fixed": {"finding"},
    }
    for project in rule.projects:
        assert marks(project) <= allowed[project.section], project.examples[0].line
        if project.section == "vulnerable":
            assert "finding" in marks(project), project.examples[0].line


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_python_examples_are_python(rule):
    for project in rule.projects:
        for example in project.examples:
            if example.language == "python":
                compile(example.code, example.file, "exec", dont_inherit=True)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_titles_and_messages_are_calm_sentences(rule):
    assert rule.title[0].isupper()
    assert not rule.title.endswith((".", "!"))
    assert rule.message.endswith(".")
    assert "!" not in rule.message
    if rule.flow:
        assert "{source}" in rule.message
        assert "{sink}" in rule.message
    else:
        assert "{source}" not in rule.message
    if rule.shapes:
        assert "{sink}" in rule.message


@pytest.mark.parametrize("rule", [r for r in RULES if r.checks], ids=lambda rule: rule.name)
def test_a_rule_with_a_check_has_its_function(rule):
    assert all(callable(function) for function in functions(rule))


def test_every_public_function_of_the_checks_belongs_to_a_rule():
    names = {(module, rule.name.replace("-", "_")) for rule in RULES for module in rule.checks}
    for found in iter_modules(checks.__path__):
        module = import_module(f"{checks.__name__}.{found.name}")
        for name, member in vars(module).items():
            if isfunction(member) and member.__module__ == module.__name__:
                assert name.startswith("_") or (found.name, name) in names


@pytest.mark.parametrize("rule", [r for r in RULES if r.flow], ids=lambda rule: rule.name)
def test_a_rule_about_a_weak_guard_asks_for_marks_of_weak_guards(rule):
    words = load_catalog().words.marks
    weak = [mark for mark in rule.flow.requires if words[mark].weakness]

    assert weak in ([], list(rule.flow.requires))
    assert not set(rule.flow.requires) & set(rule.flow.cleared_by)


def test_two_rules_for_one_sink_and_source_never_apply_to_the_same_flow():
    flows = [rule for rule in RULES if rule.flow]
    for one in flows:
        for other in flows:
            if one.name >= other.name or not set(one.flow.sinks) & set(other.flow.sinks):
                continue
            assert disjoint(one.flow, other.flow), (one.name, other.name)


def disjoint(one, other):
    """Only one asks for marks, or one is cleared by what the other asks for."""
    if bool(one.requires) != bool(other.requires):
        return True
    return any(
        first.requires and set(first.requires) <= set(second.cleared_by)
        for first, second in ((one, other), (other, one))
    )


def test_the_template_is_a_card():
    text = (HOME.parents[2] / ".templates" / "rule.md").read_text(encoding="utf-8")

    assert read(text.replace("cwe      = [0]", "cwe = [22]")).projects


def test_reader_is_documented():
    assert inspect.getdoc(read_card)
