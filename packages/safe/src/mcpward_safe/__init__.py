"""The name reserved for the library of safe building blocks for MCP servers; it has no API yet."""

__version__ = "0.1.0"
