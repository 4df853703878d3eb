"""Checks of random numbers and ciphers that protect something."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.sites import Site
from mcpward.audit.spelling import HOLE, spelled
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity
from mcpward.core.late import late
from mcpward.ir.program import bare

_ASSIGNED = late(r"""([A-Za-z_$][\w$]*)["'\]]{0,2}\s?(?:=(?![=>])|:(?!:))""")
_TYPES = frozenset(["str", "string", "int", "number", "bytes", "any", "return"])
_GUARDS = late(
    r"""session_?(?:id|key|token)|^sid$|token$|secret|passw(?:or)?d|passcode|nonce|otp$|csrf|xsrf
      | api_?key|auth_?code|verif(?:y|ication)_?code|code_?verifier|oauth_?state|salt$|pin_?code
      | encryption_?key|private_?key
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HARMLESS = late(r"progress|max|count|num|page|next|mask|placeholder|mock|fake", re.IGNORECASE)
_PASSWORD = late(r"passw(?:or)?d|passphrase|passwd|\bpwd\b", re.IGNORECASE)
_FEWEST_ROUNDS = 10_000
_BROKEN = frozenset(["md5", "sha1", "sha", "md4"])
_FAST = _BROKEN | {"sha256", "sha512", "sha224", "sha384"}
_LINES = 3


def insecure_randomness(subject: Subject) -> Iterator[Sighting]:
    """Values that must not be guessed, from a generator whose values can be."""
    told: set[tuple[str, int]] = set()
    for site in subject.about("insecure-randomness"):
        name = _assigned(site)
        if not _GUARDS.search(name) or _HARMLESS.search(name):
            continue
        sighting = subject.sighting(site, f"`{name}`")
        line = (sighting.place.file, sighting.place.start.line)
        if line not in told:
            told.add(line)
            yield sighting


def _assigned(site: Site) -> str:
    """What the value of a call is given to: a variable, a field, or the result of a function."""
    before = _before(site)
    names = [found[1] for found in _ASSIGNED.finditer(before) if found[1] not in _TYPES]
    if names:
        return names[-1]
    return bare(site.frame.name).partition("@")[0] if before.lstrip().startswith("return") else ""


def _before(site: Site) -> str:
    """The beginning of the line that a call stands in, up to the call."""
    data = site.frame.module.source.data
    begin = data.rfind(b"\n", 0, site.call.start) + 1
    return data[max(begin, site.call.start - 300) : site.call.start].decode("utf-8", "replace")


def _line(site: Site) -> str:
    data = site.frame.module.source.data
    end = data.find(b"\n", site.call.end)
    end = len(data) if end < 0 else end
    after = data[site.call.start : min(end, site.call.start + 300)].decode("utf-8", "replace")
    return _before(site) + after


def weak_cryptography(subject: Subject) -> Iterator[Sighting]:
    """Fast hashes of passwords, few rounds, and initial values that never change."""
    for site in subject.about("weak-cryptography"):
        last = site.name.rpartition(".")[2]
        if last.startswith(("pbkdf2", "PBKDF2")):
            rounds = _rounds(site)
            if rounds is not None and rounds < _FEWEST_ROUNDS:
                yield subject.sighting(site, f"with only {rounds} rounds")
        elif last in _FAST or site.name in ("crypto.createHash", "hashlib.new"):
            yield from _hashed(subject, site, last)
        elif _fixed(subject, site):
            yield subject.sighting(site, "with an initial value that stands in the code")


def _rounds(site: Site) -> int | None:
    named = [value for name, value in site.call.keywords if name == "iterations"]
    position = 2 if site.frame.library.family == "javascript" else 3
    values = named or list(site.call.args[position : position + 1])
    numbers = [c for value in values for c in site.frame.constants(value)]
    return numbers[0] if numbers and type(numbers[0]) is int else None


def _hashed(subject: Subject, site: Site, last: str) -> Iterator[Sighting]:
    algorithm = last
    if last not in _FAST and site.call.args:
        algorithm = spelled(subject, site.frame, site.call.args[0])[0].lower().replace("-", "")
    if algorithm not in _FAST or any(name == "usedforsecurity" for name, _ in site.call.keywords):
        return
    if _PASSWORD.search(_line(site)):
        level = Severity.HIGH if algorithm in _BROKEN else Severity.MEDIUM
        yield subject.sighting(site, f"for a password, with {algorithm}", level)


def _fixed(subject: Subject, site: Site) -> bool:
    """Whether the initial value of a cipher is known to everybody who has the code."""
    position = 2 if site.frame.library.family == "javascript" else 0
    if site.name.endswith("AES.new"):
        position = 2
    named = [value for name, value in site.call.keywords if name in ("iv", "nonce")]
    for value in named or site.call.args[position : position + 1]:
        text = spelled(subject, site.frame, value)[0]
        if text and HOLE not in text:
            return True
    return False
