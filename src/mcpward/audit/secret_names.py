"""Which names are those of credentials."""

from __future__ import annotations

import re

_SECRET = re.compile(
    r"(?:^|[_-])(?:api_?key|apikey|secret|token|pass(?:word|wd|phrase)|pwd|credentials?|pat"
    r"|(?:private|access|auth|signing|encryption|master|service|account|secret)_?key|jwt|bearer"
    r"|auth_?header|connection_?string|conn_?str|dsn)(?:$|[_-](?:value|string|secret|[0-9]{1,2})$)"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LIMIT = 100


def secret_name(name: str) -> bool:
    """Whether a variable, field or parameter of this name holds a credential."""
    return bool(_SECRET.search(_HUMP.sub("_", name[-_LIMIT:]).lower()))
