"""Finds secrets in text, tells them from placeholders, and shows them without giving them away."""

from mcpward.secrets.assigned import assigned
from mcpward.secrets.detect import Secret, search
from mcpward.secrets.names import secret_name
from mcpward.secrets.values import placeholder, redacted

__all__ = ["Secret", "assigned", "placeholder", "redacted", "search", "secret_name"]
