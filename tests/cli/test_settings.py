"""What a settings file may say, and how flags and defaults come together."""

import tomllib
from datetime import date

import pytest
from hypothesis import given, strategies as st
from inline_snapshot import snapshot

from mcpward.audit.ignores import PathIgnore
from mcpward.audit.options import ModelText
from mcpward.catalog.catalog import load_catalog
from mcpward.cli.settings import _READERS, Settings, _fields, combined, read_settings
from mcpward.core.errors import McpwardError, UsageError
from mcpward.core.finding import Confidence, Severity
from mcpward.core.source import Role

TODAY = date(2026, 11, 22)


def settings(text, origin="mcpward.toml", **flags):
    return combined(flags, read_settings(text, origin, TODAY))


def complaint(text, origin="mcpward.toml"):
    with pytest.raises(UsageError) as caught:
        settings(text, origin)
    return str(caught.value), caught.value.hint


def test_an_empty_file_is_the_defaults():
    assert settings("") == Settings()


def test_every_key_arrives():
    text = """
severity   = "medium"
confidence = "high"
fail-on    = "high"
rules      = ["path-escape", "shell-command"]
not-rules  = "shell-command"
include    = ["test", "docs"]
strict     = true
baseline   = "accepted.json"
format     = "sarif"
"""

    assert settings(text, "/srv/mcpward.toml") == Settings(
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        fail_on=Severity.HIGH,
        rules=frozenset({"path-escape", "shell-command"}),
        not_rules=frozenset({"shell-command"}),
        include=frozenset({Role.TEST, Role.DOCS}),
        strict=True,
        baseline="/srv/accepted.json",
        format="sarif",
    )


def test_a_flag_replaces_the_value_of_the_file():
    both = settings('severity = "high"\nrules = ["a"]', severity=Severity.INFO)

    assert (both.severity, both.rules) == (Severity.INFO, {"a"})


def test_the_table_of_pyproject_is_read_and_the_rest_is_not():
    text = '[project]\nname = "x"\n[tool.mcpward]\nstrict = true\n[tool.other]\nstrict = 1\n'

    assert settings(text, "pyproject.toml") == Settings(strict=True)
    assert settings("[project]\n", "pyproject.toml") == Settings()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("severety = 1", "mcpward.toml: unknown key `severety`", "Did you mean `severity`?"),
        (
            'severity = "hihg"',
            "mcpward.toml: unknown severity `hihg`",
            "Did you mean `high`?",
        ),
        ('fail_on = "low"', "mcpward.toml: unknown key `fail_on`", "Did you mean `fail-on`?"),
        ("severity = 3", "mcpward.toml: `severity` must be a text", ""),
        ('strict = "yes"', "mcpward.toml: `strict` must be `true` or `false`", ""),
        (
            'include = ["tests"]',
            "mcpward.toml: unknown kind of code `tests`",
            "Did you mean `test`?",
        ),
        ("rules = [1]", "mcpward.toml: `rules` must be a text or a list of texts", ""),
        ('format = "xml"', "mcpward.toml: unknown format `xml`", "Known: json, sarif, text."),
        ("ignore = 1", "mcpward.toml: `ignore` must be a list of tables", "Write [[ignore]]."),
        (
            '[ignore]\nrule = "a"',
            "mcpward.toml: `ignore` must be a list of tables",
            "Write [[ignore]].",
        ),
        (
            '[[ignore]]\nrule = "a"',
            "mcpward.toml: ignore 1: `reason` is missing",
            "Add `reason = …`.",
        ),
        (
            '[[ignore]]\nrule = "a"\nreason = " - "',
            "mcpward.toml: ignore 1: the reason is empty",
            "Say why the finding is acceptable; the next reader will ask.",
        ),
        (
            '[[ignore]]\nrule = "a"\nreason = "b"\nuntil = "soon"',
            "mcpward.toml: ignore 1: `until` must be a date such as 2027-01-31",
            "",
        ),
        (
            '[[ignore]]\nrule = "a"\nreason = "b"\nuntil = 2027-01-31T10:00:00',
            "mcpward.toml: ignore 1: `until` must be a date such as 2027-01-31",
            "",
        ),
        (
            '[[ignore]]\nrule = "a"\nreason = "b"\nfile = "c"',
            "mcpward.toml: ignore 1: unknown key `file`",
            "Did you mean `rule`?",
        ),
        ("models = 3", "mcpward.toml: `models` must be a table", ""),
        (
            "[[models.calls]]",
            "mcpward.toml: models: unknown table `calls`",
            "Did you mean `call`?",
        ),
        (
            "[models.call]",
            "mcpward.toml: `models.call` must be a list of tables",
            "Write [[models.call]].",
        ),
        ("models.alias = 1", "mcpward.toml: models: `alias` must be a table", ""),
        (
            "[[models.call]]\nname = 2026-01-01",
            "mcpward.toml: models: 2026-01-01 is no value that a model may hold",
            "",
        ),
    ],
)
def test_a_mistake_is_an_error_that_says_where(text, message, hint):
    assert complaint(text) == (message, hint)


