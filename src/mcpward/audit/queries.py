"""Credentials of the environment in the queries of addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mcpward.audit.disclosed import Origin
from mcpward.audit.places import value_place
from mcpward.audit.subject import Sighting, Subject
from mcpward.core.finding import Severity, Step, StepKind
from mcpward.core.late import late

_QUERY = late(
    r"[?&](?:api[_-]?key|key|token|access[_-]?token|auth|apikey|appid|app_id|secret|password"
    r"|client_secret|api[_-]?token|private_token)=$",
    re.IGNORECASE,
)
_MILD = "low because the credential comes from the environment, and some services know no header"


def secrets_in_queries(subject: Subject) -> Iterator[Sighting]:
    """A credential of the environment as a parameter in the query of an address."""
    world = subject.world
    for frame, at, text in subject.survey.texts:
        before = ""
        for operand in text.operands:
            texts = [c for c in frame.constants(operand) if isinstance(c, str)]
            if texts:
                before = texts[0][-60:]
                continue
            asked = _QUERY.search(before)
            before = ""
            if asked is None:
                continue
            found = [
                leaf
                for leaf in subject.origins.of(frame, operand)
                if isinstance(leaf, Origin) and leaf.kind == "secret"
            ]
            if found:
                leaf = min(found)
                place = value_place(world, frame.name, at)
                start = value_place(world, leaf.function, leaf.at)
                steps = (
                    Step(start, StepKind.SOURCE, f"`{leaf.label}`", 0),
                    Step(place, StepKind.SINK, "put into the query of an address", 0),
                )
                handler = subject.handler(frame.name, at)
                yield Sighting(
                    place,
                    f"`{leaf.label}`",
                    Severity.LOW,
                    handler=handler,
                    steps=steps,
                    adjustments=(_MILD,),
                )
                break
