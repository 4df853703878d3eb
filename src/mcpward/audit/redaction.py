"""A report without the secrets of the target: the one place that all renderers rely on."""

from __future__ import annotations

import re
from dataclasses import replace

from mcpward.audit.leaks import Leaks
from mcpward.core.finding import Finding, Fix, Handler, Place, Report, Step
from mcpward.core.privilege import Privilege, Sort
from mcpward.secrets import redacted, secret_name

_SHORTEST = 8
"""Secrets of which other lines and messages are searched too; shorter ones would hit words."""
_LONGEST = 400


def without_secrets(report: Report, leaks: Leaks) -> Report:
    """The same report with every known secret masked, in code as well as in sentences."""
    mask = _Mask(leaks, report)
    return replace(
        report,
        findings=tuple(map(mask.finding, report.findings)),
        handlers=tuple(map(mask.handler, report.handlers)),
        unused_ignores=tuple(map(mask.place, report.unused_ignores)),
        notes=tuple(map(mask.text, report.notes)),
        privileges=tuple(map(mask.privilege, report.privileges)),
    )


def masked(text: str, leaks: Leaks) -> str:
    """A text about files that are known, with the secrets in them masked."""
    values = {
        leaks.text(file)[leak.secret.start : leak.secret.end]
        for file in (*leaks.sources, *leaks.texts)
        for leak in leaks.of(file)
    }
    for value in sorted(values, key=lambda value: (-len(value), value)):
        text = text.replace(value, redacted(value)) if len(value) >= _SHORTEST else text
    return text


class _Mask:
    """What is hidden of one report."""

    def __init__(self, leaks: Leaks, report: Report) -> None:
        self._leaks = leaks
        values = {value for file in _files(report) for value in self._values(file)}
        longest = sorted(values, key=lambda value: (-len(value), value))
        self._known = re.compile("|".join(map(re.escape, longest))) if longest else None

    def _values(self, file: str) -> list[str]:
        text = self._leaks.text(file)
        found = (text[one.secret.start : one.secret.end] for one in self._leaks.of(file))
        return [value for value in found if _SHORTEST <= len(value) <= _LONGEST]

    def text(self, text: str) -> str:
        if self._known is None:
            return text
        return self._known.sub(lambda match: redacted(match[0]), text)

    def finding(self, finding: Finding) -> Finding:
        return replace(
            finding,
            message=self.text(finding.message),
            place=self.place(finding.place),
            steps=tuple(map(self.step, finding.steps)),
            handler=finding.handler and self.handler(finding.handler),
            guard_notes=tuple(map(self.text, finding.guard_notes)),
            adjustments=tuple(map(self.text, finding.adjustments)),
            repair=self.repair(finding.repair),
        )

    def repair(self, fix: Fix | None) -> Fix | None:
        """The fix, unless it would write a secret down: masking it would spoil the code."""
        told = fix is not None and any(self.text(one.text) != one.text for one in fix.edits)
        return None if told else fix

    def step(self, step: Step) -> Step:
        return replace(step, place=self.place(step.place), text=self.text(step.text))

    def handler(self, handler: Handler) -> Handler:
        return replace(
            handler,
            name=self.text(handler.name),
            place=handler.place and self.place(handler.place),
        )

    def privilege(self, one: Privilege) -> Privilege:
        default = one.default
        if default and one.sort is Sort.ENVIRONMENT and secret_name(one.value):
            default = redacted(default)
        return replace(
            one,
            value=self.text(one.value),
            place=self.place(one.place),
            default=self.text(default) if default is not None else None,
        )

    def place(self, place: Place) -> Place:
        """The place with its line masked; a secret that the line was cut in is masked whole."""
        begin = self._begin(place)
        code, parts, done = place.code, [], 0
        if begin is None:
            return replace(place, code=self.text(code))
        for leak in self._leaks.of(place.file):
            start, end = leak.secret.start - begin, leak.secret.end - begin
            if end <= done or start >= len(code):
                continue
            value = self._leaks.text(place.file)[leak.secret.start : leak.secret.end]
            parts += [code[done : max(start, done)], redacted(value)]
            done = min(end, len(code))
        return replace(place, code=self.text("".join(parts) + code[done:]))

    def _begin(self, place: Place) -> int | None:
        """Where the line of a place begins in its file, if the file is known."""
        text = self._leaks.text(place.file)
        starts = self._leaks.starts(place.file)
        if not text or place.start.line > len(starts):
            return None
        return starts[place.start.line - 1]


def _files(report: Report) -> set[str]:
    """Every file of which a line is in the report."""
    places = [place for finding in report.findings for place in _places(finding)]
    places += [handler.place for handler in report.handlers if handler.place]
    places += report.unused_ignores
    places += [one.place for one in report.privileges]
    return {place.file for place in places}


def _places(finding: Finding) -> list[Place]:
    at = [finding.place, *(step.place for step in finding.steps)]
    if finding.handler is not None and finding.handler.place is not None:
        at.append(finding.handler.place)
    return at
