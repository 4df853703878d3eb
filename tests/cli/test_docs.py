"""The pages about the command line say what the program does, no more and no less."""

import re
from datetime import date
from pathlib import Path

import click
import pytest

from mcpward.catalog.catalog import load_catalog
from mcpward.cli.app import program
from mcpward.cli.settings import CONFIDENCES, FORMATS, ROLES, SEVERITIES, read_settings

DOCS = Path(__file__).parent.parent.parent / "docs"
COMMANDS = [name for name, command in program.commands.items() if not command.hidden]


def page(name):
    return (DOCS / name).read_text(encoding="utf-8")


def section(text, heading):
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"no section {heading!r}"
    return rest.partition("\n## ")[0]


def rows(text):
    """The cells of the body of the first table."""
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)[0]
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        for line in table.splitlines()[2:]
    ]


def options(command):
    context = click.Context(command, help_option_names=["-h", "--help"])
    return {
        spelling: parameter
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        for spelling in (*parameter.opts, *parameter.secondary_opts)
    }


def test_the_page_lists_the_commands():
    named = [re.match(r"`mcpward ([-\w]+)", row[0])[1] for row in rows(page("command-line.md"))]

    assert named == [*COMMANDS, "--version"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_lists_the_options_in_the_order_of_the_help(name):
    text = section(page("command-line.md"), f"## `mcpward {name}`")
    listed = [
        word for row in rows(text) for word in re.findall(r"(?<![\w-])--?[a-z][\w-]*", row[0])
    ]

    # The order of -h and --help is not kept by click.
    known = list(options(program.commands[name]))
    assert listed[:-2] == known[:-2]
    assert set(listed[-2:]) == set(known[-2:]) == {"-h", "--help"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_names_every_choice(name):
    text = section(page("command-line.md"), f"## `mcpward {name}`")
    for row in rows(text):
        spelling = re.findall(r"--[\w-]+", row[0])[0]
        kind = options(program.commands[name])[spelling].type
        if isinstance(kind, click.Choice) and spelling != "--fail-on":
            words = re.findall(r"\w+", "".join(re.findall(r"`[^`]*`", " ".join(row))))
            assert set(kind.choices) <= set(words)


def test_flags_and_settings_know_the_same_words():
    spelled = options(program.commands["audit"])

    assert list(spelled["--severity"].type.choices) == list(SEVERITIES)
    assert list(spelled["--fail-on"].type.choices) == list(SEVERITIES)
    assert list(spelled["--confidence"].type.choices) == list(CONFIDENCES)
    assert set(spelled["--include"].type.choices) == set(ROLES)
    assert list(spelled["--format"].type.choices) == list(FORMATS)


def test_the_page_of_settings_lists_the_keys():
    listed = [row[0].strip("`") for row in rows(section(page("settings.md"), "## Settings file"))]
    with pytest.raises(Exception, match="unknown key") as caught:
        read_settings("zzzzzzzzzz = 1", "mcpward.toml", date(2026, 1, 1))

    known = caught.value.hint.removeprefix("Known: ").rstrip(".").split(", ")
    assert sorted(listed) == known


def test_the_example_of_settings_is_read():
    (example,) = re.findall(r"```toml\n(.*?)```", page("settings.md"), re.DOTALL)
    fields = read_settings(example, "mcpward.toml", date(2026, 1, 1))

    assert {"severity", "include", "baseline", "ignores", "models"} <= fields.keys()


def test_the_rules_of_the_examples_exist():
    text = page("settings.md")
    named = [*re.findall(r"ignore\[([\w-]+)\]", text), *re.findall(r'rule\s+= "(.*)"', text)]

    assert named
    assert set(named) <= load_catalog().rules.keys()
