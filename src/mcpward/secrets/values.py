"""What a value tells about itself: how random it is, whether it stands in for another, its mask."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from itertools import pairwise

from mcpward.core.late import late

_LONGEST = 4096
"""Characters of a value that are looked at."""
_SHORT = 8
"""Values below this length are never shown in part."""
_SHOWN = 4
_RUN = 6
_LONG = 200
"""Beyond this length words occur in random text by chance."""

_REFERENCE = late(
    r"""^[<\[({%$].*[>\])}%]$ | \$\{ | \{\{ | \{[A-Za-z_][\w.]*\} | ^\$[A-Za-z_(] | ^%\w+%$ "
    r"| <[\w -]+>
      | process\.env | os\.environ | getenv | import\.meta\.env
      | ^(?:env|secrets?|vars?|input)[.:]\w
      | ^(?:op|vault|keychain|ssm|aws-sm|gcp-sm|azure-kv|doppler|file)[:+]/{0,2}\S | ^ENC\[ | ^!\w
      | \.\.\. | … | \*{3} | \#{3} | x{4} | X{4} | _{4} | -{6}
    """,
    re.VERBOSE,
)
_WORDS = late(
    r"your[-_ ]?|[-_ ]here\b|example|sample|placeholder|change[-_ ]?(?:me|this|it)|replace"
    r"|insert[-_ ]"
    r"|redacted|dummy|fake|mock|todo|fixme|foobar|secret123|password123|s3cr3t|not[-_ ]?(?:a"
    r"|real|used)"
    r"|invalid|lorem|enter[-_ ]|put[-_ ]your|my[-_ ](?:api|secret|token|key|pass)|supersecret"
    r"|super[-_]secret|unit[-_]?test|testing|generated|deadbeef|cafebabe|\bdemo\b|\bsome[-_]"
    r"|(?:^|[-_ .:])(?:test|tests|none|null|xxx|foo|bar|baz|abc|default)(?:[-_ .:]|$)",
    re.IGNORECASE,
)
_PLAIN = frozenset(
    [
        "admin",
        "administrator",
        "api_key",
        "apikey",
        "bar",
        "baz",
        "blank",
        "changeit",
        "changeme",
        "default",
        "disabled",
        "empty",
        "false",
        "foo",
        "guest",
        "hunter2",
        "key",
        "letmein",
        "n/a",
        "na",
        "nil",
        "no",
        "none",
        "null",
        "off",
        "on",
        "pass",
        "passw0rd",
        "passwd",
        "password",
        "postgres",
        "pwd",
        "qwerty",
        "root",
        "secret",
        "string",
        "test",
        "tbd",
        "token",
        "true",
        "undefined",
        "unknown",
        "unset",
        "user",
        "username",
        "value",
        "yes",
    ]
)
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def placeholder(value: str) -> bool:
    """Whether a value stands in for a secret, refers to one, or is a documented sample."""
    text = value.strip()[:_LONGEST]
    if not text or text.lower() in _PLAIN or _REFERENCE.search(text):
        return True
    if len(text) <= _LONG and _WORDS.search(text):
        return True
    if len(set(text)) <= 2 + len(text) // 32:
        return True
    return len(text) <= _LONG and (_repeats(text) or _in_sequence(text))


_SAME = late(rf"(\w)\1{{{_RUN - 1}}}")


def _repeats(text: str) -> bool:
    """One character many times in a row, or one short piece over and over."""
    if _SAME.search(text):
        return True
    body = re.sub(r"^[a-zA-Z]{1,8}[-_]", "", text)
    return len(body) >= _SHORT and (body + body).find(body, 1) < len(body)


def _in_sequence(text: str) -> bool:
    """A run such as `abcdef`, `123456`, `654321` or `qwerty`."""
    up = down = 1
    for before, after in pairwise(text):
        step = ord(after) - ord(before)
        both = before.isalnum() and after.isalnum()
        up = up + 1 if both and (step == 1 or before + after == "90") else 1
        down = down + 1 if both and step == -1 else 1
        if up >= _RUN or down >= _RUN:
            return True
    lower = text.lower()
    return any(row[at : at + _RUN] in lower for row in _KEYBOARD for at in range(len(row) - 5))


def entropy(value: str) -> float:
    """Bits per character, by how often each character occurs."""
    if not value:
        return 0.0
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


def redacted(value: str) -> str:
    """The first characters and a short digest: enough to recognise a secret, not to use it."""
    digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:8]
    head = value[:_SHOWN] if len(value) >= _SHORT else ""
    return f"{head}…(sha256 {digest})"