@pytest.mark.parametrize("text", ["a = ", "[" * 100_000, "a = " + "[" * 100_000])
def test_what_is_not_toml_is_an_error(text):
    assert complaint(text)[0].startswith("mcpward.toml: not valid TOML")


def test_a_tool_that_is_no_table_is_an_error():
    assert complaint("tool = 1", "pyproject.toml")[0] == "pyproject.toml: `tool` must be a table"


def test_findings_that_are_not_shown_cannot_count():
    message, hint = complaint('severity = "high"\nfail-on = "low"')

    assert message.startswith("fail-on `low` is below severity `high`")
    assert hint == "Use --severity low."


def test_an_ignore_counts_through_its_last_day():
    text = """
[[ignore]]
rule = "path-escape"
path = "old/**"
reason = "goes away"
until = 2026-11-22

[[ignore]]
rule = "shell-command"
reason = "was fine"
until = "2026-11-21"
"""
    read = settings(text)

    assert read.ignores == (
        PathIgnore("path-escape", "old/**", "goes away", "mcpward.toml: ignore 1"),
    )
    (note,) = read.notes
    assert note == (
        "mcpward.toml: ignore 2: the ignore of `shell-command` ended on 2026-11-21 "
        "and does not count"
    )


MODELS = r"""
[[models.call]]
name   = ["app.paths.inside", "app.paths.beneath"]
when   = { "1:strict" = true }
passes = { "0" = ["return", "self.*"] }
marks  = ["confined"]
text   = "a \"quoted\" word, a \\ and a \u007f"

[[models.guard]]
name    = "app.paths.check"
value   = "0"
outcome = "true"
grants  = ["confined"]

[models.alias]
"app.files" = "app.paths"
"""


def test_models_are_passed_on_as_the_text_of_a_model_file():
    (models,) = settings(MODELS).models

    assert models == snapshot(
        ModelText(
            text="""\
[[call]]
name = ["app.paths.inside", "app.paths.beneath"]
when = { "1:strict" = true }
passes = { 0 = ["return", "self.*"] }
marks = ["confined"]
text = "a \\"quoted\\" word, a \\\\ and a \\u007f"
[[guard]]
name = "app.paths.check"
value = "0"
outcome = "true"
grants = ["confined"]
[alias]
"app.files" = "app.paths"
""",
            origin="mcpward.toml",
        )
    )
    expected = tomllib.loads(MODELS)["models"]
    assert tomllib.loads(models.text) == expected


def test_the_catalog_reads_the_models_of_the_settings():
    (models,) = settings(MODELS).models
    library = load_catalog().extended(models.text, models.origin).library("python")

    assert library.calls["app.paths.beneath"][0].marks == ("confined",)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["rule", "path", "reason", "until", "call", ""]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*_READERS, "ignore", "models", "other"]), VALUES))
def test_whatever_a_file_says_is_settings_or_an_error(data):
    try:
        fields = _fields(data, "mcpward.toml", TODAY)
    except McpwardError:
        return
    assert fields.keys() <= set(Settings.__dataclass_fields__)
    for models in fields.get("models", ()):
        tomllib.loads(models.text)
