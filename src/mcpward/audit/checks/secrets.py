"""Credentials that are written down where everybody who has the files can read them."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import replace

from mcpward.audit import roles
from mcpward.audit.leaks import Leak
from mcpward.audit.queries import secrets_in_queries
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence, Severity
from mcpward.core.late import late
from mcpward.core.source import Role
from mcpward.secrets import secret_name
from mcpward.secrets.literals import defaults

_TEMPLATE = late(r".*(?:example|sample|template|dist|default|test|ci|schema|tmpl).*")
_CREDENTIAL_FILE = late(
    r"\.env(?:\..+)?|\.npmrc|\.pypirc|\.netrc|\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)"
    r"|.*\.(?:pem|key)|.*credentials.*\.json|service[-_]?account.*\.json|client_secret.*\.json"
    r"|token\.json|secrets\.(?:toml|ya?ml|json)|kubeconfig"
)
_CLIENT = late(r'"(?:mcpServers|mcp_servers|context_servers|servers|mcp)"\s{0,9}:')
_SIGNING = late(
    r"(?i)(?:.*_)?(?:jwt|session|cookie|signing|encryption|hmac|csrf|webhook|auth|flask|django)?_?"
    r"(?:secret|secret_key|signing_key|encryption_key)|(?:.*_)?admin_(?:password|token)"
)
"""Names of what a server checks others with: a published value opens it."""


def hardcoded_secret(subject: Subject) -> Iterator[Sighting]:
    """Secrets in code, build files, workflows and notebooks."""
    for path in _paths(subject):
        if path in subject.texts and (_is_credential_file(path) or _is_client(subject, path)):
            continue
        for leak in subject.leaks.of(path):
            if leak.how not in ("default", "query") and leak.secret.kind != "url-password":
                yield _sighting(subject, path, leak)


def secret_fallback_default(subject: Subject) -> Iterator[Sighting]:
    """Literals that are used when a secret is not set."""
    for path in subject.sources:
        told = [leak for leak in subject.leaks.of(path) if leak.how == "default"]
        starts = [leak.secret.start for leak in told]
        for leak in told:
            yield _sighting(subject, path, leak)
        for literal in defaults(subject.leaks.text(path)):
            known = bisect_left(starts, literal.end) > bisect_left(starts, literal.start)
            if not known and _opens(literal.name, literal.value):
                yield Sighting(
                    subject.leaks.place(path, literal.start, literal.end),
                    f"a known value of `{literal.name}`",
                    Severity.MEDIUM,
                )


def secret_in_client_config(subject: Subject) -> Iterator[Sighting]:
    """Secrets in the settings that start or reach a server."""
    for path in subject.texts:
        if _is_client(subject, path):
            for leak in subject.leaks.of(path):
                yield _sighting(subject, path, leak)


def secret_in_url(subject: Subject) -> Iterator[Sighting]:
    """Secrets in the query or the user information of an address."""
    for path in _paths(subject):
        if path in subject.texts and (_is_credential_file(path) or _is_client(subject, path)):
            continue
        for leak in subject.leaks.of(path):
            if leak.how == "query" or leak.secret.kind == "url-password":
                yield _sighting(subject, path, leak)
    yield from secrets_in_queries(subject)


def credential_file_published(subject: Subject) -> Iterator[Sighting]:
    """Files that hold credentials and are part of the target."""
    for path in subject.texts:
        if not _is_credential_file(path) or _ignored(subject, path):
            continue
        leaks = subject.leaks.of(path)
        if leaks:
            best = max(leaks, key=lambda leak: (leak.secret.verified, leak.how == "format"))
            more = f" and {len(leaks) - 1} more" if len(leaks) > 1 else ""
            yield replace(_sighting(subject, path, best), detail=f"{best.title}{more}")


def _paths(subject: Subject) -> Iterable[str]:
    return (*subject.sources, *(path for path in subject.texts if path not in subject.sources))


def _sighting(subject: Subject, path: str, leak: Leak) -> Sighting:
    found = subject.leaks.place(path, leak.secret.start, leak.secret.end)
    if path in subject.sources:
        return Sighting(found, leak.title, confidence=_sure(leak))
    # Code is judged by its role later; other files have none.
    role = roles.role(path, b"", roles.Context())
    if role not in (Role.TEST, Role.EXAMPLE, Role.DOCS):
        return Sighting(found, leak.title, confidence=_sure(leak))
    said = (f"lower than usual: {role.value} file",)
    return Sighting(found, leak.title, Severity.LOW, _sure(leak), adjustments=said)


def _sure(leak: Leak) -> Confidence:
    """A format of a provider is certain; a name and a random text are not."""
    return Confidence.HIGH if leak.secret.kind != "generic" else Confidence.MEDIUM


def _opens(name: str, value: str) -> bool:
    """Whether a short or well-known default is the key to the server itself."""
    if not _SIGNING.fullmatch(name) or not secret_name(name) or len(value) < 4:
        return False
    return not re.search(r"[<>{}$]|^(?:none|null|undefined|false|true)$", value, re.IGNORECASE)


def _is_credential_file(path: str) -> bool:
    name = posixpath.basename(path).lower()
    return bool(_CREDENTIAL_FILE.fullmatch(name)) and not _TEMPLATE.fullmatch(name)


def _is_client(subject: Subject, path: str) -> bool:
    return path.endswith((".json", ".jsonc")) and bool(_CLIENT.search(subject.leaks.text(path)))


def _ignored(subject: Subject, path: str) -> bool:
    """Whether a `.gitignore` keeps a file out of what is published."""
    name = posixpath.basename(path)
    folder = posixpath.dirname(path)
    while True:
        rules = subject.leaks.text(posixpath.join(folder, ".gitignore")).split("\n")[:2000]
        inner = posixpath.relpath(path, folder or ".")
        for rule in rules:
            rule = rule.strip().strip("/").removeprefix("**/")
            if rule and (fnmatch.fnmatchcase(name, rule) or fnmatch.fnmatchcase(inner, rule)):
                return True
        if not folder:
            return False
        folder = posixpath.dirname(folder)
