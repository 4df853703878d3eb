"""What the code of a server needs from the machine it runs on, with the place that needs it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mcpward.core.finding import Place


class Sort(StrEnum):
    """What is needed."""

    FILE = "file"
    HOST = "host"
    ENVIRONMENT = "environment"
    PROGRAM = "program"
    LISTEN = "listen"


class Chosen(StrEnum):
    """Who decides which file, host or program it is."""

    FIXED = "fixed"
    """It is written in the code."""
    CONFIGURED = "configured"
    """It comes from the environment, the command line or a configuration."""
    CALLER = "caller"
    """An argument of a handler decides."""
    COMPUTED = "computed"
    """It is put together in a way that was not followed."""


@dataclass(frozen=True, slots=True)
class Privilege:
    """One thing that one place of the code needs."""

    sort: Sort
    action: str
    """`read`, `list`, `write` or `delete` a file; `connect` to a host; `read` a variable; `run` a
    program; `listen`."""
    value: str
    """The path, host, name or address; `…` stands for parts that are not fixed; may be empty."""
    chosen: Chosen
    place: Place
    required: bool = False
    """A variable without which the server does not work."""
    default: str | None = None
    """What is used when a variable is not set."""
    handler: str = ""
    """The tool, resource, prompt or route that needs it, if a handler reaches it."""
