"""Rules about the identifiers by which callers come back to something of theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.places import span_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Confidence
from mcpward.core.source import Role

_MADE = re.compile(
    rb"\b(?:const |let |var )?(?P<name>(?:job|task|cart|session|browser|upload|export|order|run"
    rb"|conversation|workspace|handle|ticket)(?:_?[iI]d|_?handle|_key)?)(?: ?: ?\w{1,20})? ?= ?"
    rb"(?P<how>[^\n;]{0,80}?(?:Math\.random|Date\.now|time\.time|random\.(?:rand|choice|random)"
    rb"|performance\.now|next\(|\+\+)[^\n;]{0,60})"
)
_STRONG = re.compile(rb"(?i)uuid|secrets\.|crypto|randomBytes|nanoid|getRandomValues|SystemRandom")
_BOUND = re.compile(
    rb"(?i)user_?id|subject|principal|tenant|auth_?info|access_?token|client_?id|owner"
    rb"|(?:ctx|context|extra)\??\.session"
)


def predictable_or_unbound_state_handle(subject: Subject) -> Iterator[Sighting]:
    """Identifiers made of clocks, counters or weak generators that open what is kept under them."""
    if not subject.exposure.networked:
        return
    for name in sorted(subject.reached):
        frame = subject.world.frames.get(name)
        if frame is None or name.endswith(":"):
            continue
        source, function = frame.module.source, frame.function
        if source.role is not Role.FIRST_PARTY:
            continue
        text = source.data[function.start : function.end]
        for made in _MADE.finditer(text):
            kept = rb"(?:\[ ?|\.set\( ?)" + re.escape(made["name"]) + rb"\b"
            is_kept = re.search(kept, text[made.end() :]) is not None
            if not is_kept or _STRONG.search(made["how"]) or _BOUND.search(text):
                continue
            start = function.start + made.start("name")
            place = span_place(subject.world, function, start, start + len(made["name"]))
            handler = subject.handler(name, 0)
            shown = made["name"].decode("utf-8", "replace")
            yield Sighting(place, f"`{shown}`", None, Confidence.MEDIUM, handler)
            break
