"""What can be proven about a secret without asking its provider: checksums and inner structure.

Every function takes the match of a pattern and says True (it is one), False (it is none, or it is
public by design) or None (nothing can be said). What a match holds is bounded by its pattern.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from mcpward.core.late import late
from mcpward.secrets.values import placeholder

Checksum = Callable[[re.Match[str]], bool | None]

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_FACTORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_NEAR = 1000
"""Characters around a match that tell what it is for."""


def value_of(match: re.Match[str]) -> str:
    """The secret itself: group 1, or all of the match."""
    return match[1] if match.re.groups else match[0]


def _around(match: re.Match[str]) -> str:
    return match.string[max(match.start() - _NEAR, 0) : match.end() + _NEAR]


def _crc_base62(match: re.Match[str]) -> bool:
    """Thirty characters, and their CRC-32 in six digits of base 62."""
    body = match[0].rpartition("_")[2]
    number, digits = zlib.crc32(body[:30].encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0") == body[30:]


def _aws_key(match: re.Match[str]) -> bool | None:
    """The number of the account is in the key, except in those from before 2019."""
    key = match[0]
    if key[4] in "IJ":
        return None
    number = int.from_bytes(base64.b32decode(key[4:])[:6], "big")
    return (number & 0x7FFFFFFFFF80) >> 7 < 10**12


def _mixed(match: re.Match[str]) -> bool | None:
    """A random string of mixed letters has all kinds of characters."""
    value = value_of(match)
    kinds = (str.isupper, str.islower, str.isdigit)
    return None if all(any(map(kind, value)) for kind in kinds) else False


_FIREBASE = late(
    r"firebase(?:app|io|storage|Config)|authDomain|messagingSenderId|maps\.googleapis\.com/maps/api/js"
)


def _google_key(match: re.Match[str]) -> bool | None:
    """Keys of Firebase apps and of map scripts name a project to browsers; they are public."""
    return False if _FIREBASE.search(_around(match)) else None


_EMULATOR = late(r"devstoreaccount1|127\.0\.0\.1|localhost")


def _azure_storage(match: re.Match[str]) -> bool | None:
    """The emulator of the storage has one key for everybody."""
    around = match.string[max(match.start() - 200, 0) : match.end() + 200]
    return False if _EMULATOR.search(around) else None


def _azure_sas(match: re.Match[str]) -> bool:
    """A signature stands beside the version, the expiry and the permissions that it signs."""
    around = match.string[max(match.start() - 300, 0) : match.end() + 300]
    return bool(re.search(r"[?&]s[vep]=", around))


def _macaroon(match: re.Match[str]) -> bool:
    """A PyPI token begins with the name of the index inside."""
    return b"pypi.org" in _decoded(value_of(match)[:40])


def _discord(match: re.Match[str]) -> bool:
    """The first part is the number of the bot."""
    number = _decoded(value_of(match).partition(".")[0])
    return number.isdigit() and 17 <= len(number) <= 20


_ANON = ("anon",)
_SAMPLE_SUBJECT = "1234567890"


def _jwt(match: re.Match[str]) -> bool:
    """A header with an algorithm, and claims that are neither public by design nor a sample."""
    head, body, signature = match[0].split(".", 2)
    header, claims = _object(head), _object(body)
    if header is None or claims is None or not isinstance(header.get("alg"), str):
        return False
    if claims.get("role") in _ANON or claims.get("sub") == _SAMPLE_SUBJECT:
        return False
    return not placeholder(signature)


def _object(part: str) -> dict[str, Any] | None:
    try:
        value = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _decoded(text: str) -> bytes:
    """Base64 in either alphabet, without padding; nothing when it is none."""
    text = text.rstrip("=")
    if len(text) % 4 == 1:
        text = text[:-1]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _body(match: re.Match[str]) -> str:
    inner = match[0].split("-----")[2].strip()
    # Joined string literals and escaped line breaks are still one key; `+` of a join is no base64,
    # but the one of base64 stands between two characters of it.
    inner = re.sub(r"[\"'`]\s*\+\s*[\"'`]", "", inner)
    return re.sub(r"\\[nr]|[\s\"'`,\\]", "", inner)


def _pem(match: re.Match[str]) -> bool | None:
    """A DER sequence or an OpenSSH key, and as random as a key is."""
    body = _body(match)
    data = _decoded(body.replace("+", "-").replace("/", "_"))
    if data.startswith(b"openssh-key-v1\0"):
        return len(data) > 100
    return len(data) > 60 and data[0] == 0x30 and len(set(data)) > 30


def _pgp(match: re.Match[str]) -> bool:
    """A packet of a secret key, under the headers of the armour."""
    lines = [line for line in re.split(r"\\n|\n", match[0].split("-----")[2]) if ":" not in line]
    body = re.sub(r"[\s\"'`,\\]", "", "".join(line for line in lines if not line.startswith("=")))
    data = _decoded(body.replace("+", "-").replace("/", "_"))
    return len(data) > 100 and data[0] in (0x94, 0x95, 0xC5)


def _age(match: re.Match[str]) -> bool:
    """The checksum of Bech32."""
    hrp, _, data = match[0].lower().rpartition("1")
    values = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]
    values += [_BECH32.index(c) for c in data]
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, factor in enumerate(_BECH32_FACTORS):
            if top >> bit & 1:
                check ^= factor
    return check == 1


_NOWHERE = late(
    r"@(?:localhost|127\.|0\.0\.0\.0|host\b|hostname|server\b|db\b|postgres\b|mysql\b|mongo(?:db)?\b"
    r"|redis\b|database\b|cluster\b|example\.|[\w.-]+\.(?:example|test|invalid|local|localhost)\b"
    r"|[\w.-]*example\.(?:com|org|net)|[\w-]+$)",
    re.IGNORECASE,
)
_WEAK_PASSWORD = late(
    r"(?:my|your|the|some|db|user|test|root|admin|postgres|mysql|mongo|redis|guest|neo4j)?[-_]?"
    r"(?:p|pw|pwd|pass|passw(?:or)?d|password|secret|token|key|postgres|root|admin|guest|test|redis"
    r"|user|username)[\d!]{0,4}",
    re.IGNORECASE,
)


def _connection(match: re.Match[str]) -> bool | None:
    """A password for a machine that is not this one, and no stand-in for one."""
    password = value_of(match)
    if _NOWHERE.search(match[0], match.end(1) - match.start()):
        return False
    if placeholder(password) or _WEAK_PASSWORD.fullmatch(password) or len(set(password)) < 4:
        return False
    user = match[0].partition("://")[2].partition(":")[0]
    return False if password == user or (password.isalpha() and len(password) < 12) else None


CHECKSUMS: Mapping[str, Checksum] = {
    "age": _age,
    "aws_key": _aws_key,
    "azure_sas": _azure_sas,
    "azure_storage": _azure_storage,
    "connection": _connection,
    "discord": _discord,
    "github": _crc_base62,
    "google_key": _google_key,
    "jwt": _jwt,
    "macaroon": _macaroon,
    "mixed": _mixed,
    "npm": _crc_base62,
    "pem": _pem,
    "pgp": _pgp,
}
"""By the name that rows of the catalog use."""
