"""Rules about where credentials are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.sites import Site, uses
from mcpward.audit.spelling import HOLE, spelled
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence
from mcpward.core.source import Role

_FILES = re.compile(
    r"(?:^|[/._-])(?:(?:access|refresh|oauth2?|auth|api|session|bot|id)[_-]?)?"
    r"(?:tokens?|credentials?|creds|passwords?|secrets?|api[_-]?keys?)"
    r"(?:[_-](?:cache|store|data))?(?:\.(?:json|txt|ya?ml|pickle|pkl|toml|ini|dat))?$",
    re.IGNORECASE,
)
"""Names of files that are made for credentials."""
_OTHER = re.compile(
    r"(?:design|sample|example|special|added|template|mock)[_.-]?\w*$", re.IGNORECASE
)
"""Beginnings by which a name speaks of something else."""
_GUARDED = re.compile(
    rb"0o?600\b|0o?400\b|S_IRUSR|\bchmod|\bmode: ?384|umask|(?i:encrypt|fernet|cipher|keyring"
    rb"|keytar|safeStorage|keychain|secretstorage|dpapi)"
)
"""What shows that a file thinks about who can read what it writes."""


def plaintext_credential_storage(subject: Subject) -> Iterator[Sighting]:
    """Files for credentials that are written in clear, each told once."""
    told: set[tuple[str, str]] = set()
    for site in subject.sites:
        source = site.frame.module.source
        if source.role is not Role.FIRST_PARTY:
            continue
        for path in _written(subject, site):
            name = path.rpartition("/")[2]
            found = _FILES.search(name)
            key = (source.path, name)
            if found is None or key in told or _OTHER.match(name[: found.start() + 1]):
                continue
            if _GUARDED.search(source.data) is None:
                told.add(key)
                shown = path.replace(HOLE, "…")[-80:]
                sighting = subject.sighting(site, f"`{shown}`")
                yield Sighting(
                    sighting.place, sighting.detail, None, Confidence.MEDIUM, sighting.handler
                )


def _written(subject: Subject, site: Site) -> Iterator[str]:
    for use in uses(site, ("path-write",)):
        if not use.place.path:
            for value in use.values:
                for path in spelled(subject, site.frame, value):
                    if path != HOLE:
                        yield path.replace("\\", "/")
