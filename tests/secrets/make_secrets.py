"""Makes secrets from the patterns of the formats, so that none has to lie in the repository."""

import base64
import json
import re
import string
import zlib

from re import _constants, _parser  # isort: skip  # the only reader of patterns there is

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def from_pattern(pattern, rng):
    """A random text that the pattern matches."""
    return "".join(_texts(_parser.parse(pattern), rng))


def _texts(tree, rng):
    for operation, argument in tree:
        match operation:
            case _constants.LITERAL:
                yield chr(argument)
            case _constants.NOT_LITERAL:
                yield "x"
            case _constants.IN:
                yield _one_of(argument, rng)
            case _constants.ANY:
                yield "x"
            case _constants.BRANCH:
                yield from _texts(rng.choice(argument[1]), rng)
            case _constants.SUBPATTERN:
                yield from _texts(argument[3], rng)
            case _constants.MAX_REPEAT | _constants.MIN_REPEAT:
                low, high, inner = argument
                for _ in range(rng.randint(low, min(high, low + 8))):
                    yield from _texts(inner, rng)
            case _constants.ASSERT_NOT | _constants.AT:
                pass
            case _:
                raise AssertionError(operation)


def _one_of(items, rng):
    kinds = {
        _constants.CATEGORY_DIGIT: string.digits,
        _constants.CATEGORY_SPACE: " ",
        _constants.CATEGORY_WORD: BASE62 + "_",
        _constants.CATEGORY_NOT_SPACE: BASE62,
    }
    if items[0][0] is _constants.NEGATE:
        return rng.choice(string.ascii_letters + string.digits)
    chosen = ""
    for kind, value in items:
        if kind is _constants.LITERAL:
            chosen += chr(value)
        elif kind is _constants.RANGE:
            chosen += "".join(map(chr, range(value[0], value[1] + 1)))
        else:
            chosen += kinds[value]
    return rng.choice(chosen)


def text(rng, size, letters=BASE62):
    return "".join(rng.choice(letters) for _ in range(size))


def crc62(body):
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits


def github(rng, prefix="ghp"):
    body = text(rng, 30)
    return f"{prefix}_{body}{crc62(body)}"


def encoded(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(rng, claims=None, head=None):
    claims = claims or {"iss": "https://login.corp.net", "uid": rng.randrange(10**9)}
    return ".".join((encoded(head or {"alg": "HS256"}), encoded(claims), text(rng, 43)))


def pem(rng, sort="RSA ", wrap="\n", size=600):
    data = base64.b64encode(b"\x30\x82" + rng.randbytes(size)).decode()
    lines = [data[at : at + 64] for at in range(0, len(data), 64)]
    rows = (f"-----BEGIN {sort}PRIVATE KEY-----", *lines, f"-----END {sort}PRIVATE KEY-----")
    return wrap.join(rows)


def pgp(rng):
    data = base64.b64encode(b"\x95" + rng.randbytes(300)).decode()
    words = "PGP PRIVATE KEY BLOCK"
    return f"-----BEGIN {words}-----\nVersion: 1\n\n{data}\n=abcd\n-----END {words}-----"


def age(rng):
    values = [rng.randrange(32) for _ in range(52)]
    head = "age-secret-key-"
    check = _polymod(
        [ord(c) >> 5 for c in head] + [0] + [ord(c) & 31 for c in head] + values + [0] * 6
    )
    values += [((check ^ 1) >> 5 * (5 - at)) & 31 for at in range(6)]
    return f"{head}1{''.join(BECH32[value] for value in values)}".upper()


def _polymod(values):
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, factor in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= factor if top >> bit & 1 else 0
    return check


def discord(rng):
    number = str(rng.randrange(10**17, 10**18)).encode()
    return f"{encoded(number)}.{text(rng, 6)}.{text(rng, 38)}"


def pypi(rng):
    return "pypi-" + encoded(b"\x02\x01\x08pypi.org\x02" + rng.randbytes(90))


def aws_key(rng):
    number = rng.randrange(10**11, 10**12) << 7
    data = (number | 1 << 47).to_bytes(6, "big") + rng.randbytes(4)
    return "AKIA" + base64.b32encode(data).decode()[:16]


MAKERS = {
    "aws_key": aws_key,
    "github": lambda rng: github(rng, rng.choice(("ghp", "gho", "ghu", "ghs", "ghr"))),
    "npm": lambda rng: github(rng, "npm"),
    "jwt": jwt,
    "pem": lambda rng: pem(rng, ""),
    "pgp": pgp,
    "age": age,
    "discord": lambda rng: f"discord = '{discord(rng)}'",
    "macaroon": pypi,
    "azure_sas": lambda rng: f"https://a.net/c?sv=2024-08-04&sig={text(rng, 43)}%3D",
    "connection": lambda rng: f"postgres://app:{text(rng, 14)}@db7.prod.corp.net:5432/app",
}


def secret_of(row, rng):
    """A text that holds one secret of a format."""
    if row.name == "gcp-service-account":
        return json.dumps({"type": "service_account", "private_key": pem(rng, "")})
    if row.name == "url-password":
        return f"https://app:{text(rng, 14)}@files.corp.net/x"
    if row.name == "aws-secret-key" and "AKIA" in row.keywords:
        return f"id={aws_key(rng)}\nsecret={text(rng, 40)}"
    if row.name == "alibaba-secret":
        return f"id=LTAI{text(rng, 20)}\nsecret={text(rng, 30)}"
    if row.name == "connection-string" or row.checksum in MAKERS:
        return MAKERS[row.checksum](rng)
    return re.sub(r"\s", " ", from_pattern(row.pattern, rng))
