"""Every format is found in what it is made of, and near misses are not."""

import importlib.util
import random
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

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


def rng(seed=1):
    return random.Random(seed)


def wrong_checksum(token):
    return token[:-1] + ("a" if token[-1] != "a" else "b")


@pytest.mark.parametrize("prefix", ["ghp", "gho", "ghu", "ghs", "ghr", "npm"])
def test_a_checksum_decides(prefix):
    token = make.github(rng(), prefix)

    assert [found.verified for found in search(token)] == [True]
    assert search(wrong_checksum(token)) == []


def test_a_known_checksum():
    # The pieces are from a public sample of a revoked token.
    token = "_".join(("ghp", "zQWBuTSOoRi4A9spHcVY5" + "ncnsDkxkJ" + "0mLq17"))

    assert kinds(token) == ["github-token"]


def test_an_age_key_has_a_checksum():
    key = make.age(rng())

    assert [found.verified for found in search(key)] == [True]
    assert search(key[:-1] + ("Q" if key[-1] != "Q" else "P")) == []


def test_an_aws_key_of_an_impossible_account_is_none():
    number = (2 << 40) - 1
    data = (number << 7 & 0x7FFFFFFFFF80 | 1 << 47).to_bytes(6, "big") + b"4567"
    key = "AKIA" + make.base64.b32encode(data).decode()[:16]

    assert search(f"key = '{key}'") == []
    assert kinds(f"key = '{make.aws_key(rng())}'") == ["aws-access-key"]


def test_a_key_with_its_secret_is_both():
    secret = make.text(rng(3), 40)
    text = f"aws_access_key_id = {make.aws_key(rng())}\naws_secret_access_key = {secret}\n"

    found = search(text)

    assert {one.kind for one in found} == {"aws-access-key", "aws-secret-key"}
    assert text[found[-1].start : found[-1].end] == secret


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "supabase", "role": "anon", "ref": "abcdefgh"},
        {"sub": "1234567890", "name": "John Doe", "iat": 1516239022},
    ],
)
def test_public_and_sample_tokens_are_silent(claims):
    assert search(make.jwt(rng(), claims)) == []
    assert kinds(make.jwt(rng(), {"iss": "supabase", "role": "service_role"})) == ["jwt"]


def test_a_text_of_three_parts_is_no_token_without_an_algorithm():
    assert search(make.jwt(rng(), head={"kid": "a key without a name"})) == []


@pytest.mark.parametrize("wrap", ["\n", "\\n", "\r\n", '\\n" +\n    "'])
@pytest.mark.parametrize("sort", ["", "RSA ", "EC "])
def test_a_private_key_however_it_is_broken_into_lines(wrap, sort):
    assert kinds(f'key = "{make.pem(rng(), sort, wrap)}"') == ["private-key"]


def test_a_private_key_without_a_plausible_body_is_silent():
    words = "PRIVATE KEY"
    for body in ("MII" + "x" * 200, "\n".join(["your key here"] * 12), "A" * 300, "..."):
        assert search(f"-----BEGIN {words}-----\n{body}\n-----END {words}-----") == []


def test_a_google_key_of_a_browser_app_is_public():
    key = "AIza" + make.text(rng(), 35)

    assert kinds(f"key = '{key}'") == ["google-api-key"]
    assert search(f"firebaseConfig = {{apiKey: '{key}', authDomain: 'a.firebaseapp.com'}}") == []


@pytest.mark.parametrize(
    "address",
    [
        "postgres://user:password@localhost:5432/db",
        "postgresql://postgres:postgres@db.corp.net/x",
        "mongodb+srv://<user>:<password>@cluster0.abc.net",
        "redis://:${REDIS_PASSWORD}@redis.corp.net",
        "https://user:pass@example.com",
        "https://api.corp.net:8443/a@b",
        "mysql://root:hX82kqPw91@127.0.0.1/x",
    ],
)
def test_addresses_without_a_real_password_are_silent(address):
    assert search(address) == []


def test_a_specific_format_wins_inside_an_address():
    token = make.github(rng())
    text = f"https://build:{token}@github.com/o/r"

    assert kinds(text) == ["github-token"]


def test_inside_a_word_a_prefix_means_nothing():
    token = make.github(rng())

    assert search(f"x{token}") == []
    assert kinds(f"a\\n{token}\\n") == ["github-token"]


def test_secrets_are_told_in_order_and_never_overlap():
    tokens = [made(row, 1) for row in formats()]
    found = search("\n".join(tokens))

    assert len(found) > 60
    for before, after in pairwise(found):
        assert before.end <= after.start


WORDS = st.sampled_from(
    [word for row in formats() for word in row.keywords]
    + ["A" * 40, "0a" * 30, "-", ":", "@", "\n", "'", '"', " = ", "é", "\ud800", "x.y", "=="]
)


@given(st.lists(WORDS | st.text(max_size=30), max_size=60).map("".join))
def test_any_text_can_be_searched(text):
    for found in search(text):
        assert 0 <= found.start < found.end <= len(text)


HOSTILE = [
    *(word for row in formats() for word in row.keywords),
    "-----BEGIN PRIVATE KEY-----",
    "https://a:b",
    "://::",
    "eyJa.",
    "-eyJ",
    "discord='M",
    "a1" * 10 + " ",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_no_more_than_linear_time(piece):
    for between in ("", " ", "-a1b2c3d4e5f6g7h8i9j0k"):
        text = (piece + between) * (100_000 // len(piece + between))
        start = time.process_time()
        search(text)

        assert time.process_time() - start < 2
