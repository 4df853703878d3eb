"""Scores one text by weak signals: which are in it, where, and whether they suffice for a rule."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from mcpward.core.late import late
from mcpward.core.rule import Signal, Wording
from mcpward.surface import encoded, hidden, markup
from mcpward.surface.normal import LONGEST, Reading, plain
from mcpward.surface.screening import Screen, screen
from mcpward.surface.surface import Text

_EVERY_HIT = 24
"""Places of one signal in one text that are kept."""
_AROUND = 160
"""Characters of a sentence around a signal in which a negation or a quotation is looked for."""
_DENIED = late(
    r"(?:\b(?:never|not|no|nor|neither|without|cannot|avoids?|prevents?|den(?:y|ies)|forbids?"
    r"|refus(?:es?|ing)|rejects?|blocks?|stops?|unlike|protects?|instead of|rather than)\b|n't\b)"
    r"[^,;:.!?\n]{0,32}$"
)
_QUOTED = late(
    r"(?<![\w./-])(?:detect\w*|flag(?:s|ged|ging)?|scan(?:s|ned|ning)?|blocks?|rejects?|refuses?"
    r"|filters?|guard\w*|analy[sz]e[sd]?|classif\w+|phrases?|patterns?|such as|e\.g|for example"
    r"|example|suspicious|attacks?|explains? how|checks? for|looks? for|prevents?|sanitiz\w+"
    r"|warns? (?:about|of))(?![\w/-]|\.\w)"
)
_OPENERS = " \n.!?:;,)]>\"'-*"
_LABEL = late(r"\W*(?:(?:\*\*|</?)?\w{1,16}(?: note)?(?:\*\*|:|>)\W*){0,2}")
_NAMED = late(
    r"[\s'\")]{0,3}(?:style |like )?(?:phrases?|patterns?|texts?|attempts?|strings?|wordings?"
    r"|attacks?|injections?|(?:is|are) (?:suspicious|flagged|blocked|detected|refused|rejected)"
    r"|and (?:reports|flags)|in the given)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A signal in a text."""

    signal: str
    start: int
    end: int
    """The range of the original text."""
    sentence: int
    first: int
    last: int
    """The range of the original text that the whole sentence takes."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Signals that suffice together."""

    total: int
    hits: tuple[Hit, ...]
    """One for each signal, in the order of the text."""

    @property
    def span(self) -> tuple[int, int]:
        """The sentences that carry it."""
        return min(hit.first for hit in self.hits), max(hit.last for hit in self.hits)


Detector = Callable[[str], Iterable[tuple[int, int]]]

DETECTORS: Mapping[str, Detector] = {
    "tags": hidden.tags,
    "selectors": hidden.selectors,
    "zero-width": hidden.zero_width,
    "bidi": hidden.bidi,
    "escapes": hidden.escapes,
    "lookalikes": hidden.lookalikes,
    "encoded": lambda text: ((one.start, one.end) for one in encoded.decoded(text)),
    "padding": markup.padding,
    "comment": markup.comments,
}


def find(text: str, signals: Mapping[str, Signal]) -> tuple[Hit, ...]:
    """All signals in a text, in what it hides behind an encoding too; in the order of the text."""
    text = text[:LONGEST]
    reading = plain(text)
    known = screen(tuple(signals.values()))
    out = [*_worded(reading, known), *_detected(text, reading, known.signals)]
    for part in encoded.decoded(text):
        at = _sentence(reading, part.start)
        for hit in _worded(plain(part.text), known):
            out.append(Hit(hit.signal, part.start, part.end, at, part.start, part.end))
    return tuple(sorted(out, key=lambda hit: (hit.start, hit.end, hit.signal)))


def judge(hits: Iterable[Hit], wording: Wording) -> Verdict | None:
    """The strongest group of neighbouring sentences, if it suffices for the rule."""
    weights = dict(wording.signals)
    relevant = [hit for hit in hits if hit.signal in weights]
    best: Verdict | None = None
    for first in sorted({hit.sentence for hit in relevant}):
        group: dict[str, Hit] = {}
        for hit in relevant:
            near = not wording.reach or first <= hit.sentence < first + wording.reach
            if near:
                group.setdefault(hit.signal, hit)
        total = sum(weights[name] for name in group)
        if total < wording.needs or (best is not None and total <= best.total):
            continue
        if wording.requires and not any(name in group for name in wording.requires):
            continue
        if wording.requires_also and not any(name in group for name in wording.requires_also):
            continue
        best = Verdict(total, tuple(group.values()))
    return best


def applies(wording: Wording, text: Text) -> bool:
    """Whether the rule reads texts of this field and owner."""
    if wording.of and text.sort not in wording.of:
        return False
    return not wording.fields or any(fnmatchcase(text.field, one) for one in wording.fields)


def _worded(reading: Reading, known: Screen) -> Iterator[Hit]:
    for signal, patterns in known.live(reading.text):
        count = 0
        for match in _leftmost([_compiled(one) for one in patterns], reading.text):
            began = match.start() + len(match[0]) - len(match[0].lstrip(_OPENERS))
            sentence = reading.sentence(began)
            first, last = reading.bounds(sentence)
            last = max(last, match.end())
            before = reading.text[max(first, began - _AROUND) : began]
            after = reading.text[match.end() : min(last, match.end() + _AROUND)]
            if signal.deniable and (_DENIED.search(before) or _describes(match[0], before)):
                continue
            if signal.quotable and (_QUOTED.search(before) or _NAMED.match(after)):
                continue
            yield Hit(
                signal.name,
                *reading.origin(began, match.end()),
                sentence,
                *reading.origin(first, last),
            )
            count += 1
            if count >= _EVERY_HIT:
                break


def _describes(matched: str, before: str) -> bool:
    """Whether a sentence starts with the verb: "Reads the key from …" says what the tool does."""
    verb = matched.lstrip(_OPENERS + "([").partition(" ")[0]
    return verb.endswith("s") and not verb.endswith("ss") and bool(_LABEL.fullmatch(before))


def _detected(text: str, reading: Reading, signals: Iterable[Signal]) -> Iterator[Hit]:
    for signal in signals:
        if not signal.detector:
            continue
        for count, (start, end) in enumerate(DETECTORS[signal.detector](text)):
            if count >= _EVERY_HIT:
                break
            yield Hit(signal.name, start, end, _sentence(reading, start), start, end)


def _sentence(reading: Reading, original: int) -> int:
    """The sentence of the reading at a place of the original."""
    at = bisect_left(reading.origins, original)
    return reading.sentence(min(at, max(len(reading.text) - 1, 0)))


def _leftmost(patterns: list[re.Pattern[str]], text: str) -> Iterator[re.Match[str]]:
    """What `a|b|…` matches, one after the other, without compiling all patterns into one."""
    following = [pattern.search(text) for pattern in patterns]
    while found := [match for match in following if match]:
        best = min(found, key=lambda match: match.start())
        yield best
        at = max(best.end(), best.start() + 1)
        for index, match in enumerate(following):
            if match and match.start() < at:
                following[index] = patterns[index].search(text, at)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
