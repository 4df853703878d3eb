"""Rules about code that runs when a package is installed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence, Place, Severity
from mcpward.core.late import late
from mcpward.core.source import Language, Role, SourceFile
from mcpward.documents.commands import entries, runs_fetched_script, simple_commands
from mcpward.documents.launches import program
from mcpward.documents.tree import Document, Scalar

_AT_INSTALL = ("preinstall", "install", "postinstall")
_EVALUATES = late(
    r"\b(?:node|bun)\s{1,9}(?:-e|--eval|-p)\b|\bpython3?\s{1,9}-c\b|\bbase64\s{1,9}(?:-d|--decode|-D)\b"
    r"|\beval\b|\bpowershell(?:\.exe)?\b[^\n]{0,200}-e(?:nc|ncodedcommand)\b",
    re.IGNORECASE,
)
_HARMLESS = late(
    r"(?:node|bun)\s{1,9}(?:-e|--eval)\s{1,9}[\"']?(?:process\.exit\(\d?\)|console\.log\([^();]{0,300}\))"
)
_DOWNLOADS = frozenset({"curl", "wget", "nc", "ncat", "irm", "iwr", "invoke-webrequest"})
_RUNNERS = frozenset({"node", "bun", "tsx", "ts-node", "deno"})
_REMOTE_CODE = late(
    rb"\bchild_process\b|\bexecSync\s*\(|\bspawn(?:Sync)?\s*\(|\beval\s*\(|\bnew Function\s*\("
)
_NETWORK = late(
    rb"\bfetch\s*\(|\bhttps?\.(?:get|request)\s*\(|\baxios\b|\brequire\(['\"](?:node:)?https?['\"]\)"
    rb"|\bfrom\s+['\"](?:node:)?https?['\"]"
)
_CREDENTIALS = late(rb"\.npmrc|\.ssh[/'\"]|\.aws[/'\"]|id_rsa|\.netrc|\.git-credentials")
_COMMANDS = late(rb"\bcmdclass\s*=")
_INSTALL_CLASS = late(
    rb"^class\s+\w+\s*\((?:\w+\.)*(?:install|develop|egg_info|sdist_install)\b", re.MULTILINE
)
_PYTHON_REMOTE = late(
    rb"\bsubprocess\.|\bos\.(?:system|popen|exec\w*)\s*\(|\burllib\.request\b|\brequests\.(?:get|post)"
    rb"|\bsocket\.(?:socket|create_connection)|\bexec\s*\(|\bbase64\.b64decode"
)


def install_time_code(subject: Subject) -> Iterator[Sighting]:
    """Packages that run code of their own on the machine of whoever installs them."""
    for path, document in subject.documents.items():
        if posixpath.basename(path) == "package.json":
            yield from _scripts(subject, path, document)
    for path, source in subject.sources.items():
        is_setup = posixpath.basename(path) == "setup.py" and source.role is Role.FIRST_PARTY
        if is_setup and source.language is Language.PYTHON:
            yield from _setup(source)


def _scripts(subject: Subject, path: str, document: Document) -> Iterator[Sighting]:
    for entry in entries(document.table.table("scripts")):
        if entry.name not in _AT_INSTALL or not isinstance(entry.value, Scalar):
            continue
        script = entry.value.text
        words = [words for words, _ in simple_commands(script) if words]
        what, level = "", Severity.MEDIUM
        if runs_fetched_script(script):
            what, level = "downloads a script and runs it", Severity.HIGH
        elif _EVALUATES.search(_HARMLESS.sub("", script[:20_000])):
            what = "runs code that is written into the command"
        elif any(program(one[0]) in _DOWNLOADS for one in words):
            what = "downloads something"
        else:
            what, level = _own_script(subject, path, words)
        if what:
            changed = ("it runs what an address answers",) if level is Severity.HIGH else ()
            yield Sighting(
                document.place(entry), f"`{entry.name}` {what}", level, adjustments=changed
            )


def _own_script(subject: Subject, path: str, words: list[tuple[str, ...]]) -> tuple[str, Severity]:
    """What the file does that an install script starts, as far as its text says."""
    for one in words:
        if program(one[0]) not in _RUNNERS or len(one) < 2:
            continue
        folder = posixpath.dirname(path)
        source = subject.sources.get(posixpath.normpath(posixpath.join(folder, one[-1])))
        if source is None:
            continue
        starts, fetches = _REMOTE_CODE.search(source.data), _NETWORK.search(source.data)
        if _CREDENTIALS.search(source.data) and fetches:
            return (
                f"runs `{one[-1]}`, which names credential files and sends requests",
                Severity.HIGH,
            )
        if starts and fetches:
            return f"runs `{one[-1]}`, which sends requests and starts programs", Severity.MEDIUM
        if fetches:
            return f"runs `{one[-1]}`, which sends requests", Severity.MEDIUM
    return "", Severity.MEDIUM


def _setup(source: SourceFile) -> Iterator[Sighting]:
    found = _INSTALL_CLASS.search(source.data)
    if found and _COMMANDS.search(source.data) and _PYTHON_REMOTE.search(source.data):
        start = source.position(found.start())
        place = Place(
            source.path, start, source.position(found.end()), source.line_text(start.line)[:400]
        )
        detail = "`setup.py` runs commands of its own when the package is installed"
        yield Sighting(place, detail, confidence=Confidence.MEDIUM)
