"""Rules about how configurations connect servers and clients."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence, Severity
from mcpward.core.late import late
from mcpward.documents.addresses import address
from mcpward.documents.clients import ConfiguredServer
from mcpward.documents.commands import Command, simple_commands
from mcpward.documents.launches import launch, program, shell_script, unwrapped
from mcpward.documents.tree import Array, Document, Scalar, Table

_CLEAR = frozenset({"http", "ws"})
_REMOTES = frozenset({"mcp-remote", "mcp-proxy", "supergateway"})
"""Programs that connect to the address among their arguments."""
_CREDENTIAL = late(r"authorization|cookie|x-api-key|[\w-]*(?:token|secret|api[-_]?key)")
_SWITCHED_OFF = {
    "NODE_TLS_REJECT_UNAUTHORIZED": frozenset({"0"}),
    "PYTHONHTTPSVERIFY": frozenset({"0"}),
    "GIT_SSL_NO_VERIFY": frozenset({"1", "true"}),
}
_EXAMPLE = late(r".*(?:example|sample|template|dist|defaults?)", re.IGNORECASE)
_WIDE = frozenset({"0.0.0.0", "::", "[::]", "*"})  # noqa: S104  # what is looked for
_HOST_OPTIONS = frozenset({"--host", "--sse-host", "-h"})
_KEY_OPTIONS = late(r"--(?:api-?key|auth[\w-]*|token|oauth2?[\w-]*|strict-auth)", re.IGNORECASE)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
_SOCAT = late(r"(?:TCP|TCP4|TCP6|OPENSSL)-L(?:ISTEN)?:\d", re.IGNORECASE)


# ---- cleartext -----------------------------------------------------------------------------------


def cleartext_transport(subject: Subject) -> Iterator[Sighting]:
    """Remote servers that are reached without encryption."""
    for path, document in subject.documents.items():
        for node, secret in _remote_addresses(document, subject.servers[path]):
            found = address(node.text)
            if found is None or found.scheme not in _CLEAR or found.unknown or found.loopback:
                continue
            detail = f"`{found.scheme}://{found.host[:120]}`"
            if found.inside:
                why = ("the host is in a private network",)
                yield Sighting(document.place(node), detail, Severity.LOW, adjustments=why)
            elif secret or found.user:
                why = ("credentials are sent along",)
                yield Sighting(document.place(node), detail, Severity.HIGH, adjustments=why)
            else:
                yield Sighting(document.place(node), detail)


def _remote_addresses(
    document: Document, servers: Sequence[ConfiguredServer]
) -> Iterator[tuple[Scalar, bool]]:
    """The addresses that servers are reached at, and whether credentials go there."""
    for server in servers:
        if server.disabled:
            continue
        if isinstance(server.url_node, Scalar):
            secret = any(_CREDENTIAL.fullmatch(entry.name.lower()) for entry in server.headers)
            yield server.url_node, secret
        found = launch(server.words)
        if found is not None and _package(found.package) in _REMOTES:
            sent = [arg.text.lower() for arg in server.args]
            secret = any(_CREDENTIAL.match(text) for text in sent)
            for arg in server.args:
                yield arg, secret
    if posixpath.basename(document.path) == "server.json":
        remotes = document.table.get("remotes")
        for item in remotes.items if isinstance(remotes, Array) else ():
            url = item.get("url") if isinstance(item, Table) else None
            if isinstance(url, Scalar) and isinstance(item, Table):
                yield url, item.get("headers") is not None


def _package(package: str) -> str:
    name = package[:1] + package[1:].partition("@")[0]
    return re.split(r"[\[=<>~! ]", name, maxsplit=1)[0].lower()


# ---- certificates --------------------------------------------------------------------------------


def tls_verification_disabled(subject: Subject) -> Iterator[Sighting]:
    """Variables that switch off the check of certificates for a whole program."""
    for path, document in subject.documents.items():
        is_example = bool(_EXAMPLE.fullmatch(posixpath.basename(path)))
        for variable in subject.variables[path]:
            if variable.value.strip().lower() in _SWITCHED_OFF.get(variable.name, ()):
                yield Sighting(
                    document.place(variable.node),
                    sink=f"{variable.name}={variable.value.strip()}",
                    severity=Severity.LOW if is_example else None,
                    adjustments=("the file is an example",) if is_example else (),
                )


# ---- bridges -------------------------------------------------------------------------------------


def unauthenticated_stdio_bridge(subject: Subject) -> Iterator[Sighting]:
    """Bridges that offer a server on standard streams to the network, and ask nobody who he is."""
    for path, document in subject.documents.items():
        for command in subject.commands[path]:
            for words in _every(command):
                if seen := _bridge(words):
                    detail, confidence = seen
                    yield Sighting(document.place(command.node), detail, confidence=confidence)
        for variable in subject.variables[path]:
            if variable.name == "DANGEROUSLY_OMIT_AUTH" and variable.value.lower() in ("1", "true"):
                is_script = posixpath.basename(document.path) == "package.json"
                yield Sighting(
                    document.place(variable.node),
                    "`DANGEROUSLY_OMIT_AUTH` opens a proxy that starts programs",
                    Severity.MEDIUM if is_script else None,
                    adjustments=("only those who work on the project run it",) if is_script else (),
                )


def _every(command: Command) -> Iterator[tuple[str, ...]]:
    script = shell_script(command.words)
    if script is None:
        yield command.words
    else:
        for words, _ in simple_commands(script[1]):
            yield words


def _bridge(words: tuple[str, ...]) -> tuple[str, Confidence] | None:
    """What a command publishes, when it is a bridge without authentication."""
    _, inner = unwrapped(words)
    if not inner:
        return None
    found = launch(inner)
    name = _package(found.package) if found else program(inner[0])
    is_npm = found is not None and found.launcher not in ("uvx", "uv tool run", "pipx run")
    given = list(found.arguments if found else inner[1:])
    given = given[: given.index("--")] if "--" in given and name != "mcpo" else given
    if any(_KEY_OPTIONS.match(word) for word in given):
        return None
    host = _value(given, _HOST_OPTIONS)
    wide = host in _WIDE
    match name.rpartition("/")[2]:
        case "supergateway" if "--stdio" in given and host is None:
            # It has no option for the address it listens on, and none for who may connect.
            return "`supergateway` listens on every address", Confidence.MEDIUM
        case "mcpo" if (wide or host is None) and ("--" in given or "--config" in given):
            return "`mcpo` listens on every address without `--api-key`", Confidence.MEDIUM
        case "mcp-proxy" if wide or (is_npm and host is None and "--port" in given):
            return "`mcp-proxy` listens on every address", Confidence.MEDIUM
        case "socat" if any(_SOCAT.match(word) for word in given):
            listens = next(word for word in given if _SOCAT.match(word)).lower()
            runs = any(word.upper().startswith(("EXEC:", "SYSTEM:")) for word in given)
            if runs and not any(f"bind={host}" in listens for host in _LOOPBACK):
                return "`socat` gives a program to whoever connects", Confidence.HIGH
    return None


def _value(words: list[str], names: frozenset[str]) -> str | None:
    for number, word in enumerate(words):
        name, given, value = word.partition("=")
        if name in names:
            return value if given else next(iter(words[number + 1 : number + 2]), None)
    return None
