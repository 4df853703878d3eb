"""The exceptions of mcpward.

McpwardError
├── UsageError        the command line or a settings file asks for something impossible
├── TargetError       the target cannot be read at all
└── CatalogError      a rule card or a model contradicts the vocabulary
"""

from __future__ import annotations


class McpwardError(Exception):
    """Something the user can act on; `hint` says how."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """`hint` is one sentence that says what to do."""
        super().__init__(message)
        self.hint = hint


class UsageError(McpwardError):
    """The command line or a settings file asks for something impossible."""


class TargetError(McpwardError):
    """The target cannot be audited at all."""


class CatalogError(McpwardError):
    """A rule card or a model contradicts the closed vocabulary."""
