"""Rules about how a client configuration starts servers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.launched import bare, own_packages, started, word_node
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence, Severity
from mcpward.core.late import late
from mcpward.documents.addresses import address
from mcpward.documents.clients import ConfiguredServer
from mcpward.documents.commands import runs_fetched_script, simple_commands
from mcpward.documents.launches import Launch, docker_options, launch, program, shell_script
from mcpward.documents.tree import Array, Document, Node, Scalar, Table

_FILES = late(r"(?:^|[-_./@])(?:filesystem|file-?system|files?-server|fs)(?:$|[-_@:=\[])")
_HOME = late(
    r"/+|~/?|\$\{?HOME\}?/?|\$\{(?:env:HOME|userHome)\}/?|%USERPROFILE%\\?"
    r"|/(?:home|Users)(?:/[\w.${}:-]+)?/?|/root/?"
    r"|[A-Za-z]:[\\/]*|[A-Za-z]:[\\/]+Users(?:[\\/]+[\w.%{}$ -]+)?[\\/]*"
)
_ADMINS = frozenset({"root", "postgres", "sa", "admin", "administrator", "sys", "system", "sysdba"})
_DATABASES = frozenset(
    {
        *("postgres", "postgresql", "mysql", "mariadb", "mssql", "sqlserver", "mongodb"),
        *("mongodb+srv", "oracle", "postgresql+psycopg", "postgresql+asyncpg", "mysql+pymysql"),
    }
)
_SERVICE_KEY = late(r"[A-Z0-9_]*SERVICE_ROLE_(?:KEY|SECRET|TOKEN)")
_SCOPES = late(r"(?:[\w.-]*[_.-])?(?:oauth)?scopes?(?:_?supported)?")
_BROAD: dict[str, Severity] = {
    **dict.fromkeys(("*", "full_access", "repo"), Severity.MEDIUM),
    "https://mail.google.com/": Severity.MEDIUM,
    **dict.fromkeys(
        ("mail.readwrite", "files.readwrite.all", "sites.fullcontrol.all"), Severity.MEDIUM
    ),
    **dict.fromkeys(("admin:org", "admin:enterprise", "delete_repo", "site_admin"), Severity.HIGH),
    **dict.fromkeys(
        ("directory.readwrite.all", "rolemanagement.readwrite.directory"), Severity.HIGH
    ),
    "https://www.googleapis.com/auth/drive": Severity.MEDIUM,
    "https://www.googleapis.com/auth/cloud-platform": Severity.HIGH,
}
_PARTS = late(r"[\s,;]+")


def unpinned_launcher(subject: Subject) -> Iterator[Sighting]:
    """Servers that a client starts from a package whose version is left open."""
    own = own_packages(subject)
    for document, server in started(subject):
        if script := shell_script(server.words):
            at, text = script
            node = word_node(server, at)
            if runs_fetched_script(text):
                detail = f"`{server.name}` downloads a script and gives it to a shell"
                why = ("what the address answers is run as it is",)
                yield Sighting(document.place(node), detail, Severity.HIGH, adjustments=why)
            for words, _ in simple_commands(text):
                if (found := launch(words)) is not None and found.floating:
                    yield _unpinned(document, server, found, node, own)
        elif (found := launch(server.words)) is not None and found.floating:
            yield _unpinned(document, server, found, word_node(server, found.at), own)


def _unpinned(
    document: Document, server: ConfiguredServer, found: Launch, node: Node, own: frozenset[str]
) -> Sighting:
    detail = f"`{server.name}` is whatever `{found.package[:120]}` is when `{found.launcher}` runs"
    if bare(found.package) in own:
        why = ("the package is the one that is audited",)
        return Sighting(document.place(node), detail, Severity.LOW, adjustments=why)
    return Sighting(document.place(node), detail)


def unrestricted_filesystem_scope(subject: Subject) -> Iterator[Sighting]:
    """File servers that a client gives the whole disk or a home folder."""
    for document, server in started(subject):
        found = launch(server.words)
        if found is not None and _FILES.search(found.package.lower()):
            first = len(server.words) - len(found.arguments)
            for number, word in enumerate(found.arguments, start=first):
                if _HOME.fullmatch(word):
                    detail = f"`{server.name}` is given `{word}`"
                    yield Sighting(document.place(word_node(server, number)), detail)
        for name, value, at in _options(server):
            if name in ("-v", "--volume", "--mount"):
                mounted = _mounted(value)
                if mounted and _HOME.fullmatch(mounted):
                    detail = f"the container of `{server.name}` is given `{mounted}`"
                    yield Sighting(document.place(word_node(server, at)), detail)


def _mounted(value: str) -> str:
    """The folder of this machine that a mount option names."""
    if "=" in value:
        pairs = dict(part.partition("=")[::2] for part in value.split(","))
        return pairs.get("source", pairs.get("src", ""))
    drive = value[:2] if re.match(r"[A-Za-z]:[\\/]", value) else ""
    return drive + value[len(drive) :].partition(":")[0]


def _options(server: ConfiguredServer) -> list[tuple[str, str, int]]:
    """The options of `docker run`, each with the index of its word."""
    words = server.words
    if program(words[0]) not in ("docker", "podman", "nerdctl") or "run" not in words[1:3]:
        return []
    found = list(docker_options(words, words.index("run") + 1))
    return [one for one in found if one[0]]


def overprivileged_credential(subject: Subject) -> Iterator[Sighting]:
    """Servers that a client starts with the rights of an administrator."""
    for document, server in started(subject):
        if program(server.command) in ("sudo", "doas"):
            detail = f"`{server.name}` is started with `{program(server.command)}`"
            yield Sighting(document.place(word_node(server, 0)), detail)
        nodes: list[Node] = [*server.args, *(entry.value for entry in server.env)]
        for node in nodes:
            found = address(node.text) if isinstance(node, Scalar) else None
            if found and found.scheme in _DATABASES and found.user.lower() in _ADMINS:
                detail = f"`{server.name}` signs in to a database as `{found.user}`"
                yield Sighting(document.place(node), detail, confidence=Confidence.MEDIUM)
        for entry in server.env:
            if _SERVICE_KEY.fullmatch(entry.name):
                detail = f"`{server.name}` is given `{entry.name}`, which passes row-level security"
                yield Sighting(document.place(entry), detail)


def overbroad_scope(subject: Subject) -> Iterator[Sighting]:
    """Scopes that a configuration asks for and that reach far beyond a tool."""
    for path, document in subject.documents.items():
        for server in subject.servers[path]:
            if server.disabled:
                continue
            for name, node in _named(server):
                if not _SCOPES.fullmatch(name):
                    continue
                asked = [part for part in _PARTS.split(node.text) if part.lower() in _BROAD]
                if asked:
                    level = max(_BROAD[part.lower()] for part in asked)
                    listed = ", ".join(f"`{part}`" for part in asked[:5])
                    yield Sighting(
                        document.place(node),
                        f"`{server.name}` asks for {listed}",
                        level,
                        adjustments=("the scope administers",) if level > Severity.MEDIUM else (),
                    )


def _named(server: ConfiguredServer) -> Iterator[tuple[str, Scalar]]:
    """Every scalar below a server with the nearest key above it."""
    waiting: list[tuple[str, Node]] = [("", server.node)]
    while waiting:
        name, node = waiting.pop()
        match node:
            case Scalar():
                yield name, node
            case Array(items=items):
                waiting.extend((name, item) for item in reversed(items))
            case Table(entries=entries):
                waiting.extend((entry.name.lower(), entry.value) for entry in reversed(entries))
