"""What an audit says: findings with their path, skipped input, and the report that holds them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from mcpward.core.source import Position

if TYPE_CHECKING:
    from mcpward.core.privilege import Privilege


class Severity(IntEnum):
    """How bad it is if an attacker uses it; ordered, so that thresholds are comparisons."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The lower-case name that users read and type."""
        return self.name.lower()

    def shifted(self, steps: int) -> Severity:
        """The severity some steps away, kept inside the scale."""
        return Severity(min(max(self + steps, Severity.INFO), Severity.CRITICAL))


class Confidence(IntEnum):
    """How sure the analysis is; computed from the path, never typed by an author."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2

    @property
    def word(self) -> str:
        """The lower-case name that users read and type."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Place:
    """A region of a file as people count it, with the text of its first line."""

    file: str
    start: Position
    end: Position
    """One past the last character."""
    code: str
    """The first line of the region, unsanitised: it comes from the audited code."""


class StepKind(StrEnum):
    """What a step of a path does; the renderers choose emphasis by it."""

    SOURCE = "source"
    PASS = "pass"  # noqa: S105  # a kind of step, no password
    CALL = "call"
    ASSUMED = "assumed"
    GUARD = "guard"
    SINK = "sink"


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way from source to sink."""

    place: Place
    kind: StepKind
    text: str
    """A sentence fragment, such as "joined into a string"."""
    depth: int
    """Call depth, 0 in the handler."""


@dataclass(frozen=True, slots=True)
class Handler:
    """The tool, resource, prompt or route through which a finding is reached."""

    sort: str
    """`tool`, `resource`, `prompt`, `route`, `raw`, …"""
    name: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why a finding is not counted."""

    kind: str
    """`inline` (a comment), `baseline` or `settings`."""
    reason: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Text that takes the place of a range of a file."""

    file: str
    start: int
    """Byte offset in the text as it was audited: UTF-8, without a byte order mark."""
    end: int
    text: str
    first: Position
    """Where the range begins, for reports."""
    last: Position
    """One past its last character."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair of a finding that a program can make."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool
    """Whether it keeps what the code does for legitimate use, so that nobody need look at it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, with the evidence."""

    rule: str
    message: str
    severity: Severity
    confidence: Confidence
    place: Place
    """The sink; for findings without a flow, the offending text."""
    steps: tuple[Step, ...] = ()
    handler: Handler | None = None
    source_kind: str = ""
    """`model`, `wire` or `third`; empty without a flow."""
    guard_notes: tuple[str, ...] = ()
    """Why each guard on the way does not suffice."""
    adjustments: tuple[str, ...] = ()
    """Why the severity differs from the rule's own."""
    fix: str = ""
    """What a person should do, in words."""
    repair: Fix | None = None
    """What `mcpward fix` can do."""
    sink: str = ""
    """Qualified name of the function or field at `place`, as models name it; empty if unknown."""
    context: str = ""
    """`test`, `example`, … when the code is not first-party product code."""
    fingerprint: str = ""
    suppression: Suppression | None = None

    @property
    def level(self) -> str:
        """The SARIF level: error, warning or note.

        An error needs a path of which every step is known. What rests on assumptions is a level
        lower, and what rests on many two.
        """
        doubt = Confidence.HIGH - self.confidence
        rank = max(min(self.severity, Severity.HIGH) - Severity.LOW - doubt, 0)
        return ("note", "warning", "error")[rank]


class SkipKind(StrEnum):
    """Why something was not looked at."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    TOO_MANY = "too-many"
    UNPARSABLE = "unparsable"
    UNSAFE_PATH = "unsafe-path"
    LINK = "link"
    SPECIAL_FILE = "special-file"
    NOT_FIRST_PARTY = "not-first-party"
    UNSUPPORTED = "unsupported"
    LIMIT = "analysis-limit"

    @property
    def expected(self) -> bool:
        """Whether leaving this out is policy rather than a failure to check."""
        return self in (SkipKind.NOT_FIRST_PARTY, SkipKind.UNSUPPORTED)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Input that was not looked at. A result, printed in every format, never a log line."""

    path: str
    kind: SkipKind
    reason: str
    count: int = 1
    """How many files this entry stands for, when `path` is a folder."""


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU seconds of one stage of the audit."""

    stage: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything an audit has to say; renderers take only this."""

    target: str
    """What the user pointed at, as typed."""
    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    handlers: tuple[Handler, ...]
    files: int
    lines: int
    timings: tuple[Timing, ...] = ()
    unused_ignores: tuple[Place, ...] = ()
    notes: tuple[str, ...] = ()
    privileges: tuple[Privilege, ...] = ()
    """What the code needs, each place by itself."""

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """The findings that are not suppressed."""
        return tuple(f for f in self.findings if f.suppression is None)


def fingerprint(rule: str, file: str, function: str, statement: str, occurrence: int) -> str:
    """A stable identity of a finding: moving code up or down keeps it.

    `statement` is normalised by folding white space; `occurrence` counts equal statements with the
    same rule inside one function, from 0.
    """
    parts = (rule, file, function, " ".join(statement.split()), str(occurrence))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
