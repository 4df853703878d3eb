"""The model files say only what the vocabulary knows."""

import tomllib

import pytest

from mcpward.catalog.catalog import FAMILIES, HOME, load_catalog, read_all
from mcpward.catalog.shelves import ROWS, Block, cut, shelve

FILES = sorted((HOME / "models").rglob("*.toml"))
SINK_ROWS = {"call", "interpreter"}


def label(path):
    return path.relative_to(HOME / "models").as_posix()


def rows_of(shelf):
    return [row for name in shelf for row in shelf[name]]


def sinks_used():
    for family in FAMILIES:
        models = load_catalog().library(family)
        for row in rows_of(models.calls):
            yield from (kind for _, kind in row.sinks)
        yield from (row.kind for row in models.interpreters)


@pytest.mark.parametrize("path", FILES, ids=label)
def test_every_row_can_be_read(path):
    blocks = cut(path.read_text(encoding="utf-8"), label(path))

    read_all(shelve(blocks, load_catalog().words))


@pytest.mark.parametrize("path", FILES, ids=label)
def test_cutting_a_file_loses_nothing(path):
    text = path.read_text(encoding="utf-8")
    whole = tomllib.loads(text)
    blocks = cut(text, label(path))

    for sort in ROWS:
        assert [b.parse() for b in blocks if b.sort == sort] == whole.get(sort, [])


@pytest.mark.parametrize("path", FILES, ids=label)
def test_names_found_without_parsing_are_the_names(path):
    for block in cut(path.read_text(encoding="utf-8"), label(path)):
        if block.sort not in ROWS - {"interpreter"}:
            continue
        data = block.parse()
        names = data["name"] if isinstance(data["name"], list) else [data["name"]]
        assert list(block.names) == names, block.where
        assert block.loose == data.get("loose", False), block.where


@pytest.mark.parametrize("path", FILES, ids=label)
def test_every_file_belongs_to_a_language(path):
    assert path.parent.name in FAMILIES


def test_every_sink_kind_in_use_has_a_rule_or_waits_for_one():
    catalog = load_catalog()
    covered = {kind for rule in catalog.rules.values() if rule.flow for kind in rule.flow.sinks}

    assert set(sinks_used()) - covered - catalog.words.later == set()


def test_no_sink_kind_waits_for_a_rule_that_exists():
    catalog = load_catalog()
    covered = {kind for rule in catalog.rules.values() if rule.flow for kind in rule.flow.sinks}

    assert catalog.words.later & covered == set()


def test_a_block_knows_its_line():
    blocks = cut('# why\n\n[[call]]\nname = "a.b"\n\n[alias]\nx = "y"\n', "x.toml")

    assert [(b.sort, b.line) for b in blocks] == [("call", 3), ("alias", 6)]
    assert isinstance(blocks[0], Block)
