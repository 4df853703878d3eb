"""Names on a surface: their words, and the names that ask for a credential."""

from __future__ import annotations

from mcpward.core.late import late

_WORDS = late(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SNAKE = late(r"(?<=[a-z0-9])(?=[A-Z])|[-\s.]+")
_SECRET = late(
    r"(?:[a-z0-9]+_)*(?:api_?key|access_token|auth_token|bearer_token|refresh_token"
    r"|client_secret|secret_key|access_key|secret_access_key|private_key|seed_phrase|mnemonic"
    r"|recovery_phrase|passphrase|password|passwd|session_cookie|connection_string)"
)
_LONGEST = 200


def folded(name: str) -> str:
    """A name without case and separators: `getUser`, `get_user` and `get-user` are one."""
    return "".join(_WORDS.findall(name)).lower()


def snake(name: str) -> str:
    """The beginning of a name in lower case with `_` between its words."""
    return _SNAKE.sub("_", name[:_LONGEST]).lower()


def asks_for_secret(name: str) -> bool:
    """Whether a parameter of this name asks for a credential."""
    return _SECRET.fullmatch(snake(name)) is not None
