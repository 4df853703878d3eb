"""From source text to values, one language per file."""
