"""Environment variables that are read beside those that are declared."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from mcpward.audit.recognize import is_prose
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity
from mcpward.core.late import late
from mcpward.core.privilege import Privilege
from mcpward.secrets import secret_name

_PLATFORM = late(
    r"PATH|HOME|USER|USERNAME|LOGNAME|SHELL|LANG|LC_\w+|TERM|TZ|PWD|TMPDIR|TEMP|TMP|EDITOR|DISPLAY"
    r"|NODE_\w+|PYTHON\w*|VIRTUAL_ENV|CONDA_\w+|PORT|HOST|DEBUG|LOG_?LEVEL|CI|XDG_\w+|NO_COLOR"
    r"|FORCE_COLOR|(?:HTTPS?|ALL|NO)_PROXY|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|APPDATA|LOCALAPPDATA"
    r"|USERPROFILE|PROGRAMFILES\w*|SYSTEMROOT|COMSPEC|OS|COMPUTERNAME|HOSTNAME|npm_\w+|JEST_\w+"
    r"|VITEST\w*|PYTEST_\w+|GITHUB_ACTIONS|AWS_\w+|GOOGLE_\w+|AZURE_\w+|KUBERNETES_\w+|OTEL_\w+"
    r"|_\w+|VERCEL\w*|FLY_\w+|RAILWAY_\w+|WSL_\w+|SSH_\w+|SUDO_\w+|MCP_\w*DEBUG\w*",
    re.IGNORECASE,
)
"""What systems, runtimes and platforms set by themselves."""
_WORD = late(r"[A-Za-z_][A-Za-z0-9_]*")
_LISTED = 6


def undeclared_environment_variable(subject: Subject) -> Iterator[Sighting]:
    """Variables of which no description and no manifest speaks, at their first read.

    All credentials are one finding, and so is everything else of a file.
    """
    if not any(map(is_prose, subject.texts)):
        return
    declared: set[str] = set()
    for path, data in subject.texts.items():
        if not path.endswith((".lock", ".ipynb")):
            declared.update(_WORD.findall(data.decode("utf-8", "replace")))
    unknown: defaultdict[str, dict[str, Privilege]] = defaultdict(dict)
    for read in subject.variables_read:
        if read.value not in declared and not _PLATFORM.fullmatch(read.value):
            declared.add(read.value)
            unknown[read.place.file][read.value] = read
    secrets = {
        name: read
        for file in sorted(unknown)
        for name, read in unknown[file].items()
        if secret_name(name)
    }
    if secrets:
        yield _told(next(iter(secrets.values())), sorted(secrets), secret=True)
    for file in sorted(unknown):
        others = sorted(unknown[file].keys() - secrets.keys())
        if others:
            yield _told(unknown[file][others[0]], others, secret=False)


def _told(read: Privilege, names: list[str], *, secret: bool) -> Sighting:
    shown = ", ".join(f"`{name}`" for name in names[:_LISTED])
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    if not secret:
        return Sighting(read.place, shown + more)
    why = f"{Severity.LOW.word} because the name is that of a credential"
    return Sighting(read.place, shown + more, severity=Severity.LOW, adjustments=(why,))
