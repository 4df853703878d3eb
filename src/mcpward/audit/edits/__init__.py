"""Edits by name: small functions from a place in a text to exact replacements."""
