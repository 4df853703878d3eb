"""Names that speak of credentials, values that stand in for them, and what is shown of a secret."""

import random
import string
import time

import pytest
from hypothesis import given, strategies as st

from mcpward.secrets import assigned, placeholder, redacted, secret_name
from mcpward.secrets.literals import arguments, defaults, lines, literals, queries

YES = [
    "API_KEY",
    "accessToken",
    "DB_PASSWORD",
    "api-key",
    "x-api-key",
    "X-API-Key",
    "apiKey",
    "clientSecret",
    "client_secret",
    "GITHUB_TOKEN",
    "githubToken",
    "password",
    "dbPassword",
    "SECRET_KEY",
    "OPENAI_API_KEY",
    "authToken",
    "AUTH_TOKEN",
    "privateKey",
    "JWT_SECRET",
    "token",
    "secret",
    "awsSecretAccessKey",
    "Authorization",
    "PASSWORD1",
    "API_KEY_2",
    "APIKey",
    "bearer_token",
    "ANTHROPIC_API_KEY_PROD",
    "encryptionKey",
    "passphrase",
]
NO = [
    "TOKEN_URL",
    "MAX_TOKENS",
    "TOKEN_TYPE",
    "PASSWORD_FIELD",
    "tokenizer",
    "key_name",
    "pageToken",
    "next_page_token",
    "public_key",
    "primary_key",
    "cache_key",
    "hasPassword",
    "show_password",
    "tokens",
    "secret_name",
    "token_count",
    "key",
    "keyboard",
    "monkey",
    "TOKEN_ENDPOINT",
    "secretsManager",
    "max_token",
    "cancellationToken",
    "eos_token",
    "password_hash",
    "sort_key",
    "authorName",
    "author",
    "tokenExpiresAt",
    "SECRET_ID",
    "api_key_env",
    "keyof",
]


@pytest.mark.parametrize("name", YES)
def test_names_of_credentials(name):
    assert secret_name(name)


@pytest.mark.parametrize("name", NO)
def test_names_of_something_about_credentials(name):
    assert not secret_name(name)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "your-api-key",
            "YOUR_API_KEY",
            "xxx",
            "xxxxxxxxxxxx",
            "changeme",
            "change-me",
            "<token>",
        ),
        *("${TOKEN}", "$TOKEN", "%TOKEN%", "{{ token }}", "{token}", "process.env.X", "sk-..."),
        *("example", "my-secret-token-1", "test-key-123", "********", "op://vault/item/field"),
        *("aaaaaaaaaaaaaaaa", "abcdefghijklmnop", "1234567890", "9876543210", "qwertyuiop"),
        *("abcabcabcabc", "0000-0000-0000", "env:TOKEN", "${input:key}", "os.environ['X']", ""),
        *("AKIAIOSFODNN7" + "EXAMPLE", "sk-ant-your-key", "insert_token_here", "fake-token-9z"),
    ],
)
def test_placeholders(value):
    assert placeholder(value)


def random_key(seed, size=32, letters=string.ascii_letters + string.digits):
    rng = random.Random(seed)
    return "".join(rng.choice(letters) for _ in range(size))


def test_random_keys_are_no_placeholders():
    wrong = [seed for seed in range(500) if placeholder(random_key(seed))]

    assert len(wrong) <= 5


@pytest.mark.parametrize("name", ["api_key", "GITHUB_TOKEN", "clientSecret"])
def test_a_random_value_of_a_name_is_a_secret(name):
    found = assigned(name, random_key(1))

    assert found is not None
    assert (found.kind, found.start, found.end, found.verified) == ("generic", 0, 32, False)


def test_the_scheme_of_a_header_is_not_part_of_the_secret():
    found = assigned("Authorization", f"Bearer {random_key(2)}")

    assert found is not None
    assert found.start == len("Bearer ")
    assert assigned("Authorization", random_key(2)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", "short1"),
        ("api_key", "tickets-primary-key"),
        ("api_key", "https://corp.net/v2/key1"),
        ("token", "urn:ietf:params:oauth:token-type:jwt"),
        ("token", "src/tokens/file1.json"),
        ("secret", "my-service.secret_v2"),
        ("password", "password"),
        ("password", "user_password_1"),
        ("cache_key", "f81d4fae7dec11d0a76500a0c91e6bf6"),
        ("api_key", "11112222333344445555"),
        ("api_key", "some text with 12 words in it"),
    ],
)
def test_other_values_are_none(name, value):
    assert assigned(name, value) is None


@given(st.text(max_size=200))
def test_nothing_of_a_secret_is_left(value):
    shown = redacted(value)

    assert len(shown) <= 4 + len("…(sha256 12345678)")
    if len(value) < 8:
        assert shown.startswith("…")
    else:
        assert shown.startswith(value[:4] + "…")


@given(st.text(), st.text(max_size=300))
def test_any_name_and_value_can_be_judged(name, value):
    found = assigned(name, value)

    assert isinstance(secret_name(name), bool)
    assert isinstance(placeholder(value), bool)
    if found:
        assert 0 <= found.start < found.end <= len(value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('API_KEY = "{}"', "API_KEY"),
        ('api_key: str = "{}"', "api_key"),
        ("const apiKey: string = '{}';", "apiKey"),
        ('{{"apiKey": "{}"}}', "apiKey"),
        ('Client(api_key="{}")', "api_key"),
        ('os.environ["API_KEY"] = "{}"', "API_KEY"),
        ('headers["X-Api-Key"] = "{}"', "X-Api-Key"),
        ('request.setHeader("Authorization", "Bearer {}")', "Authorization"),
        ('if token == "{}":', "token"),
        ("if (token !== '{}') return", "token"),
        ('["run", "--api-key", "{}"]', "api-key"),
        ('password: SecretStr = SecretStr("{}")', "password"),
    ],
)
def test_how_literals_are_given_to_names(text, name):
    (found,) = literals(text.format(random_key(5)))

    assert found.name == name
    assert random_key(5) in found.value


@pytest.mark.parametrize("read", [literals, defaults, lines, arguments, queries])
@pytest.mark.parametrize(
    "piece",
    [
        *('token="1aaaaaaa" ', '"1', "'a1", " ", "\t ", "a: ", "a=", "--a=", "?a=1", "getenv("),
        *('getenv("a", "', "process.env.A || '", "x" * 50 + " ", "token: z.string().default("),
    ],
)
def test_hostile_text_is_read_in_linear_time(read, piece):
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    for _ in read(text):
        pass

    assert time.process_time() - start < 2
