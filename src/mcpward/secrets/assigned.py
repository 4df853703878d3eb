"""The judgement about a literal that is given to something whose name speaks of a credential."""

from __future__ import annotations

from mcpward.core.late import late
from mcpward.secrets.detect import Secret, search
from mcpward.secrets.names import secret_name, words
from mcpward.secrets.values import entropy, placeholder

_LONGEST = 1000
_KEY_LENGTH = 16
_PASSWORD_LENGTH = 8
_PASSWORDS = frozenset({"password", "passwd", "pwd", "passphrase", "passcode", "dbpassword"})
_SCHEME = late(r"(?:Bearer|Basic|Token|token|bearer|basic)[ ]+")
_CHARACTERS = late(r"[A-Za-z0-9_+/=.~!@#$%^&*?,;:|-]+")
_HEX = late(r"[0-9a-fA-F]+")
_UUID = late(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WORDY = late(r"[A-Za-z]*(?:[-_.:/ ][A-Za-z]+\d{0,2})*(?:[-_.]?\d{1,3})?")
"""Words joined by signs, as names of things are: `auth_token_v2`, `my-service.secret`."""
_PATH = late(r"^(?:[./~]|[A-Za-z]:\\)|^[a-z][a-z0-9+.-]*://|^[\w-]+/[\w-]+/|^@[\w-]+/")
_SPEC = late(r"^[\w.-]+\.(?:json|ya?ml|toml|txt|pem|key|env|py|[cm]?[jt]sx?|com|org|net|io|dev)$")


def assigned(name: str, value: str) -> Secret | None:
    """The secret in a literal given to a name; its offsets are those in `value`.

    The name must speak of a credential, and the value must look like one: long enough, as random
    as a credential of its sort is, and no placeholder. A format of its own needs no name.
    """
    if not value or len(value) > _LONGEST:
        return None
    if known := search(value):
        return known[0]
    if not secret_name(name):
        return None
    scheme = _SCHEME.match(value)
    start = scheme.end() if scheme else 0
    text = value[start:]
    last = next((word for word in reversed(words(name)) if word.isalpha()), "")
    if last in {"authorization", "auth"} and not scheme:
        return None
    plausible = _password(text) if last in _PASSWORDS else _key(text)
    if not plausible or placeholder(text):
        return None
    return Secret("generic", "Credential", start, len(value), verified=False)


def _key(text: str) -> bool:
    """Whether a text is random enough for a generated key."""
    if len(text) < _KEY_LENGTH or not _CHARACTERS.fullmatch(text) or _named(text):
        return False
    digits = sum(c.isdigit() for c in text)
    if digits < 2 or not any(c.isalpha() for c in text):
        return False
    if _UUID.fullmatch(text) or _HEX.fullmatch(text):
        return entropy(text) >= 3.0
    return entropy(text) >= 3.5


def _password(text: str) -> bool:
    """Whether a text mixes kinds of characters as a chosen password does."""
    if len(text) < _PASSWORD_LENGTH or not _CHARACTERS.fullmatch(text) or _named(text):
        return False
    kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    return sum(any(map(kind, text)) for kind in kinds) >= 3 and entropy(text) >= 2.75


def _named(text: str) -> bool:
    return bool(_WORDY.fullmatch(text) or _PATH.search(text) or _SPEC.search(text))
