"""Whether the name of a variable, key or parameter says that it holds a credential."""

from __future__ import annotations

import re
from functools import lru_cache

from mcpward.core.late import late

_LONGEST = 100
_PARTS = late(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_ALONE = frozenset(
    [
        "apikey",
        "apitoken",
        "authkey",
        "authtoken",
        "accesskey",
        "accesstoken",
        "bearer",
        "clientsecret",
        "credential",
        "credentials",
        "masterkey",
        "passcode",
        "passphrase",
        "passwd",
        "password",
        "privatekey",
        "psk",
        "pwd",
        "secret",
        "secretkey",
        "secrets",
        "token",
        "encryptionkey",
        "signingkey",
        "sessiontoken",
        "refreshtoken",
        "pat",
        "pw",
    ]
)
"""Last words that speak of a credential by themselves."""
_KEYS = frozenset(
    [
        "access",
        "account",
        "admin",
        "api",
        "auth",
        "client",
        "deploy",
        "encryption",
        "encrypt",
        "hmac",
        "jwt",
        "master",
        "private",
        "root",
        "secret",
        "service",
        "session",
        "shared",
        "signing",
        "subscription",
        "webhook",
    ]
)
"""Words that make a `key` behind them a credential."""
_AUTHORIZATION = frozenset({"authorization", "auth"})
_TRAILING = frozenset(
    [
        "dev",
        "development",
        "prod",
        "production",
        "staging",
        "live",
        "test",
        "default",
        "value",
        "str",
    ]
)
"""Words behind a name that do not change what it is."""
_NOT_TOKENS = frozenset(
    [
        "max",
        "min",
        "page",
        "next",
        "prev",
        "previous",
        "continuation",
        "continue",
        "cursor",
        "sync",
        "eos",
        "bos",
        "pad",
        "sep",
        "mask",
        "unk",
        "cls",
        "stop",
        "start",
        "end",
        "special",
        "cancellation",
        "cancel",
        "abort",
        "progress",
        "design",
        "contract",
        "input",
        "output",
        "prompt",
        "completion",
        "total",
        "num",
        "count",
        "per",
        "delta",
        "position",
        "resume",
        "resumption",
        "pagination",
        "nextpage",
        "csrf",
        "xsrf",
        "syntax",
        "lexer",
        "parser",
        "current",
        "text",
        "word",
        "first",
        "last",
        "delimiter",
        "ending",
        "separator",
        "invalid",
        "missing",
        "no",
        "has",
        "is",
        "use",
        "get",
        "set",
        "require",
        "requires",
        "need",
        "needs",
        "show",
        "hide",
        "toggle",
        "forgot",
        "reset",
        "validate",
        "check",
        "verify",
        "parse",
        "with",
        "without",
        "public",
        "reserved",
        "keyword",
        "idempotency",
        "nonce",
        "cache",
        "registry",
    ]
)
"""Words before that make a `token` something else, and words of switches and actions."""
_ACTIONS = frozenset(
    [
        "no",
        "has",
        "is",
        "use",
        "get",
        "set",
        "require",
        "requires",
        "need",
        "needs",
        "show",
        "hide",
        "toggle",
        "forgot",
        "reset",
        "validate",
        "check",
        "verify",
        "parse",
        "with",
        "without",
        "public",
        "hashed",
        "hash",
        "encrypted",
        "missing",
        "invalid",
        "masked",
        "redacted",
        "confirm",
    ]
)


def words(name: str) -> list[str]:
    """The words of a name in lower case, however they are joined."""
    return [part.lower() for part in _PARTS.findall(name[:_LONGEST])]


@lru_cache(maxsize=4096)
def secret_name(name: str) -> bool:
    """Whether a name speaks of a credential itself, and not of its place, size or kind."""
    parts = words(name)
    while parts and (parts[-1].isdigit() or (len(parts) > 1 and parts[-1] in _TRAILING)):
        parts.pop()
    if not parts:
        return False
    *before, last = parts
    if not _ACTIONS.isdisjoint(before[:1]) or "public" in before:
        return False
    if last == "key":
        return bool(before) and before[-1] in _KEYS
    if last in _AUTHORIZATION:
        return len(before) <= 1
    if last in {"pat", "pw", "bearer"}:
        return bool(before) or name.isupper()
    if last in {"token", "secrets", "credentials", "credential"}:
        return _NOT_TOKENS.isdisjoint(before)
    if last in _ALONE:
        return True
    # `password1`, `dbpassword` and `mytoken` are one word to the cutter.
    return bool(
        re.fullmatch(
            r"(?:db|my|app|user|root|admin|auth|bot|jwt|github|slack)(?:password|passwd|pwd|secret|token|apikey)",
            last,
        )
    )
