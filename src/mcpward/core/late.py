"""Regular expressions that are compiled when they are first used: most runs need only a few."""

from __future__ import annotations

import re
from typing import Any, AnyStr, Generic, cast


class _Late(Generic[AnyStr]):
    """Stands for a pattern; each method is looked up once, then it is the pattern's own."""

    def __init__(self, text: AnyStr, flags: int) -> None:
        self._text: AnyStr = text
        self._flags: int = flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, value)
        return value


def late(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The pattern of a text, for constants of modules; it can do what `re.Pattern` does.

    A mistake in the text is only found when it is used: tests must use every pattern.
    """
    return cast("re.Pattern[AnyStr]", _Late(text, flags))
