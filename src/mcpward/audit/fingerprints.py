"""The identity of findings over time: fingerprints that moving code does not change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mcpward.core.finding import Finding, fingerprint


def numbered(found: Iterable[Finding]) -> list[Finding]:
    """Adds fingerprints that moving code up or down does not change."""
    counts: dict[tuple[str, str, str, str], int] = {}
    out = []
    for one in sorted(found, key=lambda f: (f.place.file, f.place.start, f.rule)):
        name = one.handler.name if one.handler is not None else ""
        key = (one.rule, one.place.file, name, one.place.code)
        occurrence = counts.get(key, 0)
        counts[key] = occurrence + 1
        mark = fingerprint(one.rule, one.place.file, name, one.place.code, occurrence)
        out.append(replace(one, fingerprint=mark))
    return out
