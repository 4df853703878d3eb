"""Every format is found in what it is made of, and near misses are not."""

import importlib.util
import random
from pathlib import Path

import pytest

from mcpward.secrets import search
from mcpward.secrets.formats import formats

spec = importlib.util.spec_from_file_location(
    "make_secrets", Path(__file__).with_name("make_secrets.py")
)
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)

ROWS = [pytest.param(row, id=f"{number}-{row.name}") for number, row in enumerate(formats())]
FRAMES = ("{}", "token = '{}'\n", "line\nKEY={}\nOTHER=1\n", 'é😀 "{}", more')


def kinds(text):
    return [found.kind for found in search(text)]


def made(row, seed):
    """A secret of this row that is no placeholder by chance."""
    return make.secret_of(row, random.Random(f"{row.name}{row.pattern}{seed}"))


@pytest.mark.parametrize("row", ROWS)
def test_a_made_secret_is_found(row):
    hits = 0
    for seed in range(12):
        secret = made(row, seed)
        for frame in FRAMES:
            text = frame.format(secret)
            found = [one for one in search(text) if one.kind == row.name]
            hits += bool(found)
            assert all(text[one.start : one.end] in secret for one in found)
    # By chance some look like placeholders, have too little entropy or a digit too few.
    assert hits >= 0.75 * 12 * len(FRAMES)


def test_there_are_at_least_sixty_formats():
    assert len({row.name for row in formats()}) >= 60
